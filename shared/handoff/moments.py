"""When a caller who asks for a call back is called: pure values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shared.lines.calendars import Calendar

SOON = timedelta(minutes=15)
"""When "as soon as possible" is, while the contact centre is open (our choice): it has just not answered."""
DAYS_LOOKED_AT = 3
"""Days on which a wall clock is looked for (our choice): one on which clocks are put forward may not show it."""


class Moment(NamedTuple):
    """A moment, and what the wall clock of the contact centre shows then."""

    at: datetime
    day: str
    time: str


def moment(at: datetime, zone: ZoneInfo) -> Moment:
    """A moment as a voice says it: `2026-11-30`, `15:30`."""
    local = at.astimezone(zone)
    return Moment(at.astimezone(UTC), local.strftime("%Y-%m-%d"), local.strftime("%H:%M"))


def opening(at: datetime, calendar: Calendar | None) -> datetime | None:
    """The first moment from this one on at which the contact centre is open; None: there is none."""
    return at if calendar is None else calendar.next_opening(at)


def soonest(now: datetime, calendar: Calendar | None) -> datetime | None:
    """When a caller is called who asks for no time: in a while, or when it opens; None: never."""
    return opening(now if calendar is not None and not calendar.is_open(now) else now + SOON, calendar)


def keyed(digits: str, now: datetime, zone: ZoneInfo, calendar: Calendar | None) -> datetime | None:
    """The next time that a wall clock shows what a caller keyed (`1530`, `930`), or when the contact centre opens after
    that. None for what no clock shows, and where it never opens."""
    if not (digits.isascii() and digits.isdecimal() and len(digits) in (3, 4)):
        return None
    hour, minute = int(digits[:-2]), int(digits[-2:])
    if hour > 23 or minute > 59:
        return None
    today = now.astimezone(zone).date()
    for days in range(DAYS_LOOKED_AT):
        day = today + timedelta(days=days)
        for fold in (0, 1):
            wall = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone, fold=fold)
            at = wall.astimezone(UTC)
            if at > now and at.astimezone(zone).strftime("%H%M") == wall.strftime("%H%M"):
                return opening(at, calendar)
    return None
