"""What the pages of the console cost the storage, in requests, whatever the number of calls."""

from __future__ import annotations

from itertools import islice

import pytest

from bench.core import BenchCall, conductor, counted_requests
from shared.azure.call_store import TableStore
from shared.calls.record import CallRecord
from shared.storage_account import StorageAccount
from shared.web.console.call_list import Filter, page_of
from shared.web.console.call_page import version_of
from shared.web.console.today import MOST_ROWS
from shared.web.service import CallService

pytestmark = pytest.mark.xdist_group("performance")

DAY, AT = "2026-11-28", 1_795_860_000_000


class NoBrakes:
    """Nothing is asked for here that could be braked."""

    def check_request(self, action: object) -> None:
        raise AssertionError("a page places no call")


def listed(store: TableStore, calls: int, *, first: int = 0) -> None:
    """So many calls in the list of the day."""
    for number in range(first, calls):
        store.index(CallRecord(f"c{number:05d}", flow="reception", started_at=AT + number, status="connected"))


def test_a_page_of_the_list_is_one_request_and_a_filter_that_finds_nothing_one_for_a_thousand_calls(
    storage: str,
) -> None:
    store = TableStore(StorageAccount(storage), "lists")
    store.prepare()
    costs = []
    for calls, first in ((60, 0), (1100, 60)):
        listed(store, calls, first=first)
        with counted_requests() as plain:
            assert len(page_of(store.listed(DAY), Filter(DAY)).rows) == 50
        with counted_requests() as filtered:
            assert page_of(store.listed(DAY), Filter(DAY, flow="none")).rows == []
        with counted_requests() as today:
            assert len(list(islice(store.listed(DAY), MOST_ROWS))) == min(calls, 1000)
        costs.append((plain.total(), filtered.total(), today.total()))
    assert costs == [(1, 1, 1), (1, 2, 1)]


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
