"""Participants that go from one call to another."""

from __future__ import annotations

from acs_emulator.audio import Track
from acs_emulator.calls.call import Call, Leg, Participant
from acs_emulator.calls.registry import Registry
from acs_emulator.calls.reply import ReplyTo
from acs_emulator.calls.ring import CONNECT_DELAY
from acs_emulator.core import outcomes
from acs_emulator.phones.line import Line


def start_move(reply: ReplyTo, source: Leg, participants: list[Participant]) -> None:
    """MoveParticipantSucceeded or MoveParticipantFailed for each, on the leg that they are moved to."""
    call = reply.leg.call
    call.note("app", "moves here", ", ".join(one.identifier.value for one in participants))
    call.start(_move(reply, source, participants), "move participants")


async def _move(reply: ReplyTo, source: Leg, participants: list[Participant]) -> None:
    target, origin = reply.leg.call, source.call
    await target.service.clock.sleep(CONNECT_DELAY)
    for participant in participants:
        specific = {"participant": participant.identifier.wire(), "fromCall": source.id}
        failure = reply.leg.injected("CallConnection_MoveParticipants")
        if failure is None and participant not in origin.participants:
            failure = outcomes.NOT_IN_CALL
        if failure is not None:
            reply.emit("MoveParticipantFailed", specific, failure)
            continue
        reply.emit("MoveParticipantSucceeded", specific, outcomes.OK)
        take_out(participant, origin, target)
        target.joined(participant)


def take_out(participant: Participant, origin: Call, target: Call) -> None:
    """Take a phone out of its call without hanging it up; a call of two ends with that (200/5002)."""
    _belong(participant, origin, target)
    participant.forget_holds()
    ends = origin.ends_without(participant)
    origin.participants.remove(participant)
    origin.departed(participant)
    if ends:
        origin.end(lambda leg: outcomes.LEFT_ALONE)
    else:
        origin.participants_changed()


def to_a_call_of_their_own(registry: Registry, origin: Call, transferee: Participant, target: Participant) -> None:
    """After a transfer out of a group call: the app and the others stay, these two go on without them (docs)."""
    if not transferee.endpoint.is_phone:
        origin.leave(transferee, outcomes.LEFT_ALONE)
        target.endpoint.dropped(outcomes.OK)
        return
    own = registry.new_call(transferee.identifier)
    own.go_on()
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
