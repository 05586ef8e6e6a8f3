"""Signals from the streams service: keys and words of live calls. Signed by it; no key of a function opens this."""

from __future__ import annotations

import azure.functions as func

from handlers.answers import answer, door
from shared.composition import switchboard
from shared.logs import logger
from shared.stream_signals import SIGNATURE_HEADER

log = logger("switchboard.doors")

blueprint = func.Blueprint()


@blueprint.function_name("stream_signals")
@blueprint.route(
    "streams/{call_id}/signals/{connection}/{sequence}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS
)
@door
def stream_signals(req: func.HttpRequest) -> func.HttpResponse:
    """What was pressed and said, in order; what comes again counts once."""
    call_id, connection, sequence = (req.route_params[name] for name in ("call_id", "connection", "sequence"))
    service = switchboard().stream_signal_service
    outcome = service.take(call_id, connection, sequence, req.get_body(), req.headers.get(SIGNATURE_HEADER))
    log.info("%s stream signals call=%s connection=%s sequence=%s", outcome, call_id, connection, sequence)
    return answer(200, {"outcome": outcome})
