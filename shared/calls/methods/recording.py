"""Recording the call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from shared.calls import actions
from shared.calls.actions.validate import build
from shared.calls.methods.base import AnyIdentifier, Methods
from shared.calls.operation import Operation, Task
from shared.errors import ActionRefused
from shared.identifiers import Identifier


class RecordingOptions(TypedDict, total=False):
    """How a call is recorded; see `RecordingMethods.start_recording`."""

    content: Literal["audio", "audioVideo"]
    channel: Literal["mixed", "unmixed"]
    format: Literal["wav", "mp3", "mp4"]
    affinity: Mapping[AnyIdentifier, int] | None
    ordering: Sequence[AnyIdentifier]
    pause_on_start: bool
    storage: str | None


def fields_of(
    *, affinity: Mapping[AnyIdentifier, int] | None = None, ordering: Sequence[AnyIdentifier] = (), **options: Any
) -> dict[str, Any]:
    """The fields of the action that records so. InvalidInput for somebody who is nobody."""
    channels = [{"participant": Identifier.parse(who), "channel": number} for who, number in (affinity or {}).items()]
    return {"affinity": tuple(channels), "ordering": tuple(map(Identifier.parse, ordering)), **options}


class RecordingMethods(Methods):
    """Start, pause, resume, stop."""

    def start_recording(
        self,
        *,
        content: Literal["audio", "audioVideo"] = "audio",
        channel: Literal["mixed", "unmixed"] = "mixed",
        format: Literal["wav", "mp3", "mp4"] = "wav",
        affinity: Mapping[AnyIdentifier, int] | None = None,
        ordering: Sequence[AnyIdentifier] = (),
        pause_on_start: bool = False,
        storage: str | None = None,
        required: bool = False,
    ) -> Task[Mapping[str, Any] | None]:
        """Record the call; gives `recordingId` and state. `record` announces it, or asks, first.

        Args:
            channel: `unmixed` gives each participant a channel, up to five.
            affinity: which participant gets which channel, 0 to 4.
            ordering: participants in the order of their channels, from 0.
            storage: URL of a Blob container of your own.
            required: raise if it cannot be recorded. Otherwise the call goes on unrecorded: the journal has the
                refusal, and the result is None. So it is if somebody on the call is on the do-not-record list, or if
                that cannot be read (`code`: do_not_record, do_not_record_unreadable).
        """
        fields = fields_of(
            content=content,
            channel=channel,
            format=format,
            affinity=affinity,
            ordering=ordering,
            pause_on_start=pause_on_start,
            storage=storage,
        )
        action = build(actions.StartRecording, **fields)
        return self._host.spawn("start_recording", self._record(self._checked(action), required))

    async def _record(self, action: actions.StartRecording, required: bool) -> Mapping[str, Any] | None:
        try:
            response: Mapping[str, Any] = await self._host.issue(action)
        except ActionRefused:
            if required:
                raise
            return None
        return response

    def pause_recording(self) -> Operation[None]:
        """Leave out what is said from here on."""
        return self._host.issue(actions.PauseRecording())

    def resume_recording(self) -> Operation[None]:
        """Record again."""
        return self._host.issue(actions.ResumeRecording())

    def stop_recording(self) -> Operation[None]:
        """End the recording; its files follow some minutes later."""
        return self._host.issue(actions.StopRecording())

    def get_recording_state(self) -> Operation[Mapping[str, Any]]:
        """Ask whether it records: `active`, or `inactive`, which is what a paused one is called."""
        return self._host.issue(actions.GetRecordingState())
