"""What goes wrong in flows: each mistake has a message with the line of its author and a remedy, and nothing hangs."""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import logging
import random
import re
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from shared.calls import ActionRefused, Call, CallEnded, CallError, Flow, Pending, actions, text
from shared.calls.checks import Watch
from shared.calls.flow import FlowFunction
from shared.calls.flow_run import MAX_REFUSED
from shared.calls.gateway.memory import refuse
from shared.calls.journal import Failed
from shared.calls.operation import MAX_AT_ONCE
from shared.calls.rehearsal import Rehearsal
from shared.errors import FlowMistake
from tests.unit.calls.test_replay import Stage
from tests.unit.calls.world import World, a_ring, answering, parsed

HERE = r"tests/unit/calls/test_mistakes\.py:\d+"
log = logging.getLogger("tests.flow")


async def helper(call: Call) -> None:
    await call.play(text("from a helper"))


async def awaits_asyncio(call: Call) -> None:
    await asyncio.sleep(0)


async def awaits_a_future(call: Call) -> None:
    class Future:
        def __await__(self) -> Generator[Any, Any, Any]:
            yield self

    await Future()


async def awaits_asyncio_for_long(call: Call) -> None:
    await asyncio.sleep(1)


async def uses_an_asyncio_timeout(call: Call) -> None:
    async with asyncio.timeout(5):
        await call.play(text("x"))


async def sleeps(call: Call) -> None:
    time.sleep(1)


async def reads_the_clock(call: Call) -> None:
    await call.play(text(f"It is {dt.datetime.now():%H:%M}"))


async def reads_the_day(call: Call) -> None:
    await call.play(text(f"It is {dt.date.today()}"))


async def reads_seconds(call: Call) -> None:
    await call.play(text(f"It is {time.time()}"))


async def throws_dice(call: Call) -> None:
    await call.play(text(str(random.randint(1, 6))))


async def makes_an_id(call: Call) -> None:
    await call.play(text(str(uuid.uuid4())))


async def asks_the_network(call: Call) -> None:
    socket.create_connection(("127.0.0.1", 9))


async def starts_a_thread(call: Call) -> None:
    threading.Thread(target=call.hang_up).start()


async def runs_a_loop(call: Call) -> None:
    asyncio.run(asyncio.sleep(0))


async def starts_a_process(call: Call) -> None:
    subprocess.run(["true"])


async def logs(call: Call) -> None:
    log.warning("somebody calls")


async def forgets_a_helper(call: Call) -> None:
    helper(call)  # type: ignore[unused-coroutine]
    await call.play(text("x"))


async def forgets_the_last_prompt(call: Call) -> None:
    call.play(text("Goodbye."))


async def forgets_to_enter(call: Call) -> None:
    call.off_record()
    await call.ask_digits("Card number?", max_tones=16)


async def says_nothing(call: Call) -> None:
    await call.play(text(" "))


async def has_a_bug(call: Call) -> None:
    raise KeyError("name")


async def compares_times_without_a_zone(call: Call) -> None:
    await call.sleep((dt.datetime(2026, 12, 24) - call.now).total_seconds())


async def exits(call: Call) -> None:
    raise SystemExit(1)


async def looks_for_ever(call: Call) -> None:
    stop = call.signal("stop")
    while not stop.done:
        pass


async def waits_for_no_end(call: Call) -> None:
    while not call.ended().done:
        continue


async def asks_wrongly_for_ever(call: Call) -> None:
    while True:
        try:
            call.play(text("x"), to="+14255550100", interrupt=True)
        except Exception:
            continue


ALWAYS = {
    awaits_asyncio: ("ForeignAwait", "await asyncio.sleep(0)", "call.sleep"),
    awaits_a_future: ("ForeignAwait", "yield self", "call.run"),
    awaits_asyncio_for_long: ("RuntimeError", "await asyncio.sleep(1)", "call.sleep"),
    uses_an_asyncio_timeout: ("RuntimeError", "async with asyncio.timeout(5):", "call.wait"),
    says_nothing: ("InvalidInput", 'await call.play(text(" "))', "Give the words"),
    compares_times_without_a_zone: ("TypeError", "await call.sleep((dt.datetime(2026, 12, 24)", "AwareDatetime"),
    has_a_bug: ("KeyError", 'raise KeyError("name")', ""),
    exits: ("SystemExit", "raise SystemExit(1)", ""),
    looks_for_ever: ("EndlessLoop", "while not stop.done:", "call.sleep"),
    waits_for_no_end: ("EndlessLoop", "while not call.ended().done:", "call.sleep"),
    asks_wrongly_for_ever: ("EndlessLoop", "call.play(", "End the loop"),
}
"""Mistakes that every instance notices: error, line, remedy."""
WATCHED = {
    sleeps: ("NotDeterministic", "time.sleep(1)", "await call.sleep"),
    reads_the_clock: ("NotDeterministic", "datetime.now()", "call.now"),
    reads_the_day: ("NotDeterministic", "date.today()", "call.now"),
    reads_seconds: ("NotDeterministic", "time.time()", "call.now"),
    throws_dice: ("NotDeterministic", "random.randint", "call.run"),
    makes_an_id: ("NotDeterministic", "uuid.uuid4()", "call.run"),
    asks_the_network: ("NotDeterministic", "create_connection", "call.run"),
    starts_a_thread: ("NotDeterministic: the flow starts a thread", "threading.Thread", "call.gather"),
    runs_a_loop: ("NotDeterministic: the flow runs a loop of asyncio", "asyncio.run", "call.sleep"),
    starts_a_process: ("NotDeterministic", "subprocess.run", "call.run"),
    logs: ("NotDeterministic", "log.warning", "call.log"),
    forgets_a_helper: ("ForgottenAwait", "helper(call)", "await helper(call)"),
    forgets_to_enter: ("ForgottenAwait", "call.off_record()", "async with call.off_record"),
    forgets_the_last_prompt: ("ForgottenAwait", 'call.play(text("Goodbye."))', "await call.play"),
}
"""Mistakes that rehearsals and the local host notice."""
EVERY = [pytest.param(flow, *told, id=flow.__name__) for flow, told in {**ALWAYS, **WATCHED}.items()]
SOME = [pytest.param(flow, *told, id=flow.__name__) for flow, told in ALWAYS.items()]


def up(world: World, function: FlowFunction, monkeypatch: pytest.MonkeyPatch, **options: Any) -> str:
    """A connected call of this flow; its id."""
    flows = {"mistaken": Flow("mistaken", function)}
    conductor = world.conductor(flows=flows, **options)
    _, call_id = conductor.ring(a_ring(world.clock.now), answering(), "mistaken")
    for event in world.wire.reaction(world.last()):
        conductor.deliver(call_id, [parsed(event)])
    return call_id


@pytest.mark.parametrize(("function", "error", "line", "remedy"), EVERY)
def test_a_rehearsal_says_what_is_wrong_where_and_what_to_write(
    function: FlowFunction, error: str, line: str, remedy: str
) -> None:
    call = Rehearsal(Flow("mistaken", function))
    with pytest.raises(AssertionError) as caught:
        call.connect()
    told = str(caught.value)
    assert error in told
    assert re.search(HERE, told)
    assert line in told
    assert remedy in told


@pytest.mark.parametrize(("function", "error", "line", "remedy"), EVERY)
def test_a_developers_host_plays_the_apology_and_says_it_in_the_call(
    function: FlowFunction, error: str, line: str, remedy: str, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    world = World()
    call_id = up(world, function, monkeypatch, check_flows=True)
    _assert_told(world, call_id, error, line, remedy)
    assert re.search(HERE, caplog.text), "nor does the terminal keep it to itself"


@pytest.mark.parametrize(("function", "error", "line", "remedy"), SOME)
def test_production_plays_the_apology_and_says_it_in_the_call(
    function: FlowFunction, error: str, line: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    call_id = up(world, function, monkeypatch)
    _assert_told(world, call_id, error, line, remedy)


def _assert_told(world: World, call_id: str, error: str, line: str, remedy: str) -> None:
    record = world.store.peek(call_id)
    assert record.failure["error"].startswith(error)
    assert re.fullmatch(HERE, record.failure["where"])
    assert line in record.failure["line"]
    assert remedy in record.failure.get("remedy", "")
    assert record.outcome == "failed"
    assert world.last().action == actions.Play(prompts=(text("Sorry"),), interrupt=True)


def test_an_unwatched_flow_may_do_what_it_should_not_until_it_is_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    call_id = up(world, throws_dice, monkeypatch)
    assert world.store.peek(call_id).failure == {}


def test_a_foreign_await_is_called_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    call_id = up(world, awaits_asyncio, monkeypatch)
    assert (
        "a flow cannot await asyncio.tasks.sleep: nothing would wake it" in world.store.peek(call_id).failure["error"]
    )


# Nothing hangs


def test_a_flow_that_goes_on_after_every_error_ends_with_its_call() -> None:
    async def stubborn(call: Call) -> None:
        while True:
            try:
                await call.play(text("music"))
            except CallError:
                continue

    call = Rehearsal(Flow("stubborn", stubborn))
    call.connect()
    _within(5, call.hang_up)
    assert call.outcome == "caller_left"


def test_the_end_of_a_call_is_no_exception_that_except_exception_catches() -> None:
    async def careless(call: Call) -> None:
        try:
            await call.play(text("music"))
        except Exception:
            call.result("went_on")

    call = Rehearsal(Flow("careless", careless))
    call.connect()
    call.hang_up()
    assert call.outcome == "caller_left"
    assert not issubclass(CallEnded, Exception)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_flow_that_catches_everything_for_ever_is_left_where_it_stands() -> None:
    async def insatiable(call: Call) -> None:
        while True:
            try:
                await call.play(text("music"))
            except:  # noqa: E722
                continue

    stage = Stage(insatiable).connect()
    _within(10, lambda: stage.event("CallDisconnected"))
    assert stage.session.finished


def test_requests_that_are_refused_again_and_again_end_the_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    async def asks_again(call: Call) -> None:
        while True:
            try:
                await call.play(text("x"))
            except ActionRefused:
                continue

    world = World()

    def gateway(request: Any) -> Any:
        return refuse(400, "8523", "no")(request) if request.action.kind == "play" else plain(request)

    plain = world.gateway.perform
    monkeypatch.setattr(world.gateway, "perform", gateway)
    call_id = up(world, asks_again, monkeypatch)
    record = world.store.peek(call_id)
    assert record.failure["error"].startswith("EndlessLoop")
    assert "call.play" in record.failure["line"]
    assert "call.sleep" in record.failure["remedy"]
    assert world.kinds()[-1] == "hang_up"
    issued = [entry for entry in world.journal(call_id) if entry.entry == "issued"]
    assert MAX_REFUSED <= len(issued) <= MAX_REFUSED + 5
    failed = [entry for entry in world.journal(call_id) if isinstance(entry, Failed)]
    assert len(failed) == 1


def test_a_flow_may_do_a_lot_between_two_waits() -> None:
    async def busy(call: Call) -> None:
        for _ in range(MAX_AT_ONCE - 200):
            call.signal("x")
        await call.gather(*[call.play(text("x")) for _ in range(50)])

    stage = Stage(busy).connect()
    assert stage.failures == []


def test_an_error_in_a_helper_that_nobody_awaits_is_not_lost() -> None:
    async def bug(call: Call) -> None:
        raise RuntimeError("bug")

    async def flow(call: Call) -> None:
        await call.play(text("x"))
        call._host.spawn("beside", bug(call))
        await call.play(text("y"))

    stage = Stage(flow).connect()
    stage.event("PlayCompleted", 1)
    assert stage.failures == ["RuntimeError: bug"]


def test_a_question_that_nobody_awaits_may_fail_unheard() -> None:
    async def flow(call: Call) -> None:
        call.recognize(text("Yes?"), speech=True)
        await call.play(text("y"))

    stage = Stage(flow).connect()
    stage.event("RecognizeFailed", 1, (400, 8510, ""))
    assert stage.failures == []


def test_an_error_of_a_part_that_is_waited_for_is_the_flows_to_handle() -> None:
    async def bug(call: Call) -> None:
        await call.play(text("x"))
        raise RuntimeError("bug")

    async def flow(call: Call) -> None:
        try:
            await call.gather(call.play(text("a")), bug(call))
        except RuntimeError:
            await call.play(text("handled"))
            await call.ended()

    stage = Stage(flow).connect()
    stage.event("PlayCompleted", 2)
    assert stage.failures == []
    stage.event("PlayCompleted", 1)
    assert stage.failures == []
    assert stage.issued[-1] == "play"


def test_the_watch_sees_neither_imports_nor_switchboard_itself() -> None:
    async def imports(call: Call) -> None:
        import colorsys

        await call.play(text(str(colorsys.ONE_THIRD)))
        call.log("line")
        assert call.now
        assert random.Random(call.id).randint(1, 6)

    watch = Watch()
    with watch.over():
        pass
    call = Rehearsal(Flow("imports", imports))
    call.connect()
    call.prompt_ends()
    assert watch.found == []


def test_the_watch_does_not_take_the_garbage_collector_for_the_flow() -> None:
    def times(phase: str, info: dict[str, int]) -> None:
        time.perf_counter()

    async def collects(call: Call) -> None:
        gc.collect()
        await call.play(text("x"))

    gc.callbacks.append(times)
    try:
        Rehearsal(Flow("collects", collects)).connect()
    finally:
        gc.callbacks.remove(times)


def test_the_watch_is_over_one_thread_and_ends_with_its_step() -> None:
    import sys

    before, begins = sys.getprofile(), threading.Event()
    read: list[float] = []

    def reads() -> None:
        begins.wait()
        read.append(time.time())

    thread = threading.Thread(target=reads)
    thread.start()
    with Watch().over():
        begins.set()
        thread.join()
    assert read
    assert sys.getprofile() is before
    time.time()


def test_what_a_forgotten_pending_says_of_itself_helps() -> None:
    async def reads_too_early(call: Call) -> None:
        question: Pending[Any] = call.play(text("x"))
        question.result()

    stage = Stage(reads_too_early).connect()
    assert "await it" in stage.failures[0]


def test_every_mistake_names_a_remedy() -> None:
    def below(kind: type[FlowMistake]) -> Iterator[type[FlowMistake]]:
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    for kind in below(FlowMistake):
        assert kind("problem", "remedy").remedy


def _within(seconds: float, work: Any) -> None:
    """Run something that must come to an end; in a thread, so that the test fails where it does not."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "it goes on for ever"


def test_an_error_with_half_a_character_is_journaled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    async def odd(call: Call) -> None:
        raise RuntimeError("\ud800 is half a character")

    world = World()
    call_id = up(world, odd, monkeypatch)
    assert world.store.peek(call_id).failure["error"] == "RuntimeError: ? is half a character"
    assert world.kinds()[-1] == "play"
