"""Ringing a party: a virtual phone by its behaviour, or the app through IncomingCall."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from acs_emulator.calls.call import Call, Leg, Participant
from acs_emulator.calls.outbound_legs import OutboundLeg
from acs_emulator.calls.people import ring_person
from acs_emulator.calls.registry import Invitation, Registry
from acs_emulator.core import outcomes
from acs_emulator.core.identifiers import Identifier
from acs_emulator.core.outcomes import Outcome
from acs_emulator.phones.behaviours import Behaviour
from acs_emulator.phones.line import Line

#: Seconds that a call rings (docs: incoming-call-notification).
RING_SECONDS = 30.0
#: Seconds from answering to being connected. Chosen.
CONNECT_DELAY = 0.1
#: Wall-clock seconds from the request that rings an app to its IncomingCall. Recorded: tens of milliseconds.
INCOMING_DELAY = 0.04
_FAILURES = {
    "decline": outcomes.INVITE_DECLINED,
    "busy": outcomes.INVITE_BUSY,
    "unreachable": outcomes.INVITE_UNREACHABLE,
    "noAnswer": outcomes.INVITE_NOT_ANSWERED,
}


@dataclass(frozen=True)
class Ring:
    """What the rung party learns: who calls, under which name, with which custom context."""

    caller: Identifier
    display_name: str = ""
    custom_context: dict[str, Any] | None = None
    seconds: float = RING_SECONDS
    #: The telephones that count as outbound calls of a number, by raw id.
    legs: Mapping[str, OutboundLeg] = field(default_factory=dict)


async def reach(registry: Registry, call: Call, target: Identifier, details: Ring) -> Participant | Outcome:
    """Ring until somebody answers (a participant that has not joined yet) or it has failed."""
    leg = details.legs.get(target.raw_id)
    try:
        answer = await _ring(registry, call, target, details)
        # A phone that has answered takes a moment to be connected.
        if isinstance(answer, Participant) and answer.endpoint.is_phone:
            try:
                await call.service.clock.sleep(CONNECT_DELAY)
            except asyncio.CancelledError:
                answer.endpoint.dropped(outcomes.OK)
                raise
    finally:
        if leg is not None:
            leg.ring_ended()
    if leg is not None and isinstance(answer, Participant):
        leg.participant = answer
    return answer


async def _ring(registry: Registry, call: Call, target: Identifier, details: Ring) -> Participant | Outcome:
    while True:
        call.note("service", "rings", target.value)
        call.service.phones.rang(target)
        person = call.service.phones.people.get(target.raw_id)
        if person is not None:
            return await ring_person(call, person, details.caller, details.display_name, details.seconds)
        behaviour = call.service.phones.behaviour(target)
        if behaviour is not None:
            return await _ring_phone(call, target, behaviour, details)
        reply = await _ring_app(registry, call, target, details)
        if isinstance(reply, Outcome):
            return reply
        if isinstance(reply, Leg):
            call.note("app", "answers")
            await call.service.clock.sleep(CONNECT_DELAY)
            failure = reply.injected("AnswerCall")
            if failure is not None:
                reply.dropped(failure)
                return failure
            return call.new_member(reply.identity, reply, announced=reply.answered_by is not None)
        call.note("app", "redirects", reply.value)
        target = reply


async def _ring_phone(call: Call, target: Identifier, behaviour: Behaviour, details: Ring) -> Participant | Outcome:
    clock, limit = call.service.clock, details.seconds
    answers_in_time = behaviour.answers and behaviour.after < limit
    if behaviour.kind == "noAnswer" or (behaviour.answers and not answers_in_time):
        await clock.sleep(limit)
        return outcomes.INVITE_NOT_ANSWERED
    await clock.sleep(min(behaviour.after, limit))
    if not answers_in_time:
        told = {"decline": "declines", "busy": "is busy"}.get(behaviour.kind, "cannot be reached")
        call.note("phone", told, party=target.value)
        # A user who declines shows as recorded; numbers as the documented invite outcomes.
        if behaviour.kind == "decline" and target.is_user:
            return outcomes.LEFT_ALONE
        return _FAILURES[behaviour.kind]
    call.note("phone", "answers", target.value, target.value)
    phone = call.new_phone(target, behaviour.script, behaviour.voice)
    if behaviour.behind_sbc and isinstance(phone.endpoint, Line):
        headers = (details.custom_context or {}).get("sipHeaders") or {}
        phone.endpoint.sip_headers = headers
        call.note(
            "phone", "gets SIP headers", "; ".join(f"{name}: {value}" for name, value in headers.items()) or "none"
        )
    return phone


async def _ring_app(registry: Registry, call: Call, target: Identifier, details: Ring) -> Leg | Outcome | Identifier:
    service = call.service
    # By the wall clock: however fast the emulated time runs, the response to who asked for this comes first.
    await asyncio.sleep(INCOMING_DELAY)
    invitation = Invitation(
        call,
        service.ids.incoming_call_context(),
        details.caller,
        target,
        details.display_name,
        asyncio.get_running_loop().create_future(),
    )
    registry.invitations[invitation.context] = invitation
    data = {
        "to": target.event_grid(),
        "from": details.caller.event_grid(),
        "serverCallId": call.server_call_id,
        "callerDisplayName": details.display_name,
        **({"customContext": details.custom_context} if details.custom_context else {}),
        "incomingCallContext": invitation.context,
        "correlationId": call.correlation_id,
    }
    subject = f"/caller/{details.caller.raw_id}/recipient/{target.raw_id}"
    if not service.event_grid.publish("IncomingCall", subject, data):
        remedy = "Start with --event-grid URL; event types and filters may leave it out, too."
        service.problems.report(f"IncomingCall for {target.value} goes nowhere: no subscription takes it", remedy)
    try:
        async with asyncio.timeout(service.clock.real(details.seconds)):
            return await invitation.reply
    except TimeoutError:
        return outcomes.INVITE_NOT_ANSWERED
    finally:
        registry.invitations.pop(invitation.context, None)
