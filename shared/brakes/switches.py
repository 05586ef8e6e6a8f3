"""Switches: what a person has turned off or diverted, for all instances and until it is turned on again."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.identifiers import Identifier
from shared.routing.decisions import RejectReason

MOST = 50
"""Numbers that can be off at once, and flows that can be diverted (our choice): all of it is one row of the storage."""
MOST_CHANGES = 10
"""Changes that are remembered, the newest first (our choice)."""


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Changed(_Stored):
    """Who turned a switch, when (Unix time in milliseconds) and why."""

    by: str
    at: int
    why: str = ""


class Diversion(_Stored):
    """Where calls go instead of to a flow: to another flow, to somebody, or nowhere. One of the three."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"flow": "support"}, {"redirect": "+14255550177"}]})

    flow: str | None = Field(None, description="another flow, which takes them; its own diversion does not count")
    redirect: Identifier | None = Field(None, description="who gets them, a number or a raw id")
    reject: RejectReason | None = Field(None, description="they are rejected so")

    @model_validator(mode="after")
    def _is_one(self) -> Diversion:
        if sum(one is not None for one in (self.flow, self.redirect, self.reject)) != 1:
            raise ValueError('must have one of flow, redirect and reject; "on" ends a diversion')
        return self

    def __str__(self) -> str:
        return f"flow {self.flow}" if self.flow else f"reject {self.reject}" if self.reject else "redirect"


class Diverted(Changed):
    """A flow that does not take the calls that come in for it."""

    to: Diversion


class Change(Changed):
    """One request that turned switches."""

    id: str
    what: tuple[str, ...]


class Switches(_Stored):
    """All of them. What is on is not named.

    Attributes:
        outbound_off: nothing leaves the app; None: it may.
        numbers_off: by number, or raw id where there is none.
        diverted: by the name of the flow.
        changes: the newest first.
    """

    outbound_off: Changed | None = None
    numbers_off: dict[str, Changed] = Field(default_factory=dict)
    diverted: dict[str, Diverted] = Field(default_factory=dict)
    changes: tuple[Change, ...] = ()

    def is_off(self, who: Identifier | None) -> bool:
        """Whether nobody is to be called, or served, under this number."""
        return who is not None and name_of(who) in self.numbers_off


def name_of(who: Identifier) -> str:
    """How somebody is named in `numbers_off`: one name, however the number was written."""
    return str(who)


SwitchPosition = Literal["on", "off"]
