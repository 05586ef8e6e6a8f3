"""What stands around every flow: opening before it, an end after it, the fallback if it fails."""

from __future__ import annotations

from shared.calls.actions import Action, Opening
from shared.calls.call import Call
from shared.calls.fallback import Stage, leave
from shared.calls.flow import Flow
from shared.errors import CallEnded, CallError


async def drive(stage: Stage, flow: Flow, opening: Action | None) -> None:
    """Open the call, run its flow, and see to it that the call ends."""
    call = Call(stage)
    try:
        if opening is not None and not await _open(stage, opening):
            return
        await flow(call)
        stage.check_end()
        if stage.end_unplaced():
            return
        stage.outcome("transferred" if stage.transferred else "completed")
        if stage.transferred:
            await call.ended()  # the service takes the app out of a call that it transferred
        elif call.status == "ringing":
            await call.reject()
        elif call.status != "ended":
            await leave(call)
    except CallEnded as end:
        if call.status != "ended":
            stage.report(end)  # the flow's own: nobody would end the call
            return
        stage.outcome("caller_left")
    except (Exception, SystemExit) as error:
        if not stage.end_unplaced(error):
            stage.report(error)


async def _open(stage: Stage, opening: Action) -> bool:
    """True once the call stands and the flow can have it."""
    try:
        await stage.issue(opening)
    except CallError:
        return False  # what it ended with stands in the record
    return isinstance(opening, Opening)
