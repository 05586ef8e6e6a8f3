"""Calendars as they are written and stored, and as each instance has them."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from shared.lines.shared_calendars import CalendarText, SharedCalendars, StoredCalendar
from shared.text_rows import StoredRow
from tests.unit.lines.test_calendars import utc

OFFICE = {
    "zone": "Europe/Berlin",
    "weekly": {"mon-thu": "09:00-12:30, 13:15-17:30", "fri": ["09:00-12:00"], "mon": "18:00-19:00"},
    "holidays": ["2026-12-25"],
    "special_days": {"2026-12-24": "09:00-12:00", "2026-12-31": []},
}


def test_a_calendar_is_what_is_written() -> None:
    calendar = CalendarText.model_validate(OFFICE).calendar
    day = ((540, 750), (795, 1050))
    assert calendar.zone == ZoneInfo("Europe/Berlin")
    assert calendar.weekly == ((*day, (1080, 1140)), day, day, day, ((540, 720),), (), ())
    assert calendar.holidays == {date(2026, 12, 25)}
    assert calendar.special_days == {date(2026, 12, 24): ((540, 720),), date(2026, 12, 31): ()}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"zone": "Europe/Berln"}, "Did you mean Europe/Berlin?"),
        ({"weekly": {"mo": "09:00-12:00"}}, "Did you mean mon?"),
        ({"weekly": {"mon": "9-12"}}, "Write 09:00-17:30"),
        ({"holidays": ["25.12.2026"]}, "Write 2026-12-25"),
        ({"holidays": ["1999-12-25"]}, "Give 2000 to 2100"),
        ({"special_days": {"2026-12-24": "closed"}}, "is not an interval"),
        ({"holidays": ["2026-12-25"] * 401}, "at most 400 items"),
    ],
)
def test_what_is_wrong_with_one_is_said(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        CalendarText.model_validate({**OFFICE, **change})
    assert said in str(caught.value)


def stored(**change: Any) -> StoredRow:
    text = CalendarText.model_validate({**OFFICE, **change})
    return StoredRow(StoredCalendar(text=text, mark="m").model_dump_json(), 1)


def test_an_instance_takes_over_what_is_stored_and_forgets_what_is_gone() -> None:
    calendars = SharedCalendars()
    calendars.take_over({"calendar office": stored(), "switches": StoredRow("{}", 1)})
    assert calendars.known == {"office": CalendarText.model_validate(OFFICE).calendar}
    assert calendars.known["office"].is_open(utc("2026-11-27T10:59:00"))
    calendars.take_over({"calendar office": stored(weekly={})})
    assert not calendars.known["office"].is_open(utc("2026-11-27T10:59:00"))
    calendars.take_over({})
    assert calendars.known == {}


def test_of_a_calendar_that_cannot_be_read_the_last_one_counts(caplog: pytest.LogCaptureFixture) -> None:
    calendars = SharedCalendars()
    calendars.take_over({"calendar office": stored()})
    for _ in range(2):
        calendars.take_over({"calendar office": StoredRow("{", 2)})
    assert calendars.known == {"office": CalendarText.model_validate(OFFICE).calendar}
    assert [record.message for record in caplog.records] == [
        "the calendar 'office' cannot be read; what was read before counts"
    ]
