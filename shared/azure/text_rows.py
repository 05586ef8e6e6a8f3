"""A few rows of text that all instances share, in Azure Tables: one partition of a table of their own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableClient, UpdateMode

from shared.azure import clients
from shared.azure.rows import etag, replace_row, rows_of, storage_errors, with_table
from shared.errors import LostRace, StoreUnavailable
from shared.storage_account import StorageAccount
from shared.text_rows import StoredRow

PARTITION = "all"
TEXT = "text"


class TableTextRows:
    """Keeps the rows in a table, which is made with the first of them; safe to share between threads.

    Args:
        table: its name, with the prefix.
    """

    def __init__(self, account: StorageAccount, table: str) -> None:
        self._account = account
        self._name = table
        self._storage_errors = partial(storage_errors, table, StoreUnavailable)

    def read(self) -> Mapping[str, StoredRow]:
        with self._storage_errors():
            rows = list(rows_of(self._table, "PartitionKey eq @all", {"all": PARTITION}))
        return {str(row["RowKey"]): StoredRow(str(row[TEXT]), etag(row)) for row in rows}

    def put(self, name: str, text: str) -> None:
        with self._storage_errors():
            with_table(self._table, lambda: self._table.upsert_entity(_row(name, text), mode=UpdateMode.REPLACE))

    def replace(self, name: str, text: str, version: object | None) -> object:
        with self._storage_errors():
            try:
                if version is not None:
                    return replace_row(self._table, _row(name, text), version)
                written = with_table(self._table, lambda: self._table.create_entity(_row(name, text)))
            except (ResourceExistsError, ResourceNotFoundError):
                raise LostRace(name) from None
            return str(written["etag"])

    def remove(self, name: str, version: object) -> None:
        with self._storage_errors():
            entity = {"PartitionKey": PARTITION, "RowKey": name}
            self._table.delete_entity(entity, etag=str(version), match_condition=MatchConditions.IfNotModified)

    @cached_property
    def _table(self) -> TableClient:
        """Made on first use, in the background: the start of the app need not wait for it."""
        return clients.tables(self._account).get_table_client(self._name)


def _row(name: str, text: str) -> dict[str, Any]:
    return {"PartitionKey": PARTITION, "RowKey": name, TEXT: text}
