"""Joining calls that go on: the app by Connect, phones by a group id or a room id."""

from __future__ import annotations

import base64
import binascii

from acs_emulator.calls.call import Call, Leg
from acs_emulator.calls.registry import Registry
from acs_emulator.calls.ring import CONNECT_DELAY
from acs_emulator.core import outcomes
from acs_emulator.core.errors import BadRequest
from acs_emulator.core.identifiers import Identifier, user
from acs_emulator.phones.script import Step


def locate(registry: Registry, kind: str, identifier: str) -> Call | None:
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
        call = registry.by_server_call_id(identifier)
        return call if call is not None and call.connected else None
    return find_shared(registry, kind, identifier) or _new_shared(registry, kind, identifier)


def find_shared(registry: Registry, kind: str, identifier: str) -> Call | None:
    """The group call or room that goes on under an id."""
    name = "room_id" if kind == "roomCallLocator" else "group_id"
    return next((call for call in registry.calls.values() if getattr(call, name) == identifier), None)


def _new_shared(registry: Registry, kind: str, identifier: str) -> Call:
    call = registry.new_call(user(registry.resource.ids.nobody()))
    if kind == "roomCallLocator":
        call.room_id = identifier
    else:
        call.group_id = identifier
    call.two_party = False
    call.go_on()
    return call


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
    registry: Registry, kind: str, identifier: str, caller: Identifier, script: tuple[Step, ...], voice: str | None
) -> Call:
    """A virtual phone joins a group call or a room; the first one begins it."""
    call = find_shared(registry, kind, identifier) or _new_shared(registry, kind, identifier)
    if call.find(caller) is not None:
        raise BadRequest("'from' is already in the call.", "from")
    if not call.participants:
        call.caller = caller
    phone = call.new_phone(caller, script, voice)
    call.note("phone", "joins", f"{caller.value} joins {identifier}", caller.value)
    call.joined(phone)
    return call
