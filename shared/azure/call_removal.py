"""The removal of calls from Azure Tables and Blob storage, and the care of the hashes by which they are found.

What a call has left anywhere is named in its row of the day's list before anything goes, and that row goes last: so a
removal that broke off is found, and goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableClient, UpdateMode

from shared.azure.blobs import Blobs
from shared.azure.rows import rows_of
from shared.calls.record import CallRecord
from shared.calls.store.base import Found
from shared.calls.store.index import (
    LEAVING,
    NUMBERS,
    OPEN,
    IndexRow,
    day_partition,
    day_row,
    every_partition,
    gaps,
    gone_partition,
    is_number,
    key_id_of,
    number_rows,
)
from shared.privacy import NumberHashes


@dataclass(frozen=True, slots=True)
class TableRemoval:
    """Removes calls; its caller translates the storage's errors.

    Args:
        head: the row of a call that is no segment.
    """

    calls: TableClient
    index: TableClient
    blobs: Blobs
    numbers: NumberHashes | None
    head: str

    def older(self, day: str, first: str = "day ") -> Iterator[Found]:
        """The calls of the days before this one, in the lists whose names begin so."""
        query = "PartitionKey ge @first and PartitionKey lt @last"
        for row in rows_of(self.index, query, {"first": first, "last": f"{first}{day}"}):
            yield Found(row["RowKey"].partition(" ")[2], row["RowKey"])

    def remove(self, found: Found, record: CallRecord | None, archive: str, *, keep_numbers: bool) -> None:
        """Remove a call that is not open; `record`: its head, if that is still there."""
        day, gone = day_partition(found.day), gone_partition(found.day)
        if record is None:
            left = self._get(day, found.position) or self._get(gone, found.position) or {}
            partitions: Sequence[str] = json.loads(left.get(LEAVING, "[]"))
        else:
            partitions = every_partition(record, self.numbers)
            columns = {**day_row(record).columns, LEAVING: json.dumps(partitions)}
            self._merge(IndexRow("", day, found.position, columns))
        for partition in partitions:
            if not is_number(partition):
                self.index.delete_entity(partition, found.position)
        self.index.delete_entity(OPEN, found.call_id)
        for name in self.blobs.names(f"entries/{found.call_id}/"):
            self.blobs.remove(name)
        self.blobs.remove(archive)
        self._remove_rows(found.call_id)
        numbers = [partition for partition in partitions if is_number(partition)]
        if keep_numbers and numbers:
            columns = {"call_id": found.call_id, LEAVING: json.dumps(numbers)}
            self._merge(IndexRow("", gone, found.position, columns))
        else:
            for partition in numbers:
                self.index.delete_entity(partition, found.position)
            self.index.delete_entity(gone, found.position)
        self.index.delete_entity(day, found.position)

    def rehash(self, peek: Callable[[str], CallRecord | None]) -> int:
        """Put the rows of numbers that are under another key than the current one under that."""
        count = 0
        if self.numbers is None:
            return count
        for row in self._foreign(self.numbers.key_ids[:1]):
            partition, position = row["PartitionKey"], row["RowKey"]
            record = peek(row["call_id"])
            if record is not None:
                for fresh in number_rows(record, self.numbers):
                    self._merge(fresh)
            elif self._get(gone_partition(Found(row["call_id"], position).day), position) is not None:
                continue  # nobody knows the number any more, and its recordings are still found by the hash
            self.index.delete_entity(partition, position)
            count += 1
        return count

    def unknown_keys(self) -> set[str]:
        """The ids of keys that rows are under and that are not known."""
        known, unknown = self.numbers.key_ids if self.numbers else (), set[str]()
        while (row := next(self._foreign([*known, *unknown], 1), None)) is not None:
            unknown.add(key_id_of(row["PartitionKey"]))
        return unknown

    def _foreign(self, known: Sequence[str], page: int | None = None) -> Iterator[Mapping[str, Any]]:
        """The rows of numbers that are under none of these keys."""
        for first, last in gaps(NUMBERS, known):
            query = "PartitionKey gt @first and PartitionKey lt @last"
            yield from rows_of(self.index, query, {"first": first, "last": last}, page=page)

    def _remove_rows(self, call_id: str) -> None:
        with suppress(ResourceNotFoundError):  # there is no table
            query, parameters = "PartitionKey eq @call", {"call": call_id}
            rows = list(self.calls.query_entities(query, parameters=parameters, select=["RowKey"]))
            for row in sorted((row["RowKey"] for row in rows), key=lambda key: key == self.head):
                self.calls.delete_entity(call_id, row)

    def _get(self, partition: str, key: str) -> Mapping[str, Any] | None:
        try:
            return self.index.get_entity(partition, key)
        except ResourceNotFoundError:
            return None

    def _merge(self, row: IndexRow) -> None:
        keys = {"PartitionKey": row.partition, "RowKey": row.key}
        self.index.upsert_entity({**row.columns, **keys}, mode=UpdateMode.MERGE)
