"""Concurrent changes to the records of the ledger, and leases, by which one instance at a time works on a part."""

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
"""Seconds of the lease of a chunk, which its holder renews."""
REPORT_LEASE = 600.0
"""Seconds of the lease of a report, which may wait long for the transcriber."""
RENEWAL = 30.0
"""Seconds between renewals."""


class Superseded(Exception):
    """A change is no longer due: another instance has made it, or a newer one."""


class Leased(Protocol):
    """What one instance at a time works on: a chunk, or a whole recording whose report is due."""

    attempts: int
    leased_until: int
    holder: str


def release(leased: Leased) -> None:
    """End the lease."""
    leased.holder, leased.leased_until = "", 0


Pick = Callable[[RecordingRecord], Leased]
"""Finds the leased part of a record; Superseded if the work on it is no longer due."""


class LeasedRecords:
    """Loads and changes records of the ledger, and takes leases in them.

    Args:
        clock: Unix time in seconds, by which leases are given, renewed and expire.
    """

    def __init__(self, ledger: Ledger, clock: Callable[[], float] = time.time) -> None:
        self._ledger = ledger
        self._clock = clock

    def now(self) -> int:
        """Unix time in milliseconds."""
        return round(self._clock() * 1000)

    def load(self, recording: str) -> RecordingRecord:
        """A record. UnknownRecording."""
        return self._ledger.load(recording)[0]

    def change(self, recording: str, edit: Callable[[RecordingRecord], None]) -> RecordingRecord:
        """Edit a record and save it, again if another instance saved it meanwhile. LostRace; Superseded of `edit`."""
        mark = secrets.token_hex(8)
        for _ in range(RACES):
            record, version = self._ledger.load(recording)
            if record.mark == mark:  # our own write, whose response was lost
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
        """Take a lease for so many seconds and count an attempt; Superseded if it is taken, or nothing is due."""
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
        """Seconds until the lease expires; 0: it is free.

        One that lasts longer than a lease of so many seconds can was written by a wrong clock, and is ignored: working
        on one thing twice costs a download, a lease of years costs the recording.
        """
        left = (leased.leased_until - self.now()) / 1000
        return left if 0 < left <= 2 * seconds else 0.0

    def until(self, seconds: float) -> int:
        """When a lease that begins now expires, Unix time in milliseconds."""
        return self.now() + round(seconds * 1000)


class Lease:
    """The right to work on one thing, until it is settled or another instance takes the lease.

    If it was released meanwhile (the work was given up, or is to be done again) and not taken by another, the next
    renewal takes it again, so that the work so far is not lost.

    Attributes:
        record: as it was when the lease was taken, or last changed through it.
    """

    def __init__(
        self, records: LeasedRecords, record: RecordingRecord, pick: Pick, holder: str, seconds: float
    ) -> None:
        self.record = record
        self._records = records
        self._pick = pick
        self._holder = holder
        self._seconds = seconds
        self._renewed_at = records.now()

    def alive(self) -> None:
        """Renew it when that is due; call it often during long work. Superseded if another instance took it."""
        now = self._records.now()
        if 0 <= now - self._renewed_at < RENEWAL * 1000:  # a clock that was set back makes it due as well
            return
        self._renewed_at = now
        with suppress(StoreUnavailable, LostRace):  # the lease outlasts a few renewals that fail
            self._records.change(self.record.id, self._renew)

    def change(self, edit: Callable[[RecordingRecord], None]) -> RecordingRecord:
        """Edit the record and keep the lease; Superseded if another instance took it."""

        def held(record: RecordingRecord) -> None:
            self._renew(record)
            edit(record)

        self.record = self._records.change(self.record.id, held)
        return self.record

    def settle(self, edit: Callable[[RecordingRecord], None]) -> RecordingRecord:
        """Edit the record and release the lease; Superseded if another instance took it."""

        def released(record: RecordingRecord) -> None:
            release(self._held(record))
            edit(record)

        self.record = self._records.change(self.record.id, released)
        return self.record

    def _renew(self, record: RecordingRecord) -> None:
        leased = self._held(record)
        leased.holder, leased.leased_until = self._holder, self._records.until(self._seconds)

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
    """Why a step failed, for the ledger.

    An error of the app itself is logged, without its text, which may quote a transcript.
    """
    if isinstance(error, SwitchboardError):
        return str(error)
    name = type(error).__name__
    nameless = RuntimeError(name)
    log.error("the app failed recording=%s", recording, exc_info=(RuntimeError, nameless, error.__traceback__))
    return f"the app failed on it ({name}); its log says where."
