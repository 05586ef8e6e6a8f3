"""What the pages of the console cost the storage, in requests, whatever the number of calls."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bench.core import BenchCall, conductor, counted_requests
from shared.azure.call_store import TableStore
from shared.calls.record import CallRecord
from shared.calls.store.index import day_row
from shared.storage_account import StorageAccount
from shared.web.console.call_list import PAGE, Filter, page_of
from shared.web.console.call_page import version_of
from shared.web.console.today import today
from shared.web.service import CallService

pytestmark = pytest.mark.xdist_group("performance")

DAY, AT = "2026-11-28", 1_795_860_000_000


class NoBrakes:
    """Nothing is asked for here that could be braked."""

    def check_request(self, action: object) -> None:
        raise AssertionError("a page places no call")


def listed(store: TableStore, calls: int, *, first: int = 0) -> None:
    """So many calls in the list of the day, as an app of before 0.2.0 left them: found, and not counted."""
    rows = [CallRecord(f"c{number:05d}", flow="reception", started_at=AT + number) for number in range(first, calls)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda record: store._merge(day_row(record)), rows))


def test_a_page_of_the_list_is_one_request_and_a_filter_five_at_most_however_many_calls_there_are(
    storage: str,
) -> None:
    store = TableStore(StorageAccount(storage), "lists")
    store.prepare()
    costs = []
    for calls, first in ((60, 0), (1100, 60)):
        listed(store, calls, first=first)
        with counted_requests() as plain:
            assert len(page_of(store.listed(DAY, most=PAGE + 1), Filter(DAY)).rows) == 50
        with counted_requests() as filtered:
            assert page_of(store.listed(DAY), Filter(DAY, flow="none")).rows == []
        costs.append((plain.total(), filtered.total()))
    assert costs == [(1, 1), (1, 2)]


def test_today_is_counted_and_not_searched_through(storage: str) -> None:
    """As many requests after many calls as after few; see tests/unit/store/test_figures.py for each of them."""
    store = TableStore(StorageAccount(storage), "today")
    store.prepare()

    def cost() -> int:
        with counted_requests() as counts:
            today(store, DAY, {})
        return counts.total()

    def over(number: int, outcome: str) -> CallRecord:
        return CallRecord(f"d{number}", status="ended", outcome=outcome, started_at=AT + number)

    assert cost() == 2
    for number in range(3):
        store.close(over(number, "completed"), {})
    assert cost() == 2
    store.close(over(3, "failed"), {})
    assert cost() == 3
    going_on = CallRecord("live", status="connected", started_at=AT)
    store.claim(going_on, [])
    store.index(going_on)
    assert cost() == 4
    listed(store, 1100)  # the live one is not among the newest any more: its head is read
    assert cost() == 5


def test_a_poll_of_a_call_is_one_request(storage: str) -> None:
    store = TableStore(StorageAccount(storage), "polls")
    board = conductor(store)
    call = BenchCall(board)
    board.deliver(call.call_id, call.connected())
    service = CallService(board, store, NoBrakes())
    with counted_requests() as counts:
        before = version_of(service.view(call.call_id))
    assert counts.total() == 1
    board.deliver(call.call_id, call.played())
    assert version_of(service.view(call.call_id)) != before
