"""One heartbeat for all audio streams, so that twenty calls cost twenty frames a beat and no twenty timers.

A stream reckons what is due from the clock, not from the beats: a late beat sends more, and nothing drifts.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from acs_emulator.core.clock import Clock
from acs_emulator.core.tasks import Tasks
from acs_emulator.streaming.frames import FRAME_SECONDS

#: Least wall-clock seconds between two beats; at a higher speed a beat sends several frames.
_SHORTEST_BEAT = 0.005


class Stream(Protocol):
    """Something that sends what is due up to a position."""

    def pump(self, now: int) -> None: ...


class Ticker:
    """Beats while there is a stream."""

    def __init__(self, clock: Clock, tasks: Tasks) -> None:
        self._clock = clock
        self._tasks = tasks
        self._streams: list[Stream] = []
        self._task: asyncio.Task[None] | None = None

    def add(self, stream: Stream) -> None:
        self._streams.append(stream)
        if self._task is None or self._task.done():
            self._task = self._tasks.start(self._run(), "stream ticker")

    def remove(self, stream: Stream) -> None:
        if stream in self._streams:
            self._streams.remove(stream)

    def clear(self) -> None:
        self._streams.clear()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        following = loop.time()
        while self._streams:
            beat = max(FRAME_SECONDS / self._clock.speed, _SHORTEST_BEAT)
            following = max(following + beat, loop.time())
            await asyncio.sleep(max(0.0, following - loop.time()))
            now = self._clock.samples()
            for stream in list(self._streams):
                stream.pump(now)
