"""Several things at once, waits with a limit, and what is wanted no more."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar, overload

from shared.calls import actions
from shared.calls.actions.validate import build
from shared.calls.methods.media import MediaMethods
from shared.calls.methods.participants import Invitation, ParticipantMethods
from shared.calls.operation import FirstOf, Operation, Pending, Task
from shared.errors import ActionCanceled, InvalidInput, TimedOut
from shared.events import CallEvent

T = TypeVar("T")

Part = Pending[Any] | Invitation | Coroutine[Any, Any, Any]
"""What race, gather and wait take: operations, signals, invitations, coroutines."""

PARTS = "Give operations, signals, invitations or coroutines, one after the other."


class TogetherMethods(MediaMethods, ParticipantMethods):
    """Race, gather, wait, cancel."""

    async def race(self, *contenders: Part) -> Pending[Any] | Invitation:
        """Wait until one is done and give that one back: compare it by `is`, read it by `.result()`.

        A coroutine is given back as the Task that ran it. Operations that did not win go on in the service;
        coroutines that did not win are stopped, and a signal or key that comes later is left to who waits for it then.
        """
        _check("race", contenders)
        runners: list[tuple[Part, Pending[Any]]] = []
        for contender in contenders:
            if isinstance(contender, Coroutine) and any(pending.done for _, pending in runners):
                contender.close()  # it has lost before it began, and must not take what others wait for
            else:
                runners.append((contender, self._started(contender)))
        try:
            winner = await FirstOf(tuple(pending for _, pending in runners))
        finally:
            _stop(runners)
        chosen = next(contender for contender, pending in runners if pending is winner)
        return chosen if isinstance(chosen, Invitation) else winner

    async def gather(self, *parts: Part) -> list[Any]:
        """Wait for all and give their results in order; raises the first error, in order, once all are done."""
        _check("gather", parts)
        running = [(part, self._started(part)) for part in parts]
        try:
            while still := tuple(pending for _, pending in running if not pending.done):
                await FirstOf(still)
        finally:
            _stop(running)
        return [pending.result() for _, pending in running]

    @overload
    async def wait(self, part: Pending[T], *, seconds: float) -> T: ...

    @overload
    async def wait(self, part: Invitation, *, seconds: float) -> CallEvent: ...

    @overload
    async def wait(self, part: Coroutine[Any, Any, T], *, seconds: float) -> T: ...

    async def wait(self, part: Part, *, seconds: float) -> Any:
        """Wait for one thing, so many seconds at most, and give its result.

        Raises: TimedOut after that time. An operation then goes on, `cancel` stops it; a coroutine is stopped; a signal
        or key that comes later is left to who waits for it then. Otherwise what the thing itself raises.
        """
        sleep = build(actions.Sleep, "wait", seconds=seconds)
        _check("wait", (part,))
        pending = self._started(part)
        try:
            if not pending.done:
                limit: Operation[None] = self._host.issue(sleep)
                if limit.done:  # the call is over, where only side effects are waited for, and no timer runs
                    return await pending
                if await FirstOf((pending, limit)) is limit:
                    limit.result()
                    raise TimedOut(pending.label)
                self._drop(limit)
        finally:
            _stop([(part, pending)])
        return pending.result()

    def cancel(self, part: Pending[Any] | Invitation) -> Pending[Any]:
        """Stop one thing; awaiting that raises ActionCanceled from then on. Nothing happens if it is over already.

        A sleep is dropped, an invitation taken back, a play or question stopped. The service stops all media at once
        only, so a play or question can be cancelled while it is the only one.

        Returns: what is done once the service has taken it.

        Raises: InvalidInput for what cannot be stopped.
        """
        if isinstance(part, Invitation):
            return _nothing(part.joined) if part.done else self.cancel_add_participant(part)
        if not isinstance(part, Operation | Task):
            raise InvalidInput(
                "cancel",
                "got something that is not under way.",
                "Just stop waiting: a signal or key that comes later goes to who waits for it then.",
            )
        if part.done:
            return _nothing(part)
        if isinstance(part, Operation) and part.action.kind == "sleep":
            return self._drop(part)
        media = next((o for o in (part, *_waits_for(part)) if o in self._host.own_media), None)
        if media is None:
            raise InvalidInput("cancel", f"{part.label} cannot be stopped.", "Wait for it, or go on without it.")
        if len(self._host.own_media) > 1:
            raise InvalidInput(
                "cancel",
                f"{part.label} is not the only thing that plays or listens, and the service stops all of them at once.",
                "Use call.cancel_all_media() if nothing of it is needed.",
            )
        stopped = self.cancel_all_media()
        if isinstance(part, Task):  # or it would ask again, if the question ends unheard just now
            part.abandon()
            part.fail(ActionCanceled(part.label))
            part.scheduler.settle(part)
        return stopped

    def _started(self, part: Part) -> Pending[Any]:
        if isinstance(part, Pending):
            return part
        return part.joined if isinstance(part, Invitation) else self._host.spawn("part", part)


def _check(method: str, parts: Sequence[Part]) -> None:
    if not parts:
        raise InvalidInput(method, "got nothing to wait for.", PARTS)
    for part in parts:
        if not isinstance(part, Pending | Invitation | Coroutine):
            raise InvalidInput(method, f"got something of type {type(part).__name__}.", PARTS)


def _stop(running: Sequence[tuple[Part, Pending[Any]]]) -> None:
    """Stop those coroutines that nobody waits for any more."""
    for part, pending in running:
        if isinstance(pending, Task) and isinstance(part, Coroutine):
            pending.abandon()


def _waits_for(part: Pending[Any]) -> tuple[Pending[Any], ...]:
    return part.waits_for if isinstance(part, Task) else ()


def _nothing(part: Pending[Any]) -> Pending[Any]:
    """Done: there was nothing to stop."""
    nothing: Pending[Any] = Pending(f"cancel {part.label}", part.scheduler)
    nothing.succeed(None)
    return nothing
