"""The calls that go on, found by their ids, and the incoming calls that wait for the app."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from acs_emulator.calls.call import Call, CallObserver, Leg
from acs_emulator.calls.lifecycle import Lifecycle
from acs_emulator.calls.outbound_legs import OutboundLegs
from acs_emulator.calls.resource import Resource
from acs_emulator.core.identifiers import Identifier
from acs_emulator.core.outcomes import Outcome


@dataclass(eq=False)
class Invitation:
    """An IncomingCall that waits for the app; its context works once."""

    call: Call
    context: str
    caller: Identifier
    callee: Identifier
    display_name: str
    #: The leg that answered, why it failed, or whom the app sent it on to.
    reply: asyncio.Future[Leg | Outcome | Identifier] = field(repr=False)


class Registry(CallObserver):
    """Makes calls and knows them until they end."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.calls: dict[str, Call] = {}
        #: App legs that are not disconnected, by call connection id.
        self.legs: dict[str, Leg] = {}
        self.invitations: dict[str, Invitation] = {}
        self.ended_calls = 0
        self.outbound = OutboundLegs(resource.phones.own)
        self._lifecycle = Lifecycle(resource.event_grid)

    def new_call(self, caller: Identifier) -> Call:
        """A call that nobody is in yet."""
        ids, now = self.resource.ids, self.resource.clock.now()
        observers: list[CallObserver] = [self._lifecycle, self]
        call = Call(self.resource, ids.guid(), ids.server_call(), ids.guid(), caller, now, observers)
        self.calls[call.id] = call
        return call

    def by_server_call_id(self, server_call_id: str) -> Call | None:
        return next((call for call in self.calls.values() if call.server_call_id == server_call_id), None)

    def leg_made(self, leg: Leg) -> None:
        self.legs[leg.id] = leg

    def leg_lost(self, leg: Leg) -> None:
        self.legs.pop(leg.id, None)

    def closed(self, call: Call) -> None:
        self.calls.pop(call.id, None)
        self.ended_calls += 1

    def clear(self) -> None:
        """Forget everything, without events."""
        self.calls.clear()
        self.legs.clear()
        self.invitations.clear()
        self._lifecycle.clear()
        self.outbound.clear()
        self.ended_calls = 0
