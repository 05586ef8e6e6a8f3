"""Reading a socket to its end, whatever comes and however it ends."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket

ABNORMAL = 1006


class Messages:
    """The messages of a socket; afterwards `code` says how it ended."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self.code = ABNORMAL

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                self.code = message.get("code") or ABNORMAL
                return
            text = message.get("text")
            yield message.get("bytes") or b"" if text is None else text


class SkippedFrames:
    """Frames that were left out, by reason."""

    def __init__(self) -> None:
        self.by_reason: Counter[str] = Counter()

    def add(self, reason: str) -> bool:
        """Count one; True the first time that a reason is met."""
        self.by_reason[reason] += 1
        return self.by_reason[reason] == 1

    def __str__(self) -> str:
        return ",".join(f"{reason.replace(' ', '_')}:{n}" for reason, n in sorted(self.by_reason.items())) or "none"


class Tasks:
    """Background work of one socket."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.append(task)
        return task

    async def cancel(self) -> None:
        """End all of them."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError, Exception):
                await task
        self._tasks.clear()
