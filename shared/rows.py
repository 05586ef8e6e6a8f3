"""What a use case asks of a storage: rows of text in partitions, changed by conditional writes.

All that it keeps is made of these; what a row holds is known to the stores over them alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, Protocol

Table = str
"""A table, by the name that its use case has for it."""
Change = Callable[[str | None], str | None]
"""A pure function of a row's text; None: there is no row. It may be asked several times, and be carried out twice when
a response got lost: what it gave, given to it, must come back."""
Changed = Mapping[str, tuple[str | None, str | None]]
"""The texts of rows before and after, by key."""

MOST_ROWS = 100
"""Rows of one change (Azure Tables, transactions)."""


class Row(NamedTuple):
    """A row of text."""

    partition: str
    key: str
    text: str


class Rows(Protocol):
    """Keeps rows. Every method may raise StoreUnavailable, which is retryable, and StoreRefused, which is not."""

    def get(self, table: Table, partition: str, key: str) -> str | None:
        """A row's text. One round trip."""

    def change(
        self,
        table: Table,
        partition: str,
        changes: Mapping[str, Change],
        before: Callable[[Changed], None] | None = None,
    ) -> Changed:
        """Change up to MOST_ROWS rows of a partition, all or none, each as it is at that moment. One round trip to read
        and one to write; nothing is written where nothing changes.

        Args:
            before: is told what will be written, before each try to.
        """

    def put(self, table: Table, partition: str, texts: Mapping[str, str | None]) -> None:
        """Write up to MOST_ROWS rows, whatever stands there; None removes. One round trip."""

    def first(self, table: Table, since: str, until: str, most: int | None = None, before: str = "") -> Iterable[Row]:
        """The first rows of the partitions from `since` on and before `until`, by partition and key. One query.

        Args:
            most: None: all, a round trip for a thousand.
            before: only rows whose key is before this one.
        """


class MemoryRows:
    """In memory, for tests and rehearsals of several instances."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._rows: dict[tuple[str, str, str], str] = {}

    def get(self, table: Table, partition: str, key: str) -> str | None:
        with self._lock:
            return self._rows.get((table, partition, key))

    def change(
        self,
        table: Table,
        partition: str,
        changes: Mapping[str, Change],
        before: Callable[[Changed], None] | None = None,
    ) -> Changed:
        while True:
            with self._lock:
                found = {key: self._rows.get((table, partition, key)) for key in changes}
            changed = {key: (found[key], change(found[key])) for key, change in changes.items()}
            if before is not None:
                before(changed)
            with self._lock:
                written = {key: after for key, (was, after) in changed.items() if was != after}
                if all(self._rows.get((table, partition, key)) == found[key] for key in written):
                    self._write(table, partition, written)
                    return changed

    def put(self, table: Table, partition: str, texts: Mapping[str, str | None]) -> None:
        self._write(table, partition, texts)

    def _write(self, table: Table, partition: str, texts: Mapping[str, str | None]) -> None:
        with self._lock:
            for key, text in texts.items():
                if text is None:
                    self._rows.pop((table, partition, key), None)
                else:
                    self._rows[table, partition, key] = text

    def first(self, table: Table, since: str, until: str, most: int | None = None, before: str = "") -> Iterable[Row]:
        with self._lock:
            found = sorted(
                where
                for where in self._rows
                if where[0] == table and since <= where[1] < until and (not before or where[2] < before)
            )
            return [Row(partition, key, self._rows[table, partition, key]) for _, partition, key in found[:most]]
