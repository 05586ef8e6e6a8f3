"""Today's figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from shared.calls.record import CallRecord
from shared.calls.store.index import day_row
from shared.calls.store.memory import MemoryStore
from shared.web.console.today import today
from tests.unit.console.test_call_list import AT, DAY


def call(store: MemoryStore, number: int, **given: Any) -> None:
    """A call of today, in whatever state."""
    values = {"flow": "reception", "status": "ended", "outcome": "completed", "started_at": AT - number, **given}
    record = CallRecord(f"c{number}", caller="4:+14255550123", callee="4:+18005550199", **values)
    store.claim(record, [])
    store.index(record)
    if record.status == "ended":
        store.close(record, {})


def test_five_figures_count_each_call_where_it_belongs() -> None:
    store = MemoryStore()
    call(store, 1, status="connected", outcome="")
    call(store, 2, status="ringing", outcome="", direction="outbound")
    call(store, 3, outcome="busy", direction="outbound")
    call(store, 4, outcome="no_answer", direction="outbound")
    call(store, 5, outcome="failed")
    call(store, 6, outcome="settled")
    call(store, 7, outcome="caller_left")
    found = today(store, DAY, {})
    assert {one.name: one.value for one in found.figures} == {
        "on the line": 2,
        "came in": 4,
        "went out": 3,
        "not reached": 2,
        "failed": 2,
    }
    assert [one.id for one in found.live] == ["c1", "c2"]
    assert [one.id for one in found.failed] == ["c5", "c6"]
    assert [one.bad for one in found.figures] == [False, False, False, False, True]
    assert found.calls == 7


def test_eight_live_calls_are_shown_and_the_rest_counted() -> None:
    store = MemoryStore()
    for number in range(11):
        call(store, number, status="connected", outcome="")
    found = today(store, DAY, {})
    assert (len(found.live), found.more_live, found.calls) == (8, 3, 11)
    assert [one.id for one in found.live] == [f"c{number}" for number in range(8)]


def test_a_live_call_is_shown_that_began_yesterday_or_before_a_hundred_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = MemoryStore()
    call(store, 200, status="connected", outcome="")
    call(store, 86_400_000, status="connected", outcome="", direction="outbound")
    for number in range(150):
        if number != 99:
            call(store, number)
    call(store, 99, status="connected", outcome="")
    asked: list[list[str]] = []
    peek_all = store.peek_all

    def noted(call_ids: Sequence[str]) -> list[CallRecord]:
        asked.append(list(call_ids))
        return peek_all(call_ids)

    monkeypatch.setattr(store, "peek_all", noted)
    found = today(store, DAY, {})
    assert [one.id for one in found.live] == ["c99", "c200", "c86400000"]
    assert asked == [["c200", "c86400000"]], "the newest hundred are known from the list"
    assert [one.value for one in found.figures] == [3, 151, 0, 0, 0], "yesterday's call is none of today"


def test_a_call_that_has_ended_and_is_not_closed_yet_is_live_no_more() -> None:
    store = MemoryStore()
    call(store, 1, status="connected", outcome="")
    store._merge(day_row(CallRecord("c1", status="ended", outcome="completed", started_at=AT - 1)))
    found = today(store, DAY, {})
    assert (found.live, found.figures[0].value) == ([], 0)


def test_the_version_changes_with_a_call_and_with_what_becomes_of_it() -> None:
    stores = [MemoryStore() for _ in range(5)]
    for store in stores[:2]:
        call(store, 1)
    call(stores[2], 1, status="connected", outcome="")
    call(stores[3], 1, outcome="failed")
    before, same, *changed = (today(store, DAY, {}).version for store in stores)
    assert before == same
    assert len({before, *changed}) == 4
