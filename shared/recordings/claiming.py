"""Whose a recording is: only those of this app's calls are fetched, unless a setting says all.

A call may become known after its recording's file event: its index is written behind its first action. So a recording
whose call is not known is looked up again, at ever longer intervals, for as long as the service keeps its files.
"""

from __future__ import annotations

from collections.abc import Callable

from shared.logs import logger
from shared.recordings.base import RecordingQueue
from shared.recordings.book import Book, Superseded
from shared.recordings.record import RecordingRecord

log = logger("switchboard.recordings")

FIRST_LOOK = 15.0
"""Seconds after which a call that is not known is looked up again; each further time at twice the event's age."""

UNCLAIMED = "no call of this app is known for it, so it is not fetched; RECORDING_SCOPE=all fetches it all the same."


class Claims:
    """Finds the call of a recording, and decides whether the recording may be fetched and deleted.

    Args:
        call_of: the call that a recording id, or else a server call id, is of, if the app knows it.
        all_recordings: those of other applications too.
    """

    def __init__(
        self, call_of: Callable[[str, str], str | None], book: Book, queue: RecordingQueue, *, all_recordings: bool
    ) -> None:
        self._call_of = call_of
        self._book = book
        self._queue = queue
        self._all = all_recordings

    def call_id(self, record: RecordingRecord) -> str:
        """The call that a recording is of; empty: none that the app knows by now."""
        return self._call_of(record.recording_id, record.server_call_id) or ""

    def may_fetch(self, record: RecordingRecord) -> bool:
        """Whether a recording may be fetched, and deleted at the service."""
        return self._all or bool(record.call_id)

    def begin(self, record: RecordingRecord) -> None:
        """Let it wait for its files, and then for a new report; or not, if there is nothing that may be fetched."""
        record.start_over()
        record.call_id = record.call_id or self.call_id(record)
        if not record.chunks:
            record.status, record.reason = "failed", "the event names no file."
        elif not self.may_fetch(record) and not all(chunk.name for chunk in record.chunks):
            record.status, record.reason = "unclaimed", UNCLAIMED

    def look_again(self, record: RecordingRecord) -> RecordingRecord:
        """Look once more for the call of an unclaimed recording, and ask for the next look if there is none.

        The record as it then is: `waiting` if its files may be fetched, by this look or by one that was quicker.
        """
        call_id, now = self.call_id(record), self._book.now()
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
            record = self._book.change(record.id, looked)
        except Superseded:
            # Perhaps by this very look, whose response was lost, and somebody has written since: what it found counts.
            record = self._book.load(record.id)
        if record.status == "unclaimed":
            age = max(FIRST_LOOK, (now - record.announced_at) / 1000)
            self._queue.send(record.id, None, delay=min(age, (record.deadline - now) / 1000))
        elif record.status == "foreign":
            log.info("not fetched recording=%s: no call of this app is known for it", record.id)
        return record


def next_look_within(record: RecordingRecord) -> float:
    """Seconds within which an unclaimed recording is looked at again, from when it was last."""
    return max(FIRST_LOOK, 2 * (record.updated_at - record.announced_at) / 1000)
