"""Dates and times of files."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidInput
from shared.outreach.moments import (
    FORMATS,
    check_format,
    formats_that_fit,
    moment,
    read_date,
    read_moment,
    read_time,
    read_zone,
)

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("written", "date_format"),
    [
        ("2026-04-03", ""),
        ("2026-04-03", "DD/MM/YYYY"),  # ISO is read whatever the format
        ("03.04.2026", "DD.MM.YYYY"),
        ("3.4.2026", "DD.MM.YYYY"),
        ("03/04/2026", "DD/MM/YYYY"),
        ("04/03/2026", "MM/DD/YYYY"),
        ("03-04-2026", "DD-MM-YYYY"),
        ("04-03-2026", "MM-DD-YYYY"),
        ("2026/04/03", "YYYY/MM/DD"),
        ("03.04.26", "DD.MM.YY"),
        ("03/04/26", "DD/MM/YY"),
        ("4/3/26", "MM/DD/YY"),
    ],
)
def test_a_date_is_read_in_its_format(written: str, date_format: str) -> None:
    assert read_date(written, date_format) == date(2026, 4, 3)


def test_a_date_that_can_mean_two_things_is_refused_until_its_format_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        read_date("03/04/2026")
    assert "3 April 2026 (DD/MM/YYYY) or 4 March 2026 (MM/DD/YYYY)" in caught.value.problem
    assert "date_format" in caught.value.remedy


@pytest.mark.parametrize(
    ("written", "date_format", "problem"),
    [
        ("25/04/2026", "MM/DD/YYYY", "is no date written as MM/DD/YYYY"),
        ("30.02.2026", "DD.MM.YYYY", "is no date written as"),
        ("46115", "", "the number by which a spreadsheet keeps a date"),
        ("46115.604", "DD.MM.YYYY", "the number by which a spreadsheet keeps a date"),
        ("tomorrow", "", "is no date"),
        ("", "", "is no date"),
        ("####", "", "too narrow"),
        ("12.03.2026", "", "means 12 March 2026 (DD.MM.YYYY)"),
    ],
)
def test_what_is_wrong_with_a_date(written: str, date_format: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_date(written, date_format)
    assert problem in caught.value.problem


def test_a_format_has_a_name() -> None:
    assert check_format("DD.MM.YYYY") == "DD.MM.YYYY"
    with pytest.raises(InvalidInput, match=r"DD\.MM\.YYYY"):
        check_format("german")


def test_samples_tell_which_formats_fit() -> None:
    assert formats_that_fit(["03/04/2026 14:30", "25/04/2026"]) == ["DD/MM/YYYY"]
    assert formats_that_fit(["03/04/2026"]) == ["DD/MM/YYYY", "MM/DD/YYYY"]
    assert formats_that_fit(["2026-04-03T14:30"]) == ["YYYY-MM-DD"]
    assert formats_that_fit(["tomorrow"]) == []


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.sampled_from(FORMATS))
def test_what_is_written_in_a_format_is_read_by_it(day: date, name: str) -> None:
    short = f"{day:%y}" if "YYYY" not in name else f"{day.year}"
    written = name.replace("YYYY", short).replace("YY", short).replace("MM", f"{day:%m}").replace("DD", f"{day:%d}")
    assert read_date(written, name) == day


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("14:30", time(14, 30)),
        ("9:05", time(9, 5)),
        ("14.30", time(14, 30)),
        ("14:30:15", time(14, 30, 15)),
        ("2:30 PM", time(14, 30)),
        ("12:10 a.m.", time(0, 10)),
        ("12 pm", time(12)),
        ("00:00", time()),
    ],
)
def test_a_time_is_read(written: str, at: time) -> None:
    assert read_time(written) == at


@pytest.mark.parametrize("written", ["24:00", "14:60", "13:00 PM", "0:30 pm", "1430", "", "half past two", "14:30:75"])
def test_no_time_is_refused(written: str) -> None:
    with pytest.raises(InvalidInput, match="time of day"):
        read_time(written)


def test_a_moment_is_read_in_its_zone() -> None:
    at = datetime(2026, 3, 12, 13, 30, tzinfo=UTC)
    assert read_moment("12.03.2026 14:30", BERLIN, "DD.MM.YYYY") == at
    assert read_moment("2026-03-12T14:30", BERLIN) == at
    assert read_moment("2026-03-12T08:30:00-05:00", BERLIN) == at
    assert read_moment("2026-03-12 13:30Z", BERLIN) == at
    assert read_moment("12.03.2026 2:30 PM", BERLIN, "DD.MM.YYYY") == at


@pytest.mark.parametrize("written", ["2026-03-12", "12.03.2026"])
def test_a_date_alone_is_no_moment(written: str) -> None:
    with pytest.raises(InvalidInput, match="has no time of day"):
        read_moment(written, BERLIN, "DD.MM.YYYY")


def test_a_time_that_clocks_leave_out_is_refused() -> None:
    with pytest.raises(InvalidInput, match="2026-03-29 02:30 does not exist in Europe/Berlin"):
        read_moment("2026-03-29 02:30", BERLIN)
    assert read_moment("2026-03-29 03:00", BERLIN) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_a_time_that_clocks_show_twice_is_refused_with_both() -> None:
    with pytest.raises(InvalidInput) as caught:
        read_moment("2026-10-25 02:30", BERLIN)
    assert "comes twice in Europe/Berlin" in caught.value.problem
    assert "2026-10-25T02:30+02:00 and 2026-10-25T02:30+01:00" in caught.value.remedy
    assert read_moment("2026-10-25T02:30+01:00", BERLIN) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), st.sampled_from(["Europe/Berlin", "America/St_Johns",
       "Australia/Lord_Howe", "Pacific/Apia", "America/Phoenix"]))  # fmt: skip
def test_a_moment_shows_the_wall_clock_that_was_written_or_is_refused(at: datetime, name: str) -> None:
    zone, wall = ZoneInfo(name), at.replace(second=0, microsecond=0)
    try:
        found = moment(wall.date(), wall.time(), zone)
    except InvalidInput:
        around = [(wall.replace(tzinfo=zone) + timedelta(hours=hours)).utcoffset() for hours in (-25, 25)]
        assert around[0] != around[1], "refused without a change of clocks"
    else:
        assert found.astimezone(zone).replace(tzinfo=None) == wall


@pytest.mark.parametrize("written", ["Europe", "Berlin", "", "UTC+1", "../x"])
def test_no_zone_is_refused(written: str) -> None:
    with pytest.raises(InvalidInput, match="Europe/Berlin"):
        read_zone(written)
    assert read_zone("America/Phoenix").key == "America/Phoenix"


def test_a_date_beyond_time_is_refused() -> None:
    with pytest.raises(InvalidInput, match="too far away"):
        read_moment("9999-12-31 23:59", ZoneInfo("America/Phoenix"))
