"""Instances of the app, as far as the brakes go: shared rows, a clock that stands still, readings when told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.brakes.brakes import AppBrakes, Limits
from shared.brakes.dialing import Dialing
from shared.calls import Call, Flow
from shared.identifiers import Identifier
from shared.privacy import NumberHashes
from shared.routing import AnswerWith, RedirectTo, RejectWith
from shared.text_rows import MemoryTextRows
from tests.setting_samples import made_key
from tests.unit.calls.world import CALLEE, Clock

NORTH_AMERICA = Dialing(countries=frozenset({"+1"}))
ANSWER = AnswerWith(flow="reception", rule="all")
CALLED = CALLEE


async def nothing(call: Call) -> None:
    """Does nothing."""


FLOWS: Mapping[str, Flow] = {name: Flow(name, nothing) for name in ("reception", "support")}


class Still:
    """Reads when it is told, in no thread."""

    def __init__(self, read: Any) -> None:
        self.uses = 0

    def use(self) -> None:
        self.uses += 1


@dataclass
class Instances:
    """Instances that share rows and a clock."""

    clock: Clock = field(default_factory=Clock)
    rows: MemoryTextRows = field(default_factory=MemoryTextRows)

    def one(self, dialing: Dialing = NORTH_AMERICA, flows: Mapping[str, Flow] = FLOWS, **limits: int) -> AppBrakes:
        """A new one."""
        hashes = NumberHashes(made_key("numbers"))
        return AppBrakes(self.rows, Limits(**limits), dialing, hashes, flows, clock=self.clock, refresher=Still)


def ring(
    brakes: AppBrakes,
    number: int,
    caller: str = "+14255550100",
    decision: AnswerWith | RedirectTo | RejectWith = ANSWER,
    *,
    claimed: bool = True,
    callee: Identifier = CALLED,
) -> AnswerWith | RedirectTo | RejectWith:
    """A call rings, and is claimed; what becomes of it."""
    who = Identifier(raw_id=caller) if ":" in caller else Identifier.parse(caller)
    with brakes.ring(who, callee, f"key {number}", decision) as admission:
        if claimed:
            admission.keep(f"call{number}")
    return admission.decision
