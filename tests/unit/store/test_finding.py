"""Finding calls, by one suite run against each store: in memory, and Azure Tables and Blobs on Azurite."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.calls.finding import call_of_recording, calls_of_conversation
from shared.calls.record import CallRecord
from shared.calls.store.base import By, CallStore, listed_row
from shared.calls.store.limits import MAX_PROPERTY
from shared.calls.store.memory import MemoryStore
from shared.errors import InvalidInput, StoreRefused, UnknownCall
from shared.privacy import NumberHashes
from tests.examples import examples
from tests.unit.store.conftest import Another
from tests.unit.store.test_contract import AT, DAY, a_record

pytestmark = pytest.mark.xdist_group("store-contract")

KEY, OLD_KEY = (base64.b64encode(byte * 32).decode() for byte in (b"n", b"o"))
IDS: dict[By, str] = {
    "server_call_id": "aHR0cHM6Ly9h/b+c==",
    "correlation_id": "5d1f3a52-0000-4000-8000-000000000001",
    "connection_id": "02004780-0000-4000-8000-000000000001",
    "recording_id": "eyJQbGF0Zm9ybUVuZHBvaW50SWQiOiIx",
    "number": "4:+14255550100",
}
every_way = pytest.mark.parametrize("by", IDS)


def a_call(call_id: str = "call-1", **values: Any) -> CallRecord:
    """A call that knows nothing yet but where it begins."""
    return replace(CallRecord(call_id, flow="menu", direction="outbound", status="connecting", started_at=AT), **values)


def knowing(by: By, value: str, call_id: str = "call-1", **values: Any) -> CallRecord:
    """A call that is found by this and by nothing else."""
    column: dict[By, dict[str, Any]] = {
        "server_call_id": {"server_call_id": value},
        "correlation_id": {"correlation_id": value},
        "connection_id": {"call_connection_id": value},
        "recording_id": {"recording_ids": (value,)},
        "number": {"callee": value},
    }
    return a_call(call_id, **column[by], **values)


def hashing(store: CallStore, *keys: str) -> CallStore:
    """The store as an instance with these hash keys has it."""
    cast(Any, store)._numbers = NumberHashes(*keys) if keys else None
    return store


@pytest.fixture(autouse=True)
def prepared(store: CallStore) -> None:
    store.prepare()


def found(store: CallStore, by: By, value: str = "", **between: Any) -> list[str]:
    return [one.call_id for one in store.search(by, value or IDS[by], **between)]


# By what


def test_there_is_an_example_of_everything_that_a_call_is_found_by() -> None:
    assert list(IDS) == list(get_args(By))


@every_way
def test_a_call_is_found_by_what_is_known_of_it_and_by_nothing_else(another: Another, by: By) -> None:
    hashing(another(), KEY).index(knowing(by, IDS[by]))
    for way, value in IDS.items():
        assert found(hashing(another(), KEY), way, value) == (["call-1"] if way == by else [])
    assert found(hashing(another(), KEY), by, "8:acs:somebody/else") == []


@every_way
def test_what_becomes_known_later_finds_the_call_once_it_is_indexed_again(another: Another, by: By) -> None:
    """Azure Tables knows what was written, not what the caller's record says by now."""
    store = hashing(another(), KEY)
    record = a_call()
    record.indexed = store.index(record)
    assert store.indexed(record)
    later = knowing(by, IDS[by], indexed=record.indexed)
    assert found(store, by) == []
    assert not store.indexed(later)
    later.indexed = store.index(later)
    assert found(hashing(another(), KEY), by) == ["call-1"]
    assert store.indexed(later)


@every_way
def test_closing_a_call_makes_it_findable_by_nothing_new(another: Another, by: By) -> None:
    store = hashing(another(), KEY)
    store.index(a_call())
    store.close(knowing(by, IDS[by], status="ended"), {})
    assert found(store, by) == []


@every_way
def test_calls_are_found_newest_first_between_two_moments_and_from_a_position_on(another: Another, by: By) -> None:
    store = hashing(another(), KEY)
    for number in range(5):
        store.index(knowing(by, IDS[by], f"call-{number}", started_at=AT + number))
    assert found(store, by) == ["call-4", "call-3", "call-2", "call-1", "call-0"]
    assert found(store, by, since=AT + 1) == ["call-4", "call-3", "call-2", "call-1"]
    assert found(store, by, until=AT + 3) == ["call-2", "call-1", "call-0"]
    assert found(store, by, since=AT + 1, until=AT + 3) == ["call-2", "call-1"]
    second = list(store.search(by, IDS[by]))[1]
    assert second.position == listed_row(a_call("call-3", started_at=AT + 3)).position
    assert found(store, by, after=second.position) == ["call-2", "call-1", "call-0"]
    assert found(store, by, after=second.position, since=AT + 1) == ["call-2", "call-1"]


@every_way
def test_a_search_in_a_new_deployment_finds_nothing(another: Another, by: By) -> None:
    assert found(hashing(another(), KEY), by) == []


def test_either_side_of_a_call_is_found_by_its_number(another: Another) -> None:
    store = hashing(another(), KEY)
    store.index(a_call(caller="4:+18005550199", callee="4:+14255550100"))
    store.index(a_call("itself", caller="4:+14255550100", callee="4:+14255550100", started_at=AT + 1))
    assert found(store, "number", "4:+18005550199") == ["call-1"]
    assert found(store, "number", "4:+14255550100") == ["itself", "call-1"]


@pytest.mark.parametrize("written", ["4:14255550100", "4:+14255550100_2f1c0a6e-0000-4000-8000-000000000001"])
def test_a_number_is_one_number_however_the_service_writes_it(another: Another, written: str) -> None:
    store = hashing(another(), KEY)
    store.index(a_call(caller=written))
    assert found(store, "number", "4:+14255550100") == ["call-1"]


def test_no_row_of_the_index_names_a_number_but_the_list_of_the_day(store: CallStore) -> None:
    hashing(store, KEY).index(a_call(caller="4:+14255550100", callee="8:acs:ada"))
    keys = [key for key in _partitions(store) if not key.startswith("day ")]
    assert any(key.startswith("number ") for key in keys)
    assert [key for key in keys if "4255550100" in key or "ada" in key] == []


def test_a_number_is_found_under_the_key_before_as_well_and_each_call_once(another: Another) -> None:
    old, new = hashing(another(), OLD_KEY), hashing(another(), KEY, OLD_KEY)
    hashing(old, OLD_KEY).index(a_call("old", caller=IDS["number"]))
    during = a_call("during", caller=IDS["number"], started_at=AT + 1)
    during.indexed = old.index(during)
    hashing(new, KEY, OLD_KEY)
    assert not new.indexed(during), "the row under the new key is still to be written"
    new.index(during)
    new.index(a_call("new", caller=IDS["number"], started_at=AT + 2))
    assert found(new, "number") == ["new", "during", "old"]
    page = next(new.search("number", IDS["number"]))
    assert found(new, "number", after=page.position) == ["during", "old"]
    assert found(hashing(another(), KEY), "number") == ["new", "during"]


def test_without_a_key_no_number_is_kept_and_a_search_says_what_to_set(another: Another) -> None:
    store = hashing(another())
    record = a_call(caller=IDS["number"], server_call_id=IDS["server_call_id"])
    record.indexed = store.index(record)
    assert store.indexed(record)
    with pytest.raises(InvalidInput) as caught:
        store.search("number", IDS["number"])
    assert caught.value.field == "number"
    assert "NUMBER_HASH_KEY" in caught.value.remedy
    assert found(store, "server_call_id") == ["call-1"]
    assert [key for key in _partitions(store) if key.startswith("number")] == []
    assert not hashing(store, KEY).indexed(record), "a live call is found by number once there is a key"


# What is written, and how often


def test_rows_that_stand_are_not_written_again(another: Another) -> None:
    store = hashing(another(), KEY)
    record = a_call(caller=IDS["number"])
    record.indexed = store.index(record)
    _drop(store)
    assert store.index(replace(record, server_call_id="new")) != record.indexed
    assert found(store, "server_call_id", "new") == ["call-1"]
    assert found(store, "number") == []
    assert list(store.open_calls()) == []


def test_a_call_that_comes_up_is_due_in_the_list_and_one_that_ends_is_left_to_its_close(another: Another) -> None:
    store = another()
    record = a_call()
    record.indexed = store.index(record)
    up = replace(record, status="connected", connected_at=AT + 1)
    assert not store.indexed(up)
    up.indexed = store.index(up)
    assert store.indexed(replace(up, status="ended", ended_at=AT + 2, outcome="completed"))
    assert store.indexed(replace(up, outcome="failed", entries=9, unconfirmed=[1]))


def test_a_call_that_learns_whom_it_rings_is_due_in_the_list(another: Another) -> None:
    store = another()
    record = a_call()
    record.indexed = store.index(record)
    for dialled in (replace(record, caller="8:acs:ada"), replace(record, callee="8:acs:ada")):
        assert not store.indexed(dialled)
        store.index(dialled)
    (row,) = store.listed(DAY)
    assert (row.caller, row.callee) == ("8:acs:ada", "8:acs:ada")


STAGES = (
    a_call(),
    a_call(status="connected", connected_at=AT + 1, caller="4:+18005550199"),
    a_call(status="connected", connected_at=AT + 1, caller="4:+18005550199", callee="8:acs:ada"),
)
OVER = a_call(
    status="ended", connected_at=AT + 1, ended_at=AT + 2, outcome="completed", caller="4:+18005550199",
    callee="8:acs:ada", entries=9,
)  # fmt: skip


@settings(max_examples=examples(60), deadline=None)
@given(order=st.lists(st.sampled_from([*STAGES, OVER]), min_size=1).filter(lambda stages: OVER in stages))
def test_the_list_says_the_newest_however_late_an_older_instance_writes(order: list[CallRecord]) -> None:
    store = MemoryStore()
    for record in order:
        if record is OVER:
            store.close(record, {})
        else:
            store.index(record)
    (row,) = store.listed(DAY)
    assert row == listed_row(OVER)


def test_an_older_instance_takes_nothing_back(another: Another) -> None:
    store = another()
    for record in STAGES:
        store.index(record)
    store.index(STAGES[0])
    assert list(store.listed(DAY)) == [listed_row(STAGES[-1])]
    store.close(OVER, {})
    for record in STAGES:
        store.index(record)
    assert list(another().listed(DAY)) == [listed_row(OVER)]


@pytest.mark.parametrize(
    ("direction", "status"),
    [("inbound", "ringing"), ("outbound", "connecting"), ("outbound", "waiting"),
     *((direction, status) for direction in ("inbound", "outbound") for status in ("connected", "ended"))],
)  # fmt: skip
def test_the_list_says_how_far_each_call_has_come(another: Another, direction: Any, status: Any) -> None:
    record = a_call(status=status, direction=direction)
    another().index(record)
    assert list(another().listed(DAY)) == [listed_row(record)]


def test_the_list_says_whether_a_call_that_its_flow_places_waits_or_is_being_placed(another: Another) -> None:
    """Whichever of two instances writes last of two steps."""
    steps = [a_call(status=status, attempts=attempts) for attempts, status in
             ((0, "waiting"), (1, "connecting"), (1, "waiting"), (2, "connecting"), (2, "waiting"))]  # fmt: skip
    for step, earlier in zip(steps[1:], steps, strict=False):
        another().index(step)
        another().index(earlier)
        assert list(another().listed(DAY)) == [listed_row(step)]
    up = a_call(status="connected", attempts=2, connected_at=AT)
    another().index(up)
    another().index(steps[-1])
    assert list(another().listed(DAY)) == [listed_row(up)]


@every_way
def test_a_call_is_found_by_the_ids_and_callees_of_earlier_attempts(another: Another, by: By) -> None:
    store = hashing(another(), KEY)
    earlier = tuple(f"{name} {IDS[name]}" for name in ("server_call_id", "correlation_id", "connection_id", "number"))
    store.index(knowing(by, "4:+14255550188", attempts=2, earlier=earlier))
    assert found(store, by, "4:+14255550188") == ["call-1"]
    assert found(store, by) == ([] if by == "recording_id" else ["call-1"])


def test_an_older_archive_does_not_replace_a_newer_one(another: Another) -> None:
    first, second = another(), another()
    ended = replace(OVER, entries=5)
    for store, entries, words, kept in (
        (first, 5, "five", "five"),
        (second, 7, "seven", "seven"),
        (first, 6, "six", "seven"),
        (second, 7, "again", "again"),
    ):
        store.close(replace(ended, entries=entries), {"words": words})
        assert _archived(first)["words"] == kept


@pytest.mark.parametrize("late", [5, 6])
def test_an_older_close_leaves_in_the_list_what_a_newer_one_said(another: Another, late: int) -> None:
    """Closed first as settled; then CallDisconnected told how it really ended, and one of the closes was slow."""
    store = another()
    settled = replace(OVER, entries=5, outcome="settled")
    store.claim(settled, [])
    version = store.load(OVER.call_id).version
    amended = replace(OVER, entries=7, outcome="caller_left")
    store.commit(amended, ["{}"] * 2, version)
    store.close(amended, {"words": "seven"})
    another().close(replace(settled, entries=late), {"words": "older"})
    (row,) = another().listed(DAY)
    assert (row.status, row.outcome) == ("ended", "caller_left")


def test_the_connection_of_an_open_call_is_known_once_it_is_indexed_until_it_is_closed(another: Another) -> None:
    store = another()
    assert store.connection_of("call-1") == ""
    record = a_call()
    record.indexed = store.index(record)
    assert another().connection_of("call-1") == ""
    record.call_connection_id = "02004780-0000-4000-8000-000000000001"
    assert not store.indexed(record)
    record.indexed = store.index(record)
    assert another().connection_of("call-1") == record.call_connection_id
    store.close(replace(record, status="ended"), {})
    assert another().connection_of("call-1") == ""


# Heads


def test_heads_are_read_together_in_their_order_without_those_that_are_gone(another: Another) -> None:
    store = another()
    for number in range(40):
        store.claim(a_record(f"call-{number:02d}"), ["{}"])
    wanted = [f"call-{number:02d}" for number in (39, 0, 17, 50, 3)]
    heads = another().peek_all(wanted)
    assert heads == [a_record(call_id, ring="", secrets="") for call_id in wanted if call_id != "call-50"]
    assert another().peek_all([]) == []


NO_KEYS = ["a/b", "a\\b", "a#b", "a?b", "a\tb", "a\x85b", "x" * 513, "\ud800", ""]
STRANGE_KEYS = ["a'b", "a%2Fb", "a%0ab", "a b", "ü" * 100, "x" * 512, "head", "' or PartitionKey ne '"]


@pytest.mark.parametrize("call_id", [*NO_KEYS, *STRANGE_KEYS], ids=ascii)
def test_a_call_id_that_no_row_has_is_an_unknown_call(store: CallStore, call_id: str) -> None:
    for look in (store.load, store.peek):
        with pytest.raises(UnknownCall):
            look(call_id)


@pytest.mark.parametrize("call_id", NO_KEYS, ids=ascii)
def test_a_call_id_that_no_row_can_have_cannot_be_claimed(store: CallStore, call_id: str) -> None:
    with pytest.raises(StoreRefused) as caught:
        store.claim(a_record(call_id), ["{}"])
    assert not caught.value.retryable


@pytest.mark.parametrize("call_id", [key for key in STRANGE_KEYS if not key.startswith("'")], ids=ascii)
def test_a_strange_call_id_is_as_good_as_another(another: Another, call_id: str) -> None:
    another().claim(a_record(call_id), ["{}"])
    assert another().peek(call_id) == a_record(call_id)
    assert another().load(call_id).journal == ["{}"]


@pytest.mark.parametrize("text", ["x" * (MAX_PROPERTY + 1), "😀" * (MAX_PROPERTY // 2 + 1)], ids=["letters", "emoji"])
def test_a_property_that_no_row_takes_is_refused_and_trying_again_does_not_help(another: Another, text: str) -> None:
    version = another().claim(a_record(ring=text[: MAX_PROPERTY // 2]), [])
    writes: list[Callable[[], object]] = [
        lambda: another().claim(a_record("call-2", ring=text), []),
        lambda: another().commit(a_record(ring=text), ["{}"], version),
    ]
    for write in writes:
        with pytest.raises(StoreRefused) as caught:
            write()
        assert "ring" in str(caught.value)
        assert not caught.value.retryable
    assert another().load("call-1").journal == []


# Whose recording it is


def test_a_recording_belongs_to_the_call_that_started_it_not_to_the_newest_of_its_conversation(
    another: Another,
) -> None:
    store = another()
    server = IDS["server_call_id"]
    ours = a_call("ours", server_call_id=server, recording_ids=("rec-1",), recording="inactive")
    for record in (ours, a_call("theirs", server_call_id=server, started_at=AT + 5)):
        store.claim(record, [])
        store.index(record)
    assert found(store, "server_call_id") == ["theirs", "ours"]
    assert call_of_recording(store, "rec-1", server) == "ours"
    assert call_of_recording(store, "rec-1", "") == "ours"
    assert call_of_recording(store, "", server) == "ours", "the one that recorded"
    assert call_of_recording(store, "document", server) == "ours"
    assert call_of_recording(store, "document", "") is None


def test_of_calls_that_share_a_conversation_the_first_that_recorded_is_taken(another: Another) -> None:
    store = another()
    server = IDS["server_call_id"]
    for number, recording in enumerate(("", "inactive", "", "active")):
        record = a_call(f"call-{number}", server_call_id=server, started_at=AT + number, recording=recording)
        store.index(record)
        store.claim(record, [])
    assert call_of_recording(store, "document", server) == "call-1"


def test_a_recording_whose_row_is_not_written_yet_is_found_through_the_heads(another: Another) -> None:
    store = another()
    server = IDS["server_call_id"]
    for number in range(3):
        record = a_call(f"call-{number}", server_call_id=server, started_at=AT + number, recording="active")
        store.index(record)
        store.claim(replace(record, recording_ids=(f"rec-{number}",)), [])
    assert [call_of_recording(store, f"rec-{number}", server) for number in range(3)] == ["call-0", "call-1", "call-2"]


def test_of_calls_that_recorded_nothing_the_first_is_taken(another: Another) -> None:
    store = another()
    server = IDS["server_call_id"]
    assert call_of_recording(store, "rec", server) is None
    for number in range(3):
        record = a_call(f"call-{number}", server_call_id=server, started_at=AT + number)
        store.index(record)
        assert call_of_recording(store, "rec", server) is not None
        store.claim(record, [])
    assert call_of_recording(store, "rec", server) == "call-0"


# Whose conversation it is


def test_a_conversation_is_that_of_every_call_with_its_server_call_id(another: Another) -> None:
    store = another()
    for number, server in enumerate(("s-1", "s-1", "s-2")):
        store.index(a_call(f"call-{number}", server_call_id=server, correlation_id="c", started_at=AT + number))
    assert calls_of_conversation(store, "s-1", "c") == ["call-1", "call-0"]
    assert calls_of_conversation(store, "s-2") == ["call-2"]
    assert calls_of_conversation(store, "s-3", "c") == []


def test_a_placed_call_that_has_heard_nothing_yet_is_known_by_its_correlation_id(another: Another) -> None:
    store = another()
    for number, server in enumerate(("", "s-2", "")):
        record = a_call(f"call-{number}", server_call_id=server, correlation_id="c", started_at=AT + number)
        store.index(record)
        store.claim(record, [])
    assert calls_of_conversation(store, "s-1", "c") == ["call-2", "call-0"]
    assert calls_of_conversation(store, "s-2", "c") == ["call-1"]
    assert calls_of_conversation(store, "s-1") == []


# How each store keeps it


def _partitions(store: CallStore) -> list[str]:
    if isinstance(store, MemoryStore):
        return [key for key, rows in store._rows.items() if rows]
    return sorted({row["PartitionKey"] for row in cast(Any, store)._index.list_entities()})


def _drop(store: CallStore) -> None:
    """Empty the index, so that what is written from here on can be seen."""
    if isinstance(store, MemoryStore):
        store._rows.clear()
        return
    index = cast(Any, store)._index
    for row in list(index.list_entities()):
        index.delete_entity(row["PartitionKey"], row["RowKey"])


def _archived(store: CallStore) -> dict[str, Any]:
    if isinstance(store, MemoryStore):
        return store.archive["call-1"]
    return cast(dict[str, Any], json.loads(cast(Any, store)._blobs.get(f"{DAY.replace('-', '/')}/call-1.json")))
