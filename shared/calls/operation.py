"""What a flow awaits: operations, signals, and helper coroutines of the flow itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

from shared.calls.actions import Action

T = TypeVar("T")


class Pending(Generic[T]):
    """Something that has an outcome now or later. `await` it; `done` tells whether that would return at once."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.done = False
        self._value: T | None = None
        self._error: BaseException | None = None
        self.waiters: list[Task[Any]] = []

    def result(self) -> T:
        """The outcome; raises what the operation ended with."""
        if not self.done:
            raise RuntimeError(f"{self.label} has no outcome yet: await it")
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]

    def __await__(self) -> Generator[tuple[Pending[Any], ...], None, T]:
        if not self.done:
            yield (self,)
        return self.result()

    def succeed(self, value: T) -> None:
        """Give the outcome; the first one counts."""
        if not self.done:
            self.done, self._value = True, value

    def fail(self, error: BaseException) -> None:
        """Give an error as the outcome; the first outcome counts."""
        if not self.done:
            self.done, self._error = True, error

    def __repr__(self) -> str:
        return f"<{self.label}{' done' if self.done else ''}>"


class Operation(Pending[T]):
    """An issued action: it has started, `await` waits for its outcome.

    Attributes:
        seq: its position in the flow, and so its id within the call.
        attempt: how often it was sent; outcomes of an earlier attempt are stale.
    """

    def __init__(self, seq: int, action: Action) -> None:
        super().__init__(f"{action.kind} #{seq}")
        self.seq = seq
        self.action = action
        self.attempt = 0
        self.issued_at = 0
        self.resent_at = 0
        self.started = False


class Task(Pending[T]):
    """A coroutine of a flow, run by the scheduler."""

    def __init__(self, label: str, coroutine: Coroutine[Any, Any, T]) -> None:
        super().__init__(label)
        self.coroutine = coroutine
        self.abandoned = False
        self.waits_for: tuple[Pending[Any], ...] = ()

    def abandon(self) -> None:
        """Stop it: its `finally` blocks run, its outcome no longer matters."""
        if self.done or self.abandoned or self.coroutine.cr_running:  # type: ignore[attr-defined]
            return
        self.abandoned = True
        self.coroutine.close()


class FirstOf:
    """Awaits until one of several has its outcome."""

    def __init__(self, pendings: tuple[Pending[Any], ...]) -> None:
        self._pendings = pendings

    def __await__(self) -> Generator[tuple[Pending[Any], ...], None, Pending[Any]]:
        if not any(pending.done for pending in self._pendings):
            yield self._pendings
        return next(pending for pending in self._pendings if pending.done)


class Scheduler:
    """Runs the tasks of one flow in a fixed order: no clock, no I/O, first ready first run."""

    def __init__(self) -> None:
        self._ready: deque[Task[Any]] = deque()

    def start(self, label: str, coroutine: Coroutine[Any, Any, T]) -> Task[T]:
        """Run a coroutine up to its first wait, at once, so that what it issues first is issued in order."""
        task = Task(label, coroutine)
        self._step(task)
        return task

    def settle(self, pending: Pending[Any]) -> None:
        """Make those ready who wait for something that now has its outcome."""
        for task in pending.waiters:
            if any(pending is waited for waited in task.waits_for):
                task.waits_for = ()
                self._ready.append(task)
        pending.waiters = []

    def run(self) -> None:
        """Run until every task waits for something that has no outcome."""
        while self._ready:
            self._step(self._ready.popleft())

    def _step(self, task: Task[Any]) -> None:
        if task.done or task.abandoned:
            return
        try:
            waits_for = task.coroutine.send(None)
        except StopIteration as stop:
            task.succeed(stop.value)
        except Exception as error:
            task.fail(error)
        else:
            task.waits_for = waits_for
            for pending in waits_for:
                pending.waiters.append(task)
            return
        self.settle(task)
