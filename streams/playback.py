"""Audio sent into the call, 20 ms at a time, in real time."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

from shared.errors import InvalidInput, LimitReached
from streams.frames import FRAME_SECONDS, STOP_AUDIO, outbound_audio
from streams.limits import Budget
from streams.wav import SAMPLE_BYTES

LONGEST_QUEUE_SECONDS = 600
"""Audio that may wait to be sent."""

CHUNK_BYTES = 64
"""What is counted for a chunk of audio that waits, besides its bytes."""

FURTHEST_BEHIND_SECONDS = 1.0
"""A sender that is later than this continues from now, instead of sending all that is overdue at once."""


class Playback:
    """Sends what it is given, one after the other.

    Args:
        send: sends one text frame.
        rate: samples a second of the stream.
        held: what the socket may hold in memory.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        send: Callable[[str], Awaitable[None]],
        rate: int,
        held: Budget,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._send, self._clock, self._sleep = send, clock, sleep
        self.rate = rate
        self._held = held
        self._frame = round(rate * FRAME_SECONDS) * SAMPLE_BYTES
        self._chunks: deque[bytes] = deque()
        self._position = 0
        self._waiting = 0
        self._ready = asyncio.Event()
        self.frames = 0

    @property
    def waiting_seconds(self) -> float:
        """Length of what has not been sent."""
        return self._waiting / (self.rate * SAMPLE_BYTES)

    def play(self, pcm: bytes) -> None:
        """Send audio (16-bit mono at the stream's rate) after what waits.

        Raises:
            InvalidInput: too much of this stream waits.
            LimitReached: the socket or the process holds as many bytes as it may.
        """
        if self._waiting + len(pcm) > LONGEST_QUEUE_SECONDS * self.rate * SAMPLE_BYTES:
            raise InvalidInput("body", f"more than {LONGEST_QUEUE_SECONDS} s of audio would wait.", "Send it later.")
        if pcm:
            if (full := self._held.take(len(pcm) + CHUNK_BYTES)) is not None:
                raise LimitReached(f"the memory limit of the {full.name} is reached.")
            self._chunks.append(pcm)
            self._waiting += len(pcm)
            self._ready.set()

    async def stop(self) -> None:
        """Drop what waits here and in the service."""
        self._held.give(sum(len(chunk) + CHUNK_BYTES for chunk in self._chunks))
        self._chunks.clear()
        self._position = self._waiting = 0
        await self._send(STOP_AUDIO)

    async def keep_sending(self) -> None:
        """Send in real time, until cancelled."""
        while True:
            if not self._chunks:
                self._ready.clear()
                await self._ready.wait()
            due = self._clock()
            while self._chunks:
                pcm = self._next()
                self.frames += 1
                await self._send(outbound_audio(pcm))
                due += FRAME_SECONDS
                now = self._clock()
                if now - due > FURTHEST_BEHIND_SECONDS:
                    due = now
                # Also after the last frame: what is played next must not overtake it.
                await self._sleep(max(0.0, due - now))

    def _next(self) -> bytes:
        """The next frame; the end of the queue is filled up with silence."""
        taken = bytearray()
        while self._chunks and len(taken) < self._frame:
            chunk = self._chunks[0]
            piece = chunk[self._position : self._position + self._frame - len(taken)]
            taken += piece
            self._position += len(piece)
            if self._position >= len(chunk):
                self._chunks.popleft()
                self._held.give(len(chunk) + CHUNK_BYTES)
                self._position = 0
        self._waiting -= len(taken)
        return bytes(taken) + bytes(self._frame - len(taken))
