"""Background work that is never lost: every task is held, and a crash in one is logged and kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

_log = logging.getLogger("emulator")


class Tasks:
    """Holds running tasks. ``crashes`` keeps what should never happen, for /emulator/health and for tests."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self.crashes: list[str] = []

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.crashes.append(f"{task.get_name()}: {error!r}")
            _log.error("background task failed", exc_info=error, extra={"task": task.get_name()})

    async def cancel_all(self) -> None:
        running = [task for task in self._running if task is not asyncio.current_task()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
