"""What comes to a flow one by one, signals and keys, and who takes it: somebody who waits now, else who looks next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import Any, Generic, TypeVar

from shared.calls.operation import Pending, Scheduler, Task
from shared.calls.tones import ToneOrder

T = TypeVar("T")


class Next(Pending[T]):
    """The next value of an inbox. It takes one when it is awaited, or asked whether it is done; until then it holds
    nothing back from others."""

    __slots__ = ("_inbox", "_settled")

    def __init__(self, label: str, scheduler: Scheduler, inbox: Inbox[T]) -> None:
        self._settled = False
        self._inbox = inbox
        super().__init__(label, scheduler)

    @property
    def done(self) -> bool:
        """True once it has a value, which it takes now if one is here."""
        if not self._settled:
            if self.scheduler.live:
                self.scheduler.count()  # a flow may look again and again
            self._inbox.look(self)
        return self._settled

    @done.setter
    def done(self, done: bool) -> None:
        self._settled = done

    def succeed(self, value: T) -> None:
        """Give the value; the first outcome counts."""
        if not self._settled:
            self._settled, self._value = True, value

    def fail(self, error: BaseException) -> None:
        """Give an error as the outcome; the first outcome counts."""
        if not self._settled:
            self._settled, self._error = True, error

    def join(self, task: Task[Any]) -> None:
        """A task waits for it from here on."""
        super().join(task)
        self._inbox.join(self)

    def leave(self, task: Task[Any]) -> None:
        """A task does not wait for it any more."""
        super().leave(task)
        if not self.waiters:
            self._inbox.leave(self)

    def __repr__(self) -> str:
        return f"<{self.label}{' done' if self._settled else ''}>"


class Inbox(ABC, Generic[T]):
    """Values that came and were not taken, or those who wait for one, first come first served; never both."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._waiting: list[Next[T]] = []
        self._error: BaseException | None = None

    @abstractmethod
    def _take(self) -> tuple[T, ...]:
        """The next value, alone; nothing if none is here."""

    def next(self, label: str) -> Next[T]:
        """Whatever comes next, for who awaits this first."""
        return Next(label, self._scheduler, self)

    def look(self, pending: Next[T]) -> None:
        """Give a value, if one is here; else the error, if no more will come."""
        if taken := self._take():
            pending.succeed(taken[0])
        elif self._error is not None:
            pending.fail(self._error)

    def join(self, pending: Next[T]) -> None:
        """Somebody waits for this one."""
        if pending not in self._waiting:
            self._waiting.append(pending)

    def leave(self, pending: Next[T]) -> None:
        """Nobody waits for this one any more."""
        if pending in self._waiting:
            self._waiting.remove(pending)

    def serve(self) -> bool:
        """Give one value to the one who has waited longest; False if there is no value, or nobody."""
        taken = self._take() if self._waiting else ()
        if not taken:
            return False
        first = self._waiting[0]
        first.succeed(taken[0])
        self._scheduler.settle(first)
        return True

    def close(self, error: BaseException) -> None:
        """No more will come: who waits learns it, now or later."""
        self._error = error
        for pending in list(self._waiting):
            pending.fail(error)
            self._scheduler.settle(pending)

    def reopen(self) -> None:
        """More may come after all."""
        self._error = None


class Signals(Inbox[Any]):
    """Signals of one name, in the order in which they came."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__(scheduler)
        self._came: deque[Any] = deque()

    def give(self, data: Any) -> None:
        """A signal came in."""
        self._came.append(data)
        self._scheduler.offer(self)

    def _take(self) -> tuple[Any, ...]:
        return (self._came.popleft(),) if self._came else ()


class Keys(Inbox[str]):
    """Keys of continuous DTMF."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__(scheduler)
        self._order = ToneOrder()

    def give(self, sequence_id: int, key: str) -> None:
        """A key was reported."""
        self._order.add(sequence_id, key)
        self._scheduler.offer(self)

    def start(self) -> None:
        """Keys are reported from here on, perhaps under numbers that begin again."""
        self._order.start()
        self.reopen()

    def _take(self) -> tuple[str, ...]:
        key = self._order.next()
        return () if key is None else (key,)
