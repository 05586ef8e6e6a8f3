"""What happens to a recording: announced, fetched chunk by chunk, reported, in the end deleted.

Every step may be done twice or break off anywhere: a step begins with the ledger, takes a lease there, and ends
with a conditional write. What fails for now goes on the queue again until the deadline; what is given up stays in
the ledger as a poison record, with its reason, until somebody replays it.
"""

from __future__ import annotations

import hashlib
import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from shared.errors import RecordingError, StoreUnavailable
from shared.events import RecordingFileStatusUpdated
from shared.recordings.base import Archive, Ledger, RecordingQueue, Source
from shared.recordings.book import LEASE, REPORT_LEASE, Book, Moot, chunk_of
from shared.recordings.fetching import CONTENT_TYPES, LONGEST_WAIT, Fetcher
from shared.recordings.record import ChunkRecord, RecordingRecord

log = logging.getLogger("switchboard.recordings")

FORGOTTEN = 2 * LONGEST_WAIT
"""Seconds without a change after which a recording's message must have been lost."""
CALL_WAIT = 3600.0
"""Seconds that a report waits for its call to end."""
REPORT_ATTEMPTS = 8
"""Reports begun after which it is given up."""


class Reporter(Protocol):
    """Makes and keeps the report of a recording whose files are settled."""

    def in_progress(self, record: RecordingRecord) -> bool:
        """Whether the call still goes on, so that its report would be of half a call."""

    def make(self, record: RecordingRecord, *, last: bool, alive: Callable[[], None]) -> str:
        """Make it, keep it, tell of it; in place of one made before. What a reader of the ledger should know.

        Args:
            last: there will be no further attempt: rather a report without words than none.
            alive: called now and then during long work.

        Raises RecordingError or StoreUnavailable if a later attempt may succeed.
        """


@dataclass(frozen=True, slots=True)
class Options:
    """What the settings say; the deadline in seconds from the file event."""

    deadline: float = 23 * 3600.0
    delete_source: bool = False
    at_once: int = 1
    retention_days: int = 90


class Pipeline:
    """The life of recordings. One for each process; its methods may be called from many threads."""

    def __init__(
        self,
        *,
        source: Source,
        archive: Archive,
        ledger: Ledger,
        queue: RecordingQueue,
        reporter: Reporter,
        options: Options,
        call_of: Callable[[str], str | None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._archive = archive
        self._ledger = ledger
        self._queue = queue
        self._reporter = reporter
        self._options = options
        self._call_of = call_of
        self._book = Book(ledger, clock)
        self._fetcher = Fetcher(source, archive, self._book, queue, delete_source=options.delete_source)
        self._room = threading.BoundedSemaphore(options.at_once)

    def announce(self, event: RecordingFileStatusUpdated) -> tuple[str, str]:
        """The service has files: register them and queue a message for each. The outcome, and the recording's id."""
        record = self._record_of(event)
        new = self._ledger.register(record)
        if not new:
            record = self._book.load(record.id)
        for chunk in record.chunks:
            if chunk.status == "waiting":
                self._queue.send(record.id, chunk.index)
        self._settle(record)
        return "registered" if new else "duplicate", record.id

    def work(self, recording: str, index: int | None) -> str:
        """Do what a message asks for: fetch a chunk, or (None) make the report. The outcome in one word."""
        try:
            record = self._book.load(recording)
            if index is None:
                return self._work(record, None, record.leased_until, lambda: self._report(record))
            chunk = chunk_of(record, index)
            if chunk.status == "archived" and self._options.delete_source and not chunk.deleted:
                self._fetcher.delete(record, chunk)
                return "archived"
            if chunk.status == "waiting" and self._book.now() >= record.deadline:
                last = chunk.reason or "it was never tried."
                outcome = self._fetcher.give_up(recording, index, f"given up at the deadline; last: {last}")
            elif chunk.status == "waiting":
                outcome = self._work(record, index, chunk.leased_until, lambda: self._fetcher.fetch(recording, index))
            else:
                outcome = "duplicate"
        except Moot:
            return "duplicate"
        self._settle(self._book.load(recording))
        return outcome

    def bury(self, recording: str, index: int | None, reason: str) -> None:
        """Its message failed too often, which is a fault of ours: make the poison record."""

        def failed(record: RecordingRecord) -> None:
            if record.status == "reported":
                raise Moot
            record.status, record.reason, record.leased_until = "failed", reason, 0

        try:
            if index is None:
                self._book.change(recording, failed)
            else:
                self._fetcher.give_up(recording, index, reason)
                self._settle(self._book.load(recording))
        except Moot:
            log.info("nothing to bury recording=%s", recording)

    def replay(self, recording: str) -> RecordingRecord:
        """Begin again with what failed, and make the report anew. What is archived is not fetched again."""

        def again(record: RecordingRecord) -> None:
            record.status, record.reason, record.note = "waiting", "", ""
            record.report_attempts = record.leased_until = 0
            record.replays += 1
            record.deadline = max(record.deadline, self._book.now() + round(self._options.deadline * 1000))
            for chunk in record.chunks:
                if chunk.status != "archived":
                    chunk.status, chunk.reason, chunk.attempts, chunk.leased_until = "waiting", "", 0, 0

        record = self._book.change(recording, again)
        self._resume(record)
        return record

    def tidy(self) -> dict[str, int]:
        """Take up what was forgotten, and delete what has expired. How many of each."""
        done = {"resumed": 0, "expired": 0}
        for record in self._ledger.unsettled():
            if self._book.now() - record.updated_at >= FORGOTTEN * 1000:
                self._resume(record)
                done["resumed"] += 1
        if self._options.retention_days:
            now = datetime.fromtimestamp(self._book.now() / 1000, UTC)
            for recording in self._ledger.older(f"{now - timedelta(days=self._options.retention_days):%Y-%m-%d}"):
                self.remove(recording)
                done["expired"] += 1
        return done

    def remove(self, recording: str) -> None:
        """Delete the archive, the report and the record."""
        self._archive.remove(self._book.load(recording).folder)
        self._ledger.remove(recording)

    def _work(self, record: RecordingRecord, index: int | None, leased_until: int, step: Callable[[], str]) -> str:
        """Do a step, if nobody else does it now and there is room for it here; else ask again later."""
        busy = (leased_until - self._book.now()) / 1000
        if busy > 0:
            self._queue.send(record.id, index, delay=min(LEASE, busy + 1))
            return "leased"
        # Never wait here: the thread is one of those that answer calls.
        if not self._room.acquire(blocking=False):
            self._queue.send(record.id, index, delay=random.uniform(2, 5))  # noqa: S311
            return "queued"
        try:
            return step()
        finally:
            self._room.release()

    def _report(self, record: RecordingRecord) -> str:
        if record.status != "archived":
            return "duplicate"
        waited = self._book.now() - record.announced_at
        if waited < CALL_WAIT * 1000 and self._reporter.in_progress(record):
            self._queue.send(record.id, None, delay=10)
            return "early"

        def take(record: RecordingRecord) -> None:
            if record.status != "archived" or record.leased_until > self._book.now():
                raise Moot
            record.leased_until = self._book.lease(REPORT_LEASE)
            record.report_attempts += 1

        def renew(record: RecordingRecord) -> None:
            record.leased_until = self._book.lease(REPORT_LEASE)

        record = self._book.change(record.id, take)
        last = record.report_attempts >= REPORT_ATTEMPTS
        try:
            note = self._reporter.make(record, last=last, alive=self._book.renewing(record.id, renew))
        except (RecordingError, StoreUnavailable) as error:
            return self._report_later(record, str(error), last=last)

        def reported(record: RecordingRecord) -> None:
            record.leased_until, record.reported_at, record.note = 0, self._book.now(), note
            # What is missing stays a poison record, although the rest has its report.
            missing = next((chunk for chunk in record.chunks if chunk.status == "failed"), None)
            record.status = "failed" if missing else "reported"
            record.reason = f"chunk {missing.index}: {missing.reason}" if missing else ""

        self._book.change(record.id, reported)
        return "reported"

    def _report_later(self, record: RecordingRecord, reason: str, *, last: bool) -> str:
        def waits(record: RecordingRecord) -> None:
            record.leased_until, record.reason = 0, f"report: {reason}"
            if last:
                record.status = "failed"

        self._book.change(record.id, waits)
        if last:
            log.error("no report recording=%s: %s", record.id, reason)
            return "failed"
        log.warning("no report yet recording=%s attempt=%d: %s", record.id, record.report_attempts, reason)
        self._queue.send(record.id, None, delay=min(LONGEST_WAIT, 2.0**record.report_attempts))
        return "retried"

    def _resume(self, record: RecordingRecord) -> None:
        for chunk in record.chunks:
            if chunk.status == "waiting":
                self._queue.send(record.id, chunk.index)
        self._settle(record)

    def _settle(self, record: RecordingRecord) -> None:
        """When no chunk waits any more: ask for the report, or call the whole recording failed."""
        if record.status not in ("waiting", "archived") or any(chunk.status == "waiting" for chunk in record.chunks):
            return

        def settled(record: RecordingRecord) -> None:
            if record.status != "waiting" or any(chunk.status == "waiting" for chunk in record.chunks):
                raise Moot
            kept = any(chunk.status == "archived" for chunk in record.chunks)
            record.status = "archived" if kept else "failed"

        try:
            record = self._book.change(record.id, settled)
        except Moot:
            record = self._book.load(record.id)
        if record.status == "archived":
            self._queue.send(record.id, None)

    def _record_of(self, event: RecordingFileStatusUpdated) -> RecordingRecord:
        """The record that an event begins. Its id follows from what every delivery of the event says alike."""
        ids = event.subject_ids
        recording = (
            event.recording_id or ids.get("recordingId") or (event.chunks[0].document_id if event.chunks else "")
        )
        began = event.recording_start_time or event.time
        announced = round(event.time.timestamp() * 1000)
        form = str(event.recording_format_type or "wav")
        server_call = ids.get("serverCallId", "")
        record = RecordingRecord(
            id=f"{began.astimezone(UTC):%Y%m%d}-{hashlib.sha256((recording or event.id).encode()).hexdigest()[:24]}",
            recording_id=recording,
            server_call_id=server_call,
            call_id=(server_call and self._call_of(server_call)) or "",
            channel_type=str(event.recording_channel_type or "mixed"),
            format=form,
            content_type=str(event.recording_content_type or "audio"),
            end_reason=event.session_end_reason or "",
            started_at=round(event.recording_start_time.timestamp() * 1000) if event.recording_start_time else 0,
            duration_ms=event.recording_duration_ms or 0,
            announced_at=announced,
            deadline=announced + round(self._options.deadline * 1000),
            updated_at=self._book.now(),
            chunks=[
                ChunkRecord(
                    index=chunk.index,
                    document_id=chunk.document_id,
                    content_location=chunk.content_location or "",
                    metadata_location=chunk.metadata_location or "",
                    delete_location=chunk.delete_location or "",
                )
                for chunk in event.chunks
            ],
        )
        if not record.chunks or form not in CONTENT_TYPES:
            problem = "the event names no file." if not record.chunks else f"the format {form!r} is not known."
            record.status, record.reason = "failed", problem
        return record
