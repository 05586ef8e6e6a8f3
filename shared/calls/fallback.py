"""What a caller gets when a flow fails: an apology, somebody who takes the call, or its end."""

from __future__ import annotations

from typing import Any

from shared.calls.call import Call
from shared.calls.flow import Fallback
from shared.calls.flow_host import FlowHost
from shared.calls.operation import Operation
from shared.errors import ActionRefused, CallEnded, CallError

HANG_UPS = 10
"""How often a hang-up that the service does not take is asked for: once more at once, then over some four minutes
(our choice)."""


async def apologise(host: FlowHost, fallback: Fallback) -> None:
    """The fallback: never leave a caller in silence. What fails of it is left out, and the call ends all the same."""
    call = Call(host)
    try:
        if host.end_unplaced():
            return
        if call.status == "ringing":
            await call.reject("busy")
            return
        if call.status == "connected":
            await _help(host, call, fallback)
        await leave(call)
    except CallEnded:
        return
    except CallError as error:
        # Not even the hang-up was taken: what is left is to consider the call over.
        host.end(CallEnded(500, 0, f"the fallback failed: {error}"))


async def _help(host: FlowHost, call: Call, fallback: Fallback) -> None:
    """Apologise, and give the caller to whoever takes those; returns where the app is to hang up."""
    if prompts := fallback.prompts:
        await _try(call.play(*prompts, interrupt=True))
    if (target := fallback.target) and not host.transferred and await _try(call.transfer(target)):
        await call.ended()  # the service takes the app out of a call that it transferred


async def leave(call: Call) -> None:
    """Hang up, again and again if the service does not take it: nobody is left on a line that nothing will end."""
    for attempt in range(1, HANG_UPS + 1):
        try:
            await call.hang_up()
            return
        except CallError as error:
            if attempt == HANG_UPS or (isinstance(error, ActionRefused) and not error.transient):
                raise
        if attempt > 1:
            await call.sleep(min(2.0 ** (attempt - 1), 60.0))


async def _try(operation: Operation[Any]) -> bool:
    """Whether an operation succeeded; its failure, which the journal has, must not stop what follows."""
    try:
        await operation
    except CallError:
        return False
    return True
