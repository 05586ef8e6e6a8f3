"""What `call.run` runs: outside of the call's lock, once, and with a result that the journal can hold."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from shared.calls import ActionRefused, Call, Flow, actions, text
from shared.calls.gateway.memory import refuse
from shared.calls.journal import RefusedEntry, Resent, Responded
from shared.calls.lost import MAX_RUNS, NEVER_RETURNED
from shared.calls.outcome import Outcome
from shared.calls.replay import replay
from shared.calls.returned import NOT_JSON
from shared.errors import InvalidInput, StoreRefused, StoreUnavailable
from tests.unit.calls.losses import GRACE, Death, answering_with, hear, lost, plays, resent
from tests.unit.calls.world import APOLOGY, CALLEE, CALLER, CONNECTION, Instance, World, a_ring, answering, respond

LEFT = (200, 5000, "left")


@pytest.fixture
def world() -> World:
    world = World()
    world.gateway.states[CONNECTION] = "connected"
    return world


def up(world: World, function: Callable[[Call], Any], **options: Any) -> tuple[Instance, str]:
    """An instance whose only flow is this one, and a call of it that is up."""
    conductor = world.conductor(flows={"flow": Flow("flow", function)}, **options)
    return conductor, world.answered(conductor, "flow")


def alive(conductor: Instance, call_id: str) -> None:
    """A third of the grace period passes for the background."""
    conductor.later.waiting.pop(f"alive {call_id}")()  # type: ignore[attr-defined]


# Results


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (float("nan"), "finite"),
        ([float("inf")], "finite"),
        ("\ud800", "surrogate"),
        ({"a": ["\udfff"]}, "surrogate"),
        (nested(300), "nested"),
        (nested(40), "nested"),
        (object(), "JSON"),
        ({1, 2}, "JSON"),
        ({"at": {1: object()}}, "JSON"),
    ],
)
def test_a_result_that_no_journal_can_hold_is_a_refusal_that_says_what_to_return(
    world: World, value: Any, word: str
) -> None:
    met: list[ActionRefused] = []
    ran: list[int] = []

    def look_up() -> Any:
        ran.append(1)
        return value

    async def flow(call: Call) -> None:
        try:
            await call.run(look_up)
        except ActionRefused as refusal:
            met.append(refusal)
        await call.play(text("and so on"))

    conductor, call_id = up(world, flow)
    assert [refusal.code for refusal in met] == [NOT_JSON]
    assert word in met[0].message
    assert "look_up" in met[0].message
    assert plays(world) == [("and so on", 0)]
    world.clock.pass_seconds(GRACE + 1)
    world.conductor(flows=conductor.flows).watch()
    assert ran == [1]
    assert replay(conductor.flows["flow"], call_id, world.journal(call_id), apology=APOLOGY) == []


@pytest.mark.parametrize("value", [{"a": None}, (1, (2,)), {1: "one"}, {"deep": nested(20)}, "é", 10**30, 0.1])
def test_a_result_is_the_same_live_and_replayed(world: World, value: Any) -> None:
    seen: list[Any] = []

    async def flow(call: Call) -> None:
        seen.append(await call.run(lambda: value))
        await call.play(text("x"))

    conductor, call_id = up(world, flow)
    world.conductor(flows=conductor.flows).open_operations(call_id)
    assert len(seen) == 2
    assert repr(seen[0]) == repr(seen[1])


def test_what_a_function_raises_is_journaled_whatever_its_words_are(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "switchboard.calls")  # xdist cannot send half a character

    def fails() -> None:
        raise ValueError("half a character: \ud800")

    async def flow(call: Call) -> None:
        try:
            await call.run(fails)
        except ActionRefused as refusal:
            await call.play(text(refusal.code))

    up(world, flow)
    assert plays(world) == [("ValueError", 0)]


@pytest.mark.parametrize("value", [float("nan"), "\ud800", nested(300), object()])
def test_a_signal_that_no_journal_can_hold_is_refused(world: World, value: Any) -> None:
    async def flow(call: Call) -> None:
        await call.signal("click")

    conductor, call_id = up(world, flow)
    with pytest.raises(InvalidInput) as caught:
        conductor.signal(call_id, "click", value)
    assert caught.value.field == "data"
    with pytest.raises(InvalidInput) as caught:
        conductor.place("flow", None, data=value)
    assert caught.value.field == "input"


def test_the_data_of_a_signal_and_of_a_call_are_the_same_live_and_replayed(world: World) -> None:
    seen: list[Any] = []

    async def flow(call: Call) -> None:
        seen.append(repr((call.input, await call.signal("click"))))
        await call.play(text("x"))

    conductor = world.conductor(flows={"flow": Flow("flow", flow)})
    opening = actions.CreateCall(targets=(CALLER,), caller_id=CALLEE)
    _, call_id = conductor.place("flow", opening, data={"pair": (1, None)}, key="k")
    hear(world, conductor, call_id, "CallConnected", world.last().operation_context)
    conductor.signal(call_id, "click", {"agent": None, "pair": (1, 2)})
    world.conductor(flows=conductor.flows).open_operations(call_id)
    assert seen == ["({'pair': [1, None]}, {'agent': None, 'pair': [1, 2]})"] * 2
    assert conductor.place("flow", opening, data={"pair": (1, None)}, key="k")[0] is Outcome.DUPLICATE


# Functions that never return


def test_a_function_that_kills_its_worker_is_given_up_after_three_times(world: World) -> None:
    ran: list[int] = []
    met: list[ActionRefused] = []

    def deadly() -> None:
        ran.append(1)
        raise Death

    async def flow(call: Call) -> None:
        try:
            await call.run(deadly)
        except ActionRefused as refusal:
            met.append(refusal)
            await call.play(text("Something went wrong"), loop=True)

    with pytest.raises(Death):
        up(world, flow)
    (call_id,) = world.store.open_calls()
    flows = {"flow": Flow("flow", flow)}
    for _ in range(MAX_RUNS - 1):
        world.clock.pass_seconds(GRACE + 1)
        with pytest.raises(Death):
            world.conductor(flows=flows).watch()
    for _ in range(20):
        world.clock.pass_seconds(GRACE + 1)
        world.conductor(flows=flows).watch()
    assert len(ran) == MAX_RUNS == 3
    assert {(refusal.status, refusal.code) for refusal in met} == {(0, NEVER_RETURNED)}
    assert "deadly was started 3 times" in met[0].message
    assert plays(world)[0] == ("Something went wrong", 0)
    assert [entry.attempt for entry in world.journal(call_id) if isinstance(entry, Resent) and entry.seq == 1] == [1, 2]


def test_a_function_that_returns_at_the_third_time_has_its_result(world: World) -> None:
    ran: list[int] = []

    def shaky() -> int:
        ran.append(1)
        if len(ran) < MAX_RUNS:
            raise Death
        return len(ran)

    async def flow(call: Call) -> None:
        await call.play(text(f"number {await call.run(shaky)}"))

    flows = {"flow": Flow("flow", flow)}
    with pytest.raises(Death):
        up(world, flow)
    world.clock.pass_seconds(GRACE + 1)
    with pytest.raises(Death):
        world.conductor(flows=flows).watch()
    world.clock.pass_seconds(GRACE + 1)
    world.conductor(flows=flows).watch()
    assert plays(world) == [("number 3", 0)]


def test_what_the_service_was_asked_for_is_asked_for_again_more_often_than_that(world: World) -> None:
    """A lost response is no fault of the action."""

    async def flow(call: Call) -> None:
        await call.play(text("one"))

    world.gateway._answer = answering_with("play", lost, times=10)
    conductor, _ = up(world, flow)
    for _ in range(MAX_RUNS + 2):
        world.clock.pass_seconds(GRACE + 1)
        conductor.watch()
    assert plays(world) == [("one", attempt) for attempt in range(MAX_RUNS + 3)]


# Beside the call


def in_a_thread(work: Callable[[], Any]) -> bool:
    """Whether this came to an end in another thread, as a request over HTTP would."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(5)
    return not thread.is_alive()


@pytest.mark.parametrize("where", ["another thread", "the same thread"])
def test_a_side_effect_may_signal_its_own_call(world: World, where: str) -> None:
    def notify(call_id: str) -> bool:
        def signal() -> None:
            assert conductor.signal(call_id, "accepted", 7) is Outcome.ADVANCED

        if where == "another thread":
            return in_a_thread(signal)
        signal()
        return True

    async def flow(call: Call) -> None:
        told = await call.run(notify, call.id)
        await call.play(text(f"{told} {await call.signal('accepted')}"))

    conductor = world.conductor(flows={"flow": Flow("flow", flow)})
    call_id = world.answered(conductor, "flow")
    assert plays(world) == [("True 7", 0)]
    assert resent(world, call_id) == []
    assert replay(conductor.flows["flow"], call_id, world.journal(call_id), apology=APOLOGY) == []


def test_a_side_effect_may_act_on_its_own_call(world: World) -> None:
    def speak(call_id: str) -> None:
        outcome, _ = conductor.act(call_id, actions.Play(prompts=(text("from outside"),)), "key")
        assert outcome is Outcome.ADVANCED

    async def flow(call: Call) -> None:
        await call.run(speak, call.id)
        await call.play(text("from the flow"))

    conductor = world.conductor(flows={"flow": Flow("flow", flow)})
    world.answered(conductor, "flow")
    assert plays(world) == [("from outside", 0), ("from the flow", 0)]


def test_what_is_asked_for_beside_a_side_effect_goes_out_before_it_runs(world: World) -> None:
    order: list[str] = []

    async def flow(call: Call) -> None:
        await call.gather(call.run(lambda: order.append("ran")), call.play(text("one moment")))

    def noted(request: Any) -> Any:
        order.append(request.action.kind)
        return respond(request)

    world.gateway._answer = noted
    up(world, flow)
    assert order == ["answer", "play", "ran"]


def test_each_of_several_side_effects_has_its_result_committed_before_the_next_one_runs(world: World) -> None:
    def answered() -> list[Any]:
        (call_id,) = world.store.open_calls()
        return [entry.value for entry in world.journal(call_id) if isinstance(entry, Responded)]

    async def flow(call: Call) -> None:
        first, second = call.run(lambda: "one"), call.run(answered)
        _, seen = await call.gather(first, second)
        await call.play(text(str(seen)))

    up(world, flow)
    assert plays(world) == [("['one']", 0)]


def test_a_call_goes_on_while_a_side_effect_works(world: World) -> None:
    def slow() -> str:
        (call_id,) = world.store.open_calls()
        hear(world, conductor, call_id, "PlayCompleted", f"{call_id}:2:0")
        assert plays(world) == [("one", 0), ("two", 0)]
        return "done"

    async def flow(call: Call) -> None:
        working = call.run(slow)
        await call.play(text("one"))
        await call.play(text("two"))
        await call.play(text(await working))

    conductor = world.conductor(flows={"flow": Flow("flow", flow)})
    call_id = world.answered(conductor, "flow")
    hear(world, conductor, call_id, "PlayCompleted", f"{call_id}:3:0")
    assert plays(world)[-1] == ("done", 0)
    assert replay(conductor.flows["flow"], call_id, world.journal(call_id), apology=APOLOGY) == []


@pytest.mark.parametrize("awaited", [True, False])
def test_the_caller_may_leave_while_a_side_effect_works_and_its_result_is_kept(world: World, awaited: bool) -> None:
    def slow() -> str:
        (call_id,) = world.store.open_calls()
        hear(world, conductor, call_id, "CallDisconnected", None, result=LEFT)
        return "done"

    async def flow(call: Call) -> None:
        working = call.run(slow)
        if awaited:
            await working
            seen.append("went on")
        await call.signal("never")

    seen: list[str] = []
    conductor = world.conductor(flows={"flow": Flow("flow", flow)})
    call_id = world.answered(conductor, "flow")
    conductor.later.flush()
    record = world.store.peek(call_id)
    assert (record.status, record.outcome, record.unconfirmed) == ("ended", "caller_left", [])
    assert [entry.value for entry in world.journal(call_id) if isinstance(entry, Responded)][-1] == "done"
    assert seen == (["went on"] if awaited else [])
    assert list(world.store.open_calls()) == []
    assert world.store.archive[call_id]["journal"][-1]["entry"] == "answered"  # type: ignore[attr-defined]


def test_the_result_that_another_instance_was_quicker_to_give_counts(world: World) -> None:
    """This one was frozen for the grace period, so that the other took it for dead."""
    ran: list[int] = []

    def frozen() -> int:
        ran.append(1)
        number = len(ran)
        if number == 1:
            world.clock.pass_seconds(GRACE + 1)
            other.watch()
        return number

    async def flow(call: Call) -> None:
        await call.play(text(f"number {await call.run(frozen)}"))

    flows = {"flow": Flow("flow", flow)}
    other, conductor = world.conductor(flows=flows), world.conductor(flows=flows)
    call_id = world.answered(conductor, "flow")
    assert ran == [1, 1]
    assert plays(world) == [("number 2", 0)]
    assert [entry.value for entry in world.journal(call_id) if isinstance(entry, Responded)] == [2]


def test_no_thread_of_its_own_instance_runs_it_a_second_time_though_the_head_could_not_be_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[int] = []

    def slow() -> None:
        ran.append(1)
        world.clock.pass_seconds(3 * GRACE)
        assert in_a_thread(conductor.watch)

    async def flow(call: Call) -> None:
        await call.run(slow)

    conductor = world.conductor(flows={"flow": Flow("flow", flow)})
    call_id = world.answered(conductor, "flow")
    assert ran == [1]
    assert resent(world, call_id) == []


def test_a_sign_of_life_leaves_a_call_alone_that_another_thread_works_on(world: World) -> None:
    """Both would write the head, and take each other's writes for their own."""
    versions: list[Any] = []

    def slow() -> None:
        (call_id,) = world.store.open_calls()
        with conductor._cache.locked(call_id):
            versions.append(world.store.load(call_id).version)
            assert in_a_thread(lambda: alive(conductor, call_id))
            versions.append(world.store.load(call_id).version)
        alive(conductor, call_id)
        versions.append(world.store.load(call_id).version)

    async def flow(call: Call) -> None:
        await call.run(slow)

    conductor = world.conductor(flows={"flow": Flow("flow", flow)})
    call_id = world.answered(conductor, "flow")
    before, meanwhile, afterwards = versions
    assert before == meanwhile
    assert afterwards > before
    alive(conductor, call_id)
    assert f"alive {call_id}" not in conductor.later.waiting, "it is over"  # type: ignore[attr-defined]


def test_a_sign_of_life_costs_one_write_and_leaves_the_call_in_memory(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[str] = []

    def slow() -> None:
        (call_id,) = world.store.open_calls()
        plain = world.store.load

        def counted(call_id: str) -> Any:
            loads.append(call_id)
            return plain(call_id)

        monkeypatch.setattr(world.store, "load", counted)
        for _ in range(3):
            alive(conductor, call_id)
        conductor.signal(call_id, "click")

    async def flow(call: Call) -> None:
        await call.run(slow)
        await call.signal("never")

    conductor = world.conductor(flows={"flow": Flow("flow", flow)})
    world.answered(conductor, "flow")
    assert loads == []


def test_a_sign_of_life_keeps_no_call_in_memory_that_is_over(world: World) -> None:
    def slow() -> None:
        (call_id,) = world.store.open_calls()
        hear(world, conductor, call_id, "CallDisconnected", None, result=LEFT)
        alive(conductor, call_id)
        assert len(conductor._cache) == 0

    async def flow(call: Call) -> None:
        call.run(slow)
        await call.signal("never")

    conductor = world.conductor(flows={"flow": Flow("flow", flow)})
    call_id = world.answered(conductor, "flow")
    assert [entry.entry for entry in world.journal(call_id)][-1] == "answered"


def test_signs_of_life_and_commits_of_another_thread_lose_nothing(world: World) -> None:
    """The head is written for a side effect in between the commits of a thread that feeds the same call."""

    def slow() -> None:
        (call_id,) = world.store.open_calls()
        for number in range(50):
            conductor.signal(call_id, "click", number)
            alive(conductor, call_id)

    async def flow(call: Call) -> None:
        working = call.run(slow)
        total = 0
        for _ in range(50):
            total += await call.signal("click")
        await working
        await call.play(text(f"total {total}"))

    conductor = world.conductor(flows={"flow": Flow("flow", flow)})
    call_id = world.answered(conductor, "flow")
    assert plays(world) == [(f"total {sum(range(50))}", 0)]
    assert replay(conductor.flows["flow"], call_id, world.journal(call_id), apology=APOLOGY) == []


def test_side_effects_run_though_what_came_beside_them_could_not_be_stored(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[int] = []

    async def flow(call: Call) -> None:
        await call.gather(call.start_recording(), call.run(lambda: ran.append(1)))

    plain = world.store.commit

    def takes_no_results(record: Any, appended: Any, version: Any) -> Any:
        if any('"recordingId"' in entry for entry in appended):
            raise StoreUnavailable("the storage")
        return plain(record, appended, version)

    monkeypatch.setattr(world.store, "commit", takes_no_results)
    with pytest.raises(StoreUnavailable):
        up(world, flow)
    (call_id,) = world.store.open_calls()
    assert ran == [1]
    assert [entry.seq for entry in world.journal(call_id) if isinstance(entry, Responded)] == [2]


def test_a_side_effect_before_the_call_is_opened_runs_once_and_its_result_opens_it(world: World) -> None:
    async def doorkeeper(call: Call) -> None:
        await call.redirect(await call.run(lambda: "+14255550111"))

    conductor = world.conductor(flows={"doorkeeper": Flow("doorkeeper", doorkeeper, opens=True)})
    outcome, call_id = conductor.ring(a_ring(), None, "doorkeeper")
    assert outcome is Outcome.CLAIMED
    assert world.kinds() == ["redirect"]
    assert world.store.peek(call_id).outcome == "redirected"


def test_a_key_that_is_used_again_runs_what_was_due_all_the_same(world: World) -> None:
    """Whoever asks again has what was lost done, though the request itself is wrong."""
    ran: list[int] = []

    def deadly() -> None:
        ran.append(1)
        if len(ran) == 1:
            raise Death

    async def flow(call: Call) -> None:
        await call.signal("go")
        await call.run(deadly)

    conductor, call_id = up(world, flow)
    conductor.act(call_id, actions.ListParticipants(), "key")
    with pytest.raises(Death):
        conductor.signal(call_id, "go")
    world.clock.pass_seconds(GRACE + 1)
    with pytest.raises(InvalidInput):
        world.conductor(flows=conductor.flows).act(call_id, actions.HangUp(), "key")
    assert ran == [1, 1]


def test_a_refusal_of_the_service_with_half_a_character_is_journaled(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "switchboard.calls")  # xdist cannot send half a character

    async def flow(call: Call) -> None:
        try:
            await call.play(text("one"))
        except ActionRefused:
            await call.play(text("two"))

    conductor = world.conductor(flows={"flow": Flow("flow", flow)})
    _, call_id = conductor.ring(a_ring(), answering(), "flow")
    opened = world.last()
    world.gateway._answer = lambda request: (
        refuse(400, "\ud800", "\ud800")(request) if request.action.prompts[0].text == "one" else respond(request)  # type: ignore[attr-defined]
    )
    hear(world, conductor, call_id, "CallConnected", opened.operation_context)
    assert plays(world)[-1] == ("two", 0)
    refused = [entry for entry in world.journal(call_id) if isinstance(entry, RefusedEntry)]
    assert [entry.message for entry in refused] == ["?"]


def test_a_sleep_that_the_queue_refuses_is_over_all_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking again would not help; the watchdog wakes the flow by the time in the head."""
    asked: list[int] = []

    def refuses(call_id: str, seq: int, due: int) -> None:
        asked.append(due)
        raise StoreRefused("the storage answered 403")

    async def flow(call: Call) -> None:
        await call.sleep(60)
        await call.play(text("good morning"))

    monkeypatch.setattr(world.timers, "schedule", refuses)
    conductor, call_id = up(world, flow)
    conductor.later.flush()
    for _ in range(5):
        world.clock.pass_seconds(GRACE + 1)
        world.conductor(flows=conductor.flows).watch()
    assert len(asked) == 1
    assert resent(world, call_id) == []
    world.clock.pass_seconds(60)
    world.conductor(flows=conductor.flows).watch()
    assert plays(world) == [("good morning", 0)]
