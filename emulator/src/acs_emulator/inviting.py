"""Participants added to, removed from and transferred out of a running call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from acs_emulator import outcomes
from acs_emulator.calls import Call, Participant
from acs_emulator.identifiers import Identifier
from acs_emulator.moving import to_a_call_of_their_own
from acs_emulator.outcomes import Outcome
from acs_emulator.phones.line import Line
from acs_emulator.ringing import CONNECT_DELAY, Ring, ring

if TYPE_CHECKING:
    from acs_emulator.legs import Leg

#: Seconds between RemoveParticipantSucceeded and what follows (recorded 2025).
REMOVAL_DELAY = 0.15


@dataclass(frozen=True)
class Asked:
    """Where the outcome of one request is reported."""

    leg: Leg
    context: str | None
    url: str | None

    def tell(self, name: str, specific: dict[str, Any], outcome: Outcome) -> None:
        self.leg.emit(name, specific, outcome, self.context, self.url)


def add(asked: Asked, target: Identifier, details: Ring) -> str:
    """Ring somebody into the call; the invitation id."""
    call = asked.leg.call
    invitation_id = call.service.ids.guid()
    task = call.service.tasks.start(_add(asked, invitation_id, target, details), "add participant")
    call.ringing.add(task)
    task.add_done_callback(call.ringing.discard)
    call.invited[invitation_id] = (task, target)
    call.note("app", "adds", target.value)
    return invitation_id


async def _add(asked: Asked, invitation_id: str, target: Identifier, details: Ring) -> None:
    call = asked.leg.call
    specific = {"participant": target.wire()}
    answer = asked.leg.injected("CallConnection_AddParticipant") or await _reach(call, target, details)
    call.invited.pop(invitation_id, None)
    if isinstance(answer, Outcome):
        if call.service.faults.lies("CallConnection_AddParticipant", asked.leg.id):
            # Seen in the field: success for a callee that declined; only the participants tell the truth.
            asked.tell("AddParticipantSucceeded", specific, outcomes.OK)
        else:
            asked.tell("AddParticipantFailed", specific, answer)
        return
    asked.tell("AddParticipantSucceeded", specific, outcomes.OK)
    call.joined(answer)


def cancel(asked: Asked, invitation_id: str) -> None:
    """Stop ringing; too late or unknown is CancelAddParticipantFailed."""
    specific = {"invitationId": invitation_id}
    injected = asked.leg.injected("CallConnection_CancelAddParticipant")
    if injected is not None:
        asked.tell("CancelAddParticipantFailed", specific, injected)
        return
    task, target = asked.leg.call.invited.pop(invitation_id, (None, None))
    if task is None or target is None:
        asked.tell("CancelAddParticipantFailed", specific, outcomes.INVITATION_UNKNOWN)
        return
    task.cancel()
    asked.tell("CancelAddParticipantSucceeded", specific, outcomes.invitation_canceled(target.raw_id))


async def remove(asked: Asked, participant: Participant) -> None:
    """Take somebody out; a call of one then ends with 200/5002 (recorded)."""
    call = asked.leg.call
    specific = {"participant": participant.identifier.wire()}
    injected = asked.leg.injected("CallConnection_RemoveParticipant")
    if injected is not None:
        asked.tell("RemoveParticipantFailed", specific, injected)
        return
    asked.tell("RemoveParticipantSucceeded", specific, outcomes.OK)
    call.note("app", "removes", participant.identifier.value)
    await call.service.clock.sleep(REMOVAL_DELAY)
    call.leave(participant, outcomes.LEFT_ALONE)


async def transfer(
    asked: Asked, member: Participant | None, transferee: Participant, target: Identifier, details: Ring
) -> None:
    """Connect the transferee with the target. In a two-party call the app leg then leaves."""
    call, leg = asked.leg.call, asked.leg
    leg.state = "transferring"
    answer = leg.injected("CallConnection_TransferToParticipant") or await _reach(call, target, details)
    leg.state = "connected"
    if isinstance(answer, Outcome):
        asked.tell("CallTransferFailed", {}, answer)
        return
    if transferee not in call.participants:
        answer.endpoint.dropped(outcomes.LEFT_ALONE)
        asked.tell("CallTransferFailed", {}, outcomes.NOT_IN_CALL)
        return
    specific = {"transferTarget": target.wire(), "transferee": transferee.identifier.wire()}
    asked.tell("CallTransferAccepted", specific, outcomes.OK)
    if member is None or call.is_group:
        to_a_call_of_their_own(call, transferee, answer)
        return
    call.participants.remove(member)
    leg.dropped(outcomes.TRANSFERRED)
    call.joined(answer)


def start_transfer(
    asked: Asked, member: Participant | None, transferee: Participant, target: Identifier, details: Ring
) -> None:
    call = asked.leg.call
    call.note("app", "transfers", f"{transferee.identifier.value} to {target.value}")
    task = call.service.tasks.start(transfer(asked, member, transferee, target, details), "transfer")
    call.ringing.add(task)
    task.add_done_callback(call.ringing.discard)


async def _reach(call: Call, target: Identifier, details: Ring) -> Participant | Outcome:
    answer = await ring(call.service, call, target, details)
    if isinstance(answer, Participant) and isinstance(answer.endpoint, Line):
        await call.service.clock.sleep(CONNECT_DELAY)
    return answer
