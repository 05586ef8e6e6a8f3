"""Signals from the streams service: tones and phrases of live calls. It signs them; function keys do not count."""

from __future__ import annotations

import azure.functions as func

from handlers.deliveries import delivery
from handlers.responses import endpoint, json_response
from shared.composition import switchboard
from shared.stream_signals import SIGNATURE_HEADER

blueprint = func.Blueprint()


@blueprint.function_name("stream_signals")
@blueprint.route(
    "streams/{call_id}/signals/{connection}/{sequence}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS
)
@endpoint
def stream_signals(req: func.HttpRequest) -> func.HttpResponse:
    """Tones and phrases in order; a signal that comes twice counts once."""
    with delivery("stream_signals") as told:
        service = switchboard().stream_signal_service
        call_id, connection, sequence = (req.route_params[name] for name in ("call_id", "connection", "sequence"))
        told.outcome = service.take(call_id, connection, sequence, req.get_body(), req.headers.get(SIGNATURE_HEADER))
        told.call = call_id
    return json_response(200, {"outcome": told.outcome})
