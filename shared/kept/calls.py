"""All that is kept of one call, wherever it lies: found and removed together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from time import time

from shared.calls.record import CallRecord
from shared.calls.store.base import CallStore, Found, day_of
from shared.notifications.notifier import Notifier
from shared.recordings.base import Archive
from shared.recordings.pipeline import Pipeline
from shared.recordings.record import RecordingRecord

MOST_DAYS = 31
"""Days in which the recordings and streams of one call are looked for (our choice): a call may wait for days before
it is placed."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What became of a call.

    Attributes:
        removed: nothing of it is left here but the recordings, if those were to stay.
        recordings: how many went with it.
        streams: files of its streams.
        letters: events of it that had been given up.
        stays: what is still there, and why; empty: nothing is.
    """

    removed: bool
    recordings: int = 0
    streams: int = 0
    letters: int = 0
    stays: str = ""


class KeptCalls:
    """Finds and removes what is kept of calls. What broke off is done again by the same call of the same method.

    Args:
        streams: the archive that the streams service writes; its names begin with `YYYY/MM/DD/<call id>/`.
        pipeline, notifier: made on first use.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        store: CallStore,
        pipeline: Callable[[], Pipeline],
        notifier: Callable[[], Notifier],
        streams: Archive,
        clock: Callable[[], float] = time,
    ) -> None:
        self.store = store
        self.streams = streams
        self._pipeline = pipeline
        self._notifier = notifier
        self._clock = clock

    def head(self, found: Found) -> CallRecord | None:
        """The call's head, if it is still there."""
        return next(iter(self.store.peek_all([found.call_id])), None)

    def recordings(self, found: Found, record: CallRecord | None) -> list[RecordingRecord]:
        """Its recordings, and those of its conversation."""
        server_call_id = record.server_call_id if record else ""
        return [
            one
            for day in self._days(found, record, more=1)
            for one in self._pipeline().of_call(day, found.call_id, server_call_id)
        ]

    def folders(self, found: Found, record: CallRecord | None) -> list[str]:
        """Where files of its streams may lie."""
        return [f"{day.replace('-', '/')}/{found.call_id}" for day in self._days(found, record, more=1)]

    def remove(self, found: Found, *, with_recordings: bool) -> Removed:
        """Remove a call that is closed.

        Args:
            with_recordings: and its recordings and reports; otherwise those stay, and so does the hash of its
                numbers, by which they are found.
        """
        if self.store.is_open(found.call_id):
            return Removed(False, stays="the call goes on")
        record = self.head(found)
        recordings = self.recordings(found, record)
        kept, stays = len(recordings), ""
        if with_recordings:
            for recording in recordings:
                gone, why = self._pipeline().erase(recording.id)
                kept -= gone
                stays = why or stays
            if kept:  # the call stays with them, or nobody would find them again
                return Removed(False, len(recordings) - kept, stays=stays)
        streams = 0
        for folder in self.folders(found, record):
            if files := self.streams.names(folder):
                streams += len(files)
                self.streams.remove(folder)
        letters = self._notifier().forget(found.day, found.call_id)
        self.store.remove(found, keep_numbers=kept > 0)
        return Removed(True, len(recordings) - kept, streams, letters, stays)

    def _days(self, found: Found, record: CallRecord | None, *, more: int) -> list[str]:
        """The UTC days in which the call may have left something, and so many after them."""
        first = date.fromisoformat(found.day)
        now = datetime.fromtimestamp(self._clock(), UTC).date()
        last = first + timedelta(days=MOST_DAYS - 1)
        if record is not None:
            newest = max(record.ended_at, record.updated_at, record.written_at)
            last = min(date.fromisoformat(day_of(newest)) + timedelta(days=more), last)
        last = max(first, min(last, now))
        return [(first + timedelta(days=number)).isoformat() for number in range((last - first).days + 1)]
