"""What is kept, what is confirmed, and when what seems lost is done again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from shared.calls import Call, Flow, actions, text
from shared.calls.lost import GRACES_AT_MOST
from shared.calls.outcome import Outcome
from shared.calls.record import CallRecord
from shared.calls.store.base import Version
from shared.calls.store.memory import MemoryStore
from shared.calls.watchdog import LONGEST_RUN, WAKE_UP_DELAY
from shared.errors import StoreUnavailable
from tests.unit.calls.losses import (
    GRACE,
    Death,
    another,
    answering_with,
    dies,
    failures,
    hear,
    plays,
    resent,
    up,
)
from tests.unit.calls.world import CONNECTION, Instance, World, a_ring, answering, respond


@pytest.fixture
def world() -> World:
    return World()


# What came back at once, and what was confirmed


class NoIndex(MemoryStore):
    """A store whose index cannot be written the first time."""

    down = 1

    def index(self, record: CallRecord) -> tuple[str, ...]:
        if self.down:
            self.down -= 1
            raise StoreUnavailable("the index")
        return super().index(record)


def test_what_came_back_at_once_is_kept_though_the_index_cannot_be_written() -> None:
    world = World(store=NoIndex())

    async def doorkeeper(call: Call) -> None:
        await call.redirect(await call.run(lambda: "+14255550111"))

    conductor = world.conductor(flows={"doorkeeper": Flow("doorkeeper", doorkeeper, opens=True)})
    with pytest.raises(StoreUnavailable):
        conductor.ring(a_ring(), None, "doorkeeper")
    assert world.kinds() == ["redirect"]
    outcome, call_id = conductor.ring(a_ring(), None, "doorkeeper")  # Event Grid delivers again
    assert world.kinds() == ["redirect"]
    assert world.store.peek(call_id).outcome == "redirected"
    assert outcome in (Outcome.LATE, Outcome.DUPLICATE)


@pytest.mark.parametrize("held", [1, 100])
def test_a_question_that_left_is_not_asked_again_because_its_call_left_the_memory(held: int) -> None:
    world = World()
    conductor, call_id = up(world, "menu", another(world, cached_calls=held))
    other_ring = a_ring(context="another", source_event="grid-2")
    object.__setattr__(other_ring, "correlation_id", "another conversation")
    conductor.ring(other_ring, answering(), "menu")
    conductor.later.flush()  # a moment later
    world.clock.pass_seconds(GRACE + 1)
    another(world).watch()
    asked = [r for r in world.gateway.sent if r.action.kind == "recognize" and r.call_id == call_id]
    assert [request.attempt for request in asked] == [0]


def test_a_confirmation_that_meets_a_change_is_made_on_top_of_it(world: World) -> None:
    conductor, call_id = up(world, "menu")
    assert world.store.peek(call_id).unconfirmed == [1]
    hear(world, another(world), call_id, "SomethingNew")
    conductor.later.flush()
    assert world.store.peek(call_id).unconfirmed == []
    assert world.journal(call_id)[-1].entry == "event"


# Sleeps


class NoQueue:
    """Timers whose queue fails the first time."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def schedule(self, call_id: str, seq: int, due: int) -> None:
        self.asked.append(due)
        if len(self.asked) == 1:
            raise StoreUnavailable("the queue")


def test_a_sleep_whose_queue_fails_is_put_there_again_for_the_same_time() -> None:
    timers = NoQueue()
    world = World(timers=timers)  # type: ignore[arg-type]
    conductor, call_id = up(world, "naps")
    assert failures(world, call_id) == []
    world.clock.pass_seconds(GRACE + 1)
    assert conductor.watch() == {call_id: Outcome.RESENT}
    assert len(timers.asked) == 2
    assert timers.asked[0] == timers.asked[1]


def test_a_wake_up_that_was_lost_is_made_good_shortly_after_its_time(world: World) -> None:
    conductor, call_id = up(world, "naps")
    conductor.later.flush()
    ((_, _, due),) = world.timers.due
    assert world.store.peek(call_id).wake_at == due
    world.clock.now = due + WAKE_UP_DELAY
    conductor.watch()
    assert plays(world) == []
    world.clock.now += 1
    assert another(world).watch() == {call_id: Outcome.ADVANCED}
    assert plays(world) == [("good morning", 0)]
    assert world.store.peek(call_id).wake_at == 0
    conductor.wake(*world.timers.due[0])  # it comes after all
    assert plays(world) == [("good morning", 0)]


def test_a_wake_up_that_was_lost_is_made_good_where_the_head_does_not_say_when_it_was_due(world: World) -> None:
    """Versions before 0.2.0 wrote no such column."""
    conductor, call_id = up(world, "naps")
    world.gateway.states[CONNECTION] = "connected"
    conductor.later.flush()
    stored = world.store.load(call_id)
    stored.record.wake_at = 0
    world.store.commit(stored.record, [], stored.version)
    world.clock.now = world.timers.due[0][2] + WAKE_UP_DELAY
    conductor.watch()
    assert plays(world) == []
    world.clock.now += 1
    assert another(world).watch() == {call_id: Outcome.ADVANCED}
    assert plays(world) == [("good morning", 0)]


def test_of_several_sleeps_only_those_that_are_over_are_ended(world: World) -> None:
    async def several(call: Call) -> None:
        call.play(text("music"), loop=True)
        sleeps = [call.sleep(seconds) for seconds in (10, 11.995, 12.001, 20)]
        for number, sleep in enumerate(sleeps):
            await sleep
            await call.run(over.append, number)

    over: list[int] = []
    conductor = world.conductor(flows={"several": Flow("several", several)})
    call_id = world.answered(conductor, "several")
    world.gateway.states[CONNECTION] = "connected"
    conductor.later.flush()
    world.clock.pass_seconds(12.001)
    conductor.watch()
    assert over == [0, 1]
    assert world.store.peek(call_id).wake_at == world.timers.due[2][2]
    world.clock.pass_seconds(90)
    conductor.watch()
    assert over == [0, 1, 2, 3]
    assert world.store.peek(call_id).wake_at == 0
    assert world.kinds() == ["answer", "play", "hang_up"], "the service is asked for no sleep"


# The grace period


def sent_by_nobody(world: World, flow: str = "speaks", kind: str = "play") -> tuple[Instance, str]:
    """A call whose instance died with its first action committed and not sent; another instance."""
    world.gateway._answer = answering_with(kind, dies)
    with pytest.raises(Death):
        up(world, flow)
    world.gateway._answer = respond
    world.gateway.sent.pop()
    world.gateway.performed.pop()
    (call_id,) = world.store.open_calls()
    return another(world), call_id


def test_the_grace_period_begins_with_the_storages_last_write(world: World) -> None:
    other, call_id = sent_by_nobody(world)
    world.clock.pass_seconds(6)
    hear(world, other, call_id, "SomethingNew")
    world.clock.pass_seconds(GRACE)
    assert other.advance(call_id, []) is Outcome.DUPLICATE
    world.clock.pass_seconds(0.001)
    assert other.advance(call_id, []) is Outcome.RESENT
    assert plays(world) == [("one", 1)]


def test_however_much_a_call_hears_what_nobody_sent_is_sent_after_three_grace_periods(world: World) -> None:
    other, call_id = sent_by_nobody(world)
    issued = world.clock.now
    for _ in range(4):
        world.clock.pass_seconds(5)
        hear(world, other, call_id, "SomethingNew")
    world.clock.now = issued + int(GRACES_AT_MOST * GRACE * 1000)
    assert other.advance(call_id, []) is Outcome.DUPLICATE
    world.clock.now += 1
    assert other.advance(call_id, []) is Outcome.RESENT
    assert plays(world) == [("one", 1)]
    world.clock.pass_seconds(GRACE + 1)
    assert other.advance(call_id, []) is Outcome.DUPLICATE, "it left, as this instance knows"


# Rings


@pytest.mark.parametrize("opening", [actions.Answer(), actions.Reject()], ids=lambda action: action.kind)
def test_a_ring_that_comes_again_opens_a_call_that_its_instance_died_over(world: World, opening: Any) -> None:
    world.gateway._answer = dies
    with pytest.raises(Death):
        another(world).ring(a_ring(), opening, "speaks")
    world.gateway._answer = respond
    world.gateway._ran.clear()
    world.gateway.performed.clear()
    other = another(world)
    world.clock.now += 2000
    assert other.ring(a_ring(), opening, "speaks")[0] is Outcome.DUPLICATE
    assert world.kinds() == []
    world.clock.now += 1
    assert other.ring(a_ring(), opening, "speaks")[0] is Outcome.RESENT
    assert world.kinds() == [opening.kind]
    assert world.last().attempt == 0, "the service knows it by its repeatability id"


def test_what_is_not_about_the_ring_waits_for_the_grace_period_though_the_call_rings(world: World) -> None:
    world.gateway._answer = dies
    with pytest.raises(Death):
        another(world).ring(a_ring(), answering(), "speaks")
    other = another(world)
    (call_id,) = world.store._calls  # type: ignore[attr-defined]
    other.signal(call_id, "click", signal_id="one")
    world.clock.pass_seconds(5)
    assert other.signal(call_id, "click", signal_id="one") is Outcome.DUPLICATE


@pytest.mark.parametrize(("flow", "kind"), [("speaks", "play"), ("hands_over", "transfer")])
def test_a_ring_that_comes_again_sends_nothing_again_once_the_call_is_up(world: World, flow: str, kind: str) -> None:
    other, call_id = sent_by_nobody(world, flow, kind)
    world.clock.pass_seconds(5)
    assert other.ring(a_ring(), answering(), flow) == (Outcome.DUPLICATE, call_id)
    assert world.kinds() == ["answer"]


def test_a_side_effect_is_not_run_again_because_the_ring_comes_again(world: World) -> None:
    ran = []

    def deadly() -> None:
        ran.append(1)
        raise Death

    async def looks_up(call: Call) -> None:
        await call.run(deadly)

    flows = {"looks_up": Flow("looks_up", looks_up, opens=True)}
    with pytest.raises(Death):
        world.conductor(flows=flows).ring(a_ring(), None, "looks_up")
    world.clock.pass_seconds(GRACE)
    assert world.conductor(flows=flows).ring(a_ring(), None, "looks_up")[0] is Outcome.DUPLICATE
    assert ran == [1]
    world.clock.pass_seconds(0.001)
    with pytest.raises(Death):
        world.conductor(flows=flows).ring(a_ring(), None, "looks_up")
    assert ran == [1, 1]


def test_a_stale_ring_of_a_call_that_its_instance_died_over_has_the_watchdog_see_it(world: World) -> None:
    world.gateway._answer = dies
    with pytest.raises(Death):
        another(world).ring(a_ring(), answering(), "speaks")
    world.gateway._answer = respond
    world.gateway.performed.clear()
    assert list(world.store.open_calls()) == []
    other = another(world)
    world.clock.pass_seconds(31)
    outcome, call_id = other.ring(a_ring(), answering(), "speaks")
    assert outcome is Outcome.STALE
    assert list(world.store.open_calls()) == [call_id]
    assert world.kinds() == []


def test_a_stale_ring_of_a_call_that_nobody_claimed_claims_nothing(world: World) -> None:
    world.clock.pass_seconds(30.001)
    assert another(world).ring(a_ring(), answering(), "speaks")[0] is Outcome.STALE
    assert list(world.store.open_calls()) == []
    world = World()
    world.clock.pass_seconds(30)
    assert another(world).ring(a_ring(), answering(), "speaks")[0] is Outcome.CLAIMED


# Side effects


class ClockedStore(MemoryStore):
    """A store with a clock of its own, as the real one: a write of the head alone is later than its newest entry."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._clock = world.clock

    def commit(self, record: CallRecord, appended: Sequence[str], version: Version) -> Version:
        done = super().commit(record, appended, version)
        self._calls[record.call_id].record.written_at = self._clock()
        return done


def test_a_side_effect_that_takes_longer_than_the_grace_period_is_not_run_by_another_instance_too(
    world: World,
) -> None:
    world.store = ClockedStore(world)
    ran = []

    def slow() -> str:
        ran.append(1)
        alive = next(key for key in conductor.later.waiting if key.startswith("alive"))  # type: ignore[attr-defined]
        for _ in range(10):
            world.clock.pass_seconds(GRACE / 3)
            conductor.later.waiting.pop(alive)()  # type: ignore[attr-defined]
            other.watch()
        return "done"

    async def works(call: Call) -> None:
        await call.run(slow)
        await call.play(text("done"))

    flows = {"works": Flow("works", works)}
    conductor, other = world.conductor(flows=flows), world.conductor(flows=flows)
    world.gateway.states[CONNECTION] = "connected"
    call_id = world.answered(conductor, "works")
    assert ran == [1]
    assert resent(world, call_id) == []
    assert plays(world) == [("done", 0)]


def test_the_head_is_written_three_times_a_grace_period_and_not_once_the_side_effect_is_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    delays: list[float] = []
    jobs: list[Callable[[], None]] = []
    commits: list[int] = []

    def works() -> None:
        jobs[-1]()

    async def flow(call: Call) -> None:
        await call.run(works)

    conductor = world.conductor(flows={"flow": Flow("flow", flow)})
    soon, commit = conductor.later.soon, world.store.commit

    def noted(key: str, job: Callable[[], None], delay: float = 0.0) -> None:
        if key.startswith("alive"):
            delays.append(delay)
            jobs.append(job)
        else:
            soon(key, job, delay)

    def counted(record: CallRecord, appended: Sequence[str], version: Version) -> Version:
        commits.append(len(appended))
        return commit(record, appended, version)

    monkeypatch.setattr(conductor.later, "soon", noted)
    monkeypatch.setattr(world.store, "commit", counted)
    world.answered(conductor, "flow")
    assert set(delays) == {GRACE / 3}
    assert commits.count(0) == 1
    jobs[-1]()
    assert commits.count(0) == 1


def test_a_side_effect_keeps_its_call_alive_though_another_instance_hears_an_event_meanwhile(world: World) -> None:
    world.store = ClockedStore(world)
    ran = []

    def slow() -> None:
        ran.append(1)
        (call_id,) = world.store.open_calls()
        hear(world, other, call_id, "SomethingNew")
        for _ in range(10):
            world.clock.pass_seconds(GRACE / 3)
            conductor.later.waiting.pop(f"alive {call_id}")()  # type: ignore[attr-defined]
            other.watch()

    async def works(call: Call) -> None:
        await call.run(slow)

    flows = {"works": Flow("works", works)}
    conductor, other = world.conductor(flows=flows), world.conductor(flows=flows)
    world.gateway.states[CONNECTION] = "connected"
    call_id = world.answered(conductor, "works")
    assert ran == [1]
    assert resent(world, call_id) == []


def test_what_an_event_has_confirmed_is_not_written_down_once_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    conductor, call_id = up(world, "speaks")
    hear(world, conductor, call_id, "PlayStarted", f"{call_id}:1:0")
    conductor.later.waiting.pop(f"index {call_id}", None)  # type: ignore[attr-defined]
    before = world.store.load(call_id).version
    conductor.later.flush()
    assert world.store.load(call_id).version == before


def test_a_side_effect_whose_instance_dies_is_run_again_after_the_grace_period(world: World) -> None:
    ran = []

    def deadly() -> str:
        ran.append(1)
        if len(ran) == 1:
            world.clock.pass_seconds(20)
            raise Death
        return "done"

    async def works(call: Call) -> None:
        await call.run(deadly)
        await call.play(text("done"))

    flows = {"works": Flow("works", works)}
    world.gateway.states[CONNECTION] = "connected"
    conductor = world.conductor(flows=flows)
    with pytest.raises(Death):
        world.answered(conductor, "works")
    (call_id,) = world.store.open_calls()
    other = world.conductor(flows=flows)
    assert other.watch() == {call_id: Outcome.RESENT}
    assert ran == [1, 1]
    assert plays(world) == [("done", 0)]


def test_a_call_that_ends_while_its_side_effect_is_lost_is_not_closed_without_an_outcome(world: World) -> None:
    ran = []

    def deadly() -> str:
        ran.append(1)
        if len(ran) == 1:
            raise Death
        return "saved"

    async def saves(call: Call) -> None:
        try:
            await call.play(text("hello"), loop=True)
        finally:
            await call.run(deadly)

    flows = {"saves": Flow("saves", saves)}
    conductor = world.conductor(flows=flows)
    call_id = world.answered(conductor, "saves")
    with pytest.raises(Death):
        hear(world, conductor, call_id, "CallDisconnected", None, result=(200, 5000, "left"))
    other = world.conductor(flows=flows)
    world.clock.pass_seconds(GRACE)
    other.watch()
    assert list(world.store.open_calls()) == [call_id]
    world.clock.pass_seconds(1)
    other.watch()
    other.later.flush()
    assert ran == [1, 1]
    assert world.store.peek(call_id).outcome == "caller_left"
    assert world.store.archive[call_id]["outcome"] == "caller_left"  # type: ignore[attr-defined]
    assert list(world.store.open_calls()) == []


def test_a_call_whose_side_effect_never_comes_to_an_end_is_closed_in_the_end(world: World) -> None:
    def deadly() -> str:
        raise Death

    async def saves(call: Call) -> None:
        try:
            await call.play(text("hello"), loop=True)
        finally:
            await call.run(deadly)

    flows = {"saves": Flow("saves", saves)}
    conductor = world.conductor(flows=flows)
    call_id = world.answered(conductor, "saves")
    with pytest.raises(Death):
        hear(world, conductor, call_id, "CallDisconnected", None, result=(200, 5000, "left"))
    closer = world.conductor(flows={})  # the flow is gone: nobody can run it any more
    world.clock.now += LONGEST_RUN
    with pytest.raises(Death):
        world.conductor(flows=flows).advance(call_id, [])
    world.clock.now += LONGEST_RUN + 1
    closer.watch()
    assert call_id in world.store.archive  # type: ignore[attr-defined]
