"""What is done for a call once the response is out: actions confirmed, the index written, the call closed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from typing import NamedTuple

from shared.calls.actions import Run
from shared.calls.background import Background
from shared.calls.call_cache import CachedCall, StoredHead
from shared.calls.dispatcher import to_send
from shared.calls.journal import Entry
from shared.calls.loading import Calls
from shared.calls.loglines import log_closed
from shared.calls.record import CallRecord
from shared.calls.replay import Session
from shared.calls.sealing import DESTROYED, shown
from shared.calls.store.base import CallStore, Stored
from shared.errors import LostRace, StoreUnavailable

CONFIRM_AFTER = 1.0
"""Seconds after which a sent action that no event has confirmed is confirmed by a write of its own; well below the
grace period, so that no other instance takes it for unsent."""
OLD = 1_000
"""Milliseconds after which what is in memory of a call is checked before the call is put among the open ones (our
choice): another thread or instance may have closed it."""
MAX_RACES = 40
"""Lost commits in a row after which something is left to a redelivery, or to the watchdog."""


class Told(NamedTuple):
    """Somebody who is told of calls.

    Attributes:
        concerns: whether a call is one of those, without asking the storage.
    """

    tell: Callable[[CallRecord], None]
    concerns: Callable[[CallRecord], bool] = lambda record: True


@dataclass(slots=True)
class _Unwritten:
    """What this instance knows of a call and the stored head may not say yet, whether or not the call is in memory.

    Attributes:
        sent: operations that have left the app.
        ids: the ids that their responses gave.
        indexed: rows of the index that stand.
    """

    sent: set[int] = field(default_factory=set)
    ids: CallRecord = field(default_factory=lambda: CallRecord(""))
    indexed: tuple[str, ...] = ()

    def add(self, other: _Unwritten) -> None:
        """Know what another knows, too."""
        self.sent |= other.sent
        self.ids.fill_in(other.ids)
        self.indexed = other.indexed or self.indexed

    def write_to(self, record: CallRecord) -> None:
        """Put it into a record that was loaded from the store."""
        record.fill_in(self.ids)
        record.unconfirmed = [seq for seq in record.unconfirmed if seq not in self.sent]
        record.indexed = (*record.indexed, *(row for row in self.indexed if row not in record.indexed))


class Afterwards:
    """Leaves to later what may wait. What an instance loses of it, the watchdog does.

    Attributes:
        later: what runs it.
        turned: told of each call that has come to its next wait, by the thread that works on it.
        ended: told of each call that is over, as soon as this instance knows; it may be told again.
        closing: told of each call of theirs that is about to be closed; one that raises keeps it open, and is told
            again. Somebody who was told may be told again after a crash, or by another instance.

    Args:
        clock: Unix time in milliseconds.
        grace: seconds, as the conductor's.
    """

    def __init__(
        self, store: CallStore, calls: Calls, later: Background, clock: Callable[[], int], grace: float
    ) -> None:
        self._store = store
        self._calls = calls
        self._cache = calls.cache
        self.later = later
        self.turned: list[Callable[[Session], None]] = []
        self.ended: list[Callable[[str], None]] = []
        self.closing: list[Told] = []
        self._clock = clock
        self._grace = grace
        self._lock = threading.Lock()
        self._unwritten: dict[str, _Unwritten] = {}
        calls.complete = self._complete

    def keep_or_close(self, call_id: str, held: CachedCall) -> None:
        """Keep the call for its next event, or close it; confirm soon what has left."""
        for look in self.turned:
            look(held.session)
        if held.session.record.status == "ended":
            for tell in self.ended:
                tell(call_id)
        if held.session.finished:
            self.later_close(call_id)
            return
        self._cache.put(call_id, held)
        self.remember_sent(call_id, held)

    def remember_sent(self, call_id: str, held: CachedCall) -> None:
        """Confirm soon what has left by now, whatever becomes of the next commit."""
        record = held.session.record
        left = set(held.head.unconfirmed).difference(record.unconfirmed)
        if left:
            self._remember(call_id, _Unwritten(left, record))

    def confirm(self, call_id: str) -> None:
        """Write down which actions left and which rows of the index stand, if no event has done so by now, whether the
        call is still in memory or not.

        Later, if a thread is at work on the call: it may be for minutes, and the threads of `Background` are few.
        """
        with self._cache.locked(call_id, wait=False) as mine:
            if not mine:
                self._confirm_soon(call_id)
                return
            known = self._take_unwritten(call_id)
            try:
                self._confirm(call_id, known or _Unwritten())
            except StoreUnavailable:  # nobody else knows what left here, and would send it again
                if known is not None:
                    self._remember(call_id, known)
                raise

    def _confirm(self, call_id: str, known: _Unwritten) -> None:
        held = self._cache.take(call_id)
        if held is None and known == _Unwritten():
            return
        if held is not None:
            known.ids.fill_in(held.session.record)
        for _ in range(MAX_RACES):
            held = held or self._calls.load(call_id)
            known.write_to(held.session.record)
            if _says(held) or self._write_head(held):
                if not held.session.finished:
                    self._cache.put(call_id, held)
                return
            held = None  # somebody else has changed the call meanwhile, without knowing what left here

    def _remember(self, call_id: str, known: _Unwritten) -> None:
        with self._lock:
            self._unwritten.setdefault(call_id, _Unwritten()).add(known)
        self._confirm_soon(call_id)

    def learn_connection(self, record: CallRecord) -> None:
        """Look up the connection of a call whose head does not say it yet: whoever opened the call knows it, and says
        it in the index at once."""
        record.call_connection_id = self._store.connection_of(record.call_id)
        if record.call_connection_id:
            self._remember(record.call_id, _Unwritten(ids=record))

    def _complete(self, record: CallRecord) -> None:
        """Put into a record that was loaded what this instance knows beyond it."""
        with self._lock:
            known = self._unwritten.get(record.call_id)
            if known is not None:
                known.write_to(record)

    def _take_unwritten(self, call_id: str) -> _Unwritten | None:
        with self._lock:
            return self._unwritten.pop(call_id, None)

    def _confirm_soon(self, call_id: str) -> None:
        self.later.soon(f"confirm {call_id}", lambda: self.confirm(call_id), CONFIRM_AFTER)

    @contextmanager
    def kept_alive(self, held: CachedCall, entries: Iterable[Entry]) -> Iterator[None]:
        """While the service takes its time, write the head now and then: another instance that finds the call idle for
        the grace period would take this one for dead, and ask again. For the thread that has the call's lock."""
        if all(isinstance(operation.action, Run) for operation in to_send(held.session, entries)):
            yield
            return
        call_id, turn, over = held.session.record.call_id, threading.Lock(), False
        key, newest = f"sending {call_id}", held

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

    def keep_alive(self, call_id: str) -> None:
        """Write the head for a side effect that runs here; nothing, if a thread is at work on the call: what it writes
        tells the same."""
        with self._cache.locked(call_id, wait=False) as mine:
            if not mine:
                return
            held = self._cache.take(call_id) or self._calls.load(call_id)
            if not self._write_head(held):
                held = self._calls.load(call_id)  # an event came to another instance, which has just written it
            if not held.session.finished:
                self._cache.put(call_id, held)

    def later_index(self, held: CachedCall) -> None:
        """Have the call found by what has become known of it: not before the response, nor before the next action."""
        record = held.session.record
        if held.session.finished or self._store.indexed(record):
            return
        self.later.soon(f"index {record.call_id}", lambda: self.write_index(record))

    def write_index(self, record: CallRecord) -> None:
        """Write the rows of the index that are missing; the head names them with the next commit, or soon.

        Among the open calls it is put only while it has not ended: what a slow host remembers may be long over.
        """
        if self._store.indexed(record):
            return
        known = replace(record)
        if self._clock() - known.written_at > OLD:
            newest = self._store.peek(known.call_id)
            if newest.status == "ended":
                newest.fill_in(known)
                newest.indexed = known.indexed
                known = newest
        record.indexed = self._store.index(known)
        if known.status != "ended":
            self._remember(known.call_id, _Unwritten(indexed=record.indexed))

    def index(self, call_id: str) -> None:
        """Write the rows of the index that are missing, and in the head that they stand."""
        with self._cache.locked(call_id):
            held = self._cache.take(call_id) or self._calls.load(call_id)
            self.write_index(held.session.record)
            if self._write_head(held):  # else somebody else has the call; rows that they write again do no harm
                self._cache.put(call_id, held)

    def later_close(self, call_id: str) -> None:
        """Close the call soon."""
        self.later.soon(call_id, lambda: self.close(call_id))

    def close(self, call_id: str) -> None:
        """Archive a finished call and take it off the open ones."""
        stored, known = self._without_key(call_id), self._take_unwritten(call_id)
        record = stored.record
        if known is not None:
            known.write_to(record)
        if not self._store.indexed(record):
            self._store.index(record)
        self._tell(record)  # before the archive is written, which shows that it was told
        document = {**asdict(record), "secrets": "", "journal": list(map(shown, stored.journal))}
        self._store.close(record, document)
        log_closed(record, document["journal"])

    def _without_key(self, call_id: str) -> Stored:
        """A finished call whose secrets nobody can read any more; a side effect that never ended may have left them
        readable."""
        for _ in range(MAX_RACES):
            stored = self._store.load(call_id)
            if stored.record.secrets in ("", DESTROYED):
                return stored
            stored.record.secrets = DESTROYED
            stored.record.mark()
            with suppress(LostRace):  # or it was this very write: the next look tells
                self._store.commit(stored.record, [], stored.version)
        raise LostRace(call_id)

    def _tell(self, record: CallRecord) -> None:
        told = [one for one in self.closing if one.concerns(record)]
        if told and not self._store.is_closed(record):
            for one in told:
                one.tell(record)

    def _write_head(self, held: CachedCall) -> bool:
        """Write the head alone; False if somebody else has changed the call since."""
        record = held.session.record
        mark, head = record.mark(), StoredHead.of(record)  # now: other threads may confirm more while this is written
        try:
            version = self._store.commit(record, [], held.version)
        except LostRace:
            stored = self._store.load(record.call_id)
            if not stored.record.holds(mark, newest=True):
                return False
            version = stored.version  # our own write: only the response was lost
        held.wrote(version, head, self._clock())
        return True


def _says(held: CachedCall) -> bool:
    """Whether the stored head says what is known of the call, or need not: the closing writes the index too."""
    record = held.session.record
    indexed = record.status == "ended" or set(record.indexed) <= set(held.head.indexed)
    return indexed and held.head.unconfirmed == tuple(record.unconfirmed)
