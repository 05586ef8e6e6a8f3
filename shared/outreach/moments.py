"""Dates and times as files have them: in a format that somebody has named, and in a zone.

`03/04/2026` is the third of April or the fourth of March. Without a name only `2026-04-03` is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from shared.errors import InvalidInput
from shared.outreach.spreadsheet import damage, unwrapped

ISO = "YYYY-MM-DD"
FORMATS = (ISO, "DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY", "DD-MM-YYYY", "MM-DD-YYYY", "YYYY/MM/DD",
           "DD.MM.YY", "DD/MM/YY", "MM/DD/YY")  # fmt: skip
"""The names of the formats. A day or month may be written with one digit."""

_PARTS = {"YYYY": r"(?P<year>\d{4})", "YY": r"(?P<year>\d{2})", "MM": r"(?P<month>\d{1,2})", "DD": r"(?P<day>\d{1,2})"}
_CENTURY = 2000
_TIME = re.compile(r"(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?:\s*([aApP])\.?[mM]\.?)?")
_TIME_OF_12 = re.compile(r"(\d{1,2})\s*([aApP])\.?[mM]\.?")
_OFFSET = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(Z|[+-]\d\d:\d\d)")
_SERIAL = re.compile(r"[1-9]\d{4}([.,]\d+)?")


def check_format(name: str, field: str = "date_format") -> str:
    """The name of a format; InvalidInput for any other."""
    if name not in FORMATS:
        raise InvalidInput(field, f"{name[:20]!r} names no format of dates.", f"Write one of {', '.join(FORMATS)}.")
    return name


def formats_that_fit(samples: Iterable[str]) -> list[str]:
    """The formats that read every one of these dates, so that somebody can choose; empty samples count for nothing."""
    dates = {date_part for one in samples if (date_part := re.split("[ T]", one.strip())[0])}
    return [name for name in FORMATS if all(_date(one, name) for one in dates)]


def read_date(text: str, date_format: str = "", field: str = "date") -> date:
    """A date, written in this format or as `2026-04-03`; InvalidInput."""
    cell = unwrapped(text).strip()
    if problem := damage(cell):
        raise InvalidInput(field, *problem)
    found = _date(cell, ISO) or (_date(cell, date_format) if date_format else None)
    if found is not None:
        return found
    if _SERIAL.fullmatch(cell):
        remedy = "Format the column as a date in the spreadsheet and export again."
        raise InvalidInput(field, "is the number by which a spreadsheet keeps a date.", remedy)
    if date_format:
        raise InvalidInput(field, f"{cell[:20]!r} is no date written as {date_format}.", f"Write it so, or as {ISO}.")
    read = {name: day for name in FORMATS if (day := _date(cell, name))}
    if not read:
        raise InvalidInput(field, f"{cell[:20]!r} is no date.", f"Write {ISO}, or name the format (date_format).")
    meant = " or ".join(f"{day.day} {day:%B %Y} ({name})" for name, day in read.items())
    raise InvalidInput(field, f"{cell[:20]!r} means {meant}.", "Name the format (date_format).")


def read_time(text: str, field: str = "time") -> time:
    """A time of day, `14:30`, `9:05` or `2:30 PM`; InvalidInput."""
    cell = unwrapped(text).strip()
    if found := _TIME.fullmatch(cell):
        hour, minute, second, half = int(found[1]), int(found[2]), int(found[3] or 0), (found[4] or "").lower()
    elif found := _TIME_OF_12.fullmatch(cell):
        hour, minute, second, half = int(found[1]), 0, 0, found[2].lower()
    else:
        raise InvalidInput(field, f"{cell[:20]!r} is no time of day.", "Write 14:30.")
    if half and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half == "p" else 0)
    elif half:
        raise InvalidInput(field, f"{cell[:20]!r} is no time of day.", "Write 14:30, or 2:30 PM.")
    if hour > 23 or minute > 59 or second > 59:
        raise InvalidInput(field, f"{cell[:20]!r} is no time of day.", "Write 00:00 to 23:59.")
    return time(hour, minute, second)


def read_moment(text: str, zone: ZoneInfo, date_format: str = "", field: str = "appointment") -> datetime:
    """A date with a time, in UTC: `2026-04-03 14:30`, the date in the named format, or with an offset from UTC.

    InvalidInput, also for a time that clocks leave out or show twice.
    """
    cell = unwrapped(text).strip()
    if (found := _OFFSET.fullmatch(cell)) is not None:
        try:
            return datetime.fromisoformat(f"{found[1]}T{found[2]}{found[3]}").astimezone(UTC)
        except (ValueError, OverflowError):
            raise InvalidInput(field, f"{cell[:30]!r} is no date and time.", "Write 2026-04-03T14:30+02:00.") from None
    day, _, of_day = cell.replace("T", " ", 1).partition(" ")
    if not of_day:
        read_date(day, date_format, field)
        raise InvalidInput(field, "has no time of day.", "Write 2026-04-03 14:30, or name a column for the time.")
    return moment(read_date(day, date_format, field), read_time(of_day, field), zone, field)


def moment(day: date, of_day: time, zone: ZoneInfo, field: str = "appointment") -> datetime:
    """What a wall clock shows in a zone, in UTC; InvalidInput for a time that clocks leave out or show twice."""
    local = datetime.combine(day, of_day)
    try:
        first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        back = first.astimezone(zone).replace(tzinfo=None)
    except OverflowError:
        raise InvalidInput(field, "is too far away.", "Give a date of this century.") from None
    if back != local:
        problem = f"{local:%Y-%m-%d %H:%M} does not exist in {zone.key}: clocks are put forward over it."
        raise InvalidInput(field, problem, "Give the time that the clock shows.")
    if first != second:
        both = " and ".join(f"{one.astimezone(zone).isoformat(timespec='minutes')}" for one in (first, second))
        problem = f"{local:%Y-%m-%d %H:%M} comes twice in {zone.key}: clocks are put back over it."
        raise InvalidInput(field, problem, f"Write which: {both}.")
    return first


def read_zone(text: str, field: str = "zone") -> ZoneInfo:
    """A time zone by its name; InvalidInput."""
    name = text.strip()
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: `Europe` is a folder of the database
        raise InvalidInput(field, f"{name[:40]!r} is no time zone.", "Give a name such as Europe/Berlin.") from None


def _date(text: str, name: str) -> date | None:
    found = _pattern(name).fullmatch(text)
    if found is None:
        return None
    year = int(found["year"])
    try:
        return date(year + _CENTURY if year < 100 else year, int(found["month"]), int(found["day"]))
    except ValueError:
        return None


@lru_cache(maxsize=len(FORMATS))
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(
        re.sub("YYYY|YY|MM|DD|[./]", lambda part: _PARTS.get(part[0], re.escape(part[0])), name), re.ASCII
    )
