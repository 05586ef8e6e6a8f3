"""The switches in the HTTP API: what is off or diverted, by whom and since when, and what the brakes refused."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.brakes.brakes import AppBrakes, RowName
from shared.brakes.switches import Change, Changed, Diversion, FlowDiverted, Switches, name_of
from shared.errors import InvalidInput, LostRace
from shared.identifiers import Identifier
from shared.logs import logger
from shared.routing.decisions import RoutableFlow
from shared.web.models import read
from shared.web.times import iso_of

log = logger("switchboard.brakes")

MOST = 50
"""Numbers that can be off at once, and flows that can be diverted (our choice): all of it is one row of the storage."""
MOST_CHANGES = 10
"""Changes that are remembered, the newest first (our choice)."""
TRIES = 8
"""How often a change is tried where others change switches at the same moment (our choice)."""


SwitchPosition = Literal["on", "off"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TurnSwitches(_Model):
    """What to turn off, on, or divert; the rest stays as it is."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"by": "Ada", "why": "calls nobody ordered", "outbound": "off"},
                {"by": "Ada", "numbers": {"+14255550123": "off", "+18005550199": "on"}},
                {"by": "Ada", "flows": {"reception": {"redirect": "+14255550177"}, "support": "on"}},
            ]
        },
    )

    by: str = Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$", description="who turns it")
    why: str = Field("", max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")
    outbound: SwitchPosition | None = Field(None, description="`off`: no create, connect, add, transfer and redirect")
    numbers: dict[str, SwitchPosition] = Field(
        {},
        max_length=MOST,
        description="by number or raw id; `off`: not called, not answered, not a caller id",
    )
    flows: dict[str, Diversion | Literal["on"]] = Field(
        {}, max_length=MOST, description="by flow: where its inbound calls go; `on`: to the flow again"
    )


class OutboundSwitch(_Model):
    """Whether outbound calls are on; `off`: since when, by whom and why."""

    position: SwitchPosition
    off: Changed | None = None


class NumberSwitch(_Model):
    """A number that is off."""

    number: str
    off: Changed


class FlowSwitch(_Model):
    """A flow that is diverted."""

    flow: str
    diverted: FlowDiverted


class CallsNow(_Model):
    """Calls that are up, at the last count of the watchdog."""

    at: int = Field(
        description="Unix time in milliseconds; calls that started later are not counted. 0: not yet counted"
    )
    at_iso: ClassVar[Any] = iso_of("at", never="")
    calls: int
    most_of_one_caller: int


class SwitchesView(_Model):
    """All switches, the last changes, and what the brakes refused."""

    outbound: OutboundSwitch
    numbers: tuple[NumberSwitch, ...]
    flows: tuple[FlowSwitch, ...]
    changes: tuple[Change, ...] = Field(description="the newest first")
    calls: CallsNow
    braked: dict[str, dict[str, int]] = Field(description="by UTC day and reason, how often a brake refused")
    unreadable: tuple[RowName, ...] = Field(
        (), description="what the storage has of these cannot be read; shown is what was read before"
    )


class SwitchesService:
    """Shows switches and turns them.

    Args:
        clock: Unix time in milliseconds.
    """

    def __init__(
        self,
        brakes: AppBrakes,
        flows: Mapping[str, RoutableFlow],
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._brakes = brakes
        self._flows = flows
        self._clock = clock

    def view(self) -> SwitchesView:
        """How they stand, by the storage."""
        self._brakes.read()
        return _view(self._brakes)

    def turn(self, body: bytes) -> SwitchesView:
        """Turn some; how they stand then. InvalidInput for what cannot be turned so."""
        asked = read(TurnSwitches, body)
        numbers = _numbers(asked)
        change = Change(
            id=uuid.uuid4().hex, by=asked.by, at=self._clock(), why=asked.why, what=tuple(_words(asked, numbers))
        )
        if not change.what:
            raise InvalidInput("body", "has nothing to turn.", "Name outbound, numbers or flows.")
        for _ in range(TRIES):
            row = self._brakes.read().get("switches")
            before = self._brakes.switches
            if any(earlier.id == change.id for earlier in before.changes):
                break  # our own write: only its response was lost
            self._check(asked, before.diverted)
            after = _turned(before, asked, numbers, change)
            try:
                self._brakes.rows.replace(
                    "switches", after.model_dump_json(exclude_none=True), row.version if row else None
                )
                break
            except LostRace:
                continue
        else:
            raise LostRace("switches")
        log.warning("switches turned by=%s what=%s", asked.by, _kinds(asked))
        self._brakes.refresh()
        return _view(self._brakes)

    def _check(self, asked: TurnSwitches, diverted: Collection[str]) -> None:
        for name, to in asked.flows.items():
            field = f"flows.{name[:80]}"
            if name not in self._flows and not (to == "on" and name in diverted):  # it may have been removed since
                raise InvalidInput(field, "is not a flow.", f"Known: {', '.join(sorted(self._flows))}.")
            if to == "on":
                continue
            if to.flow is not None:
                self._check_flow(f"{field}.flow", name, to.flow)
            if to.redirect is not None and (problem := self._brakes.dialing.problem(to.redirect)):
                raise InvalidInput(f"{field}.redirect", f"{problem}.", "See docs/brakes.md.")

    def _check_flow(self, field: str, name: str, other: str) -> None:
        flow = self._flows.get(other)
        if flow is None:
            raise InvalidInput(field, "is not a flow.", f"Known: {', '.join(sorted(self._flows))}.")
        if other == name:
            raise InvalidInput(field, "is the flow itself.", 'Write "on" to end a diversion.')
        if flow.needed_input:
            needed = ", ".join(flow.needed_input)
            raise InvalidInput(field, f"takes no inbound calls: it needs the input {needed}.", "Name another.")


def _numbers(asked: TurnSwitches) -> dict[str, SwitchPosition]:
    """Each number by one name."""
    numbers: dict[str, SwitchPosition] = {}
    for name, position in asked.numbers.items():
        if numbers.setdefault(_number(name), position) != position:
            raise InvalidInput(f"numbers.{name[:80]}", "is named twice, off and on.", "Name it once.")
    return numbers


def _number(name: str) -> str:
    """One name, however the number is written."""
    try:
        who = Identifier.parse(name)
    except InvalidInput as error:
        raise InvalidInput(f"numbers.{name[:80]}", error.problem, error.remedy) from None
    if who.is_anonymous or who.kind == "unknown" or len(who.raw_id) > 200:
        raise InvalidInput(f"numbers.{name[:80]}", "is nobody's number.", "Give a number such as +14255550123.")
    return name_of(who)


def _words(asked: TurnSwitches, numbers: Mapping[str, SwitchPosition]) -> list[str]:
    words = [f"outbound {asked.outbound}"] if asked.outbound else []
    # Not which numbers: what is on again is to be forgotten.
    words += [f"a number {position}" for position in numbers.values()]
    return words + [f"{name} {to}" if to == "on" else f"{name} to {to}" for name, to in asked.flows.items()]


def _kinds(asked: TurnSwitches) -> str:
    """For the log: no number."""
    kinds = {"outbound": asked.outbound, "numbers": len(asked.numbers), "flows": ",".join(asked.flows)}
    return " ".join(f"{kind}={value}" for kind, value in kinds.items() if value)


def _turned(before: Switches, asked: TurnSwitches, numbers: Mapping[str, SwitchPosition], change: Change) -> Switches:
    """How the switches stand after a change."""
    off = Changed(by=change.by, at=change.at, why=change.why)
    outbound = {"off": off, "on": None, None: before.outbound_off}[asked.outbound]
    numbers_off = {name: one for name, one in before.numbers_off.items() if numbers.get(name) != "on"}
    numbers_off |= {name: off for name, position in numbers.items() if position == "off"}
    diverted = {name: one for name, one in before.diverted.items() if name not in asked.flows}
    for name, to in asked.flows.items():
        if to != "on":
            diverted[name] = FlowDiverted(by=change.by, at=change.at, why=change.why, to=to)
    for what, number in (("numbers", len(numbers_off)), ("flows", len(diverted))):
        if number > MOST:
            raise InvalidInput(what, f"would be {number} that are off or diverted.", f"{MOST} can be; turn some on.")
    changes = (change, *before.changes)[:MOST_CHANGES]
    turned = {"outbound_off": outbound, "numbers_off": numbers_off, "diverted": diverted, "changes": changes}
    return before.model_copy(update=turned)


def _view(brakes: AppBrakes) -> SwitchesView:
    switches, figures = brakes.switches, brakes.figures
    return SwitchesView(
        outbound=OutboundSwitch(position="off" if switches.outbound_off else "on", off=switches.outbound_off),
        numbers=tuple(NumberSwitch(number=name, off=off) for name, off in switches.numbers_off.items()),
        flows=tuple(FlowSwitch(flow=name, diverted=to) for name, to in switches.diverted.items()),
        changes=switches.changes,
        calls=CallsNow(at=figures.at, calls=figures.calls, most_of_one_caller=max(figures.callers.values(), default=0)),
        braked={day: dict(counts) for day, counts in brakes.counts.items()},
        unreadable=tuple(sorted(brakes.unreadable)),
    )
