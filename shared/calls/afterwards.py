"""What is done for a call once the response is out: actions confirmed, the index written, the call closed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace

from shared.calls.held import Held
from shared.calls.journal import Entry, Issued, Resent
from shared.calls.later import Later
from shared.calls.loading import Calls
from shared.calls.loglines import log_closed
from shared.calls.record import CallRecord
from shared.errors import LostRace, StoreUnavailable
from shared.store.base import CallStore, Version

CONFIRM_AFTER = 1.0
"""Seconds after which a sent action that no event has confirmed is confirmed by a write of its own; well below the
grace period, so that no other instance takes it for unsent."""
MAX_RACES = 40
"""Lost commits in a row after which something is left to a redelivery, or to the watchdog."""


class Afterwards:
    """Leaves to later what may wait. What an instance loses of it, the watchdog does.

    Attributes:
        later: what runs it.
        closing: told of each call that is about to be closed; one that raises keeps it open, and is told again.
            Somebody who was told may be told again after a crash, or by another instance.

    Args:
        clock: Unix time in milliseconds.
        grace: seconds, as the conductor's.
    """

    def __init__(self, store: CallStore, calls: Calls, later: Later, clock: Callable[[], int], grace: float) -> None:
        self._store = store
        self._calls = calls
        self._held = calls.held
        self.later = later
        self.closing: list[Callable[[CallRecord], None]] = []
        self._clock = clock
        self._grace = grace
        self._left: dict[str, set[int]] = {}

    def settle_down(self, call_id: str, held: Held) -> None:
        """Keep the call for its next event, or close it; confirm soon what has left."""
        if held.session.finished:
            self.later_close(call_id)
            return
        self._held.put(call_id, held)
        self.remember_left(call_id, held)

    def remember_left(self, call_id: str, held: Held) -> None:
        """Confirm soon what has left by now, whatever becomes of the next commit."""
        left = set(held.unconfirmed).difference(held.session.record.unconfirmed)
        if left:
            self._confirm_soon(call_id, left)

    def confirm(self, call_id: str) -> None:
        """Write down which actions left, if no event has done so by now, whether the call is still in memory or not.

        Later, if a thread is at work on the call: it may be for minutes, and the threads of `Later` are few.
        """
        with self._held.only_here(call_id, wait=False) as mine:
            if not mine:
                self._confirm_soon(call_id)
                return
            left = self._left.pop(call_id, set())
            try:
                self._confirm(call_id, left)
            except StoreUnavailable:  # nobody else knows what left here, and would send it again
                self._confirm_soon(call_id, left)
                raise

    def _confirm(self, call_id: str, left: set[int]) -> None:
        held = self._held.take(call_id)
        known = replace(held.session.record) if held else CallRecord(call_id)
        for _ in range(MAX_RACES):
            held = held or self._calls.load(call_id)
            record = held.session.record
            record.fill_in(known)
            record.unconfirmed = [seq for seq in record.unconfirmed if seq not in left]
            if held.unconfirmed == tuple(record.unconfirmed) or self._write_head(held):
                self._held.put(call_id, held)
                return
            held = None  # somebody else has changed the call meanwhile, without knowing what left here

    def _confirm_soon(self, call_id: str, left: Iterable[int] = ()) -> None:
        self._left.setdefault(call_id, set()).update(left)
        self.later.soon(call_id, lambda: self.confirm(call_id), CONFIRM_AFTER)

    @contextmanager
    def kept_alive(self, held: Held, entries: Iterable[Entry]) -> Iterator[None]:
        """While a side effect runs, or the service takes its time, write the head now and then: another instance that
        finds the call quiet for the grace period would take this one for dead, and ask again."""
        if not any(isinstance(entry, Issued | Resent) for entry in entries):
            yield
            return
        call_id, turn, over = held.session.record.call_id, threading.Lock(), False
        key, newest = f"alive {call_id}", held

        def write() -> None:
            nonlocal newest
            with turn:
                if over:
                    return
                self.later.soon(key, write, self._grace / 3)  # first: a write that fails must not be the last one
                if not self._write_head(newest):
                    newest = self._calls.load(call_id)  # an event came to another instance; what runs here runs on

        self.later.soon(key, write, self._grace / 3)
        try:
            yield
        finally:
            with turn:
                over = True

    def later_index(self, held: Held) -> None:
        """Have the call found by what has become known of it: not before the response, nor before the next action."""
        record = held.session.record
        if held.session.finished or self._store.indexed(record):
            return
        known, key = replace(record), f"index {record.call_id}"

        def index() -> None:
            record.indexed = self._store.index(known)
            version = held.version
            self.later.soon(key, lambda: self.index(known.call_id, version), CONFIRM_AFTER)

        self.later.soon(key, index)

    def index(self, call_id: str, version: Version | None = None) -> None:
        """Write the rows of the index that are missing, and in the head that they stand.

        Args:
            version: only if the call is held at this version: a later commit has said it already.
        """
        with self._held.only_here(call_id, wait=version is None) as mine:
            if not mine:
                self.later.soon(f"index {call_id}", lambda: self.index(call_id, version), CONFIRM_AFTER)
                return
            held = self._held.take(call_id)
            if version is None or (held and held.version == version):
                held = held or self._calls.load(call_id)
                held.session.record.indexed = self._store.index(held.session.record)
                if not self._write_head(held):
                    return  # somebody else has the call now; rows that they write again do no harm
            if held:
                self._held.put(call_id, held)

    def later_close(self, call_id: str) -> None:
        """Close the call soon."""
        self.later.soon(call_id, lambda: self.close(call_id))

    def close(self, call_id: str) -> None:
        """Archive a finished call and take it off the open ones."""
        stored = self._store.load(call_id)
        if not self._store.indexed(stored.record):
            self._store.index(stored.record)
        self._tell(stored.record)  # before the archive is written, which shows that it was told
        document = {**asdict(stored.record), "journal": [json.loads(entry) for entry in stored.journal]}
        self._store.close(stored.record, document)
        log_closed(stored.record)

    def _tell(self, record: CallRecord) -> None:
        if self.closing and not self._store.is_closed(record):
            for tell in self.closing:
                tell(record)

    def _write_head(self, held: Held) -> bool:
        """Write the head alone; False if somebody else has changed the call since."""
        record = held.session.record
        record.mark()
        unconfirmed = tuple(record.unconfirmed)  # now: the thread that sends may confirm more while this is written
        try:
            held.version = self._store.commit(record, [], held.version)
        except LostRace:
            stored = self._store.load(record.call_id)
            if not set(stored.record.marks[-1:]).intersection(record.marks):
                return False
            # Our own write, or one before it that seemed to fail: only the response was lost.
            held.version, unconfirmed = stored.version, tuple(stored.record.unconfirmed)
        record.written_at = self._clock()
        held.unconfirmed = unconfirmed
        return True
