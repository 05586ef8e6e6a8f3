"""Signals from the streams service: keys and words of live calls. It signs them; a function key opens nothing here."""

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
    service = switchboard().stream_signal_service
    call_id, connection, sequence = (req.route_params[name] for name in ("call_id", "connection", "sequence"))
    outcome = service.take(call_id, connection, sequence, req.get_body(), req.headers.get(SIGNATURE_HEADER))
    log.info("%s stream signals call=%s connection=%s sequence=%s", outcome, call_id, connection, sequence)
    return answer(200, {"outcome": outcome})
