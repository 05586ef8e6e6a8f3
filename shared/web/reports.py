"""Recordings and reports in the HTTP API: models, and the service that fills them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any, ClassVar, get_args

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import InvalidInput, SettingsError, UnknownRecording
from shared.quality.report import Report
from shared.recordings.base import Archive, Ledger
from shared.recordings.base import ReportRow as KeptRow
from shared.recordings.pipeline import Pipeline
from shared.recordings.record import ChunkStatus, RecordingRecord, Status, day_of_id, report_name
from shared.web.queries import day, limit, only, page, position
from shared.web.times import iso, iso_of

REPORTS_QUERY = ("day", "call", "flag", "below", "limit", "after")
"""What the list of reports takes in its query."""
RECORDINGS_QUERY = ("day", "call", "status", "limit", "after")
"""What that of recordings takes."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RecordingLinks(_Model):
    """What belongs to a recording, as paths of this API; null: there is none, or not yet.

    Where no report could be made, which `note` says, its path is 404.
    """

    recording: str
    call: str | None
    report: str | None
    page: str | None = Field(description="the report as a page")
    audio: tuple[str | None, ...] = Field(
        description="for each file, where it can be read without a key, for REPORT_LINK_MINUTES; null: it is not "
        "archived, or the storage has no key to sign links with. In lists it is empty"
    )


@dataclass(frozen=True, slots=True)
class ReportRow(KeptRow):
    """A row of the list of reports."""

    started_at_iso: Annotated[str | None, Field(description="`started_at` as ISO 8601 in UTC")] = None
    created_at_iso: Annotated[str | None, Field(description="`created_at` as ISO 8601 in UTC")] = None
    links: RecordingLinks | None = None


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
    started_at_iso: ClassVar[Any] = iso_of("started_at")
    duration_ms: int
    announced_at: int
    announced_at_iso: ClassVar[Any] = iso_of("announced_at")
    deadline: int = Field(description="when the downloads are given up")
    deadline_iso: ClassVar[Any] = iso_of("deadline")
    reported_at: int = Field(description="when the report was made, or found to be impossible (see `note`); 0: not yet")
    reported_at_iso: ClassVar[Any] = iso_of("reported_at")
    files: tuple[FileView, ...]
    links: RecordingLinks


class RecordingList(_Model):
    """A page of the recordings of a day."""

    recordings: tuple[RecordingView, ...]
    next: str | None = Field(description="`after` of the next page; null: this is the last")


def _no_days(call_id: str) -> Sequence[str]:
    return ()


class ReportService:
    """Recordings and reports, as operators and other systems see them.

    Args:
        days_of: the UTC days on which a call was up; none: it is not known.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        ledger: Ledger,
        archive: Archive,
        *,
        link_seconds: float,
        days_of: Callable[[str], Sequence[str]] = _no_days,
    ) -> None:
        self._pipeline = pipeline
        self._ledger = ledger
        self._archive = archive
        self._link_seconds = link_seconds
        self._days_of = days_of

    def reports(self, query: Mapping[str, str]) -> ReportList:
        """A page of the reports of a day, or of those of a call."""
        only(query, REPORTS_QUERY)
        size, below = limit(query.get("limit")), _score(query.get("below"))
        flag, call = query.get("flag", ""), query.get("call", "")

        def wanted(row: KeptRow) -> bool:
            if (flag and flag not in row.flags) or (call and call != row.call_id):
                return False
            return below is None or (row.score is not None and row.score < below)

        after = position(query.get("after"))
        rows = (row for day in self._days(query) for row in self._ledger.reports(day, after=after))
        found, more = page(filter(wanted, rows), size)
        return ReportList(reports=tuple(map(_listed, found)), next=found[-1].id if more else None)

    def rows(self, day: str, *, after: str = "") -> Iterable[KeptRow]:
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
        """A page of the recordings of a day, or of those of a call."""
        only(query, RECORDINGS_QUERY)
        size, status, call = limit(query.get("limit")), query.get("status", ""), query.get("call", "")
        if status and status not in get_args(Status):
            raise InvalidInput("status", f"{status!r} is not a status.", f"Known: {', '.join(get_args(Status))}.")
        after = position(query.get("after"))
        days = self._days(query)
        records = (one for day in days for one in self._ledger.listed(day, status=status, after=after))
        found, more = page((one for one in records if not call or one.call_id == call), size)
        return RecordingList(recordings=tuple(map(_view, found)), next=found[-1].id if more else None)

    def recording(self, recording: str) -> RecordingView:
        """One recording, with links to its files that work for a while."""
        record = self._ledger.load(recording)[0]
        return _view(record, self._link)

    def replay(self, recording: str) -> RecordingView:
        """Fetch again what failed, and make a new report."""
        return _view(self._pipeline.replay(recording))

    def _link(self, name: str) -> str | None:
        try:
            return self._archive.link(name, self._link_seconds)
        except SettingsError:  # the page Status and the page of a report say it
            return None

    def _days(self, query: Mapping[str, str]) -> Sequence[str]:
        """The days that a list is of: the one that is named, those of the call that is named, or today."""
        call, named = query.get("call"), query.get("day")
        return (self._days_of(call) if call and not named else ()) or (day(named),)


def _listed(row: KeptRow) -> ReportRow:
    values = {field.name: getattr(row, field.name) for field in fields(KeptRow)}
    return ReportRow(
        **values,
        started_at_iso=iso(row.started_at),
        created_at_iso=iso(row.created_at),
        links=_links(row.id, row.call_id, reported=True),
    )


def _links(recording: str, call_id: str, audio: Sequence[str | None] = (), *, reported: bool) -> RecordingLinks:
    report = f"/api/reports/{recording}" if reported else None
    return RecordingLinks(
        recording=f"/api/recordings/{recording}",
        call=f"/api/calls/{call_id}" if call_id else None,
        report=report,
        page=f"{report}/page" if report else None,
        audio=tuple(audio),
    )


def _view(record: RecordingRecord, link: Callable[[str], str | None] | None = None) -> RecordingView:
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
    values = {name: getattr(record, name) for name in RecordingView.model_fields if name not in ("files", "links")}
    audio = [link(chunk.name) if chunk.name else None for chunk in record.chunks] if link is not None else []
    links = _links(record.id, record.call_id, audio, reported=bool(record.reported_at))
    return RecordingView(**values, files=files, links=links)


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
