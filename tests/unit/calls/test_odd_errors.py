"""Flows that raise, say and return what nobody expects: the caller hears the fallback, and no call is stuck."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Generator
from typing import Any

import pytest

from shared.calls import Call, CallEnded, Flow, Pending, actions, text
from shared.calls.flow import FlowFunction
from shared.calls.replay import replay
from tests.unit.calls.test_mistakes import _within, helper, up
from tests.unit.calls.test_replay import Stage
from tests.unit.calls.world import World

HERE = r"tests/unit/calls/test_odd_errors\.py:\d+"

# Errors that are none of the usual


async def is_cancelled(call: Call) -> None:
    raise asyncio.CancelledError


async def leaves_by_an_exception_of_its_own(call: Call) -> None:
    class Stop(BaseException):
        pass

    raise Stop("enough")


async def raises_the_end_of_a_call_that_goes_on(call: Call) -> None:
    raise CallEnded


class Unreadable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Half(Exception):
    def __str__(self) -> str:
        return "\ud800"


async def raises_what_cannot_be_read(call: Call) -> None:
    raise Unreadable


async def raises_half_a_character(call: Call) -> None:
    raise Half


async def raises_a_megabyte(call: Call) -> None:
    raise ValueError("x" * 1_000_000)


async def says_half_a_character(call: Call) -> None:
    await call.play("hello \ud800")


async def names_half_a_character(call: Call) -> None:
    call.version("\ud800")


async def logs_half_a_character(call: Call) -> None:
    call.log("\ud800")


async def logs_a_number(call: Call) -> None:
    call.log(5)  # type: ignore[arg-type]


async def results_in_a_number(call: Call) -> None:
    call.result(5)  # type: ignore[arg-type]


async def results_in_a_book(call: Call) -> None:
    call.result("read", book="x" * 100_000)


async def runs_a_result(call: Call) -> None:
    await call.run(len("abc"))  # type: ignore[arg-type]


async def awaits_a_pair(call: Call) -> None:
    class Pair:
        def __await__(self) -> Generator[Any, Any, Any]:
            yield (1, 2)

    await Pair()


async def plays_without_end(call: Call) -> None:
    while True:
        call.play("x")


async def logs_for_ever(call: Call) -> None:
    while True:
        call.log("waiting")


async def results_for_ever(call: Call) -> None:
    while True:
        call.result("waiting")


ODD = {
    is_cancelled: ("CancelledError", ""),
    leaves_by_an_exception_of_its_own: ("Stop: enough", ""),
    raises_the_end_of_a_call_that_goes_on: ("CallEnded", ""),
    raises_what_cannot_be_read: ("Unreadable: (its text cannot be read: RuntimeError)", ""),
    raises_half_a_character: ("Half: ?", ""),
    raises_a_megabyte: ("ValueError: xxx", ""),
    says_half_a_character: ("InvalidInput: play: holds half a character", "Give Unicode text"),
    names_half_a_character: ("InvalidInput: version", "Use letters"),
    logs_half_a_character: ("InvalidInput: log: holds half a character", "Give Unicode text"),
    logs_a_number: ("InvalidInput: log: got a int", "call.log("),
    results_in_a_number: ("InvalidInput: result", "Use letters"),
    results_in_a_book: ("InvalidInput: result", "call.run"),
    runs_a_result: ("InvalidInput: run: got a int", "await call.run(f, x)"),
    awaits_a_pair: ("ForeignAwait", "call.run"),
    plays_without_end: ("EndlessLoop: the flow asked for 4,000 actions at once", "Await some"),
    logs_for_ever: ("EndlessLoop", "await call.sleep"),
    results_for_ever: ("EndlessLoop", "await call.sleep"),
}


@pytest.mark.parametrize(("function", "error", "remedy"), [(flow, *told) for flow, told in ODD.items()])
def test_whatever_a_flow_raises_its_caller_hears_the_fallback_and_its_head_can_be_stored(
    function: FlowFunction, error: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    call_id = up(world, function, monkeypatch)
    record = world.store.peek(call_id)
    assert record.failure["error"].startswith(error)
    assert remedy in record.failure.get("remedy", "")
    assert re.fullmatch(HERE, record.failure["where"])
    assert world.last().action == actions.Play(prompts=(text("Sorry"),), interrupt=True)
    assert sum(map(len, record.failure.values())) < 5_000
    assert len(",".join(map(str, record.unconfirmed))) < 32_000
    flow = Flow("mistaken", function)
    assert replay(flow, call_id, world.journal(call_id), apology=(text("Sorry"),)) == []


def test_what_belongs_to_another_call_cannot_be_awaited() -> None:
    kept: list[Pending[Any]] = []

    async def first(call: Call) -> None:
        kept.append(call.play("one"))
        await call.ended()

    async def second(call: Call) -> None:
        await kept[0]

    one, other = Stage(first).connect(), Stage(second).connect()
    assert other.failures == ["ForeignAwait: a flow cannot await what belongs to another call"]
    one.event("PlayCompleted", 1)
    assert other.issued == ["answer", "play"], "its fallback, which nobody else's event moves on"


@pytest.mark.parametrize("watched", [False, True])
def test_a_loop_over_arguments_that_are_refused_is_ended(watched: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    async def goes_on(call: Call) -> None:
        while True:
            try:
                await call.play("")
            except Exception:
                continue

    world = World()
    found: list[str] = []
    _within(60, lambda: found.append(up(world, goes_on, monkeypatch, check_flows=watched)))
    record = world.store.peek(found[0])
    assert record.failure["error"].startswith("EndlessLoop")
    assert "End the loop" in record.failure["remedy"]
    assert world.kinds() == ["answer", "play"]


def test_a_flow_that_fails_with_a_coroutine_left_over_fails_once() -> None:
    async def flow(call: Call) -> None:
        part = helper(call)
        raise KeyError(id(part))

    world = World()
    call_id = up(world, flow, pytest.MonkeyPatch(), check_flows=True)
    assert world.store.peek(call_id).failure["line"] == "raise KeyError(id(part))"
    assert world.kinds() == ["answer", "play"]
