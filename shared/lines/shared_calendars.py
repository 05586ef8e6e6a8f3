"""Named calendars as they are written and stored, and as every instance has them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from shared.lines.calendars import Calendar, Intervals
from shared.lines.times import date_of, days_of, interval_of, zone_of
from shared.logs import logger
from shared.text_rows import StoredRow
from shared.yaml_text import Wrong, each, scalar

log = logger("switchboard.lines")

ROW = "calendar "
"""How the names of the rows begin that hold calendars."""
MOST_DATES = 400
"""Dates that a calendar may name of each kind (our choice): it is one row of the storage."""
YEARS = range(2000, 2101)


def _intervals(value: object) -> tuple[str, ...]:
    """`09:00-12:30, 13:15-17:30`, or a list; empty: closed."""
    if value in ("", [], ()):
        return ()
    texts = [
        part.strip()
        for text in each(str)(list(value) if isinstance(value, tuple) else value)
        for part in text.split(",")
    ]
    for text in texts:
        interval_of(text)
    return tuple(texts)


def _days(value: object) -> str:
    text = scalar(value)
    days_of(text)
    return text


def _date(value: object) -> date:
    found = date_of(value.isoformat() if isinstance(value, date) else scalar(value))
    if found.year not in YEARS:
        raise Wrong(f"{found} is not a date of a calendar.", f"Give {YEARS.start} to {YEARS.stop - 1}.")
    return found


def _zone(value: object) -> str:
    return zone_of(value).key


Zone = Annotated[str, BeforeValidator(_zone)]
Days = Annotated[str, BeforeValidator(_days)]
Hours = Annotated[
    tuple[str, ...],
    BeforeValidator(_intervals),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
Day = Annotated[date, BeforeValidator(_date)]


class CalendarText(BaseModel):
    """Opening hours by the wall clocks of a time zone."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        defer_build=True,
        json_schema_extra={
            "examples": [
                {
                    "zone": "Europe/Berlin",
                    "weekly": {"mon-fri": "09:00-12:30, 13:15-17:30", "sat": "10:00-14:00"},
                    "holidays": ["2026-12-25", "2026-12-26"],
                    "special_days": {"2026-12-24": "09:00-12:00", "2026-12-31": []},
                }
            ]
        },
    )

    zone: Zone = Field(description="of the IANA database")
    weekly: dict[Days, Hours] = Field({}, max_length=14, description="hours by days: `mon`, or `mon-fri`")
    holidays: tuple[Day, ...] = Field((), max_length=MOST_DATES, description="dates on which it is closed")
    special_days: dict[Day, Hours] = Field(
        {}, max_length=MOST_DATES, description="hours of a date instead; none: it is closed"
    )
    note: str = Field("", max_length=200)

    @property
    def calendar(self) -> Calendar:
        """The same, to ask whether it is open."""
        weekly: list[Intervals] = [()] * 7
        for days, hours in self.weekly.items():
            for day in days_of(days):
                weekly[day] = (*weekly[day], *map(interval_of, hours))
        special = {day: tuple(map(interval_of, hours)) for day, hours in self.special_days.items()}
        return Calendar(zone_of(self.zone), tuple(weekly), frozenset(self.holidays), special)


class StoredCalendar(BaseModel):
    """A row. `mark` tells one write from all others."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    text: CalendarText
    mark: str


class SharedCalendars:
    """The calendars of all instances, as this one has read them last.

    Attributes:
        known: by name. Replaced as a whole, so that it can be used by every thread.
    """

    def __init__(self) -> None:
        self.known: Mapping[str, Calendar] = {}
        self._read: dict[str, tuple[str, Calendar]] = {}

    def take_over(self, rows: Mapping[str, StoredRow]) -> None:
        """The rows that all instances share were read; of a calendar that cannot be read the last one counts."""
        known: dict[str, tuple[str, Calendar]] = {}
        for row, stored in rows.items():
            if not row.startswith(ROW):
                continue
            name, before = row.removeprefix(ROW), self._read.get(row.removeprefix(ROW))
            if before is not None and before[0] == stored.text:
                known[name] = before
                continue
            try:
                known[name] = stored.text, StoredCalendar.model_validate_json(stored.text).text.calendar
            except ValidationError:
                log.error("the calendar %r cannot be read; what was read before counts", name)
                if before is not None:
                    known[name] = stored.text, before[1]
        self._read = known
        self.known = {name: calendar for name, (_, calendar) in known.items()}
