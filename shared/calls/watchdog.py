"""The watchdog: settles the calls that stopped hearing anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, TypeVar

from shared.calls import actions, journal
from shared.calls.actions import Action, Opening
from shared.calls.afterwards import Afterwards
from shared.calls.brakes import TIME_LIMIT, TOO_LONG, Brakes
from shared.calls.gateway.base import Gateway
from shared.calls.journal import Entry
from shared.calls.lifecycle import UNHEARD
from shared.calls.lost import GRACES_AT_MOST
from shared.calls.operation import Operation
from shared.calls.outcome import Outcome
from shared.calls.record import CallRecord
from shared.calls.replay import Session
from shared.calls.slots.ledger import SlotLedger
from shared.calls.store.base import CallStore
from shared.errors import StoreError
from shared.events import CallEvent
from shared.logs import logger

T = TypeVar("T")

log = logger("switchboard.calls")

NEVER_CONNECTED = 150_000
"""Milliseconds without a connection after which a call was never established (set-up takes up to 115 s)."""
LONGEST_REST = 60_000
"""Milliseconds for which a call that waits to be placed is not looked at, at most: there may be many of them, for days
(our choice). What an instance leaves undone that dies just as it wakes one is found so much later."""
WAKE_UP_DELAY = 2_000
"""Milliseconds after the end of a sleep from which its message on the queue counts as lost (our choice)."""
LONGEST_RUN = 10 * 60_000
"""Milliseconds after which an ended call is closed although one of its side effects came to no end (our choice)."""
AT_ONCE = 8
"""Calls that are looked at side by side, so that one that is slow does not keep the others (our choice)."""
LONGEST_PAUSE = 15 * 60_000
"""Milliseconds between two questions to the service about a call that stays idle, at most (our choice)."""


class Conducting(Protocol):
    """What the watchdog needs of the conductor."""

    @property
    def afterwards(self) -> Afterwards:
        """Confirms, indexes and closes calls."""

    def now(self) -> int:
        """Unix time in milliseconds."""

    def advance(self, call_id: str, inputs: Sequence[tuple[Entry, CallEvent | None]]) -> Outcome:
        """Feed a call, and send again what was lost; no inputs: only the latter."""

    def wake_overdue(self, call_id: str, now: int) -> Outcome:
        """Wake the sleeps that should be over."""

    def open_operations(self, call_id: str) -> list[Operation[Any]]:
        """What a call waits for."""

    def look_at(self, call_id: str, look: Callable[[Session], T]) -> T:
        """What a function makes of a call as the store has it. UnknownCall."""

    def act(self, call_id: str, action: Action, key: str | None = None) -> tuple[Outcome, Operation[Any] | None]:
        """Do something on a call from outside; the same key does it once."""


@dataclass(slots=True)
class _Pause:
    """An idle call: when it is looked at next, and how long the pause after that is."""

    until: int
    length: int


class Watchdog:
    """Looks at every open call and does what a lost event or a dead instance left undone.

    What is committed and may not have been sent is looked for at each run, by one read of the call's head. The
    service is asked about an idle call ever more rarely: after `idle_timeout`, then after pauses that double.

    Attributes:
        open: how many calls were open at the last look.

    Args:
        grace: seconds that an issued action may stay unconfirmed before it is sent again.
        idle_timeout: seconds without an event after which the service is asked about a call.
        brakes: say how long a call may be, and learn how many there are; None: neither.
        slots: of caller numbers; None: no number is declared.
    """

    def __init__(
        self,
        conductor: Conducting,
        store: CallStore,
        gateway: Gateway,
        *,
        grace: float = 7.0,
        idle_timeout: float = 60.0,
        brakes: Brakes | None = None,
        slots: SlotLedger | None = None,
    ) -> None:
        self._conductor = conductor
        self._store = store
        self._gateway = gateway
        self._grace = int(grace * 1000)
        self._idle_timeout = int(idle_timeout * 1000)
        self._brakes = brakes
        self._slots = slots
        self.open = 0
        self._seen: dict[str, CallRecord] = {}
        self._pauses: dict[str, _Pause] = {}
        self._unconfirmed: dict[str, tuple[int, int]] = {}
        self._rests: dict[str, int] = {}

    def watch(self) -> dict[str, Outcome]:
        """Look at every open call once; what was done, by call id."""
        open_calls = list(self._store.open_calls())
        self.open = len(open_calls)
        gone = (self._pauses.keys() | self._unconfirmed.keys() | self._rests.keys()).difference(open_calls)
        for call_id in gone:
            self._pauses.pop(call_id, None)
            self._unconfirmed.pop(call_id, None)
            self._rests.pop(call_id, None)
        idle = not open_calls
        now = self._conductor.now()
        open_calls = [call_id for call_id in open_calls if self._rests.get(call_id, 0) <= now]
        self._seen = {}
        outcomes: list[Outcome] = []
        if open_calls:
            with ThreadPoolExecutor(AT_ONCE, "switchboard-watchdog") as threads:
                outcomes = list(threads.map(self._look_safely, open_calls))
        if self._brakes is not None:
            self._brakes.watched(list(self._seen.values()), now)
        if self._slots is not None:
            self._sweep(self._slots, idle=idle)
        done = zip(open_calls, outcomes, strict=True)
        return {call_id: outcome for call_id, outcome in done if outcome is not Outcome.UNCHANGED}

    def _sweep(self, slots: SlotLedger, *, idle: bool) -> None:
        try:
            slots.sweep(self._look_at, idle=idle)
        except StoreError as error:  # what the watchdog has settled is settled
            log.warning("the slots were not looked at: %s", error)

    def _look_at(self, call_id: str, look: Callable[[Session], T]) -> T:
        """What a function makes of a call that holds a slot. One that is not among the open calls is looked at, and put
        there: whoever placed it died between its claim and its index rows."""
        record, found = self._conductor.look_at(call_id, lambda session: (replace(session.record), look(session)))
        silent = self._conductor.now() - max(record.updated_at, record.written_at)
        if record.status != "ended" and silent > self._grace and not self._store.indexed(record):
            self._look_again(call_id)
        return found

    def _look_safely(self, call_id: str) -> Outcome:
        try:
            return self._look(call_id, self._conductor.now())
        except Exception:  # one call that cannot be settled must not keep it from the others
            log.exception("the watchdog could not settle call=%s; it tries again", call_id)
            return Outcome.UNCHANGED

    def _look_again(self, call_id: str) -> None:
        outcome = self._look_safely(call_id)
        if outcome is not Outcome.UNCHANGED:
            log.warning("watchdog %s call=%s", outcome, call_id)

    def _look(self, call_id: str, now: int) -> Outcome:
        conductor = self._conductor
        record = self._seen[call_id] = self._store.peek(call_id)
        silent = now - max(record.updated_at, record.written_at)
        if record.unconfirmed and silent > self._grace:
            if conductor.advance(call_id, []) is Outcome.RESENT:
                return Outcome.RESENT
            conductor.afterwards.confirm(call_id)  # this instance knows that they left
        elif record.unconfirmed and self._stays_unconfirmed(record, now):
            if conductor.advance(call_id, []) is Outcome.RESENT:
                return Outcome.RESENT
        elif record.unconfirmed:
            # So that nobody waits for the next run on top of the grace period.
            delay = (self._grace - silent) / 1000 + 0.01
            conductor.afterwards.later.soon(f"watch {call_id}", partial(self._look_again, call_id), delay)
        # Only now: it writes the head, from which on the grace period would count anew.
        if silent > self._grace and record.status != "ended" and not self._store.indexed(record):
            conductor.afterwards.index(call_id)
        if record.wake_at and now > record.wake_at + WAKE_UP_DELAY:
            return conductor.wake_overdue(call_id, now)
        if record.status == "ended":
            # A side effect that may run after the end, and what the flow makes of it, is waited for.
            if silent <= (LONGEST_RUN if record.unconfirmed else self._grace):
                return Outcome.UNCHANGED
            conductor.afterwards.close(call_id)
            return Outcome.ADVANCED
        if record.status == "waiting":
            if not record.unconfirmed:
                due = record.wake_at + WAKE_UP_DELAY + 1 if record.wake_at else now + LONGEST_REST
                self._rests[call_id] = min(due, now + LONGEST_REST)
            return Outcome.UNCHANGED
        if self._brakes is not None and self._end_too_long(self._brakes, record, now):
            return Outcome.ADVANCED
        if silent <= self._idle_timeout:
            self._pauses.pop(call_id, None)
            return Outcome.UNCHANGED
        if not record.call_connection_id:
            if now - (record.placed_at or record.started_at) <= NEVER_CONNECTED:
                return Outcome.UNCHANGED
            return self._settle(record, now, "the call was never connected")
        pause = self._pauses.get(call_id, _Pause(now, self._idle_timeout))
        if now < pause.until:
            return Outcome.UNCHANGED
        if self._gateway.connection_state(record.call_connection_id) is None:
            return self._settle(record, now, "the service no longer knows the call")
        waiting = conductor.open_operations(call_id)
        ends = [one.action.over_at(one.issued_at) for one in waiting if isinstance(one.action, actions.Sleep)]
        if any(now > end + WAKE_UP_DELAY for end in ends):
            return conductor.wake_overdue(call_id, now)  # heads of versions before 0.2.0 do not say when it is over
        overdue = [(entry, None) for entry in (self._overdue(operation, now) for operation in waiting) if entry]
        if overdue:
            if self._end_unheard(record, waiting):
                return Outcome.ADVANCED
            return conductor.advance(call_id, overdue)
        length = min(2 * pause.length, LONGEST_PAUSE)
        self._pauses[call_id] = _Pause(min(now + length, self._next_overdue(waiting)), length)
        return Outcome.UNCHANGED

    def _end_too_long(self, brakes: Brakes, record: CallRecord, now: int) -> bool:
        """End a call for everybody that lasts longer than any may; once a minute, should the service not do it."""
        over = now - record.connected_at - brakes.longest_call
        if not record.connected_at or over <= 0:
            return False
        key = f"{TIME_LIMIT}{over // 60_000}"
        outcome, _ = self._conductor.act(record.call_id, actions.Terminate(), key)
        if outcome in (Outcome.DUPLICATE, Outcome.LATE):
            return False
        brakes.note(record.call_id, TOO_LONG)
        return True

    def _end_unheard(self, record: CallRecord, waiting: Iterable[Operation[Any]]) -> bool:
        """End a call that the service knows and that never said it was up: nobody would ever speak on it, and once it
        is given up no limit would end it. Asked once; an attempt of a flow that places its call is left to its flow."""
        if record.connected_at or record.placed_at or not any(isinstance(one.action, Opening) for one in waiting):
            return False
        outcome, _ = self._conductor.act(record.call_id, actions.Terminate(), UNHEARD)
        return outcome not in (Outcome.DUPLICATE, Outcome.LATE)

    def _settle(self, record: CallRecord, now: int, reason: str) -> Outcome:
        """The call is over; of one that its flow places and that never connected, only this attempt is."""
        if not record.placed_at or record.connected_at:
            return self._conductor.advance(record.call_id, [(journal.Settled(at=now, reason=reason), None)])
        attempts: list[tuple[Entry, CallEvent | None]] = [
            (journal.GaveUp(at=now, seq=operation.seq), None)
            for operation in self._conductor.open_operations(record.call_id)
            if operation.action.spec.places and operation.issued_at == record.placed_at  # not one after it
        ]
        return self._conductor.advance(record.call_id, attempts) if attempts else Outcome.UNCHANGED

    def _stays_unconfirmed(self, record: CallRecord, now: int) -> bool:
        """Whether an action stays unconfirmed for several grace periods, on a call that keeps hearing other things."""
        oldest = min(record.unconfirmed)
        seq, since = self._unconfirmed.get(record.call_id, (-1, now))
        if seq != oldest:
            self._unconfirmed[record.call_id] = (oldest, now)
            return False
        return now - since > (GRACES_AT_MOST - 1) * self._grace

    def _overdue(self, operation: Operation[object], now: int) -> Entry | None:
        """An entry for an operation whose outcome can no longer be expected."""
        due = self._due(operation)
        return journal.GaveUp(at=now, seq=operation.seq) if due is not None and now > due else None

    def _next_overdue(self, waiting: Iterable[Operation[object]]) -> int:
        return min((due for due in map(self._due, waiting) if due is not None), default=2**63)

    def _due(self, operation: Operation[object]) -> int | None:
        """The time, in Unix milliseconds, from which an outcome can no longer be expected; None: there is none."""
        timeout = operation.action.timeout
        return None if timeout is None else operation.issued_at + int(timeout * 1000)
