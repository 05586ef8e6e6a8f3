"""What happens to a recording: announced, fetched chunk by chunk, reported, in the end deleted.

Every step may be done twice or break off anywhere: a step begins with the ledger, takes a lease there, and ends
with a conditional write. What fails for now goes on the queue again until the deadline; what is given up stays in
the ledger as a poison record, with its reason, until somebody replays it.

Only recordings of this app's calls are fetched, unless the options say all. A call may become known after its file
event: its index is written behind its first action. So a recording whose call is not known is looked up again, at
ever longer intervals, for as long as the service keeps its files.
"""

from __future__ import annotations

import hashlib
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from shared.errors import StoreError, UnknownRecording
from shared.events import RecordingFileStatusUpdated
from shared.recordings.base import Archive, Ledger, RecordingQueue, Source
from shared.recordings.book import LEASE, LONGEST_WAIT, REPORT_LEASE, Book, Leased, Superseded, chunk_of, plain_reason
from shared.recordings.fetching import Fetcher
from shared.recordings.finishing import Finisher, Reporter
from shared.recordings.record import ChunkRecord, RecordingRecord

log = logging.getLogger("switchboard.recordings")

REPLAY_SECONDS = 3600
"""How long a replay tries, whatever is left of the first deadline."""
FORGOTTEN = 2 * LONGEST_WAIT
"""Seconds without a change after which a recording's message must have been lost."""
FIRST_LOOK = 15.0
"""Seconds after which a call that is not known is looked up again; each further time at twice the event's age."""

UNCLAIMED = "no call of this app is known for it, so it is not fetched; RECORDING_SCOPE=all fetches it all the same."


@dataclass(frozen=True, slots=True)
class Options:
    """What the settings say.

    Attributes:
        deadline: in seconds from the file event.
        all_recordings: fetch those of other applications of the resource too.
    """

    deadline: float = 23 * 3600.0
    all_recordings: bool = False
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
        self._options = options
        self._call_of = call_of
        self._book = Book(ledger, clock)
        self._fetcher = Fetcher(source, archive, self._book, queue)
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
        except Superseded:
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
                raise Superseded
            record.status, record.reason, record.leased_until, record.holder = "failed", reason, 0, ""

        try:
            if index is None:
                self._book.change(recording, failed)
            else:
                self._fetcher.give_up(recording, index, reason)
                self._settle(self._book.load(recording))
        except Superseded:
            log.info("nothing to bury recording=%s", recording)

    def replay(self, recording: str) -> RecordingRecord:
        """Begin again with what failed, and make the report anew. What is archived is not fetched again."""

        def again(record: RecordingRecord) -> None:
            self._begin(record)
            record.deadline = max(record.deadline, self._book.now() + REPLAY_SECONDS * 1000)
            for chunk in record.chunks:
                unread = chunk.name.endswith(".wav") and not chunk.analysed  # it may have been a fault of ours
                if chunk.status != "archived" or unread or (chunk.damaged and self._is_ours(record)):
                    chunk.status, chunk.reason, chunk.attempts = "waiting", "", 0
                    chunk.leased_until, chunk.holder = 0, ""

        record = self._book.change(recording, again)
        self._resume(record)
        return record

    def tidy(self) -> dict[str, int]:
        """Take up what was forgotten, and delete what has expired. How many of each, and of what went wrong."""
        done: Counter[str] = Counter()
        for record in self._ledger.unsettled():
            if self._is_forgotten(record):
                done[self._swept(record.id, "resumed", partial(self._take_up, record))] += 1
        if self._options.retention_days:
            now = datetime.fromtimestamp(self._book.now() / 1000, UTC)
            for recording in self._ledger.older(f"{now - timedelta(days=self._options.retention_days):%Y-%m-%d}"):
                done[self._swept(recording, "expired", partial(self.remove, recording))] += 1
        return {what: done[what] for what in ("resumed", "expired", "failed")}

    def remove(self, recording: str) -> bool:
        """Delete the archive, the report and the record. False: not now, since an instance is at work on it."""
        record = self._book.load(recording)
        if self._book.busy(record, REPORT_LEASE) or any(self._book.busy(chunk, LEASE) for chunk in record.chunks):
            return False
        self._archive.remove(record.folder)
        self._ledger.remove(recording)
        return True

    def _swept(self, recording: str, done: str, step: Callable[[], object]) -> str:
        """Do a step of the sweep; what it counts as. One that fails does not keep the others from theirs."""
        try:
            return done if step() else ""
        except UnknownRecording:
            return ""  # removed meanwhile
        except Exception as error:
            log.error("not swept recording=%s: %s", recording, plain_reason(error, recording))
            return "failed"

    def _is_forgotten(self, record: RecordingRecord) -> bool:
        quiet = self._book.now() - record.updated_at
        # A recording whose call is not known is looked at again when it is twice as old: see `_claim`.
        due = 2 * (record.updated_at - record.announced_at) if record.status == "unclaimed" else 0
        return quiet >= FORGOTTEN * 1000 + max(0, due)

    def _take_up(self, record: RecordingRecord) -> bool:
        self._resume(record)
        # Its messages may only be late: another set each time that the timer comes would never end.
        self._book.change(record.id, lambda _: None)
        return True

    def _do(self, recording: str, index: int | None) -> str:
        record = self._book.load(recording)
        if record.status == "unclaimed":
            return self._claim(record) if index is None else "duplicate"
        if index is None:
            return self._in_turn(record, None, record, REPORT_LEASE, lambda: self._finisher.report(record))
        chunk = chunk_of(record, index)
        outcome = "archived" if self._deletes(record, chunk) else "duplicate"
        if chunk.status == "waiting":
            if record.status == "foreign":
                return "foreign"
            if self._book.now() >= record.deadline and not self._book.busy(chunk, LEASE):
                last = chunk.reason or "it was never tried."
                outcome = self._fetcher.give_up(recording, index, f"given up at the deadline; last: {last}")
            else:
                outcome = self._in_turn(record, index, chunk, LEASE, lambda: self._fetcher.fetch(recording, index))
                if outcome not in ("archived", "failed"):
                    return outcome
        record = self._book.load(recording)
        chunk = chunk_of(record, index)
        if self._deletes(record, chunk):
            self._fetcher.delete(record, chunk)
        self._settle(record)
        return outcome

    def _deletes(self, record: RecordingRecord, chunk: ChunkRecord) -> bool:
        """Whether a chunk is to be deleted at the source: archived, undamaged, and of a call of this app's."""
        done = chunk.status == "archived" and not chunk.damaged and not chunk.deleted
        return self._options.delete_source and done and self._is_ours(record)

    def _is_ours(self, record: RecordingRecord) -> bool:
        """Whether a recording may be fetched and deleted."""
        return self._options.all_recordings or bool(record.call_id)

    def _claim(self, record: RecordingRecord) -> str:
        """Look once more for the call of a recording: fetch it if there is one, else ask again later."""
        call_id, now = self._call_id(record), self._book.now()
        last = now >= record.deadline

        def looked(record: RecordingRecord) -> None:
            if record.status != "unclaimed":
                raise Superseded
            record.call_id = call_id
            if self._is_ours(record):
                record.status, record.reason = "waiting", ""
            elif last:
                record.status = "foreign"

        record = self._book.change(record.id, looked)
        if record.status == "unclaimed":
            age = max(FIRST_LOOK, (now - record.announced_at) / 1000)
            self._queue.send(record.id, None, delay=min(age, (record.deadline - now) / 1000))
        elif record.status == "foreign":
            log.info("not fetched recording=%s: no call of this app is known for it", record.id)
        else:
            self._resume(record)
        return "claimed" if record.status == "waiting" else record.status

    def _in_turn(
        self, record: RecordingRecord, index: int | None, leased: Leased, seconds: float, step: Callable[[], str]
    ) -> str:
        """Do a step, if nobody else does it now and there is room for it here; else ask again later."""
        if busy := self._book.busy(leased, seconds):
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
                raise Superseded
            known.chunks = sorted([*known.chunks, *later], key=lambda chunk: chunk.index)
            known.duration_ms, known.end_reason = record.duration_ms, record.end_reason
            known.deadline = max(known.deadline, record.deadline)
            self._begin(known)

        try:
            return self._book.change(record.id, add)
        except Superseded:
            return self._book.load(record.id)

    def _resume(self, record: RecordingRecord) -> None:
        """Send a message for each file that waits; if none does, go on with the report. Or look for its call again."""
        if record.status == "unclaimed":
            self._queue.send(record.id, None, delay=FIRST_LOOK)
        for chunk in record.chunks:
            if record.status == "waiting" and chunk.status == "waiting":
                self._queue.send(record.id, chunk.index)
        self._settle(record)

    def _settle(self, record: RecordingRecord) -> None:
        """When no chunk waits any more: ask for the report, or call the whole recording failed."""

        def settled(record: RecordingRecord) -> None:
            if not _is_due(record):
                raise Superseded
            kept = any(chunk.status == "archived" for chunk in record.chunks)
            record.status = "archived" if kept else "failed"
            record.call_id = record.call_id or self._call_id(record)

        if _is_due(record):
            try:
                record = self._book.change(record.id, settled)
            except Superseded:
                record = self._book.load(record.id)
        if record.status == "archived":
            self._queue.send(record.id, None)

    def _call_id(self, record: RecordingRecord) -> str:
        """The call that a recording is of, if the app knows it by now."""
        return (record.server_call_id and self._call_of(record.server_call_id)) or ""

    def _begin(self, record: RecordingRecord) -> None:
        """Let it wait for its files, and then for a new report; or not, if there is nothing that may be fetched."""
        record.start_over()
        record.call_id = record.call_id or self._call_id(record)
        if not record.chunks:
            record.status, record.reason = "failed", "the event names no file."
        elif not self._is_ours(record) and not all(chunk.name for chunk in record.chunks):
            record.status, record.reason = "unclaimed", UNCLAIMED

    def _record_of(self, event: RecordingFileStatusUpdated) -> RecordingRecord:
        """The record that an event begins. Its id follows from what every delivery of the event says alike."""
        ids = event.subject_ids
        recording = (
            event.recording_id or ids.get("recordingId") or (event.chunks[0].document_id if event.chunks else "")
        )
        began = event.recording_start_time or event.time
        announced = round(event.time.timestamp() * 1000)
        record = RecordingRecord(
            id=f"{began.astimezone(UTC):%Y%m%d}-{hashlib.sha256((recording or event.id).encode()).hexdigest()[:24]}",
            recording_id=recording,
            server_call_id=ids.get("serverCallId", ""),
            # The words come in any case, and may be missing.
            channel_type=(event.recording_channel_type or "mixed").lower(),
            format=(event.recording_format_type or "").lower(),
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
        record.chunks.sort(key=lambda chunk: chunk.index)
        self._begin(record)
        return record


def _is_due(record: RecordingRecord) -> bool:
    """Whether it waits, and no file of it does any more."""
    return record.status == "waiting" and all(chunk.status != "waiting" for chunk in record.chunks)
