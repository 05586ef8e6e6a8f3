"""When somebody who asks for a call back is called."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.handoff.moments import keyed, moment, opening, soonest
from shared.lines.calendars import Calendar, every_day

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = every_day(BERLIN, (9 * 60, 17 * 60), days=frozenset(range(5)))
NEVER = every_day(BERLIN)
MONDAY = datetime(2026, 11, 30, 13, 10, tzinfo=UTC)
"""10 past 2 in the afternoon in Berlin."""


def at(day: int, hour: int, minute: int = 0) -> datetime:
    month, day = (11, day) if day > 20 else (12, day)
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


@pytest.mark.parametrize(
    ("digits", "calendar", "expected"),
    [
        ("1530", OFFICE, at(30, 15, 30)),
        ("930", OFFICE, at(1, 9, 30)),
        ("1410", OFFICE, at(1, 14, 10)),
        ("1411", OFFICE, at(30, 14, 11)),
        ("2200", OFFICE, at(1, 9)),
        ("2200", None, at(30, 22)),
        ("000", None, at(1, 0)),
        ("2359", None, at(30, 23, 59)),
        ("2400", OFFICE, None),
        ("1260", OFFICE, None),
        ("15", OFFICE, None),
        ("15300", OFFICE, None),
        ("15\u0663", OFFICE, None),
        ("", OFFICE, None),
        ("1530", NEVER, None),
    ],
)
def test_the_next_time_that_the_clock_shows_what_was_keyed(
    digits: str, calendar: Calendar | None, expected: datetime | None
) -> None:
    assert keyed(digits, MONDAY, BERLIN, calendar) == expected


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)), st.integers(0, 23), st.integers(0, 59))
def test_whatever_was_keyed_it_is_later_and_within_opening_hours(now: datetime, hour: int, minute: int) -> None:
    now = now.replace(tzinfo=UTC)
    found = keyed(f"{hour:02}{minute:02}", now, BERLIN, OFFICE)
    assert found is not None
    assert found > now
    assert OFFICE.is_open(found)
    plain = keyed(f"{hour:02}{minute:02}", now, BERLIN, None)
    assert plain is not None
    assert moment(plain, BERLIN).time == f"{hour:02}:{minute:02}"
    assert plain - now <= timedelta(hours=49)


def test_a_time_that_clocks_skip_is_that_of_the_next_day() -> None:
    before = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)  # clocks go from 2 to 3 this night
    assert keyed("0230", before, BERLIN, None) == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)


def test_a_time_that_comes_twice_is_the_first_that_is_still_to_come() -> None:
    assert keyed("0230", datetime(2026, 10, 24, 23, 0, tzinfo=UTC), BERLIN, None) == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )
    assert keyed("0230", datetime(2026, 10, 25, 0, 45, tzinfo=UTC), BERLIN, None) == datetime(
        2026, 10, 25, 1, 30, tzinfo=UTC
    )


def test_as_soon_as_possible_is_in_a_quarter_of_an_hour_or_when_it_opens() -> None:
    assert soonest(MONDAY, OFFICE) == MONDAY + timedelta(minutes=15)
    assert soonest(MONDAY, None) == MONDAY + timedelta(minutes=15)
    assert soonest(at(30, 16, 50), OFFICE) == at(1, 9)
    assert soonest(at(30, 18), OFFICE) == at(1, 9)
    assert soonest(MONDAY, NEVER) is None


def test_it_is_open_when_its_calendar_says_so_and_always_without_one() -> None:
    assert opening(MONDAY, None) == opening(MONDAY, OFFICE) == MONDAY
    holiday = every_day(BERLIN, (540, 1020), days=frozenset(range(5)), holidays=frozenset({date(2026, 12, 1)}))
    assert opening(at(30, 20), holiday) == at(2, 9)
    assert opening(MONDAY, NEVER) is None


def test_a_moment_is_said_by_the_clock_of_the_contact_centre() -> None:
    assert moment(datetime(2026, 11, 30, 23, 5, tzinfo=UTC), BERLIN)[1:] == ("2026-12-01", "00:05")
