"""The HTTP API on switches: what is off or diverted, on all instances within seconds.

Both routes need the app's own master key, not a function key. Numbers stand in the body: no log keeps them.
"""

from __future__ import annotations

import azure.functions as func

from handlers.responses import endpoint, json_response
from shared.composition import switchboard

blueprint = func.Blueprint()


@blueprint.function_name("get_switches")
@blueprint.route("switches", methods=["GET"], auth_level=func.AuthLevel.ADMIN)
@endpoint
def get_switches(req: func.HttpRequest) -> func.HttpResponse:
    """The switches, who turned them, and what the brakes refused."""
    view = switchboard().switches_service.view()
    return json_response(200, view.model_dump(mode="json", exclude_none=True), **{"Cache-Control": "no-store"})


@blueprint.function_name("turn_switches")
@blueprint.route("switches", methods=["POST"], auth_level=func.AuthLevel.ADMIN)
@endpoint
def turn_switches(req: func.HttpRequest) -> func.HttpResponse:
    """Turn some of the switches."""
    view = switchboard().switches_service.turn(req.get_body())
    return json_response(200, view.model_dump(mode="json", exclude_none=True))
