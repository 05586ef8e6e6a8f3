"""The calls that this instance holds in memory, and who may touch them when."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from shared.calls.record import CallRecord
from shared.calls.replay import Session
from shared.calls.store.base import Version


@dataclass(frozen=True, slots=True)
class StoredHead:
    """What a head says that other threads may change in memory while it is written.

    Attributes:
        unconfirmed: the operations that it calls unconfirmed.
        indexed: the rows of the index that it names.
    """

    unconfirmed: tuple[int, ...] = ()
    indexed: tuple[str, ...] = ()

    @classmethod
    def of(cls, record: CallRecord) -> StoredHead:
        return cls(tuple(record.unconfirmed), record.indexed)


@dataclass(slots=True)
class CachedCall:
    """A call in memory: its suspended flow, and the version of the store that this flow has seen.

    Attributes:
        head: what of it the stored head says.
    """

    session: Session
    version: Version
    head: StoredHead

    def wrote(self, version: Version, head: StoredHead, at: int) -> None:
        """The head was written; `at`: Unix time in milliseconds."""
        self.version, self.head = version, head
        self.session.record.written_at = at


class CallCache:
    """A bounded cache: the calls least recently used go first. Losing one costs a load, never correctness."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._calls: OrderedDict[str, CachedCall] = OrderedDict()
        self._busy: dict[str, _CallLock] = {}

    @contextmanager
    def locked(self, call_id: str, *, wait: bool = True) -> Iterator[bool]:
        """One thread of this instance at a time works on a call; other instances are held off by the ETag.

        Args:
            wait: until no other thread does; False: give False at once if one does, and then leave the call alone.
        """
        with self._lock:
            busy = self._busy.setdefault(call_id, _CallLock())
            busy.users += 1
        try:
            mine = busy.lock.acquire(blocking=wait)
            try:
                yield mine
            finally:
                if mine:
                    busy.lock.release()
        finally:
            with self._lock:
                busy.users -= 1
                if not busy.users:
                    del self._busy[call_id]

    def take(self, call_id: str) -> CachedCall | None:
        """Take a call out: who changes it puts it back only once the change is committed."""
        with self._lock:
            return self._calls.pop(call_id, None)

    def put(self, call_id: str, held: CachedCall) -> None:
        """Keep a call."""
        with self._lock:
            self._calls[call_id] = held
            while len(self._calls) > self._size:
                self._calls.popitem(last=False)

    def __len__(self) -> int:
        return len(self._calls)


class _CallLock:
    __slots__ = ("lock", "users")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0
