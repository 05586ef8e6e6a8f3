"""Sensitive moments: nothing is recorded, transcribed or streamed until they are over."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from shared.calls import actions
from shared.calls.actions import Action
from shared.calls.capture import Stream, language_of, to_be_on
from shared.calls.flow_host import FlowHost
from shared.calls.methods.base import Block, Methods
from shared.calls.operation import FirstOf, Operation, Pending, Task
from shared.errors import ActionCanceled, ActionFailed, ActionRefused, NotOffRecord, TimedOut

CONFIRM_SECONDS = 10.0
"""How long the service may take to say that a stream is off (our choice)."""
LOOKS = 5
"""How often a recording is looked at again, a second apart, until it is as it should be (our choice)."""
GONE = 404
"""The status of a recording that has ended."""

FAILURES = (ActionRefused, ActionFailed, ActionCanceled, TimedOut)


class OffRecordMethods(Methods):
    """Off the record."""

    def __init__(self, host: FlowHost) -> None:
        super().__init__(host)
        self._off = _Record(host)

    def off_record(self) -> OffRecord:
        """`async with call.off_record():` pauses recording, transcription and media streaming while the block runs.

        The block begins when the service has confirmed that all of them are off, and whatever way it ends, those that
        were on are put back. Blocks may overlap: the last one that ends puts back.

        Raises (at the `async with`): NotOffRecord if one of them may still be on; all is as it was then.
        """
        return OffRecord(self._host, self._off)


class OffRecord(Block):
    """A block of a flow that is off the record."""

    def __init__(self, host: FlowHost, record: _Record) -> None:
        super().__init__(host, "off_record")
        self._record = record

    async def __aenter__(self) -> None:
        self._entered = True
        await self._record.enter()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._record.leave()


class _Record:
    """What of a call is paused, for how many blocks."""

    def __init__(self, host: FlowHost) -> None:
        self._host = host
        self._blocks = 0
        self._pausing: Task[None] | None = None
        self._paused: list[Action] = []
        """What puts back each thing that is paused."""
        self._putting_back: list[Operation[Any]] = []

    async def enter(self) -> None:
        """Once everything is off. NotOffRecord if it may not be."""
        self._blocks += 1
        try:
            for operation in self._putting_back:  # or it would seem to be off while it is about to be on
                await _end_of(operation)
            if self._pausing is None:
                self._pausing = self._host.spawn("off_record", self._pause())
            await self._pausing
        except BaseException:
            await self.leave()
            raise

    async def leave(self) -> None:
        """A block is over; after the last one everything is put back.

        One that cannot be put back does not fail the flow, for the call goes on unrecorded, as at its start; the
        journal and the log have the refusal. All of them are issued before the first wait: there may be no other.
        """
        self._blocks -= 1
        if self._blocks:
            return
        if self._pausing is not None:
            self._pausing.abandon()
        back, self._paused, self._pausing = self._paused, [], None
        self._putting_back = [self._host.issue(action) for action in reversed(back)]
        for operation in self._putting_back:
            await _end_of(operation)

    async def _pause(self) -> None:
        host = self._host
        for operation in host.operations:
            if operation.action.kind == "start_recording":
                await _end_of(operation)
        stopping: list[tuple[Stream, Pending[None], Operation[Any]]] = []
        if host.capture.on("transcription", host.operations):
            back = actions.StartTranscription.model_validate(language_of(host.operations))
            stopping.append(("transcription", *self._stop("transcription", actions.StopTranscription(), back)))
        if host.capture.on("media streaming", host.operations):
            stop, back_again = actions.StopMediaStreaming(), actions.StartMediaStreaming()
            stopping.append(("media streaming", *self._stop("media streaming", stop, back_again)))
        try:
            for recording_id in host.record.recording_ids:
                await self._pause_recording(recording_id)
        except FAILURES as error:
            raise NotOffRecord("recording", str(error)) from error
        if stopping:
            await self._confirm(stopping)

    def _stop(self, stream: Stream, stop: Action, back: Action) -> tuple[Pending[None], Operation[Any]]:
        self._paused.append(back)
        off = self._host.capture.off(stream)
        return off, self._host.issue(stop)

    async def _confirm(self, stopping: list[tuple[Stream, Pending[None], Operation[Any]]]) -> None:
        limit: Operation[None] = self._host.issue(actions.Sleep(seconds=CONFIRM_SECONDS))
        try:
            for stream, off, stop in stopping:
                try:
                    # The event that says so may name another operation than the one that stopped it.
                    if await FirstOf((off, stop, limit)) is limit:
                        raise TimedOut(stop.label)
                    (off if off.done else stop).result()
                except FAILURES as error:
                    raise NotOffRecord(stream, str(error)) from error
        finally:
            self._host.drop(limit)

    async def _pause_recording(self, recording_id: str) -> None:
        """Pause it if it is on: the service is asked, for events tell how it was a moment ago."""
        try:
            state = await self._state(recording_id)
            if state == "inactive" and not to_be_on(recording_id, self._host.operations):
                return
            if state == "inactive":  # it is about to be on: so it was seen for seconds after a start
                await self._until("active", recording_id)
        except ActionRefused as refusal:
            if refusal.status == GONE:
                return
            raise
        self._paused.append(actions.ResumeRecording(recording_id=recording_id))
        await self._host.issue(actions.PauseRecording(recording_id=recording_id))
        if await self._state(recording_id) != "inactive":
            await self._until("inactive", recording_id)

    async def _until(self, state: str, recording_id: str) -> None:
        """Look again, a second apart, until it is so. TimedOut if it does not become so."""
        for _ in range(LOOKS):
            await self._host.issue(actions.Sleep(seconds=1))
            if await self._state(recording_id) == state:
                return
        raise TimedOut(f"recording {state}")

    async def _state(self, recording_id: str) -> str:
        """How the service says that it is: `active`, or `inactive`, which a paused one is."""
        told: Any = await self._host.issue(actions.GetRecordingState(recording_id=recording_id))
        return str((told or {}).get("recordingState"))


async def _end_of(operation: Operation[Any]) -> None:
    """Wait for its end, whichever it is; what is over, as all is once the call has ended, needs no look."""
    if operation.done:
        return
    try:
        await operation
    except FAILURES:
        return
