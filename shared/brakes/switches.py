"""Switches: as they are stored, and as what rings and what leaves the app goes by them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.calls.actions import RejectReason
from shared.identifiers import Identifier


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Changed(_Stored):
    """Who turned a switch, when (Unix time in milliseconds) and why."""

    by: str
    at: int
    why: str = ""


class Diversion(_Stored):
    """Where calls of a flow go instead: to another flow, a redirect, or a rejection. One of the three."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"flow": "support"}, {"redirect": "+14255550177"}]})

    flow: str | None = Field(None, description="another flow; its own diversion does not apply")
    redirect: Identifier | None = Field(None, description="a number or a raw id")
    reject: RejectReason | None = Field(None, description="the reason of the rejection")

    @model_validator(mode="after")
    def _is_one(self) -> Diversion:
        if sum(one is not None for one in (self.flow, self.redirect, self.reject)) != 1:
            raise ValueError('must have one of flow, redirect and reject; "on" ends a diversion')
        return self

    def __str__(self) -> str:
        return f"flow {self.flow}" if self.flow else f"reject {self.reject}" if self.reject else "redirect"


class FlowDiverted(Changed):
    """A flow that does not take the calls that come in for it."""

    to: Diversion


class Change(Changed):
    """One request that turned switches."""

    id: str
    what: tuple[str, ...]


class Switches(_Stored):
    """How the switches stand, as they are stored. What is on is not named.

    Attributes:
        outbound_off: nothing leaves the app; None: it may.
        numbers_off: by number, or raw id where there is none.
        diverted: by the name of the flow.
        changes: the newest first.
    """

    outbound_off: Changed | None = None
    numbers_off: dict[str, Changed] = Field(default_factory=dict)
    diverted: dict[str, FlowDiverted] = Field(default_factory=dict)
    changes: tuple[Change, ...] = ()

    @classmethod
    def read(cls, text: str) -> Switches:
        """From a stored row; ValueError for what is none. Fields that a newer version has added mean nothing here."""
        return cls.model_validate_json(text, extra="ignore")

    def is_off(self, who: Identifier | None) -> bool:
        """Whether nobody is to be called, or served, under this number."""
        return who is not None and name_of(who) in self.numbers_off


def name_of(who: Identifier) -> str:
    """How somebody is named among the numbers that are off: one name, however the number was written."""
    return str(who)
