"""Joining calls that go on: the app by Connect, phones by a group id or a room id."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from acs_emulator import outcomes
from acs_emulator.calls import Call, Participant
from acs_emulator.errors import BadRequest
from acs_emulator.identifiers import Identifier, user
from acs_emulator.legs import Leg
from acs_emulator.phones.line import Line
from acs_emulator.phones.script import Step
from acs_emulator.placing import new_call
from acs_emulator.ringing import CONNECT_DELAY

if TYPE_CHECKING:
    from acs_emulator.service import Emulator


def locate(service: Emulator, kind: str, identifier: str) -> Call | None:
    """The call of a locator. A group call or room begins with the first who joins it.

    None when no such call goes on. Raises BadRequest for a server call id that cannot be one.
    """
    if kind == "serverCallLocator":
        try:
            readable = base64.b64decode(identifier, validate=True).startswith(b"http")
        except (binascii.Error, ValueError):
            readable = False
        if not readable:
            raise BadRequest("'callLocator.serverCallId' is not a server call id.", "callLocator.serverCallId")
        return next((one for one in service.calls.values() if one.server_call_id == identifier and one.connected), None)
    return find_shared(service, kind, identifier) or _new_shared(service, kind, identifier)


def find_shared(service: Emulator, kind: str, identifier: str) -> Call | None:
    """The group call or room that goes on under an id."""
    name = "room_id" if kind == "roomCallLocator" else "group_id"
    return next((call for call in service.calls.values() if getattr(call, name) == identifier), None)


def _new_shared(service: Emulator, kind: str, identifier: str) -> Call:
    call = new_call(service, user(service.ids.nobody()))
    if kind == "roomCallLocator":
        call.room_id = identifier
    else:
        call.group_id = identifier
    call.two_party = False
    call.state = "connected"
    call.connected_at = service.clock.now()
    return call


def new_leg(
    service: Emulator,
    call: Call | None,
    *,
    callback_uri: str,
    operation_context: str | None,
    cognitive_services: str | None,
) -> Leg:
    """The leg of a Connect; without a call it has one of its own, and fails."""
    return Leg(
        service,
        call or new_call(service, user(service.ids.nobody())),
        identity=user(service.ids.nobody()),
        source=None,
        targets=[],
        callback_uri=callback_uri,
        failure="ConnectFailed",
        operation_context=operation_context,
        cognitive_services=cognitive_services,
        by_connect=True,
    )


def connect(leg: Leg, *, found: bool) -> None:
    """CallConnected and ParticipantsUpdated for the new connection, or ConnectFailed."""
    leg.call.legs.append(leg)
    leg.service.tasks.start(_connect(leg, found=found), f"connect {leg.id}")


async def _connect(leg: Leg, *, found: bool) -> None:
    call = leg.call
    await leg.service.clock.sleep(CONNECT_DELAY)
    failure = leg.injected("Connect") or (None if found and not call.ended else outcomes.CALL_NOT_FOUND)
    if leg.state != "connecting":
        return
    if failure is None:
        call.note("app", "connects")
        leg.connected()
        leg.participants_updated()
        return
    call.note("service", "could not connect", failure.message)
    if not found:
        call.end(lambda _: failure)
        return
    leg.dropped(failure)
    call.legs.remove(leg)


def join_from_phone(
    service: Emulator, kind: str, identifier: str, caller: Identifier, script: tuple[Step, ...], voice: str | None
) -> Call:
    """A virtual phone joins a group call or a room; the first one begins it."""
    call = find_shared(service, kind, identifier) or _new_shared(service, kind, identifier)
    if call.find(caller) is not None:
        raise BadRequest("'from' is already in the call.", "from")
    if not call.participants:
        call.caller = caller
    line = Line(call, caller, script, voice)
    call.lines.append(line)
    call.note("phone", "joins", f"{caller.value} joins {identifier}")
    call.joined(Participant(caller, line, participant_id=service.ids.guid(), announced=caller.is_user))
    return call
