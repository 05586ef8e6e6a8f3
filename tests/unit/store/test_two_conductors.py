"""Guarantee 3 on real storage: two instances of the app hear everything at once, and each action goes out once."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.azure.call_store import TableStore
from shared.calls.journal import EventReceived, Issued, Resent
from shared.calls.outcome import Outcome
from tests.unit.calls.world import FLOWS, Instance, World, a_ring, answering, parsed

pytestmark = [pytest.mark.node, pytest.mark.xdist_group("store-conductors")]
Job = Callable[[Instance], object]


class Pair:
    """Two conductors over one table, each in its own thread, each with its own store and memory."""

    def __init__(self, tables: Callable[[], TableStore], seed: int) -> None:
        self.world = World(store=tables())
        self.world.store.prepare()
        self.conductors = [self.world.conductor(store=tables()) for _ in range(2)]
        self.random = random.Random(seed)
        self.pool = ThreadPoolExecutor(2)

    def both(self, jobs: Sequence[Job]) -> list[list[Any]]:
        """Every job on both instances at the same time, some of them twice, each in an order of its own."""
        barrier = threading.Barrier(2)

        def work(conductor: Instance, mine: Sequence[Job]) -> list[Any]:
            barrier.wait(10)
            return [job(conductor) for job in mine]

        futures = []
        for conductor in self.conductors:
            mine = [*jobs, *(job for job in jobs if self.random.random() < 0.3)]
            self.random.shuffle(mine)
            futures.append(self.pool.submit(work, conductor, mine))
        return [future.result(30) for future in futures]


def deliver(call_id: str, body: Any) -> Job:
    return lambda conductor: conductor.deliver(call_id, [parsed(body)])


def wake(due: tuple[str, int, int]) -> Job:
    return lambda conductor: conductor.wake(*due)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 4))])
@pytest.mark.parametrize("flow", sorted(FLOWS))
def test_two_instances_that_hear_everything_at_once_send_each_action_once(
    tables: Callable[[], TableStore], flow: str, seed: int
) -> None:
    pair = Pair(tables, seed)
    world, gateway = pair.world, pair.world.gateway
    ring = a_ring(world.clock.now)
    rung = pair.both([lambda conductor: conductor.ring(ring, answering(), flow)])
    assert [outcome for outcomes in rung for outcome, _ in outcomes].count(Outcome.CLAIMED) == 1
    ((call_id,),) = ({call_id for outcomes in rung for _, call_id in outcomes},)

    seen, hung_up = 0, False
    for _ in range(40):
        performed = gateway.performed[seen:]
        seen += len(performed)
        jobs = [
            deliver(call_id, event)
            for request in performed
            for event in world.wire.reaction(request, pair.random.choice(["yes", "no", None]))
        ]
        if not jobs and world.timers.due:
            world.clock.now = max(due for _, _, due in world.timers.due)
            jobs = [wake(due) for due in world.timers.due]
            assert len(set(world.timers.due)) == len(jobs), "a timer was set twice"
            world.timers.due.clear()
        if not jobs:
            if hung_up or world.store.peek(call_id).status == "ended":
                break
            hung_up = True  # a flow that plays in a loop waits for the caller to leave
            jobs = [deliver(call_id, world.wire.event("CallDisconnected", None, (200, 5000, "the caller left")))]
        pair.both(jobs)
    pair.pool.shutdown()

    journal = world.journal(call_id)
    issued = [entry for entry in journal if isinstance(entry, Issued)]
    assert world.store.peek(call_id).status == "ended"
    assert [entry.seq for entry in issued] == list(range(len(issued)))
    assert not any(isinstance(entry, Resent) for entry in journal)
    in_service = [entry.seq for entry in issued if entry.action.spec.in_service]
    assert Counter(request.seq for request in gateway.sent) == Counter(in_service)
    ids = [entry.event["id"] for entry in journal if isinstance(entry, EventReceived)]
    assert len(ids) == len(set(ids))
    assert list(world.store.open_calls()) == []
