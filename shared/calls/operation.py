"""What a flow awaits: operations, signals, and helper coroutines of the flow itself."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Coroutine, Generator
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from shared.calls.actions import Action
from shared.calls.mistakes import NO_ASYNCIO, Place, is_library, place_of
from shared.errors import EndlessLoop, ForeignAwait

if TYPE_CHECKING:
    from shared.calls.checks import Watch

T = TypeVar("T")

MAX_AT_ONCE = 10_000
"""Things that a flow may do between two waits (our choice; usual are fewer than ten)."""
MAX_ASKED = 4_000
"""Of these, actions (our choice): the head of a call names all of them until they are sent, in a column of 32,000
characters."""
MAX_IGNORED = 100
"""Errors about an endless loop that a flow may catch before it is left where it stands (our choice)."""


class _Abandoned(tuple[Any, ...]):
    """No flow can yield it: an empty tuple is one and the same everywhere."""

    __slots__ = ()


ABANDONED: tuple[Pending[Any], ...] = _Abandoned()
"""What a coroutine waits for that is never run again."""


class Pending(Generic[T]):
    """Something that has an outcome now or later. `await` it; `done` tells whether that would return at once."""

    __slots__ = ("__weakref__", "_error", "_value", "awaited", "done", "label", "scheduler", "waiters")

    def __init__(self, label: str, scheduler: Scheduler) -> None:
        self.label = label
        self.scheduler = scheduler
        self.done = False
        self.awaited = False
        self._value: T | None = None
        self._error: BaseException | None = None
        self.waiters: tuple[Task[Any], ...] = ()

    def result(self) -> T:
        """The outcome; raises what the operation ended with."""
        if not self.done:
            raise RuntimeError(f"{self!r} has no outcome yet: await it")
        self.awaited = True
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]

    def __await__(self) -> Generator[tuple[Pending[Any], ...], None, T]:
        self.awaited = True
        if not self.done:
            self.scheduler.may_wait()
            yield (self,)
        else:
            yield from self.scheduler.pause_if_endless()
            if not self.scheduler.live:
                raise GeneratorExit  # not CallEnded, which nobody may catch: the garbage collector begins anywhere
        return self.result()

    @property
    def error(self) -> BaseException | None:
        """The error that it ended with."""
        return self._error

    def succeed(self, value: T) -> None:
        """Give the outcome; the first one counts."""
        if not self.done:
            self.done, self._value = True, value

    def fail(self, error: BaseException) -> None:
        """Give an error as the outcome; the first outcome counts."""
        if not self.done:
            self.done, self._error = True, error

    def join(self, task: Task[Any]) -> None:
        """A task waits for it from here on."""
        self.waiters += (task,)

    def leave(self, task: Task[Any]) -> None:
        """A task does not wait for it any more."""
        self.waiters = tuple(waiter for waiter in self.waiters if waiter is not task)

    def __repr__(self) -> str:
        return f"<{self.label}{' done' if self.done else ''}>"


class Operation(Pending[T]):
    """An issued action: it has started, `await` waits for its outcome.

    Attributes:
        seq: its position in the flow, and so its id within the call.
        attempt: how often it was sent; outcomes of an earlier attempt are stale.
        response: what the service responded to the request, where a later action may need it.
    """

    __slots__ = ("action", "attempt", "issued_at", "resent_at", "response", "seq", "started")

    def __init__(self, seq: int, action: Action, scheduler: Scheduler) -> None:
        Pending.__init__(self, action.kind, scheduler)
        self.seq = seq
        self.action = action
        self.attempt = 0
        self.issued_at = 0
        self.resent_at = 0
        self.response: Any = None
        self.started = False

    def __repr__(self) -> str:
        return f"<{self.label} #{self.seq}{' done' if self.done else ''}>"


class Task(Pending[T]):
    """A coroutine of a flow, run by the scheduler."""

    __slots__ = ("abandoned", "coroutine", "waits_for")

    def __init__(self, label: str, coroutine: Coroutine[Any, Any, T], scheduler: Scheduler) -> None:
        super().__init__(label, scheduler)
        self.coroutine = coroutine
        self.abandoned = False
        self.waits_for: tuple[Pending[Any], ...] = ()

    def abandon(self) -> None:
        """Stop it: its `finally` blocks run up to their first wait, its outcome no longer matters."""
        if not self.done and not self.abandoned and inspect.getcoroutinestate(self.coroutine) != "CORO_RUNNING":
            self.abandoned = True
            self.stop_waiting()
            self.scheduler.close(self.coroutine)

    def stop_waiting(self) -> None:
        """It waits for nothing any more, and what it waited for does not know it any more."""
        waits_for, self.waits_for = self.waits_for, ()
        for pending in waits_for:
            pending.leave(self)


class FirstOf:
    """Awaits until one of several has its outcome."""

    def __init__(self, pendings: tuple[Pending[Any], ...]) -> None:
        self._pendings = pendings

    def __await__(self) -> Generator[tuple[Pending[Any], ...], None, Pending[Any]]:
        for pending in self._pendings:
            pending.awaited = True
        if not any(pending.done for pending in self._pendings):
            self._pendings[0].scheduler.may_wait()
            yield self._pendings
        else:
            yield from self._pendings[0].scheduler.pause_if_endless()
        return next(pending for pending in self._pendings if pending.done)


class Source(Protocol):
    """Has values for those who wait, one by one."""

    def serve(self) -> bool:
        """Give one to somebody who waits; False if there is none, or nobody."""


class Endless(BaseException):
    """Ends a flow in an endless loop. No Exception, so that few loops catch it."""


def _endless(place: Place) -> EndlessLoop:
    return EndlessLoop(
        f"the flow did {MAX_AT_ONCE:,} things without waiting for any",
        "End the loop after some tries, or wait in it: await call.sleep(seconds).",
        where=place.where,
        line=place.line,
    )


class Scheduler:
    """Runs the tasks of one flow in a fixed order: no clock, no I/O, first ready first run."""

    def __init__(self) -> None:
        self._ready: deque[Task[Any]] = deque()
        self._sources: deque[Source] = deque()
        self._stepping = 0
        self._closing = 0
        self._count = self._asked = 0
        self.watch: Watch | None = None

    @property
    def live(self) -> bool:
        """False outside of a step: what runs then is the `finally` block of a coroutine that is thrown away,
        because its call was dropped from memory. Nothing it asks for counts."""
        return self._stepping > 0

    def may_wait(self) -> None:
        """Pass if a coroutine may wait here; one that is thrown away or stopped ends here."""
        if self._closing or not self._stepping:
            raise GeneratorExit

    def close(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Stop a coroutine."""
        self._closing += 1
        try:
            coroutine.close()
        finally:
            self._closing -= 1

    def start(self, label: str, coroutine: Coroutine[Any, Any, T]) -> Task[T]:
        """Run a coroutine up to its first wait, at once, so that what it issues first is issued in order."""
        task = Task(label, coroutine, self)
        self._step(task)
        return task

    def settle(self, pending: Pending[Any]) -> None:
        """Make those ready who wait for something that now has its outcome."""
        for task in pending.waiters:
            if pending in task.waits_for:
                task.stop_waiting()
                self._ready.append(task)

    def offer(self, source: Source) -> None:
        """A source has values. They are given out once every task waits, one at a time, for who waits then."""
        self._sources.append(source)

    def run(self) -> None:
        """Run until every task waits for something that has no outcome."""
        self.begin_anew()
        while self._ready or self._serve():
            self._step(self._ready.popleft())

    def begin_anew(self) -> None:
        """Forget what the flow did so far without waiting: something else runs from here on."""
        self._count = self._asked = 0

    def pause_if_endless(self) -> Generator[tuple[Pending[Any], ...], None, None]:
        """Count, at an `await` that need not wait. A flow that catches its end is left here for good."""
        if self._count > MAX_AT_ONCE + MAX_IGNORED:
            yield ABANDONED
        self.count()

    def count(self) -> None:
        """One more thing that the flow did without waiting. It ends here if it seems to go on for ever; where it
        catches even that, at its next `await`."""
        self._count += 1
        if MAX_AT_ONCE < self._count <= MAX_AT_ONCE + MAX_IGNORED:
            raise Endless

    def ask(self) -> None:
        """One more action that the flow asks for. EndlessLoop if it asks for too many at once."""
        self.count()
        self._asked += 1
        if self._asked > MAX_ASKED and self._count <= MAX_AT_ONCE:  # beyond that it is to come to its next `await`
            raise EndlessLoop(f"the flow asked for {MAX_ASKED:,} actions at once", "Await some before you go on.")

    def _serve(self) -> bool:
        while self._sources:
            if self._sources[0].serve():
                return True
            self._sources.popleft()
        return False

    def _step(self, task: Task[Any]) -> None:
        if task.done or task.abandoned:
            return
        self._stepping += 1
        try:
            waits_for = self._watched(task.coroutine)
        except StopIteration as stop:
            task.succeed(stop.value)
        except Endless as endless:
            task.fail(_endless(Place()).with_traceback(endless.__traceback__))
        except GeneratorExit as left:  # by `may_wait` of another scheduler
            task.fail(_of_another_call().with_traceback(left.__traceback__))
        except KeyboardInterrupt:
            raise  # nothing of the flow
        except BaseException as error:  # whatever it is, it must not meet whoever delivered an event
            task.fail(error)
        else:
            if waits_for is ABANDONED:
                task.abandoned = True
                task.fail(_endless(place_of(task.coroutine)))
            else:
                task.waits_for = waits_for
                for pending in waits_for:
                    pending.join(task)
                return
        finally:
            self._stepping -= 1
        self.settle(task)

    def _watched(self, coroutine: Coroutine[Any, Any, Any]) -> tuple[Pending[Any], ...]:
        if self.watch is None:
            return self._next_wait(coroutine)
        with self.watch.over():
            return self._next_wait(coroutine)

    def _next_wait(self, coroutine: Coroutine[Any, Any, Any]) -> tuple[Pending[Any], ...]:
        """Run a coroutine up to its next wait. What it awaits of somebody else raises ForeignAwait there, at its
        line."""
        waits_for = coroutine.send(None)
        for _ in range(MAX_IGNORED):
            if waits_for is ABANDONED or self._are_mine(waits_for):
                return cast("tuple[Pending[Any], ...]", waits_for)
            waits_for = coroutine.throw(_foreign(waits_for, coroutine))
        return ABANDONED

    def _are_mine(self, waits_for: object) -> bool:
        """Whether these are things that this flow can wait for."""
        return (
            type(waits_for) is tuple
            and len(waits_for) > 0
            and all(isinstance(pending, Pending) and pending.scheduler is self for pending in waits_for)
        )


def _foreign(waits_for: object, coroutine: Coroutine[Any, Any, Any]) -> ForeignAwait:
    """What is wrong with waiting for these."""
    if type(waits_for) is tuple and any(isinstance(pending, Pending) for pending in waits_for):
        return _of_another_call()
    return ForeignAwait(f"a flow cannot await {_awaited_by(coroutine)}: nothing would wake it", NO_ASYNCIO)


def _of_another_call() -> ForeignAwait:
    return ForeignAwait(
        "a flow cannot await what belongs to another call",
        "Keep nothing of a call outside of its flow; tell another call something by a signal.",
    )


def _awaited_by(coroutine: Any) -> str:
    """What somebody else gave a flow to await, by its name: `asyncio.tasks.sleep`."""
    while (coroutine := getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)) is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        name = getattr(coroutine, "__qualname__", type(coroutine).__qualname__)
        if frame is None or is_library(frame.f_code):
            return f"{frame.f_globals.get('__name__')}.{name}" if frame else name
    return "this"
