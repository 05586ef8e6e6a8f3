"""Calls that their flow places: each attempt has a connection of its own, as in the service."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from shared.calls import ActionFailed, ActionRefused, Call, Flow, TimedOut, actions, text
from shared.calls.gateway.base import Request
from shared.calls.gateway.memory import _plain_answer
from shared.calls.journal import encode
from shared.calls.replay import Session, replay
from tests.unit.calls.world import CALLEE, CALLER, Instance, World, parsed

BUSY, DECLINED, NOT_ANSWERED = (486, 8539, "busy"), (603, 8538, "declined"), (408, 8587, "not answered")
GONE = (200, 5001, "the other side ended the call")


async def waits_and_calls(call: Call) -> None:
    """Waits for an hour, calls, says something."""
    await call.sleep(3600)
    await call.create_call(CALLER, caller_id=CALLEE)
    await call.play(text("hello"))


async def calls_twice(call: Call) -> None:
    """Waits, calls, calls again a quarter of an hour later; says what came of it."""
    await call.sleep(60)
    for attempt in (1, 2):
        try:
            await call.create_call(CALLER, caller_id=CALLEE)
            break
        except (ActionFailed, ActionRefused, TimedOut):
            if attempt == 1:
                await call.sleep(900)
    else:
        call.result("not_reached")
        return
    await call.play(text("hello"))


async def calls_at_once(call: Call) -> None:
    """Calls, and calls again at once."""
    await call.create_call(CALLER, caller_id=CALLEE, attempts=3, delay=0)
    await call.play(text("hello"))


async def waits_for_a_signal(call: Call) -> None:
    """Calls whom a signal names."""
    number = (await call.signal("go"))["number"]
    await call.create_call(number, caller_id=CALLEE)
    await call.play(text("hello"))


OUTBOUND = {
    function.__name__: Flow(function.__name__, function, opens=True)
    for function in (waits_and_calls, calls_twice, calls_at_once, waits_for_a_signal)
}


def connection_of(seq: int) -> str:
    """The connection of the attempt that is made by this operation."""
    return f"connection-{seq}"


def respond(request: Request) -> Mapping[str, Any]:
    """What the service responds: a connection and a conversation for each attempt."""
    response = dict(_plain_answer(request))
    if isinstance(request.action, actions.CreateCall):
        response |= {"callConnectionId": connection_of(request.seq), "correlationId": f"correlation-{request.seq}"}
    return response


def no_connection(request: Request) -> Mapping[str, Any]:
    """Taken, and nothing is ever heard of it."""
    return {}


def of_attempt(body: dict[str, Any], seq: int) -> dict[str, Any]:
    """An event, under the ids of an attempt."""
    ids = {
        "callConnectionId": connection_of(seq),
        "serverCallId": f"server-{seq}",
        "correlationId": f"correlation-{seq}",
    }
    return {**body, "data": {**body["data"], **ids}}


class Outbound:
    """A call that its flow places, on an instance of the app; by the number of an attempt, the service reports."""

    def __init__(self, flow: str, *, flows: Mapping[str, Flow] = OUTBOUND, world: World | None = None) -> None:
        self.world = world or World()
        self.world.gateway._answer = respond
        self.flows = flows
        self.conductor = self.instance()
        _, self.call_id = self.conductor.place(flow, None)

    def instance(self) -> Instance:
        return self.world.conductor(flows=self.flows)

    @property
    def record(self) -> Any:
        return self.world.store.peek(self.call_id)

    @property
    def attempts(self) -> list[int]:
        """The operations that placed it, in order."""
        requests = self.world.gateway.performed
        return [request.seq for request in requests if isinstance(request.action, actions.CreateCall)]

    def wake(self) -> None:
        """The sleep is over."""
        call_id, seq, due = self.world.timers.due.pop(0)
        self.world.clock.now = max(self.world.clock.now, due)
        self.conductor.wake(call_id, seq, due)

    def hear(self, name: str, attempt: int, result: Any = (200, 0, ""), *, named: bool = True, **data: Any) -> Any:
        """An event of an attempt: 1 is the first."""
        return self.conductor.deliver(self.call_id, [parsed(self.event(name, attempt, result, named=named, **data))])

    def event(self, name: str, attempt: int, result: Any = (200, 0, ""), *, named: bool = True, **data: Any) -> Any:
        seq = self.attempts[attempt - 1]
        context = f"{self.call_id}:{seq}:0" if named else None
        return of_attempt(self.world.wire.event(name, context, result, **data), seq)


def whole(call: Outbound) -> None:
    """Its journal gives what it holds, and its head is what a replay makes of it."""
    flow = call.flows[call.record.flow]
    journal = call.world.journal(call.call_id)
    assert replay(flow, call.call_id, journal) == []
    cold = Session(flow, call.call_id)
    cold.feed_stored(map(encode, journal))
    assert cold.take() == []
    cold.adopt(call.record)
    assert dataclasses.replace(cold.record, marks=[]) == dataclasses.replace(call.record, marks=[])


def one(function: Any, **options: Any) -> Outbound:
    return Outbound("one", flows={"one": Flow("one", function, opens=True)}, **options)
