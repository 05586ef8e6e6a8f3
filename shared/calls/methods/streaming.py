"""Media streaming and transcription."""

from __future__ import annotations

from shared.calls import actions
from shared.calls.actions.validate import build
from shared.calls.methods.base import Methods
from shared.calls.operation import Operation
from shared.events import CallEvent


class StreamingMethods(Methods):
    """Start and stop what was set up when the call was answered, placed or connected."""

    def start_media_streaming(self) -> Operation[CallEvent]:
        """Begin to stream the audio of the call."""
        return self._host.issue(actions.StartMediaStreaming())

    def stop_media_streaming(self) -> Operation[CallEvent]:
        """Stop streaming it."""
        return self._host.issue(actions.StopMediaStreaming())

    def start_transcription(
        self, *, locale: str | None = None, speech_model_endpoint_id: str | None = None
    ) -> Operation[CallEvent]:
        """Begin to transcribe the call."""
        return self._host.issue(
            build(actions.StartTranscription, locale=locale, speech_model_endpoint_id=speech_model_endpoint_id)
        )

    def update_transcription(
        self, *, locale: str | None = None, speech_model_endpoint_id: str | None = None
    ) -> Operation[CallEvent]:
        """Change the language of the transcription."""
        return self._host.issue(
            build(actions.UpdateTranscription, locale=locale, speech_model_endpoint_id=speech_model_endpoint_id)
        )

    def stop_transcription(self) -> Operation[CallEvent]:
        """Stop transcribing."""
        return self._host.issue(actions.StopTranscription())
