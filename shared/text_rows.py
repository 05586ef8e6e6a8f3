"""A few rows of text that all instances share, each with a version: read in one request, replaced only as they were."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from shared.errors import LostRace


class StoredRow(NamedTuple):
    """A row as it was read or written; `version` is for `replace` and `remove` alone."""

    text: str
    version: object


class TextRows(Protocol):
    """Keeps the rows by name. Every method may raise StoreUnavailable, which is retryable, and StoreRefused, which is
    not; each is one round trip."""

    def read(self) -> Mapping[str, StoredRow]:
        """All rows that there are, by name."""

    def put(self, name: str, text: str) -> None:
        """Write a row, whatever stands there."""

    def replace(self, name: str, text: str, version: object | None) -> object:
        """Write a row if it is still at this version; None: if there is none. Its new version.

        LostRace otherwise, which can also mean this very write, carried out and its response lost.
        """

    def remove(self, name: str, version: object) -> None:
        """Remove a row if it is still at this version; LostRace if it is at another. One that is gone is gone."""


class MemoryTextRows:
    """In memory, for tests and rehearsals of several instances."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[str, StoredRow] = {}
        self._versions = 0
        self.reads = 0

    def read(self) -> Mapping[str, StoredRow]:
        with self._lock:
            self.reads += 1
            return dict(self._rows)

    def put(self, name: str, text: str) -> None:
        with self._lock:
            self._write(name, text)

    def replace(self, name: str, text: str, version: object | None) -> object:
        with self._lock:
            self._check(name, version)
            return self._write(name, text)

    def remove(self, name: str, version: object) -> None:
        with self._lock:
            if name in self._rows:
                self._check(name, version)
                del self._rows[name]

    def _check(self, name: str, version: object | None) -> None:
        found = self._rows.get(name)
        if (found.version if found else None) != version:
            raise LostRace(name)

    def _write(self, name: str, text: str) -> object:
        self._versions += 1
        self._rows[name] = StoredRow(text, self._versions)
        return self._versions
