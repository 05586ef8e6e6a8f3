"""From settled files to the report: made once, told of once, however often somebody begins."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from shared.recordings.base import RecordingQueue
from shared.recordings.book import LONGEST_WAIT, REPORT_LEASE, Book, Moot, plain_reason
from shared.recordings.record import RecordingRecord

log = logging.getLogger("switchboard.recordings")

CALL_WAIT = 3600.0
"""Seconds that a report waits for its call to end."""
REPORT_ATTEMPTS = 10
"""Reports begun after which it is given up, some two hours after the first."""
FIRST_WAIT = 15.0
"""Seconds before the second attempt; twice as long before each further one."""


class Reporter(Protocol):
    """Makes and keeps the report of a recording whose files are settled."""

    def in_progress(self, record: RecordingRecord) -> bool:
        """Whether the call still goes on, so that its report would be of half a call."""

    def make(self, record: RecordingRecord, *, last: bool, alive: Callable[[], None]) -> str:
        """Make it and keep it, in place of one made before. What a reader of the ledger should know.

        Args:
            last: there will be no further attempt: rather a report without words than none.
            alive: called now and then during long work.

        Whatever it raises, a later attempt may succeed.
        """

    def tell(self, record: RecordingRecord) -> None:
        """Tell other systems of the report that is kept. TopicUnavailable, StoreUnavailable."""


class Finisher:
    """Has reports made, and gives them up."""

    def __init__(self, reporter: Reporter, book: Book, queue: RecordingQueue) -> None:
        self._reporter = reporter
        self._book = book
        self._queue = queue

    def report(self, record: RecordingRecord) -> str:
        """Make the report of a recording that is archived; the outcome in one word."""
        if record.status != "archived":
            return "duplicate"
        if _is_last(record):  # and it came to no end: the process died each time
            return self._give_up(record, "every attempt broke off in the middle; perhaps the memory ran out.")
        waited = self._book.now() - record.announced_at
        if waited < CALL_WAIT * 1000 and self._reporter.in_progress(record):
            self._queue.send(record.id, None, delay=10)
            return "early"

        def take(record: RecordingRecord) -> None:
            if record.status != "archived" or record.leased_until > self._book.now():
                raise Moot
            record.leased_until = self._book.lease(REPORT_LEASE)
            record.report_attempts += 1

        record = self._book.change(record.id, take)

        def renew(now: RecordingRecord) -> None:
            _still(record, now)
            now.leased_until = self._book.lease(REPORT_LEASE)

        try:
            note = record.note
            if not record.untold:
                alive = self._book.renewing(record.id, renew)
                note = self._reporter.make(record, last=_is_last(record), alive=alive)
        except Moot:
            raise
        except Exception as error:
            return self._later(record, error)
        try:
            self._reporter.tell(record)
        except Exception as error:
            if not _is_last(record):
                return self._later(record, error, made=note)
            log.error("nobody was told recording=%s", record.id)
            note = f"nobody was told: {plain_reason(error, record.id)}"

        def reported(now: RecordingRecord) -> None:
            _still(record, now)
            now.leased_until, now.reported_at, now.note, now.untold = 0, self._book.now(), note, False
            # What is missing stays a poison record, although the rest has its report.
            missing = next((chunk for chunk in now.chunks if chunk.status == "failed"), None)
            now.status = "failed" if missing else "reported"
            now.reason = f"chunk {missing.index}: {missing.reason}" if missing else ""

        self._book.change(record.id, reported)
        return "reported"

    def _later(self, record: RecordingRecord, error: Exception, *, made: str | None = None) -> str:
        """Try again after a while, unless this was the last attempt; the outcome in one word.

        Args:
            made: the note of a report that is kept, of which only nobody could be told.
        """
        reason = plain_reason(error, record.id)
        if _is_last(record):
            return self._give_up(record, reason)

        def waits(now: RecordingRecord) -> None:
            _still(record, now)
            now.leased_until, now.reason = 0, f"report: {reason}"
            if made is not None:
                now.note, now.untold = made, True

        self._book.change(record.id, waits)
        log.warning("no report yet recording=%s attempt=%d: %s", record.id, record.report_attempts, reason)
        wait = max(FIRST_WAIT * 2.0 ** (record.report_attempts - 1), getattr(error, "retry_after", None) or 0.0)
        self._queue.send(record.id, None, delay=min(LONGEST_WAIT, wait))
        return "retried"

    def _give_up(self, record: RecordingRecord, reason: str) -> str:
        def failed(now: RecordingRecord) -> None:
            _still(record, now)
            now.status, now.reason, now.leased_until = "failed", f"report: {reason}", 0

        self._book.change(record.id, failed)
        log.error("no report recording=%s: %s", record.id, reason)
        return "failed"


def _is_last(record: RecordingRecord) -> bool:
    return record.report_attempts >= REPORT_ATTEMPTS


def _still(begun: RecordingRecord, now: RecordingRecord) -> None:
    """Moot if somebody replayed it since this attempt began, if more files came, or if another instance took it."""
    if now.status != "archived" or (now.replays, now.report_attempts) != (begun.replays, begun.report_attempts):
        raise Moot
