"""Actions on recordings."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from shared.calls.actions.base import Action, EndsWith, Value
from shared.identifiers import Identifier


class ChannelAffinity(Value):
    """Which channel of an unmixed recording a participant gets."""

    participant: Identifier
    channel: int = Field(ge=0, le=4, description="five channels (spec: ChannelAffinity)")


class StartRecording(Action):
    """Record the call. What content, channels and format may be combined: facts of the service."""

    kind: Literal["start_recording"] = "start_recording"
    calls_back: ClassVar[bool] = True
    repeatable: ClassVar[bool] = True
    ends_with: ClassVar[EndsWith] = "answer"
    content: Literal["audio", "audioVideo"] = "audio"
    channel: Literal["mixed", "unmixed"] = "mixed"
    format: Literal["wav", "mp3", "mp4"] = "wav"
    affinity: tuple[ChannelAffinity, ...] = ()
    ordering: tuple[Identifier, ...] = ()
    pause_on_start: bool = False
    storage: str | None = Field(None, description="URL of a Blob container of your own")
    locate_by: Literal["call_connection", "server_call"] = "call_connection"

    @property
    def family(self) -> str | None:
        return "recording"


LISTED, UNREADABLE = "do_not_record", "do_not_record_unreadable"
"""Codes of recordings that the app itself refuses: somebody is on the do-not-record list; it could not be read."""


class MayRecord(Action):
    """Look up whether the call may be recorded: nobody on it, and nobody of these, is on the do-not-record list.

    The outcome is a bool. A list that cannot be read refuses the action.
    """

    kind: Literal["may_record"] = "may_record"
    in_service: ClassVar[bool] = False
    reads: ClassVar[bool] = True
    ends_with: ClassVar[EndsWith] = "answer"
    who: tuple[Identifier, ...] = ()


class OnRecording(Action):
    """An action on a recording: the one started last, unless its id is given."""

    ends_with: ClassVar[EndsWith] = "answer"
    recording_id: str | None = None


class PauseRecording(OnRecording):
    """Leave out what is said from here on."""

    kind: Literal["pause_recording"] = "pause_recording"
    idempotent: ClassVar[bool] = True


class ResumeRecording(OnRecording):
    """Record again."""

    kind: Literal["resume_recording"] = "resume_recording"
    idempotent: ClassVar[bool] = True


class StopRecording(OnRecording):
    """End the recording; its files follow some minutes later."""

    kind: Literal["stop_recording"] = "stop_recording"


class GetRecordingState(OnRecording):
    """Ask whether it records: `active`, or `inactive`, which is what a paused one is called."""

    kind: Literal["get_recording_state"] = "get_recording_state"
    reads: ClassVar[bool] = True
