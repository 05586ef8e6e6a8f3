"""Actions on recordings."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from shared.calls.actions.base import Action, Spec, Value
from shared.calls.free_text import Name
from shared.errors import InvalidInput
from shared.identifiers import Identifier

RECORDINGS = frozenset(
    {
        ("audio", "mixed", "mp3"),
        ("audio", "mixed", "wav"),
        ("audio", "unmixed", "wav"),
        ("audioVideo", "mixed", "mp4"),
    }
)
"""What the service records (docs: concepts/voice-video-calling/call-recording)."""


class ChannelAffinity(Value):
    """Which channel of an unmixed recording a participant gets."""

    participant: Identifier
    channel: int = Field(ge=0, le=4, description="five channels (spec: ChannelAffinity)")


class StartRecording(Action):
    """Record the call. What content, channels and format may be combined: facts of the service."""

    kind: Literal["start_recording"] = "start_recording"
    spec = Spec(
        events={"RecordingStateChanged": "state", "StartRecordingFailed": "failed"},
        families=("recording",),
        repeatable=True,
        example={"channel": "unmixed", "format": "wav"},
    )
    content: Literal["audio", "audioVideo"] = "audio"
    channel: Literal["mixed", "unmixed"] = "mixed"
    format: Literal["wav", "mp3", "mp4"] = "wav"
    affinity: tuple[ChannelAffinity, ...] = ()
    ordering: tuple[Identifier, ...] = ()
    pause_on_start: bool = False
    storage: Name | None = Field(None, description="URL of a Blob container of your own")
    locate_by: Literal["call_connection", "server_call"] = "call_connection"

    def check(self, caller: Identifier | None) -> None:
        if (self.content, self.channel, self.format) not in RECORDINGS:
            raise InvalidInput(
                "start_recording.format",
                f"{self.format} does not go with {self.content}, {self.channel}.",
                "Audio: mixed as wav or mp3, unmixed as wav; audioVideo: mixed as mp4.",
            )
        if (self.affinity or self.ordering) and self.channel != "unmixed":
            raise InvalidInput("start_recording.affinity", "is for unmixed recordings.", "Give channel unmixed.")

    def response_data(self, number: str) -> dict[str, Any]:
        return _recording(f"recording-{number}", "inactive")


LISTED, UNREADABLE = "do_not_record", "do_not_record_unreadable"
"""Codes of recordings that the app itself refuses: somebody is on the do-not-record list; it could not be read."""


class MayRecord(Action):
    """Look up whether the call may be recorded: nobody on it, and nobody of these, is on the do-not-record list.

    The outcome is a bool. A list that cannot be read refuses the action.
    """

    kind: Literal["may_record"] = "may_record"
    spec = Spec(in_service=False, reads=True)
    who: tuple[Identifier, ...] = ()


class OnRecording(Action):
    """An action on a recording: the one started last, unless its id is given."""

    recording_id: Name | None = None


class PauseRecording(OnRecording):
    """Leave out what is said from here on."""

    kind: Literal["pause_recording"] = "pause_recording"
    spec = Spec(events={"RecordingStateChanged": "state"}, idempotent=True)


class ResumeRecording(OnRecording):
    """Record again."""

    kind: Literal["resume_recording"] = "resume_recording"
    spec = Spec(events={"RecordingStateChanged": "state"}, idempotent=True)


class StopRecording(OnRecording):
    """End the recording; its files follow some minutes later."""

    kind: Literal["stop_recording"] = "stop_recording"
    spec = Spec(events={"RecordingStateChanged": "state"})


class GetRecordingState(OnRecording):
    """Ask whether it records: `active`, or `inactive`, which is what a paused one is called."""

    kind: Literal["get_recording_state"] = "get_recording_state"
    spec = Spec(reads=True)

    def response_data(self, number: str) -> dict[str, Any]:
        return _recording(self.recording_id or "", "active")


def _recording(recording_id: str, state: str) -> dict[str, Any]:
    return {"recordingId": recording_id, "recordingState": state, "recordingKind": "azureCommunicationServices"}
