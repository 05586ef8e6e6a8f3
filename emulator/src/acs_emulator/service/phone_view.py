"""What a person's phone shows."""

from __future__ import annotations

from typing import Any

from acs_emulator.audio import Track
from acs_emulator.calls.call import Call, Participant
from acs_emulator.core import outcomes
from acs_emulator.core.event_grid_target import EventGridTarget
from acs_emulator.core.identifiers import PHONE_NUMBER
from acs_emulator.phones.line import Line
from acs_emulator.phones.live import Ended, LiveLine, Person
from acs_emulator.service.emulator import Emulator

#: A number for a first call while none of the app is known: any number that nobody has rings the app.
EXAMPLE_LINE = "+18005550100"
#: The field of IncomingCall by which subscriptions pick numbers, in small letters.
_CALLED = "data.to.phonenumber.value"
_WHY = {
    outcomes.INVITE_BUSY.sub_code: "The line is busy.",
    outcomes.INVITE_DECLINED.sub_code: "They declined your call.",
    outcomes.INVITE_UNREACHABLE.sub_code: "They cannot be reached.",
    outcomes.INVITE_NOT_ANSWERED.sub_code: "Nobody answered within 30 seconds.",
}


def view(service: Emulator, person: Person) -> dict[str, Any]:
    """Everything about the phone, its call and what is around it."""
    line, incoming, lines = person.line, person.incoming, lines_of(service)
    call = None if line is None else _call_of(service, line)
    me = None if call is None else call.find(person.identifier)
    state = "idle"
    if incoming is not None:
        state = "ringing"
    elif line is not None:
        state = "connected" if line.on_line else "dialling"
    return {
        "you": {
            "number": person.identifier.value,
            "role": "withheld" if person.withheld else "mailbox" if person.mailbox else "number",
        },
        "state": state,
        "caller": None if incoming is None else incoming.caller.value,
        "callerName": "" if incoming is None else incoming.display_name,
        "callee": person.dialled.value if person.dialled is not None and state == "dialling" else "",
        "with": [] if call is None or state != "connected" else _present(call, person),
        "muted": me is not None and me.muted,
        "onHold": me is not None and me.on_hold,
        "connectedAt": None if line is None else line.connected_ms,
        "question": line.question.wire() if line is not None and line.question is not None else None,
        "keysHeard": "" if line is None else line.keys_heard,
        "ended": None if person.ended is None else plain(person.ended),
        "speed": service.clock.speed,
        "lines": [{"number": one, "name": service.phones.own.name(one)} for one in lines or [EXAMPLE_LINE]],
        "linesKnown": bool(lines),
        "wanted": service.phones.unattended(),
        "listening": any(_rings(one.target) for one in service.event_grid.subscriptions),
        "recogniser": service.recogniser is not None,
    }


def lines_of(service: Emulator) -> list[str]:
    """The numbers by which the app can be called: those that are known, and those that its subscriptions name."""
    named = {
        value
        for subscription in service.event_grid.subscriptions
        if _rings(subscription.target)
        for one in subscription.target.advanced_filters
        if one.operator == "StringIn" and one.key.casefold() == _CALLED
        for value in one.values
        if PHONE_NUMBER.match(str(value))
    }
    return sorted({*service.phones.lines(), *named})


def _rings(target: EventGridTarget) -> bool:
    """Whether a subscription takes IncomingCall."""
    return not target.event_types or target.names("Microsoft.Communication.IncomingCall")


def heard_by(call: Call, line: LiveLine) -> list[Track]:
    """What the phone hears: the others, or on hold what the app plays meanwhile."""
    me = call.find(line.identifier)
    if me is None:
        return []
    return [line.hold_audio] if me.on_hold else call.tracks(besides=line)


def plain(ended: Ended) -> str:
    """Why a call is over, for who was in it."""
    if ended.rejected == "busy":
        return "The line is busy."
    if ended.rejected:
        reason = "" if ended.rejected == "none" else f" ({ended.rejected})"
        return f"Your app rejected the call{reason}."
    if ended.sub_code in _WHY:
        return _WHY[ended.sub_code]
    if ended.connected:
        return "The call has ended."
    return ended.message or "You hung up."


def _call_of(service: Emulator, line: Line) -> Call | None:
    return next((call for call in service.registry.calls.values() if line in call.lines), None)


def _present(call: Call, person: Person) -> list[dict[str, Any]]:
    """Who is in the call, the person first."""
    shown = [_shown(one, person) for one in call.participants]
    return sorted(shown, key=lambda one: one["you"] is False)


def _shown(participant: Participant, person: Person) -> dict[str, Any]:
    return {
        "name": participant.identifier.value if participant.endpoint.is_phone else "app",
        "app": not participant.endpoint.is_phone,
        "you": participant.endpoint is person.line,
        "muted": participant.muted,
        "onHold": participant.on_hold,
    }
