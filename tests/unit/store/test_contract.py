"""What every store does, by one suite run against each: in memory, and Azure Tables and Blobs on Azurite."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest

from shared.calls.record import CallRecord
from shared.calls.store.base import CallStore, Version, day_of
from shared.errors import AlreadyClaimed, LostRace, UnknownCall
from tests.found_calls import newest_call
from tests.unit.store.conftest import Another

pytestmark = pytest.mark.xdist_group("store-contract")

AT = 1_790_000_000_000
DAY = day_of(AT)


def a_record(call_id: str = "call-1", **values: Any) -> CallRecord:
    """A head with a value in every column."""
    filled = CallRecord(
        call_id=call_id,
        flow="reception",
        status="connected",
        direction="outbound",
        caller="4:+14255550100",
        callee="8:acs:11111111_2222-'quoted'",
        correlation_id="correlation",
        server_call_id="aHR0cHM6Ly9h/b+c==",
        call_connection_id="connection",
        started_at=AT,
        connected_at=AT + 1,
        ended_at=AT + 2,
        updated_at=AT + 3,
        outcome="completed",
        result="confirmed",
        details={"slot": 3, "note": None},
        failure={"error": "RuntimeError: a bug", "where": "flows/reception.py:12"},
        recording="active",
        recording_ids=("eyJQbGF0Zm9ybUVuZHBvaW50SWQiOiIx", "eyJQbGF0Zm9ybUVuZHBvaW50SWQiOiIy"),
        attempts=2,
        placed_at=AT + 4,
        others=("8:acs:colleague", "4:+14255550102"),
        earlier=("connection_id a/b+c==", "number 4:+14255550101"),
        indexed=("0123abcd", "4567ef01"),
        code=200,
        sub_code=-5300,
        entries=7,
        unconfirmed=[3, 12],
        wake_at=1_790_000_060_000,
        written_at=1_790_000_000_000,
        marks=["0a1b2c3d", "4e5f6071"],
        ring="eyJ" * 2700,
        ring_id="0123",
        secrets="k1.d3JhcHBlZA==",
    )
    return replace(filled, **values)


def entry(number: int, size: int = 0) -> str:
    return json.dumps({"n": number, "ö": "x" * size}, ensure_ascii=False, separators=(",", ":"))


def grow(store: CallStore, record: CallRecord, version: Version, first: int, count: int, step: int = 3) -> Version:
    """Append entries, a few with each commit."""
    for start in range(first, first + count, step):
        appended = [entry(n) for n in range(start, min(start + step, first + count))]
        version = store.commit(record, appended, version)
    return version


def test_the_example_fills_every_column() -> None:
    empty = CallRecord(call_id="")
    record = a_record()
    same = [f.name for f in fields(CallRecord) if getattr(record, f.name) == getattr(empty, f.name)]
    assert same == []


# Claim


def test_a_claimed_call_is_stored_with_all_of_its_head_and_journal(store: CallStore) -> None:
    store.claim(a_record(), [entry(0), entry(1)])
    stored = store.load("call-1")
    assert stored.record == a_record()
    assert stored.journal == [entry(0), entry(1)]
    assert store.peek("call-1") == a_record()


def test_a_call_is_claimed_once(another: Another) -> None:
    another().claim(a_record(), [entry(0)])
    with pytest.raises(AlreadyClaimed):
        another().claim(a_record(flow="other"), [entry(1)])
    assert another().load("call-1").journal == [entry(0)]
    assert another().peek("call-1").flow == "reception"


def test_an_unknown_call_is_told_by_its_id(store: CallStore) -> None:
    store.claim(a_record(), [])
    for look in (store.load, store.peek):
        with pytest.raises(UnknownCall) as caught:
            look("nobody")
        assert caught.value.call_id == "nobody"


def test_what_the_caller_does_with_its_record_later_does_not_reach_the_store(store: CallStore) -> None:
    record = a_record()
    store.claim(record, [entry(0)])
    record.status, record.unconfirmed = "ended", []
    store.peek("call-1").unconfirmed.append(99)
    assert store.peek("call-1") == a_record()


# Commit


def test_a_commit_replaces_the_head_and_appends_to_the_journal(store: CallStore) -> None:
    version = store.claim(a_record(), [entry(0)])
    version = store.commit(a_record(status="ended", unconfirmed=[]), [entry(1), entry(2)], version)
    store.commit(a_record(outcome="failed"), [], version)
    stored = store.load("call-1")
    assert stored.record == a_record(outcome="failed")
    assert stored.journal == [entry(0), entry(1), entry(2)]


def test_a_commit_on_an_old_version_loses_the_race_and_changes_nothing(another: Another) -> None:
    first = another()
    version = first.claim(a_record(), [entry(0)])
    second = another()
    seen = second.load("call-1").version
    first.commit(a_record(outcome="first"), [entry(1)], version)
    for store, old in ((second, seen), (first, version)):
        with pytest.raises(LostRace):
            store.commit(a_record(outcome="late"), [entry(9)], old)
    assert second.load("call-1").journal == [entry(0), entry(1)]
    assert second.peek("call-1").outcome == "first"


def test_the_loser_of_a_race_loads_and_wins_the_next(another: Another) -> None:
    first, second = another(), another()
    version = first.claim(a_record(), [entry(0)])
    first.commit(a_record(), [entry(1)], version)
    second.commit(a_record(), [entry(2)], second.load("call-1").version)
    assert first.load("call-1").journal == [entry(0), entry(1), entry(2)]


def test_a_race_is_lost_as_well_where_the_journal_is_being_sealed(another: Another) -> None:
    first, second = another(), another()
    version = grow(first, a_record(), first.claim(a_record(), []), 0, 31)
    seen = second.load("call-1").version
    version = first.commit(a_record(), [entry(31), entry(32), entry(33)], version)
    with pytest.raises(LostRace):
        second.commit(a_record(), [entry(90), entry(91), entry(92)], seen)
    first.commit(a_record(), [entry(34)], version)
    assert second.load("call-1").journal == [entry(n) for n in range(35)]


@pytest.mark.parametrize("step", [1, 7, 33, 50])
def test_a_long_journal_keeps_every_entry_in_order(another: Another, step: int) -> None:
    store = another()
    version = store.claim(a_record(), [entry(0)])
    version = grow(store, a_record(), version, 1, 149, step)
    stored = another().load("call-1")
    assert stored.journal == [entry(n) for n in range(150)]
    # Another instance goes on from what it loaded.
    grow(another(), a_record(entries=200), stored.version, 150, 50, step)
    assert store.load("call-1").journal == [entry(n) for n in range(200)]
    assert store.peek("call-1").entries == 200


def test_a_journal_of_a_thousand_entries_is_loaded_whole(another: Another) -> None:
    store = another()
    version = store.claim(a_record(), [entry(0)])
    grow(store, a_record(), version, 1, 999, 20)
    assert another().load("call-1").journal == [entry(n) for n in range(1000)]


SIZES = {
    "one that no row takes": [100_000],
    "a megabyte": [1_000_000],
    "large ones among small ones": [5, 70_000, 5, 5, 40_000, 5],
    "many just under the limit of an entry": [15_900] * 8,
    "many of middle size at once": [4_000] * 40,
}


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("at_once", [True, False], ids=["in one commit", "in one commit each"])
def test_large_entries_come_back_as_they_were(another: Another, sizes: list[int], at_once: bool) -> None:
    store = another()
    entries = [entry(n, size) for n, size in enumerate(sizes)]
    version = store.claim(a_record(), entries[:1])
    rest = entries[1:]
    for appended in [rest] if at_once else [[one] for one in rest]:
        version = store.commit(a_record(), appended, version)
    assert another().load("call-1").journal == entries


def test_text_of_every_alphabet_comes_back_as_it_was(another: Another) -> None:
    store = another()
    entries = [json.dumps({"t": text * 3000}, ensure_ascii=False) for text in ("ñ", "好", "😀", "\u2028\x85")]
    version = store.claim(a_record(caller="8:acs:ünï_😀"), entries[:1])
    for one in entries[1:]:
        version = store.commit(a_record(caller="8:acs:ünï_😀"), [one], version)
    stored = another().load("call-1")
    assert stored.journal == entries
    assert stored.record.caller == "8:acs:ünï_😀"


def test_a_first_entry_too_large_for_a_row_can_be_claimed(another: Another) -> None:
    another().claim(a_record(), [entry(0, 50_000), entry(1)])
    assert another().load("call-1").journal == [entry(0, 50_000), entry(1)]


# Finding calls


def test_a_call_is_closed_once_its_archive_is_there(another: Another) -> None:
    record = a_record("call-1", status="ended")
    assert not another().is_closed(record)  # there is no container yet
    another().prepare()
    assert not another().is_closed(record)
    another().close(record, {"call_id": "call-1"})
    assert another().is_closed(record)
    assert not another().is_closed(a_record("call-2", status="ended"))


def test_an_indexed_call_is_open_until_it_is_closed(another: Another) -> None:
    store = another()
    store.prepare()
    assert list(store.open_calls()) == []
    for number in range(3):
        record = a_record(f"call-{number}")
        store.claim(record, [])
        store.index(record)
        store.index(record)  # by a duplicate
    assert sorted(another().open_calls()) == ["call-0", "call-1", "call-2"]
    for _ in range(2):
        store.close(a_record("call-1", status="ended"), {"call_id": "call-1"})
    assert sorted(another().open_calls()) == ["call-0", "call-2"]


def test_a_call_that_has_ended_before_it_is_indexed_is_not_open(store: CallStore) -> None:
    store.prepare()
    store.index(a_record(status="ended"))
    assert list(store.open_calls()) == []


def test_more_than_a_thousand_open_calls_are_all_found(another: Another) -> None:
    store = another()
    store.prepare()
    if not hasattr(store, "_index"):
        pytest.skip("memory has no pages")
    rows = [("create", {"PartitionKey": "open", "RowKey": f"call-{n:05d}"}) for n in range(1050)]
    for start in range(0, len(rows), 100):
        store._index.submit_transaction(rows[start : start + 100])
    assert len(list(store.open_calls())) == 1050


def test_calls_are_listed_by_day_newest_first(another: Another) -> None:
    store = another()
    store.prepare()
    for number, at in enumerate((AT, AT + 5000, AT - 5000, AT + 86_400_000)):
        store.index(a_record(f"call-{number}", started_at=at, outcome=""))
    listed = list(another().listed(DAY))
    assert [row.call_id for row in listed] == ["call-1", "call-0", "call-2"]
    row = listed[1]
    assert (row.day, row.started_at, row.status, row.flow) == (DAY, AT, "connected", "reception")
    assert (row.direction, row.caller, row.outcome) == ("outbound", "4:+14255550100", "")
    store.close(a_record("call-0", status="ended"), {})
    assert [r.outcome for r in another().listed(DAY) if r.call_id == "call-0"] == ["completed"]
    assert list(another().listed("2001-01-01")) == []


def test_a_call_is_found_by_its_server_call_id_the_newest_first(another: Another) -> None:
    store = another()
    store.prepare()
    store.index(a_record("old", started_at=AT))
    store.index(a_record("new", started_at=AT + 1))
    store.index(a_record("other", server_call_id="b3RoZXI=", started_at=AT + 2))
    assert newest_call(another(), "aHR0cHM6Ly9h/b+c==") == "new"
    assert newest_call(another(), "b3RoZXI=") == "other"
    assert newest_call(another(), "nothing/such") is None


def test_a_store_that_answers_is_healthy_before_its_first_call(store: CallStore) -> None:
    store.healthy()
    assert list(store.open_calls()) == []
    store.healthy()


def test_nothing_is_found_in_a_store_that_has_never_been_used(store: CallStore) -> None:
    assert list(store.open_calls()) == []
    with pytest.raises(UnknownCall):
        store.load("nobody")
    with pytest.raises(UnknownCall):
        store.peek("nobody")
