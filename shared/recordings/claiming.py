"""The record of a file event, and its call: only recordings of this app's calls are fetched, unless a setting says all.

A call may become known after its recording's file event: its index is written after its first action. So a recording
whose call is not known is looked up again, at growing intervals, for as long as the service keeps its files.
"""

from __future__ import annotations

from collections.abc import Callable

from shared.events import RecordingFileStatusUpdated
from shared.logs import logger
from shared.recordings.base import RecordingQueue
from shared.recordings.leased_records import LeasedRecords, Superseded
from shared.recordings.record import ChunkRecord, RecordingRecord, kept_as

log = logger("switchboard.recordings")

FIRST_LOOK = 15.0
"""Seconds after which a call that is not known is looked up again; then whenever the event is twice as old."""

UNCLAIMED = "no call of this app is known for it, so it is not fetched; RECORDING_SCOPE=all would fetch it."


class Claims:
    """Finds the call of a recording, and decides whether the recording may be fetched and deleted.

    Args:
        call_of: the call of a recording id, or else of a server call id, if the app knows it.
        all_recordings: also those of other applications.
    """

    def __init__(
        self,
        call_of: Callable[[str, str], str | None],
        records: LeasedRecords,
        queue: RecordingQueue,
        *,
        all_recordings: bool,
    ) -> None:
        self._call_of = call_of
        self._records = records
        self._queue = queue
        self._all = all_recordings

    def call_id(self, record: RecordingRecord) -> str:
        """The call of a recording; empty: not known yet."""
        return self._call_of(record.recording_id, record.server_call_id) or ""

    def may_fetch(self, record: RecordingRecord) -> bool:
        """Whether a recording may be fetched, and deleted at the service."""
        return self._all or bool(record.call_id)

    def begin(self, record: RecordingRecord) -> None:
        """Let it wait for its files, then for a new report; or set it to failed or unclaimed, if nothing may be."""
        record.start_over()
        record.call_id = record.call_id or self.call_id(record)
        if not record.chunks:
            record.status, record.reason = "failed", "the event has no files."
        elif not self.may_fetch(record) and not all(chunk.name for chunk in record.chunks):
            record.status, record.reason = "unclaimed", UNCLAIMED

    def look_again(self, record: RecordingRecord) -> RecordingRecord:
        """Look once more for the call of an unclaimed recording, and ask for the next look if there is none.

        The record as it then is: `waiting` if its files may be fetched, by this look or by one that was quicker.
        """
        call_id, now = self.call_id(record), self._records.now()
        last = now >= record.deadline

        def looked(record: RecordingRecord) -> None:
            if record.status != "unclaimed":
                raise Superseded
            record.call_id = call_id
            if self.may_fetch(record):
                record.status, record.reason = "waiting", ""
            elif last:
                record.status = "foreign"

        try:
            record = self._records.change(record.id, looked)
        except Superseded:
            # Perhaps by this very look, whose response was lost, and somebody has written since: what it found counts.
            record = self._records.load(record.id)
        if record.status == "unclaimed":
            age = max(FIRST_LOOK, (now - record.announced_at) / 1000)
            self._queue.send(record.id, None, delay=min(age, (record.deadline - now) / 1000))
        elif record.status == "foreign":
            log.info("not fetched recording=%s: no call of this app is known for it", record.id)
        return record


def next_look_within(record: RecordingRecord) -> float:
    """Seconds within which an unclaimed recording is looked at again, from when it was last."""
    return max(FIRST_LOOK, 2 * (record.updated_at - record.announced_at) / 1000)


def record_of(event: RecordingFileStatusUpdated, deadline: float, now: int) -> RecordingRecord:
    """The record, as it is before anything is done. Its id follows from what every delivery of the event says alike.

    Args:
        deadline: seconds from the event's own time.
        now: Unix time in milliseconds.
    """
    ids = event.subject_ids
    recording = event.recording_id or ids.get("recordingId") or (event.chunks[0].document_id if event.chunks else "")
    began = event.recording_start_time or event.time
    announced = round(event.time.timestamp() * 1000)
    record = RecordingRecord(
        id=kept_as(recording or event.id, began),
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
        deadline=announced + round(deadline * 1000),
        updated_at=now,
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
    return record
