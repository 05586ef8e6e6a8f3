"""When somebody may be called: inside the window in every zone that their number may have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.lines.calendars import Calendar, Intervals

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
OPENS, CLOSES = 9 * 60, 20 * 60
"""Minutes of the day. Within 8:00 to 21:00 of US federal rules (47 CFR 64.1200(c)(1)) and 8:00 to 20:00 of Florida."""
DAYS = frozenset(range(6))
"""Monday to Saturday."""
SEARCHED = timedelta(days=14)
"""How far ahead a common hour of several zones is looked for: weeks are alike, and holidays fall into one at a time."""


@dataclass(frozen=True, slots=True)
class Window:
    """Hours on weekdays by the clock of whoever is called.

    Attributes:
        opens, closes: minutes of the day; nobody is called at `closes` any more.
        days: 0 = Monday.
        holidays: dates on which nobody is called, whatever their zone.
        special_days: on these dates only the hours that are also in the window.
        calendar: the name of the calendar that the holidays and special days come from.
    """

    opens: int = OPENS
    closes: int = CLOSES
    days: frozenset[int] = DAYS
    holidays: frozenset[date] = frozenset()
    special_days: Mapping[date, Intervals] = field(default_factory=dict, hash=False)
    calendar: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.opens < self.closes <= 24 * 60:
            raise ValueError("a window opens before it closes, on one day")

    @classmethod
    def on_days_of(cls, calendar: Calendar, name: str, *, opens: int, closes: int, days: frozenset[int]) -> Window:
        """A window that keeps a calendar's holidays, and on its special days to their hours."""
        return cls(opens, closes, days, calendar.holidays, calendar.special_days, name)

    @property
    def described(self) -> str:
        """As evidence has it: `Mon Tue Wed Thu Fri Sat 09:00-20:00`."""
        days = " ".join(WEEKDAYS[day] for day in sorted(self.days))
        return f"{days} {_clock(self.opens)}-{_clock(self.closes)}"

    def is_open(self, zones: Sequence[str], at: datetime) -> bool:
        """Whether it is open in every one of these zones; never without any."""
        return bool(zones) and all(self._in(zone).is_open(at) for zone in zones)

    def next_opening(self, zones: Sequence[str], at: datetime) -> datetime | None:
        """The first moment from this one on at which it is open in every zone; None: there is none within SEARCHED."""
        calendars = [self._in(zone) for zone in zones]
        found = at
        while calendars and found - at <= SEARCHED:
            openings = [one for calendar in calendars if (one := calendar.next_opening(found)) is not None]
            if not openings:
                return None
            if max(openings) == found:
                return found
            found = max(openings)
        return None

    def _in(self, zone: str) -> Calendar:
        usual = ((self.opens, self.closes),)
        weekly = tuple(usual if day in self.days else () for day in range(7))
        special = {
            day: self._also_in(hours) if day.weekday() in self.days else () for day, hours in self.special_days.items()
        }
        return Calendar(ZoneInfo(zone), weekly, self.holidays, special)

    def _also_in(self, hours: Intervals) -> Intervals:
        """What is both in the window and in a special day's hours; those over midnight end with their day."""
        both = ((max(self.opens, start), min(self.closes, end if end > start else 24 * 60)) for start, end in hours)
        return tuple((start, end) for start, end in both if start < end)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
