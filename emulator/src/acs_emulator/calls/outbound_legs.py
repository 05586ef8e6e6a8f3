"""Calls to telephones that one of the resource's numbers has placed, and how many it may have at once."""

from __future__ import annotations

from dataclasses import dataclass

from acs_emulator.calls.call import Call, Participant
from acs_emulator.core.errors import TooManyCalls
from acs_emulator.core.identifiers import Identifier
from acs_emulator.phones.line import Line
from acs_emulator.phones.own_numbers import OwnNumbers


@dataclass(eq=False)
class OutboundLeg:
    """One telephone that is rung, or in a call, under a number of the resource."""

    number: str
    call: Call
    ringing: bool = True
    participant: Participant | None = None

    def ring_ended(self, *_: object) -> None:
        """Somebody has answered, or nobody will."""
        self.ringing = False

    @property
    def lasts(self) -> bool:
        """Until nobody answers or the phone has left its call, whichever call that is by then."""
        if self.participant is None:
            return self.ringing and not self.call.ended
        endpoint = self.participant.endpoint
        return endpoint.on_line if isinstance(endpoint, Line) else endpoint.state != "disconnected"


class OutboundLegs:
    """The legs of all numbers that were declared; others are not counted."""

    def __init__(self, numbers: OwnNumbers) -> None:
        self._numbers = numbers
        self._legs: list[OutboundLeg] = []

    def in_use(self, number: str) -> int:
        """How many of the number's calls go on or ring."""
        self._legs = [leg for leg in self._legs if leg.lasts]
        return sum(leg.number == number for leg in self._legs)

    def check(self, number: Identifier | None, targets: list[Identifier]) -> None:
        """Raise TooManyCalls when the number may not call so many telephones more."""
        wanted = sum(target.is_phone for target in targets)
        limit = None if number is None else self._numbers.limit(number.value)
        if number is not None and limit is not None and wanted and self.in_use(number.value) + wanted > limit:
            raise TooManyCalls(number.value, limit)

    def begin(self, number: Identifier | None, call: Call, targets: list[Identifier]) -> dict[str, OutboundLeg]:
        """A leg for each telephone, by its raw id; check first."""
        if number is None or self._numbers.limit(number.value) is None:
            return {}
        legs = {target.raw_id: OutboundLeg(number.value, call) for target in targets if target.is_phone}
        self._legs += legs.values()
        return legs

    def wire(self) -> list[dict[str, object]]:
        """The declared numbers with their calls, for the control API."""
        return [
            {"number": one.number, "outboundCalls": self.in_use(one.number), "limit": one.limit, "name": one.name}
            for one in sorted(self._numbers.declared.values())
        ]

    def clear(self) -> None:
        self._legs.clear()
