"""Actions on media streaming and transcription, which go to a web socket."""

from __future__ import annotations

from typing import Literal

from shared.calls.actions.base import Action, Spec, Value
from shared.calls.free_text import Name


class MediaStreaming(Value):
    """Media streaming: the audio of a call, set up when it is answered, placed or connected.

    Attributes:
        start: begin with the call; otherwise start_media_streaming begins it.
        bidirectional: the socket may send audio back.
        dtmf_tones: keys come over the socket as well.
        transport_url: another server than the app's own streams service.
    """

    channel: Literal["mixed", "unmixed"] = "mixed"
    start: bool = False
    bidirectional: bool = False
    dtmf_tones: bool = False
    sample_rate: Literal[16000, 24000] = 16000
    transport_url: str | None = None


class Transcription(Value):
    """Transcription of a call, set up when it is answered, placed or connected."""

    locale: Name
    start: bool = False
    intermediate_results: bool = False
    speech_model_endpoint_id: Name | None = None
    transport_url: str | None = None


class StartMediaStreaming(Action):
    """Begin to stream the audio of the call."""

    kind: Literal["start_media_streaming"] = "start_media_streaming"
    spec = Spec(
        events={"MediaStreamingStarted": "succeeded", "MediaStreamingFailed": "failed"},
        families=("start-media-streaming",),
    )


class StopMediaStreaming(Action):
    """Stop streaming it."""

    kind: Literal["stop_media_streaming"] = "stop_media_streaming"
    spec = Spec(
        events={"MediaStreamingStopped": "succeeded", "MediaStreamingFailed": "failed"},
        families=("stop-media-streaming",),
    )


class StartTranscription(Action):
    """Begin to transcribe the call."""

    kind: Literal["start_transcription"] = "start_transcription"
    spec = Spec(
        events={"TranscriptionStarted": "succeeded", "TranscriptionFailed": "failed"},
        families=("start-transcription",),
    )
    locale: Name | None = None
    speech_model_endpoint_id: Name | None = None


class UpdateTranscription(Action):
    """Change the language of the transcription."""

    kind: Literal["update_transcription"] = "update_transcription"
    spec = Spec(
        events={"TranscriptionUpdated": "succeeded", "TranscriptionFailed": "failed"},
        families=("update-transcription",),
    )
    locale: Name | None = None
    speech_model_endpoint_id: Name | None = None


class StopTranscription(Action):
    """Stop transcribing."""

    kind: Literal["stop_transcription"] = "stop_transcription"
    spec = Spec(
        events={"TranscriptionStopped": "succeeded", "TranscriptionFailed": "failed"},
        families=("stop-transcription",),
    )
