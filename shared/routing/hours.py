"""The `hours` of a rule as a file has them: days, times of day, holidays, a time zone."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, PlainValidator, model_validator

from shared.lines.calendars import DAY_MINUTES, Calendar, Interval, every_day
from shared.lines.times import date_of, days_of, interval_of, zone_of
from shared.yaml_text import Wrong, each


def _listed(read: Any) -> PlainValidator:
    """Reads a text with commas, or a list of such: all that is in them, one after the other."""
    items = each(lambda text: [read(part.strip()) for part in text.split(",")])
    return PlainValidator(lambda value: [one for found in items(value) for one in found])


class HoursInFile(BaseModel):
    """Hours, as they are written."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, defer_build=True)

    days: Annotated[list[set[int]], _listed(days_of)] = [set(range(7))]
    between: Annotated[list[Interval], _listed(interval_of)] = [(0, DAY_MINUTES)]
    holidays: Annotated[list[date], _listed(date_of)] = []
    zone: Annotated[ZoneInfo, PlainValidator(zone_of)]

    @model_validator(mode="after")
    def _are_limited(self) -> Self:
        if self.model_fields_set == {"zone"}:
            raise Wrong("holds at all times.", "Give days, between or holidays.")
        return self

    @property
    def hours(self) -> Calendar:
        """The same, as rules look at them."""
        days = frozenset[int]().union(*self.days)
        return every_day(self.zone, *self.between, days=days, holidays=frozenset(self.holidays))
