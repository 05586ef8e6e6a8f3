"""The HTTP API on switches: what is off or diverted, for all instances within seconds.

Both routes need the app's own master key, not a function key. Numbers stand in the body: no log keeps them.
"""

from __future__ import annotations

import azure.functions as func

from handlers.answers import answer, door
from shared.composition import switchboard

blueprint = func.Blueprint()


@blueprint.function_name("get_switches")
@blueprint.route("switches", methods=["GET"], auth_level=func.AuthLevel.ADMIN)
@door
def get_switches(req: func.HttpRequest) -> func.HttpResponse:
    """How the switches stand, who turned them, and what the brakes did."""
    view = switchboard().switches_service.view()
    return answer(200, view.model_dump(mode="json", exclude_none=True), **{"Cache-Control": "no-store"})


@blueprint.function_name("turn_switches")
@blueprint.route("switches", methods=["POST"], auth_level=func.AuthLevel.ADMIN)
@door
def turn_switches(req: func.HttpRequest) -> func.HttpResponse:
    """Turn some of them."""
    view = switchboard().switches_service.turn(req.get_body())
    return answer(200, view.model_dump(mode="json", exclude_none=True))
