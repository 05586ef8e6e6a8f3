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

from shared.errors import StoreError
from shared.events import RecordingFileStatusUpdated
from shared.recordings.base import Archive, Ledger, RecordingQueue, Source
from shared.recordings.book import LEASE, LONGEST_WAIT, Book, Moot, chunk_of
from shared.recordings.fetching import CONTENT_TYPES, Fetcher
from shared.recordings.finishing import Finisher, Reporter
from shared.recordings.record import ChunkRecord, RecordingRecord

log = logging.getLogger("switchboard.recordings")

REPLAY_SECONDS = 3600
"""How long a replay tries, whatever is left of the first deadline."""
FORGOTTEN = 2 * LONGEST_WAIT
"""Seconds without a change after which a recording's message must have been lost."""


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
        call_of: Callable[[str, str], str | None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._archive = archive
        self._ledger = ledger
        self._queue = queue
        self._options = options
        self._call_of = call_of
        self._book = Book(ledger, clock)
        self._fetcher = Fetcher(source, archive, self._book, queue, delete_source=options.delete_source)
        self._finisher = Finisher(reporter, self._book, queue)
        self._room = threading.BoundedSemaphore(options.at_once)

    def announce(self, event: RecordingFileStatusUpdated) -> tuple[str, str]:
        """The service has files: register them and queue a message for each. The outcome, and the recording's id."""
        record = self._record_of(event)
        new = self._ledger.register(record)
        if not new:
            record = self._with_later_files(record)
        elif record.status == "failed":
            log.error("given up recording=%s: %s", record.id, record.reason)
        self._resume(record)
        return "registered" if new else "duplicate", record.id

    def work(self, recording: str, index: int | None) -> str:
        """Do what a message asks for: fetch a chunk, or (None) make the report. The outcome in one word."""
        try:
            return self._do(recording, index)
        except Moot:
            return "duplicate"
        except StoreError as error:
            # The storage fails, not the recording: its message must not end in the poison queue.
            log.warning("the storage failed recording=%s: %s", recording, error)
            self._queue.send(recording, index, delay=random.uniform(30, 60))  # noqa: S311
            return "retried"

    def bury(self, recording: str, index: int | None, reason: str) -> None:
        """Its message failed too often, which is a fault of ours: make the poison record."""

        def failed(record: RecordingRecord) -> None:
            if record.status != "archived":
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
            _begin(record)
            record.replays += 1
            record.deadline = max(record.deadline, self._book.now() + REPLAY_SECONDS * 1000)
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
                # Its messages may only be late: another set each time that the timer comes would never end.
                self._book.change(record.id, lambda _: None)
                done["resumed"] += 1
        if self._options.retention_days:
            now = datetime.fromtimestamp(self._book.now() / 1000, UTC)
            for recording in self._ledger.older(f"{now - timedelta(days=self._options.retention_days):%Y-%m-%d}"):
                done["expired"] += self.remove(recording)
        return done

    def remove(self, recording: str) -> bool:
        """Delete the archive, the report and the record. False: not now, since an instance is at work on it."""
        record = self._book.load(recording)
        if max([record.leased_until, *(chunk.leased_until for chunk in record.chunks)]) > self._book.now():
            return False
        self._archive.remove(record.folder)
        self._ledger.remove(recording)
        return True

    def _do(self, recording: str, index: int | None) -> str:
        record, now = self._book.load(recording), self._book.now()
        if index is None:
            return self._in_turn(record, None, record.leased_until, lambda: self._finisher.report(record))
        chunk = chunk_of(record, index)
        if chunk.status == "archived" and self._options.delete_source and not chunk.deleted:
            self._fetcher.delete(record, chunk)
            if record.status != "waiting":
                return "archived"
            outcome = "archived"
        elif chunk.status != "waiting":
            outcome = "duplicate"
        elif now >= record.deadline and now >= chunk.leased_until:
            last = chunk.reason or "it was never tried."
            outcome = self._fetcher.give_up(recording, index, f"given up at the deadline; last: {last}")
        else:
            outcome = self._in_turn(record, index, chunk.leased_until, lambda: self._fetcher.fetch(recording, index))
            if outcome not in ("archived", "failed"):
                return outcome
        self._settle(self._book.load(recording))
        return outcome

    def _in_turn(self, record: RecordingRecord, index: int | None, leased_until: int, step: Callable[[], str]) -> str:
        """Do a step, if nobody else does it now and there is room for it here; else ask again later."""
        busy = (leased_until - self._book.now()) / 1000
        if busy > 0:
            self._queue.send(record.id, index, delay=min(LEASE, busy + 1))
            return "leased"
        # Never wait here: the thread is one of those that answer calls.
        if not self._room.acquire(blocking=False):
            # What has waited long asks less often, or a backlog would keep the queue busy with itself.
            waited = (self._book.now() - record.updated_at) / 1000
            delay = min(30.0, max(3.0, waited / 10)) * random.uniform(0.7, 1.3)  # noqa: S311
            self._queue.send(record.id, index, delay=delay)
            return "queued"
        try:
            return step()
        finally:
            self._room.release()

    def _with_later_files(self, record: RecordingRecord) -> RecordingRecord:
        """The record that was registered before, with the files that only this event names: the session went on."""

        def add(known: RecordingRecord) -> None:
            held = {chunk.index for chunk in known.chunks}
            later = [chunk for chunk in record.chunks if chunk.index not in held]
            if not later:
                raise Moot
            known.chunks = sorted([*known.chunks, *later], key=lambda chunk: chunk.index)
            known.duration_ms, known.end_reason = record.duration_ms, record.end_reason
            known.deadline = max(known.deadline, record.deadline)
            _begin(known)

        try:
            return self._book.change(record.id, add)
        except Moot:
            return self._book.load(record.id)

    def _resume(self, record: RecordingRecord) -> None:
        """Send a message for each file that waits; if none does, go on with the report."""
        for chunk in record.chunks:
            if record.status == "waiting" and chunk.status == "waiting":
                self._queue.send(record.id, chunk.index)
        self._settle(record)

    def _settle(self, record: RecordingRecord) -> None:
        """When no chunk waits any more: ask for the report, or call the whole recording failed."""

        def settled(record: RecordingRecord) -> None:
            if not _is_due(record):
                raise Moot
            kept = any(chunk.status == "archived" for chunk in record.chunks)
            record.status = "archived" if kept else "failed"
            record.call_id = record.call_id or self._call_id(record)

        if _is_due(record):
            try:
                record = self._book.change(record.id, settled)
            except Moot:
                record = self._book.load(record.id)
        if record.status == "archived":
            self._queue.send(record.id, None)

    def _call_id(self, record: RecordingRecord) -> str:
        """The call, if the app knows it by now."""
        return self._call_of(record.recording_id, record.server_call_id) or ""

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
                # An index names one chunk of a recording; the first of two that share it counts.
                for chunk in {chunk.index: chunk for chunk in reversed(event.chunks)}.values()
            ],
        )
        record.call_id = self._call_id(record)
        record.chunks.sort(key=lambda chunk: chunk.index)
        _begin(record)
        return record


def _is_due(record: RecordingRecord) -> bool:
    """Whether it waits, and no file of it does any more."""
    return record.status == "waiting" and all(chunk.status != "waiting" for chunk in record.chunks)


def _begin(record: RecordingRecord) -> None:
    """Let it wait for its files, and then for a new report; or fail, if there is nothing that could be fetched."""
    record.reason = ""
    if not record.chunks:
        record.reason = "the event names no file."
    elif record.format not in CONTENT_TYPES:
        record.reason = f"the format {record.format!r} is not known."
    record.status = "failed" if record.reason else "waiting"
    record.note, record.untold = "", False
    record.report_attempts = record.leased_until = 0
