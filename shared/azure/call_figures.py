"""The figures of a day in Azure Tables: marks of the calls that are closed, and counters in the same partition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableClient, TransactionOperation, UpdateMode

from shared.azure.rows import AGAIN, etag, rows_of, storage_errors
from shared.calls.record import CallRecord
from shared.calls.store.base import RACES, Listed
from shared.calls.store.figures import COUNTER, Mark, counted, failed_row, mark_of, place_of, summed
from shared.calls.store.index import END, ended_partition, failed_partition, listed_of
from shared.errors import LostRace, StoreUnavailable, UnknownCall

_KIND, _ENTRIES, _COUNTS = "kind", "entries", "counts"


@dataclass(frozen=True, slots=True)
class TableFigures:
    """Counts calls; its caller translates the storage's errors."""

    index: TableClient

    def count(self, record: CallRecord) -> None:
        """Count a call that is being closed, once: two round trips, one more for a call that failed."""
        mark, failed = mark_of(record), failed_row(record)
        earlier = self._counted(record, mark)
        newest = mark if earlier is None or earlier.entries < mark.entries else earlier
        if newest.failed:  # also if it was counted before: whoever did so may have died here
            keys = {"PartitionKey": failed.partition, "RowKey": failed.key}
            self.index.upsert_entity({**failed.columns, **keys}, mode=UpdateMode.MERGE)
        elif earlier is not None and earlier.failed:
            self.index.delete_entity(failed.partition, failed.key)

    def _counted(self, record: CallRecord, mark: Mark) -> Mark | None:
        """Count it; as what it was counted before."""
        place = place_of(record)
        found: Mapping[str, Any] | None = None  # its mark: looked for only once it is in the way
        for _ in range(RACES):
            earlier = Mark(found[_KIND], found[_ENTRIES]) if found else None
            counter = self._get(place.partition, place.counter)
            counts = counted(counter[_COUNTS] if counter else "", mark, earlier)
            if counts is None:
                return earlier
            rows = [
                _write(place.partition, place.mark, {_KIND: mark.kind, _ENTRIES: mark.entries}, found),
                _write(place.partition, place.counter, {_COUNTS: counts}, counter),
            ]
            try:
                with storage_errors(record.call_id, UnknownCall):
                    self.index.submit_transaction(rows, **AGAIN)
            except LostRace:  # to another call of this counter, or to whoever counted this very call
                found = self._get(place.partition, place.mark)
                continue
            return earlier
        raise StoreUnavailable("others count calls in the same row again and again")

    def ended(self, day: str) -> dict[tuple[str, str], int]:
        """How many calls of a day ended, by direction and outcome."""
        query = "PartitionKey eq @partition and RowKey ge @first and RowKey lt @last"
        given = {"partition": ended_partition(day), "first": COUNTER, "last": f"{COUNTER}{END}"}
        return summed(row[_COUNTS] for row in rows_of(self.index, query, given))

    def failed(self, day: str, most: int) -> list[Listed]:
        """The newest calls of a day that somebody should look at."""
        rows = rows_of(self.index, "PartitionKey eq @partition", {"partition": failed_partition(day)}, page=most)
        return [listed_of(day, row) for row in islice(rows, most)]

    def drop(self, day: str) -> None:
        """Remove the counters of the days before this one."""
        query = "PartitionKey ge @first and PartitionKey lt @last and RowKey ge @counter"
        given = {"first": ended_partition(""), "last": ended_partition(day), "counter": COUNTER}
        for row in self._keys(query, given):
            self.index.delete_entity(row["PartitionKey"], row["RowKey"])

    def _keys(self, query: str, given: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        yield from rows_of(self.index, query, given, select=["PartitionKey", "RowKey"])

    def _get(self, partition: str, key: str) -> Mapping[str, Any] | None:
        try:
            return self.index.get_entity(partition, key)
        except ResourceNotFoundError:
            return None


def _write(
    partition: str, key: str, columns: Mapping[str, Any], before: Mapping[str, Any] | None
) -> tuple[TransactionOperation, dict[str, Any], dict[str, Any]]:
    """A row that is new, or in place of what was read of it."""
    row = {"PartitionKey": partition, "RowKey": key, **columns}
    if before is None:
        return TransactionOperation.CREATE, row, {}
    unchanged = {"etag": etag(before), "match_condition": MatchConditions.IfNotModified}
    return TransactionOperation.UPDATE, row, {"mode": UpdateMode.REPLACE, **unchanged}
