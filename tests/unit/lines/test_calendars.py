"""When a calendar is open, and when it opens next."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.lines.calendars import Calendar, Interval, every_day

BERLIN = ZoneInfo("Europe/Berlin")
WORK_DAYS = frozenset(range(5))
OFFICE = every_day(BERLIN, (9 * 60, 17 * 60), days=WORK_DAYS)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-03-27T07:59:59", False),  # a Friday in winter: 08:59:59 in Berlin
        ("2026-03-27T08:00:00", True),
        ("2026-03-27T15:59:59", True),
        ("2026-03-27T16:00:00", False),
        ("2026-03-28T10:00:00", False),  # Saturday
        ("2026-03-30T07:00:00", True),  # Monday, in summer time
    ],
)
def test_it_is_open_by_the_wall_clocks_of_its_zone(at: str, is_open: bool) -> None:
    assert OFFICE.is_open(utc(at)) is is_open


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-03-27T07:00:00", "2026-03-27T08:00:00"),
        ("2026-03-27T08:30:01", "2026-03-27T08:30:01"),  # it is open
        ("2026-03-27T16:00:00", "2026-03-30T07:00:00"),  # over the weekend on which summer time begins
        ("2026-10-23T15:00:00", "2026-10-26T08:00:00"),  # and ends
    ],
)
def test_when_it_opens_next(at: str, opens: str) -> None:
    assert OFFICE.next_opening(utc(at)) == utc(opens)


@pytest.mark.parametrize(
    ("interval", "at", "opens"),
    [
        # Clocks go from 02:00 to 03:00, at 01:00 UTC.
        ((150, 240), "2026-03-29T00:00:00", "2026-03-29T01:00:00"),
        ((120, 180), "2026-03-29T00:00:00", "2026-03-30T00:00:00"),  # on that day 02:00-03:00 does not happen
        # Clocks go from 03:00 back to 02:00, at 01:00 UTC.
        ((120, 150), "2026-10-25T00:30:00", "2026-10-25T01:00:00"),  # 02:00-02:30 happens twice
        ((150, 240), "2026-10-25T00:00:00", "2026-10-25T00:30:00"),
        ((150, 240), "2026-10-25T01:00:00", "2026-10-25T01:30:00"),
    ],
)
def test_it_opens_right_where_clocks_are_changed(interval: Interval, at: str, opens: str) -> None:
    assert every_day(BERLIN, interval).next_opening(utc(at)) == utc(opens)


def test_holidays_are_closed_and_special_days_have_hours_of_their_own() -> None:
    calendar = Calendar(
        BERLIN,
        OFFICE.weekly,
        frozenset({date(2026, 12, 25)}),
        {date(2026, 12, 24): ((9 * 60, 12 * 60),), date(2026, 12, 27): ((600, 660),), date(2026, 12, 28): ()},
    )
    assert calendar.is_open(utc("2026-12-24T10:59:00"))
    assert not calendar.is_open(utc("2026-12-24T11:00:00"))
    assert calendar.next_opening(utc("2026-12-24T11:00:00")) == utc("2026-12-27T09:00:00")  # a Sunday
    assert calendar.next_opening(utc("2026-12-27T10:00:00")) == utc("2026-12-29T08:00:00")


def test_hours_over_midnight_belong_to_the_day_on_which_they_start() -> None:
    fridays = every_day(BERLIN, (22 * 60, 2 * 60), days=frozenset({4}))
    assert fridays.is_open(utc("2026-03-28T00:59:00"))  # Saturday, 01:59
    assert not fridays.is_open(utc("2026-03-28T01:00:00"))
    assert not fridays.is_open(utc("2026-03-27T00:30:00"))  # Friday, 01:30


def test_what_never_opens_again_says_so() -> None:
    never = Calendar(BERLIN, ((),) * 7, special_days={date(2026, 5, 1): ((600, 660),)})
    assert never.next_opening(utc("2026-01-01T00:00:00")) == utc("2026-05-01T08:00:00")
    assert never.next_opening(utc("2026-05-01T09:00:00")) is None


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a time with its time zone"):
        OFFICE.is_open(datetime(2026, 3, 27, 9, 0))


ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia", "Asia/Kathmandu")
CHANGES = ("2026-03-08", "2026-03-29", "2026-04-05", "2026-04-24", "2026-10-25", "2026-11-01", "2011-12-30")
MINUTES = st.integers(0, 24 * 4 - 1).map(lambda quarter: quarter * 15)


@st.composite
def calendars(draw: st.DrawFn) -> tuple[Calendar, datetime]:
    near = utc(draw(st.sampled_from(CHANGES))) + timedelta(minutes=draw(st.integers(-3000, 3000)))
    interval = st.tuples(MINUTES, MINUTES).filter(lambda one: one[0] != one[1])
    intervals = st.lists(interval, max_size=2).map(tuple)
    days = st.integers(-2, 3).map(lambda days: (near + timedelta(days=days)).date())
    calendar = Calendar(
        ZoneInfo(draw(st.sampled_from(ZONES))),
        tuple(draw(intervals) for _ in range(7)),
        draw(st.frozensets(days, max_size=3)),
        draw(st.dictionaries(days, intervals, max_size=2)),
    )
    return calendar, near


@given(calendars())
def test_it_opens_next_at_the_first_minute_at_which_it_is_open(drawn: tuple[Calendar, datetime]) -> None:
    calendar, at = drawn
    minutes = (at + timedelta(minutes=minute) for minute in range(3 * 24 * 60))
    first = next((minute for minute in minutes if calendar.is_open(minute)), None)
    found = calendar.next_opening(at)
    if first is not None:
        assert found == first
    else:
        assert found is None or (found > at + timedelta(days=3) - timedelta(minutes=1) and calendar.is_open(found))
