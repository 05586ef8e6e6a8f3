"""The audio of one participant as WAV files, aligned with the timestamps and written block by block.

A file is a block blob whose first block is the header. Each write stages the new audio and a new header and
commits the list, so that the file is whole and has the right length after every write, also when this process
dies; what is in memory is what came since. Silence that is filled in is kept in memory as a length: it takes bytes
only while it is being written, a block at a time. A file's name is claimed by creating it: whoever comes later (a new
connection of the same call, here or on another instance) takes the next number.

    audio-3f9c….wav     first connection
    audio-3f9c….2.wav   after a drop, after `part_seconds`, or after a gap too long to fill with silence
"""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from streams.limits import Budget
from streams.store import StreamStore
from streams.wav import HEADER_BYTES, SAMPLE_BYTES, header

WAV = "audio/wav"

TOLERANCE_SECONDS = 0.035
"""Lag behind the timestamps that is left alone: the jitter of one frame. A lag of two frames is filled."""

LONGEST_GAP_SECONDS = 60.0
"""Longest gap that is filled with silence; after a longer one a new file begins."""

CLOCK_STEP_SECONDS = 1.0
"""Timestamps that go back further than this: the sender's clock was corrected, and a new file begins."""

BLOCK_BYTES = 1024 * 1024
"""Longest block: what a storage thread holds besides what waits."""

MOST_BLOCKS = 45_000
"""Blocks after which a new file begins: a blob takes 50,000 (docs: scalability targets of Blob storage)."""

SEGMENT_BYTES = 256
PART_BYTES = 2048
TRACK_BYTES = 8192
"""What is counted for a segment, a file and a participant besides their audio, so that many small ones count too."""


@dataclass(slots=True)
class Segment:
    """Silence (as its length in bytes), then audio."""

    silence: int
    pcm: bytearray


@dataclass(slots=True)
class Part:
    """One file."""

    started: float | None
    name: str = ""
    #: Bytes of the file so far, silence and all; of those that are not in the storage yet, `waiting` belongs to who
    #: takes frames and `writing` to who writes.
    taken: int = 0
    waiting: list[Segment] = field(default_factory=list)
    writing: list[Segment] = field(default_factory=list)
    writer: str = field(default_factory=lambda: secrets.token_hex(4))
    blocks: list[str] = field(default_factory=list)
    written: int = 0
    filled: int = 0
    lost: int = 0
    last: float | None = None
    complete: bool = False


@dataclass(frozen=True, slots=True)
class TrackLimits:
    """What one participant may use.

    Attributes:
        held: bytes that wait, given back when they are written.
        archived: bytes of audio and silence, of all participants of the socket together.
        files: files, of all of them together.
    """

    held: Budget
    archived: Budget
    files: Budget

    def take(self, begins: bool, silence: int, audio: int) -> Budget | None:
        """Take a frame, or change nothing and return the limit that was reached."""
        if (limit := self.held.take(audio + SEGMENT_BYTES + PART_BYTES * begins)) is not None:
            return limit
        if (limit := self.archived.take(silence + audio)) is None:
            if not begins or (limit := self.files.take(1)) is None:
                return None
            self.archived.give(silence + audio)
        self.held.give(audio + SEGMENT_BYTES + PART_BYTES * begins)
        return limit


class Track:
    """The files of one participant on one connection. `add` runs on the event loop, `write` in a thread.

    Args:
        base: name of the files without number and ending.
        rate: samples a second.
        part_seconds: length after which a new file begins.
        limits: what this participant may use.
    """

    def __init__(self, base: str, participant: str | None, rate: int, part_seconds: float, limits: TrackLimits) -> None:
        self._base = base
        self.participant = participant
        self.rate = rate
        self._second = rate * SAMPLE_BYTES
        self._longest = int(part_seconds * self._second)
        self._limits = limits
        self._parts: deque[Part] = deque()
        self._lock = threading.Lock()
        #: Index entries that have not been returned: a write that fails half-way keeps them for the next.
        self._unreported: list[dict[str, Any]] = []
        self.duplicates = 0
        self.lost = 0

    @property
    def unwritten(self) -> int:
        """Bytes that wait, with the overhead that is counted for them."""
        return self._limits.held.used

    def add(self, pcm: bytes, at: float | None) -> Budget | None:
        """Take a frame. Beyond a limit the frame is lost, which is counted, and that limit is returned."""
        if not pcm:
            return None
        part, silence = self._parts[-1] if self._parts else None, 0
        if part is not None and at is not None and part.started is not None:
            if at == part.last:
                self.duplicates += 1
                return None
            lag = (at - part.started) - part.taken / self._second
            if lag > LONGEST_GAP_SECONDS or lag < -CLOCK_STEP_SECONDS:
                part = None
            elif lag > TOLERANCE_SECONDS:
                silence = round(lag * self.rate) * SAMPLE_BYTES
        if part is not None and (part.taken >= self._longest or len(part.blocks) >= MOST_BLOCKS):
            part, silence = None, 0
        begins = part is None
        if (limit := self._limits.take(begins, silence, len(pcm))) is not None:
            self.lose(pcm)
            return limit
        if part is None:
            part = Part(at)
            self._parts.append(part)
        with self._lock:  # the writer may take what waits between two of these lines
            if silence or not part.waiting:
                part.waiting.append(Segment(silence, bytearray(pcm)))
            else:
                part.waiting[-1].pcm += pcm
                self._limits.held.give(SEGMENT_BYTES)
        part.taken += silence + len(pcm)
        part.filled += silence
        part.last = at if at is not None else part.last
        return None

    def lose(self, pcm: bytes) -> None:
        """Count a frame that is not kept, in the index with the newest file."""
        self.lost += len(pcm)
        if self._parts:
            self._parts[-1].lost += len(pcm)

    def write(self, store: StreamStore, *, closing: bool = False) -> list[dict[str, Any]]:
        """Write what waits to the storage; returns the index entries of files that began or ended.

        Raises what the storage raises; nothing is lost by that: the next write repeats it.
        """
        while self._parts:
            part, last = self._parts[0], len(self._parts) == 1
            known = bool(part.blocks)
            with self._lock:
                part.writing += part.waiting
                part.waiting = []
            if part.writing:
                self._write_part(part, store)
            if not last or closing:
                part.complete = not part.waiting
            if part.blocks and (part.complete or not known):
                self._unreported.append(self._entry(part))
            if not part.complete:
                break
            self._parts.popleft()
            self._limits.held.give(PART_BYTES)
        entries, self._unreported = self._unreported, []
        return entries

    def abandon(self) -> float:
        """Give up what could not be written; the length of its audio in seconds."""
        lost = sum(len(segment.pcm) for part in self._parts for segment in (*part.writing, *part.waiting))
        self._parts.clear()
        self._limits.held.close()
        return lost / self._second

    def _write_part(self, part: Part, store: StreamStore) -> None:
        if not part.name:
            part.name = self._claim(store)
        blocks, length = list(part.blocks), part.written
        for data in _blocks(part.writing):
            block = f"{part.writer}{len(blocks):06d}"
            store.stage(part.name, block, data)
            blocks.append(block)
            length += len(data)
        head = f"{part.writer}header"
        store.stage(part.name, head, header(self.rate, length))
        store.commit(part.name, [head, *blocks], WAV)
        part.blocks = blocks
        part.written = length
        self._limits.held.give(sum(len(segment.pcm) + SEGMENT_BYTES for segment in part.writing))
        part.writing = []

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


def _blocks(segments: Iterable[Segment]) -> Iterator[bytes]:
    """The bytes of segments, in blocks."""
    block = bytearray()
    for segment in segments:
        silence, start = segment.silence, 0
        while silence or start < len(segment.pcm):
            room = BLOCK_BYTES - len(block)
            if silence:
                length = min(silence, room)
                block += bytes(length)
                silence -= length
            else:
                block += segment.pcm[start : start + room]
                start += room
            if len(block) == BLOCK_BYTES:
                yield bytes(block)
                block.clear()
    if block:
        yield bytes(block)


def _iso(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
