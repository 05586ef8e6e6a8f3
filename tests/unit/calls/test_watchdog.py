"""The watchdog: what it asks, how often, and what it does beside what."""

from __future__ import annotations

import dataclasses
import threading
from itertools import pairwise
from typing import Any

import pytest

from shared.calls import Call, Flow, actions, text
from shared.calls.background import WORKERS, Background
from shared.calls.journal import GaveUp, Settled
from shared.calls.outcome import Outcome
from shared.calls.store.base import Stored
from shared.calls.store.memory import MemoryStore
from shared.calls.watchdog import AT_ONCE, LONGEST_PAUSE, NEVER_CONNECTED
from tests.unit.calls.world import CONNECTION, Instance, World, a_ring, answering, parsed

GRACE, QUIET, TICK = 7.0, 60.0, 30.0
PATIENCE = 30.0


async def waits(call: Call) -> None:
    """Waits for what nobody says."""
    await call.signal("never")


async def speaks(call: Call) -> None:
    """Says one thing."""
    await call.play(text("one"))


HERE = {"waits": Flow("waits", waits), "speaks": Flow("speaks", speaks)}


class Asked:
    """A service that knows every call, and keeps which connections it was asked about."""

    def __init__(self, world: World) -> None:
        self.connections: list[str] = []
        self.answer: str | None = "connected"
        world.gateway.connection_state = self  # type: ignore[method-assign]

    def __call__(self, connection_id: str) -> str | None:
        self.connections.append(connection_id)
        return self.answer


@pytest.fixture
def world() -> World:
    return World()


def instance(world: World) -> Instance:
    return world.conductor(flows=HERE)


def calls(world: World, conductor: Instance, number: int, flow: str = "waits") -> list[str]:
    """So many calls that are up and of which nothing more is heard."""
    found = []
    for each in range(number):
        ring = dataclasses.replace(
            a_ring(world.clock.now, context=f"ring {each}"), correlation_id=f"conversation {each}"
        )
        _, call_id = conductor.ring(ring, answering(), flow)
        for body in world.wire.reaction(world.last()):
            conductor.deliver(call_id, [parsed(body)])
        found.append(call_id)
    conductor.later.flush()
    conductor.later.flush()
    return found


# Questions to the service


def test_a_quiet_call_is_asked_about_ever_more_rarely(world: World) -> None:
    asked = Asked(world)
    calls(world, instance(world), 20)
    watching = instance(world)
    world.clock.pass_seconds(QUIET + 1)
    for _ in range(10):
        world.clock.pass_seconds(TICK)
        assert watching.watch() == {}
    assert 20 <= len(asked.connections) <= 2 * 20


def test_the_pauses_double_up_to_a_quarter_of_an_hour(world: World) -> None:
    asked = Asked(world)
    calls(world, instance(world), 1)
    watching, times = instance(world), []
    for second in range(0, 2 * 3600, 10):
        before = len(asked.connections)
        watching.watch()
        if len(asked.connections) > before:
            times.append(second)
        world.clock.pass_seconds(10)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert times[0] == QUIET + 10
    assert gaps == [120, 240, 480, *[LONGEST_PAUSE // 1000] * (len(gaps) - 3)]
    assert len(gaps) >= 5


def test_a_call_that_is_heard_of_again_is_asked_about_like_a_new_one(world: World) -> None:
    asked = Asked(world)
    conductor = instance(world)
    (call_id,) = calls(world, conductor, 1)
    for _ in range(20):
        world.clock.pass_seconds(TICK)
        conductor.watch()
    before = len(asked.connections)
    conductor.deliver(call_id, [parsed(world.wire.event("SomethingNew"))])
    conductor.watch()
    world.clock.pass_seconds(QUIET + 1)
    conductor.watch()
    assert len(asked.connections) == before + 1


def test_a_call_that_the_service_no_longer_knows_is_settled(world: World) -> None:
    asked = Asked(world)
    conductor = instance(world)
    (call_id,) = calls(world, conductor, 1)
    asked.answer = None
    world.clock.pass_seconds(QUIET)
    assert conductor.watch() == {}
    assert asked.connections == []
    world.clock.pass_seconds(0.001)
    assert conductor.watch() == {call_id: Outcome.ADVANCED}
    assert asked.connections == [CONNECTION]
    assert world.store.peek(call_id).outcome == "settled"
    assert any(isinstance(entry, Settled) for entry in world.journal(call_id))
    assert list(world.store.open_calls()) == []


def test_a_call_that_never_got_a_connection_is_settled_without_a_question(world: World) -> None:
    asked = Asked(world)
    world.gateway._answer = lambda request: {}
    conductor = instance(world)
    _, call_id = conductor.ring(a_ring(), answering(), "waits")
    conductor.later.flush()
    world.clock.now += NEVER_CONNECTED
    conductor.watch()
    assert world.store.peek(call_id).status != "ended"
    world.clock.now += 1
    assert conductor.watch() == {call_id: Outcome.ADVANCED}
    assert (world.store.peek(call_id).outcome, asked.connections) == ("settled", [])


def test_an_outcome_that_cannot_be_expected_any_more_is_given_up_though_the_call_is_asked_about_rarely(
    world: World,
) -> None:
    Asked(world)
    conductor = instance(world)
    (call_id,) = calls(world, conductor, 1, "speaks")
    timeout = actions.Play(prompts=(text("one"),)).timeout
    assert timeout is not None
    began = world.clock.now
    while not any(isinstance(entry, GaveUp) for entry in world.journal(call_id)):
        world.clock.pass_seconds(1)
        conductor.watch()
        assert world.clock.now - began <= (max(timeout, QUIET) + 2) * 1000
    assert world.clock.now - began > timeout * 1000


def test_a_question_that_finds_an_action_still_in_its_time_is_put_again_when_that_is_over(world: World) -> None:
    Asked(world)

    async def long(call: Call) -> None:
        await call.recognize(max_tones=1)

    conductor = world.conductor(flows={"waits": Flow("waits", long)})
    (call_id,) = calls(world, conductor, 1)
    (waiting,) = conductor.open_operations(call_id)
    assert waiting.action.timeout is not None
    due = waiting.issued_at + int(waiting.action.timeout * 1000)
    world.clock.pass_seconds(QUIET + 1)
    conductor.watch()  # the next question would come after two minutes
    world.clock.now = due
    assert conductor.watch() == {}
    world.clock.now = due + 1
    assert conductor.watch() == {call_id: Outcome.ADVANCED}


# What it looks at


def test_a_call_that_hears_things_costs_one_read_a_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    Asked(world)
    conductor = instance(world)
    calls(world, conductor, 5)
    loads: list[str] = []
    plain = world.store.load

    def load(call_id: str) -> Stored:
        loads.append(call_id)
        return plain(call_id)

    monkeypatch.setattr(world.store, "load", load)
    watching = instance(world)
    world.clock.pass_seconds(TICK)
    watching.watch()
    assert loads == []


def test_calls_are_looked_at_side_by_side(world: World) -> None:
    asked = Asked(world)
    conductor = instance(world)
    calls(world, conductor, AT_ONCE)
    together = threading.Barrier(AT_ONCE, timeout=PATIENCE)
    met = []

    def meet(connection_id: str) -> str:
        met.append(together.wait())
        return "connected"

    world.gateway.connection_state = meet  # type: ignore[method-assign]
    world.clock.pass_seconds(QUIET + 1)
    conductor.watch()
    assert sorted(met) == list(range(AT_ONCE))
    assert asked.connections == []


def test_a_call_that_cannot_be_looked_at_keeps_it_from_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = Asked(world)
    conductor = instance(world)
    first, *others = calls(world, conductor, 3)
    asked.answer = None
    plain = world.store.peek

    def peek(call_id: str) -> Any:
        if call_id == first:
            raise RuntimeError("odd")
        return plain(call_id)

    monkeypatch.setattr(world.store, "peek", peek)
    world.clock.pass_seconds(QUIET + 1)
    assert set(conductor.watch()) == set(others)
    assert f"could not settle call={first}" in caplog.text


def test_an_action_that_is_unconfirmed_and_young_is_looked_at_when_its_grace_period_ends(world: World) -> None:
    """A dead instance left it; nobody waits for the next run on top."""
    conductor = instance(world)
    _, call_id = conductor.ring(a_ring(), answering(), "speaks")
    for body in world.wire.reaction(world.last()):
        conductor.deliver(call_id, [parsed(body)])
    assert world.store.peek(call_id).unconfirmed == [1]
    asked_for: list[tuple[str, float]] = []
    watching = instance(world)
    soon = watching.later.soon
    watching.later.soon = lambda key, job, delay=0.0: (asked_for.append((key, delay)), soon(key, job, delay))[1]  # type: ignore[method-assign,func-returns-value]
    world.clock.pass_seconds(4)
    assert watching.watch() == {}
    ((key, delay),) = asked_for
    assert key == f"watch {call_id}"
    assert GRACE - 4 < delay < GRACE - 3
    world.clock.pass_seconds(delay)
    watching.later.flush()
    assert [request.attempt for request in world.gateway.sent if request.action.kind == "play"] == [0, 1]


def test_what_this_instance_knows_to_have_left_is_written_down_and_not_sent_again(world: World) -> None:
    conductor = instance(world)
    _, call_id = conductor.ring(a_ring(), answering(), "speaks")
    for body in world.wire.reaction(world.last()):
        conductor.deliver(call_id, [parsed(body)])
    world.clock.pass_seconds(GRACE + 1)
    assert conductor.watch() == {}
    assert world.store.peek(call_id).unconfirmed == []
    assert [request.attempt for request in world.gateway.sent if request.action.kind == "play"] == [0]


@pytest.mark.parametrize("tick", [TICK, 5.0])
def test_an_action_that_stays_unconfirmed_on_a_call_that_keeps_hearing_things_is_sent_in_the_end(
    world: World, tick: float
) -> None:
    """A dead instance left it; other events come all the time, so that the call is never quiet."""
    conductor = instance(world)
    _, call_id = conductor.ring(a_ring(), answering(), "speaks")
    for body in world.wire.reaction(world.last()):
        conductor.deliver(call_id, [parsed(body)])
    watching, began = instance(world), world.clock.now
    while world.gateway.sent[-1].attempt == 0:
        world.clock.pass_seconds(5)
        watching.deliver(call_id, [parsed(world.wire.event("SomethingNew"))])
        if (world.clock.now - began) % (tick * 1000) == 0:
            watching.watch()
        assert world.clock.now - began <= (3 * GRACE + 2 * tick) * 1000
    assert world.clock.now - began > 3 * GRACE * 1000, "its instance may be alive, and held up"
    assert [request.attempt for request in world.gateway.sent if request.action.kind == "play"] == [0, 1]


@pytest.mark.parametrize("opening", [False, True])
def test_such_a_call_is_loaded_only_when_its_time_has_come(
    world: World, monkeypatch: pytest.MonkeyPatch, opening: bool
) -> None:
    conductor = instance(world)
    _, call_id = conductor.ring(a_ring(), answering(), "speaks")
    if not opening:
        for body in world.wire.reaction(world.last()):
            conductor.deliver(call_id, [parsed(body)])
        instance(world).act(call_id, actions.Play(prompts=(text("a word"),)))
    world.gateway.sent.clear()
    watching, loads = instance(world), list[str]()
    advance = watching.advance

    def counted(call_id: str, inputs: Any) -> Outcome:
        loads.append(call_id)
        return advance(call_id, inputs)

    monkeypatch.setattr(watching, "advance", counted)
    for seconds in (0, 7, 6.999, 0.001, 0.001):
        world.clock.pass_seconds(seconds)
        if not opening:
            instance(world).act(call_id, actions.Play(prompts=(text("a word"),)))  # a newer one, unconfirmed as well
        other = instance(world)
        other.deliver(call_id, [parsed(world.wire.event("SomethingNew"))])
        assert loads == []
        watching.watch()
    assert len(loads) == 1


def test_actions_that_are_confirmed_in_their_time_are_no_matter_of_the_watchdog(world: World) -> None:
    """Each of them is unconfirmed when the watchdog looks; none of them for long."""
    conductor = instance(world)
    _, call_id = conductor.ring(a_ring(), answering(), "waits")
    watching = instance(world)
    for _ in range(10):
        conductor.act(call_id, actions.Play(prompts=(text("a word"),)))
        world.clock.pass_seconds(5)
        assert watching.watch() == {}
        for body in world.wire.reaction(world.last()):
            conductor.deliver(call_id, [parsed(body)])
    assert {request.attempt for request in world.gateway.sent} == {0}


# Ended calls


def ended(world: World, conductor: Instance) -> str:
    (call_id,) = calls(world, conductor, 1)
    conductor.deliver(call_id, [parsed(world.wire.event("CallDisconnected", None, (200, 5000, "left")))])
    return call_id


def test_a_call_that_ended_and_was_not_closed_is_closed_after_the_grace_period(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    conductor = instance(world)
    monkeypatch.setattr(conductor.afterwards, "later_close", lambda call_id: None)  # it dies before
    call_id = ended(world, conductor)
    watching = instance(world)
    world.clock.pass_seconds(GRACE)
    assert watching.watch() == {}
    assert list(world.store.open_calls()) == [call_id]
    world.clock.pass_seconds(0.001)
    assert watching.watch() == {call_id: Outcome.ADVANCED}
    assert list(world.store.open_calls()) == []
    assert call_id in world.store.archive  # type: ignore[attr-defined]


def test_calls_are_closed_side_by_side_at_the_pace_at_which_they_end() -> None:
    class Meeting(MemoryStore):
        """A store whose close waits until so many are closed at once."""

        def close(self, record: Any, document: dict[str, Any]) -> None:
            together.wait()
            super().close(record, document)
            closed.release()

    together, closed = threading.Barrier(WORKERS, timeout=PATIENCE), threading.Semaphore(0)
    world = World(store=Meeting())
    conductor = Instance(
        store=world.store,
        gateway=world.gateway,
        timers=world.timers,
        flows={},
        callback_url=lambda call_id, family: "https://app.example",
        clock=world.clock,
        later=Background(),
    )
    for number in range(WORKERS):
        ring = dataclasses.replace(a_ring(context=f"ring {number}"), correlation_id=f"conversation {number}")
        conductor.ring(ring, actions.Reject())
    for _ in range(WORKERS):
        assert closed.acquire(timeout=PATIENCE)
    assert list(world.store.open_calls()) == []


# To the millisecond


def test_a_call_without_a_connection_has_two_and_a_half_minutes(world: World) -> None:
    Asked(world)
    world.gateway._answer = lambda request: {}
    conductor = instance(world)
    _, call_id = conductor.ring(a_ring(), answering(), "waits")
    conductor.later.flush()
    world.clock.now += 150_000
    assert conductor.watch() == {}
    world.clock.now += 1
    assert conductor.watch() == {call_id: Outcome.ADVANCED}


def test_a_call_that_is_found_with_something_unsent_is_looked_at_again_when_its_grace_period_is_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    conductor = instance(world)
    conductor.ring(a_ring(), answering(), "speaks")
    conductor.later.flush()
    for body in world.wire.reaction(world.last()):
        conductor.deliver(next(world.store.open_calls()), [parsed(body)])
    watching, delays = instance(world), dict[str, float]()
    monkeypatch.setattr(watching.later, "soon", lambda key, job, delay=0.0: delays.update({key: delay}))
    world.clock.pass_seconds(2)
    assert watching.watch() == {}
    assert delays == {f"watch {next(world.store.open_calls())}": 5.01}


def test_what_left_is_written_down_though_the_index_stands(world: World) -> None:
    conductor = instance(world)
    (call_id,) = calls(world, conductor, 1)
    conductor.act(call_id, actions.Play(prompts=(text("a word"),)))
    conductor.later.waiting.clear()  # type: ignore[attr-defined]  # its confirmation is held up
    assert world.store.peek(call_id).unconfirmed != []
    world.clock.pass_seconds(GRACE + 1)
    assert conductor.watch() == {}
    assert world.store.peek(call_id).unconfirmed == []


def unsent(world: World) -> str:
    """A call whose first prompt is out, as only its instance knows, which is gone."""
    conductor = instance(world)
    _, call_id = conductor.ring(a_ring(), answering(), "speaks")
    for body in world.wire.reaction(world.last()):
        conductor.deliver(call_id, [parsed(body)])
    return call_id


def test_a_head_that_was_written_since_shows_that_somebody_is_at_work(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_id = unsent(world)
    watching = instance(world)
    advanced: list[str] = []
    monkeypatch.setattr(watching, "advance", lambda call_id, inputs: advanced.append(call_id))
    world.clock.pass_seconds(GRACE + 1)
    world.store._calls[call_id].record.written_at = world.clock.now - 1000  # type: ignore[attr-defined]
    assert watching.watch() == {}
    assert advanced == []


def keeps_hearing(world: World, watching: Instance, call_id: str) -> list[dict[str, Outcome]]:
    """What the watchdog does on a call that hears something every five seconds, for three grace periods and more."""
    done = []
    for _ in range(6):
        world.clock.pass_seconds(5)
        watching.deliver(call_id, [parsed(world.wire.event("SomethingNew"))])
        done.append(watching.watch())
    return done


def test_the_watchdog_says_what_it_sent_of_a_call_that_keeps_hearing_things(world: World) -> None:
    call_id = unsent(world)
    assert keeps_hearing(world, instance(world), call_id) == [{}, {}, {}, {}, {call_id: Outcome.RESENT}, {}]


def test_of_a_call_that_keeps_hearing_things_nothing_is_sent_that_this_instance_knows_to_have_left(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_id = unsent(world)
    watching, unchanged = instance(world), Outcome.DUPLICATE
    monkeypatch.setattr(watching, "advance", lambda call_id, inputs: unchanged)
    monkeypatch.setattr(watching, "deliver", instance(world).deliver)
    assert keeps_hearing(world, watching, call_id) == [{}] * 6


@pytest.mark.parametrize("ended", [True, False])
def test_the_rows_of_a_call_that_is_over_are_left_to_its_closing(
    world: World, monkeypatch: pytest.MonkeyPatch, ended: bool
) -> None:
    conductor = instance(world)
    (call_id,) = calls(world, conductor, 1)
    kept = world.store._calls[call_id].record  # type: ignore[attr-defined]
    kept.indexed = ()
    if ended:
        kept.status, kept.outcome = "ended", "completed"
    watching, indexed = instance(world), list[str]()
    monkeypatch.setattr(watching.afterwards, "index", indexed.append)
    world.clock.pass_seconds(GRACE + 1)
    watching.watch()
    assert indexed == ([] if ended else [call_id])


def test_of_several_outcomes_the_earliest_ends_the_pause(world: World) -> None:
    asked = Asked(world)

    async def both(call: Call) -> None:
        short, long = (call.recognize(max_tones=1, initial_silence=seconds) for seconds in (20, 200))
        await call.gather(long, short, call.signal("never"))

    conductor = world.conductor(flows={"waits": Flow("waits", both)})
    (call_id,) = calls(world, conductor, 1)
    waiting = conductor.open_operations(call_id)
    dues = sorted(one.issued_at + int(one.action.timeout * 1000) for one in waiting if one.action.timeout)
    assert len(dues) == 2
    assert dues[0] < dues[1]
    world.clock.pass_seconds(QUIET + 1)
    assert conductor.watch() == {}
    assert len(asked.connections) == 1
    world.clock.now = dues[0] - 1
    conductor.watch()
    assert len(asked.connections) == 1, "its outcome can still be expected"
    world.clock.now = dues[0] + 1
    assert conductor.watch() == {call_id: Outcome.ADVANCED}


def test_what_has_no_patience_is_waited_for_without_end(world: World) -> None:
    Asked(world)

    async def music(call: Call) -> None:
        await call.gather(call.play(text("music"), loop=True), call.signal("never"))

    conductor = world.conductor(flows={"waits": Flow("waits", music)})
    (call_id,) = calls(world, conductor, 1)
    (playing,) = conductor.open_operations(call_id)
    assert playing.action.timeout is None
    assert conductor.watchdog._overdue(playing, world.clock.now + 10**9) is None
    for _ in range(3):
        world.clock.pass_seconds(24 * 3600)
        assert conductor.watch() == {}
