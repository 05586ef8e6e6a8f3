"""A call, who is in it, and how it begins and ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from emulator import outcomes
from emulator.identifiers import Identifier
from emulator.legs import Leg
from emulator.outcomes import Outcome

if TYPE_CHECKING:
    from emulator.phones.line import Line
    from emulator.service import Emulator


@dataclass(eq=False)
class Participant:
    """One member of a call: an app leg or a virtual phone under an identifier."""

    identifier: Identifier
    endpoint: Leg | Line
    muted: bool = False
    on_hold: bool = False
    #: Id of the membership in Event Grid's participant events.
    participant_id: str = ""
    #: Whether Event Grid tells of this participant: it covers users only, not numbers or bots (docs).
    announced: bool = False

    def wire(self) -> dict[str, Any]:
        return {"identifier": self.identifier.wire(), "isMuted": self.muted, "isOnHold": self.on_hold}


@dataclass(eq=False)
class Call:
    """A conversation. Its legs share serverCallId and correlationId."""

    service: Emulator
    id: str
    server_call_id: str
    correlation_id: str
    caller: Identifier
    started: float
    state: str = "ringing"
    participants: list[Participant] = field(default_factory=list)
    legs: list[Leg] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    ringing: set[asyncio.Task[Any]] = field(default_factory=set)
    #: Invitations that still ring, by invitation id.
    invited: dict[str, tuple[asyncio.Task[Any], Identifier]] = field(default_factory=dict)
    connected_at: float | None = None
    two_party: bool = True

    def note(self, who: str, what: str, text: str = "") -> None:
        """Add to the timeline."""
        service = self.service
        service.timeline.add(service.clock.now() - self.started, self.id, who, what, text)

    @property
    def ended(self) -> bool:
        return self.state == "ended"

    @property
    def is_group(self) -> bool:
        """More than two members: media to one of them then runs beside media to all (docs)."""
        return len(self.participants) > 2

    def find(self, identifier: Identifier) -> Participant | None:
        return next((p for p in self.participants if p.identifier.raw_id == identifier.raw_id), None)

    def joined(self, participant: Participant) -> None:
        """A ringing party has answered: connects the call if it was not, and tells every leg."""
        first = self.state == "ringing"
        self.participants.insert(0 if first else len(self.participants), participant)
        self.two_party = self.two_party and len(self.participants) == 2
        newcomers = list(self.participants) if first else [participant]
        if first:
            self.state = "connected"
            self.connected_at = self.service.clock.now()
        for member in newcomers:
            member.endpoint.connected()
        self.service.lifecycle.joined(self, newcomers, first=first)
        self.participants_changed()

    def participants_changed(self) -> None:
        """ParticipantsUpdated on every connected leg."""
        for leg in self.legs:
            leg.participants_updated()

    def leave(self, participant: Participant, outcome: Outcome) -> None:
        """One member leaves; a call of one ends. ``outcome`` is for its own leg."""
        if participant not in self.participants or self.ended:
            return
        if len(self.participants) <= 2:
            self.end(lambda leg: outcome if leg is participant.endpoint else outcomes.LEFT_ALONE)
            return
        self.participants.remove(participant)
        participant.endpoint.dropped(outcome)
        self.service.lifecycle.left(self, participant)
        self.participants_changed()

    def end(self, outcome_for: Callable[[Leg], Outcome]) -> None:
        """The call is over for everyone; each leg gets its own result."""
        if self.ended:
            return
        was_connected = self.state == "connected"
        self.state = "ended"
        for task in self.ringing:
            if task is not asyncio.current_task():
                task.cancel()
        if was_connected:
            self.service.lifecycle.ended(self)
        for leg in self.legs:
            leg.dropped(outcome_for(leg))
        for line in self.lines:
            line.dropped(outcomes.OK)
        self.participants.clear()
        self.service.forget(self)
        self.note("service", "ends")
