"""The limits of this process: bytes that it holds for its sockets, and the number of sockets."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import LimitReached
from streams.urls import AUDIO, TRANSCRIPT, Kind

TRY_AGAIN_LATER = 1013
"""Close code of a socket that is refused because of a limit (IANA's registry of WebSocket close codes)."""

SOCKET_SHARE = 4
"""One socket may hold a quarter of what the process may, so that none can starve the others (our choice)."""


class Budget:
    """What may be held at once, mostly bytes. A part of it (`share`) counts here as well. Safe to use from any thread.

    Args:
        name: what a log line calls it.
        limit: bytes, or whatever else is counted (files).
    """

    def __init__(self, name: str, limit: int, parent: Budget | None = None) -> None:
        self.name, self.limit, self.used = name, limit, 0
        self._parent = parent
        self._lock: threading.Lock = threading.Lock() if parent is None else parent._lock

    def share(self, name: str, limit: int) -> Budget:
        """A budget within this one."""
        return Budget(name, min(limit, self.limit), self)

    def take(self, count: int) -> Budget | None:
        """Hold so many bytes more; or change nothing and return the budget that is full."""
        with self._lock:
            for budget in self._chain():
                if budget.used + count > budget.limit:
                    return budget
            for budget in self._chain():
                budget.used += count
        return None

    def give(self, count: int) -> None:
        """Hold so many bytes less."""
        with self._lock:
            for budget in self._chain():
                budget.used -= count

    def close(self) -> None:
        """Give back whatever is still held, and take no more."""
        self.give(self.used)
        self.limit = 0

    def _chain(self) -> Iterator[Budget]:
        budget: Budget | None = self
        while budget is not None:
            yield budget
            budget = budget._parent


class Sockets:
    """The open sockets, by kind and by call.

    Args:
        most: sockets at once.
        most_of_a_call: those of one call.
    """

    def __init__(self, most: int, most_of_a_call: int) -> None:
        self._most, self._most_of_a_call = most, most_of_a_call
        self._calls: Counter[str] = Counter()
        self.by_kind: dict[Kind, int] = {AUDIO: 0, TRANSCRIPT: 0}

    @contextmanager
    def one_more(self, kind: Kind, call_id: str) -> Iterator[None]:
        """A socket's place from its acceptance until all that it brought is written. Raises LimitReached."""
        if self._calls[call_id] >= self._most_of_a_call:
            raise LimitReached(f"{self._most_of_a_call} sockets of this call are open", 429)
        if self._calls.total() >= self._most:
            raise LimitReached(f"{self._most} sockets are open", 503)
        self._calls[call_id] += 1
        self.by_kind[kind] += 1
        try:
            yield
        finally:
            self.by_kind[kind] -= 1
            self._calls[call_id] -= 1
            if not self._calls[call_id]:
                del self._calls[call_id]
