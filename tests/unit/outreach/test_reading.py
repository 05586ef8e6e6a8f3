"""A row as somebody who can be called, or what is wrong with it; and which column is what."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from shared.errors import InvalidInput
from shared.outreach.columns import FIELDS, map_columns
from shared.outreach.csv_file import Row
from shared.outreach.person import Wanted
from shared.outreach.reading import Reading
from shared.outreach.rules import Consent, Rules
from shared.outreach.windows import Window
from tests.unit.outreach.people import MARKETING, MONDAY, REMINDERS, SERVICE, WINDOW

CLINIC = Reading(REMINDERS, WINDOW, "DE", "DD.MM.YYYY", "de-DE")
ROW = {"id": "T-17", "number": "0171 2345678", "name": "Ada", "date": "12.03.2026", "time": "14:30"}
AT = datetime(2026, 3, 12, 13, 30, tzinfo=UTC)


def test_a_row_of_a_clinic() -> None:
    assert CLINIC.person(ROW, MONDAY, {"doctor": "Dr. Sommer"}) == Wanted(
        id="T-17",
        number="+491712345678",
        name="Ada",
        language="de-DE",
        appointment=AT,
        details={"doctor": "Dr. Sommer"},
    )


def test_a_row_says_more_than_the_defaults() -> None:
    row = ROW | {"country": "us", "number": "(425) 555-0123", "zone": "America/Denver", "language": "en-US"}
    found = CLINIC.person(row, MONDAY)
    assert (found.number, found.zone, found.language) == ("+14255550123", "America/Denver", "en-US")


@pytest.mark.parametrize(
    ("changed", "field", "problem"),
    [
        ({"id": ""}, "id", "is empty"),
        ({"id": "x" * 201}, "id", "too long"),
        ({"id": "a\x07"}, "id", "control characters"),
        ({"id": "1.2E+11"}, "id", "shortened by a spreadsheet"),
        ({"number": "4.91712E+11"}, "number", "shortened by a spreadsheet"),
        ({"number": "01712345678 ", "country": "Germany"}, "country", "is no country"),
        ({"language": "german"}, "language", "is no language"),
        ({"zone": "Berlin"}, "zone", "is no time zone"),
        ({"status": "perhaps"}, "status", "is not known"),
        ({"name": '=HYPERLINK("x")'}, "name", "is a formula"),
        ({"name": "x" * 1001}, "name", "more than 1,000 characters"),
        ({"date": "03/12/2026"}, "date", "is no date written as DD.MM.YYYY"),
        ({"time": "25:00"}, "time", "is no time of day"),
        ({"time": ""}, "time", "is empty"),
        ({"date": ""}, "date", "is empty"),
        ({"date": "", "time": ""}, "appointment", "is empty"),
        ({"date": "29.03.2026", "time": "02:30"}, "time", "does not exist in Europe/Berlin"),
        ({"date": "25.10.2026", "time": "02:30"}, "time", "comes twice in Europe/Berlin"),
        ({"number": "+18005550199"}, "zone", "no hour to call in common"),
    ],
)
def test_what_is_wrong_with_a_row(changed: dict[str, str], field: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        CLINIC.person(ROW | changed, MONDAY)
    assert caught.value.field == field
    assert problem in caught.value.problem
    assert caught.value.remedy


@pytest.mark.parametrize("word", ["cancelled", "Storniert", "yes", "x", "1"])
def test_who_is_cancelled_needs_no_more_than_an_id(word: str) -> None:
    row = {"id": "T-17", "number": "4.9E+11", "status": word}
    assert CLINIC.person(row, MONDAY) == Wanted(id="T-17", number="", cancelled=True)
    with pytest.raises(InvalidInput, match="id: is empty"):
        CLINIC.person(row | {"id": ""}, MONDAY)


@pytest.mark.parametrize("word", ["", "active", "gebucht", "no"])
def test_who_stands_is_called(word: str) -> None:
    assert not CLINIC.person(ROW | {"status": word}, MONDAY).cancelled


def test_marketing_needs_consent_with_date_and_source() -> None:
    reading = Reading(MARKETING, WINDOW, "DE", "DD.MM.YYYY")
    row = {"id": "1", "number": "0171 2345678", "consent_at": "03.01.2026", "consent_source": "web form"}
    agreed = Consent(at=datetime(2026, 1, 2, 23, tzinfo=UTC), source="web form")
    assert reading.person(row, MONDAY).consent == agreed
    exact = reading.person(row | {"consent_at": "2026-01-03 10:15"}, MONDAY).consent
    assert exact == Consent(at=datetime(2026, 1, 3, 9, 15, tzinfo=UTC), source="web form")
    for changed, field, problem in (
        ({"consent_at": ""}, "consent_at", "is empty"),
        ({"consent_source": ""}, "consent_source", "is empty"),
        ({"consent_at": "10.03.2026"}, "consent_at", "is in the future"),
        ({"consent_at": "yes"}, "consent_at", "is no date"),
    ):
        with pytest.raises(InvalidInput, match=problem) as caught:
            reading.person(row | changed, MONDAY)
        assert caught.value.field == field
    assert Reading(SERVICE, WINDOW, "DE").person({"id": "1", "number": "0171 2345678"}, MONDAY).consent is None


def test_an_unknown_zone_is_refused_unless_a_default_is_set() -> None:
    row = {"id": "1", "number": "+80012345678"}  # international freephone
    with pytest.raises(InvalidInput, match="is not known from the number"):
        Reading(SERVICE, WINDOW).person(row, MONDAY)
    with_default = Rules(purpose="service", default_zone="Europe/Berlin")
    assert Reading(with_default, WINDOW).person(row, MONDAY).number == "+80012345678"
    assert Reading(SERVICE, WINDOW).person(row | {"zone": "Europe/Berlin"}, MONDAY).zone == "Europe/Berlin"


def test_a_holiday_in_the_week_of_the_import_refuses_nobody() -> None:
    holidays = frozenset(date(2026, 1, day) for day in range(1, 31))
    assert Reading(SERVICE, Window(holidays=holidays), "DE").person({"id": "1", "number": "0171 2345678"}, MONDAY)


def test_what_a_file_must_have() -> None:
    assert Reading(SERVICE, WINDOW).needed == ("id", "number")
    assert Reading(REMINDERS, WINDOW).needed == ("id", "number", "appointment")
    assert Reading(MARKETING, WINDOW).needed == ("id", "number", "consent_at", "consent_source")
    with pytest.raises(InvalidInput, match="names no format"):
        Reading(SERVICE, WINDOW, date_format="german")


@pytest.mark.parametrize("more", [{"country": "Germany"}, {"country": "de"}, {"language": "german"}])
def test_what_holds_for_all_rows_is_checked_before_the_first(more: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="is no"):
        Reading(SERVICE, WINDOW, **more)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"zone": "Berlin"}, "zone"),
        ({"zone": ""}, "zone"),
        ({"default_zone": "Berlin"}, "default_zone"),
        ({"days": [7]}, "days"),
        ({"days": []}, "days"),
        ({"retry": {"busy": -1}}, "retry.busy"),
        ({"retry": {"busy": 30 * 24 * 3600 + 1}}, "retry.busy"),
        ({"opens": 600, "closes": 600}, "opens"),
    ],
)
def test_rules_that_cannot_be_kept_are_refused(more: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Rules(purpose="service", **more)
    assert caught.value.field == field
    assert caught.value.remedy


def test_the_longest_id_and_text() -> None:
    row = ROW | {"id": "x" * 200, "name": "y" * 1000}
    assert CLINIC.person(row, MONDAY).id == "x" * 200


# Columns


def test_columns_are_known_by_their_names() -> None:
    header = ("Termin-Nr.", "TELEFON", "Name", "Datum", "Uhrzeit", "Storniert", "Ärztin", "notes")
    columns = map_columns(header, {"id": "Termin-Nr."}, ["Ärztin"], ("id", "number", "appointment"))
    assert columns.fields == {"id": 0, "number": 1, "name": 2, "date": 3, "time": 4, "status": 5}
    row = Row(2, (" T-1 ", "0171", "Ada", "d", "t", "", "Dr. Sommer", "private"))
    assert columns.values(row) == {"id": "T-1", "number": "0171", "name": "Ada", "date": "d", "time": "t", "status": ""}
    assert columns.kept(row) == {"Ärztin": "Dr. Sommer"}


@pytest.mark.parametrize("name", ["Phone_Number", "phone-number", "PHONE NUMBER", " phone  number "])
def test_case_and_signs_make_no_difference(name: str) -> None:
    assert map_columns((name,)).fields == {"number": 0}


def test_every_known_name_is_one_that_can_be_met() -> None:
    names = [name for several in FIELDS.values() for name in several]
    assert len(names) == len(set(names))
    for field, several in FIELDS.items():
        for name in several:
            assert map_columns((name,)).fields == {field: 0}


@pytest.mark.parametrize(
    ("header", "given", "field", "problem"),
    [
        (("id", "Telefon", "Mobil"), {}, "columns.number", "could be 'Telefon' (column 2) and 'Mobil' (column 3)"),
        (("id", "phone", "phone"), {}, "columns.number", "could be 'phone' (column 2) and 'phone' (column 3)"),
        (("id", "a", "a"), {"number": "a"}, "columns.number", "which 2 columns are called"),
        (("id", "phone"), {"number": "Fone"}, "columns.number", "which the file has not"),
        (("id", "phone"), {"nummer": "phone"}, "columns.nummer", "is no field"),
        (("id", "x"), {}, "columns.number", "is none of the columns 'id', 'x'"),
        (("id", "phone"), {"id": ""}, "columns.id", "is none of the columns"),
        (("17", "0171 2345678"), {}, "file", "begins with a person"),
        (("17", "1234567"), {}, "file", "begins with a person"),
        (("17", "2026-12"), {}, "columns.id", "is none of the columns"),
    ],
)
def test_what_is_wrong_with_a_header(header: tuple[str, ...], given: dict[str, str], field: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        map_columns(header, given, (), ("id", "number"))
    assert caught.value.field == field
    assert problem in caught.value.problem
    assert "2345678" not in str(caught.value)


def test_a_column_that_is_named_for_one_field_is_not_guessed_for_another() -> None:
    assert map_columns(("id", "Telefon", "Mobil"), {"number": "Mobil", "name": "Telefon"}).fields == {
        "number": 2,
        "name": 1,
        "id": 0,
    }
    assert map_columns(("id", "phone", "name"), {}, ["name"]).details == {"name": 2}
