"""The operations of media streaming and transcription."""

from __future__ import annotations

from typing import Any

from acs_emulator.api.calls_api import check_uri
from acs_emulator.api.media_api import connected_leg, reply_to
from acs_emulator.api.operations import Request, Response
from acs_emulator.api.stream_options import check_locale
from acs_emulator.core.errors import ConfigurationMissing, Conflict, NotSupported
from acs_emulator.service.connection import Connection
from acs_emulator.streaming.audio import AudioStreaming
from acs_emulator.streaming.transcription import Transcription


def start_media_streaming(request: Request) -> Response:
    leg, body = connected_leg(request), request.body
    reply = reply_to(leg, body)
    if leg.streaming is None:
        AudioStreaming.url_is_missing(reply)
    else:
        leg.streaming.start(reply.context, reply.url)
    return Response(202, chain_id=leg.call.correlation_id)


def stop_media_streaming(request: Request) -> Response:
    leg, body = connected_leg(request), request.body
    if leg.streaming is None:
        raise ConfigurationMissing("Media Streaming Configuration")
    leg.streaming.stop(body.get("operationContext"), _url(body))
    return Response(202, chain_id=leg.call.correlation_id)


def start_transcription(request: Request) -> Response:
    leg, body = connected_leg(request), request.body
    _check_speech(leg)
    reply, transcription = reply_to(leg, body), leg.transcription
    if body.get("locale"):
        check_locale(body["locale"], "locale")
    if transcription is None:
        Transcription.url_is_missing(reply)
        return Response(202, chain_id=leg.call.correlation_id)
    if transcription.running:
        raise Conflict("Transcription is already started.")
    transcription.locale = body.get("locale") or transcription.locale
    transcription.start(reply.context, reply.url)
    return Response(202, chain_id=leg.call.correlation_id)


def stop_transcription(request: Request) -> Response:
    leg, body = connected_leg(request), request.body
    _transcription(leg).stop(body.get("operationContext"), _url(body))
    return Response(202, chain_id=leg.call.correlation_id)


def update_transcription(request: Request) -> Response:
    leg, body = connected_leg(request), request.body
    if leg.by_connect:
        raise NotSupported("Updating transcription is not supported on a call that was connected to.")
    transcription = _transcription(leg)
    url = _url(body)
    if body.get("locale"):
        check_locale(body["locale"], "locale")
    transcription.change_locale(body.get("locale"), body.get("operationContext"), url)
    return Response(202, chain_id=leg.call.correlation_id)


def summarize_call(request: Request) -> Response:
    leg, body = connected_leg(request), request.body
    _transcription(leg).refuse_summary(body.get("operationContext"), _url(body))
    return Response(202, chain_id=leg.call.correlation_id)


def _transcription(leg: Connection) -> Transcription:
    if leg.transcription is None:
        raise ConfigurationMissing("Transcription Configuration")
    _check_speech(leg)
    return leg.transcription


def _check_speech(leg: Connection) -> None:
    if leg.cognitive_services is None and not leg.service.config.loose:
        raise ConfigurationMissing


def _url(body: dict[str, Any]) -> str | None:
    return check_uri(body.get("operationCallbackUri"), "operationCallbackUri")
