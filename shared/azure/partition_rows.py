"""Rows of text in partitions, in Azure Tables: what the use cases keep.

A row's text is UTF-8 in binary properties, each of at most 64 KB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, cached_property, partial
from itertools import islice
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableClient, TableServiceClient, TableTransactionError, TransactionOperation, UpdateMode

from shared.azure import clients
from shared.azure.rows import etag, rows_of, storage_errors, with_table
from shared.calls.store.base import RACES
from shared.errors import LostRace, StoreUnavailable
from shared.rows import Change, Changed, Row, Table
from shared.storage_account import StorageAccount

PIECE = 60_000
"""Bytes of a property, of 65,536 that may be (docs: understanding the Table service data model)."""

_storage_errors = partial(storage_errors, "use cases", StoreUnavailable)
_Operation = tuple[TransactionOperation, dict[str, Any]] | tuple[TransactionOperation, dict[str, Any], dict[str, Any]]


class TableRows:
    """Keeps rows in tables, which are made with the first row; safe to share between threads.

    Args:
        names: of the tables in the storage, by those that the use case has for them.
    """

    def __init__(self, account: StorageAccount, names: Mapping[Table, str]) -> None:
        self._account = account
        self._names = names
        self._table = cache(self._client)

    def get(self, table: Table, partition: str, key: str) -> str | None:
        with _storage_errors():
            found = self._get(table, partition, key)
        return None if found is None else _text(found)

    def change(
        self,
        table: Table,
        partition: str,
        changes: Mapping[str, Change],
        before: Callable[[Changed], None] | None = None,
    ) -> Changed:
        for _ in range(RACES):
            with _storage_errors():
                found = self._found(table, partition, changes)
            texts = {key: _text(found[key]) if key in found else None for key in changes}
            changed = {key: (texts[key], change(texts[key])) for key, change in changes.items()}
            if before is not None:
                before(changed)
            try:
                self._write(table, [_operation(partition, key, found.get(key), *both) for key, both in changed.items()])
            except LostRace:
                continue
            return changed
        raise StoreUnavailable("others change the same rows again and again")

    def put(self, table: Table, partition: str, texts: Mapping[str, str | None]) -> None:
        for key in [key for key, text in texts.items() if text is None]:
            with _storage_errors():
                self._table(table).delete_entity(partition, key)
        rows = [_row(partition, key, text) for key, text in texts.items() if text is not None]
        self._write(table, [(TransactionOperation.UPSERT, row, {"mode": UpdateMode.REPLACE}) for row in rows])

    def first(self, table: Table, since: str, until: str, most: int | None = None, before: str = "") -> Iterable[Row]:
        found = self._query(table, since, until, most, before)
        return found if most is None else list(islice(found, most))

    def _query(self, table: Table, since: str, until: str, page: int | None, before: str) -> Iterator[Row]:
        query = "PartitionKey ge @since and PartitionKey lt @until" + (" and RowKey lt @before" if before else "")
        parameters = {"since": since, "until": until, "before": before}
        with _storage_errors():
            for row in rows_of(self._table(table), query, parameters, page=page):
                yield Row(str(row["PartitionKey"]), str(row["RowKey"]), _text(row))

    def _get(self, table: Table, partition: str, key: str) -> Mapping[str, Any] | None:
        try:
            return self._table(table).get_entity(partition, key)
        except ResourceNotFoundError:
            return None

    def _found(self, table: Table, partition: str, keys: Mapping[str, Change]) -> dict[str, Mapping[str, Any]]:
        """The rows that there are of these: one by itself, several by their partition."""
        if len(keys) == 1:
            (key,) = keys
            row = self._get(table, partition, key)
            return {} if row is None else {key: row}
        rows = rows_of(self._table(table), "PartitionKey eq @of", {"of": partition})
        return {str(row["RowKey"]): row for row in rows if row["RowKey"] in keys}

    def _write(self, table: Table, operations: Iterable[_Operation | None]) -> None:
        """Carry out what there is to do, all or none. LostRace if a row has changed since it was read."""
        todo = [one for one in operations if one is not None]
        if not todo:
            return
        client = self._table(table)
        with _storage_errors():
            try:
                with_table(client, lambda: _submit(client, todo))
            except (ResourceExistsError, ResourceNotFoundError) as error:
                raise LostRace("rows") from error

    def _client(self, table: Table) -> TableClient:
        return self._service.get_table_client(self._names[table])

    @cached_property
    def _service(self) -> TableServiceClient:
        return clients.tables(self._account)


def _submit(client: TableClient, todo: list[_Operation]) -> None:
    """Carry out a transaction; ResourceNotFoundError for a missing table or row, as other requests have it."""
    try:
        client.submit_transaction(todo)
    except TableTransactionError as error:
        if error.status_code == 404:
            raise ResourceNotFoundError(error.message) from error
        raise


def _operation(
    partition: str, key: str, found: Mapping[str, Any] | None, before: str | None, after: str | None
) -> _Operation | None:
    if after == before:
        return None
    if found is None:
        return (TransactionOperation.CREATE, _row(partition, key, after or ""))
    unchanged = {"etag": etag(found), "match_condition": MatchConditions.IfNotModified}
    if after is None:
        return (TransactionOperation.DELETE, {"PartitionKey": partition, "RowKey": key}, unchanged)
    return (TransactionOperation.UPDATE, _row(partition, key, after), {"mode": UpdateMode.REPLACE, **unchanged})


def _row(partition: str, key: str, text: str) -> dict[str, Any]:
    data = text.encode()
    pieces = {f"t{at // PIECE}": data[at : at + PIECE] for at in range(0, len(data), PIECE)}
    return {"PartitionKey": partition, "RowKey": key, **pieces}


def _text(row: Mapping[str, Any]) -> str:
    pieces = sorted((name for name in row if name[0] == "t" and name[1:].isdecimal()), key=lambda name: int(name[1:]))
    return b"".join(row[name] for name in pieces).decode()
