"""Signals from the streams service: tones and phrases of live calls. It signs them; function keys do not count."""

from __future__ import annotations

import azure.functions as func

from handlers.responses import endpoint, json_response
from shared.composition import switchboard
from shared.logs import logger
from shared.stream_signals import SIGNATURE_HEADER

log = logger("switchboard.handlers")

blueprint = func.Blueprint()


@blueprint.function_name("stream_signals")
@blueprint.route(
    "streams/{call_id}/signals/{connection}/{sequence}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS
)
@endpoint
def stream_signals(req: func.HttpRequest) -> func.HttpResponse:
    """Tones and phrases in order; a signal that comes twice counts once."""
    service = switchboard().stream_signal_service
    call_id, connection, sequence = (req.route_params[name] for name in ("call_id", "connection", "sequence"))
    outcome = service.take(call_id, connection, sequence, req.get_body(), req.headers.get(SIGNATURE_HEADER))
    log.info("%s stream signals call=%s connection=%s sequence=%s", outcome, call_id, connection, sequence)
    return json_response(200, {"outcome": outcome})
