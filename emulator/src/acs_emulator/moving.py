"""Participants that go from one call to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acs_emulator import outcomes
from acs_emulator.audio import Track
from acs_emulator.calls import Call, Participant
from acs_emulator.legs import Leg
from acs_emulator.phones.line import Line
from acs_emulator.placing import new_call
from acs_emulator.ringing import CONNECT_DELAY

if TYPE_CHECKING:
    from acs_emulator.inviting import Asked


def start_move(asked: Asked, source: Leg, participants: list[Participant]) -> None:
    """MoveParticipantSucceeded or MoveParticipantFailed for each, on the leg that they are moved to."""
    call = asked.leg.call
    call.note("app", "moves here", ", ".join(one.identifier.value for one in participants))
    task = call.service.tasks.start(_move(asked, source, participants), "move participants")
    call.ringing.add(task)
    task.add_done_callback(call.ringing.discard)


async def _move(asked: Asked, source: Leg, participants: list[Participant]) -> None:
    target, origin = asked.leg.call, source.call
    await target.service.clock.sleep(CONNECT_DELAY)
    for participant in participants:
        specific = {"participant": participant.identifier.wire(), "fromCall": source.id}
        failure = asked.leg.injected("CallConnection_MoveParticipants")
        if failure is None and participant not in origin.participants:
            failure = outcomes.NOT_IN_CALL
        if failure is not None:
            asked.tell("MoveParticipantFailed", specific, failure)
            continue
        asked.tell("MoveParticipantSucceeded", specific, outcomes.OK)
        take_out(participant, origin, target)
        target.joined(participant)


def take_out(participant: Participant, origin: Call, target: Call) -> None:
    """Take a phone out of its call without hanging it up; a call of two ends with that (200/5002)."""
    _belong(participant, origin, target)
    participant.set_on_hold(False)
    ends = origin.ends_without(participant)
    origin.participants.remove(participant)
    if ends:
        origin.service.lifecycle.left(origin, participant)
        origin.end(lambda leg: outcomes.LEFT_ALONE)
    else:
        origin.departed(participant)


def to_a_call_of_their_own(origin: Call, transferee: Participant, target: Participant) -> None:
    """After a transfer out of a group call: the app and the others stay, these two go on without them (docs)."""
    if not transferee.endpoint.is_phone:
        origin.leave(transferee, outcomes.LEFT_ALONE)
        target.endpoint.dropped(outcomes.OK)
        return
    own = new_call(origin.service, transferee.identifier)
    own.state = "connected"
    own.connected_at = origin.service.clock.now()
    take_out(transferee, origin, own)
    own.joined(transferee)
    _belong(target, origin, own)
    own.joined(target)
    own.two_party = True


def _belong(participant: Participant, origin: Call, target: Call) -> None:
    """Make a participant's endpoint one of the target call; what was said before stays with the old call."""
    endpoint = participant.endpoint
    endpoint.track.cut()
    endpoint.track = Track(origin.service.clock.samples)
    endpoint.call = target
    if isinstance(endpoint, Line):
        origin.lines.remove(endpoint)
        target.lines.append(endpoint)
    else:
        origin.legs.remove(endpoint)
        target.legs.append(endpoint)
    if participant.muted:
        participant.mute()
