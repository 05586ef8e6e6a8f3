"""Days, times of day, dates and time zones as people write them."""

from __future__ import annotations

import re
from datetime import date
from zoneinfo import ZoneInfo

from shared.lines.calendars import DAY_MINUTES, Interval
from shared.yaml_text import Wrong, did_you_mean, scalar

ZONES = "Give a name such as Europe/Berlin, or UTC."

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FULL_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_INTERVAL = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")


def days_of(text: str) -> set[int]:
    """Weekdays, 0 = Monday, out of `mon` or `mon-fri`. Wrong."""
    first, dash, last = (part.strip() for part in text.partition("-"))
    start = _day(first)
    end = _day(last) if dash else start
    return {(start + offset) % 7 for offset in range((end - start) % 7 + 1)}


def _day(text: str) -> int:
    word = text.lower()
    names = _FULL_DAYS if word in _FULL_DAYS else _DAYS
    if word not in names:
        raise Wrong(f"{text!r} is not a day.", did_you_mean(word, (*_DAYS, *_FULL_DAYS)) or "Write mon, or mon-fri.")
    return names.index(word)


def interval_of(text: str) -> Interval:
    """An interval of a day out of `09:00-17:30`. Wrong."""
    match = _INTERVAL.fullmatch(text)
    if match is None:
        raise Wrong(f"{text!r} is not an interval.", "Write 09:00-17:30.")
    start, end = (_minute(*match.group(at, at + 1)) for at in (1, 3))
    if start in (end, DAY_MINUTES):
        raise Wrong(f"{text!r} is empty.", "Write 00:00-24:00 for the whole day.")
    # An end at 00:00 is the end of the day that the interval starts on.
    return start, end or DAY_MINUTES


def _minute(hour: str, minute: str) -> int:
    value = int(hour) * 60 + int(minute)
    if int(minute) > 59 or value > DAY_MINUTES:
        raise Wrong(f"{hour}:{minute} is not a time of day.", "Write 00:00 to 24:00.")
    return value


def date_of(text: str) -> date:
    """A date out of `2026-12-25`. Wrong."""
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise Wrong(f"{text!r} is not a date.", "Write 2026-12-25.") from None


def zone_of(value: object) -> ZoneInfo:
    """A time zone by its name. Wrong."""
    text = scalar(value)
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):  # OSError: `Europe` is a folder of the database
        from zoneinfo import available_timezones

        raise Wrong(f"{text!r} is not a time zone.", did_you_mean(text, available_timezones()) or ZONES) from None
