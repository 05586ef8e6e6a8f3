"""What is kept of a person is exported and erased, piece by piece, and the receipt says what stays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from shared.calls.record import CallRecord
from shared.errors import InvalidInput, StoreUnavailable
from shared.identifiers import Identifier
from shared.privacy import NumberHashes
from shared.use_cases.base import Erased, Task
from shared.web.people import PersonErased, PersonExported
from shared.web.people_service import ELSEWHERE, LISTED, NOT_SEARCHED
from tests.unit.kept.world import ADA, BOB, DAY, EARLIER, KEY, OFFICE, START, Kept
from tests.unit.recordings.world import SERVER_CALL

DIGITS = "4255550100"


def erase(kept: Kept, number: str = ADA, **more: Any) -> PersonErased:
    return kept.people.erase(json.dumps({"number": number, **more}).encode())


def export(kept: Kept, number: str = ADA, **more: Any) -> PersonExported:
    return kept.people.export(json.dumps({"number": number, **more}).encode())


def whatever_is_kept(kept: Kept) -> str:
    """All of it as one text."""
    return repr(
        [
            kept.store._calls,
            kept.store.archive,
            {name: rows for name, rows in kept.store._rows.items() if rows},
            kept.streams.files,
            kept.recordings.archive.files,
            kept.recordings.ledger._records,
            kept.recordings.ledger._reports,
            list(kept.letters.listed()),
        ]
    )


def test_nothing_of_a_person_is_left_but_what_the_receipt_says() -> None:
    kept = Kept()
    recording = kept.everything()
    kept.call("call-2", caller=BOB)
    assert kept.do_not_record is not None
    kept.do_not_record.add(ADA)
    assert DIGITS in whatever_is_kept(kept)
    kept.pass_days(1)
    receipt = erase(kept)
    (call,) = receipt.calls
    assert (call.call_id, call.erased, call.recordings, call.streams, call.letters) == ("call-1", True, 1, 2, 1)
    assert receipt.complete
    assert set(receipt.stays) == {ELSEWHERE, LISTED, NOT_SEARCHED}
    left = whatever_is_kept(kept)
    for trace in (DIGITS, "call-1'", recording, "this is Ada", NumberHashes(KEY).of(ADA)):
        assert trace not in left
    assert kept.recordings.service.deleted == kept.recordings.names, "the service's own files go too"
    assert kept.store.peek("call-2").caller == BOB
    assert erase(kept).calls == ()


@pytest.mark.parametrize("number", ["+14255550100", "4:14255550100", "4:+14255550100_a1b2"])
def test_a_number_is_one_person_however_it_is_written(number: str) -> None:
    kept = Kept()
    kept.call()
    kept.pass_days(1)
    assert [call.call_id for call in export(kept, number).calls] == ["call-1"]
    assert [call.erased for call in erase(kept, number).calls] == [True]


def test_a_call_is_erased_for_either_side() -> None:
    kept = Kept()
    kept.call()
    kept.pass_days(1)
    assert [call.erased for call in erase(kept, OFFICE).calls] == [True]
    assert DIGITS not in whatever_is_kept(kept)


def test_a_call_is_found_by_others_who_took_part() -> None:
    kept = Kept()
    kept.call(others=(BOB,))
    kept.pass_days(1)
    assert [call.call_id for call in export(kept, BOB).calls] == ["call-1"]
    assert [call.erased for call in erase(kept, BOB).calls] == [True]


def test_a_call_that_goes_on_or_has_just_ended_stays_and_the_receipt_says_so() -> None:
    kept = Kept()
    kept.call(open_=True)
    kept.call("call-2", ended_at=round(kept.now * 1000) - 5000)
    kept.stream()
    receipt = erase(kept)
    assert [(call.call_id, call.erased) for call in receipt.calls] == [("call-1", False), ("call-2", False)]
    assert receipt.calls[0].stays == "the call goes on"
    assert "moment ago" in receipt.calls[1].stays
    assert not receipt.complete
    assert kept.store.peek("call-1").caller == kept.store.peek("call-2").caller == ADA
    assert len(kept.streams.files) == 2
    kept.pass_days(1)
    assert [(call.call_id, call.erased) for call in erase(kept).calls] == [("call-1", False), ("call-2", True)]


def test_recordings_of_a_call_that_has_expired_are_exported_and_erased() -> None:
    kept = Kept()
    recording = kept.everything()
    kept.pass_days(31)
    kept.retention.sweep()
    (call,) = export(kept).calls
    assert (call.call, call.journal, [one.record["id"] for one in call.recordings]) == (None, (), [recording])
    (erased,) = erase(kept).calls
    assert (erased.erased, erased.recordings) == (True, 1)
    assert kept.recordings.archive.files == {}
    assert list(kept.store.search("number", ADA)) == []
    assert erase(kept).calls == ()


def test_a_recording_that_the_service_does_not_delete_keeps_its_call_for_the_next_time() -> None:
    kept = Kept()
    kept.everything()
    kept.pass_days(1)
    kept.recordings.service.delete_fails = 1
    receipt = erase(kept)
    assert [(call.erased, call.stays) for call in receipt.calls] == [
        (False, "a recording cannot be deleted at the service now; erase again later")
    ]
    assert not receipt.complete
    assert erase(kept).complete
    assert DIGITS not in whatever_is_kept(kept)


def test_an_erasure_that_breaks_off_anywhere_is_finished_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = ["store.is_open", "store.remove", "streams.remove", "letters.remove", "recordings.archive.remove",
             "recordings.ledger.remove", "recordings.service.delete"]  # fmt: skip
    for step in steps:
        kept = Kept()
        kept.everything()
        kept.pass_days(1)
        owner: Any = kept
        *path, name = step.split(".")
        for part in path:
            owner = getattr(owner, part)

        def dies(*_: Any, **__: Any) -> None:
            raise StoreUnavailable("the process ends here")

        with monkeypatch.context() as patch:
            patch.setattr(owner, name, dies)
            with pytest.raises(StoreUnavailable):
                erase(kept)
        assert erase(kept).complete, step
        assert DIGITS not in whatever_is_kept(kept), step


def test_work_is_done_in_pieces_that_end_in_time() -> None:
    kept = Kept(seconds=0.0)
    kept.pass_days(1)
    assert erase(kept).next is None
    for number in range(3):
        kept.call(f"call-{number}", started_at=START + number)
    assert (erase(kept).calls, erase(kept).next) == ((), "hash ")


def test_pieces_together_are_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept()
    for number in range(5):
        kept.call(f"call-{number}", started_at=START + number * 1000)
    for number in range(3):
        kept.call(f"other-{number}", indexed=False, started_at=START - round(DAY * 1000) * number, caller="4:+142")
    kept.pass_days(1)
    head = kept.calls.head

    def slow(found: Any) -> Any:
        kept.recordings.now += 60.0
        return head(found)

    for work in (export, erase):
        monkeypatch.setattr(kept.calls, "head", slow)
        seen: list[str] = []
        piece = work(kept, days=5)
        pieces = 1
        while True:
            seen += [call.call_id for call in piece.calls]
            if piece.next is None:
                break
            assert DIGITS not in piece.next
            piece, pieces = work(kept, days=5, after=piece.next), pieces + 1
        assert set(seen) == {f"call-{number}" for number in range(5)}
        assert pieces > 2
    assert DIGITS not in whatever_is_kept(kept)


def test_what_was_kept_before_there_was_a_key_is_found_by_looking_through_days() -> None:
    kept = Kept("")
    kept.call()
    kept.store._numbers = NumberHashes(KEY)
    kept.people._hashes = True
    kept.pass_days(3)
    assert erase(kept).calls == ()
    assert NOT_SEARCHED in erase(kept).stays
    assert erase(kept, days=3).calls == ()
    receipt = erase(kept, days=4)
    assert [call.erased for call in receipt.calls] == [True]
    assert receipt.searched.days == 4
    assert NOT_SEARCHED not in receipt.stays


def test_without_a_key_all_days_that_are_kept_are_looked_through() -> None:
    kept = Kept("")
    kept.call()
    kept.pass_days(30)
    receipt = erase(kept)
    assert (receipt.searched.by_hash, receipt.searched.days) == (False, 32)
    assert [call.erased for call in receipt.calls] == [True]
    assert export(kept).do_not_record is None


def test_after_a_change_of_the_key_everybody_is_found() -> None:
    kept = Kept(EARLIER)
    kept.call()
    kept.pass_days(1)
    kept.store._numbers = NumberHashes(KEY, EARLIER)
    assert [call.call_id for call in export(kept).calls] == ["call-1"]
    kept.retention.sweep()
    kept.store._numbers = NumberHashes(KEY)
    assert [call.erased for call in erase(kept).calls] == [True]
    assert DIGITS not in whatever_is_kept(kept)


def test_an_export_holds_what_is_kept_and_changes_nothing() -> None:
    kept = Kept()
    recording = kept.everything()
    before = whatever_is_kept(kept)
    exported = export(kept)
    (call,) = exported.calls
    assert call.call is not None
    assert (call.call["caller"], call.call["server_call_id"]) == (ADA, SERVER_CALL)
    assert call.journal[0]["said"] == f"I am {ADA}"
    assert list(call.streams) == sorted(kept.streams.files)
    (one,) = call.recordings
    assert one.record["id"] == recording
    assert any(name.endswith("0.wav") for name in one.files)
    assert exported.do_not_record is False
    assert exported.next is None
    assert whatever_is_kept(kept) == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "number"),
        ({"number": "Ada"}, "number"),
        ({"number": "+14255550100", "days": -1}, "days"),
        ({"number": "+14255550100", "days": 10**6}, "days"),
        ({"number": "+14255550100", "after": "nonsense"}, "after"),
        ({"number": "+14255550100", "more": 1}, "more"),
    ],
)
def test_what_is_wrong_in_a_request_is_named(body: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Kept().people.erase(json.dumps(body).encode())
    assert caught.value.field == field


# Use cases


class Sessions:
    """A use case that keeps sessions of people by their raw ids."""

    def __init__(self, *people: str, stays: str = "") -> None:
        self.people, self.stays = list(people), stays

    def work(self, task: Task) -> str:
        raise NotImplementedError

    def due(self, item: str) -> None:
        raise NotImplementedError

    def closing(self, record: CallRecord) -> None:
        raise NotImplementedError

    def may_place(self, record: CallRecord) -> bool:
        return True

    def export(self, number: Identifier) -> Mapping[str, Any]:
        return {"sessions": found} if (found := self.people.count(number.raw_id)) else {}

    def erase(self, number: Identifier) -> Erased:
        found = self.people.count(number.raw_id)
        self.people = [one for one in self.people if one != number.raw_id]
        return Erased(found, self.stays if found else "")

    def expire(self, now: datetime) -> int:
        removed, self.people = len(self.people), []
        return removed


def test_what_use_cases_keep_is_exported_first_and_erased_last(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept()
    for number in range(5):
        kept.call(f"call-{number}", started_at=START + number * 1000)
    kept.pass_days(1)
    head = kept.calls.head

    def slow(found: Any) -> Any:
        kept.recordings.now += 60.0  # so that a piece is some of the calls
        return head(found)

    monkeypatch.setattr(kept.calls, "head", slow)
    sessions = Sessions(ADA, ADA, BOB, stays="an opt-out")
    kept.cases["masking"] = lambda: sessions
    first = export(kept)
    assert (first.use_cases, first.next is None) == ({"masking": {"sessions": 2}}, False)
    assert export(kept, after=first.next).use_cases == {}
    begun = erase(kept)
    assert (begun.use_cases, begun.next is None) == ({}, False)
    assert sessions.people == [ADA, ADA, BOB]
    receipt = begun
    while receipt.next is not None:
        receipt = erase(kept, after=receipt.next)
    assert receipt.use_cases == {"masking": 2}
    assert "masking: an opt-out" in receipt.stays
    assert sessions.people == [BOB]


def test_a_use_case_that_leaves_nothing_is_not_among_what_stays() -> None:
    kept = Kept()
    kept.cases["masking"] = lambda: Sessions(ADA)
    receipt = erase(kept)
    assert receipt.use_cases == {"masking": 1}
    assert not [line for line in receipt.stays if line.startswith("masking")]


def test_use_cases_remove_what_is_old_with_the_calls() -> None:
    kept = Kept()
    sessions = Sessions(ADA, BOB)
    kept.cases["masking"] = lambda: sessions
    assert kept.retention.sweep() == {"expired": 0, "forgotten": 0, "rehashed": 0, "failed": 0, "use_cases": 2}
    assert "use_cases" not in kept.retention.sweep()
