"""Whether transcription and media streaming are on, as far as events tell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from shared.calls import actions
from shared.calls.operation import Operation, Pending, Scheduler
from shared.errors import CallEnded
from shared.events import CallEvent

Stream = Literal["transcription", "media streaming"]

_SAYS: dict[str, tuple[Stream, Literal["on", "off", "failed"]]] = {
    "TranscriptionStarted": ("transcription", "on"),
    "TranscriptionUpdated": ("transcription", "on"),
    "TranscriptionStopped": ("transcription", "off"),
    "TranscriptionFailed": ("transcription", "failed"),
    "MediaStreamingStarted": ("media streaming", "on"),
    "MediaStreamingStopped": ("media streaming", "off"),
    "MediaStreamingFailed": ("media streaming", "failed"),
}
_STARTS: dict[Stream, type[actions.Action]] = {
    "transcription": actions.StartTranscription,
    "media streaming": actions.StartMediaStreaming,
}
_CHANGES: dict[Stream, tuple[type[actions.Action], ...]] = {
    "transcription": (actions.StopTranscription, actions.UpdateTranscription),
    "media streaming": (actions.StopMediaStreaming,),
}


class Capture:
    """What is on, and who waits for it to be off."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._on: dict[Stream, bool] = {}
        self._expected: list[tuple[Stream, Pending[None]]] = []

    def hear(self, event: CallEvent, operations: Iterable[Operation[Any]]) -> None:
        """An event came in, before its operation learns of it.

        Args:
            operations: all of the call.
        """
        if event.name not in _SAYS:
            return
        stream, says = _SAYS[event.name]
        if says == "failed" and any(isinstance(o.action, _CHANGES[stream]) and not o.done for o in operations):
            return  # what failed may be the attempt to stop it, under whichever context: it is as it was
        self._on[stream] = says == "on"
        if says == "off":
            self._settle([pending for expected, pending in self._expected if expected == stream], None)

    def on(self, stream: Stream, operations: Iterable[Operation[Any]]) -> bool:
        """Whether it is on, or soon may be, which of the two cannot be told.

        Args:
            operations: all of the call.
        """
        known = self._on.get(stream)
        for operation in operations:
            action = operation.action
            if isinstance(action, _STARTS[stream]) and not operation.done:
                return True
            if known is None and isinstance(action, actions.Answer | actions.CreateCall | actions.Connect):
                wanted = action.transcription if stream == "transcription" else action.media_streaming
                known = True if wanted is not None and wanted.start else None
        return bool(known)

    def off(self, stream: Stream) -> Pending[None]:
        """The next time that it is reported to be off."""
        pending: Pending[None] = Pending(f"{stream} off", self._scheduler)
        self._expected.append((stream, pending))
        return pending

    def close(self, end: CallEnded) -> None:
        """The call is over: who waits learns it."""
        self._settle([pending for _, pending in self._expected], end)

    def _settle(self, pendings: list[Pending[None]], error: BaseException | None) -> None:
        self._expected = [expected for expected in self._expected if expected[1] not in pendings]
        for pending in pendings:
            if error is None:
                pending.succeed(None)
            else:
                pending.fail(error)
            self._scheduler.settle(pending)


def language_of(operations: Iterable[Operation[Any]]) -> dict[str, str]:
    """What transcription was set to last: `locale` and `speech_model_endpoint_id`, as far as they were given."""
    told: dict[str, str] = {}
    for operation in sorted(operations, key=lambda one: (one.issued_at, one.seq)):
        action = operation.action
        if isinstance(action, actions.Answer | actions.CreateCall | actions.Connect):
            setting: Any = action.transcription
        else:
            setting = action if isinstance(action, actions.StartTranscription | actions.UpdateTranscription) else None
        for name in ("locale", "speech_model_endpoint_id"):
            if given := getattr(setting, name, None):
                told[name] = given
    return told


def to_be_on(recording_id: str, operations: Iterable[Operation[Any]]) -> bool:
    """Whether the last that was asked of a recording is to record; False if nothing was asked of it."""
    wanted, last = False, None
    for operation in sorted(operations, key=lambda one: (one.issued_at, one.seq)):
        action = operation.action
        if isinstance(action, actions.StartRecording):
            last = (operation.response or {}).get("recordingId")
            wanted = not action.pause_on_start if last == recording_id else wanted
        elif isinstance(action, actions.OnRecording) and recording_id == (action.recording_id or last):
            if isinstance(action, actions.ResumeRecording) and operation.error is None:
                wanted = True
            elif isinstance(action, actions.PauseRecording) and operation.done and operation.error is None:
                wanted = False
    return wanted
