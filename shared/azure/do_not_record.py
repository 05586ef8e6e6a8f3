"""The do-not-record list in Azure Tables.

Table `<prefix>donotrecord`: one row a number, its key the keyed hash, and nothing else in it.
"""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property, partial
from itertools import compress

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableClient

from shared.azure import clients
from shared.azure.rows import storage_errors, with_table
from shared.calls.store.index import gaps
from shared.errors import StoreUnavailable
from shared.privacy import NumberHashes
from shared.storage_account import StorageAccount

PARTITION = "number"
AT_ONCE = 8
"""Rows that are looked for side by side (our choice). A query for several keys would read the whole partition."""

_storage_errors = partial(storage_errors, "do-not-record list", StoreUnavailable)


class TableDoNotRecord:
    """Keeps the list in a table of its own, which is made with the first number; safe to share between threads.

    Args:
        numbers: hashes the numbers.
    """

    def __init__(self, account: StorageAccount, prefix: str, numbers: NumberHashes) -> None:
        self._account = account
        self._name = f"{prefix}donotrecord"
        self._numbers = numbers

    def add(self, raw_id: str) -> None:
        row = {"PartitionKey": PARTITION, "RowKey": self._numbers.of(raw_id)}
        with _storage_errors():
            with_table(self._table, lambda: self._table.upsert_entity(row))

    def remove(self, raw_id: str) -> None:
        with _storage_errors():
            for hashed in self._numbers.candidates(raw_id):
                self._table.delete_entity(PARTITION, hashed)

    def holds_any(self, raw_ids: Collection[str]) -> bool:
        candidates = {one: self._numbers.candidates(one) for one in raw_ids}
        hashes = list({hashed for several in candidates.values() for hashed in several})
        with _storage_errors():
            held = set(compress(hashes, self._side_by_side.map(self._holds, hashes)))
        for one, (current, *earlier) in candidates.items():
            if current not in held and held.intersection(earlier):
                self.add(one)  # under the key of now, before that of then is gone
        return bool(held)

    def unknown_keys(self) -> set[str]:
        known, unknown = self._numbers.key_ids, set[str]()
        with _storage_errors(), suppress(ResourceNotFoundError):  # there is no table
            for first, last in gaps("", [*known]):
                while (row := self._first_between(first, last)) is not None:
                    key_id, _, _ = row.partition(".")
                    unknown.add(key_id)
                    first = f"{key_id}/"  # behind all that are under this key
        return unknown

    def _first_between(self, first: str, last: str) -> str | None:
        query = "PartitionKey eq @partition and RowKey gt @first and RowKey lt @last"
        parameters = {"partition": PARTITION, "first": first, "last": last}
        rows = self._table.query_entities(query, parameters=parameters, select=["RowKey"], results_per_page=1)
        return next((str(row["RowKey"]) for row in rows), None)

    def _holds(self, hashed: str) -> bool:
        try:
            self._table.get_entity(PARTITION, hashed, select=["RowKey"])
        except ResourceNotFoundError:
            return False  # or no number has been listed yet, and there is no table
        return True

    @cached_property
    def _side_by_side(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="switchboard-do-not-record")

    @cached_property
    def _table(self) -> TableClient:
        """Made on first use: no call that is not recorded needs it."""
        return clients.tables(self._account).get_table_client(self._name)
