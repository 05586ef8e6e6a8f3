"""The record that a file event begins."""

from __future__ import annotations

import hashlib
from datetime import UTC

from shared.events import RecordingFileStatusUpdated
from shared.recordings.record import ChunkRecord, RecordingRecord


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
