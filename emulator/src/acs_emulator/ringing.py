"""Ringing a party: a virtual phone by its behaviour, or the app through IncomingCall."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from acs_emulator import outcomes
from acs_emulator.calls import Call, Participant
from acs_emulator.identifiers import Identifier
from acs_emulator.outcomes import Outcome
from acs_emulator.phones.book import Behaviour
from acs_emulator.phones.line import Line

if TYPE_CHECKING:
    from acs_emulator.legs import Leg
    from acs_emulator.service import Emulator

#: Seconds that a call rings (docs: incoming-call-notification).
RING_SECONDS = 30.0
#: Seconds from answering to being connected. Chosen.
CONNECT_DELAY = 0.1
_FAILURES = {
    "decline": outcomes.INVITE_DECLINED,
    "busy": outcomes.INVITE_BUSY,
    "unreachable": outcomes.INVITE_UNREACHABLE,
    "noAnswer": outcomes.INVITE_NOT_ANSWERED,
}


@dataclass(frozen=True)
class Redirected:
    """The app sent the call on to somebody else."""

    target: Identifier


@dataclass(eq=False)
class Invitation:
    """An IncomingCall that waits for the app; its context works once."""

    call: Call
    context: str
    caller: Identifier
    callee: Identifier
    display_name: str
    reply: asyncio.Future[Leg | Outcome | Redirected] = field(repr=False)


@dataclass(frozen=True)
class Ring:
    """What the rung party learns: who calls, under which name, with which custom context."""

    caller: Identifier
    display_name: str = ""
    custom_context: dict[str, Any] | None = None
    seconds: float = RING_SECONDS


async def ring(service: Emulator, call: Call, target: Identifier, details: Ring) -> Participant | Outcome:
    """Ring until somebody answers (a participant that has not joined yet) or it has failed."""
    while True:
        behaviour = service.phones.behaviour(target)
        call.note("service", "rings", target.value)
        if behaviour is not None:
            return await _ring_phone(service, call, target, behaviour, details.seconds)
        reply = await _ring_app(service, call, target, details)
        if isinstance(reply, Outcome):
            return reply
        if not isinstance(reply, Redirected):
            leg = reply
            call.note("app", "answers")
            await service.clock.sleep(CONNECT_DELAY)
            failure = leg.injected("AnswerCall")
            if failure is not None:
                leg.dropped(failure)
                return failure
            return Participant(
                leg.identity, leg, participant_id=service.ids.guid(), announced=leg.answered_by is not None
            )
        call.note("app", "redirects", reply.target.value)
        target = reply.target


async def _ring_phone(
    service: Emulator, call: Call, target: Identifier, behaviour: Behaviour, limit: float
) -> Participant | Outcome:
    answers_in_time = behaviour.kind == "answer" and behaviour.after < limit
    if behaviour.kind == "noAnswer" or (behaviour.kind == "answer" and not answers_in_time):
        await service.clock.sleep(limit)
        return outcomes.INVITE_NOT_ANSWERED
    await service.clock.sleep(min(behaviour.after, limit))
    if not answers_in_time:
        call.note("phone", {"decline": "declines", "busy": "is busy"}.get(behaviour.kind, "cannot be reached"))
        # A user who declines shows as recorded; numbers as the documented invite outcomes.
        if behaviour.kind == "decline" and target.is_user:
            return outcomes.LEFT_ALONE
        return _FAILURES[behaviour.kind]
    call.note("phone", "answers", target.value)
    line = Line(call, target, behaviour.script, behaviour.voice)
    call.lines.append(line)
    return Participant(target, line, participant_id=service.ids.guid(), announced=target.is_user)


async def _ring_app(service: Emulator, call: Call, target: Identifier, details: Ring) -> Leg | Outcome | Redirected:
    invitation = Invitation(
        call,
        service.ids.incoming_call_context(),
        details.caller,
        target,
        details.display_name,
        asyncio.get_running_loop().create_future(),
    )
    service.invitations[invitation.context] = invitation
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
    service.event_grid.publish("IncomingCall", subject, data)
    try:
        async with asyncio.timeout(service.clock.real(details.seconds)):
            return await invitation.reply
    except TimeoutError:
        return outcomes.INVITE_NOT_ANSWERED
    finally:
        service.invitations.pop(invitation.context, None)
