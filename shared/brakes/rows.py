"""Where what all instances share is kept: a few rows that are read in one request."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Literal, NamedTuple, Protocol

from shared.errors import LostRace

RowName = Literal["figures", "switches", "counts"]


class StoredRow(NamedTuple):
    """A row as it was read; `version` is for `replace` alone."""

    text: str
    version: object


class BrakeRows(Protocol):
    """Keeps the rows. Every method may raise StoreUnavailable, which is retryable, and StoreRefused, which is not."""

    def read(self) -> Mapping[RowName, StoredRow]:
        """All rows that there are, by name. One round trip."""

    def put(self, name: RowName, text: str) -> None:
        """Write a row, whatever stands there. One round trip."""

    def replace(self, name: RowName, text: str, version: object | None) -> None:
        """Write a row if it is still at this version; None: if there is none. LostRace otherwise, which can also mean
        this very write, carried out and its response lost. One round trip."""


class MemoryBrakeRows:
    """In memory, for tests and rehearsals of several instances."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[RowName, StoredRow] = {}
        self._versions = 0
        self.reads = 0

    def read(self) -> Mapping[RowName, StoredRow]:
        with self._lock:
            self.reads += 1
            return dict(self._rows)

    def put(self, name: RowName, text: str) -> None:
        with self._lock:
            self._versions += 1
            self._rows[name] = StoredRow(text, self._versions)

    def replace(self, name: RowName, text: str, version: object | None) -> None:
        with self._lock:
            found = self._rows.get(name)
            if (found.version if found else None) != version:
                raise LostRace(name)
            self._versions += 1
            self._rows[name] = StoredRow(text, self._versions)
