"""Changes to the records in the ledger, by many hands at once."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from contextlib import suppress

from shared.errors import LostRace, StoreUnavailable, SwitchboardError
from shared.recordings.base import Ledger
from shared.recordings.record import ChunkRecord, RecordingRecord

log = logging.getLogger("switchboard.recordings")

LONGEST_WAIT = 3600.0
"""Seconds between two attempts, at most."""
LEASE = 120.0
"""Seconds that an instance has a chunk to itself; it renews that while it is at work."""
REPORT_LEASE = 600.0
"""The same of a report, which may wait long for a transcriber's answer."""
RENEWAL = 30.0
"""Seconds after which it does."""

_RACES = 50


class Moot(Exception):
    """A change is no longer due: somebody else did it, or something else."""


class Book:
    """The ledger, as the steps of the pipeline use it."""

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
        """Edit a record and save it; again on what somebody else has saved meanwhile. Moot goes through."""
        for _ in range(_RACES):
            record, version = self._ledger.load(recording)
            edit(record)
            record.updated_at = self.now()
            try:
                self._ledger.save(record, version)
            except LostRace:
                continue
            return record
        raise LostRace(f"recording {recording}: changed {_RACES} times while it was read")

    def lease(self, seconds: float = LEASE) -> int:
        """Until when a lease goes that begins now."""
        return self.now() + round(seconds * 1000)

    def renewing(self, recording: str, edit: Callable[[RecordingRecord], None]) -> Callable[[], None]:
        """A function to be called often during long work, which makes the edit every RENEWAL seconds."""
        due = time.monotonic() + RENEWAL

        def alive() -> None:
            nonlocal due
            if time.monotonic() >= due:
                due = time.monotonic() + RENEWAL
                with suppress(StoreUnavailable):  # the lease outlasts a few renewals that fail
                    self.change(recording, edit)

        return alive


def chunk_of(record: RecordingRecord, index: int) -> ChunkRecord:
    """The chunk with this index; Moot if there is none."""
    for chunk in record.chunks:
        if chunk.index == index:
            return chunk
    raise Moot(f"recording {record.id} has no chunk {index}")


def plain_reason(error: Exception, recording: str) -> str:
    """Why a step failed, in words for the ledger.

    A fault of the app's own is logged, without the error's text: it may quote what was said.
    """
    if isinstance(error, SwitchboardError):
        return str(error)
    name = type(error).__name__
    log.error("the app failed recording=%s: %s\n%s", recording, name, "".join(traceback.format_tb(error.__traceback__)))
    return f"the app failed on it ({name}); its log says where."
