"""Timer schedules: NCRONTAB expressions (six fields, or five without seconds) and time spans.

Source: https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from devstack.host.errors import StartupError
from devstack.host.settings import parse_time_span

_MONTHS = dict(jan=1, feb=2, mar=3, apr=4, may=5, jun=6, jul=7, aug=8, sep=9, oct=10, nov=11, dec=12)  # noqa: C408
_DAYS = dict(sun=0, mon=1, tue=2, wed=3, thu=4, fri=5, sat=6)  # noqa: C408
# field: (name, lowest, highest, names)
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("second", 0, 59, {}),
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 6, _DAYS),
)
_HORIZON_YEARS = 41  # longer than the widest gap between two 29 Februaries on one weekday (40 years, over 2100)


class Schedule(Protocol):
    """When a timer fires."""

    def next_after(self, moment: datetime) -> datetime:
        """The first time of firing strictly after `moment`."""
        ...


@dataclass(frozen=True, slots=True)
class Interval:
    """Fires every `seconds`."""

    seconds: float

    def next_after(self, moment: datetime) -> datetime:
        return moment + timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Cron:
    """Fires where all six fields match; a restricted day and a restricted weekday must both match."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def next_after(self, moment: datetime) -> datetime:
        start = moment.replace(microsecond=0) + timedelta(seconds=1)
        day = start.replace(hour=0, minute=0, second=0)
        for _ in range(366 * _HORIZON_YEARS):
            if day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays:
                floor = start if day.date() == start.date() else day
                found = self._time_on(floor)
                if found is not None:
                    return found
            day += timedelta(days=1)
        raise ValueError("the schedule never fires")

    def _time_on(self, floor: datetime) -> datetime | None:
        """The first matching time on the day of `floor`, not before it."""
        for hour in self.hours:
            if hour < floor.hour:
                continue
            for minute in self.minutes:
                if (hour, minute) < (floor.hour, floor.minute):
                    continue
                for second in self.seconds:
                    if (hour, minute, second) >= (floor.hour, floor.minute, floor.second):
                        return floor.replace(hour=hour, minute=minute, second=second)
        return None


def parse_schedule(text: str, where: str) -> Schedule:
    """Parse a timer's `schedule`.

    Raises:
        StartupError: neither a time span nor a cron expression, a value out of range, or one that never fires.
    """
    span = parse_time_span(text)
    if span is not None:
        if span <= 0:
            raise StartupError(f"{where}: the schedule '{text}' must be longer than nothing.")
        return Interval(span)
    fields = text.split()
    if len(fields) == 5:
        fields = ["0", *fields]
    if len(fields) != 6:
        raise StartupError(
            f"{where}: the schedule '{text}' is neither a time span (hh:mm:ss) nor an NCRONTAB expression "
            "of six fields: {second} {minute} {hour} {day} {month} {day of week}."
        )
    second, minute, hour, day, month, weekday = (
        _values(part, *field, f"{where}: the schedule '{text}'") for part, field in zip(fields, _FIELDS, strict=True)
    )
    cron = Cron(
        tuple(sorted(second)), tuple(sorted(minute)), tuple(sorted(hour)),
        frozenset(day), frozenset(month), frozenset(weekday),
    )  # fmt: skip
    try:
        cron.next_after(datetime(2024, 1, 1))  # only asks whether any day fits
    except ValueError as error:
        raise StartupError(f"{where}: the schedule '{text}' never fires.") from error
    return cron


def _values(part: str, field: str, low: int, high: int, names: dict[str, int], where: str) -> set[int]:
    values: set[int] = set()
    for item in part.split(","):
        body, _, step_text = item.partition("/")
        first_text, dash, last_text = body.partition("-")
        try:
            step = int(step_text) if "/" in item else 1
            if body == "*":
                first, last = low, high
            else:
                first = _number(first_text, names)
                # `5/10` means from 5 to the end in steps of 10
                last = _number(last_text, names) if dash else high if "/" in item else first
        except ValueError as error:
            raise StartupError(f"{where} has a {field} that cannot be read: '{item}'.") from error
        if step < 1 or not low <= first <= last <= high:
            raise StartupError(f"{where} has a {field} out of range {low} to {high}: '{item}'.")
        values.update(range(first, last + 1, step))
    return values


def _number(text: str, names: dict[str, int]) -> int:
    return names[text[:3].lower()] if text[:3].lower() in names else int(text)
