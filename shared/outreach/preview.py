"""What an import would make of a file, before anything of it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.outreach.columns import map_columns
from shared.outreach.csv_file import inspect
from shared.outreach.importing import MOST_PROBLEMS, RowProblem, Upload, read_people
from shared.outreach.moments import formats_that_fit
from shared.outreach.person import Wanted
from shared.outreach.reading import Reading

PEOPLE_SHOWN = 5
"""Good rows that are shown as they are read (our choice)."""

_DATES = ("appointment", "date", "consent_at")


@dataclass(frozen=True, slots=True)
class Preview:
    """How a file is read.

    Attributes:
        columns: the name in the header of each field that was found.
        unused: the columns of which nothing is kept.
        date_formats: those that read every date of the first rows: one of them is to be named if `03/04` is among them.
        good, bad: how many rows.
        problems: of the first bad ones.
        header: the first line of the file.
        people: the first good ones, as they are read.
    """

    encoding: str
    delimiter: str
    columns: Mapping[str, str]
    unused: tuple[str, ...]
    date_formats: tuple[str, ...]
    good: int
    bad: int
    problems: tuple[RowProblem, ...]
    header: tuple[str, ...]
    people: tuple[Wanted, ...]


def preview(upload: Upload, reading: Reading, most_rows: int, now: datetime) -> Preview:
    """Read a file as an import would; InvalidInput for one that would be refused."""
    facts = inspect(upload.source, most_rows)
    columns = map_columns(facts.header, upload.columns, upload.keep, reading.needed)
    dates = [
        cells[name] for row in facts.samples for cells in (columns.values(row),) for name in _DATES if name in cells
    ]
    good, people, problems, bad = 0, list[Wanted](), list[RowProblem](), 0
    for _, read in read_people(upload, facts, columns, reading, now):
        if isinstance(read, Wanted):
            good += 1
            people += [read] if good <= PEOPLE_SHOWN else []
        else:
            bad += 1
            problems += [read] if bad <= MOST_PROBLEMS else []
    used = {*columns.fields.values(), *columns.details.values()}
    return Preview(
        encoding=facts.encoding,
        delimiter=facts.delimiter,
        columns={field: facts.header[at] for field, at in columns.fields.items()},
        unused=tuple(name for at, name in enumerate(facts.header) if at not in used),
        date_formats=tuple(formats_that_fit(dates)),
        good=good,
        bad=bad,
        problems=tuple(problems),
        header=tuple(facts.header),
        people=tuple(people),
    )
