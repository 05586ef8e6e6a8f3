"""The import of files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import StoreUnavailable
from shared.outreach.csv_file import Source, chunks_of
from shared.outreach.importing import MOST_PROBLEMS, Importer, ImportReport, RowProblem, Upload
from shared.outreach.ledgers import Kept
from shared.outreach.people import People
from shared.outreach.person import Person
from shared.outreach.reading import Reading
from shared.rows import MemoryRows, Rows, Table
from tests.unit.outreach.people import MONDAY, REMINDERS, SECRET, WINDOW, key_of

CLINIC = Reading(REMINDERS, WINDOW, "DE", "DD.MM.YYYY", "de-DE")
TODAY = """\
Termin-ID;Telefon;Name;Datum;Uhrzeit;Storniert;Arzt
1;0171 2345678;Ada;12.03.2026;14:30;;Sommer
2;0171 2345678;Bob;12.03.2026;15:00;;Sommer
3;4,91712E+11;Cem;12.03.2026;15:30;;Sommer
4;030 1234567;Dora;03/04/2026;15:30;;Sommer
5;030 1234567;Eva;13.03.2026;10:00;x;Winter
6;030 "1234567;Fred;13.03.2026;10:00;;Winter
7;030 1234567;Gil;13.03.2026;11:00;;Winter
"""
TOMORROW = TODAY.replace("12.03.2026;14:30", "13.03.2026;14:30").replace("Bob;12.03.2026;15:00;;", "Bob;;;storniert;")


class Imports:
    """An importer with its storage."""

    def __init__(self, rows: Rows | None = None, at_once: int = 1000) -> None:
        rows = rows or MemoryRows()
        self.people, self.reports = People(rows), Kept(rows, ImportReport, "upload")
        self.importer = Importer(self.people, self.reports, lambda: MONDAY, at_once)

    def run(self, text: str | bytes | Source, id: str = "u1", most: int = 1000, **more: Any) -> ImportReport:
        data = text.encode("latin-1") if isinstance(text, str) else text
        source = chunks_of(data) if isinstance(data, bytes) else data
        columns = {"id": "Termin-ID"} if b"Termin-ID" in next(source(), b"") else {}
        upload = Upload(id, "spring", SECRET, source, columns, tuple(more.pop("keep", ())))
        return self.importer.run(upload, CLINIC, most, **more)

    def person(self, id: str) -> Person:
        found = self.people.get("spring", key_of(id))
        assert found is not None
        return found


def counts(report: ImportReport) -> tuple[int, ...]:
    return report.new, report.same, report.changed, report.moved, report.cancelled, report.bad


def test_a_file_of_a_clinic(rows: Rows) -> None:
    imports = Imports(rows)
    report = imports.run(TODAY, keep=["Arzt"])
    assert (report.state, report.rows, report.over) == ("whole", 7, True)
    assert counts(report) == (3, 0, 0, 0, 1, 3)
    assert [(one.line, one.field) for one in report.problems] == [(4, "number"), (5, "date"), (7, "row")]
    assert "shortened by a spreadsheet" in report.problems[0].problem
    assert imports.person("1").wanted.details == {"Arzt": "Sommer"}
    assert imports.person("5").state == "cancelled"
    assert imports.reports.get("u1") == report
    assert "2345678" not in report.model_dump_json()


def test_the_same_file_again_changes_nothing_and_tomorrows_what_it_says(rows: Rows) -> None:
    imports = Imports(rows)
    imports.run(TODAY)
    before = list(imports.people.all("spring"))
    assert counts(imports.run(TODAY, "u2")) == (0, 4, 0, 0, 0, 3)
    assert list(imports.people.all("spring")) == before
    assert counts(imports.run(TOMORROW, "u3")) == (0, 2, 0, 1, 1, 3)
    assert imports.person("1").due == max(MONDAY, imports.person("1").wanted.appointment or MONDAY) - timedelta(days=2)
    assert imports.person("2").state == "cancelled"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "file is empty."),
        (b"PK\x03\x04", "file is a workbook or another packed file."),
        (TODAY, "file has more than 6 rows."),
        ("id;Telefon\n1;030 1234567\n", "columns.appointment is none of the columns"),
        ("id;Telefon;Mobil;Termin\n1;0;0;0\n", "columns.number could be"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_before_its_first_row(text: Any, problem: str) -> None:
    imports = Imports()
    report = imports.run(text, most=6)
    assert report.state == "refused"
    assert report.problem.startswith(problem)
    assert report.remedy
    assert list(imports.people.all("spring")) == []
    assert imports.run(text, most=6) == report


def rows_of_file(count: int) -> str:
    good = "".join(f"{n};030 {1000000 + n};12.03.2026 14:30\n" for n in range(count))
    return f"id;Telefon;Termin\n{good}"


def test_bad_rows_are_counted_beyond_those_that_are_named() -> None:
    report = Imports().run("id;Telefon;Termin\n" + "1;x;y\n" * (MOST_PROBLEMS + 5), most=2000)
    assert MOST_PROBLEMS == 1000
    assert (report.bad, len(report.problems), report.state) == (1005, 1000, "whole")
    assert report.problems[-1] == RowProblem(
        line=1001,
        field="number",
        problem="has signs that no single telephone number has.",
        remedy="Write one number, without words.",
    )


def test_somebody_who_is_there_twice_is_as_the_last_row_says() -> None:
    imports = Imports()
    text = "id;Telefon;Termin\n1;030 1234567;12.03.2026 14:30\n1;030 1234567;12.03.2026 15:30\n"
    assert counts(imports.run(text)) == (1, 0, 0, 1, 0, 0)
    assert imports.person("1").appointment == 2


class Crashing(MemoryRows):
    """Loses the storage at the nth change of people; the change itself may have been made."""

    def __init__(self, at: int, *, made: bool) -> None:
        super().__init__()
        self.left, self.made = at, made

    def change(self, table: Table, partition: str, changes: Mapping[str, Any], before: Any = None) -> Any:
        if table == "people":
            self.left -= 1
            if self.left == 0 and not self.made:
                raise StoreUnavailable("gone")
            changed = super().change(table, partition, changes, before)
            if self.left == 0:
                raise StoreUnavailable("the response was lost")
            return changed
        return super().change(table, partition, changes, before)


@pytest.mark.parametrize("made", [True, False])
@pytest.mark.parametrize("at", [1, 2, 7, 20, 31])
def test_a_crash_goes_on_where_it_was_and_counts_once(at: int, made: bool) -> None:
    text = rows_of_file(40) + "3;030 7654321;13.03.2026 14:30\n3;030 7654321;13.03.2026 14:30\nx;y\n"
    whole = Imports(at_once=15)
    expected = whole.run(text)
    assert counts(expected) == (40, 1, 0, 1, 0, 1)
    imports = Imports(Crashing(at, made=made), at_once=15)
    with pytest.raises(StoreUnavailable):
        imports.run(text)
    assert imports.run(text) == expected
    assert list(imports.people.all("spring")) == list(whole.people.all("spring"))


def test_rows_that_were_written_before_a_crash_are_not_read_again() -> None:
    imports = Imports(Crashing(25, made=False), at_once=15)
    with pytest.raises(StoreUnavailable):
        imports.run(rows_of_file(40))
    report = imports.reports.get("u1")
    assert report is not None
    assert (report.state, report.read_to, report.new) == ("importing", 16, 15)


def test_an_import_stops_with_its_campaign() -> None:
    imports = Imports(at_once=15)
    report = imports.run(rows_of_file(40), stopped=lambda: True)
    assert (report.state, report.new) == ("stopped", 0)
    assert imports.run(rows_of_file(40)) == report
