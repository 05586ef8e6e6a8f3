"""What is kept of a call's streams: audio by participant, transcripts as JSON lines, each in the call's folder.

    <prefix>-streams/YYYY/MM/DD/{call_id}/audio-{participant}.wav    (track.py)
                                          audio.json                 who is in which file, from when, how long
                                          transcript.jsonl           one phrase a line (phrases.py)

`participant` is a keyed hash of the raw id: the same in every call, and without the key nobody can
find the phone number by trying all numbers. The day is that on which the socket was opened, in UTC.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

from shared.logs import logger
from streams.frames import AudioFrame
from streams.limits import Budget
from streams.store import StreamStore
from streams.track import PART_BYTES, SEGMENT_BYTES, TRACK_BYTES, Track, TrackLimits

log = logger("switchboard.streams")

T = TypeVar("T")
Threads = Callable[[Callable[[], T]], Awaitable[T]]
"""Runs a blocking function off the event loop."""

MIXED = "mixed"
MOST_PARTICIPANTS = 350
"""Participants that get files on one socket: as many as a call takes (docs: service limits)."""

CLOSING_ATTEMPTS = 4
"""Writes that are tried when a socket has closed, a second apart at first, before what is left is given up."""


def folder(call_id: str, at: float) -> str:
    """The folder of a call whose socket was opened at a Unix time."""
    return f"{datetime.fromtimestamp(at, UTC):%Y/%m/%d}/{call_id}"


def label(key: bytes, participant: str | None) -> str:
    """The name of a participant in file names."""
    if participant is None:
        return MIXED
    return hmac.digest(key, b"streams participant\n" + participant.encode("utf-8", "replace"), "sha256").hex()[:16]


async def end_writer(writer: asyncio.Task[None] | None, writing: asyncio.Lock) -> None:
    """End a background writer between two writes: one that runs in a thread cannot be cancelled."""
    if writer is not None:
        async with writing:
            writer.cancel()
        with suppress(asyncio.CancelledError):
            await writer


class AudioArchive:
    """The audio of one connection.

    Args:
        folder: where in the container.
        rate: samples a second.
        key: secret of the labels.
        run: runs storage calls in a thread.
        flush_seconds: audio that may wait in memory.
        part_seconds: length of a file.
        held: what the socket may hold in memory.
        unwritten_seconds: audio of a participant that may wait.
        most_bytes: audio and silence that are written in all.
        most_files: files that are begun in all.
    """

    def __init__(
        self,
        store: StreamStore,
        folder: str,
        call_id: str,
        rate: int,
        key: bytes,
        run: Threads[Any],
        *,
        flush_seconds: float,
        part_seconds: float,
        held: Budget,
        unwritten_seconds: int,
        most_bytes: int,
        most_files: int,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._store, self._folder, self._call_id, self._rate, self._key = store, folder, call_id, rate, key
        self._run = run
        self._sleep = sleep
        self._flush_seconds = flush_seconds
        self._part_seconds = part_seconds
        self._enough = int(flush_seconds * rate * 2) + PART_BYTES + SEGMENT_BYTES
        self._held = held
        self._most_unwritten = unwritten_seconds * rate * 2
        self._archived = Budget("archive", most_bytes)
        self._files = Budget("files", most_files)
        self._reached: set[str] = set()
        self._tracks: dict[str | None, Track] = {}
        self._due = asyncio.Event()
        self._writing = asyncio.Lock()
        self._writer: asyncio.Task[None] | None = None
        self._unindexed: dict[str, dict[str, Any]] = {}
        self._lost_without_track = 0
        self.refused = 0

    @property
    def bytes(self) -> int:
        """Audio and silence that were taken."""
        return self._archived.used

    @property
    def participants(self) -> int:
        return len(self._tracks)

    @property
    def duplicates(self) -> int:
        return sum(track.duplicates for track in self._tracks.values())

    def add(self, frame: AudioFrame) -> None:
        """Take a frame; never waits and never raises. What is beyond a limit is counted and logged once a limit."""
        track = self._tracks.get(frame.participant) or self._begin(frame.participant)
        if isinstance(track, str):
            self._lost_without_track += len(frame.pcm)
            limit: str | None = track
        else:
            full = track.add(frame.pcm, frame.at)
            limit = full.name if full is not None else None
            if track.unwritten >= self._enough:
                self._due.set()
        if limit is not None:
            self.refused += 1
            if limit not in self._reached:
                self._reached.add(limit)
                log.error("audio is lost call=%s limit=%s (docs/streams.md, Limits)", self._call_id, limit)

    def _begin(self, participant: str | None) -> Track | str:
        """A participant's track, or the limit that forbids it."""
        if len(self._tracks) >= MOST_PARTICIPANTS:
            return "participants"
        if (full := self._held.take(TRACK_BYTES)) is not None:
            return full.name
        limits = TrackLimits(self._held.share("participant", self._most_unwritten), self._archived, self._files)
        base = f"{self._folder}/audio-{label(self._key, participant)}"
        track = self._tracks[participant] = Track(base, participant, self._rate, self._part_seconds, limits)
        return track

    async def keep_writing(self) -> None:
        """Write what is due, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._flush_seconds):
                    await self._due.wait()
            except TimeoutError:
                pass
            self._due.clear()
            if await self.flush():
                await self._sleep(1.0)  # the storage fails: do not retry at once

    async def flush(self, *, closing: bool = False) -> int:
        """Write everything that waits; how many tracks could not be written."""
        async with self._writing:
            tracks = list(self._tracks.values())
            results = await asyncio.gather(
                *(self._run(lambda track=track: track.write(self._store, closing=closing)) for track in tracks),  # type: ignore[misc]
                return_exceptions=True,
            )
            failures = [result for result in results if isinstance(result, BaseException)]
            for result in results:
                if not isinstance(result, BaseException):
                    self._unindexed |= {entry["name"]: entry for entry in result}
            for failure in failures[:1]:
                log.warning("audio cannot be written now call=%s error=%s", self._call_id, type(failure).__name__)
            if self._unindexed:
                try:
                    await self._run(self._index)
                    self._unindexed = {}
                except Exception as error:
                    log.warning("audio index cannot be written call=%s error=%s", self._call_id, type(error).__name__)
                    return max(1, len(failures))
            return len(failures)

    def start(self) -> None:
        """Write what is due from now on."""
        self._writer = asyncio.create_task(self.keep_writing())

    async def close(self) -> float:
        """Write the rest; the seconds of audio that were lost, now or while the storage was away."""
        await end_writer(self._writer, self._writing)
        for attempt in range(CLOSING_ATTEMPTS):
            if not await self.flush(closing=True):
                return self._lost
            if attempt < CLOSING_ATTEMPTS - 1:
                await self._sleep(2.0**attempt)
        return self._lost + sum(track.abandon() for track in self._tracks.values())

    @property
    def _lost(self) -> float:
        lost = self._lost_without_track + sum(track.lost for track in self._tracks.values())
        return lost / (2.0 * self._rate)

    def _index(self) -> None:
        entries = dict(self._unindexed)

        def merge(document: dict[str, Any]) -> dict[str, Any]:
            files = {entry["name"]: entry for entry in document.get("files", ())} | entries
            ordered = sorted(files.values(), key=lambda entry: (str(entry["startedAt"]), entry["name"]))
            return {"callId": self._call_id, "version": 1, "files": ordered}

        self._store.update(f"{self._folder}/audio.json", merge)
