"""What a campaign goes by. The defaults are meant to be lawful without being read; this is not legal advice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from shared.errors import InvalidInput
from shared.outreach.moments import read_zone
from shared.outreach.outcomes import STEPS, OutcomeClass, Step
from shared.outreach.windows import CLOSES, DAYS, OPENS

Purpose = Literal["marketing", "service"]
"""`marketing` needs consent and keeps to imported do-not-call lists; `service` is what a customer waits for, such as a
reminder. Caps are counted for each by itself."""

MOST_KEPT = 32
"""Calls to one number that are remembered, of each purpose."""
_LONGEST_RETRY = 30 * 24 * 3600
HIGHEST_CAP = MOST_KEPT // 2
"""The other half makes up for calls that turned out not to count."""


class Consent(BaseModel):
    """That somebody agreed to be called: when, and where they said so."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    at: AwareDatetime
    source: str


class Caps(BaseModel):
    """Calls to one number for one purpose, over all campaigns. Florida allows 3 in 24 hours on one subject."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    in_24_hours: int = Field(3, ge=1, le=HIGHEST_CAP)
    in_7_days: int = Field(7, ge=1, le=HIGHEST_CAP)

    @property
    def windows(self) -> tuple[tuple[timedelta, int, str], ...]:
        """How long, how many, and in words."""
        return (
            (timedelta(hours=24), self.in_24_hours, "in 24 hours"),
            (timedelta(days=7), self.in_7_days, "in 7 days"),
        )


class Rules(BaseModel):
    """What a campaign goes by.

    Attributes:
        reminders: each person has an appointment, and is called before it.
        ahead: how long before an appointment somebody is called first, and again if nobody was reached.
        least_ahead: nobody is called any more when there is less time than this.
        zone: of the company: of times in files, and of "today".
        default_zone: of a number whose zone is not known; empty: it is refused.
        most_attempts: that count, in all.
        retry: seconds after an outcome until the next attempt, where they are not the default.
        stale_days: a marketing campaign does not call while an imported do-not-call list is older (US: 31).
    """

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    purpose: Purpose
    reminders: bool = False
    ahead: tuple[timedelta, ...] = (timedelta(hours=48), timedelta(hours=4))
    least_ahead: timedelta = timedelta(minutes=30)
    zone: str = "UTC"
    default_zone: str = ""
    opens: int = Field(OPENS, ge=0, lt=1440)
    closes: int = Field(CLOSES, gt=0, le=1440)
    days: frozenset[int] = DAYS
    calendar: str = ""
    caps: Caps = Caps(in_24_hours=3, in_7_days=7)
    most_attempts: int = Field(5, ge=1, le=MOST_KEPT)
    retry: Mapping[OutcomeClass, float] = {}
    stale_days: int = Field(31, ge=1)

    @field_validator("zone", "default_zone")
    @classmethod
    def _is_a_zone(cls, name: str, info: ValidationInfo) -> str:
        return read_zone(name, info.field_name or "zone").key if name or info.field_name == "zone" else ""

    @field_validator("days")
    @classmethod
    def _are_days(cls, days: frozenset[int]) -> frozenset[int]:
        if not days or not days <= set(range(7)):
            raise InvalidInput("days", "are no days of the week.", "Give numbers from 0, Monday, to 6.")
        return days

    @field_validator("retry")
    @classmethod
    def _are_seconds(cls, retry: Mapping[OutcomeClass, float]) -> Mapping[OutcomeClass, float]:
        if wrong := [name for name, seconds in retry.items() if not 0 <= seconds <= _LONGEST_RETRY]:
            problem = "is no time from 0 seconds to 30 days."
            raise InvalidInput(f"retry.{wrong[0]}", problem, "Give seconds.")
        return retry

    @model_validator(mode="after")
    def _open_before_they_close(self) -> Self:
        if self.opens >= self.closes:
            raise InvalidInput("opens", "is not before closes.", "Give minutes of one day, such as 540 and 1200.")
        return self

    def step(self, outcome: OutcomeClass) -> Step:
        """What follows from a class here. What ends a person's attempts ends them whatever `retry` says."""
        usual = STEPS[outcome]
        seconds = self.retry.get(outcome)
        if seconds is None or usual.after is None:
            return usual
        return Step(timedelta(seconds=seconds), usual.counts, usual.times)
