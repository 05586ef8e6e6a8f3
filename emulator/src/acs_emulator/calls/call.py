"""A call, who is in it, its app legs (one call connection each), and who is told what happens to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from acs_emulator.audio import Track
from acs_emulator.calls.leg_observer import LegObserver
from acs_emulator.calls.resource import Resource
from acs_emulator.core import outcomes
from acs_emulator.core.clock import utc_now
from acs_emulator.core.identifiers import Identifier
from acs_emulator.core.outcomes import Outcome
from acs_emulator.events.callbacks import CallbackLane
from acs_emulator.events.envelopes import callback_event
from acs_emulator.phones.line import Line
from acs_emulator.phones.script import Step


class CallObserver:
    """Is told what happens to a call. Each method does nothing unless it is overridden."""

    def leg_made(self, leg: Leg) -> None:
        """An app leg of the call exists, connected or not."""

    def leg_lost(self, leg: Leg) -> None:
        """The leg is disconnected."""

    def joined(self, call: Call, newcomers: list[Participant], *, first: bool) -> None:
        """These are in the call; ``first`` when it has connected with them."""

    def left(self, call: Call, participant: Participant) -> None:
        """The participant is out of the call, which goes on or is about to end."""

    def ended(self, call: Call) -> None:
        """A connected call ends; everybody is still in it."""

    def closed(self, call: Call) -> None:
        """The call is over and nobody is in it."""


@dataclass(eq=False)
class Leg:
    """One call connection: its state and its callbacks."""

    call: Call
    identity: Identifier
    source: Identifier | None
    targets: list[Identifier]
    callback_uri: str
    #: The event that replaces CallConnected when the leg never comes up.
    failure: str
    operation_context: str | None = None
    cognitive_services: str | None = None
    caller_id: Identifier | None = None
    display_name: str | None = None
    answered_by: Identifier | None = None
    answered_for: Identifier | None = None
    #: Made by Connect: the leg is in the call, but not among its participants.
    by_connect: bool = False
    state: str = "connecting"
    observers: list[LegObserver] = field(default_factory=list)

    is_phone = False

    def __post_init__(self) -> None:
        self.service = self.call.service
        self.id = self.service.ids.call_connection()
        #: What the app plays into the call.
        self.track = Track(self.service.clock.samples)
        self._sequence = 0
        self._lane = CallbackLane(self.service.callbacks, self.id)
        for observer in self.call.observers:
            observer.leg_made(self)

    def emit(
        self,
        name: str,
        specific: dict[str, Any] | None = None,
        outcome: Outcome = outcomes.COMPLETED,
        context: str | None = None,
        url: str | None = None,
    ) -> None:
        """Queue one callback; nothing follows CallDisconnected."""
        if self.state == "disconnected":
            return
        event = callback_event(
            event_id=self.service.ids.guid(),
            name=name,
            source=f"calling/callConnections/{self.id}",
            moment=utc_now(),
            specific=specific or {},
            outcome=outcome,
            operation_context=context,
            call=self.call.event_ids(self.id),
        )
        self._lane.put(event, url or self.callback_uri)

    def connected(self) -> None:
        """The leg is up: CallConnected."""
        self.state = "connected"
        self.emit("CallConnected", outcome=outcomes.OK, context=self.operation_context)
        for observer in self.observers:
            observer.connected()

    def injected(self, operation: str) -> Outcome | None:
        """The result that a `fail` fault has in store for an accepted operation."""
        return self.service.faults.outcome(operation, self.id)

    def participants_updated(self) -> None:
        """ParticipantsUpdated with the whole list; the sequence number is this leg's own."""
        if self.state != "connected":
            return
        self._sequence += 1
        participants = [participant.wire() for participant in self.call.participants]
        specific = {"participants": participants, "sequenceNumber": self._sequence}
        self.emit("ParticipantsUpdated", specific, outcomes.OK)

    def dropped(self, outcome: Outcome) -> None:
        """The leg is gone: media stops without events, CallDisconnected is the last word.

        A leg that never came up gets its failure event first, unless the app ended it itself.
        """
        if self.state == "disconnected":
            return
        for observer in self.observers:
            observer.dropped()
        self.track.cut()
        if self.state == "connecting" and outcome is not outcomes.ENDED_BY_APP:
            self.emit(self.failure, outcome=outcome, context=self.operation_context)
        self.emit("CallDisconnected", outcome=outcome, context=self.operation_context)
        self.state = "disconnected"
        for listener in self.call.observers:
            listener.leg_lost(self)
        self._lane.close()


APP_HOLD = "the app"
"""The reason of a hold that the app has asked for."""


@dataclass(eq=False)
class Participant:
    """One member of a call: an app leg or a virtual phone under an identifier."""

    identifier: Identifier
    endpoint: Leg | Line
    #: Id of the membership in Event Grid's participant events.
    participant_id: str
    #: Whether Event Grid tells of this participant: it covers users only, not numbers or bots (docs).
    announced: bool
    muted: bool = False
    #: Why the participant is on hold: `APP_HOLD`, and plays to somebody else that go on.
    _holds: frozenset[object] = frozenset()

    @property
    def on_hold(self) -> bool:
        return bool(self._holds)

    def mute(self) -> None:
        """Nobody hears this participant any more."""
        self.muted = True
        self.endpoint.track.close()

    def hold(self, reason: object) -> bool:
        """Put on hold; whether that is news. An app leg may play to one participant while it is itself on hold."""
        return self._hold_for(self._holds | {reason})

    def unhold(self, reason: object) -> bool:
        """A reason is gone; whether the participant is off hold by that."""
        return self._hold_for(self._holds - {reason})

    def forget_holds(self) -> None:
        """What the participant was on hold for is of the call that it leaves."""
        self._hold_for(frozenset())

    def _hold_for(self, reasons: frozenset[object]) -> bool:
        before, self._holds = self.on_hold, reasons
        if self.on_hold != before and self.endpoint.is_phone and not self.muted:
            (self.endpoint.track.close if self.on_hold else self.endpoint.track.open)()
        return self.on_hold != before

    @property
    def audible(self) -> bool:
        return not self.muted and not self.on_hold

    def wire(self) -> dict[str, Any]:
        return {"identifier": self.identifier.wire(), "isMuted": self.muted, "isOnHold": self.on_hold}


@dataclass(eq=False)
class Call:
    """A conversation. Its legs share serverCallId and correlationId."""

    service: Resource
    id: str
    server_call_id: str
    correlation_id: str
    caller: Identifier
    started: float
    observers: list[CallObserver]
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
    #: The reason that the app gave when it rejected the call.
    rejected: str = ""
    #: Why nobody came, if nobody did.
    failure: Outcome | None = None

    def note(self, who: str, what: str, text: str = "", party: str = "") -> None:
        """Add to the timeline; ``party`` is the number or user id of the phone that did it."""
        clock = self.service.clock
        at_ms = clock.monotonic_ms()
        self.service.timeline.add(clock.now() - self.started, self.id, who, what, text, party, at_ms=at_ms)

    def event_ids(self, connection_id: str) -> dict[str, str]:
        """What the callbacks of a connection name the call by."""
        return {
            "callConnectionId": connection_id,
            "serverCallId": self.server_call_id,
            "correlationId": self.correlation_id,
        }

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

    def member(self, leg: Leg) -> Participant | None:
        """The participant that an app leg is, if it is one."""
        return next((p for p in self.participants if p.endpoint is leg), None)

    def tracks(self, *, besides: Leg | Line | None = None) -> list[Track]:
        """The sound of everyone in the call, app legs that only connected to it as well."""
        endpoints: list[Leg | Line] = [participant.endpoint for participant in self.participants]
        endpoints += [leg for leg in self.legs if leg.by_connect]
        return [endpoint.track for endpoint in endpoints if endpoint is not besides]

    def start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[Any]:
        """Work in the background that ends with the call."""
        task = self.service.tasks.start(work, name)
        self.ringing.add(task)
        task.add_done_callback(self.ringing.discard)
        return task

    def new_member(self, identifier: Identifier, endpoint: Leg | Line, *, announced: bool) -> Participant:
        """A participant that has not joined yet."""
        return Participant(identifier, endpoint, self.service.ids.guid(), announced)

    def new_phone(self, identifier: Identifier, script: tuple[Step, ...], voice: str | None) -> Participant:
        """A virtual phone of this call that has not joined yet."""
        service = self.service
        line = Line(self, identifier, script, voice, clock=service.clock, tasks=service.tasks, studio=service.studio)
        self.lines.append(line)
        return self.new_member(identifier, line, announced=identifier.is_user)

    def prompted(self, leg: Leg, *, started: bool, to: list[Participant] | None = None) -> None:
        """Sound of an app leg begins or ends; the phones that hear it notice."""
        for line in self.lines:
            if not to or any(target.endpoint is line for target in to):
                (line.prompt_started if started else line.prompt_ended)()

    # -- what phones do: they know a call by these alone -------------------------------------------

    def key_pressed(self, phone: Identifier, key: str) -> None:
        for leg in list(self.legs):
            for observer in leg.observers:
                observer.key_pressed(phone.raw_id, key)

    def speech_began(self, phone: Identifier, text: str, seconds: float) -> None:
        for observer in self._hearing(phone):
            observer.speech_began(phone.raw_id, text, seconds)

    def speech_ended(self, phone: Identifier, text: str) -> None:
        for observer in self._hearing(phone):
            observer.speech_ended(phone.raw_id, text)

    def words_found(self, phone: Identifier, text: str, seconds: float) -> None:
        for observer in self._hearing(phone):
            observer.words_found(phone.raw_id, text, seconds)

    def hung_up(self, phone: Identifier) -> None:
        if self.ended:
            return
        self.note("phone", "hangs up", party=phone.value)
        participant = self.find(phone)
        if participant is not None:
            self.leave(participant, outcomes.LEFT_ALONE)

    def _hearing(self, phone: Identifier) -> list[LegObserver]:
        """Who hears the speech of a phone: nobody while it is muted or on hold. Chosen."""
        member = self.find(phone)
        if member is not None and not member.audible:
            return []
        return [observer for leg in self.legs for observer in leg.observers]

    # -- who comes and goes ------------------------------------------------------------------------

    def joined(self, participant: Participant) -> None:
        """A ringing party has answered: connects the call if it was not, and tells every leg."""
        first = self.state == "ringing"
        self.participants.insert(0 if first else len(self.participants), participant)
        self.two_party = self.two_party and len(self.participants) == 2
        newcomers = list(self.participants) if first else [participant]
        if first:
            self.go_on()
        for member in newcomers:
            member.endpoint.connected()
        if participant.endpoint.is_phone:
            for line in self.lines:
                if line.on_line and line is not participant.endpoint:
                    line.joined()
        for observer in self.observers:
            observer.joined(self, newcomers, first=first)
        self.participants_changed()

    def go_on(self) -> None:
        """From now on the call is connected."""
        self.state = "connected"
        self.connected_at = self.service.clock.now()

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
        self.participants_changed()

    def departed(self, participant: Participant) -> None:
        """Tell the observers that somebody is no longer here."""
        for observer in self.observers:
            observer.left(self, participant)

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
        was_connected = self.connected
        self.state = "ended"
        for task in self.ringing:
            if task is not asyncio.current_task():
                task.cancel()
        for observer in list(self.observers) if was_connected else ():
            observer.ended(self)
        for leg in self.legs:
            leg.dropped(outcome_for(leg))
        for line in self.lines:
            line.dropped(self.failure or outcomes.OK)
        self.participants.clear()
        for observer in self.observers:
            observer.closed(self)
        self.note("service", "ends")
