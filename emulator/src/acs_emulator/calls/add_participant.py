"""Participants added to, removed from and transferred out of a running call."""

from __future__ import annotations

from acs_emulator.calls.call import Participant
from acs_emulator.calls.move_participants import to_a_call_of_their_own
from acs_emulator.calls.registry import Registry
from acs_emulator.calls.reply import ReplyTo
from acs_emulator.calls.ring import Ring, reach
from acs_emulator.core import outcomes
from acs_emulator.core.identifiers import Identifier
from acs_emulator.core.outcomes import Outcome

#: Seconds between RemoveParticipantSucceeded and what follows (recorded 2025).
REMOVAL_DELAY = 0.15


def add(registry: Registry, reply: ReplyTo, target: Identifier, details: Ring) -> str:
    """Ring somebody into the call; the invitation id."""
    call = reply.leg.call
    invitation_id = call.service.ids.guid()
    work = _add(registry, reply, invitation_id, target, details)
    task = call.start(work, "add participant")
    for outbound in details.legs.values():
        task.add_done_callback(outbound.ring_ended)
    call.invited[invitation_id] = (task, target)
    call.note("app", "adds", target.value)
    return invitation_id


async def _add(registry: Registry, reply: ReplyTo, invitation_id: str, target: Identifier, details: Ring) -> None:
    call = reply.leg.call
    specific = {"participant": target.wire()}
    answer = reply.leg.injected("CallConnection_AddParticipant") or await reach(registry, call, target, details)
    call.invited.pop(invitation_id, None)
    if isinstance(answer, Outcome):
        if call.service.faults.lies("CallConnection_AddParticipant", reply.leg.id):
            # Seen in the field: success for a callee that declined; only the participants tell the truth.
            reply.emit("AddParticipantSucceeded", specific, outcomes.OK)
        else:
            reply.emit("AddParticipantFailed", specific, answer)
        return
    reply.emit("AddParticipantSucceeded", specific, outcomes.OK)
    call.joined(answer)


def cancel(reply: ReplyTo, invitation_id: str) -> None:
    """Stop ringing; too late or unknown is CancelAddParticipantFailed."""
    specific = {"invitationId": invitation_id}
    injected = reply.leg.injected("CallConnection_CancelAddParticipant")
    if injected is not None:
        reply.emit("CancelAddParticipantFailed", specific, injected)
        return
    task, target = reply.leg.call.invited.pop(invitation_id, (None, None))
    if task is None or target is None:
        reply.emit("CancelAddParticipantFailed", specific, outcomes.INVITATION_UNKNOWN)
        return
    task.cancel()
    reply.emit("CancelAddParticipantSucceeded", specific, outcomes.invitation_canceled(target.raw_id))


async def remove(reply: ReplyTo, participant: Participant) -> None:
    """Take somebody out; a call of one then ends with 200/5002 (recorded)."""
    call = reply.leg.call
    specific = {"participant": participant.identifier.wire()}
    injected = reply.leg.injected("CallConnection_RemoveParticipant")
    if injected is not None:
        reply.emit("RemoveParticipantFailed", specific, injected)
        return
    reply.emit("RemoveParticipantSucceeded", specific, outcomes.OK)
    call.note("app", "removes", participant.identifier.value)
    await call.service.clock.sleep(REMOVAL_DELAY)
    call.leave(participant, outcomes.LEFT_ALONE)


async def _transfer(
    registry: Registry, reply: ReplyTo, transferee: Participant, target: Identifier, details: Ring
) -> None:
    """Connect the transferee with the target. In a two-party call the app leg then leaves."""
    call, leg = reply.leg.call, reply.leg
    member = call.member(leg)
    leg.state = "transferring"
    answer = leg.injected("CallConnection_TransferToParticipant") or await reach(registry, call, target, details)
    leg.state = "connected"
    if isinstance(answer, Outcome):
        reply.emit("CallTransferFailed", {}, answer)
        return
    if transferee not in call.participants:
        answer.endpoint.dropped(outcomes.LEFT_ALONE)
        reply.emit("CallTransferFailed", {}, outcomes.NOT_IN_CALL)
        return
    specific = {"transferTarget": target.wire(), "transferee": transferee.identifier.wire()}
    reply.emit("CallTransferAccepted", specific, outcomes.OK)
    if member is None or call.is_group:
        to_a_call_of_their_own(registry, call, transferee, answer)
        return
    call.participants.remove(member)
    leg.dropped(outcomes.TRANSFERRED)
    call.joined(answer)


def start_transfer(
    registry: Registry, reply: ReplyTo, transferee: Participant, target: Identifier, details: Ring
) -> None:
    call = reply.leg.call
    call.note("app", "transfers", f"{transferee.identifier.value} to {target.value}")
    call.start(_transfer(registry, reply, transferee, target, details), "transfer")
