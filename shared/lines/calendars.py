"""When something is open, by the wall clocks of a time zone: pure values, no storage.

A moment is open if the wall clock shows a time within an interval of its day. Where clocks are put back, an hour is
shown twice and counts twice; where they are put forward, what lies in the gap does not happen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

CALENDAR_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
CALENDAR_NAMES = "Use small letters, digits and -, at most 40."

DAY_MINUTES = 24 * 60

Interval = tuple[int, int]
"""Minutes since midnight, end excluded; an end before its start is on the next day, which then counts as open."""
Intervals = tuple[Interval, ...]

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Opening hours.

    Attributes:
        weekly: the intervals that start on each weekday, Monday first: seven.
        holidays: dates on which none starts.
        special_days: the intervals that start on a date instead, whatever else is said of it; none: it is closed.
    """

    zone: ZoneInfo
    weekly: tuple[Intervals, ...]
    holidays: frozenset[date] = frozenset()
    special_days: Mapping[date, Intervals] = field(default_factory=dict, hash=False)

    def is_open(self, at: datetime) -> bool:
        """Whether it is open at this moment, which needs its time zone (ValueError)."""
        local = _aware(at).astimezone(self.zone)
        minute, today = local.hour * 60 + local.minute, local.date()
        if any(start <= minute < (end if end > start else DAY_MINUTES) for start, end in self.hours_of(today)):
            return True
        return any(minute < end <= start for start, end in self.hours_of(today - _DAY))

    def next_opening(self, at: datetime) -> datetime | None:
        """The first moment from this one on at which it is open: `at` itself, if it is open; else in UTC.

        None: it never is again. ValueError if `at` has no time zone.
        """
        if self.is_open(at):
            return at
        day, last = at.astimezone(self.zone).date() - _DAY, self._last_day(at)
        while day <= last:
            if self.hours_of(day) or self.hours_of(day - _DAY):
                found = min((one for one in self._changes(day) if one > at and self.is_open(one)), default=None)
                if found is not None:
                    return found
            day += _DAY
        return None

    def hours_of(self, day: date) -> Intervals:
        """The intervals that start on a day."""
        special = self.special_days.get(day)
        if special is not None:
            return special
        return () if day in self.holidays else self.weekly[day.weekday()]

    def _last_day(self, at: datetime) -> date:
        """A day by which it has opened again, if it ever does: after the last exception each week is like the next."""
        named = (*self.holidays, *self.special_days, at.astimezone(self.zone).date())
        return max(named) + timedelta(days=9)

    def _changes(self, day: date) -> Iterator[datetime]:
        """The moments of a day at which it may open: where an interval starts, and where clocks are changed."""
        starts = {0, *(start for start, _ in self.hours_of(day))}
        for minute in starts:
            wall = datetime.combine(day, time(minute // 60, minute % 60), self.zone)
            yield from (wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
        # A day somewhere lies between 14 hours before, and 12 after, that day in UTC.
        midnight = datetime.combine(day, time(), UTC)
        change = self._clock_change(midnight - timedelta(hours=15), midnight + timedelta(hours=38))
        if change is not None and change.astimezone(self.zone).date() == day:
            yield change

    def _clock_change(self, low: datetime, high: datetime) -> datetime | None:
        """When clocks are changed between two moments in UTC, to the second; None: they are not."""
        before = self._offset(low)
        if self._offset(high) == before:
            return None
        while high - low > timedelta(seconds=1):
            middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
            low, high = (middle, high) if self._offset(middle) == before else (low, middle)
        return high

    def _offset(self, at: datetime) -> timedelta | None:
        return at.astimezone(self.zone).utcoffset()


def every_day(
    zone: ZoneInfo,
    *intervals: Interval,
    days: frozenset[int] = frozenset(range(7)),
    holidays: frozenset[date] = frozenset(),
) -> Calendar:
    """The same hours on each of these weekdays (0 = Monday)."""
    return Calendar(zone, tuple(intervals if day in days else () for day in range(7)), holidays)


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a calendar needs a time with its time zone")
    return at
