"""The `hours` of a rule as a file has them: days, times of day, holidays, a time zone."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, PlainValidator, model_validator

from shared.routing.decisions import DAY_MINUTES, Hours
from shared.yaml_text import Wrong, did_you_mean, each, scalar

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FULL_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_INTERVAL = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")


def _days(text: str) -> set[int]:
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


def _interval(text: str) -> tuple[int, int]:
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


def _date(text: str) -> date:
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise Wrong(f"{text!r} is not a date.", "Write 2026-12-25.") from None


def _zone(value: object) -> ZoneInfo:
    text = scalar(value)
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):  # OSError: `Europe` is a folder of the database
        from zoneinfo import available_timezones

        raise Wrong(f"{text!r} is not a time zone.", did_you_mean(text, available_timezones()) or ZONES) from None


ZONES = "Give a name such as Europe/Berlin, or UTC."


def _listed(read: Any) -> PlainValidator:
    """Reads a text with commas, or a list of such: all that is in them, one after the other."""
    items = each(lambda text: [read(part.strip()) for part in text.split(",")])
    return PlainValidator(lambda value: [one for found in items(value) for one in found])


class HoursInFile(BaseModel):
    """Hours, as they are written."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, defer_build=True)

    days: Annotated[list[set[int]], _listed(_days)] = [set(range(7))]
    between: Annotated[list[tuple[int, int]], _listed(_interval)] = [(0, DAY_MINUTES)]
    holidays: Annotated[list[date], _listed(_date)] = []
    zone: Annotated[ZoneInfo, PlainValidator(_zone)]

    @model_validator(mode="after")
    def _are_limited(self) -> Self:
        if self.model_fields_set == {"zone"}:
            raise Wrong("holds at all times.", "Give days, between or holidays.")
        return self

    @property
    def hours(self) -> Hours:
        """The same, as rules look at them."""
        days = frozenset[int]().union(*self.days)
        return Hours(days, tuple(self.between), frozenset(self.holidays), self.zone)
