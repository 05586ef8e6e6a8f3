"""Calls are removed once they are old, with all that they left; never one that goes on."""

from __future__ import annotations

import logging

import pytest

from shared.calls.store.base import Found
from shared.errors import StoreUnavailable, UnknownCall, UnknownRecording
from shared.kept.calls import MOST_DAYS
from shared.privacy import NumberHashes
from tests.unit.kept.world import ADA, DAY, EARLIER, KEY, START, Kept, found
from tests.unit.recordings.world import BEGAN, SERVER_CALL

NOTHING = {"expired": 0, "forgotten": 0, "rehashed": 0, "failed": 0}


def test_a_call_is_removed_after_its_days_and_not_before() -> None:
    kept = Kept()
    record = kept.call()
    kept.stream()
    kept.give_up(record)
    kept.pass_days(30)
    assert kept.retention.sweep() == NOTHING
    kept.pass_days(1)
    assert kept.retention.sweep() == {**NOTHING, "expired": 1}
    with pytest.raises(UnknownCall):
        kept.store.load("call-1")
    assert kept.store.archive == {}
    assert kept.streams.files == {}
    assert list(kept.letters.listed()) == []
    assert list(kept.store.listed(found(record).day)) == []
    assert list(kept.store.search("number", ADA)) == []
    assert kept.retention.sweep() == NOTHING


def test_calls_are_kept_for_ever_if_the_setting_says_so() -> None:
    kept = Kept(days=0)
    kept.call()
    kept.pass_days(4000)
    assert kept.retention.sweep() == NOTHING
    assert kept.store.peek("call-1").caller == ADA


def test_a_call_that_goes_on_is_never_touched() -> None:
    kept = Kept()
    kept.call(open_=True)
    kept.stream()
    kept.call("call-2")
    kept.pass_days(400)
    assert kept.retention.sweep() == {**NOTHING, "expired": 1}
    assert kept.store.peek("call-1").status == "connected"
    assert len(kept.streams.files) == 2
    assert [one.call_id for one in kept.store.search("number", ADA)] == ["call-1"]


def test_recordings_outlive_their_call_and_are_found_by_number_until_they_expire() -> None:
    kept = Kept()
    recording = kept.everything()
    kept.pass_days(31)
    assert kept.retention.sweep() == {**NOTHING, "expired": 1}
    assert kept.recordings.record(recording).status == "reported"
    assert [one.call_id for one in kept.store.search("number", ADA)] == ["call-1"]
    assert list(kept.store.listed("2026-11-23")) == []
    kept.pass_days(60)
    kept.recordings.pipeline.sweep()
    with pytest.raises(UnknownRecording):
        kept.recordings.record(recording)
    kept.pass_days(MOST_DAYS - 1)
    assert kept.retention.sweep() == NOTHING
    kept.pass_days(1)
    assert kept.retention.sweep() == {**NOTHING, "forgotten": 1}
    assert list(kept.store.search("number", ADA)) == []
    assert kept.retention.sweep() == NOTHING


def test_streams_of_a_call_over_midnight_are_removed() -> None:
    kept = Kept()
    kept.call(ended_at=START + 86_400_000, updated_at=START + 86_400_000)
    kept.stream(at=BEGAN)
    kept.stream(at=BEGAN + DAY)
    kept.stream("call-12")
    kept.pass_days(31)
    kept.retention.sweep()
    assert {name.split("/")[3] for name in kept.streams.files} == {"call-12"}


def test_a_call_that_cannot_be_removed_keeps_no_other_from_it_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    kept = Kept()
    for number in range(20):
        kept.call(f"call-{number}")
    kept.pass_days(31)
    remove = kept.store.remove

    def failing(one: Found, *, keep_numbers: bool = False) -> bool:
        if one.call_id == "call-7":
            raise StoreUnavailable(f"no luck with {ADA}")
        return remove(one, keep_numbers=keep_numbers)

    monkeypatch.setattr(kept.store, "remove", failing)
    assert kept.retention.sweep() == {**NOTHING, "expired": 19, "failed": 1}
    assert "call-7" in caplog.text
    assert "4255550100" not in caplog.text
    monkeypatch.setattr(kept.store, "remove", remove)
    assert kept.retention.sweep() == {**NOTHING, "expired": 1}


def test_a_run_ends_in_time_and_the_next_one_goes_on() -> None:
    kept = Kept(seconds=0.0)
    for number in range(20):
        kept.call(f"call-{number}")
    kept.pass_days(31)
    assert [kept.retention.sweep()["expired"] for _ in range(4)] == [8, 8, 4, 0]


def test_calls_are_put_under_the_current_key_by_the_same_run() -> None:
    kept = Kept(EARLIER)
    kept.call(server_call_id=SERVER_CALL)
    kept.store._numbers = NumberHashes(KEY, EARLIER)
    assert kept.retention.sweep() == {**NOTHING, "rehashed": 2}
    kept.store._numbers = NumberHashes(KEY)
    assert [one.call_id for one in kept.store.search("number", ADA)] == ["call-1"]
