"""Makes the report once all files are settled, and publishes its event: once for each generation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from shared.logs import logger
from shared.recordings.base import RecordingQueue
from shared.recordings.leased_records import (
    LONGEST_WAIT,
    REPORT_LEASE,
    Lease,
    LeasedRecords,
    Superseded,
    plain_reason,
    release,
)
from shared.recordings.record import RecordingRecord

log = logger("switchboard.recordings")

CALL_WAIT = 3600.0
"""Seconds that a report waits for its call to end."""
REPORT_ATTEMPTS = 10
"""Attempts after which a report is given up, some two hours after the first."""
FIRST_WAIT = 15.0
"""Seconds before the second attempt; twice as long before each further one."""


class Reporter(Protocol):
    """Makes and keeps the report of a recording whose files are settled."""

    def in_progress(self, record: RecordingRecord) -> bool:
        """Whether the call is still up, so that a report would be incomplete."""

    def make(self, record: RecordingRecord, *, last: bool, alive: Callable[[], None]) -> str:
        """Make and store it, in place of one of an older generation. Returns a note for the ledger.

        Args:
            last: there is no further attempt, so a report without a transcript is better than none.
            alive: called regularly during long work.

        Raises:
            Superseded: there is one of a later generation. After any other error a later attempt may succeed.
        """

    def publish(self, record: RecordingRecord) -> None:
        """Publish the event of the report of this generation. TopicUnavailable, StoreUnavailable, Superseded."""


class ReportJob:
    """Makes reports, with retries, and gives them up."""

    def __init__(self, reporter: Reporter, records: LeasedRecords, queue: RecordingQueue) -> None:
        self._reporter = reporter
        self._records = records
        self._queue = queue

    def report(self, record: RecordingRecord) -> str:
        """Make the report of a recording that is archived; the outcome as the log has it."""
        if record.status != "archived":
            return "duplicate"
        if _is_last(record):  # and did not finish: the process died each time
            problem = "every attempt broke off in the middle; perhaps the memory ran out."
            return self._unpublished(record, problem) if record.untold else self._give_up(record, problem)
        waited = self._records.now() - record.announced_at
        if waited < CALL_WAIT * 1000 and self._reporter.in_progress(record):
            self._queue.send(record.id, None, delay=10)
            return "early"

        def due(now: RecordingRecord) -> RecordingRecord:
            if _due(now).generation != record.generation:
                raise Superseded
            return now

        lease = self._records.take(record.id, due, REPORT_LEASE)
        try:
            if not lease.record.untold:
                self._make(lease)
        except Superseded:
            raise
        except Exception as error:
            return self._later(lease, error)
        note = lease.record.note
        try:
            self._reporter.publish(lease.record)
        except Superseded:
            raise
        except Exception as error:
            if not _is_last(lease.record):
                return self._later(lease, error)
            log.error("no event recording=%s", record.id)
            note = f"no event was published: {plain_reason(error, record.id)}"

        lease.settle(lambda now: self._reported(now, note))
        return "reported"

    def _reported(self, now: RecordingRecord, note: str) -> None:
        now.reported_at, now.note, now.untold = self._records.now(), note, False
        # A missing file stays a poison record, although there is a report on the rest.
        missing = next((chunk for chunk in now.chunks if chunk.status == "failed"), None)
        now.status = "failed" if missing else "reported"
        now.reason = f"chunk {missing.index}: {missing.reason}" if missing else ""

    def _make(self, lease: Lease) -> None:
        """Make and store the report. The ledger notes that before the event, so that it is not made twice."""
        note = self._reporter.make(lease.record, last=_is_last(lease.record), alive=lease.alive)

        def made(now: RecordingRecord) -> None:
            now.note, now.untold = note, True

        lease.change(made)

    def _later(self, lease: Lease, error: Exception) -> str:
        """Retry later, unless this was the last attempt; the outcome."""
        record = lease.record
        reason = plain_reason(error, record.id)
        if _is_last(record):
            return self._give_up(record, reason)

        def waits(now: RecordingRecord) -> None:
            now.reason = f"report: {reason}"

        lease.settle(waits)
        log.warning("no report yet recording=%s attempt=%d: %s", record.id, record.attempts, reason)
        wait = max(FIRST_WAIT * 2.0 ** (record.attempts - 1), getattr(error, "retry_after", None) or 0.0)
        self._queue.send(record.id, None, delay=min(LONGEST_WAIT, wait))
        return "retried"

    def _unpublished(self, record: RecordingRecord, reason: str) -> str:
        """Settle a report that is stored, but whose event could not be published in any attempt."""

        def reported(now: RecordingRecord) -> None:
            _same(record, now)
            self._reported(now, f"no event was published: {reason}")
            release(now)

        self._records.change(record.id, reported)
        log.error("no event recording=%s", record.id)
        return "reported"

    def _give_up(self, record: RecordingRecord, reason: str) -> str:
        def failed(now: RecordingRecord) -> None:
            _same(record, now)
            release(now)
            now.status, now.reason = "failed", f"report: {reason}"

        self._records.change(record.id, failed)
        log.error("no report recording=%s: %s", record.id, reason)
        return "failed"


def _same(begun: RecordingRecord, now: RecordingRecord) -> None:
    """Superseded if there is a newer generation, or another attempt at this one."""
    if (_due(now).generation, now.attempts) != (begun.generation, begun.attempts):
        raise Superseded


def _is_last(record: RecordingRecord) -> bool:
    return record.attempts >= REPORT_ATTEMPTS


def _due(record: RecordingRecord) -> RecordingRecord:
    """The record, if a report of it is due; Superseded otherwise."""
    if record.status != "archived":
        raise Superseded
    return record
