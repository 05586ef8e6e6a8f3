"""Calls over which instances die and responses are lost: flows, services that lose, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shared.calls import Call, Flow, actions, text
from shared.calls.gateway.base import Request
from shared.calls.journal import Failed, Resent
from shared.errors import ResponseLost
from tests.unit.calls.world import CALLEE, CALLER, CONNECTION, FLOWS, Instance, World, parsed, respond

GRACE = 7.0
Answer = Callable[[Request], Mapping[str, Any]]


class Death(KeyboardInterrupt):
    """The instance dies here: all else that a side effect raises is taken for its own."""


async def speaks(call: Call) -> None:
    """Says two things."""
    await call.play(text("one"))
    await call.play(text("two"))


async def waits(call: Call) -> None:
    """Says something that never ends by itself, and leaves with the caller."""
    await call.play(text("music"), loop=True)


async def naps(call: Call) -> None:
    """Waits and speaks."""
    await call.sleep(60)
    await call.play(text("good morning"))


async def both(call: Call) -> None:
    """Two prompts in a row, asked for at once."""
    await call.gather(call.play(text("one")), call.play(text("two")))


async def hands_over(call: Call) -> None:
    """Transfers its caller."""
    await call.transfer("+14255550177")


async def dials(call: Call) -> None:
    """Places its call and says so."""
    try:
        await call.create_call(CALLER.raw_id, caller_id=CALLEE.raw_id)
    finally:
        await call.run(lambda: "noted")


async def holds(call: Call) -> None:
    """Holds its caller, and takes him off hold at once."""
    await call.hold(audio=text("music"))
    await call.unhold()
    await call.ended()


async def listens(call: Call) -> None:
    """Has keys reported, and hangs up."""
    await call.start_continuous_dtmf()
    await call.hang_up()


HERE = {**FLOWS, **{f.__name__: Flow(f.__name__, f) for f in (speaks, waits, naps, both, hands_over, holds, listens)}}
HERE["dials"] = Flow("dials", dials, opens=True)


def answering_with(kind: str, answer: Answer, times: int = 1) -> Answer:
    """The service, but for so many actions of this kind."""
    left = [times]

    def respond_or(request: Request) -> Mapping[str, Any]:
        if request.action.kind == kind and left[0]:
            left[0] -= 1
            return answer(request)
        return respond(request)

    return respond_or


def lost(request: Request) -> Mapping[str, Any]:
    raise ResponseLost(request.action.kind, "the connection broke")


def dies(request: Request) -> Mapping[str, Any]:
    raise Death


def up(world: World, flow: str, conductor: Instance | None = None) -> tuple[Instance, str]:
    """An instance, and a call that it answered and that is up."""
    conductor = conductor or world.conductor(flows=HERE)
    call_id = world.answered(conductor, flow)
    world.gateway.states[CONNECTION] = "connected"
    return conductor, call_id


def another(world: World, **options: Any) -> Instance:
    return world.conductor(flows=HERE, **options)


def hear(world: World, conductor: Instance, call_id: str, name: str, context: str | None = None, **more: Any) -> Any:
    return conductor.deliver(call_id, [parsed(world.wire.event(name, context, **more))])


def react(world: World, conductor: Instance, call_id: str) -> None:
    """The service reports on its newest action."""
    for body in world.wire.reaction(world.last()):
        conductor.deliver(call_id, [parsed(body)])


def resent(world: World, call_id: str) -> list[int]:
    return [entry.seq for entry in world.journal(call_id) if isinstance(entry, Resent)]


def failures(world: World, call_id: str) -> list[str]:
    return [entry.error for entry in world.journal(call_id) if isinstance(entry, Failed)]


def plays(world: World) -> list[tuple[str, int]]:
    """What was said, and at which attempt."""
    return [
        (str(getattr(request.action.prompts[0], "text", "")), request.attempt)
        for request in world.gateway.sent
        if isinstance(request.action, actions.Play)
    ]
