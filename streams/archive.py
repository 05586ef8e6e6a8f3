"""What is kept of a call's streams: audio by participant, transcripts as JSON lines, each in the call's folder.

    <prefix>-streams/YYYY/MM/DD/{call_id}/audio-{participant}.wav    (track.py)
                                          audio.json                 who is in which file, from when, how long
                                          transcript.jsonl           one phrase a line

`participant` is a keyed hash of the raw id: the same in every call of a day or a year, and it cannot be turned
back into a phone number by trying all numbers. The day is that on which the socket was opened, in UTC.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

from streams.frames import AudioFrame
from streams.store import StreamStore
from streams.track import Track

log = logging.getLogger("switchboard.streams")

T = TypeVar("T")
Threads = Callable[[Callable[[], T]], Awaitable[T]]
"""Runs a blocking function off the event loop."""

MIXED = "mixed"
MOST_PARTICIPANTS = 350
"""Participants that get files on one socket: as many as a call takes (docs: service limits)."""

CLOSING_ATTEMPTS = 4
"""Writes that are tried when a socket has closed, a second apart at first, before what is left is given up."""

PHRASES_SECONDS = 1.0
"""How long a phrase may wait to be written. An append blob takes 50,000 blocks: 13 hours of this."""


def folder(call_id: str, at: float) -> str:
    """The folder of a call whose socket was opened at a Unix time."""
    return f"{datetime.fromtimestamp(at, UTC):%Y/%m/%d}/{call_id}"


def label(key: bytes, participant: str | None) -> str:
    """What stands for a participant in names."""
    if participant is None:
        return MIXED
    return hmac.digest(key, b"streams participant\n" + participant.encode("utf-8", "replace"), "sha256").hex()[:16]


async def _end(writer: asyncio.Task[None] | None, writing: asyncio.Lock) -> None:
    """End a background writer between two writes: one that runs in a thread could not be called back."""
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
        flush_seconds: sound that may wait in memory.
        part_seconds: length of a file.
        most_bytes: sound that is taken in all.
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
        most_bytes: int,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._store, self._folder, self._call_id, self._rate, self._key = store, folder, call_id, rate, key
        self._run = run
        self._sleep = sleep
        self._flush_seconds = flush_seconds
        self._part_seconds = part_seconds
        self._enough = int(flush_seconds * rate * 2)
        self._most_bytes = most_bytes
        self._tracks: dict[str | None, Track] = {}
        self._due = asyncio.Event()
        self._writing = asyncio.Lock()
        self._writer: asyncio.Task[None] | None = None
        self._unindexed: dict[str, dict[str, Any]] = {}
        self.bytes = 0
        self.refused = 0

    @property
    def participants(self) -> int:
        return len(self._tracks)

    @property
    def duplicates(self) -> int:
        return sum(track.duplicates for track in self._tracks.values())

    def add(self, frame: AudioFrame) -> None:
        """Take a frame; never waits and never raises."""
        track = self._tracks.get(frame.participant)
        if self.bytes >= self._most_bytes or (track is None and len(self._tracks) >= MOST_PARTICIPANTS):
            if not self.refused:
                log.warning("audio archive is full call=%s bytes=%d", self._call_id, self.bytes)
            self.refused += 1
            return
        if track is None:
            base = f"{self._folder}/audio-{label(self._key, frame.participant)}"
            track = self._tracks[frame.participant] = Track(base, frame.participant, self._rate, self._part_seconds)
        self.bytes += track.add(frame.pcm, frame.at)
        if track.unwritten >= self._enough:
            self._due.set()

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
                await self._sleep(1.0)  # the storage fails: do not storm it

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
        """Write the rest; the seconds of sound that were lost, now or while the storage was away."""
        await _end(self._writer, self._writing)
        for attempt in range(CLOSING_ATTEMPTS):
            if not await self.flush(closing=True):
                return self._lost
            if attempt < CLOSING_ATTEMPTS - 1:
                await self._sleep(2.0**attempt)
        return self._lost + sum(track.abandon() for track in self._tracks.values())

    @property
    def _lost(self) -> float:
        return sum(track.lost for track in self._tracks.values()) / (2.0 * self._rate)

    def _index(self) -> None:
        entries = dict(self._unindexed)

        def merge(document: dict[str, Any]) -> dict[str, Any]:
            files = {entry["name"]: entry for entry in document.get("files", ())} | entries
            ordered = sorted(files.values(), key=lambda entry: (str(entry["startedAt"]), entry["name"]))
            return {"callId": self._call_id, "version": 1, "files": ordered}

        self._store.update(f"{self._folder}/audio.json", merge)


class TranscriptArchive:
    """The phrases of one connection, as lines."""

    def __init__(
        self,
        store: StreamStore,
        folder: str,
        call_id: str,
        run: Threads[Any],
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._store, self._folder, self._call_id, self._run, self._sleep = store, folder, call_id, run, sleep
        self._waiting: list[bytes] = []
        self._due = asyncio.Event()
        self._writing = asyncio.Lock()
        self._writer: asyncio.Task[None] | None = None
        self._number = 1
        self.lines = 0

    def add(self, line: dict[str, Any]) -> None:
        """Take a phrase."""
        self._waiting.append(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        self.lines += 1
        self._due.set()

    async def keep_writing(self) -> None:
        """Write what is due, until cancelled."""
        while True:
            await self._due.wait()
            self._due.clear()
            await self._sleep(PHRASES_SECONDS)
            if not await self.flush():
                self._due.set()

    async def flush(self) -> bool:
        """Write what waits; False if that failed."""
        async with self._writing:
            lines, self._waiting = self._waiting, []
            if not lines:
                return True
            try:
                await self._run(lambda: self._append(b"".join(lines)))
            except Exception as error:
                self._waiting = lines + self._waiting
                log.warning("transcript cannot be written now call=%s error=%s", self._call_id, type(error).__name__)
                return False
            return True

    def start(self) -> None:
        """Write what is due from now on."""
        self._writer = asyncio.create_task(self.keep_writing())

    async def close(self) -> int:
        """Write the rest; the phrases that could not be."""
        await _end(self._writer, self._writing)
        for attempt in range(CLOSING_ATTEMPTS):
            if await self.flush():
                return 0
            if attempt < CLOSING_ATTEMPTS - 1:
                await self._sleep(2.0**attempt)
        return len(self._waiting)

    def _append(self, data: bytes) -> None:
        while True:
            number = "" if self._number == 1 else f".{self._number}"
            if self._store.append(f"{self._folder}/transcript{number}.jsonl", data, "application/jsonl"):
                return
            self._number += 1
