"""A call, who is in it, and how it begins and ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from acs_emulator import outcomes
from acs_emulator.audio import Track
from acs_emulator.identifiers import Identifier
from acs_emulator.legs import Leg
from acs_emulator.outcomes import Outcome

if TYPE_CHECKING:
    from acs_emulator.phones.line import Line
    from acs_emulator.recording.session import Recording
    from acs_emulator.service import Emulator


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

    def mute(self) -> None:
        """Nobody hears this participant any more."""
        self.muted = True
        self.endpoint.track.close()

    def set_on_hold(self, on_hold: bool) -> None:
        """A held phone is not heard; an app leg may play to one participant while it is itself on hold."""
        self.on_hold = on_hold
        if self.endpoint.is_phone and not self.muted:
            (self.endpoint.track.close if on_hold else self.endpoint.track.open)()

    @property
    def audible(self) -> bool:
        return not self.muted and not self.on_hold

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
    #: A group call or room: it lasts while anyone, or an app leg, is in it.
    group_id: str | None = None
    room_id: str | None = None
    recordings: list[Recording] = field(default_factory=list)

    def note(self, who: str, what: str, text: str = "") -> None:
        """Add to the timeline."""
        service = self.service
        service.timeline.add(service.clock.now() - self.started, self.id, who, what, text)

    @property
    def ended(self) -> bool:
        return self.state == "ended"

    @property
    def connected(self) -> bool:
        return self.state == "connected"

    @property
    def is_group(self) -> bool:
        """More than two members: media to one of them then runs beside media to all (docs)."""
        return len(self.participants) > 2

    def find(self, identifier: Identifier) -> Participant | None:
        return next((p for p in self.participants if p.identifier.raw_id == identifier.raw_id), None)

    def tracks(self, *, besides: Leg | None = None) -> list[Track]:
        """The sound of everyone in the call, app legs that only connected to it as well."""
        endpoints: list[Leg | Line] = [participant.endpoint for participant in self.participants]
        endpoints += [leg for leg in self.legs if leg.by_connect]
        return [endpoint.track for endpoint in endpoints if endpoint is not besides]

    def prompted(self, leg: Leg, *, started: bool, to: list[Participant] | None = None) -> None:
        """Sound of an app leg begins or ends; the phones that hear it notice."""
        for line in self.lines:
            if not to or any(target.endpoint is line for target in to):
                (line.prompt_started if started else line.prompt_ended)()

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
        if participant.endpoint.is_phone:
            for line in self.lines:
                if line.on_line and line is not participant.endpoint:
                    line.joined()
        self.service.lifecycle.joined(self, newcomers, first=first)
        for recording in self.recordings:
            recording.joined(newcomers)
        self.participants_changed()

    def participants_changed(self) -> None:
        """ParticipantsUpdated on every connected leg."""
        for leg in self.legs:
            leg.participants_updated()

    def leave(self, participant: Participant, outcome: Outcome) -> None:
        """One member leaves; a call of one ends. ``outcome`` is for its own leg."""
        if participant not in self.participants or self.ended:
            return
        if self.ends_without(participant):
            self.end(lambda leg: outcome if leg is participant.endpoint else outcomes.LEFT_ALONE)
            return
        self.participants.remove(participant)
        participant.endpoint.dropped(outcome)
        self.departed(participant)

    def departed(self, participant: Participant) -> None:
        """Tell everyone that somebody is no longer here."""
        self.service.lifecycle.left(self, participant)
        self.participants_changed()

    def ends_without(self, participant: Participant) -> bool:
        """A call of two ends with one; a group call or room when nobody and no app leg is left."""
        if self.group_id is None and self.room_id is None:
            return len(self.participants) <= 2
        others = [one for one in self.participants if one is not participant]
        return not others and not any(leg.by_connect and leg.state == "connected" for leg in self.legs)

    def left_by_app(self, leg: Leg, outcome: Outcome) -> None:
        """An app leg that had connected leaves; the others go on."""
        if not self.participants:
            self.end(lambda other: outcome if other is leg else outcomes.LEFT_ALONE)
            return
        leg.dropped(outcome)
        self.legs.remove(leg)

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
        for recording in list(self.recordings):
            recording.stop("CallEnded")
        for leg in self.legs:
            leg.dropped(outcome_for(leg))
        for line in self.lines:
            line.dropped(outcomes.OK)
        self.participants.clear()
        self.service.forget(self)
        self.note("service", "ends")
