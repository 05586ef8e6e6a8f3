"""Call context in Azure Tables, what is too large for a row in Blob storage.

Table `<prefix>calls`, one partition a call:

    head        the record's columns, and the newest entries of the journal (`tail`)
    s000001 …   older entries, in sealed segments, eight to a row: `p000001` … are deflated JSON lines

What a commit writes: `head`, replaced under its ETag (If-Match). When the tail is full, the same commit is a
transaction of two rows: the tail moves into the next segment, which is written once and never changed, and the head
starts an empty one. If what is appended is larger than LARGE_COMMIT, its blobs are written before: without the commit
nothing refers to them. A claim inserts `head` in the same way. No commit writes anything else.

Table `<prefix>index` finds calls and counts them; its rows: shared.calls.store.index and figures.
"""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from itertools import chain
from typing import Any, cast

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableClient, TransactionOperation, UpdateMode

from shared.azure import clients
from shared.azure.blobs import Blobs
from shared.azure.call_figures import TableFigures
from shared.azure.call_removal import TableRemoval
from shared.azure.rows import AGAIN, etag, replace_row, rows_of, storage_errors, written_at
from shared.azure.segments import join, segment_row, segments_of, split
from shared.calls.record import CallRecord
from shared.calls.store.base import By, Found, Listed, OpenCall, Stored, Version, listed_row
from shared.calls.store.index import (
    CONNECTION,
    OPEN,
    IndexRow,
    all_stand,
    day_partition,
    day_row,
    gone_partition,
    index_rows,
    listed_of,
    open_call,
    partitions,
    positions,
)
from shared.calls.store.limits import check_row, is_key, size
from shared.errors import AlreadyClaimed, UnknownCall
from shared.privacy import NumberHashes
from shared.storage_account import StorageAccount

HEAD = "head"
TAIL_ENTRIES = 32
"""Entries after which the tail is sealed; a few tens keep a commit near the cost of a small row."""
TAIL_CHARACTERS = 24_000
"""A string property holds 32 K characters of UTF-16 (docs: table service data model)."""
LARGE_COMMIT = 16_000
"""Characters above which what a commit appends goes to Blob storage, and the journal keeps a claim check."""
CLAIM_CHECK = '{"claim_check":'
AT_ONCE = 16
"""Requests that a page of heads is read with, side by side (our choice)."""

_storage_errors = partial(storage_errors, missing=UnknownCall)
_LISTS: Mapping[str, str] = {"unconfirmed": ",", "marks": ",", "indexed": ",", "recording_ids": "\n", "earlier": "\n",
                               "others": "\n"}  # fmt: skip
"""What separates the parts of the columns that hold several."""
_TIMES = ("started_at", "connected_at", "ended_at", "updated_at", "wake_at", "placed_at")
_OBJECTS = ("details", "failure")
"""Columns that hold a JSON object; an empty one is not written."""
_NO_COLUMNS = {"call_id", "written_at", *_LISTS, *_OBJECTS}
_COLUMNS = tuple(field.name for field in fields(CallRecord) if field.name not in _NO_COLUMNS)
_SEEN = [*(name for name in _COLUMNS if name not in ("ring", "secrets")), *_LISTS, *_OBJECTS, "Timestamp"]
"""What is read of a head to look at its call: not the newest entries, the IncomingCall's context, or the data key."""


@dataclass(frozen=True, slots=True)
class _Version:
    """What a commit builds on: the head's ETag, its tail, and how much is sealed."""

    etag: str
    tail: tuple[str, ...]
    segments: int
    sealed: int


class TableStore:
    """Keeps calls in Azure Tables and Blob storage; safe to share between threads.

    Args:
        numbers: hashes the numbers that calls are found by; None: none is kept.
    """

    def __init__(self, account: StorageAccount, prefix: str, numbers: NumberHashes | None = None) -> None:
        self._numbers = numbers
        self._side_by_side = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="switchboard-storage")
        self._service = clients.tables(account)
        self._calls: TableClient = self._service.get_table_client(f"{prefix}calls")
        self._index: TableClient = self._service.get_table_client(f"{prefix}index")
        self._blobs = Blobs(account, f"{prefix}-calls")
        self._figures = TableFigures(self._index)
        self._removal = TableRemoval(self._calls, self._index, self._blobs, numbers, HEAD)

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
        _check_id(call_id)
        head: Mapping[str, Any] | None = None
        segments: dict[int, str] = {}
        with _storage_errors(call_id):
            for row in self._calls.query_entities("PartitionKey eq @call", parameters={"call": call_id}):
                if row["RowKey"] == HEAD:
                    head = row
                else:
                    segments |= segments_of(row)
        if head is None:
            raise UnknownCall(call_id)
        sealed = [split(segments[number]) for number in sorted(segments)]
        tail = split(head["tail"])
        journal = [*chain.from_iterable(sealed), *tail]
        version = _Version(etag(head), tuple(tail), len(sealed), len(journal) - len(tail))
        if any(entry.startswith(CLAIM_CHECK) for entry in journal):
            with _storage_errors(call_id):
                journal = self._checked_out(journal)
        return Stored(_record(call_id, head), journal, version)

    def peek(self, call_id: str) -> CallRecord:
        _check_id(call_id)
        with _storage_errors(call_id):
            return _record(call_id, self._calls.get_entity(call_id, HEAD))

    def commit(self, record: CallRecord, appended: Sequence[str], version: Version) -> Version:
        base = cast(_Version, version)
        call_id = record.call_id
        tail = base.tail + self._checked_in(call_id, appended, base.sealed + len(base.tail))
        full = len(tail) > TAIL_ENTRIES or sum(map(size, tail)) > TAIL_CHARACTERS
        with _storage_errors(call_id):
            if not full or not base.tail:
                written = replace_row(self._calls, _head(record, tail, base.segments), base.etag)
                return _Version(written, tail, base.segments, base.sealed)
            fresh = tail[len(base.tail) :]
            condition = {
                "mode": UpdateMode.REPLACE,
                "etag": base.etag,
                "match_condition": MatchConditions.IfNotModified,
            }
            results = self._calls.submit_transaction(
                [
                    (TransactionOperation.UPDATE, _head(record, fresh, base.segments + 1), condition),
                    (
                        TransactionOperation.UPSERT,
                        segment_row(call_id, base.segments, base.tail),
                        {"mode": UpdateMode.MERGE},
                    ),
                ],
                **AGAIN,
            )
            return _Version(results[0]["etag"], fresh, base.segments + 1, base.sealed + len(base.tail))

    # Finding calls

    def peek_all(self, call_ids: Sequence[str]) -> list[CallRecord]:
        with _storage_errors("heads"):
            found = self._side_by_side.map(self._peek_if_there, call_ids)
            return [record for record in found if record is not None]

    def indexed(self, record: CallRecord) -> bool:
        return all_stand(record, self._numbers)

    def index(self, record: CallRecord) -> tuple[str, ...]:
        rows = index_rows(record, self._numbers)
        with _storage_errors(record.call_id):
            for row in rows:  # one after the other: no caller waits for them, but commits of other calls would
                if row.mark not in record.indexed:
                    self._merge(row)
        return tuple(row.mark for row in rows)

    def close(self, record: CallRecord, document: dict[str, Any]) -> None:
        text = json.dumps(document, ensure_ascii=False)
        with _storage_errors(record.call_id):
            self._merge(day_row(record))
            if not self._blobs.put_newest(_archive_name(listed_row(record).day, record.call_id), text, record.entries):
                self._list_newest(record.call_id)  # this row has overwritten what the archive's writer said
            self._figures.count(record)
            self._index.delete_entity(OPEN, record.call_id)

    def is_closed(self, record: CallRecord) -> bool:
        with _storage_errors(record.call_id):
            return self._blobs.exists(_archive_name(listed_row(record).day, record.call_id))

    def open_calls(self) -> Iterator[str]:
        return (one.call_id for one in self.going_on())

    def going_on(self) -> Iterator[OpenCall]:
        with _storage_errors("open"):
            try:
                for row in self._index.query_entities(f"PartitionKey eq '{OPEN}'"):
                    yield open_call(row["RowKey"], row)
            except ResourceNotFoundError:
                self.prepare()  # no call has come yet

    def ended(self, day: str) -> Mapping[tuple[str, str], int]:
        with _storage_errors("figures"):
            return self._figures.ended(day)

    def failed(self, day: str, most: int) -> list[Listed]:
        with _storage_errors("failed calls"):
            return self._figures.failed(day, most)

    def drop_figures(self, day: str) -> None:
        with _storage_errors("figures"):
            self._figures.drop(day)

    def connection_of(self, call_id: str) -> str:
        _check_id(call_id)
        with _storage_errors(call_id):
            try:
                return str(self._index.get_entity(OPEN, call_id).get(CONNECTION, ""))
            except ResourceNotFoundError:
                return ""

    def search(
        self, by: By, value: str, *, since: int | None = None, until: int | None = None, after: str = ""
    ) -> Iterator[Found]:
        low, high = positions(since=since, until=until, after=after)
        rows = (self._between(partition, low, high) for partition in partitions(by, value, self._numbers))
        return _found(heapq.merge(*rows, key=lambda row: str(row["RowKey"])))

    def listed(self, day: str, *, after: str = "", most: int | None = None) -> Iterable[Listed]:
        for row in self._between(day_partition(day), *positions(after=after), page=most):
            yield listed_of(day, row)

    def _between(self, partition: str, low: str, high: str, page: int | None = None) -> Iterator[Mapping[str, Any]]:
        """The rows of a partition of the index between two positions, in their order."""
        with _storage_errors(partition.partition(" ")[0]):
            query = "PartitionKey eq @partition and RowKey gt @low and RowKey lt @high"
            yield from rows_of(self._index, query, {"partition": partition, "low": low, "high": high}, page=page)

    def _list_newest(self, call_id: str) -> None:
        """Say in the list what the head says, also if it changes meanwhile."""
        said = None
        while (newest := self._peek_if_there(call_id)) is not None and newest != said:
            self._merge(day_row(newest))
            said = newest

    def _merge(self, row: IndexRow) -> None:
        keys = {"PartitionKey": row.partition, "RowKey": row.key}
        self._index.upsert_entity({**row.columns, **keys}, mode=UpdateMode.MERGE)

    def _peek_if_there(self, call_id: str) -> CallRecord | None:
        try:
            return _record(call_id, self._calls.get_entity(call_id, HEAD, select=_SEEN))
        except ResourceNotFoundError:
            return None

    # Removing calls

    def is_open(self, call_id: str) -> bool:
        _check_id(call_id)
        with _storage_errors(call_id):
            try:
                self._index.get_entity(OPEN, call_id, select=["RowKey"])
            except ResourceNotFoundError:
                return False
            return self._peek_if_there(call_id) is not None  # else a removal broke off

    def older(self, day: str) -> Iterator[Found]:
        with _storage_errors("older calls"):
            yield from self._removal.older(day)

    def remove(self, found: Found, *, keep_numbers: bool = False) -> bool:
        if self.is_open(found.call_id):
            return False
        with _storage_errors(found.call_id):
            record = self._peek_if_there(found.call_id)
            archive = _archive_name(found.day, found.call_id)
            self._removal.remove(found, record, archive, keep_numbers=keep_numbers)
        return True

    def forgettable(self, day: str) -> Iterator[Found]:
        with _storage_errors("forgettable calls"):
            yield from self._removal.older(day, gone_partition(""))

    def rehash(self) -> int:
        with _storage_errors("numbers"):
            return self._removal.rehash(self._peek_if_there)

    def unknown_keys(self) -> set[str]:
        with _storage_errors("numbers"):
            return self._removal.unknown_keys()

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
        if sum(map(size, entries)) <= LARGE_COMMIT:
            return tuple(entries)
        text = join(entries)
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
                split(self._blobs.get(json.loads(entry)["claim_check"])) if entry.startswith(CLAIM_CHECK) else [entry]
            )
        ]


def _check_id(call_id: str) -> None:
    """UnknownCall for what no call can have as its id: the storage would call such a request wrong."""
    if not call_id or not is_key(call_id):
        raise UnknownCall(call_id)


def _archive_name(day: str, call_id: str) -> str:
    return f"{day.replace('-', '/')}/{call_id}.json"


def _head(record: CallRecord, tail: Sequence[str], segments: int) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(record, name) for name in _COLUMNS}
    for name in _TIMES:
        row[name] = str(row[name])  # a Python int above 2**31 would need the long form of the wire
    for name, separator in _LISTS.items():
        row[name] = separator.join(map(str, getattr(record, name)))
    for name in _OBJECTS:
        if value := getattr(record, name):
            row[name] = json.dumps(value, ensure_ascii=False)
    row["tail"] = join(tail)
    check_row(record.call_id, row)
    return {**row, "PartitionKey": record.call_id, "RowKey": HEAD, "segments": segments}


def _record(call_id: str, row: Mapping[str, Any]) -> CallRecord:
    # Columns that are not there: of a head that an earlier version wrote, or not asked for.
    values = {name: row[name] for name in _COLUMNS if name in row}
    for name in _TIMES:
        values[name] = int(values.get(name, 0))
    values |= {name: json.loads(row[name]) for name in _OBJECTS if row.get(name)}
    lists = {name: [part for part in row.get(name, "").split(by) if part] for name, by in _LISTS.items()}
    return CallRecord(
        call_id=call_id,
        unconfirmed=[int(seq) for seq in lists["unconfirmed"]],
        marks=lists["marks"],
        recording_ids=tuple(lists["recording_ids"]),
        others=tuple(lists["others"]),
        indexed=tuple(lists["indexed"]),
        earlier=tuple(lists["earlier"]),
        written_at=written_at(row),
        **values,
    )


def _found(rows: Iterable[Mapping[str, Any]]) -> Iterator[Found]:
    """Each call once: one is found twice where the key of the hashes changed while it was up."""
    last = ""
    for row in rows:
        if row["RowKey"] != last:
            last = row["RowKey"]
            yield Found(row["call_id"], last)
