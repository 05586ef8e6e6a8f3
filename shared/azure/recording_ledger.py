"""Records of recordings and rows of reports in Azure Tables.

Tables `<prefix>recordings` and `<prefix>reports`; PartitionKey is the UTC day in the recording's id, RowKey the id.
Registering, loading and saving a record cost one round trip each.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables import EdmType, EntityProperty, TableClient

from shared.azure import clients
from shared.azure.rows import etag, replace_row, rows_of, storage_errors, with_table
from shared.calls.store.base import RACES
from shared.errors import LostRace, UnknownRecording
from shared.logs import logger
from shared.recordings.base import ReportRow, Version
from shared.recordings.record import ChunkRecord, RecordingRecord, day_of_id
from shared.storage_account import StorageAccount

log = logger("switchboard.recordings")

UNSETTLED_DAYS = 8
"""Days that are searched for work: longer than a message waits in the queue (7 days), so nothing else would do it."""
PIECE = 30_000
"""Characters of the chunks' JSON in one property; a property holds 32 K of UTF-16 (docs: table service data model)."""


class TableLedger:
    """Keeps recordings and reports; safe to share between threads."""

    def __init__(self, account: StorageAccount, prefix: str, *, clock: Callable[[], float] = time.time) -> None:
        service = clients.tables(account)
        self._recordings = service.get_table_client(f"{prefix}recordings")
        self._reports = service.get_table_client(f"{prefix}reports")
        self._clock = clock

    def register(self, record: RecordingRecord) -> bool:
        row = _record_row(record)
        with storage_errors(record.id, UnknownRecording):
            try:
                with_table(self._recordings, lambda: self._recordings.create_entity(row))
            except ResourceExistsError:
                return False
        return True

    def load(self, recording: str) -> tuple[RecordingRecord, Version]:
        if not day_of_id(recording):
            raise UnknownRecording(recording)
        with storage_errors(recording, UnknownRecording):
            row = self._recordings.get_entity(day_of_id(recording), recording)
        return _record(row), etag(row)

    def save(self, record: RecordingRecord, version: Version) -> Version:
        with storage_errors(record.id, LostRace):  # one that was removed is not at its version either
            return replace_row(self._recordings, _record_row(record), version)

    def listed(self, day: str, *, status: str = "", after: str = "") -> Iterator[RecordingRecord]:
        query = "PartitionKey eq @day and RowKey gt @after" + (" and status eq @status" if status else "")
        rows = self._rows(self._recordings, query, day=day, after=after, status=status)
        return map(_record, rows)

    def unsettled(self) -> Iterator[RecordingRecord]:
        first = datetime.fromtimestamp(self._clock(), UTC) - timedelta(days=UNSETTLED_DAYS)
        query = "PartitionKey ge @first and (status eq 'unclaimed' or status eq 'waiting' or status eq 'archived')"
        for row in self._rows(self._recordings, query, first=f"{first:%Y-%m-%d}"):
            try:
                yield _record(row)
            except (ValueError, TypeError, KeyError) as error:
                log.error("a record cannot be read recording=%s: %s", row["RowKey"], type(error).__name__)

    def of_call(self, day: str, call_id: str, server_call_id: str) -> Iterator[RecordingRecord]:
        query = "PartitionKey eq @day and ( call_id eq @call or server_call_id eq @server )"
        # An empty id would find all those that know none.
        server = server_call_id or call_id
        return map(_record, self._rows(self._recordings, query, day=day, call=call_id, server=server))

    def older(self, day: str) -> Iterator[str]:
        return (row["RowKey"] for row in self._rows(self._recordings, "PartitionKey lt @day", ["RowKey"], day=day))

    def remove(self, recording: str) -> None:
        if not day_of_id(recording):
            return
        with storage_errors(recording, UnknownRecording):
            # The record last: while it is there, a removal that broke off is done again.
            for table in (self._reports, self._recordings):
                table.delete_entity(day_of_id(recording), recording)

    def put_report(self, row: ReportRow) -> bool:
        """Costs two round trips, so that of two writers at once the newer report stays."""
        entity = _report_row(row)
        for _ in range(RACES):
            # LostRace: somebody wrote it meanwhile, or it was our own write whose response was lost. Look again.
            with suppress(LostRace), storage_errors(row.id, LostRace):
                return self._put_newest(entity, row.generation)
        raise LostRace(f"report {row.id}: written {RACES} times while it was read")

    def _put_newest(self, entity: dict[str, Any], generation: int) -> bool:
        """LostRace, or what storage_errors makes of the SDK's errors."""
        try:
            kept = self._reports.get_entity(entity["PartitionKey"], entity["RowKey"], select=["generation"])
        except ResourceNotFoundError:
            try:
                with_table(self._reports, lambda: self._reports.create_entity(entity))
            except ResourceExistsError:
                raise LostRace(entity["RowKey"]) from None
            return True
        if _narrow(kept, ["generation"]).get("generation", 0) > generation:
            return False
        replace_row(self._reports, entity, etag(kept))
        return True

    def reports(self, day: str, *, after: str = "") -> Iterator[ReportRow]:
        query = "PartitionKey eq @day and RowKey gt @after"
        return map(_report, self._rows(self._reports, query, day=day, after=after))

    def _rows(
        self, table: TableClient, query: str, select: list[str] | None = None, **parameters: str
    ) -> Iterator[Mapping[str, Any]]:
        with storage_errors(query, UnknownRecording):
            yield from rows_of(table, query, parameters, select=select)


def _record_row(record: RecordingRecord) -> dict[str, Any]:
    chunks = json.dumps([asdict(chunk) for chunk in record.chunks], separators=(",", ":"))
    values = {field.name: getattr(record, field.name) for field in fields(record) if field.name not in ("id", "chunks")}
    row = {"PartitionKey": record.day, "RowKey": record.id, **_wide(values)}
    for number, start in enumerate(range(0, len(chunks), PIECE)):
        row[f"chunks{number:02d}"] = chunks[start : start + PIECE]
    return row


def _record(row: Mapping[str, Any]) -> RecordingRecord:
    names = [field.name for field in fields(RecordingRecord) if field.name not in ("id", "chunks")]
    chunks = json.loads("".join(row[name] for name in sorted(row) if re.fullmatch(r"chunks[0-9]{2}", name)))
    known = {field.name for field in fields(ChunkRecord)}  # another version of the app may write more
    kept = [ChunkRecord(**{name: value for name, value in chunk.items() if name in known}) for chunk in chunks]
    return RecordingRecord(id=row["RowKey"], chunks=kept, **_narrow(row, names))


def _report_row(report: ReportRow) -> dict[str, Any]:
    values = {field.name: getattr(report, field.name) for field in fields(report) if field.name != "id"}
    values["flags"] = " ".join(report.flags)
    return {"PartitionKey": day_of_id(report.id), "RowKey": report.id, **_wide(values)}


def _report(row: Mapping[str, Any]) -> ReportRow:
    names = [field.name for field in fields(ReportRow) if field.name != "id"]
    missing: dict[str, Any] = dict.fromkeys(names)
    values = missing | {"questions": 0, "answered": 0, "generation": 0} | _narrow(row, names)
    return ReportRow(id=row["RowKey"], **{**values, "flags": tuple(values["flags"].split())})


def _wide(values: Mapping[str, Any]) -> dict[str, Any]:
    """Columns: whole numbers with 64 bits, as times need; None is no column."""
    return {
        name: EntityProperty(value, EdmType.INT64) if type(value) is int else value
        for name, value in values.items()
        if value is not None
    }


def _narrow(row: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    """The values of those columns that a row has."""
    return {
        name: row[name].value if isinstance(row[name], EntityProperty) else row[name] for name in names if name in row
    }
