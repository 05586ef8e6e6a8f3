"""How live audio and live words are set up, started and stopped."""

from __future__ import annotations

from typing import Any

from azure.communication.callautomation import MediaStreamingOptions, TranscriptionOptions

from shared.azure.call_automation.sending import Sender, reported, send
from shared.calls import actions
from shared.calls.actions import MediaStreaming, Transcription
from shared.calls.gateway.base import Request
from shared.errors import InvalidInput

AUDIO_FORMATS = {16000: "pcm16KMono", 24000: "pcm24KMono"}


@send.register
def start_media_streaming(action: actions.StartMediaStreaming, request: Request, sender: Sender) -> None:
    sender.connection(request).start_media_streaming(**reported(request))


@send.register
def stop_media_streaming(action: actions.StopMediaStreaming, request: Request, sender: Sender) -> None:
    sender.connection(request).stop_media_streaming(**reported(request))


@send.register
def start_transcription(action: actions.StartTranscription, request: Request, sender: Sender) -> None:
    sender.connection(request).start_transcription(
        locale=action.locale, **_model(action.speech_model_endpoint_id), **reported(request)
    )


@send.register
def update_transcription(action: actions.UpdateTranscription, request: Request, sender: Sender) -> None:
    sender.connection(request).update_transcription(
        locale=action.locale or sender.language, **_model(action.speech_model_endpoint_id), **reported(request)
    )


@send.register
def stop_transcription(action: actions.StopTranscription, request: Request, sender: Sender) -> None:
    sender.connection(request).stop_transcription(**reported(request))


def _model(endpoint_id: str | None) -> dict[str, Any]:
    """A custom speech model, under the wire's name: the SDK (1.6.0) drops what comes by its own parameter."""
    return {"speech_model_endpoint_id": endpoint_id} if endpoint_id else {}


def live(action: actions.Answer | actions.CreateCall | actions.Connect, request: Request) -> dict[str, Any]:
    """The options for live audio and words of an action that opens a call."""
    return {
        "media_streaming": _audio(action.media_streaming, request) if action.media_streaming else None,
        "transcription": _words(action.transcription, request) if action.transcription else None,
    }


def _audio(options: MediaStreaming, request: Request) -> MediaStreamingOptions:
    return MediaStreamingOptions(
        transport_url=options.transport_url or _own("media_streaming", request.audio_url),
        transport_type="websocket",
        content_type="audio",
        audio_channel_type=options.channel,
        start_media_streaming=options.start,
        enable_bidirectional=options.bidirectional,
        audio_format=AUDIO_FORMATS[options.sample_rate],
        enable_dtmf_tones=options.dtmf_tones,
    )


def _words(options: Transcription, request: Request) -> TranscriptionOptions:
    return TranscriptionOptions(
        transport_url=options.transport_url or _own("transcription", request.transcript_url),
        transport_type="websocket",
        locale=options.locale,
        start_transcription=options.start,
        speech_recognition_model_endpoint_id=options.speech_model_endpoint_id,
        enable_intermediate_results=options.intermediate_results,
    )


def _own(what: str, url: str) -> str:
    if not url:
        raise InvalidInput(f"{what}.transport_url", "is missing.", "Give it, or set STREAMS_URL.")
    return url
