"""What a flow can wait for besides its own operations: signals, keys, participants, the end of the call."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from weakref import ref

from shared.calls.inbox import Keys, Signals
from shared.calls.operation import Pending, Scheduler
from shared.calls.participant_list import ParticipantList
from shared.errors import CallEnded
from shared.identifiers import Identifier


class _Arrival:
    """Whether somebody has come, besides the connections that were here when the wait began."""

    def __init__(self, who: Identifier, here: frozenset[str]) -> None:
        self._who = who
        self._here = here

    def __call__(self, listed: ParticipantList) -> bool:
        now = listed.connections(self._who)
        self._here &= now  # one that left and came back has come
        return bool(now - self._here)


class Waiting:
    """Holds what came before it was awaited, and those who wait for what has not come yet."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._signals: dict[str, Signals] = {}
        self._keys = Keys(scheduler)
        self._participants = ParticipantList()
        self._expected: list[tuple[Callable[[ParticipantList], bool], ref[Pending[None]]]] = []
        self.end: Pending[CallEnded] = Pending("end of the call", scheduler)

    def signal(self, name: str) -> Pending[Any]:
        """The next signal of this name."""
        return self._named(name).next(f"signal {name}")

    def give_signal(self, name: str, data: Any) -> None:
        """A signal came in."""
        self._named(name).give(data)

    def _named(self, name: str) -> Signals:
        signals = self._signals.get(name)
        if signals is None:
            signals = self._signals[name] = Signals(self._scheduler)
            if self.end.done:
                signals.close(self.end.result())
        return signals

    def tone(self) -> Pending[str]:
        """The next key of continuous DTMF, in the order of the keys."""
        return self._keys.next("tone")

    def give_tone(self, sequence_id: int, tone: str) -> None:
        """A key was reported."""
        self._keys.give(sequence_id, tone)

    def tones_start(self) -> None:
        """Keys are reported from here on, perhaps under numbers that begin again."""
        self._keys.start()

    def give_no_tones(self, error: BaseException) -> None:
        """Listening for keys failed: who waits for one, now or later, learns it."""
        self._keys.close(error)

    def arrival(self, who: Identifier) -> Pending[None]:
        """The moment when this participant is in the call. A phone number that is in it now has to come once more."""
        here = self._participants.connections(who) if who.phone_number is not None else frozenset()
        return self._expect("participant in the call", _Arrival(who, here))

    def departure(self, who: Identifier) -> Pending[None]:
        """The moment when this participant is not in the call; never before it is known who is."""
        return self._expect("participant out of the call", lambda listed: listed.told and who not in listed)

    def _expect(self, label: str, holds: Callable[[ParticipantList], bool]) -> Pending[None]:
        pending: Pending[None] = Pending(label, self._scheduler)
        if holds(self._participants):
            pending.succeed(None)
        elif not self._over(pending):
            # Not held here: a flow that asks again and again, and keeps none of it, leaves nothing behind.
            self._expected.append((holds, ref(pending)))
        return pending

    def give_participants(self, identifiers: Iterable[Identifier], hidden: int = 0) -> None:
        """The participants changed; so many more are there that could not be read."""
        self._participants.update(identifiers, hidden)
        self._review(lambda holds: holds(self._participants))

    def give_earlier_participants(self, identifiers: Iterable[Identifier]) -> None:
        """A list that a newer one has overtaken. It changes nothing, but shows who has been in the call."""
        earlier = ParticipantList()
        earlier.update(identifiers)
        self._review(lambda holds: isinstance(holds, _Arrival) and holds(earlier))

    def _review(self, come: Callable[[Callable[[ParticipantList], bool]], bool]) -> None:
        """Settle what has come true, and forget it, with what nobody has any more."""
        still = []
        for holds, reference in self._expected:
            pending = reference()
            if pending is None:
                continue
            if come(holds):
                self._done(pending, None)
            else:
                still.append((holds, reference))
        self._expected = still

    def give_end(self, end: CallEnded) -> None:
        """The call is over: everybody who waits learns it."""
        self._done(self.end, end)
        for signals in self._signals.values():
            signals.close(end)
        self._keys.close(end)
        for _, reference in self._expected:
            if (pending := reference()) is not None:
                pending.fail(end)
                self._scheduler.settle(pending)
        self._expected.clear()

    def _over(self, pending: Pending[Any]) -> bool:
        if self.end.done:
            pending.fail(self.end.result())
        return self.end.done

    def _done(self, pending: Pending[Any], value: Any) -> None:
        pending.succeed(value)
        self._scheduler.settle(pending)
