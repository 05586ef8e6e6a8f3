"""The window in every zone that a number may have."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.lines.calendars import Calendar
from shared.outreach.numbers import zones_of
from shared.outreach.windows import Window

WINDOW = Window()
BERLIN, NEW_YORK, PHOENIX = ("Europe/Berlin",), ("America/New_York",), ("America/Phoenix",)


def at(text: str, zone: str = "Europe/Berlin") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def test_the_defaults_are_monday_to_saturday_from_nine_to_eight() -> None:
    assert WINDOW.described == "Mon Tue Wed Thu Fri Sat 09:00-20:00"


@pytest.mark.parametrize(
    ("when", "is_open"),
    [
        ("2026-03-09 08:59:59", False),
        ("2026-03-09 09:00", True),
        ("2026-03-09 19:59:59", True),
        ("2026-03-09 20:00", False),
        ("2026-03-14 12:00", True),  # Saturday
        ("2026-03-15 12:00", False),
    ],
)
def test_the_edges(when: str, is_open: bool) -> None:
    assert WINDOW.is_open(BERLIN, at(when)) is is_open


def test_it_must_be_open_in_every_zone() -> None:
    both = (*BERLIN, *NEW_YORK)
    assert not WINDOW.is_open(both, at("2026-03-09 13:59"))  # 08:59 in New York
    assert WINDOW.is_open(both, at("2026-03-09 14:00"))
    assert WINDOW.is_open(both, at("2026-03-09 19:59"))
    assert not WINDOW.is_open(both, at("2026-03-09 20:00"))
    assert WINDOW.next_opening(both, at("2026-03-09 20:00")) == at("2026-03-10 14:00")
    assert not WINDOW.is_open((), at("2026-03-09 14:00"))
    assert WINDOW.next_opening((), at("2026-03-09 14:00")) is None


def test_the_next_opening_is_now_if_it_is_open() -> None:
    now = at("2026-03-09 12:34:56")
    assert WINDOW.next_opening(BERLIN, now) == now


def test_sundays_and_holidays_are_passed_over() -> None:
    easter = Window(holidays=frozenset({date(2026, 4, 3), date(2026, 4, 6)}))
    assert easter.next_opening(BERLIN, at("2026-04-02 20:00")) == at("2026-04-04 09:00")
    assert easter.next_opening(BERLIN, at("2026-04-04 20:00")) == at("2026-04-07 09:00")


def test_a_holiday_is_one_where_the_person_is() -> None:
    holiday = Window(holidays=frozenset({date(2026, 3, 9)}))
    assert holiday.next_opening(("Pacific/Auckland",), at("2026-03-08 12:00")) == at("2026-03-09 21:00")
    # 10 March has begun in Auckland; in Berlin it is still the 9th.
    assert not holiday.is_open(("Pacific/Auckland", *BERLIN), at("2026-03-09 21:30"))


def test_a_special_day_has_the_hours_that_are_in_both() -> None:
    calendar = Calendar(
        ZoneInfo("Europe/Berlin"),
        (((8 * 60, 17 * 60),),) * 5 + ((), ()),
        frozenset({date(2026, 12, 25)}),
        {date(2026, 12, 24): ((8 * 60, 12 * 60),), date(2026, 12, 20): ((9 * 60, 12 * 60),)},
    )
    window = Window.on_days_of(calendar, "office", opens=9 * 60, closes=20 * 60, days=frozenset(range(6)))
    assert window.calendar == "office"
    assert window.is_open(BERLIN, at("2026-12-24 09:00"))
    assert not window.is_open(BERLIN, at("2026-12-24 08:59"))
    assert not window.is_open(BERLIN, at("2026-12-24 12:00"))
    assert not window.is_open(BERLIN, at("2026-12-20 10:00"))  # a Sunday on which the office is open
    assert window.is_open(BERLIN, at("2026-12-23 19:00"))  # the window, not the office hours
    assert window.next_opening(BERLIN, at("2026-12-24 12:00")) == at("2026-12-26 09:00")


def test_the_hours_of_a_special_day_end_with_it() -> None:
    window = Window(9 * 60, 24 * 60, special_days={date(2026, 12, 31): ((20 * 60, 2 * 60),)})
    assert window.next_opening(BERLIN, at("2026-12-31 09:00")) == at("2026-12-31 20:00")
    assert window.is_open(BERLIN, at("2026-12-31 23:59"))
    assert not window.is_open(BERLIN, at("2027-01-01 00:00"))


def test_the_zones_of_a_toll_free_number_have_an_hour_in_common_in_winter_alone() -> None:
    zones = zones_of("+18005550199")
    assert WINDOW.next_opening(zones, at("2026-03-09 12:00")) is None
    winter = WINDOW.next_opening(zones, at("2026-01-09 12:00"))
    assert winter == datetime(2026, 1, 9, 23, tzinfo=UTC), "09:00 in Guam, 19:30 in Newfoundland"


def test_two_weeks_are_searched() -> None:
    days = Window(holidays=frozenset(date(2026, 3, day) for day in range(9, 23)))
    assert days.next_opening(BERLIN, at("2026-03-09 09:00")) == at("2026-03-23 09:00")
    assert days.next_opening(BERLIN, at("2026-03-09 08:59")) is None


@pytest.mark.parametrize(("opens", "closes"), [(540, 540), (600, 540), (-1, 10), (0, 1441)])
def test_a_window_opens_before_it_closes(opens: int, closes: int) -> None:
    with pytest.raises(ValueError, match="opens before it closes"):
        Window(opens, closes)


ZONES = st.lists(st.sampled_from(["Europe/Berlin", "America/New_York", "America/Phoenix", "Asia/Kolkata", "UTC",
                 "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia"]), min_size=1, max_size=3)  # fmt: skip
TIMES = st.datetimes(datetime(2026, 3, 1), datetime(2026, 11, 30), timezones=st.just(UTC))
WINDOWS = st.builds(
    lambda opens, hours, days, holidays: Window(opens, min(1440, opens + hours), days, frozenset(holidays)),
    st.integers(0, 1380),
    st.integers(60, 900),
    st.frozensets(st.integers(0, 6), min_size=1),
    st.lists(st.dates(date(2026, 3, 1), date(2026, 11, 30)), max_size=10),
)


@given(WINDOWS, ZONES, TIMES)
def test_the_next_opening_is_open_everywhere_and_the_first(window: Window, zones: list[str], now: datetime) -> None:
    found = window.next_opening(zones, now)
    last = (found or now + timedelta(days=13)) - timedelta(seconds=1)
    step = timedelta(minutes=30)
    looked = (now + n * step for n in range((last - now) // step + 1))
    assert [one for one in looked if window.is_open(zones, one)] == []
    if found is not None:
        assert found >= now
        assert window.is_open(zones, found)
        for zone in zones:
            local = found.astimezone(ZoneInfo(zone))
            assert local.date() not in window.holidays
            assert local.weekday() in window.days
            assert window.opens <= local.hour * 60 + local.minute < window.closes
