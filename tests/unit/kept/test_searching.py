"""Which calls belong to a number, from where a request goes on, and what is told of each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.calls.record import CallRecord
from shared.identifiers import Identifier
from shared.recordings.record import report_name
from shared.web.people import PersonAsked
from shared.web.people_service import ELSEWHERE, LISTED, NOT_SEARCHED, SWITCHED_OFF
from tests.unit.kept.test_people import erase, export
from tests.unit.kept.world import ADA, BOB, DAY, OFFICE, START, Kept
from tests.unit.recordings.world import SERVER_CALL

AT = round(DAY * 1000)
"""Milliseconds of a day."""


def place(started_at: int, call_id: str) -> str:
    return f"{10**13 - started_at:013d} {call_id}"


def asked(number: str = ADA, **more: Any) -> PersonAsked:
    return PersonAsked(number=Identifier.parse(number), **more)


def places(kept: Kept, **more: Any) -> list[tuple[str, str]]:
    """From where a request would go on before each call, and at each day."""
    return [(at, found.call_id if found else "") for at, found in kept.people._found(asked(**more))]


def filled() -> Kept:
    """Three days on: two calls that hashes find, the newest first, and two that only the lists of days have."""
    kept = Kept()
    kept.call("call-0")
    kept.call("call-1", started_at=START + AT)
    kept.call("day-0", indexed=False)
    kept.call("day-1", indexed=False, started_at=START + AT, caller=OFFICE, callee=ADA)
    kept.call("bob-1", indexed=False, started_at=START + AT, caller=BOB)
    kept.pass_days(2)
    return kept


NEWEST, OLDEST = place(START + AT, "call-1"), place(START, "call-0")


def test_calls_are_those_of_the_hash_then_those_of_each_day_the_newest_first() -> None:
    assert places(filled()) == [("hash ", "call-1"), (f"hash {NEWEST}", "call-0")]
    assert places(filled(), days=3) == [
        ("hash ", "call-1"),
        (f"hash {NEWEST}", "call-0"),
        ("day 2026-11-25 ", ""),
        ("day 2026-11-24 ", ""),
        (f"day 2026-11-24 {place(START + AT, 'bob-1')}", "call-1"),
        (f"day 2026-11-24 {NEWEST}", "day-1"),
        ("day 2026-11-23 ", ""),
        ("day 2026-11-23 ", "call-0"),
        (f"day 2026-11-23 {OLDEST}", "day-0"),
    ]


@pytest.mark.parametrize(
    ("after", "calls"),
    [
        ("", ["call-1", "call-0", "call-1", "day-1", "call-0", "day-0"]),
        ("hash ", ["call-1", "call-0", "call-1", "day-1", "call-0", "day-0"]),
        (f"hash {NEWEST}", ["call-0", "call-1", "day-1", "call-0", "day-0"]),
        (f"hash {OLDEST}", ["call-1", "day-1", "call-0", "day-0"]),
        ("day 2026-11-25 ", ["call-1", "day-1", "call-0", "day-0"]),
        (f"day 2026-11-24 {NEWEST}", ["day-1", "call-0", "day-0"]),
        ("day 2026-11-23 ", ["call-0", "day-0"]),
        (f"day 2026-11-23 {OLDEST}", ["day-0"]),
        (f"day 2026-11-23 {place(START, 'day-0')}", []),
        ("day 2026-11-22 ", []),
    ],
)
def test_a_request_goes_on_where_the_one_before_ended(after: str, calls: list[str]) -> None:
    assert [call for _, call in places(filled(), days=3, after=after) if call] == calls


def test_a_call_that_is_found_twice_is_told_once() -> None:
    exported = export(filled(), days=3)
    assert [call.call_id for call in exported.calls] == ["call-1", "call-0", "day-1", "day-0"]
    receipt = erase(filled(), days=3)
    assert [call.call_id for call in receipt.calls] == ["call-1", "call-0", "day-1", "day-0"]
    assert receipt.complete


def test_other_people_on_the_same_days_are_left_alone() -> None:
    kept = filled()
    erase(kept, days=3)
    assert kept.store.peek("bob-1").caller == BOB
    assert [call.call_id for call in erase(kept, BOB, days=3).calls] == ["bob-1"]


def test_a_request_that_has_no_time_left_says_where_the_next_goes_on() -> None:
    kept = filled()
    head = kept.calls.head

    def slow(found: Any) -> Any:
        kept.recordings.now += 100.0
        return head(found)

    kept.calls.head = slow  # type: ignore[method-assign]
    receipt = erase(kept, days=3)
    assert ([call.call_id for call in receipt.calls], receipt.next) == (["call-1"], f"hash {NEWEST}")
    assert not receipt.complete
    assert (export(kept).next, export(kept).calls[0].call_id) == (None, "call-0")


def test_time_that_is_left_is_used() -> None:
    kept = filled()
    kept.people._seconds = 0.001
    assert [call.call_id for call in erase(kept).calls] == ["call-1", "call-0"]


@pytest.mark.parametrize(
    ("key", "kept_days", "days", "searched"),
    [
        ("k", 30, None, 0),
        ("k", 30, 5, 5),
        ("k", 30, 0, 0),
        ("", 30, None, 32),
        ("", 30, 5, 5),
        ("", 30, 0, 0),
        ("", 0, None, 366),
        ("", 364, None, 366),
    ],
)
def test_how_many_days_are_looked_through(key: str, kept_days: int, days: int | None, searched: int) -> None:
    kept = Kept("", days=kept_days)
    kept.people._hashes = bool(key)
    found = kept.people._searched(asked(days=days))
    assert (found.by_hash, found.days) == (bool(key), searched)
    assert len(kept.people._days_of(asked(days=days))) == searched


def test_days_are_utc_days_the_newest_first() -> None:
    kept = Kept()
    assert kept.people._days_of(asked(days=3)) == ["2026-11-23", "2026-11-22", "2026-11-21"]


# What is about to be written again


@pytest.mark.parametrize("field", ["ended_at", "updated_at", "written_at"])
@pytest.mark.parametrize(("silent", "new"), [(59_999, True), (60_000, False)])
def test_a_call_is_new_for_a_minute_after_its_last_word(field: str, silent: int, new: bool) -> None:
    kept = Kept()
    last: dict[str, Any] = {field: round(kept.now * 1000) - silent}
    record = CallRecord("call-1", status="ended", **last)
    assert kept.people._is_new(record) is new


def test_a_call_that_goes_on_is_not_new() -> None:
    kept = Kept()
    assert not kept.people._is_new(CallRecord("call-1", status="connected", updated_at=round(kept.now * 1000)))


# Receipts


@pytest.mark.parametrize("days", [None, 3])
@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize("off", [False, True])
def test_a_receipt_says_what_stays(days: int | None, listed: bool, off: bool) -> None:
    kept = Kept()
    kept.people._is_off = lambda number: off and number.raw_id == ADA
    assert kept.do_not_record is not None
    kept.do_not_record.add(ADA if listed else BOB)
    stays = [ELSEWHERE, *[NOT_SEARCHED] * (days is None), *[LISTED] * listed, *[SWITCHED_OFF] * off]
    assert erase(kept, days=days).stays == tuple(stays)
    assert export(kept, days=days).do_not_record is listed


def test_a_receipt_of_an_app_without_a_list_says_nothing_of_it() -> None:
    kept = Kept("")
    assert erase(kept).stays == (ELSEWHERE,)
    assert export(kept).do_not_record is None


def test_a_receipt_counts_what_went_with_each_call() -> None:
    kept = Kept()
    kept.everything()
    kept.pass_days(1)
    (call,) = erase(kept).calls
    assert call.model_dump() == {
        "call_id": "call-1",
        "started_at": START,
        "started_at_iso": "2026-11-23T08:13:20.000Z",
        "erased": True,
        "recordings": 1,
        "streams": 2,
        "letters": 1,
        "stays": "",
    }


def test_an_erasure_of_which_a_call_stays_is_not_complete() -> None:
    kept = Kept()
    kept.call("call-0", open_=True)
    kept.call("call-1")
    kept.pass_days(1)
    receipt = erase(kept)
    assert {call.call_id: call.erased for call in receipt.calls} == {"call-0": False, "call-1": True}
    assert (receipt.complete, receipt.next) == (False, None)


def test_an_export_has_no_key_of_the_call_and_no_secret() -> None:
    kept = Kept()
    record = CallRecord("call-1", status="ended", caller=ADA, started_at=START, ring="context", secrets="3f9a0c1e.key")
    sealed = '{"at":7,"secret":"AAAA","entry":"signal","id":"s","name":"card"}'
    kept.store.claim(record, [sealed])
    kept.store.index(record)
    (call,) = export(kept).calls
    assert call.call is not None
    assert (call.call["ring"], call.call["secrets"], call.call["call_id"]) == ("", "", "call-1")
    assert call.journal == ({"at": 7, "secret": True, "entry": "signal", "id": "s", "name": "card"},)
    assert call.started_at == START


def test_an_export_has_the_report_of_a_recording_and_links_to_its_files() -> None:
    kept = Kept()
    recording = kept.everything()
    assert [one.report for one in export(kept).calls[0].recordings] == [None], "none was made"
    archive = kept.recordings.archive
    archive.put_text(report_name(recording), json.dumps({"score": 7}))
    (call,) = export(kept).calls
    assert [one.report for one in call.recordings] == [{"score": 7}]
    assert call.recordings[0].files == {name: archive.link(name, 60) for name in archive.files}
    assert call.streams == {name: kept.streams.link(name, 60) for name in kept.streams.files}
    assert len(call.streams) == 2


def test_what_is_found_by_its_server_call_is_exported_without_a_journal() -> None:
    kept = Kept()
    kept.call(server_call_id=SERVER_CALL)
    recording = kept.record()
    kept.pass_days(31)
    kept.retention.sweep()
    (call,) = export(kept).calls
    assert (call.call, call.journal, call.started_at) == (None, (), START)
    assert [one.record["id"] for one in call.recordings] == [recording]
