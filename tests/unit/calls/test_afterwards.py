"""What is done for a call beside its events: confirmations, signs of life, the index; in whose hands, and how often."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from shared.calls import Call, Flow, text
from shared.calls.gateway.base import Request
from shared.calls.outcome import Outcome
from shared.calls.record import CallRecord
from shared.calls.store.base import Stored, Version
from shared.calls.store.memory import MemoryStore
from shared.errors import LostRace, StoreUnavailable
from tests.found_calls import newest_call
from tests.unit.calls.losses import another, answering_with, hear, react, up
from tests.unit.calls.world import CONNECTION, Instance, World, a_ring, answering, parsed, respond

THIRD = 7.0 / 3
"""Seconds between two signs of life."""


class Heads(MemoryStore):
    """A store that counts loads and writes of the head alone, and does to the next of the latter what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.loads = self.written = self.indexed_rows = 0
        self.before: Callable[[], object] | None = None
        self.after: Callable[[], object] | None = None

    def load(self, call_id: str) -> Stored:
        self.loads += 1
        return super().load(call_id)

    def commit(self, record: CallRecord, appended: Sequence[str], version: Version) -> Version:
        if appended:
            return super().commit(record, appended, version)
        before, self.before = self.before, None
        if before:
            before()
        done = super().commit(record, appended, version)
        self.written += 1
        after, self.after = self.after, None
        if after:
            after()
        return done

    def _merge(self, row: Any) -> None:
        self.indexed_rows += 1
        super()._merge(row)


@pytest.fixture
def store() -> Heads:
    return Heads()


@pytest.fixture
def world(store: Heads) -> World:
    world = World(store=store)
    world.gateway.states[CONNECTION] = "connected"
    return world


def job(conductor: Instance, key: str) -> Callable[[], None]:
    """What waits under this key, which is taken out."""
    waiting: dict[str, Callable[[], None]] = conductor.later.waiting  # type: ignore[attr-defined]
    return waiting.pop(key)


def waits(conductor: Instance, key: str) -> bool:
    return key in conductor.later.waiting  # type: ignore[attr-defined]


def fails() -> None:
    raise StoreUnavailable("the storage")


# Confirmations


def test_a_confirmation_that_meets_a_thread_at_work_writes_nothing_and_comes_back(world: World, store: Heads) -> None:
    conductor, call_id = up(world, "menu")
    job(conductor, f"confirm {call_id}")
    with conductor._cache.locked(call_id):
        thread = threading.Thread(target=lambda: conductor.afterwards.confirm(call_id))
        thread.start()
        thread.join(10)
        assert store.written == 0
    job(conductor, f"confirm {call_id}")()
    assert store.peek(call_id).unconfirmed == []


def test_a_confirmation_that_the_storage_does_not_take_is_told_and_comes_back(world: World, store: Heads) -> None:
    conductor, call_id = up(world, "menu")
    confirm = job(conductor, f"confirm {call_id}")
    store.before = fails
    with pytest.raises(StoreUnavailable):
        confirm()
    job(conductor, f"confirm {call_id}")()
    assert store.peek(call_id).unconfirmed == []


def test_a_confirmation_of_what_the_head_says_already_is_no_write(world: World, store: Heads) -> None:
    conductor, call_id = up(world, "menu")
    job(conductor, f"confirm {call_id}")()
    before = store.written
    conductor.afterwards.confirm(call_id)
    assert store.written == before == 1


# While the service takes its time


def sending(
    world: World, conductor: Instance, call_id: str, meanwhile: Callable[[str], object], kind: str = "play"
) -> None:
    """The next action of this kind takes so long that `meanwhile` happens; it is given the key of the sign of life."""

    def takes_its_time(request: Request) -> Mapping[str, Any]:
        meanwhile(f"sending {call_id}")
        return respond(request)

    world.gateway._answer = answering_with(kind, takes_its_time)
    react(world, conductor, call_id)


def test_the_head_is_written_again_and_again_while_an_action_is_being_sent(
    world: World, store: Heads, monkeypatch: pytest.MonkeyPatch
) -> None:
    conductor, call_id = up(world, "menu")
    conductor.later.flush()
    delays: list[float] = []
    plain = conductor.later.soon

    def soon(key: str, job: Callable[[], None], delay: float = 0.0) -> None:
        if key.startswith("sending"):
            delays.append(delay)
        plain(key, job, delay)

    def meanwhile(key: str) -> None:
        for number in range(1, 4):
            loads = store.loads
            job(conductor, key)()
            assert (store.written - written, store.loads - loads) == (number, 0)

    written = store.written
    monkeypatch.setattr(conductor.later, "soon", soon)
    sending(world, conductor, call_id, meanwhile)
    assert delays == [pytest.approx(THIRD)] * 4
    written = store.written
    job(conductor, f"sending {call_id}")()
    assert store.written == written, "it is over"
    assert not waits(conductor, f"sending {call_id}")


def test_it_is_written_on_though_an_event_came_to_another_instance_meanwhile(world: World, store: Heads) -> None:
    conductor, call_id = up(world, "menu")
    conductor.later.flush()

    def meanwhile(key: str) -> None:
        hear(world, another(world), call_id, "SomethingNew")
        job(conductor, key)()  # loses its race, and loads
        written = store.written
        job(conductor, key)()
        assert store.written == written + 1

    sending(world, conductor, call_id, meanwhile)
    assert world.kinds() == ["answer", "recognize", "play"]


def test_nothing_is_kept_alive_where_nothing_is_sent(world: World) -> None:
    conductor, call_id = up(world, "menu")
    conductor.later.flush()
    hear(world, conductor, call_id, "SomethingNew")
    assert not waits(conductor, f"sending {call_id}")


def test_it_is_written_though_a_function_is_to_run_beside_what_is_sent(world: World) -> None:
    async def both(call: Call) -> None:
        await call.gather(call.play(text("one moment")), call.run(lambda: "looked up"))

    conductor = world.conductor(flows={"both": Flow("both", both)})
    _, call_id = conductor.ring(a_ring(), answering(), "both")
    job(conductor, f"sending {call_id}")  # the answer's
    alive: list[bool] = []
    sending(world, conductor, call_id, lambda key: alive.append(waits(conductor, key)))
    assert alive == [True]


# Signs of life of a side effect


def test_a_sign_of_life_is_written_from_memory_which_keeps_the_call(world: World, store: Heads) -> None:
    conductor, call_id = up(world, "menu")
    conductor.later.flush()
    loads = store.loads
    for number in range(1, 3):
        conductor.afterwards.keep_alive(call_id)
        assert (store.written, store.loads) == (number + 1, loads)


def test_a_sign_of_life_of_a_call_that_is_over_keeps_it_in_no_memory(world: World, store: Heads) -> None:
    conductor, call_id = up(world, "speaks")
    hear(world, conductor, call_id, "CallDisconnected", None, result=(200, 5000, "left"))
    conductor.afterwards.keep_alive(call_id)
    assert conductor._cache.take(call_id) is None


def test_a_sign_of_life_whose_response_is_lost_is_ones_own_only_while_nobody_has_written_since(
    world: World, store: Heads
) -> None:
    """Else memory would go on without what came to another instance."""
    conductor, call_id = up(world, "menu")
    conductor.later.flush()
    event = world.wire.event("SomethingNew")

    def another_writes() -> None:
        assert another(world).deliver(call_id, [parsed(event)]) is Outcome.ADVANCED
        raise LostRace(call_id)

    store.after = another_writes
    conductor.afterwards.keep_alive(call_id)
    assert conductor.deliver(call_id, [parsed(event)]) is Outcome.DUPLICATE
    assert [entry.entry for entry in world.journal(call_id)].count("event") == 3


# The index


@pytest.mark.parametrize(("age", "peeks"), [(1000, 0), (1001, 1)])
def test_what_memory_says_for_longer_than_a_second_is_checked_before_the_index_is_written(
    world: World, monkeypatch: pytest.MonkeyPatch, age: int, peeks: int
) -> None:
    conductor, call_id = up(world, "menu")
    record = world.store.load(call_id).record
    record.indexed = ()
    record.written_at = world.clock.now - age
    looked: list[str] = []
    plain = world.store.peek

    def peek(call_id: str) -> CallRecord:
        looked.append(call_id)
        return plain(call_id)

    monkeypatch.setattr(world.store, "peek", peek)
    conductor.afterwards.write_index(record)
    assert len(looked) == peeks


def test_an_index_that_stands_is_not_written(world: World, store: Heads) -> None:
    conductor, call_id = up(world, "menu")
    conductor.later.flush()
    record = store.load(call_id).record
    record.written_at = 0
    before = store.indexed_rows
    assert store.indexed(record)
    conductor.afterwards.write_index(record)
    assert store.indexed_rows == before
    assert not waits(conductor, f"confirm {call_id}"), "there is nothing to write down"


def test_a_call_that_ended_elsewhere_is_found_by_what_only_this_instance_was_told_and_by_no_row_twice(
    world: World, store: Heads
) -> None:
    conductor, call_id = up(world, "menu")
    conductor.later.flush()
    known = store.load(call_id).record
    hear(world, another(world), call_id, "CallDisconnected", None, result=(200, 5000, "left"))
    kept = store._calls[call_id].record
    kept.server_call_id, kept.indexed = "", ()
    known.server_call_id, known.written_at = "told here alone", 0
    before = store.indexed_rows
    conductor.afterwards.write_index(known)
    assert newest_call(store, "told here alone") == call_id
    assert store.indexed_rows == before + 1
    assert list(store.open_calls()) == []
