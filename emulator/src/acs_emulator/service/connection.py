"""A call connection with everything that runs on it: media operations, tones, hold, audio streaming, transcription."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from acs_emulator.calls.call import Leg
from acs_emulator.media.engine import MediaEngine
from acs_emulator.media.hold import Holds
from acs_emulator.media.tones import ToneReports
from acs_emulator.streaming.audio import AudioStreaming
from acs_emulator.streaming.ticker import Ticker
from acs_emulator.streaming.transcription import Transcription


@dataclass(eq=False)
class Connection(Leg):
    """An app leg as the API makes it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._streaming_id = self.service.ids.guid()
        #: Set when the options were given at set-up.
        self.streaming: AudioStreaming | None = None
        self.transcription: Transcription | None = None
        self.media = MediaEngine(self.service.tasks)
        self.tones = ToneReports()
        self.holds = Holds()
        self.observers += [self.media, self.tones, self.holds]

    def stream_audio(self, options: dict[str, Any], ticker: Ticker) -> None:
        """Take mediaStreamingOptions over, already checked."""
        self.streaming = AudioStreaming(self, options, self._streaming_id, ticker)
        self.observers.append(self.streaming)

    def transcribe(self, options: dict[str, Any]) -> None:
        """Take transcriptionOptions over, already checked."""
        self.transcription = Transcription(self, options)
        self.observers.append(self.transcription)

    def properties(self, *, with_server_call_id: bool, fresh: bool) -> dict[str, Any]:
        """CallConnectionProperties in the recorded order; ``fresh`` is for the responses of create and answer."""
        streaming: dict[str, Any] = {"state": self.streaming.state if self.streaming else "disabled"}
        if fresh or self.streaming:
            streaming = {"id": self._streaming_id, **streaming, "subscribedContentTypes": ["audio"]}
        transcription: dict[str, Any] = {"state": "disabled", "subscribedResultTypes": []}
        if self.transcription:
            transcription = self.transcription.wire()
        fields: dict[str, Any] = {
            "callConnectionId": self.id,
            "serverCallId": self.call.server_call_id if with_server_call_id else None,
            "targets": [target.wire() for target in self.targets],
            "callConnectionState": self.state,
            "callbackUri": self.callback_uri,
            "sourceCallerIdNumber": {"value": self.caller_id.value} if self.caller_id else None,
            "sourceDisplayName": self.display_name,
            "source": self.source.wire() if self.source else None,
            "correlationId": self.call.correlation_id,
            "answeredBy": {"id": self.answered_by.value} if self.answered_by else None,
            "mediaStreamingSubscription": streaming,
            "transcriptionSubscription": None if fresh else transcription,
            "answeredFor": {"value": self.answered_for.value} if self.answered_for else None,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def describe(self) -> dict[str, Any]:
        """What GET /emulator/state shows."""
        return {
            "callConnectionId": self.id,
            "callConnectionState": self.state,
            "callbackUri": self.callback_uri,
            "media": self.media.state(),
            "mediaStreaming": self.streaming.state_wire() if self.streaming else {"state": "disabled"},
            "transcription": self.transcription.state if self.transcription else "disabled",
        }
