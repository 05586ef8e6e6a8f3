"""The phones of people in calls."""

from __future__ import annotations

from acs_emulator.calls.call import Call, Participant
from acs_emulator.core import outcomes
from acs_emulator.core.identifiers import Identifier
from acs_emulator.core.outcomes import Outcome
from acs_emulator.phones.live import MAILBOX_RINGS, Incoming, LiveLine, Person


async def ring_person(
    call: Call, person: Person, caller: Identifier, display_name: str, seconds: float
) -> Participant | Outcome:
    """Ring until the person takes or declines the call, or for ``seconds``; a mailbox takes it by itself."""
    who, clock = person.identifier.value, call.service.clock
    if person.busy:
        call.note("phone", "is busy", party=who)
        return outcomes.INVITE_BUSY
    by_itself = person.mailbox and seconds > MAILBOX_RINGS
    limit = MAILBOX_RINGS if by_itself else seconds
    taken = await person.ring(Incoming(caller, display_name), clock.real(limit))
    if taken is None and not by_itself:
        call.note("phone", "does not answer", party=who)
        return outcomes.INVITE_NOT_ANSWERED
    if taken is False:
        call.note("phone", "declines", party=who)
        # A user who declines shows as recorded; numbers as the documented invite outcome.
        return outcomes.LEFT_ALONE if person.identifier.is_user else outcomes.INVITE_DECLINED
    call.note("phone", "answers", who, who)
    return live_phone(call, person)


def live_phone(call: Call, person: Person) -> Participant:
    """The phone of a person, in this call, who has not joined yet."""
    service = call.service
    line = LiveLine(
        call,
        person,
        clock=service.clock,
        tasks=service.tasks,
        studio=service.studio,
        recogniser=service.recogniser,
    )
    call.lines.append(line)
    return call.new_member(person.identifier, line, announced=person.identifier.is_user)
