"""What all instances share of the brakes, in Azure Tables.

Table `<prefix>brakes`: one partition, a row each for figures, switches and counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial
from typing import Any, cast

from azure.core.exceptions import ResourceExistsError
from azure.data.tables import TableClient, UpdateMode

from shared.azure import clients
from shared.azure.rows import etag, replace_row, rows_of, storage_errors, with_table
from shared.brakes.rows import RowName, StoredRow
from shared.errors import LostRace, StoreUnavailable
from shared.storage_account import StorageAccount

PARTITION = "all"
TEXT = "text"

_storage_errors = partial(storage_errors, "brakes", StoreUnavailable)


class TableBrakeRows:
    """Keeps the rows in a table of its own, which is made with the first of them; safe to share between threads."""

    def __init__(self, account: StorageAccount, prefix: str) -> None:
        self._account = account
        self._name = f"{prefix}brakes"

    def read(self) -> Mapping[RowName, StoredRow]:
        with _storage_errors():
            rows = list(rows_of(self._table, "PartitionKey eq @all", {"all": PARTITION}))
        return {cast(RowName, row["RowKey"]): StoredRow(str(row[TEXT]), etag(row)) for row in rows}

    def put(self, name: RowName, text: str) -> None:
        with _storage_errors():
            with_table(self._table, lambda: self._table.upsert_entity(_row(name, text), mode=UpdateMode.REPLACE))

    def replace(self, name: RowName, text: str, version: object | None) -> None:
        with _storage_errors():
            if version is not None:
                replace_row(self._table, _row(name, text), version)
                return
            try:
                with_table(self._table, lambda: self._table.create_entity(_row(name, text)))
            except ResourceExistsError:
                raise LostRace(name) from None

    @cached_property
    def _table(self) -> TableClient:
        """Made on first use, in the background: the start of the app need not wait for it."""
        return clients.tables(self._account).get_table_client(self._name)


def _row(name: RowName, text: str) -> dict[str, Any]:
    return {"PartitionKey": PARTITION, "RowKey": name, TEXT: text}
