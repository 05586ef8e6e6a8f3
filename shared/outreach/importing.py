"""The import of a file: refused whole before its first row, or every good row in and every bad one named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from shared.errors import InvalidInput
from shared.outreach.columns import Columns, map_columns
from shared.outreach.csv_file import BadRow, FileFacts, Source, inspect, rows_of
from shared.outreach.ledgers import Kept
from shared.outreach.people import People
from shared.outreach.person import Person, Wanted, person_key
from shared.outreach.reading import Reading
from shared.outreach.rules import Rules
from shared.outreach.uploads import Change, merge

MOST_PROBLEMS = 1_000
"""Bad rows that a report names; all are counted (our choice)."""
AT_ONCE = 25_000
"""Rows that are held, as JSON, and written together (our choice): some 15 MB. For 50,000 a page is written twice."""


class RowProblem(BaseModel):
    """A bad row: its line, what is wrong, and what to do. It holds nothing of the row but dates."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    line: int
    field: str
    problem: str
    remedy: str


class ImportReport(BaseModel):
    """How an import went, or how far it is.

    Attributes:
        state: `refused`: the file cannot be read, and nothing was imported. `stopped`: its campaign was.
        rows: of the file.
        read_to: the line up to which all is written; a crash goes on from there.
        problem, remedy: of a refused file.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    upload: str
    campaign: str
    state: Literal["importing", "whole", "refused", "stopped"] = "importing"
    rows: int = 0
    read_to: int = 0
    new: int = 0
    same: int = 0
    changed: int = 0
    moved: int = 0
    cancelled: int = 0
    bad: int = 0
    problems: tuple[RowProblem, ...] = ()
    problem: str = ""
    remedy: str = ""

    @property
    def over(self) -> bool:
        return self.state != "importing"


class Upload(NamedTuple):
    """A file that is to be imported.

    Attributes:
        secret: of the campaign.
        columns: the names of columns by field, where they cannot be guessed.
        keep: columns that are kept for the flow.
    """

    id: str
    campaign: str
    secret: str
    source: Source
    columns: Mapping[str, str]
    keep: tuple[str, ...] = ()


class Line(NamedTuple):
    """A good row: the line, and what it says as JSON, which takes a tenth of the memory."""

    line: int
    wanted: bytes


@dataclass(slots=True)
class _Batch:
    """Rows that are written together: of each person the lines that speak of them, in their order."""

    by_key: dict[str, list[Line]] = field(default_factory=dict)
    count: int = 0

    def add(self, line: int, key: str, wanted: Wanted) -> None:
        text = wanted.model_dump_json(exclude_defaults=True).encode()
        self.by_key.setdefault(key, []).append(Line(line, text))
        self.count += 1


class Importer:
    """Imports files. Asked again after a crash, it goes on, and counts as if there had been none.

    Args:
        now: the clock.
        at_once: rows that are written together.
    """

    def __init__(
        self, people: People, reports: Kept[ImportReport], now: Callable[[], datetime], at_once: int = AT_ONCE
    ) -> None:
        self._people = people
        self._reports = reports
        self._now = now
        self._at_once = at_once

    def run(
        self, upload: Upload, reading: Reading, most_rows: int, stopped: Callable[[], bool] = lambda: False
    ) -> ImportReport:
        """Import a file.

        Args:
            most_rows: the setting OUTREACH_MAX_RECIPIENTS.
            stopped: whether the campaign was stopped; asked between batches.
        """
        report = self._reports.get(upload.id) or ImportReport(upload=upload.id, campaign=upload.campaign)
        if report.over:
            return report
        try:
            facts = inspect(upload.source, most_rows)
            columns = map_columns(facts.header, upload.columns, upload.keep, reading.needed)
        except InvalidInput as wrong:
            refused = {"state": "refused", "problem": f"{wrong.field} {wrong.problem}", "remedy": wrong.remedy}
            return self._keep(report.model_copy(update=refused))
        report = report.model_copy(update={"rows": facts.rows})
        batch, bad, line = _Batch(), list[RowProblem](), report.read_to
        for line, read in read_people(upload, facts, columns, reading, self._now(), after=report.read_to):
            if isinstance(read, Wanted):
                batch.add(line, person_key(upload.secret, read.id), read)
            else:
                bad.append(read)
            if batch.count + len(bad) >= self._at_once:
                if stopped():
                    return self._keep(report.model_copy(update={"state": "stopped"}))
                report = self._keep(self._write(report, batch, bad, line, reading.rules))
                batch, bad = _Batch(), []
        written = self._write(report, batch, bad, line, reading.rules)
        return self._keep(written.model_copy(update={"state": "whole"}))

    def _write(
        self, report: ImportReport, batch: _Batch, bad: list[RowProblem], line: int, rules: Rules
    ) -> ImportReport:
        now, changes = self._now(), dict[str, list[Change]]()

        def merged(person: Person | None, item: tuple[str, list[Line]]) -> Person | None:
            key, lines = item
            changes[key] = []
            for at, text in lines:
                wanted = Wanted.model_validate_json(text)
                person, change = merge(person, wanted, (report.campaign, key), now, rules, (report.upload, at))
                changes[key].append(change)
            return person

        items = {key: (key, lines) for key, lines in batch.by_key.items()}
        self._people.change_all(report.campaign, items, merged)
        counts = {name: getattr(report, name) for name in ("new", "same", "changed", "moved", "cancelled")}
        for several in changes.values():
            for change in several:
                counts[change] += 1
        named = (*report.problems, *bad)[:MOST_PROBLEMS]
        return report.model_copy(update={**counts, "bad": report.bad + len(bad), "problems": named, "read_to": line})

    def _keep(self, report: ImportReport) -> ImportReport:
        self._reports.change(report.upload, lambda _: report)
        return report


def read_people(
    upload: Upload, facts: FileFacts, columns: Columns, reading: Reading, now: datetime, after: int = 0
) -> Iterator[tuple[int, Wanted | RowProblem]]:
    """The rows behind a line, each with its line, as people or as problems."""
    for row in rows_of(upload.source, facts):
        if row.line <= after:
            continue
        if isinstance(row, BadRow):
            yield row.line, RowProblem(line=row.line, field="row", problem=row.problem, remedy=row.remedy)
            continue
        try:
            yield row.line, reading.person(columns.values(row), now, columns.kept(row))
        except InvalidInput as wrong:
            yield row.line, RowProblem(line=row.line, field=wrong.field, problem=wrong.problem, remedy=wrong.remedy)
