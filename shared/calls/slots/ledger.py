"""The ledger of slots: which legs hold a slot of which caller number. One for all instances.

Each number that is declared has one row, with a lease for each operation that has telephones on the line. A lease is
taken before the operation is sent and given back when its last telephone is off the line:

    take        one conditional write of the row; after a lost race, or a lost response, the row is read, and a lease
                of this very operation there is its own. An operation that is sent again has its lease still
    give back   after each turn of a call whose legs have changed, in the background
                before a call is closed, which does not happen until it is done
                by the watchdog, for what a dead instance left: it holds each lease against the journal of its call

A lease whose call goes on never ends by time alone, so that no clock can overdraw a number.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, Protocol

from shared.calls import actions
from shared.calls.background import Background
from shared.calls.brakes import Braked
from shared.calls.operation import Operation
from shared.calls.record import CallRecord
from shared.calls.replay import Session
from shared.calls.slots.legs import Leg, caller_number, legs_of
from shared.calls.slots.presence import telephones
from shared.calls.uses import CAMPAIGNS
from shared.errors import LostRace, UnknownCall
from shared.logs import logger
from shared.text_rows import StoredRow, TextRows

log = logger("switchboard.slots")

TRIES = 20
"""Lost races after which a leg waits for its next sending (our choice)."""
SWEEP = 20_000
"""Milliseconds between two looks of the watchdog at the leases while there are calls (our choice)."""
IDLE_SWEEP = 60_000
"""The same while there are none: one storage read a minute."""
MOST_KNOWN = 4096
"""Calls of which an instance remembers which leases it has given back (our choice)."""


class CallerNumber(Protocol):
    """What is declared of a number of the app."""

    @property
    def label(self) -> str:
        """How people call it."""

    @property
    def concurrent_out(self) -> int:
        """Telephones that it may have on the line at once."""

    @property
    def reserve(self) -> int:
        """Slots that campaigns leave free."""

    @property
    def uses(self) -> Collection[str]:
        """Who may use it; empty: everybody."""

    @property
    def transferred_minutes(self) -> int:
        """How long a leg holds its slot that was transferred and of whose end no event tells."""


class Lease(NamedTuple):
    """Slots that an operation holds: one for each telephone that it calls.

    Attributes:
        at: when it was taken, Unix time in milliseconds.
    """

    call_id: str
    seq: int
    telephones: int
    at: int

    @property
    def of(self) -> tuple[str, int]:
        """The operation that has it."""
        return self.call_id, self.seq


Look = Callable[[str, Callable[[Session], list[Leg]]], list[Leg]]
"""Gives what a function makes of a call, by its id; UnknownCall."""


def read_leases(row: StoredRow | None) -> list[Lease]:
    """The leases in a row."""
    return [Lease(*one) for one in json.loads(row.text)] if row else []


class SlotLedger:
    """The ledger, as one instance sees it. Safe to share between threads.

    Args:
        rows: a row for each number, by its E.164 form.
        numbers: those that are declared; all others have no limit and cost nothing.
        use_of: what a flow is for, by its name.
        clock: Unix time in milliseconds.
    """

    def __init__(
        self,
        rows: TextRows,
        numbers: Mapping[str, CallerNumber],
        use_of: Callable[[str], str],
        clock: Callable[[], int],
    ) -> None:
        self._rows = rows
        self._numbers = numbers
        self._use_of = use_of
        self._clock = clock
        self._cached: dict[str, StoredRow | None] = {}
        self._at_work = {number: threading.Lock() for number in numbers}
        self._lock = threading.Lock()
        self._given_back: OrderedDict[str, set[int]] = OrderedDict()
        self._settled: OrderedDict[str, set[int]] = OrderedDict()
        self._swept_at = 0
        self._empty = False

    # A leg is about to leave the app

    def take(self, record: CallRecord, operation: Operation[Any]) -> None:
        """Take the slots of an operation that is about to be sent, if it needs any.

        Braked if its number has none free, or is not for this use; StoreError if the storage does not respond.
        """
        called = len(telephones(operation.action))
        number = caller_number(record, operation.action) if called else ""
        declared = self._numbers.get(number)
        if declared is None:
            return
        use, kind = self._use_of(record.flow), operation.action.kind
        if declared.uses and use not in declared.uses:
            problem = f"the number {declared.label!r} is not for {use!r}; lines.yaml says what for"
            raise Braked(kind, "number_not_for_use", problem)
        # Whoever is on the line already waits for whom the app adds.
        waits = use not in CAMPAIGNS or not isinstance(operation.action, actions.CreateCall)
        most = declared.concurrent_out - (0 if waits else declared.reserve)
        if called > most:
            problem = f"calls {called} telephones at once; {declared.label!r} may call {most}; lines.yaml says so"
            raise Braked(kind, "no_free_slot", problem)
        if not self._take(number, Lease(record.call_id, operation.seq, called, self._clock()), most):
            self._remember(self._given_back, record.call_id).add(operation.seq)
            which = "" if waits else ", but for those that campaigns leave free"
            problem = f"all {declared.concurrent_out} slots of {declared.label!r} are taken{which}"
            raise Braked(kind, "no_free_slot", problem, transient=True)

    def _take(self, number: str, lease: Lease, most: int) -> bool:
        """Whether the operation has its slots."""
        with self._at_work[number]:
            for attempt in range(TRIES):
                may_be_old = attempt == 0 and number in self._cached
                row = self._cached[number] if may_be_old else self._read(number)
                leases = read_leases(row)
                mine = any(one.of == lease.of for one in leases)
                full = sum(one.telephones for one in leases) + lease.telephones > most
                if may_be_old and (mine or full):
                    continue
                if full and not mine:
                    return False
                with suppress(LostRace):
                    if not mine:
                        self._write(number, [*leases, lease], row)
                    self._is_taken(lease)
                    return True
            raise LostRace("slots")

    def free_for_campaigns(self, numbers: Collection[str]) -> dict[str, tuple[int, int]]:
        """Of each of these that is declared: how many telephones campaigns may have on the line, and how many more now.
        One round trip."""
        rows, found = self._rows.read(), dict[str, tuple[int, int]]()
        for number in numbers:
            if (declared := self._numbers.get(number)) is not None:
                most = declared.concurrent_out - declared.reserve
                found[number] = most, most - sum(one.telephones for one in read_leases(rows.get(number)))
        return found

    # A leg is over

    def turned(self, session: Session, later: Background) -> None:
        """A call has come to its next wait: have the leases of legs that are over given back soon."""
        call_id, is_over = session.record.call_id, session.record.status == "ended"
        legs = self._legs(session)
        over = {leg.seq: leg.number for leg in legs if not leg.telephones}
        with self._lock:
            given_back = self._given_back.get(call_id, set())
            due = {seq: number for seq, number in over.items() if seq not in given_back}
            if is_over and not due:
                self._remember(self._settled, call_id)
        if due:
            later.soon(f"slots {call_id}", partial(self._give_back, call_id, due, settled=is_over))

    def closing(self, record: CallRecord, look: Callable[[], Session]) -> None:
        """A call is about to be closed: give back what its legs hold that are over. StoreError.

        Args:
            look: gives the call, where this instance does not know that all is given back.
        """
        if record.call_id in self._settled:
            return
        over = {leg.seq: leg.number for leg in self._legs(look()) if not leg.telephones}
        self._give_back(record.call_id, over, settled=True)

    def _give_back(self, call_id: str, over: Mapping[int, str], *, settled: bool) -> None:
        """Give back the leases of operations of a call: their numbers by their positions."""
        for number in sorted(set(over.values())):
            self._drop(number, {(call_id, seq) for seq, found in over.items() if found == number})
        with self._lock:
            if over:
                self._remember(self._given_back, call_id).update(over)
            if settled:
                self._remember(self._settled, call_id)

    def _drop(self, number: str, over: Collection[tuple[str, int]]) -> None:
        with self._at_work[number]:
            for attempt in range(TRIES):
                row = self._cached.get(number) if attempt == 0 else self._read(number)
                leases = read_leases(row)
                kept = [lease for lease in leases if lease.of not in over]
                if len(kept) < len(leases):
                    with suppress(LostRace):
                        self._write(number, kept, row)
                        return
                elif attempt:
                    return
            raise LostRace("slots")

    # The watchdog

    def sweep(self, look: Look, *, idle: bool) -> None:
        """Now and then, give back the leases of legs that are over, and of transferred ones whose time is over.

        Args:
            idle: no call goes on.
        """
        now = self._clock()
        pause = IDLE_SWEEP if idle and self._empty else SWEEP
        if not self._numbers or 0 <= now - self._swept_at < pause:
            return
        self._swept_at = now
        rows = self._rows.read()
        self._empty = True
        for number, declared in self._numbers.items():
            leases = read_leases(rows.get(number))
            self._empty = self._empty and not leases
            longest = declared.transferred_minutes * 60_000
            over = {lease.of for lease in leases if not self._goes_on(lease, longest, now, look)}
            if over:
                log.warning("leases=%d of %s were left by legs that are over", len(over), declared.label)
                self._drop(number, over)

    def _goes_on(self, lease: Lease, longest: int, now: int, look: Look) -> bool:
        try:
            legs = look(lease.call_id, self._legs)
        except UnknownCall:  # it has been removed; what was transferred from it may still go on
            return now - lease.at <= longest
        leg = next((leg for leg in legs if leg.seq == lease.seq), None)
        if leg is None or not leg.telephones:
            return False
        return not leg.transferred_at or now - leg.transferred_at <= longest

    # Rows, and what this instance remembers

    def _legs(self, session: Session) -> list[Leg]:
        return [leg for leg in legs_of(session) if leg.number in self._numbers]

    def _read(self, number: str) -> StoredRow | None:
        row = self._rows.read().get(number)
        self._cached[number] = row
        return row

    def _write(self, number: str, leases: list[Lease], row: StoredRow | None) -> None:
        """Write a row and remember it. LostRace."""
        text = json.dumps(leases, separators=(",", ":"))
        version = self._rows.replace(number, text, row.version if row else None)
        self._cached[number] = StoredRow(text, version)

    def _is_taken(self, lease: Lease) -> None:
        """An operation has its lease, perhaps again: that it was given back before does not count."""
        with self._lock:
            self._given_back.get(lease.call_id, set()).discard(lease.seq)
            self._settled.pop(lease.call_id, None)

    def _remember(self, known: OrderedDict[str, set[int]], call_id: str) -> set[int]:
        """What is remembered of a call; of too many, the oldest is forgotten."""
        found = known.setdefault(call_id, set())
        known.move_to_end(call_id)
        if len(known) > MOST_KNOWN:
            known.popitem(last=False)
        return found
