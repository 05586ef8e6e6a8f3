"""What a callback costs in storage round trips, however many instances a call's events are spread over."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from shared.calls import Call, Flow, text
from shared.calls.freshness import Freshness
from shared.calls.operation_context import operation_context
from shared.calls.record import CallRecord
from shared.calls.replay import Session
from shared.calls.store.base import Stored, Version
from shared.calls.store.memory import MemoryStore
from shared.errors import LostRace
from tests.unit.calls.test_replay import Stage
from tests.unit.calls.world import FLOWS, Instance, World, a_ring, answering, parsed

CALLS = 5


async def twenty(call: Call) -> None:
    """Speaks twenty times."""
    for number in range(20):
        await call.play(text(f"prompt {number}"))


HERE = {**FLOWS, "twenty": Flow("twenty", twenty)}


class CountingStore(MemoryStore):
    """Counts what is asked of the storage while a callback is waited for, and the commits that it refuses."""

    def __init__(self) -> None:
        super().__init__()
        self.trips = self.lost_commits = 0

    def load(self, call_id: str) -> Stored:
        self.trips += 1
        return super().load(call_id)

    def commit(self, record: CallRecord, appended: Sequence[str], version: Version) -> Version:
        self.trips += 1
        try:
            return super().commit(record, appended, version)
        except LostRace:
            self.lost_commits += 1
            raise


class Spread:
    """Calls whose events come to several instances, which have no affinity.

    Attributes:
        events: that were delivered.
        trips: round trips that they cost.
    """

    def __init__(self, instances: int, which: Callable[[int], int]) -> None:
        self.store = CountingStore()
        self.world = World(store=self.store)
        self.instances = [self.world.conductor(flows=HERE) for _ in range(instances)]
        self.which = which
        self.events = self.trips = 0

    def call(self, number: int) -> None:
        """One call from its first event to its last prompt."""
        ring = dataclasses.replace(a_ring(context=f"ring {number}"), correlation_id=f"call {number}")
        first = self._next()
        _, call_id = first.ring(ring, answering(), "twenty")
        for body in self._reactions():
            if not body["type"].endswith("CallDisconnected"):
                conductor = self._next()
                before = self.store.trips
                conductor.deliver(call_id, [parsed(body)])
                self.trips += self.store.trips - before
                self.events += 1

    def _next(self) -> Instance:
        return self.instances[self.which(self.events)]

    def _reactions(self) -> Iterator[dict[str, Any]]:
        performed = self.world.gateway.performed
        seen = len(performed) - 1
        while seen < len(performed):
            seen += 1
            yield from self.world.wire.reaction(performed[seen - 1])

    @property
    def lost_commits(self) -> int:
        """Calls in memory that were built on and turned out to be old: nothing else races here."""
        return self.store.lost_commits


def test_on_one_instance_a_callback_costs_one_round_trip() -> None:
    spread = Spread(1, lambda _: 0)
    for number in range(CALLS):
        spread.call(number)
    assert (spread.trips, spread.lost_commits) == (spread.events, 0)


@pytest.mark.parametrize("instances", [2, 4, 10])
@pytest.mark.parametrize("order", ["in turn", "at random"])
def test_on_several_a_callback_costs_two_on_average_at_most(instances: int, order: str) -> None:
    chance = random.Random(instances)

    def which(event: int) -> int:
        return event % instances if order == "in turn" else chance.randrange(instances)

    spread = Spread(instances, which)
    for number in range(CALLS):
        spread.call(number)
    assert spread.trips <= 2.0 * spread.events, f"{spread.trips / spread.events:.2f} round trips a callback"


@pytest.mark.parametrize("instances", [2, 4, 10])
def test_each_instance_builds_on_an_old_call_once_and_is_careful_from_then_on(instances: int) -> None:
    spread = Spread(instances, lambda event: event % instances)
    for number in range(CALLS):
        spread.call(number)
    assert spread.lost_commits <= instances
    first = Spread(instances, lambda event: event % instances)
    first.call(0)
    # What the first meeting costs beyond the two of loading first, it costs once.
    assert first.trips <= 2.0 * first.events + first.lost_commits


def test_an_instance_that_is_alone_again_trusts_its_memory_again() -> None:
    careful = [True]
    spread = Spread(2, lambda event: event % 2 if careful[0] else 0)
    spread.call(0)
    careful[0] = False
    spread.call(1)
    before = spread.trips, spread.events
    spread.call(2)
    assert spread.trips - before[0] == spread.events - before[1]


# What an instance learns, and what an event says by itself


def test_one_old_call_makes_careful_and_one_new_one_trusting() -> None:
    freshness, stage = Freshness(), Stage(twenty)
    nothing_told = parsed(World().wire.event("ParticipantsUpdated", None, participants=[], sequenceNumber=1))
    assert freshness.trusts(stage.session, [nothing_told])
    freshness.learn(fresh=False)
    assert not freshness.trusts(stage.session, [nothing_told])
    freshness.learn(fresh=True)
    assert freshness.trusts(stage.session, [nothing_told])
    freshness.learn(fresh=False)
    freshness.learn(fresh=False)
    freshness.learn(fresh=True)
    assert freshness.trusts(stage.session, [nothing_told])


def event_of(session: Session, name: str, seq: int) -> Any:
    return parsed(World().wire.event(name, operation_context("stage", session.operation(seq))))


def test_an_event_of_an_action_that_memory_does_not_know_says_that_it_is_old() -> None:
    ahead, behind = Stage(twenty).connect(), Stage(twenty)
    started = event_of(ahead.session, "PlayStarted", 1)
    assert behind.session.foresees(started) is False
    assert not Freshness().trusts(behind.session, [started])


def test_the_start_and_then_the_end_of_the_newest_action_say_that_memory_is_new() -> None:
    session = Stage(twenty).connect().session
    careful = Freshness()
    careful.learn(fresh=False)
    assert session.foresees(event_of(session, "PlayStarted", 1)) is True
    assert careful.trusts(session, [event_of(session, "PlayStarted", 1)])
    # Without the start that came before it, an end shows nothing.
    assert session.foresees(event_of(session, "PlayCompleted", 1)) is None
    stage = Stage(twenty).connect()
    stage.event("PlayStarted", 1)
    assert stage.session.foresees(event_of(stage.session, "PlayCompleted", 1)) is True
    assert stage.session.foresees(event_of(stage.session, "PlayStarted", 1)) is None
    stage.event("PlayCompleted", 1)
    assert stage.session.foresees(event_of(stage.session, "PlayCompleted", 1)) is None, "it is not the newest any more"


@pytest.mark.parametrize("context", [None, "another call:1:0", "stage:x:0", ""])
def test_an_event_that_names_no_action_of_this_call_says_nothing(context: str | None) -> None:
    session = Stage(twenty).connect().session
    assert session.foresees(parsed(World().wire.event("PlayCompleted", context))) is None
