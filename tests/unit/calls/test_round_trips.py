"""What the conductor asks of the storage, and when: one trip too many is paid at every event of every call, one too few
is a call that is built on an old memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import pytest

from shared.calls.journal import EventReceived
from shared.calls.outcome import Outcome
from shared.calls.record import CallRecord
from shared.calls.store.base import Stored, Version
from shared.calls.store.memory import MemoryStore
from shared.errors import LostRace
from tests.unit.calls.losses import GRACE, another, hear, react, up
from tests.unit.calls.world import World, a_ring, answering, parsed


class Counting(MemoryStore):
    """A store that counts what it is asked for, and lets others work after its next writes."""

    def __init__(self) -> None:
        super().__init__()
        self.loads = self.peeks = 0
        self.meanwhile: list[Callable[[], object]] = []
        self.before: list[Callable[[], object]] = []

    def load(self, call_id: str) -> Stored:
        self.loads += 1
        return super().load(call_id)

    def peek(self, call_id: str) -> CallRecord:
        self.peeks += 1
        return super().peek(call_id)

    def claim(self, record: CallRecord, journal: Sequence[str]) -> Version:
        version = super().claim(record, journal)
        if self.meanwhile:
            self.meanwhile.pop(0)()
        return version

    def commit(self, record: CallRecord, appended: Sequence[str], version: Version) -> Version:
        if appended and self.before:
            self.before.pop(0)()
        done = super().commit(record, appended, version)
        if appended and self.meanwhile:
            self.meanwhile.pop(0)()
        return done


@pytest.fixture
def store() -> Counting:
    return Counting()


@pytest.fixture
def world(store: Counting) -> World:
    return World(store=store)


# Trips


def test_a_call_that_has_just_been_claimed_is_not_looked_at_before_it_is_found(world: World, store: Counting) -> None:
    another(world).ring(a_ring(), answering(), "speaks")
    assert (store.loads, store.peeks) == (0, 0)


@pytest.mark.parametrize(("seconds", "loads"), [(GRACE, 0), (GRACE + 0.001, 1)])
def test_a_call_is_loaded_after_a_write_that_took_longer_than_the_grace_period(
    world: World, store: Counting, seconds: float, loads: int
) -> None:
    conductor = another(world)
    store.meanwhile = [lambda: world.clock.pass_seconds(seconds)]
    _, call_id = conductor.ring(a_ring(), answering(), "speaks")
    assert store.loads == loads, "a claim"
    react(world, conductor, call_id)
    store.loads = 0
    store.meanwhile = [lambda: world.clock.pass_seconds(seconds)]
    hear(world, conductor, call_id, "PlayStarted", f"{call_id}:1:0")
    assert store.loads == loads, "a commit"


def test_an_event_that_came_before_costs_nothing_where_memory_is_trusted(world: World, store: Counting) -> None:
    conductor, call_id = up(world, "speaks")
    body = world.wire.event("PlayStarted", f"{call_id}:1:0")
    conductor.deliver(call_id, [parsed(body)])
    store.loads = 0
    assert conductor.deliver(call_id, [parsed(body)]) is Outcome.DUPLICATE
    assert store.loads == 0


def test_who_asks_without_an_event_has_the_call_loaded_once(world: World, store: Counting) -> None:
    conductor, call_id = up(world, "speaks")
    store.loads = 0
    assert conductor.advance(call_id, []) is Outcome.DUPLICATE
    assert store.loads == 1, "memory may be old"
    store.loads = 0
    assert another(world).advance(call_id, []) is Outcome.DUPLICATE
    assert store.loads == 1, "it has none"


# Races


def writes(world: World, call_id: str) -> Callable[[], object]:
    """Another instance hears something."""
    return lambda: hear(world, another(world), call_id, "SomethingNew")


def test_a_race_that_memory_lost_makes_careful(world: World, store: Counting) -> None:
    conductor, call_id = up(world, "speaks")
    assert trusting(world, conductor, call_id)
    store.before = [writes(world, call_id)]
    assert hear(world, conductor, call_id, "PlayStarted", f"{call_id}:1:0") is Outcome.ADVANCED
    assert store.before == []
    assert not trusting(world, conductor, call_id), "one old call makes careful, and what was loaded says nothing"


def test_an_event_is_taken_in_however_often_the_call_is_written_meanwhile(world: World, store: Counting) -> None:
    conductor, call_id = up(world, "speaks")
    elsewhere = writes(world, call_id)
    store.before = [elsewhere, lambda: None, elsewhere, lambda: None, elsewhere]
    assert hear(world, conductor, call_id, "PlayStarted", f"{call_id}:1:0") is Outcome.ADVANCED
    assert store.before == []


def test_a_race_of_a_call_that_was_loaded_says_nothing_of_memory(world: World, store: Counting) -> None:
    _, call_id = up(world, "speaks")
    conductor = another(world)
    store.before = [writes(world, call_id)]
    assert hear(world, conductor, call_id, "PlayStarted", f"{call_id}:1:0") is Outcome.ADVANCED
    assert not trusting(world, conductor, call_id), "it was not in memory; the commit that succeeds is no sign of it"


def test_the_pauses_between_lost_races_grow_and_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    conductor, call_id = up(world, "speaks")
    pauses: list[float] = []

    def lost(record: CallRecord, appended: Sequence[str], version: Version) -> Version:
        raise LostRace(record.call_id)

    monkeypatch.setattr(time, "sleep", pauses.append)
    monkeypatch.setattr(world.store, "commit", lost)
    with pytest.raises(LostRace):
        hear(world, conductor, call_id, "PlayStarted", f"{call_id}:1:0")
    assert pauses[:3] == [0.0, 0.002, 0.004]
    assert pauses[25:] == [0.05] * 15


def test_an_event_that_stands_twice_in_one_delivery_is_journaled_once(world: World) -> None:
    conductor, call_id = up(world, "speaks")
    event = parsed(world.wire.event("SomethingNew"))
    conductor.deliver(call_id, [event, event])
    ids = [entry.event["id"] for entry in world.journal(call_id) if isinstance(entry, EventReceived)]
    assert ids.count(event.raw["id"]) == 1


# What an instance learns


def trusting(world: World, conductor: object, call_id: str) -> bool:
    """Whether an instance builds on its memory where an event does not tell."""
    session = conductor._calls.load(call_id).session  # type: ignore[attr-defined]
    return bool(conductor.freshness.trusts(session, [None]))  # type: ignore[attr-defined]


def test_memory_that_turns_out_to_be_old_makes_careful_and_a_commit_that_was_built_on_it_trusting(
    world: World,
) -> None:
    conductor, call_id = up(world, "speaks")
    hear(world, another(world), call_id, "PlayStarted", f"{call_id}:1:0")
    assert conductor.advance(call_id, []) is Outcome.DUPLICATE
    assert not trusting(world, conductor, call_id)
    # An end after its start shows that memory is the newest, whatever was learnt.
    hear(world, conductor, call_id, "PlayCompleted", f"{call_id}:1:0")
    assert trusting(world, conductor, call_id)


def test_a_call_that_another_instance_has_makes_careful(world: World) -> None:
    _, call_id = up(world, "speaks")
    conductor = another(world)
    assert trusting(world, conductor, call_id)
    hear(world, conductor, call_id, "PlayStarted", f"{call_id}:1:0")
    assert not trusting(world, conductor, call_id)


def test_a_call_that_was_loaded_for_nothing_makes_trusting(world: World) -> None:
    conductor, call_id = up(world, "speaks")
    conductor.freshness.learn(fresh=False)
    hear(world, conductor, call_id, "SomethingNew")
    assert trusting(world, conductor, call_id)


def test_a_call_that_is_over_says_nothing_of_memory(world: World) -> None:
    conductor, call_id = up(world, "speaks")
    hear(world, conductor, call_id, "CallDisconnected", None, result=(200, 5000, "left"))
    other = another(world)
    hear(world, other, call_id, "PlayStarted", f"{call_id}:1:0")
    assert trusting(world, other, call_id)


def test_a_call_that_went_on_and_ended_elsewhere_makes_careful(world: World) -> None:
    conductor, call_id = up(world, "speaks")
    other = another(world)
    hear(world, other, call_id, "PlayCompleted", f"{call_id}:1:0")
    hear(world, other, call_id, "CallDisconnected", None, result=(200, 5000, "left"))
    hear(world, conductor, call_id, "PlayStarted", f"{call_id}:2:0")
    assert not trusting(world, conductor, call_id)


def test_a_ring_that_came_twice_says_nothing_of_memory(world: World) -> None:
    another(world).ring(a_ring(), answering(), "speaks")
    other = another(world)
    outcome, call_id = other.ring(a_ring(), answering(), "speaks")
    assert outcome is Outcome.DUPLICATE
    assert trusting(world, other, call_id)


# The end


def test_an_event_that_is_late_has_a_call_closed_whose_instance_died_before(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    conductor, call_id = up(world, "speaks")
    conductor.later.flush()
    with monkeypatch.context() as patch:
        patch.setattr(conductor.afterwards, "later_close", lambda call_id: None)  # it dies before
        hear(world, conductor, call_id, "CallDisconnected", None, result=(200, 5000, "left"))
    assert list(world.store.open_calls()) == [call_id]
    assert hear(world, another(world), call_id, "PlayStarted", f"{call_id}:1:0") is Outcome.LATE
    assert list(world.store.open_calls()) == []
