"""What stands around every flow: opening before it, an end after it, help if it fails."""

from __future__ import annotations

from typing import Any, Protocol

from shared.calls.actions import Action
from shared.calls.call import Call
from shared.calls.flow import Flow
from shared.calls.methods.base import Host
from shared.calls.operation import Operation
from shared.calls.prompts import Prompt
from shared.errors import ActionRefused, CallEnded, CallError

OPENING = ("answer", "create_call", "connect")
"""Actions after which the call is up."""


HANG_UPS = 10
"""How often a hang-up that the service does not take is asked for: once more at once, then over some four minutes
(our choice)."""


class Stage(Host, Protocol):
    """What driving a flow needs of its session."""

    transferred: bool

    def outcome(self, word: str) -> None:
        """How the call ended, in one word; the first one counts."""

    def report(self, error: Exception) -> None:
        """Journal that the flow failed, and let the fallback take over."""

    def end(self, end: CallEnded, outcome: str = "") -> None:
        """Consider the call over."""

    def end_unplaced(self, error: Exception | None = None) -> bool:
        """End a call that waits to be placed, with what came of its last attempt; False if it does not wait."""


async def drive(stage: Stage, flow: Flow, opening: Action | None) -> None:
    """Open the call, run its flow, and see to it that the call ends."""
    call = Call(stage)
    try:
        if opening is not None and not await _open(stage, opening):
            return
        await flow(call)
        if stage.end_unplaced():
            return
        stage.outcome("transferred" if stage.transferred else "completed")
        if stage.transferred:
            await call.ended()  # the service takes the app out of a call that it transferred
        elif call.status == "ringing":
            await call.reject()
        elif call.status != "ended":
            await _leave(call)
    except CallEnded:
        stage.outcome("caller_left")
    except Exception as error:
        if not stage.end_unplaced(error):
            stage.report(error)


async def apologise(stage: Stage, apology: tuple[Prompt, ...]) -> None:
    """The fallback: never leave a caller in silence."""
    call = Call(stage)
    try:
        if stage.end_unplaced():
            return
        if call.status == "ringing":
            await call.reject("busy")
            return
        if call.status == "connected" and apology:
            await _try(call.play(*apology, interrupt=True))
        await _leave(call)
    except CallEnded:
        return
    except CallError as error:
        # Not even the hang-up was taken: what is left is to consider the call over.
        stage.end(CallEnded(500, 0, f"the fallback failed: {error}"))


async def _leave(call: Call) -> None:
    """Hang up, again and again if the service does not take it: nobody is left on a line that nothing will end."""
    for attempt in range(1, HANG_UPS + 1):
        try:
            await call.hang_up()
            return
        except CallEnded:
            raise
        except CallError as error:
            if attempt == HANG_UPS or (isinstance(error, ActionRefused) and not error.transient):
                raise
        if attempt > 1:
            await call.sleep(min(2.0 ** (attempt - 1), 60.0))


async def _open(stage: Stage, opening: Action) -> bool:
    """True once the call stands and the flow can have it."""
    try:
        await stage.issue(opening)
    except CallEnded:
        raise
    except CallError:
        return False  # what it ended with stands in the record
    return opening.kind in OPENING


async def _try(operation: Operation[Any]) -> None:
    """Wait for an operation whose failure must not stop what follows; the journal has it."""
    try:
        await operation
    except CallEnded:
        raise
    except CallError:
        return
