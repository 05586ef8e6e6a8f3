"""Call context in Azure Tables, what is too large for a row in Blob storage.

Table `<prefix>calls`, one partition a call:

    head        the record's columns, and the newest entries of the journal (`tail`)
    s000001 …   older entries, sealed: written once, never changed

A commit replaces `head` under its ETag. When the tail is full, the same commit is a transaction of two rows:
the tail moves into the next segment and the head starts an empty one.

Table `<prefix>index` finds calls; its partitions: `open`, `day 2026-11-23`, `server <hash of server call id>`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, cast

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableClient, TransactionOperation, UpdateMode

from shared.calls.record import CallRecord
from shared.errors import AlreadyClaimed, UnknownCall
from shared.store.base import Listed, Stored, Version, day_of, listed_row
from shared.store.blobs import Blobs
from shared.store.rows import etag, storage_errors, table_service

HEAD = "head"
TAIL_ENTRIES = 32
"""Entries after which the tail is sealed; a few tens keep a commit near the cost of a small row."""
TAIL_CHARACTERS = 24_000
"""A string property holds 32 K characters of UTF-16 (docs: table service data model)."""
LARGE_COMMIT = 16_000
"""Characters above which what a commit appends goes to Blob storage, and the journal keeps a claim check."""
CLAIM_CHECK = '{"claim_check":'
AGAIN: dict[str, Any] = {"retry_on_methods": frozenset({"POST"})}
"""For claims and transactions: the SDK sends no POST again whose response was lost. These may come twice: the second
finds the first one's row, and the mark in it tells the writer whose it is."""

_storage_errors = partial(storage_errors, missing=UnknownCall)
_TIMES = ("started_at", "connected_at", "ended_at", "updated_at", "wake_at")
_COLUMNS = tuple(field.name for field in fields(CallRecord) if field.name not in ("call_id", "unconfirmed", "marks"))
_LISTED = tuple(field.name for field in fields(Listed) if field.name not in ("call_id", "day"))


@dataclass(frozen=True, slots=True)
class _Version:
    """What a commit builds on: the head's ETag, its tail, and how much is sealed."""

    etag: str
    tail: tuple[str, ...]
    segments: int
    sealed: int


class TableStore:
    """Keeps calls in Azure Tables and Blob storage; safe to share between threads."""

    def __init__(self, connection_string: str, prefix: str) -> None:
        self._service = table_service(connection_string)
        self._calls: TableClient = self._service.get_table_client(f"{prefix}calls")
        self._index: TableClient = self._service.get_table_client(f"{prefix}index")
        self._blobs = Blobs(connection_string, f"{prefix}-calls")

    # The call

    def claim(self, record: CallRecord, journal: Sequence[str]) -> Version:
        tail = self._checked_in(record.call_id, journal, 0)
        head = _head(record, tail, 0)
        with _storage_errors(record.call_id):
            try:
                try:
                    made = self._calls.create_entity(head, **AGAIN)
                except ResourceNotFoundError:
                    self.prepare()  # the first call of a new deployment
                    made = self._calls.create_entity(head, **AGAIN)
            except ResourceExistsError:
                raise AlreadyClaimed(record.call_id) from None
        return _Version(made["etag"], tail, 0, 0)

    def load(self, call_id: str) -> Stored:
        head: Mapping[str, Any] | None = None
        segments: list[str] = []
        with _storage_errors(call_id):
            for row in self._calls.query_entities("PartitionKey eq @call", parameters={"call": call_id}):
                if row["RowKey"] == HEAD:
                    head = row
                else:
                    segments.append(row["entries"])
        if head is None:
            raise UnknownCall(call_id)
        sealed = [entry for text in segments for entry in _split(text)]
        tail = tuple(_split(head["tail"]))
        version = _Version(etag(head), tail, len(segments), len(sealed))
        with _storage_errors(call_id):
            journal = self._checked_out([*sealed, *tail])
        return Stored(_record(call_id, head), journal, version)

    def peek(self, call_id: str) -> CallRecord:
        with _storage_errors(call_id):
            return _record(call_id, self._calls.get_entity(call_id, HEAD))

    def commit(self, record: CallRecord, appended: Sequence[str], version: Version) -> Version:
        base = cast(_Version, version)
        call_id = record.call_id
        tail = base.tail + self._checked_in(call_id, appended, base.sealed + len(base.tail))
        full = len(tail) > TAIL_ENTRIES or sum(map(_size, tail)) > TAIL_CHARACTERS
        with _storage_errors(call_id):
            if not full or not base.tail:
                done = self._calls.update_entity(
                    _head(record, tail, base.segments),
                    mode=UpdateMode.REPLACE,
                    etag=base.etag,
                    match_condition=MatchConditions.IfNotModified,
                )
                return _Version(done["etag"], tail, base.segments, base.sealed)
            fresh = tail[len(base.tail) :]
            segment = {
                "PartitionKey": call_id,
                "RowKey": f"s{base.segments + 1:06d}",
                "entries": _join(base.tail),
            }
            condition = {
                "mode": UpdateMode.REPLACE,
                "etag": base.etag,
                "match_condition": MatchConditions.IfNotModified,
            }
            results = self._calls.submit_transaction(
                [
                    (TransactionOperation.UPDATE, _head(record, fresh, base.segments + 1), condition),
                    (TransactionOperation.CREATE, segment),
                ],
                **AGAIN,
            )
            return _Version(results[0]["etag"], fresh, base.segments + 1, base.sealed + len(base.tail))

    # Finding calls

    def index(self, record: CallRecord) -> None:
        with _storage_errors(record.call_id):
            self._index.upsert_entity(_day_row(record), mode=UpdateMode.REPLACE)
            if record.server_call_id:
                self._index.upsert_entity(_server_row(record), mode=UpdateMode.REPLACE)
            if record.status != "ended":
                self._index.upsert_entity({"PartitionKey": "open", "RowKey": record.call_id}, mode=UpdateMode.REPLACE)

    def close(self, record: CallRecord, document: dict[str, Any]) -> None:
        with _storage_errors(record.call_id):
            day = day_of(record.started_at).replace("-", "/")
            self._blobs.put(f"{day}/{record.call_id}.json", json.dumps(document, ensure_ascii=False))
            self._index.upsert_entity(_day_row(record), mode=UpdateMode.REPLACE)
            self._index.delete_entity("open", record.call_id)

    def open_calls(self) -> Iterator[str]:
        with _storage_errors("open"):
            try:
                for row in self._index.query_entities("PartitionKey eq 'open'", select=["RowKey"]):
                    yield row["RowKey"]
            except ResourceNotFoundError:
                self.prepare()  # no call has come yet

    def find(self, server_call_id: str) -> str | None:
        with _storage_errors("server call id"):
            rows = self._index.query_entities(
                "PartitionKey eq @key", parameters={"key": _server_key(server_call_id)}, results_per_page=1
            )
            return next((row["call_id"] for row in rows), None)

    def listed(self, day: str, *, after: str = "") -> Iterable[Listed]:
        with _storage_errors(day):
            rows = self._index.query_entities(
                "PartitionKey eq @day and RowKey gt @after", parameters={"day": f"day {day}", "after": after}
            )
            try:
                for row in rows:
                    values = {name: row[name] for name in _LISTED} | {"started_at": int(row["started_at"])}
                    yield Listed(call_id=row["call_id"], day=day, **values)
            except ResourceNotFoundError:
                return  # no call has come yet: there is no table

    # The storage itself

    def prepare(self) -> None:
        with _storage_errors("tables"):
            for table in (self._calls, self._index):
                self._service.create_table_if_not_exists(table.table_name)
            self._blobs.prepare()

    def healthy(self) -> None:
        with _storage_errors("health"):
            try:
                next(iter(self._index.query_entities("PartitionKey eq 'health'", results_per_page=1)), None)
            except ResourceNotFoundError:
                self.prepare()

    # Claim checks

    def _checked_in(self, call_id: str, entries: Sequence[str], position: int) -> tuple[str, ...]:
        if sum(map(_size, entries)) <= LARGE_COMMIT:
            return tuple(entries)
        text = _join(entries)
        # The digest keeps apart what two racing deliveries put at the same position.
        name = f"entries/{call_id}/{position:06d}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"
        with _storage_errors(call_id):
            self._blobs.put(name, text)
        return (f"{CLAIM_CHECK}{json.dumps(name)}}}",)

    def _checked_out(self, entries: list[str]) -> list[str]:
        return [
            one
            for entry in entries
            for one in (
                _split(self._blobs.get(json.loads(entry)["claim_check"])) if entry.startswith(CLAIM_CHECK) else [entry]
            )
        ]


def _head(record: CallRecord, tail: Sequence[str], segments: int) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(record, name) for name in _COLUMNS}
    for name in _TIMES:
        row[name] = str(row[name])  # a Python int above 2**31 would need the long form of the wire
    row["PartitionKey"] = record.call_id
    row["RowKey"] = HEAD
    row["unconfirmed"] = ",".join(map(str, record.unconfirmed))
    row["marks"] = ",".join(record.marks)
    row["segments"] = segments
    row["tail"] = _join(tail)
    return row


def _record(call_id: str, row: Mapping[str, Any]) -> CallRecord:
    # A column is missing in a head that was written before there was such a column.
    values = {name: row[name] for name in _COLUMNS if name in row}
    for name in _TIMES:
        values[name] = int(values.get(name, 0))
    unconfirmed = [int(seq) for seq in row["unconfirmed"].split(",") if seq]
    marks = [mark for mark in row.get("marks", "").split(",") if mark]
    return CallRecord(call_id=call_id, unconfirmed=unconfirmed, marks=marks, **values)


def _day_row(record: CallRecord) -> dict[str, Any]:
    listed = listed_row(record)
    row: dict[str, Any] = {name: getattr(listed, name) for name in (*_LISTED, "call_id")}
    row |= {"PartitionKey": f"day {listed.day}", "RowKey": listed.position}
    row["started_at"] = str(record.started_at)
    return row


def _server_row(record: CallRecord) -> dict[str, Any]:
    return {
        "PartitionKey": _server_key(record.server_call_id),
        "RowKey": listed_row(record).position,
        "call_id": record.call_id,
    }


def _server_key(server_call_id: str) -> str:
    """A server call id is base64 and may hold `/`, which a key may not."""
    return f"server {hashlib.sha256(server_call_id.encode()).hexdigest()}"


def _size(entry: str) -> int:
    """Characters as the storage counts them."""
    return len(entry) if entry.isascii() else len(entry.encode("utf-16-le")) // 2


def _join(entries: Sequence[str]) -> str:
    return "\n".join(entries)


def _split(text: str) -> list[str]:
    return text.split("\n") if text else []
