"""Who did what, when: the story of every call, for people and for tests."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

#: Entries kept.
TIMELINE_SIZE = 20_000


@dataclass(frozen=True)
class Entry:
    """``at`` is in emulated seconds since the call began, ``at_ms`` in wall-clock milliseconds as in the logs.

    ``party`` is the number or user id of who did it, where that is known: the phone, not the app.
    """

    n: int
    at: float
    call: str
    who: str
    what: str
    text: str
    party: str = ""
    at_ms: float = 0.0

    def wire(self) -> dict[str, Any]:
        return dict(vars(self))


class Timeline:
    """A ring of entries with a way to wait for the next one."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=TIMELINE_SIZE)
        self._last = 0
        self._grown = asyncio.Event()
        #: Told of each entry as it comes.
        self.listeners: list[Callable[[Entry], None]] = []

    def add(self, at: float, call: str, who: str, what: str, text: str, party: str = "", *, at_ms: float = 0.0) -> None:
        self._last += 1
        entry = Entry(self._last, round(at, 3), call, who, what, text, party, at_ms)
        self._entries.append(entry)
        for listener in self.listeners:
            listener(entry)
        self._grown.set()
        self._grown = asyncio.Event()

    def after(self, n: int) -> list[Entry]:
        return list(takewhile(lambda entry: entry.n > n, reversed(self._entries)))[::-1]

    async def wait_after(self, n: int, seconds: float) -> list[Entry]:
        """Entries after ``n``; waits up to ``seconds`` of wall-clock time for the first."""
        try:
            async with asyncio.timeout(seconds):
                while not (entries := self.after(n)):
                    await self._grown.wait()
                return entries
        except TimeoutError:
            return []

    def clear(self) -> None:
        self._entries.clear()
