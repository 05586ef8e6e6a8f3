"""What an import would make of a file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.errors import InvalidInput
from shared.outreach.csv_file import chunks_of
from shared.outreach.importing import Upload
from shared.outreach.preview import preview
from shared.outreach.reading import Reading
from tests.unit.outreach.people import MONDAY, REMINDERS, SECRET, WINDOW

FILE = """\
Terminnummer;Telefon;Termin;Arzt;Notiz
1;0171 2345678;25/03/2026 14:30;Sommer;x
2;0171 2345678;03/04/2026 15:00;Sommer;x
3;4,91712E+11;03/04/2026 15:30;Sommer;x
"""
CLINIC = Reading(REMINDERS, WINDOW, "DE")


def test_a_preview_says_how_a_file_is_read_and_which_dates_fit() -> None:
    upload = Upload("u1", "spring", SECRET, chunks_of(FILE.encode("latin-1")), {}, ("Arzt",))
    found = preview(upload, CLINIC, 10, MONDAY)
    assert (found.encoding, found.delimiter) == ("utf-8", ";")
    assert found.columns == {"id": "Terminnummer", "number": "Telefon", "appointment": "Termin"}
    assert found.unused == ("Notiz",)
    assert found.date_formats == ("DD/MM/YYYY",)
    assert (found.good, found.bad, found.people) == (0, 3, ())
    assert [problem.field for problem in found.problems] == ["appointment", "appointment", "number"]
    named = preview(upload, replace(CLINIC, date_format="DD/MM/YYYY"), 10, MONDAY)
    assert (named.good, named.bad) == (2, 1)
    first = named.people[0]
    assert (first.id, first.details) == ("1", {"Arzt": "Sommer"})


def test_what_an_import_would_refuse_a_preview_does() -> None:
    with pytest.raises(InvalidInput, match="more than 2 rows"):
        preview(Upload("u1", "spring", SECRET, chunks_of(FILE.encode()), {}), CLINIC, 2, MONDAY)
