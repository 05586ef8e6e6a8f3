"""A request for a call: what was asked for, what was agreed to, and what became of it. Pure values and changes."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

State = Literal["waiting", "calling_agent", "calling_you", "connected", "ended"]
Outcome = Literal["", "completed", "no_agent", "not_reached", "no_line", "cancelled", "withdrawn", "missed", "failed"]

_ID = re.compile(r"(\d{8})t\d{12}-[0-9a-f]{32}")


class Asked(NamedTuple):
    """What somebody asks for on a page.

    Attributes:
        consent: the version of the text that they agreed to.
        at: when they want to be called; None: now.
        captcha: what solving it gave.
    """

    number: str
    name: str
    consent: str
    at: datetime | None = None
    captcha: str = ""


class Consent(BaseModel):
    """What somebody agreed to."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    text: str
    version: str
    at: datetime


class Request(BaseModel):
    """A request for a call.

    Attributes:
        at: when it is to be placed.
        token: of the site that granted it; a site of the same name that was made since has another.
        person: keyed hash of the number.
        attempt: which agent is called, from 0.
        taken: that agent pressed 1.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    id: str
    site: str
    number: str
    person: str
    name: str
    language: str
    origin: str
    asked_at: datetime
    at: datetime
    consent: Consent
    state: State = "waiting"
    outcome: Outcome = ""
    attempt: int = 0
    taken: bool = False
    token: str = ""
    joined_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def day(self) -> str:
        """The UTC day that its id is of."""
        return day_of(self.id) or ""

    @property
    def seconds(self) -> int:
        """How long the two have talked."""
        return round((self.ended_at - self.joined_at).total_seconds()) if self.ended_at and self.joined_at else 0


def made_id(now: datetime) -> str:
    """A new id, by which the request is found and its status is asked for: nobody can guess it."""
    return f"{now.astimezone(UTC):%Y%m%dt%H%M%S%f}-{secrets.token_hex(16)}"


def day_of(request_id: str) -> str | None:
    """The UTC day, `2026-11-28`, of the request of this id; None: it is no id."""
    match = _ID.fullmatch(request_id)
    return f"{match[1][:4]}-{match[1][4:6]}-{match[1][6:]}" if match else None


def begun(request: Request, attempt: int) -> Request:
    """The agent of this number is called; unchanged where that is over or not their turn."""
    if request.state == "ended" or request.taken or attempt not in (request.attempt, request.attempt + 1):
        return request
    return request.model_copy(update={"state": "calling_agent", "attempt": attempt})


def accepted(request: Request, attempt: int) -> Request:
    """The agent pressed 1; unchanged where it is not their turn any more."""
    if request.state != "calling_agent" or request.attempt != attempt:
        return request
    return request.model_copy(update={"state": "calling_you", "taken": True})


def joined(request: Request, at: datetime) -> Request:
    """The two talk."""
    if request.state != "calling_you":
        return request
    return request.model_copy(update={"state": "connected", "joined_at": at})


def ended(request: Request, outcome: Outcome, at: datetime) -> Request:
    """It is over; the first end counts."""
    if request.state == "ended":
        return request
    return request.model_copy(update={"state": "ended", "outcome": outcome, "ended_at": at})
