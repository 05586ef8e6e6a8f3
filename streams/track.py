"""One participant's sound as WAV files: kept in step with the timestamps, written block by block.

A file is a block blob whose first block is the header. Each write stages the new sound and a new header and
commits the list, so that the file is whole and has the right length after every write, also when this process
dies; what is in memory is what came since. A file's name is claimed by creating it: whoever comes later (a new
connection of the same call, here or on another instance) takes the next number.

    audio-3f9c….wav     first connection
    audio-3f9c….2.wav   after a drop, after `part_seconds`, or after a gap too long to fill with silence
"""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from streams.store import StreamStore
from streams.wav import HEADER_BYTES, SAMPLE_BYTES, header

WAV = "audio/wav"

TOLERANCE_SECONDS = 0.035
"""Lag behind the timestamps that is left alone: the jitter of one frame. A lag of two frames is filled."""

LONGEST_GAP_SECONDS = 60.0
"""Longest gap that is filled with silence; after a longer one a further file begins."""

CLOCK_STEP_SECONDS = 1.0
"""Timestamps that go back further than this: the sender's clock was put right, a further file begins."""

MOST_UNWRITTEN_SECONDS = 120
"""Sound kept in memory while the storage does not answer; beyond it is lost, counted, and silence in the file."""

BLOCK_BYTES = 4 * 1024 * 1024


@dataclass(slots=True)
class Part:
    """One file."""

    started: float | None
    name: str = ""
    #: Bytes of sound taken in, of which `unwritten` are not in the storage yet.
    taken: int = 0
    unwritten: bytearray = field(default_factory=bytearray)
    writer: str = field(default_factory=lambda: secrets.token_hex(4))
    blocks: list[str] = field(default_factory=list)
    written: int = 0
    filled: int = 0
    lost: int = 0
    last: float | None = None
    complete: bool = False


class Track:
    """The files of one participant on one connection. `add` runs on the event loop, `write` in a thread."""

    def __init__(self, base: str, participant: str | None, rate: int, part_seconds: float) -> None:
        self._base = base
        self.participant = participant
        self.rate = rate
        self._second = rate * SAMPLE_BYTES
        self._longest = int(part_seconds * self._second)
        self._parts: deque[Part] = deque()
        #: Index entries that have not been given out: a write that fails half-way keeps them for the next.
        self._news: list[dict[str, Any]] = []
        self.duplicates = 0
        self.lost = 0

    @property
    def unwritten(self) -> int:
        """Bytes that wait."""
        return sum(len(part.unwritten) for part in list(self._parts))  # a thread may take one off

    def add(self, pcm: bytes, at: float | None) -> int:
        """Take a frame; gives the bytes that were added to what waits, silence and all."""
        part = self._parts[-1] if self._parts else None
        gap = 0
        if part is None:
            part = self._begin(at)
        elif at is not None and part.started is not None:
            if at == part.last:
                self.duplicates += 1
                return 0
            lag = (at - part.started) - part.taken / self._second
            if lag > LONGEST_GAP_SECONDS or lag < -CLOCK_STEP_SECONDS or part.taken >= self._longest:
                part = self._begin(at)
            elif lag > TOLERANCE_SECONDS:
                gap = round(lag * self.rate) * SAMPLE_BYTES
        elif part.taken >= self._longest:
            part = self._begin(at)
        part.last = at if at is not None else part.last
        if len(part.unwritten) + gap + len(pcm) > MOST_UNWRITTEN_SECONDS * self._second:
            part.lost += len(pcm)
            self.lost += len(pcm)
            return 0
        part.unwritten += bytes(gap)
        part.unwritten += pcm
        part.filled += gap
        part.taken += gap + len(pcm)
        return gap + len(pcm)

    def write(self, store: StreamStore, *, closing: bool = False) -> list[dict[str, Any]]:
        """Bring what waits to the storage; gives the index entries of files that began or ended.

        Whatever the storage raises, nothing is lost: the next write brings it.
        """
        while self._parts:
            part, last = self._parts[0], len(self._parts) == 1
            known = bool(part.blocks)
            if part.unwritten:
                self._write_part(part, store)
            if not last or closing:
                part.complete = not part.unwritten
            if part.blocks and (part.complete or not known):
                self._news.append(self._entry(part))
            if not part.complete:
                break
            self._parts.popleft()
        news, self._news = self._news, []
        return news

    def abandon(self) -> float:
        """Give up what could not be written; its length in seconds."""
        lost = self.unwritten / self._second
        self._parts.clear()
        return lost

    def _begin(self, at: float | None) -> Part:
        part = Part(started=at)
        self._parts.append(part)
        return part

    def _write_part(self, part: Part, store: StreamStore) -> None:
        if not part.name:
            part.name = self._claim(store)
        data = bytes(part.unwritten)  # the loop may add to it meanwhile
        blocks = list(part.blocks)
        for start in range(0, len(data), BLOCK_BYTES):
            block = f"{part.writer}{len(blocks):06d}"
            store.stage(part.name, block, data[start : start + BLOCK_BYTES])
            blocks.append(block)
        head = f"{part.writer}header"
        store.stage(part.name, head, header(self.rate, part.written + len(data)))
        store.commit(part.name, [head, *blocks], WAV)
        part.blocks = blocks
        part.written += len(data)
        del part.unwritten[: len(data)]

    def _claim(self, store: StreamStore) -> str:
        number = 1
        while True:
            name = f"{self._base}.wav" if number == 1 else f"{self._base}.{number}.wav"
            if store.create(name, header(self.rate, 0), WAV):
                return name
            number += 1

    def _entry(self, part: Part) -> dict[str, Any]:
        return {
            "name": part.name.rpartition("/")[2],
            "participant": self.participant,
            "sampleRate": self.rate,
            "startedAt": _iso(part.started),
            "lastFrameAt": _iso(part.last),
            "seconds": round(part.written / self._second, 3),
            "bytes": part.written + HEADER_BYTES,
            "silenceFilledSeconds": round(part.filled / self._second, 3),
            "lostSeconds": round(part.lost / self._second, 3),
            "complete": part.complete,
        }


def _iso(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
