"""Whether the app can work: for load balancers and for people."""

from __future__ import annotations

import azure.functions as func

from handlers.responses import endpoint, json_response
from shared.health import health as health_check

blueprint = func.Blueprint()


@blueprint.function_name("health")
@blueprint.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def health(req: func.HttpRequest) -> func.HttpResponse:
    """200 if the settings are right and the storage answers, 503 if not; the body says which, and no more."""
    found = health_check()
    return json_response(200 if found == "ok" else 503, {"status": found}, **{"Cache-Control": "no-store"})
