"""Files as they come: each a clear answer, literally, and nothing half imported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from shared.outreach.csv_file import Source, chunks_of
from shared.outreach.importing import Importer, ImportReport, Upload
from shared.outreach.ledgers import Kept
from shared.outreach.people import People
from shared.outreach.reading import Reading
from shared.outreach.rules import Rules
from shared.rows import MemoryRows
from shared.use_case_settings import UseCaseSettings
from tests.unit.outreach.people import MONDAY, SECRET, WINDOW

REMINDERS = Rules(purpose="service", reminders=True, zone="Europe/Berlin")
MOST = UseCaseSettings.model_fields["outreach_max_recipients"].default


class Imported(NamedTuple):
    """What came of a file: its state and what was wrong with it, people by id, bad rows by line."""

    state: str
    problem: str
    people: dict[str, str]
    bad: dict[int, str]


def imported(data: bytes | Source, most: int = MOST) -> Imported:
    rows = MemoryRows()
    people = People(rows)
    source = chunks_of(data) if isinstance(data, bytes) else data
    reading = Reading(REMINDERS, WINDOW, "DE", "DD.MM.YYYY", "de-DE")
    upload = Upload("u1", "spring", SECRET, source, {}, ())
    report = Importer(people, Kept(rows, ImportReport, "upload"), lambda: MONDAY).run(upload, reading, most)
    found = {one.wanted.id: f"{one.wanted.name} {one.wanted.appointment:%d %H:%M}" for one in people.all("spring")}
    bad = {one.line: f"{one.field} {one.problem} {one.remedy}" for one in report.problems}
    return Imported(report.state, f"{report.problem} {report.remedy}".strip(), found, bad)


HEADER = "id;Telefon;Name;Termin"
TEXT = f"{HEADER}\n1;030 1234567;Müller;12.03.2026 14:30\n"
MUELLER = Imported("whole", "", {"1": "Müller 12 13:30"}, {})


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(TEXT.encode("utf-16"), id="UTF-16"),
        pytest.param(TEXT.encode("utf-16-le"), id="UTF-16 without a mark"),
        pytest.param(TEXT.encode("latin-1"), id="Latin-1"),
        pytest.param(TEXT.encode("utf-8-sig"), id="with a mark"),
        pytest.param(TEXT.replace(";", ",").encode(), id="commas"),
        pytest.param(TEXT.replace(";", "\t").encode("utf-16"), id="as Excel exports Unicode text"),
        pytest.param(b"sep=;\r\n" + TEXT.replace("\n", "\r\n").encode(), id="with a line for Excel"),
        pytest.param(TEXT.replace("\n", ";;;\n").encode(), id="empty columns behind the last"),
    ],
)
def test_however_it_is_written_it_is_read(data: bytes) -> None:
    assert imported(data) == MUELLER


@pytest.mark.parametrize(
    ("row", "answer"),
    [
        (
            '2;=HYPERLINK("x");Ada;12.03.2026 14:30',
            "row has a quotation mark that is not closed, or text beside one. Write a quotation mark within a cell "
            'twice, and the cell in quotes: "5"" pipe".',
        ),
        ("2;=A1;Ada;12.03.2026 14:30", "number is a formula, not a value. Export values instead of formulas."),
        (
            "2;4,91712E+11;Ada;12.03.2026 14:30",
            "number was shortened by a spreadsheet (such as 4.91712E+11): its last digits are lost.",
        ),
        ("2;#####;Ada;12.03.2026 14:30", "number was shown as ### by a spreadsheet whose column was too narrow."),
        ('2;030 "1234567;Ada;12.03.2026 14:30', "row has a quotation mark that is not closed, or text beside one."),
        ("2;030 1234567;Ada", "row has 3 cells where the header has 4."),
        (
            "2;030 1234567;Ada;29.03.2026 02:30",
            "appointment 2026-03-29 02:30 does not exist in Europe/Berlin: clocks are put forward over it. Give the "
            "time that the clock shows.",
        ),
        (
            "2;030 1234567;Ada;25.10.2026 02:30",
            "appointment 2026-10-25 02:30 comes twice in Europe/Berlin: clocks are put back over it. Write which: "
            "2026-10-25T02:30+02:00 and 2026-10-25T02:30+01:00.",
        ),
        (
            "2;030 1234567;Ada;3/4/2026 14:30",
            "appointment '3/4/2026' is no date written as DD.MM.YYYY. Write it so, or as YYYY-MM-DD.",
        ),
    ],
)
def test_a_bad_row_is_named_and_the_good_ones_go_on(row: str, answer: str) -> None:
    found = imported(f"{TEXT}{row}\n3;030 1234568;Eva;25.10.2026 03:30\n".encode())
    assert (found.state, found.people) == ("whole", {"1": "Müller 12 13:30", "3": "Eva 25 02:30"})
    assert list(found.bad) == [3]
    assert found.bad[3].startswith(answer), found.bad[3]


def test_the_hour_that_comes_twice_may_be_said() -> None:
    data = f"{HEADER}\n1;030 1234567;Ada;2026-10-25T02:30+01:00\n2;030 1234567;Bob;2026-10-25T02:30+02:00\n"
    assert imported(data.encode()).people == {"1": "Ada 25 01:30", "2": "Bob 25 00:30"}


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"id;Telefon;Mobil;Termin\n1;0;0;0\n", "columns.number could be"),
        (b"id;Telefon;Telefon;Termin\n1;0;0;0\n", "columns.number could be"),
        (b"id;Telefon;Name\n1;0;x\n", "columns.appointment is none of the columns"),
        (
            f'{HEADER[:-3]}"min\n1;2;3;4\n'.encode(),
            "file has a header (line 1) that cannot be read: it has a quotation",
        ),
        (
            TEXT.encode("utf-16") + b"\xff",
            "file says that it is utf-16, and is not. Save it as CSV (UTF-8) and send that.",
        ),
        (b"", "file is empty. Save it as CSV (UTF-8) and send that."),
        (b"PK\x03\x04" + bytes(40), "file is a workbook or another packed file. Save it as CSV (UTF-8) and send that."),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(data: bytes, answer: str) -> None:
    found = imported(data)
    assert (found.state, found.people, found.bad) == ("refused", {}, {})
    assert found.problem.startswith(answer), found.problem


def test_a_million_rows_are_refused_before_the_first() -> None:
    def source() -> Iterator[bytes]:
        yield f"{HEADER}\n".encode()
        for _ in range(1000):
            yield b"1;030 1234567;Ada;12.03.2026 14:30\n" * 1000

    assert imported(source) == Imported(
        "refused",
        "file has more than 100,000 rows. Split it (OUTREACH_MAX_RECIPIENTS says how many).",
        {},
        {},
    )
