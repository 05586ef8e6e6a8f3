"""Whether the app can work: for load balancers and for people."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

import azure.functions as func

from handlers.responses import endpoint, json_response
from shared.composition import switchboard
from shared.errors import Misconfigured
from shared.health import health as health_check

if TYPE_CHECKING:
    from shared.web.diagnosis import Diagnosis

blueprint = func.Blueprint()


@blueprint.function_name("health")
@blueprint.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def health(req: func.HttpRequest) -> func.HttpResponse:
    """200 if the settings are right and the storage answers, 503 if not; the body says which, and no more."""
    found = health_check()
    return json_response(200 if found == "ok" else 503, {"status": found}, **{"Cache-Control": "no-store"})


@blueprint.function_name("diagnostics")
@blueprint.route("diagnostics", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def diagnostics(req: func.HttpRequest) -> func.HttpResponse:
    """What is wrong with the app, also while its settings are, with the reason and the remedy."""
    view = _diagnosis().look().view()
    return json_response(200, view.model_dump(mode="json"), **{"Cache-Control": "no-store"})


@blueprint.function_name("put_back_messages")
@blueprint.route("diagnostics/queues/{queue}/put-back", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def put_back_messages(req: func.HttpRequest) -> func.HttpResponse:
    """Have messages on which the app failed five times worked on once more."""
    switchboard()  # Misconfigured: they would fail again
    return json_response(200, _diagnosis().put_back(req.route_params["queue"]).model_dump(mode="json"))


def _diagnosis() -> Diagnosis:
    from shared.composition.diagnosis import compose_diagnosis

    with suppress(Misconfigured):  # logged, once; the findings name it too
        switchboard()
    return compose_diagnosis(switchboard.prepare(), os.environ)
