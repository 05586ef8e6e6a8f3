"""Whether the app can work: for load balancers and for people."""

from __future__ import annotations

import azure.functions as func

from handlers.answers import answer, door, problem
from shared.composition import switchboard
from shared.errors import StoreError

blueprint = func.Blueprint()


@blueprint.function_name("health")
@blueprint.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def health(req: func.HttpRequest) -> func.HttpResponse:
    """200 if the settings are right and the storage answers."""
    board = switchboard()
    try:
        board.store.healthy()
    except StoreError as error:
        return problem(503, "Storage unavailable", str(error))
    return answer(200, {"status": "ok", "flows": sorted(board.conductor.flows)})
