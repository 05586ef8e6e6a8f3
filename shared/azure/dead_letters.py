"""Dead letters in the table `<prefix>deadletters`.

PartitionKey is the UTC day on which the call started, RowKey the call's id and the target. A row holds no event: a
replay makes it from the call again, so that no personal data is stored twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, cast

from azure.core import MatchConditions
from azure.data.tables import UpdateMode

from shared.azure import clients
from shared.azure.rows import etag, rows_of, storage_errors, with_table
from shared.errors import LostRace
from shared.notifications.base import DeadLetter, Version
from shared.notifications.errors import UnknownDeadLetter
from shared.storage_account import StorageAccount

MOST_REASON = 500
"""Characters of a reason that are kept (our choice)."""
_ALL = "PartitionKey gt @day or ( PartitionKey eq @day and RowKey gt @row )"
"""The SDK finds a parameter between spaces alone."""


class TableDeadLetters:
    """Keeps dead letters; safe to share between threads."""

    def __init__(self, account: StorageAccount, prefix: str) -> None:
        self._table = clients.tables(account).get_table_client(f"{prefix}deadletters")

    def put(self, letter: DeadLetter) -> None:
        row = {
            "PartitionKey": letter.day,
            "RowKey": _row_key(letter),
            "call_id": letter.call_id,
            "target": letter.target,
            "reason": letter.reason[:MOST_REASON],
            "attempts": letter.attempts,
            "since": str(letter.since),
            "at": str(letter.at),
        }
        with storage_errors(letter.call_id, UnknownDeadLetter):
            with_table(self._table, lambda: self._table.upsert_entity(row, mode=UpdateMode.REPLACE))

    def listed(self, *, after: str = "") -> Iterator[DeadLetter]:
        day, _, row = after.partition(" ")
        return (_letter(found) for found in self._rows(_ALL, day=day, row=row))

    def of(self, day: str, call_id: str) -> list[tuple[DeadLetter, Version]]:
        query = "PartitionKey eq @day and RowKey gt @first and RowKey lt @last"
        rows = self._rows(query, day=day, first=f"{call_id} ", last=f"{call_id} ~")
        return [(_letter(row), etag(row)) for row in rows]

    def remove(self, letter: DeadLetter, version: Version) -> None:
        # LostRace: it was put again meanwhile, and stays. The SDK takes one that is gone for removed.
        with suppress(LostRace), storage_errors(letter.call_id, UnknownDeadLetter):
            self._table.delete_entity(
                letter.day,
                _row_key(letter),
                etag=cast(str, version),
                match_condition=MatchConditions.IfNotModified,
            )

    def remove_older(self, day: str) -> int:
        count = 0
        for row in self._rows("PartitionKey lt @day", day=day):
            with storage_errors(row["RowKey"], UnknownDeadLetter):
                self._table.delete_entity(row["PartitionKey"], row["RowKey"])
            count += 1
        return count

    def _rows(self, query: str, **parameters: str) -> Iterator[Mapping[str, Any]]:
        with storage_errors("dead letters", UnknownDeadLetter):
            yield from rows_of(self._table, query, parameters)


def _row_key(letter: DeadLetter) -> str:
    return f"{letter.call_id} {letter.target}"


def _letter(row: Mapping[str, Any]) -> DeadLetter:
    return DeadLetter(
        day=row["PartitionKey"],
        call_id=row["call_id"],
        target=row["target"],
        reason=row["reason"],
        attempts=row["attempts"],
        since=int(row["since"]),
        at=int(row["at"]),
    )
