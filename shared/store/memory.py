"""Call context in memory: for tests and properties, with the rules of the real one."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, cast

from shared.calls.record import CallRecord
from shared.errors import AlreadyClaimed, LostRace, UnknownCall
from shared.store.base import Listed, Stored, Version, day_of, listed_row


@dataclass
class _Kept:
    record: CallRecord
    journal: list[str]
    version: int = 0


class MemoryStore:
    """Keeps calls in a dict. One lock makes each method atomic, as one entity's update is in a table."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[str, _Kept] = {}
        self._open: dict[str, None] = {}
        self._indexed: dict[str, CallRecord] = {}
        self.archive: dict[str, dict[str, Any]] = {}

    def claim(self, record: CallRecord, journal: Sequence[str]) -> Version:
        with self._lock:
            if record.call_id in self._calls:
                raise AlreadyClaimed(record.call_id)
            self._calls[record.call_id] = _Kept(deepcopy(record), list(journal))
            return 0

    def load(self, call_id: str) -> Stored:
        with self._lock:
            kept = self._kept(call_id)
            return Stored(deepcopy(kept.record), list(kept.journal), kept.version)

    def peek(self, call_id: str) -> CallRecord:
        with self._lock:
            return deepcopy(self._kept(call_id).record)

    def commit(self, record: CallRecord, appended: Sequence[str], version: Version) -> Version:
        with self._lock:
            kept = self._kept(record.call_id)
            if kept.version != cast(int, version):
                raise LostRace(record.call_id)
            kept.record = deepcopy(record)
            kept.journal.extend(appended)
            kept.version += 1
            return kept.version

    def index(self, record: CallRecord) -> None:
        with self._lock:
            self._indexed[record.call_id] = deepcopy(record)
            if record.status != "ended":
                self._open[record.call_id] = None

    def close(self, record: CallRecord, document: dict[str, Any]) -> None:
        with self._lock:
            self.archive[record.call_id] = deepcopy(document)
            self._indexed[record.call_id] = deepcopy(record)
            self._open.pop(record.call_id, None)

    def open_calls(self) -> Iterator[str]:
        with self._lock:
            return iter(list(self._open))

    def find(self, server_call_id: str) -> str | None:
        with self._lock:
            found = [r for r in self._indexed.values() if r.server_call_id == server_call_id]
            return max(found, key=lambda r: r.started_at).call_id if found else None

    def listed(self, day: str, *, after: str = "") -> Iterable[Listed]:
        with self._lock:
            rows = [listed_row(r) for r in self._indexed.values() if day_of(r.started_at) == day]
        return sorted((row for row in rows if row.position > after), key=lambda row: row.position)

    def prepare(self) -> None:
        """Nothing to make."""

    def healthy(self) -> None:
        """Memory always answers."""

    def _kept(self, call_id: str) -> _Kept:
        try:
            return self._calls[call_id]
        except KeyError:
            raise UnknownCall(call_id) from None
