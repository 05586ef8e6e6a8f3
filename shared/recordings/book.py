"""Changes to the records in the ledger, by many hands at once, and the leases by which one hand at a time works."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from shared.calls.store.base import RACES
from shared.errors import LostRace, StoreUnavailable, SwitchboardError
from shared.logs import logger
from shared.recordings.base import Ledger
from shared.recordings.record import ChunkRecord, RecordingRecord

log = logger("switchboard.recordings")

LONGEST_WAIT = 3600.0
"""Seconds between two attempts, at most."""
LEASE = 120.0
"""Seconds that an instance has a chunk to itself; it renews that while it is at work."""
REPORT_LEASE = 600.0
"""The same of a report, which may wait long for a transcriber's response."""
RENEWAL = 30.0
"""Seconds after which it does."""


class Superseded(Exception):
    """A change is no longer due: somebody else did it, or something else."""


class Leased(Protocol):
    """What one instance at a time works on: a chunk, or a whole recording whose report is due."""

    attempts: int
    leased_until: int
    holder: str


def release(leased: Leased) -> None:
    """Nobody holds it any more."""
    leased.holder, leased.leased_until = "", 0


Pick = Callable[[RecordingRecord], Leased]
"""What a lease is for, in a record; Superseded if what is being done on it does not count any more."""


class Book:
    """The ledger, as the steps of the pipeline use it.

    Args:
        clock: Unix time in seconds: the one clock by which leases are given, renewed and run out.
    """

    def __init__(self, ledger: Ledger, clock: Callable[[], float] = time.time) -> None:
        self._ledger = ledger
        self._clock = clock

    def now(self) -> int:
        """Unix time in milliseconds."""
        return round(self._clock() * 1000)

    def load(self, recording: str) -> RecordingRecord:
        """UnknownRecording."""
        return self._ledger.load(recording)[0]

    def change(self, recording: str, edit: Callable[[RecordingRecord], None]) -> RecordingRecord:
        """Edit a record and save it; again on what somebody else has saved meanwhile. Superseded goes through."""
        mark = secrets.token_hex(8)
        for _ in range(RACES):
            record, version = self._ledger.load(recording)
            if record.mark == mark:  # saved by us: only the response was lost, and a retry met our own write
                return record
            edit(record)
            record.updated_at, record.mark = self.now(), mark
            try:
                self._ledger.save(record, version)
            except LostRace:
                continue
            return record
        raise LostRace(f"recording {recording}: changed {RACES} times while it was read")

    def take(
        self, recording: str, pick: Pick, seconds: float, *, due: Callable[[RecordingRecord], bool] = lambda _: True
    ) -> Lease:
        """Take a lease for so many seconds and count an attempt; Superseded if somebody holds it, or nothing is due."""
        holder = secrets.token_hex(8)

        def edit(record: RecordingRecord) -> None:
            leased = pick(record)
            if leased.holder == holder:
                return
            if not due(record) or self.busy(leased, seconds):
                raise Superseded
            leased.attempts += 1
            leased.holder, leased.leased_until = holder, self.until(seconds)

        return Lease(self, self.change(recording, edit), pick, holder, seconds)

    def busy(self, leased: Leased, seconds: float) -> float:
        """Seconds for which somebody holds the lease; 0: nobody does.

        One that goes on for longer than any lease of so many seconds does was written by a clock that was wrong. It
        does not count: two at work at once cost a download, a lease of years costs the recording.
        """
        left = (leased.leased_until - self.now()) / 1000
        return left if 0 < left <= 2 * seconds else 0.0

    def until(self, seconds: float) -> int:
        """Until when a lease goes that begins now."""
        return self.now() + round(seconds * 1000)


class Lease:
    """The right to work on one thing, until it is settled or somebody else takes it over.

    One that was taken away (the work was given up, or is to be done again) while nobody else has taken it yet is
    taken again at the next renewal: what has come so far is not thrown away.

    Attributes:
        record: as it was when the lease was taken, or last changed through it.
    """

    def __init__(self, book: Book, record: RecordingRecord, pick: Pick, holder: str, seconds: float) -> None:
        self.record = record
        self._book = book
        self._pick = pick
        self._holder = holder
        self._seconds = seconds
        self._renewed_at = book.now()

    def alive(self) -> None:
        """Renew it when that is due; to be called often during long work. Superseded if somebody else took it."""
        now = self._book.now()
        if 0 <= now - self._renewed_at < RENEWAL * 1000:  # a clock that was set back makes it due as well
            return
        self._renewed_at = now
        with suppress(StoreUnavailable, LostRace):  # the lease outlasts a few renewals that fail
            self._book.change(self.record.id, self._renew)

    def change(self, edit: Callable[[RecordingRecord], None]) -> RecordingRecord:
        """Edit the record and go on; Superseded if somebody else took the lease."""

        def held(record: RecordingRecord) -> None:
            self._renew(record)
            edit(record)

        self.record = self._book.change(self.record.id, held)
        return self.record

    def settle(self, edit: Callable[[RecordingRecord], None]) -> RecordingRecord:
        """Edit the record and give the lease back; Superseded if somebody else took it."""

        def released(record: RecordingRecord) -> None:
            release(self._held(record))
            edit(record)

        self.record = self._book.change(self.record.id, released)
        return self.record

    def _renew(self, record: RecordingRecord) -> None:
        leased = self._held(record)
        leased.holder, leased.leased_until = self._holder, self._book.until(self._seconds)

    def _held(self, record: RecordingRecord) -> Leased:
        leased = self._pick(record)
        if leased.holder not in ("", self._holder):
            raise Superseded
        return leased


def chunk_of(record: RecordingRecord, index: int) -> ChunkRecord:
    """The chunk with this index; Superseded if there is none."""
    for chunk in record.chunks:
        if chunk.index == index:
            return chunk
    raise Superseded(f"recording {record.id} has no chunk {index}")


def plain_reason(error: Exception, recording: str) -> str:
    """Why a step failed, in words for the ledger.

    A fault of the app's own is logged, without the error's text: it may quote what was said.
    """
    if isinstance(error, SwitchboardError):
        return str(error)
    name = type(error).__name__
    nameless = RuntimeError(name)
    log.error("the app failed recording=%s", recording, exc_info=(RuntimeError, nameless, error.__traceback__))
    return f"the app failed on it ({name}); its log says where."
