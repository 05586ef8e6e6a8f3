"""Switches, as what rings and what leaves the app goes by them. `shared.web.switches` turns them and stores them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from shared.calls.actions import RejectReason
from shared.identifiers import Identifier


class Diverted(NamedTuple):
    """Where calls go instead of to a flow: one of the three."""

    flow: str = ""
    redirect: Identifier | None = None
    reject: RejectReason | None = None


@dataclass(frozen=True, slots=True)
class Switches:
    """How the switches stand. What is on is not named.

    Attributes:
        outbound_off: nothing leaves the app.
        numbers_off: numbers, or raw ids where there is none.
        diverted: by the name of the flow.
    """

    outbound_off: bool = False
    numbers_off: frozenset[str] = frozenset()
    diverted: Mapping[str, Diverted] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> Switches:
        """From what `shared.web.switches` stored; ValueError, KeyError, TypeError or AttributeError for all else."""
        stored = json.loads(text)
        return cls(
            outbound_off=stored.get("outbound_off") is not None,
            numbers_off=frozenset(stored.get("numbers_off", {})),
            diverted={name: _diverted(one["to"]) for name, one in stored.get("diverted", {}).items()},
        )

    def is_off(self, who: Identifier | None) -> bool:
        """Whether nobody is to be called, or served, under this number."""
        return who is not None and name_of(who) in self.numbers_off


def _diverted(to: Mapping[str, str]) -> Diverted:
    redirect = to.get("redirect")
    reject: RejectReason | None = to.get("reject")  # type: ignore[assignment]  # checked when it was stored
    return Diverted(to.get("flow") or "", Identifier(raw_id=redirect) if redirect else None, reject)


def name_of(who: Identifier) -> str:
    """How somebody is named among the numbers that are off: one name, however the number was written."""
    return str(who)
