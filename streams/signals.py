"""What a stream tells the call's flow, in the order in which it came."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from shared.errors import SwitchboardError, UnknownCall
from shared.logs import logger
from streams.archive import Threads
from streams.limits import Budget

log = logger("switchboard.streams")

Signal = Callable[[str, str, Any, str], object]
"""`conductor.signal`: call id, name, data, signal id. Blocks."""

MOST_WAITING = 1000
SIGNAL_BYTES = 512
"""What is counted for a signal that waits beside its data."""
ATTEMPTS = 6
"""Tries of one signal, 0.2 s apart at first and then twice as long each time: about 6 s in all."""
LAST_SECONDS = 10.0
"""How long a socket that has closed waits for its signals to arrive."""


class Signals:
    """The signals of one connection; each ends in one logged outcome, without its data."""

    def __init__(
        self,
        send: Signal,
        call_id: str,
        run: Threads[Any],
        held: Budget,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._send, self._call_id, self._run, self._sleep = send, call_id, run, sleep
        self._held = held
        self._queue: asyncio.Queue[tuple[str, Any, str, int]] = asyncio.Queue(MOST_WAITING)
        self._waiting = 0
        self.sent = 0
        self.failed = 0

    def put(self, name: str, data: Any, signal_id: str) -> None:
        """Send it when those before it have gone; the same id counts once."""
        size = SIGNAL_BYTES + len(repr(data).encode("utf-8", "replace"))
        if self._queue.full() or self._held.take(size) is not None:
            self._failed(name, "too many wait")
            return
        self._queue.put_nowait((name, data, signal_id, size))
        self._waiting += 1

    async def keep_sending(self) -> None:
        """Send, until cancelled."""
        while True:
            name, data, signal_id, size = await self._queue.get()
            await self._send_one(name, data, signal_id)
            self._waiting -= 1
            self._held.give(size)
            self._queue.task_done()

    async def close(self) -> None:
        """Wait until all have gone."""
        try:
            async with asyncio.timeout(LAST_SECONDS):
                await self._queue.join()
        except TimeoutError:
            self._failed("", f"{self._waiting} still waited at the end", self._waiting)

    async def _send_one(self, name: str, data: Any, signal_id: str) -> None:
        for attempt in range(ATTEMPTS):
            try:
                outcome = await self._run(lambda: self._send(self._call_id, name, data, signal_id))
            except UnknownCall:
                self._failed(name, "unknown call")
                return
            except Exception as error:
                last = attempt == ATTEMPTS - 1
                if last or (isinstance(error, SwitchboardError) and not error.retryable):
                    self._failed(name, type(error).__name__)
                    return
                await self._sleep(0.2 * 2**attempt)
            else:
                self.sent += 1
                log.info("signal %s call=%s outcome=%s", name, self._call_id, outcome)
                return

    def _failed(self, name: str, reason: str, count: int = 1) -> None:
        self.failed += count
        log.error("signal %s call=%s outcome=failed reason=%s", name, self._call_id, reason)
