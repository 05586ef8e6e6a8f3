"""Writes that Azurite carries out and whose responses are lost: the writer knows its own, and goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from azure.core.exceptions import ServiceResponseError

from shared.azure import clients
from shared.azure.call_store import TAIL_ENTRIES, TableStore
from shared.azure.clients import pooled_transport
from shared.calls.journal import EventReceived, Issued, Resent
from shared.calls.outcome import Outcome
from shared.calls.record import MARKS
from shared.calls.store.base import CallStore
from shared.errors import StoreUnavailable
from tests.unit.calls.world import Instance, World, a_ring, answering, parsed
from tests.unit.store.test_contract import a_record, entry
from tests.unit.transports import Wrapped

pytestmark = [pytest.mark.node, pytest.mark.xdist_group("store-tables")]

EVERY_TRY = 3
"""How often the SDK sends a request of the store's whose response does not come."""


@dataclass
class Plan:
    """What is lost, for all transports of a test.

    Attributes:
        method: of the requests that are meant.
        times: responses that are lost from here on.
        status: what comes in their place; 0: nothing, the connection breaks.
        meanwhile: called after each carried out request that is meant, before its response is lost.
    """

    method: str = ""
    times: int = 0
    status: int = 0
    meanwhile: Callable[[], None] = lambda: None
    sent: list[str] = field(default_factory=list)

    def lose(self, method: str, times: int = 1, status: int = 0) -> None:
        self.method, self.times, self.status = method, times, status
        self.sent.clear()


@dataclass
class Losing(Wrapped):
    """A transport that the plan is carried out by."""

    plan: Plan

    def send(self, request: Any, **options: Any) -> Any:
        self.plan.sent.append(request.method)
        response = self.inner.send(request, **options)
        if request.method != self.plan.method or not self.plan.times:
            return response
        self.plan.times -= 1
        self.plan.meanwhile()
        if self.plan.status:
            response.status_code = self.plan.status
            response.headers.pop("ETag", None)
            return response
        response.internal_response.close()
        raise ServiceResponseError("the connection broke")


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> Iterator[Plan]:
    """Every store that is made from here on loses what it says."""
    plan, made = Plan(), []

    def losing(**options: Any) -> Losing:
        made.append(Losing(pooled_transport(**options), plan))
        return made[-1]

    monkeypatch.setattr(clients, "pooled_transport", losing)
    yield plan
    for transport in made:
        transport.session.close()


@pytest.fixture
def world(plan: Plan, tables: Callable[[], TableStore]) -> World:
    store = tables()
    store.prepare()
    world = World(store=store)
    world.clock.now = time.time_ns() // 1_000_000  # the storage's clock says when something was written
    return world


def instance(world: World, tables: Callable[[], CallStore]) -> Instance:
    """Another instance of the app, with a store of its own."""
    return world.conductor(store=tables())


def connected(world: World) -> tuple[Instance, str]:
    """A call that asks its first question, with nothing of it left to be written."""
    conductor = world.conductor()
    _, call_id = conductor.ring(a_ring(world.clock.now), answering(), "menu")
    for body in world.wire.reaction(world.last()):
        conductor.deliver(call_id, [parsed(body)])
    conductor.later.flush()
    conductor.later.flush()
    return conductor, call_id


def sent_once(world: World, call_id: str) -> None:
    """Each issued action went out once, and none was taken for lost."""
    journal = world.journal(call_id)
    assert not any(isinstance(one, Resent) for one in journal)
    issued = [one.seq for one in journal if isinstance(one, Issued)]
    assert [request.seq for request in world.gateway.sent] == issued
    ids = [one.event["id"] for one in journal if isinstance(one, EventReceived)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("status", [0, 500, 503])
def test_a_claim_whose_response_is_lost_is_answered_at_once(world: World, plan: Plan, times: int, status: int) -> None:
    plan.lose("POST", times, status)
    outcome, call_id = world.conductor().ring(a_ring(world.clock.now), answering(), "menu")
    assert plan.times == 0
    assert outcome is Outcome.CLAIMED
    assert world.kinds() == ["answer"]
    sent_once(world, call_id)


def test_a_claim_of_a_placed_call_whose_response_is_lost_dials_at_once(world: World, plan: Plan) -> None:
    from tests.unit.calls.test_finding import PLACED

    plan.lose("POST")
    outcome, call_id = world.conductor().place("menu", PLACED)
    assert outcome is Outcome.CLAIMED
    assert world.kinds() == ["create_call"]
    sent_once(world, call_id)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("status", [0, 500, 503])
def test_a_commit_whose_response_is_lost_is_dispatched_at_once(
    world: World, plan: Plan, times: int, status: int
) -> None:
    conductor, call_id = connected(world)
    (asked,) = world.wire.reaction(world.last())
    plan.lose("PUT", times, status)
    assert conductor.deliver(call_id, [parsed(asked)]) is Outcome.ADVANCED
    assert plan.times == 0
    assert world.kinds() == ["answer", "recognize", "play"]
    sent_once(world, call_id)


def grown(world: World, entries: int) -> tuple[Instance, str]:
    """A call whose journal has so many entries in its tail."""
    conductor, call_id = connected(world)
    while world.store.peek(call_id).entries < entries:
        conductor.deliver(call_id, [parsed(world.wire.event("SomethingNew"))])
    return conductor, call_id


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("status", [0, 500, 503])
def test_the_same_holds_for_the_transaction_that_seals_a_segment(
    world: World, plan: Plan, times: int, status: int
) -> None:
    conductor, call_id = grown(world, TAIL_ENTRIES)
    before = len(world.journal(call_id))
    (asked,) = world.wire.reaction(world.last())
    plan.lose("POST", times, status)
    assert conductor.deliver(call_id, [parsed(asked)]) is Outcome.ADVANCED
    assert plan.times == 0, "it was no transaction"
    assert world.kinds() == ["answer", "recognize", "play"]
    assert len(world.journal(call_id)) == before + 2
    sent_once(world, call_id)
    conductor.deliver(call_id, [parsed(world.wire.event("SomethingNew"))])
    assert len(world.journal(call_id)) == before + 3


def test_a_claim_that_is_lost_every_time_is_unavailable_and_the_next_delivery_answers(world: World, plan: Plan) -> None:
    conductor = world.conductor()
    plan.lose("POST", EVERY_TRY)
    with pytest.raises(StoreUnavailable):
        conductor.ring(a_ring(world.clock.now), answering(), "menu")
    assert (plan.sent.count("POST"), plan.times) == (EVERY_TRY, 0)
    assert world.kinds() == []
    world.clock.pass_seconds(10)  # Event Grid delivers again
    _, call_id = conductor.ring(a_ring(world.clock.now), answering(), "menu")
    assert world.kinds() == ["answer"]
    assert list(world.store.open_calls()) == [call_id]


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_commit_that_is_lost_every_time_is_unavailable_and_the_redelivery_goes_on(
    world: World, plan: Plan, method: str
) -> None:
    conductor, call_id = grown(world, TAIL_ENTRIES if method == "POST" else 0)
    (asked,) = world.wire.reaction(world.last())
    plan.lose(method, EVERY_TRY)
    with pytest.raises(StoreUnavailable):
        conductor.deliver(call_id, [parsed(asked)])
    assert plan.times == 0
    before = world.journal(call_id)
    world.clock.pass_seconds(10)
    conductor.deliver(call_id, [parsed(asked)])
    assert world.kinds() == ["answer", "recognize", "play"]
    assert len([one for one in before if isinstance(one, EventReceived)]) == len(
        [one for one in world.journal(call_id) if isinstance(one, EventReceived)]
    )


@pytest.mark.parametrize("others", [1, MARKS - 1])
def test_a_commit_is_known_again_though_others_have_written_since(
    world: World, plan: Plan, tables: Callable[[], TableStore], others: int
) -> None:
    conductor, call_id = connected(world)
    (asked,) = world.wire.reaction(world.last())
    left = [others]

    def write() -> None:
        """Another instance hears something between the write and its repetition."""
        plan.meanwhile = lambda: None
        while left[0]:
            left[0] -= 1
            instance(world, tables).deliver(call_id, [parsed(world.wire.event("SomethingNew"))])

    plan.lose("PUT")
    plan.meanwhile = write
    assert conductor.deliver(call_id, [parsed(asked)]) is Outcome.ADVANCED
    assert left == [0]
    assert world.kinds() == ["answer", "recognize", "play"]
    sent_once(world, call_id)


def test_a_claim_is_known_again_though_another_has_written_since(
    world: World, plan: Plan, tables: Callable[[], TableStore]
) -> None:
    late = []

    def ring_too() -> None:
        """The same event comes to another instance, between the claim and its repetition."""
        plan.meanwhile = lambda: None
        late.append(instance(world, tables).ring(a_ring(world.clock.now), answering(), "menu"))

    plan.lose("POST")
    plan.meanwhile = ring_too
    outcome, call_id = world.conductor().ring(a_ring(world.clock.now), answering(), "menu")
    assert outcome is Outcome.CLAIMED
    assert late == [(Outcome.DUPLICATE, call_id)]
    assert world.kinds() == ["answer"]


def test_what_another_instance_wrote_in_the_same_moment_is_not_taken_for_ones_own(
    world: World, tables: Callable[[], TableStore]
) -> None:
    conductor, call_id = connected(world)
    (asked,) = world.wire.reaction(world.last())
    assert instance(world, tables).deliver(call_id, [parsed(asked)]) is Outcome.ADVANCED
    assert conductor.deliver(call_id, [parsed(asked)]) is Outcome.DUPLICATE
    assert world.kinds() == ["answer", "recognize", "play"]


def test_a_write_costs_no_request_more_where_nothing_is_lost(plan: Plan, tables: Callable[[], TableStore]) -> None:
    store = tables()
    store.prepare()
    plan.sent.clear()
    record = a_record()
    record.mark()
    version = store.claim(record, [entry(0)])
    record.mark()
    store.commit(record, [entry(1)], version)
    assert plan.sent == ["POST", "PUT"]
    assert tables().load(record.call_id).record.marks == record.marks
