"""The phrases of a call, kept as JSON lines in the call's folder."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from shared.logs import logger
from streams.archive import CLOSING_ATTEMPTS, Threads, end_writer
from streams.limits import Budget
from streams.store import StreamStore

log = logger("switchboard.streams")

PHRASES_SECONDS = 1.0
"""How long a phrase may wait to be written. An append blob takes 50,000 blocks: 13 hours of this."""

APPEND_BYTES = 1024 * 1024
"""Lines that are written at once. An append takes 4 MiB (docs: Append Block, versions before 2022-11-02)."""

LINE_BYTES = 64
"""What is counted for a line that waits, besides its text."""


class TranscriptArchive:
    """The phrases of one connection, as lines."""

    def __init__(
        self,
        store: StreamStore,
        folder: str,
        call_id: str,
        run: Threads[Any],
        held: Budget,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._store, self._folder, self._call_id, self._run, self._sleep = store, folder, call_id, run, sleep
        self._held = held
        self._waiting: deque[bytes] = deque()
        self._due = asyncio.Event()
        self._writing = asyncio.Lock()
        self._writer: asyncio.Task[None] | None = None
        self._number = 1
        self.lines = 0
        self.lost = 0

    def add(self, line: dict[str, Any]) -> None:
        """Take a phrase. If too many wait it is lost: counted, and logged once."""
        text = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
        if (full := self._held.take(len(text) + LINE_BYTES)) is not None:
            if not self.lost:
                log.error("phrases are lost call=%s limit=%s (docs/streams.md, Limits)", self._call_id, full.name)
            self.lost += 1
            return
        self._waiting.append(text)
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
            while lines := self._batch():
                try:
                    await self._run(lambda lines=lines: self._append(b"".join(lines)))  # type: ignore[misc]
                except Exception as error:
                    name = type(error).__name__
                    log.warning("transcript cannot be written now call=%s error=%s", self._call_id, name)
                    return False
                for line in lines:
                    self._waiting.popleft()
                    self._held.give(len(line) + LINE_BYTES)
            return True

    def _batch(self) -> list[bytes]:
        """The next lines, as many as one write takes."""
        lines, length = list[bytes](), 0
        for line in self._waiting:
            length += len(line)
            if lines and length > APPEND_BYTES:
                break
            lines.append(line)
        return lines

    def start(self) -> None:
        """Write what is due from now on."""
        self._writer = asyncio.create_task(self.keep_writing())

    async def close(self) -> int:
        """Write the rest; the phrases that were lost, now or while the storage was away."""
        await end_writer(self._writer, self._writing)
        for attempt in range(CLOSING_ATTEMPTS):
            if await self.flush():
                return self.lost
            if attempt < CLOSING_ATTEMPTS - 1:
                await self._sleep(2.0**attempt)
        return self.lost + len(self._waiting)

    def _append(self, data: bytes) -> None:
        while True:
            number = "" if self._number == 1 else f".{self._number}"
            if self._store.append(f"{self._folder}/transcript{number}.jsonl", data, "application/jsonl"):
                return
            self._number += 1
