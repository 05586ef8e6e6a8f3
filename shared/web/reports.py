"""Recordings and reports in the HTTP API: models, and the service that fills them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import get_args

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import InvalidInput, UnknownRecording
from shared.quality.report import Report
from shared.recordings.base import Archive, Ledger, ReportRow
from shared.recordings.pipeline import Pipeline
from shared.recordings.record import ChunkStatus, RecordingRecord, Status, day_of_id, report_name
from shared.web.queries import day, limit, page, position


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ReportList(_Model):
    """A page of the reports of a day."""

    reports: tuple[ReportRow, ...]
    next: str | None = Field(description="`after` of the next page; null: this is the last")


class FileView(_Model):
    """One file of a recording."""

    index: int
    status: ChunkStatus
    reason: str = Field(description="why it is not archived, or not analysed")
    attempts: int
    bytes: int
    seconds: float
    deleted_at_source: bool


class RecordingView(_Model):
    """A recording and its status."""

    id: str
    call_id: str
    status: Status = Field(description="`failed`: nothing more happens until it is replayed")
    reason: str
    note: str
    channel_type: str
    format: str
    started_at: int = Field(description="Unix time in milliseconds")
    duration_ms: int
    announced_at: int
    deadline: int = Field(description="when the downloads are given up")
    reported_at: int = Field(description="when the report was made, or found to be impossible (see `note`); 0: not yet")
    files: tuple[FileView, ...]


class RecordingList(_Model):
    """A page of the recordings of a day."""

    recordings: tuple[RecordingView, ...]
    next: str | None = Field(description="`after` of the next page; null: this is the last")


class ReportService:
    """Recordings and reports, as operators and other systems see them."""

    def __init__(self, pipeline: Pipeline, ledger: Ledger, archive: Archive, *, link_seconds: float) -> None:
        self._pipeline = pipeline
        self._ledger = ledger
        self._archive = archive
        self._link_seconds = link_seconds

    def reports(self, query: Mapping[str, str]) -> ReportList:
        """A page of the reports of a day."""
        size, below = limit(query.get("limit")), _score(query.get("below"))
        flag, call = query.get("flag", ""), query.get("call", "")

        def wanted(row: ReportRow) -> bool:
            if (flag and flag not in row.flags) or (call and call != row.call_id):
                return False
            return below is None or (row.score is not None and row.score < below)

        rows = self._ledger.reports(day(query.get("day")), after=position(query.get("after")))
        found, more = page(filter(wanted, rows), size)
        return ReportList(reports=tuple(found), next=found[-1].id if more else None)

    def rows(self, day: str, *, after: str = "") -> Iterable[ReportRow]:
        """The reports of a day by id, from behind an id on; a request to the storage for a thousand."""
        return self._ledger.reports(day, after=after)

    def report(self, recording: str) -> str:
        """A report as the JSON that it is kept as. UnknownRecording if there is none (yet)."""
        if not day_of_id(recording):
            raise UnknownRecording(recording)
        try:
            return self._archive.get_text(report_name(recording))
        except KeyError:
            raise UnknownRecording(recording) from None

    def links(self, record: RecordingRecord) -> dict[str, str]:
        """The files of a recording by name, with links that work for a while."""
        return {name: self._archive.link(name, self._link_seconds) for name in self._archive.names(record.folder)}

    def file_links(self, recording: str) -> dict[str, str]:
        """The same, by the id of the recording. UnknownRecording."""
        return self.links(self._ledger.load(recording)[0])

    def page(self, recording: str, *, ways: Sequence[tuple[str, str]] = ()) -> str:
        """A report as an HTML page, with links to the audio that work for a while; `ways`: where it leads, by label and
        path."""
        from shared.quality.page import render

        report = Report.model_validate_json(self.report(recording))
        links = {
            chunk.index: self._archive.link(chunk.blob, self._link_seconds)
            for chunk in report.recording.chunks
            if chunk.blob
        }
        return render(report, links, ways)

    def recordings(self, query: Mapping[str, str]) -> RecordingList:
        """A page of the recordings of a day."""
        size, status = limit(query.get("limit")), query.get("status", "")
        if status and status not in get_args(Status):
            raise InvalidInput("status", f"{status!r} is not a status.", f"Known: {', '.join(get_args(Status))}.")
        records = self._ledger.listed(day(query.get("day")), status=status, after=position(query.get("after")))
        found, more = page(records, size)
        return RecordingList(recordings=tuple(map(_view, found)), next=found[-1].id if more else None)

    def recording(self, recording: str) -> RecordingView:
        """One recording."""
        return _view(self._ledger.load(recording)[0])

    def replay(self, recording: str) -> RecordingView:
        """Fetch again what failed, and make a new report."""
        return _view(self._pipeline.replay(recording))


def _view(record: RecordingRecord) -> RecordingView:
    files = tuple(
        FileView(
            index=chunk.index,
            status=chunk.status,
            reason=chunk.reason,
            attempts=chunk.attempts,
            bytes=chunk.bytes,
            seconds=chunk.seconds,
            deleted_at_source=chunk.deleted,
        )
        for chunk in record.chunks
    )
    values = {name: getattr(record, name) for name in RecordingView.model_fields if name != "files"}
    return RecordingView(**values, files=files)


def _score(text: str | None) -> float | None:
    if not text:
        return None
    try:
        score = float(text)
    except ValueError:
        score = -1.0
    if not 0 <= score <= 100:
        raise InvalidInput("below", f"{text!r} is not a score.", "Give 0 to 100.")
    return score
