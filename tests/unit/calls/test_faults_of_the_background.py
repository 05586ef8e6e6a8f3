"""What runs beside the calls (confirmations, signs of life, the watchdog) when the storage fails, memory is old, or
a call is busy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from shared.calls import Call, Flow
from shared.calls.background import _run
from shared.calls.gateway.base import Request
from shared.calls.journal import Entry, EventReceived
from shared.calls.outcome import Outcome
from shared.calls.record import CallRecord
from shared.calls.replay import Session, replay
from shared.calls.store.base import Version
from shared.calls.store.memory import MemoryStore
from shared.errors import LostRace, StoreUnavailable
from tests.unit.calls.losses import GRACE, Death, another, answering_with, dies, hear, plays, react, up
from tests.unit.calls.world import CONNECTION, FLOWS, Instance, World, a_ring, answering, parsed, respond


class Heads(MemoryStore):
    """A store that counts writes of the head alone, and does to the next of them what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.written = 0
        self.before: Callable[[], None] | None = None
        self.after: Callable[[], None] | None = None

    def commit(self, record: CallRecord, appended: Sequence[str], version: Version) -> Version:
        if appended:
            return super().commit(record, appended, version)
        if before := self.before:
            self.before = None
            before()
        done = super().commit(record, appended, version)
        self.written += 1
        if after := self.after:
            self.after = None
            after()
        return done


def fails() -> None:
    raise StoreUnavailable("the storage")


def meets_itself() -> None:
    """The SDK sent it again after its response was lost, and met its own first write."""
    raise LostRace("the call")


@pytest.fixture
def store() -> Heads:
    return Heads()


@pytest.fixture
def world(store: Heads) -> World:
    world = World(store=store)
    world.gateway.states[CONNECTION] = "connected"
    return world


# Memory that is old


def test_a_wake_up_that_comes_to_an_instance_with_old_memory_wakes_the_call(world: World) -> None:
    old = another(world)
    _, call_id = old.ring(a_ring(), answering(), "naps")
    react(world, another(world), call_id)  # elsewhere it is connected, and falls asleep
    ((_, seq, due),) = world.timers.due
    world.clock.now = due
    assert old.wake(call_id, seq, due) is Outcome.ADVANCED
    assert plays(world) == [("good morning", 0)]


def test_the_watchdog_of_an_instance_with_old_memory_sends_what_another_died_over(world: World) -> None:
    old = another(world)
    _, call_id = old.ring(a_ring(), answering(), "speaks")
    world.gateway._answer = answering_with("play", dies)
    with pytest.raises(Death):
        react(world, another(world), call_id)
    world.clock.pass_seconds(GRACE + 1)
    assert old.watch() == {call_id: Outcome.RESENT}
    assert plays(world)[-1] == ("one", 1)


# Confirmations


@pytest.mark.parametrize("times", [1, 3])
def test_a_confirmation_that_the_storage_does_not_take_is_made_later(world: World, store: Heads, times: int) -> None:
    conductor, call_id = up(world, "menu")
    for _ in range(times):
        store.before = fails
        conductor.later.flush()
    conductor.later.flush()
    assert store.peek(call_id).unconfirmed == []
    world.clock.pass_seconds(GRACE + 1)
    assert another(world).watch() == {}


async def records_and_asks(call: Call) -> None:
    """Starts a recording, and asks without waiting for it."""
    recording = call.start_recording()
    await call.recognize(max_tones=1)
    await recording


def test_what_left_beside_a_result_that_the_storage_does_not_take_is_not_asked_twice(
    world: World, store: Heads
) -> None:
    conductor = world.conductor(flows={"records": Flow("records", records_and_asks)})
    plain = store.commit

    def takes_no_results(record: CallRecord, appended: Sequence[str], version: Version) -> Version:
        if any('"recordingId"' in entry for entry in appended):
            raise StoreUnavailable("the storage")
        return plain(record, appended, version)

    _, call_id = conductor.ring(a_ring(), answering(), "records")
    store.commit = takes_no_results  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        react(world, conductor, call_id)
    store.commit = plain  # type: ignore[method-assign]
    conductor.later.flush()
    recording, question = 1, 2
    assert store.peek(call_id).unconfirmed == [recording]
    world.clock.pass_seconds(GRACE + 1)
    assert world.conductor(flows=conductor.flows).watch() == {call_id: Outcome.RESENT}
    asked = [(request.action.kind, request.seq) for request in world.gateway.sent[1:]]
    assert asked == [("start_recording", recording), ("recognize", question), ("start_recording", recording)]


def test_what_leaves_while_the_head_is_written_is_confirmed_afterwards(
    world: World, store: Heads, monkeypatch: pytest.MonkeyPatch
) -> None:
    conductor, call_id = up(world, "menu")
    conductor.later.flush()
    writing, left = threading.Event(), threading.Event()
    alive: list[threading.Thread] = []

    def in_flight() -> None:
        writing.set()
        assert left.wait(10)

    def takes_its_time(request: Request) -> Mapping[str, Any]:
        store.after = in_flight
        alive.append(threading.Thread(target=conductor.later.waiting.pop(f"sending {call_id}")))  # type: ignore[attr-defined]
        alive[0].start()
        assert writing.wait(10)
        return respond(request)

    def confirm(session: Session, seq: int) -> None:
        confirmed(session, seq)
        if writing.is_set():
            left.set()

    confirmed = Session.confirm
    monkeypatch.setattr(Session, "confirm", confirm)
    world.gateway._answer = answering_with("play", takes_its_time)
    react(world, conductor, call_id)
    alive[0].join()
    assert left.is_set()
    conductor.later.flush()
    assert store.peek(call_id).unconfirmed == []


def test_background_work_leaves_a_call_alone_that_a_thread_is_at_work_on(world: World, store: Heads) -> None:
    conductor, call_id = up(world, "menu")
    assert store.peek(call_id).unconfirmed == [1]
    with conductor._cache.locked(call_id):
        for job in (
            lambda: conductor.afterwards.confirm(call_id),
            lambda: conductor.afterwards.keep_alive(call_id),
        ):
            thread = threading.Thread(target=job, daemon=True)
            thread.start()
            thread.join(10)
            assert not thread.is_alive(), "it would keep one of the few threads that keep other calls alive"
    conductor.later.flush()
    assert store.peek(call_id).unconfirmed == []


# Signs of life


def at_work(world: World, store: Heads, while_running: Callable[[Instance, str], None]) -> list[Entry]:
    """A call whose side effect takes ten signs of life; its journal."""
    ran: list[str] = []

    def slow() -> str:
        (call_id,) = store.open_calls()
        ran.append(call_id)
        while_running(conductor, call_id)
        for _ in range(10):
            before = store.written
            job = conductor.later.waiting.pop(f"alive {call_id}", None)  # type: ignore[attr-defined]
            assert job is not None, "nothing keeps it alive any more"
            _run(job)
            signs.append(store.written - before)
        return "done"

    async def works(call: Call) -> None:
        await call.run(slow)

    signs: list[int] = []
    flows = {"works": Flow("works", works)}
    conductor = world.conductor(flows=flows)
    conductor.ring(a_ring(), answering(), "works")
    (call_id,) = store.open_calls()
    conductor.later.flush()
    for body in world.wire.reaction(world.last()):
        conductor.deliver(call_id, [parsed(body)])
    assert len(ran) == 1
    assert sum(signs) >= 9, "one in ten may fail"
    assert signs[2:] == [1] * 8
    return world.journal(call_id)


@pytest.mark.parametrize("fault", ["the storage fails", "its response is lost", "it fails though it was carried out"])
def test_a_sign_of_life_that_goes_wrong_is_not_the_last_one(world: World, store: Heads, fault: str) -> None:
    def goes_wrong(conductor: Instance, call_id: str) -> None:
        if fault == "the storage fails":
            store.before = fails
        else:
            store.after = meets_itself if fault == "its response is lost" else fails

    journal = at_work(world, store, goes_wrong)
    assert [entry.entry for entry in journal].count("answered") == 1


def test_a_side_effect_stays_alive_though_an_event_comes_to_another_instance_meanwhile(
    world: World, store: Heads
) -> None:
    def event_elsewhere(conductor: Instance, call_id: str) -> None:
        other = world.conductor(flows=conductor.flows)
        assert hear(world, other, call_id, "SomethingNew") is Outcome.ADVANCED

    journal = at_work(world, store, event_elsewhere)
    assert [entry.entry for entry in journal].count("answered") == 1


def test_a_head_that_was_written_though_its_response_was_lost_is_not_ones_own_once_another_has_changed_the_call(
    world: World, store: Heads
) -> None:
    """Or else what the other journaled would be missing from memory, and written over."""

    def then_another_hears_an_event() -> None:
        hear(world, another(world), call_id, "SomethingNew")
        meets_itself()

    conductor, call_id = up(world, "menu")
    store.after = then_another_hears_an_event
    conductor.later.flush()
    react(world, conductor, call_id)
    assert plays(world)[-1] == ("You chose yes", 0)
    journal = [entry.event["type"] for entry in world.journal(call_id) if isinstance(entry, EventReceived)]
    assert sum(name.endswith("SomethingNew") for name in journal) == 1
    assert replay(FLOWS["menu"], call_id, world.journal(call_id)) == []
    held = conductor._cache.take(call_id)
    assert held is not None
    assert held.session.record.entries == len(world.journal(call_id))
