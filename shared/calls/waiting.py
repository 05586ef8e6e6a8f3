"""What a flow can wait for besides its own operations: signals, keys, participants, the end of the call."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from shared.calls.operation import Pending, Scheduler
from shared.calls.roster import Roster
from shared.calls.tones import ToneOrder
from shared.errors import CallEnded
from shared.identifiers import Identifier


class _Arrival:
    """Whether somebody has come, besides the connections that were here when the wait began."""

    def __init__(self, who: Identifier, here: frozenset[str]) -> None:
        self._who = who
        self._here = here

    def __call__(self, roster: Roster) -> bool:
        now = roster.connections(self._who)
        self._here &= now  # one that left and came back has come
        return bool(now - self._here)


class Waiting:
    """Holds what came before it was awaited, and those who wait for what has not come yet."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._signals: defaultdict[str, deque[Any]] = defaultdict(deque)
        self._listeners: defaultdict[str, deque[Pending[Any]]] = defaultdict(deque)
        self._tones = ToneOrder()
        self._readers: deque[Pending[str]] = deque()
        self._no_tones: BaseException | None = None
        self._roster = Roster()
        self._expected: list[tuple[Callable[[Roster], bool], Pending[None]]] = []
        self.end: Pending[CallEnded] = Pending("end of the call", scheduler)

    def signal(self, name: str) -> Pending[Any]:
        """The next signal of this name."""
        pending: Pending[Any] = Pending(f"signal {name}", self._scheduler)
        if self._signals[name]:
            pending.succeed(self._signals[name].popleft())
        elif not self._over(pending):
            self._listeners[name].append(pending)
        return pending

    def give_signal(self, name: str, data: Any) -> None:
        """A signal came in."""
        if self._listeners[name]:
            self._done(self._listeners[name].popleft(), data)
        else:
            self._signals[name].append(data)

    def tone(self) -> Pending[str]:
        """The next key of continuous DTMF, in the order of the keys."""
        pending: Pending[str] = Pending("tone", self._scheduler)
        if not self._over(pending):
            self._readers.append(pending)
            self._read()
        if not pending.done and self._no_tones is not None:
            self._readers.remove(pending)
            pending.fail(self._no_tones)
        return pending

    def give_tone(self, sequence_id: int, tone: str) -> None:
        """A key was reported."""
        self._tones.add(sequence_id, tone)
        self._read()

    def tones_start(self) -> None:
        """Keys are reported from here on, perhaps under numbers that begin again."""
        self._tones.start()
        self._no_tones = None

    def give_no_tones(self, error: BaseException) -> None:
        """Listening for keys failed: who waits for one, now or later, learns it."""
        self._no_tones = error
        for pending in self._readers:
            pending.fail(error)
            self._scheduler.settle(pending)
        self._readers.clear()

    def arrival(self, who: Identifier) -> Pending[None]:
        """The moment when this participant is in the call. A phone number that is in it now has to come once more."""
        here = self._roster.connections(who) if who.phone_number is not None else frozenset()
        return self._expect("participant in the call", _Arrival(who, here))

    def departure(self, who: Identifier) -> Pending[None]:
        """The moment when this participant is not in the call."""
        return self._expect("participant out of the call", lambda roster: who not in roster)

    def _expect(self, label: str, holds: Callable[[Roster], bool]) -> Pending[None]:
        pending: Pending[None] = Pending(label, self._scheduler)
        if holds(self._roster):
            pending.succeed(None)
        elif not self._over(pending):
            self._expected.append((holds, pending))
        return pending

    def give_roster(self, identifiers: Iterable[Identifier], hidden: int = 0) -> None:
        """The participants changed; so many more are there that could not be read."""
        self._roster.update(identifiers, hidden)
        for holds, pending in self._expected:
            if holds(self._roster):
                self._done(pending, None)
        self._expected = [expected for expected in self._expected if not expected[1].done]

    def give_earlier_roster(self, identifiers: Iterable[Identifier]) -> None:
        """A list that a newer one has overtaken. It changes nothing, but shows who has been in the call."""
        earlier = Roster()
        earlier.update(identifiers)
        for holds, pending in self._expected:
            if isinstance(holds, _Arrival) and holds(earlier):
                self._done(pending, None)
        self._expected = [expected for expected in self._expected if not expected[1].done]

    def give_end(self, end: CallEnded) -> None:
        """The call is over: everybody who waits learns it."""
        self._done(self.end, end)
        for pending in self._everybody():
            pending.fail(end)
            self._scheduler.settle(pending)
        self._listeners.clear()
        self._readers.clear()
        self._expected.clear()

    def _everybody(self) -> Iterator[Pending[Any]]:
        for listeners in list(self._listeners.values()):
            yield from list(listeners)
        yield from list(self._readers)
        yield from [pending for _, pending in self._expected]

    def _over(self, pending: Pending[Any]) -> bool:
        if self.end.done:
            pending.fail(self.end.result())
        return self.end.done

    def _read(self) -> None:
        while self._readers and (tone := self._tones.next()) is not None:
            self._done(self._readers.popleft(), tone)

    def _done(self, pending: Pending[Any], value: Any) -> None:
        pending.succeed(value)
        self._scheduler.settle(pending)
