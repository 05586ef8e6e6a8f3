"""The life of a recording: announced, fetched chunk by chunk, reported, in the end deleted.

Every step may be done twice or break off anywhere: a step begins with the ledger, takes a lease there, and ends
with a conditional write. What fails is retried through the queue until the deadline; what is given up stays in
the ledger as a poison record, with its reason, until somebody replays it.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from shared.errors import ForeignLocation, SourceUnavailable, StoreError, UnknownRecording
from shared.events import RecordingFileStatusUpdated
from shared.logs import logger
from shared.recordings.base import Archive, Ledger, RecordingQueue, Source
from shared.recordings.claiming import FIRST_LOOK, Claims, next_look_within, record_of
from shared.recordings.fetching import Fetcher
from shared.recordings.leased_records import (
    LEASE,
    LONGEST_WAIT,
    REPORT_LEASE,
    Leased,
    LeasedRecords,
    Superseded,
    chunk_of,
    plain_reason,
    release,
)
from shared.recordings.record import ChunkRecord, RecordingRecord
from shared.recordings.report_job import Reporter, ReportJob

log = logger("switchboard.recordings")

REPLAY_SECONDS = 3600
"""Seconds for which a replay tries at least."""
MESSAGE_LOST = 2 * LONGEST_WAIT
"""Seconds without a change after which a recording's message counts as lost."""


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of the pipeline.

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
        call_of: Callable[[str, str], str | None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._source = source
        self._archive = archive
        self._ledger = ledger
        self._queue = queue
        self._options = options
        self._records = LeasedRecords(ledger, clock)
        self._claims = Claims(call_of, self._records, queue, all_recordings=options.all_recordings)
        self._fetcher = Fetcher(source, archive, self._records, queue)
        self._report_job = ReportJob(reporter, self._records, queue)
        self._room = threading.BoundedSemaphore(options.at_once)

    def announce(self, event: RecordingFileStatusUpdated) -> tuple[str, str]:
        """The service has files: register them and queue a message for each. The outcome, and the recording's id."""
        record = record_of(event, self._options.deadline, self._records.now())
        self._claims.begin(record)
        new = self._ledger.register(record)
        if not new:
            record = self._with_later_files(record)
        elif record.status == "failed":
            log.error("given up recording=%s: %s", record.id, record.reason)
        self._resume(record)
        return "registered" if new else "duplicate", record.id

    def work(self, recording: str, index: int | None) -> str:
        """Process a message: fetch a chunk, or (None) make the report. The outcome as the log has it."""
        try:
            return self._do(recording, index)
        except Superseded:
            return "duplicate"
        except StoreError as error:
            # The storage fails, not the recording: its message must not end in the poison queue.
            log.warning("the storage failed recording=%s: %s", recording, error)
            self._queue.send(recording, index, delay=random.uniform(30, 60))  # noqa: S311
            return "retried"

    def mark_poisoned(self, recording: str, index: int | None, reason: str) -> None:
        """Its message failed too often, an error of the app: make the poison record."""

        def failed(record: RecordingRecord) -> None:
            if record.status != "archived":
                raise Superseded
            release(record)
            record.status, record.reason = "failed", reason

        try:
            if index is None:
                self._records.change(recording, failed)
            else:
                self._fetcher.give_up(recording, index, reason)
                self._settle(self._records.load(recording))
        except Superseded:
            log.info("nothing to mark as poisoned recording=%s", recording)

    def replay(self, recording: str) -> RecordingRecord:
        """Fetch again what failed, and make a new report. What is archived is not fetched again."""

        def again(record: RecordingRecord) -> None:
            self._claims.begin(record)
            record.deadline = max(record.deadline, self._records.now() + REPLAY_SECONDS * 1000)
            for chunk in record.chunks:
                unread = chunk.name.endswith(".wav") and not chunk.analysed  # it may have been an error of the app
                if chunk.status != "archived" or unread or (chunk.damaged and self._claims.may_fetch(record)):
                    chunk.status, chunk.reason, chunk.attempts = "waiting", "", 0
                    release(chunk)

        record = self._records.change(recording, again)
        self._resume(record)
        return record

    def sweep(self) -> dict[str, int]:
        """Resume recordings whose message was lost, delete expired ones; counts of each, and of failures."""
        done: Counter[str] = Counter()
        for record in self._ledger.unsettled():
            if self._lost_its_message(record):
                done[self._swept(record.id, "resumed", partial(self._resume_once, record))] += 1
        if self._options.retention_days:
            now = datetime.fromtimestamp(self._records.now() / 1000, UTC)
            for recording in self._ledger.older(f"{now - timedelta(days=self._options.retention_days):%Y-%m-%d}"):
                done[self._swept(recording, "expired", partial(self.remove, recording))] += 1
        return {what: done[what] for what in ("resumed", "expired", "failed")}

    def remove(self, recording: str) -> bool:
        """Delete the archive, the report and the record. False: not now, an instance is working on it."""
        record = self._records.load(recording)
        if self._records.busy(record, REPORT_LEASE) or any(self._records.busy(chunk, LEASE) for chunk in record.chunks):
            return False
        self._archive.remove(record.folder)
        self._ledger.remove(recording)
        return True

    def of_call(self, day: str, call_id: str, server_call_id: str) -> list[RecordingRecord]:
        """The recordings of a day that belong to this call, or to the conversation with this server call id."""
        return list(self._ledger.of_call(day, call_id, server_call_id))

    def erase(self, recording: str) -> tuple[bool, str]:
        """Delete a recording, at the service too: whether it is deleted here, and why something is left."""
        why = ""
        try:
            record = self._records.load(recording)
            for chunk in record.chunks:
                if not chunk.deleted and self._claims.may_fetch(record):
                    try:
                        self._source.delete(chunk.delete_location)
                    except ForeignLocation:
                        why = "a file of a recording is at a URL where the app deletes nothing"
            if not self.remove(recording):
                return False, "a recording is being worked on; erase again in some minutes"
        except UnknownRecording:
            return True, ""  # removed meanwhile
        except SourceUnavailable:
            return False, "a recording cannot be deleted at the service now; erase again later"
        return True, why

    def _swept(self, recording: str, done: str, step: Callable[[], object]) -> str:
        """Do a step of the sweep; its outcome. A failure does not stop the sweep."""
        try:
            return done if step() else ""
        except UnknownRecording:
            return ""  # removed meanwhile
        except Exception as error:
            log.error("not swept recording=%s: %s", recording, plain_reason(error, recording))
            return "failed"

    def _lost_its_message(self, record: RecordingRecord) -> bool:
        idle = (self._records.now() - record.updated_at) / 1000
        return idle >= MESSAGE_LOST + (next_look_within(record) if record.status == "unclaimed" else 0)

    def _resume_once(self, record: RecordingRecord) -> bool:
        self._resume(record)
        # Its messages may only be late: do not send another set at each run of the timer.
        self._records.change(record.id, lambda _: None)
        return True

    def _do(self, recording: str, index: int | None) -> str:
        record = self._records.load(recording)
        if record.status == "unclaimed" and index is None:
            record = self._claims.look_again(record)
            if record.status == "waiting":
                self._resume(record)
                return "claimed"
        if record.status in ("unclaimed", "foreign"):
            return record.status
        if index is None and record.status == "waiting" and not any(chunk.attempts for chunk in record.chunks):
            self._resume(record)  # it was claimed, and the process died before it queued its files
            return "claimed"
        if index is None:
            return self._in_turn(record, None, record, REPORT_LEASE, lambda: self._report_job.report(record))
        chunk = chunk_of(record, index)
        outcome = "archived" if self._deletes(record, chunk) else "duplicate"
        if chunk.status == "waiting":
            if self._records.now() >= record.deadline and not self._records.busy(chunk, LEASE):
                last = chunk.reason or "it was never tried."
                outcome = self._fetcher.give_up(recording, index, f"given up at the deadline; last: {last}")
            else:
                outcome = self._in_turn(record, index, chunk, LEASE, lambda: self._fetcher.fetch(recording, index))
                if outcome not in ("archived", "failed"):
                    return outcome
        record = self._records.load(recording)
        chunk = chunk_of(record, index)
        if self._deletes(record, chunk):
            self._fetcher.delete(record, chunk)
        self._settle(record)
        return outcome

    def _deletes(self, record: RecordingRecord, chunk: ChunkRecord) -> bool:
        """Whether a chunk is to be deleted at the source: archived, undamaged, and of a call of this app's."""
        done = chunk.status == "archived" and not chunk.damaged and not chunk.deleted
        return self._options.delete_source and done and self._claims.may_fetch(record)

    def _in_turn(
        self, record: RecordingRecord, index: int | None, leased: Leased, seconds: float, step: Callable[[], str]
    ) -> str:
        """Do a step, if nobody else does it now and there is room for it here; else ask again later."""
        if busy := self._records.busy(leased, seconds):
            self._queue.send(record.id, index, delay=min(LEASE, busy + 1))
            return "leased"
        # Never wait here: the thread is one of those that answer calls.
        if not self._room.acquire(blocking=False):
            # What has waited long asks less often, or a backlog would keep the queue busy with itself.
            waited = (self._records.now() - record.updated_at) / 1000
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
            self._claims.begin(known)

        try:
            return self._records.change(record.id, add)
        except Superseded:
            return self._records.load(record.id)

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
            record.call_id = record.call_id or self._claims.call_id(record)

        if _is_due(record):
            try:
                record = self._records.change(record.id, settled)
            except Superseded:
                record = self._records.load(record.id)
        if record.status == "archived":
            self._queue.send(record.id, None)


def _is_due(record: RecordingRecord) -> bool:
    """Whether it waits, and no file of it does any more."""
    return record.status == "waiting" and all(chunk.status != "waiting" for chunk in record.chunks)
