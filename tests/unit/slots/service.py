"""A service that counts the telephones which ring or are in a call under a number of the app."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.calls import ActionFailed, ActionRefused, Call, CallError, Flow, TimedOut, actions, text
from shared.calls.gateway.base import Request
from shared.calls.gateway.memory import _plain_answer
from shared.calls.slots.ledger import SlotLedger, read_leases
from shared.calls.uses import CALLS
from shared.identifiers import Identifier
from shared.text_rows import MemoryTextRows, TextRows
from tests.unit.calls.world import CALLEE, CALLER, Clock, Wire, World

NUMBER = "+18005550199"
AGENT = Identifier.parse("+14255550177")
LONGEST_RING = 50_000
"""Milliseconds for which a telephone rings, less than the app waits for any outcome (docs: service-limits)."""


@dataclass
class Number:
    """What is declared of a number."""

    label: str = "main"
    concurrent_out: int = 2
    reserve: int = 1
    uses: tuple[str, ...] = ()
    transferred_minutes: int = 60


async def calls(call: Call) -> None:
    """Calls somebody, again if that may help; adds an agent; says something."""
    try:
        await call.create_call(CALLER, caller_id=CALLEE, attempts=3, delay=20)
    except (ActionFailed, ActionRefused, TimedOut):
        call.result("not_reached")
        return
    try:
        await call.add_participant(AGENT, caller_id=CALLEE)
    except (ActionFailed, ActionRefused, TimedOut) as error:
        call.result("alone", details={"why": getattr(error, "code", "")})
    await call.play(text("hello"))


async def transfers(call: Call) -> None:
    """Calls somebody and transfers them to an agent."""
    try:
        await call.create_call(CALLER, caller_id=CALLEE, attempts=3, delay=20)
        await call.transfer(AGENT, caller_id=CALLEE)
    except CallError:
        call.result("not_transferred")


FLOWS = {function.__name__: Flow(function.__name__, function, opens=True) for function in (calls, transfers)}


def ledger(rows: TextRows, clock: Clock, numbers: Mapping[str, Number] | None = None, use: str = CALLS) -> SlotLedger:
    """As an instance of the app has it."""
    return SlotLedger(rows, numbers if numbers is not None else {NUMBER: Number()}, lambda flow: use, clock)


@dataclass
class Telephones:
    """The service: each attempt to place a call has a connection of its own, and each leg is counted.

    Attributes:
        live: the telephones that ring or are in a call, by connection, and by the operation that called them.
        most: of them at once.
        ended_at: when the last one was off the line.
        ringing: since when those ring that have not been answered.
    """

    world: World
    live: dict[tuple[str, int], str] = field(default_factory=dict)
    most: int = 0
    ended_at: int = 0
    ringing: dict[tuple[str, int], int] = field(default_factory=dict)
    lists: int = 0
    wire: Wire = field(default_factory=Wire)

    def respond(self, request: Request) -> Mapping[str, Any]:
        """What it responds."""
        response = dict(_plain_answer(request))
        if isinstance(request.action, actions.CreateCall):
            connection = connection_of(request)
            response |= {"callConnectionId": connection, "correlationId": f"correlation of {connection}"}
        return response

    def run(self, request: Request) -> list[Callable[[str], list[dict[str, Any]]]]:
        """It runs a request: the steps that follow, each of which gives events by how it ends."""
        match request.action:
            case actions.CreateCall():
                return [lambda how: self._opened(request, how)]
            case actions.AddParticipant():
                return [lambda how: self._added(request, how), lambda how: self._left(request, how)]
            case actions.Play():
                return [lambda how: [self._event(request, request.connection_id, "PlayCompleted")]]
            case actions.Transfer():
                return [lambda how: self._transferred(request, how)]
            case actions.HangUp() | actions.Terminate():
                return [lambda how: self._over(request.connection_id)]
        return []

    def starts(self, request: Request) -> None:
        """A telephone begins to ring."""
        if isinstance(request.action, actions.CreateCall | actions.AddParticipant | actions.Transfer):
            connection = connection_of(request)
            self.live[connection, request.seq] = request.action.kind
            self.ringing[connection, request.seq] = self.world.clock.now
            self.most = max(self.most, len(self.live))

    def ends(self, connection: str, *seqs: int) -> None:
        """Telephones are off the line."""
        for seq in seqs or [seq for found, seq in self.live if found == connection]:
            if self.live.pop((connection, seq), None):
                self.ended_at = self.world.clock.now

    def state(self, connection_id: str) -> str | None:
        """What it says of a connection."""
        return "connected" if any(found == connection_id for found, _ in self.live) else None

    def give_up(self) -> None:
        """Nobody rings for longer than this."""
        for (connection, seq), since in list(self.ringing.items()):
            if self.world.clock.now - since > LONGEST_RING:
                self.ends(connection, seq)

    def _answered(self, request: Request, how: str) -> bool:
        """Somebody takes a call, unless it has rung for too long, or its connection is gone."""
        key = (connection_of(request), request.seq)
        self.ringing.pop(key, None)
        return how != "fails" and key in self.live

    def _opened(self, request: Request, how: str) -> list[dict[str, Any]]:
        connection = connection_of(request)
        if not self._answered(request, how):
            self.ends(connection)
            return [self._event(request, connection, "CreateCallFailed", (486, 8539, "busy"))]
        return [self._event(request, connection, "CallConnected"), self._list(request, connection, CALLER)]

    def _added(self, request: Request, how: str) -> list[dict[str, Any]]:
        connection = request.connection_id
        if not self._answered(request, how):
            self.ends(connection, request.seq)
            return [self._event(request, connection, "AddParticipantFailed", (486, 8539, "busy"))]
        listed = self._list(request, connection, CALLER, AGENT)
        return [listed, self._event(request, connection, "AddParticipantSucceeded")]

    def _left(self, request: Request, how: str) -> list[dict[str, Any]]:
        connection = request.connection_id
        if (connection, request.seq) not in self.live:
            return []
        if how == "fails":
            return self._over(connection)
        self.ends(connection, request.seq)
        return [self._list(request, connection, CALLER)]

    def _transferred(self, request: Request, how: str) -> list[dict[str, Any]]:
        connection = request.connection_id
        if not self._answered(request, how):
            self.ends(connection, request.seq)
            return [self._event(request, connection, "CallTransferFailed", (486, 8539, "busy"))]
        accepted = self._event(request, connection, "CallTransferAccepted")
        return [accepted, self._event(request, connection, "CallDisconnected", (200, 7015, ""), named=False)]

    def _over(self, connection: str) -> list[dict[str, Any]]:
        self.ends(connection)
        return [of(self.wire.event("CallDisconnected", None, (200, 7000, "over")), connection)]

    def _list(self, request: Request, connection: str, *people: Identifier) -> dict[str, Any]:
        self.lists += 1
        participants = [{"identifier": {"rawId": who.raw_id}} for who in people]
        body = self.wire.event("ParticipantsUpdated", None, participants=participants, sequenceNumber=self.lists)
        return of(body, connection)

    def _event(
        self, request: Request, connection: str, name: str, result: Any = (200, 0, ""), *, named: bool = True
    ) -> dict[str, Any]:
        return of(self.wire.event(name, request.operation_context if named else None, result), connection)


def connection_of(request: Request) -> str:
    """The connection that a request is about, or opens."""
    if isinstance(request.action, actions.CreateCall):
        return f"connection {request.call_id} {request.seq}"
    return request.connection_id


def of(body: dict[str, Any], connection: str) -> dict[str, Any]:
    """An event, under the ids of a connection."""
    ids = {"serverCallId": f"server of {connection}", "correlationId": f"correlation of {connection}"}
    return {**body, "data": {**body["data"], "callConnectionId": connection, **ids}}


def taken(rows: MemoryTextRows, number: str = NUMBER) -> int:
    """The slots that are taken."""
    return sum(lease.telephones for lease in read_leases(rows.read().get(number)))
