"""How many calls of a day ended, and how: each is counted once, whoever dies or closes it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import Any

import pytest
from azure.core.pipeline.transport import RequestsTransport

from bench.core import counted_requests
from shared.azure.call_store import TableStore
from shared.calls.record import CallRecord
from shared.calls.store.base import CallStore, Found, OpenCall, day_of, listed_row
from shared.calls.store.figures import COUNTERS, place_of
from tests.unit.store.conftest import Another
from tests.unit.store.test_contract import AT, DAY

pytestmark = pytest.mark.xdist_group("store-figures")

NEXT_DAY = day_of(AT + 86_400_000)


def ended(number: int = 1, outcome: str = "completed", **values: Any) -> CallRecord:
    """The head of a call that is over."""
    given = {"direction": "inbound", "started_at": AT - number, "entries": 5, "caller": "4:+14255550123", **values}
    return CallRecord(f"call-{number}", flow="reception", status="ended", outcome=outcome, **given)


def close(store: CallStore, *records: CallRecord) -> None:
    store.prepare()
    for record in records:
        store.close(record, {"call_id": record.call_id})


def test_calls_are_counted_by_direction_and_outcome_on_the_day_of_their_start(another: Another) -> None:
    store = another()
    assert dict(store.ended(DAY)) == {}
    close(store, *(ended(number) for number in range(3)), ended(3, "busy", direction="outbound"), ended(4, "failed"))
    close(store, ended(5, started_at=AT + 86_400_000))
    assert dict(another().ended(DAY)) == {
        ("inbound", "completed"): 3,
        ("outbound", "busy"): 1,
        ("inbound", "failed"): 1,
    }
    assert dict(store.ended(NEXT_DAY)) == {("inbound", "completed"): 1}


def test_a_call_that_is_closed_again_is_counted_once(another: Another) -> None:
    close(another(), ended(), ended())
    close(another(), ended(entries=4), ended(entries=9))
    assert dict(another().ended(DAY)) == {("inbound", "completed"): 1}


def test_a_call_that_ended_otherwise_after_more_entries_counts_as_that(another: Another) -> None:
    store = another()
    close(store, ended(outcome="settled", entries=6))
    assert [one.call_id for one in store.failed(DAY, 8)] == ["call-1"]
    close(another(), ended(outcome="caller_left", entries=7))
    close(store, ended(outcome="settled", entries=6))  # it was slow
    assert dict(store.ended(DAY)) == {("inbound", "caller_left"): 1}
    assert store.failed(DAY, 8) == []


def test_those_that_somebody_should_look_at_are_listed_newest_first(another: Another) -> None:
    store = another()
    outcomes = ("failed", "settled", "too_long", "permission", "service_error", "busy", "completed", "caller_left")
    close(store, *(ended(number, outcome) for number, outcome in enumerate(outcomes)))
    assert [one.outcome for one in store.failed(DAY, 8)] == [*outcomes[:5]]
    (newest,) = store.failed(DAY, 1)
    assert newest == listed_row(ended(0, "failed"))
    assert store.failed(NEXT_DAY, 8) == []


def test_many_that_are_closed_at_the_same_moment_are_all_counted(another: Another) -> None:
    stores = [another() for _ in range(4)]
    close(stores[0], ended(0))  # the tables are made
    with ThreadPoolExecutor(8) as threads:
        closes = [(stores[number % 4], ended(number // 2)) for number in range(64)]  # each by two
        for done in [threads.submit(close, store, record) for store, record in closes]:
            done.result()
    assert dict(another().ended(DAY)) == {("inbound", "completed"): 32}


def test_what_a_removed_call_left_is_gone_and_the_count_stays_until_its_day_goes(another: Another) -> None:
    store = another()
    for record in (ended(1, "failed"), ended(2)):
        store.claim(record, [])
        close(store, record)
        assert store.remove(Found(record.call_id, listed_row(record).position))
    assert store.failed(DAY, 8) == []
    assert sum(store.ended(DAY).values()) == 2
    store.drop_figures(DAY)
    assert sum(store.ended(DAY).values()) == 2, "of the days before alone"
    close(store, ended(3, started_at=AT + 86_400_000))
    store.drop_figures(NEXT_DAY)
    assert dict(store.ended(DAY)) == {}
    assert sum(store.ended(NEXT_DAY).values()) == 1


def test_a_call_that_goes_on_is_listed_with_its_start_and_direction_until_it_is_closed(another: Another) -> None:
    store = another()
    assert list(store.going_on()) == []
    going_on = CallRecord("call-1", status="connected", direction="outbound", started_at=AT - 1)
    store.claim(going_on, [])
    store.index(going_on)
    assert list(another().going_on()) == [OpenCall("call-1", AT - 1, "outbound")]
    close(store, ended())
    assert list(store.going_on()) == []


def test_the_counters_share_the_calls_of_a_day() -> None:
    found = {place_of(ended(number)).counter for number in range(200)}
    assert found == {f"counter {number}" for number in range(8)}
    assert COUNTERS == 8


class Died(BaseException):
    """The process is gone; nothing catches this."""


@contextmanager
def dying_at(number: int, *, carried_out: bool) -> Iterator[None]:
    """The process dies as its request of this number goes out, or as its response comes."""
    send, sent = RequestsTransport.send, 0

    def dying(self: Any, request: Any, **options: Any) -> Any:
        nonlocal sent
        sent += 1
        if sent == number and not carried_out:
            raise Died
        response = send(self, request, **options)
        if sent == number:
            raise Died
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RequestsTransport, "send", dying)
        yield


@pytest.mark.node
@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("number", range(1, 7))
@pytest.mark.parametrize("outcome", ["completed", "failed"])
def test_wherever_a_process_dies_the_next_close_leaves_the_call_counted_once(
    tables: Callable[[], TableStore], number: int, carried_out: bool, outcome: str
) -> None:
    store, record = tables(), ended(outcome=outcome)
    store.prepare()
    close(store, ended(0, outcome), ended(2, outcome))
    with suppress_death(), dying_at(number, carried_out=carried_out):
        close(tables(), record)
    close(tables(), record)
    assert dict(store.ended(DAY)) == {("inbound", outcome): 3}
    assert len(store.failed(DAY, 8)) == (3 if outcome == "failed" else 0)


@contextmanager
def suppress_death() -> Iterator[None]:
    try:
        yield
    except Died:
        return
    pytest.fail("it does not make so many requests")


@pytest.mark.node
def test_figures_cost_one_request_however_many_calls_there_are(tables: Callable[[], TableStore]) -> None:
    store, costs = tables(), []
    store.prepare()
    for calls in (1, 60):
        close(store, *(ended(number, "failed") for number in range(calls)))
        with counted_requests() as counts:
            store.ended(DAY), store.failed(DAY, 8), list(store.going_on())
            list(islice(store.listed(DAY, most=10), 10))
        costs.append(counts.total())
    assert costs == [4, 4]


@pytest.mark.node
def test_a_list_sends_no_more_rows_than_are_wanted(tables: Callable[[], TableStore]) -> None:
    store = tables()
    store.prepare()
    close(store, *(ended(number) for number in range(12)))
    with counted_requests() as counts:
        assert len(list(islice(store.listed(DAY, most=5), 5))) == 5
    assert counts.total() == 1
    with counted_requests() as counts:
        assert len(list(store.listed(DAY, most=5))) == 12
    assert counts.total() == 3
