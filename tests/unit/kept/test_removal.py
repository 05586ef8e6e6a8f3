"""Removing one call, and what is old: on which days something is looked for, and at the bounds."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from shared.calls.record import CallRecord
from shared.calls.store.base import Found
from shared.errors import StoreUnavailable
from shared.kept.calls import Removed
from shared.privacy import NumberHashes
from tests.unit.kept.world import ADA, DAY, EARLIER, KEY, START, Kept, found
from tests.unit.recordings.world import BEGAN, SERVER_CALL

FIRST = date(2026, 11, 23)
AT = round(DAY * 1000)
"""Milliseconds of a day."""


def days(kept: Kept, record: CallRecord | None, of: Found | None = None) -> list[int]:
    """The days in which files of a call's streams may lie, counted from the first."""
    one = of or found(record or CallRecord("call-1", started_at=START))
    folders = kept.calls.folders(one, record)
    dates = [date(*map(int, folder.split("/")[:3])) for folder in folders]
    assert folders == [f"{day:%Y/%m/%d}/{one.call_id}" for day in dates]
    return [(day - FIRST) // timedelta(days=1) for day in dates]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, [0, 1]),
        ({"updated_at": START + 2 * AT}, [0, 1, 2, 3]),
        ({"ended_at": START + 3 * AT}, [0, 1, 2, 3, 4]),
        ({"written_at": START + 4 * AT}, [0, 1, 2, 3, 4, 5]),
        ({"updated_at": START + 29 * AT}, list(range(31))),
        ({"updated_at": START + 50 * AT}, list(range(31))),
    ],
)
def test_a_call_may_have_left_something_until_a_day_after_its_last_word(
    values: dict[str, Any], found: list[int]
) -> None:
    kept = Kept()
    record = kept.call(**values)
    kept.pass_days(100)
    assert days(kept, record) == found


@pytest.mark.parametrize(("passed", "last"), [(-1, 0), (0, 0), (1, 1), (30, 30), (31, 30), (100, 30)])
def test_of_a_call_that_nobody_knows_31_days_are_looked_through_and_none_that_is_to_come(
    passed: int, last: int
) -> None:
    kept = Kept()
    kept.pass_days(passed)
    assert days(kept, None) == list(range(last + 1))


def test_no_day_that_is_to_come_is_looked_through() -> None:
    kept = Kept()
    assert days(kept, kept.call(updated_at=START + 5 * AT)) == [0]


def test_recordings_of_the_conversation_are_found_on_the_day_after_too() -> None:
    kept = Kept()
    before: dict[str, Any] = {"started_at": START - AT, "updated_at": START - AT, "ended_at": START - AT}
    record = kept.call("call-2", server_call_id=SERVER_CALL, **before)
    kept.pass_days(1)
    recording = kept.record()
    assert [one.id for one in kept.calls.recordings(found(record), record)] == [recording]
    assert kept.calls.recordings(found(record), None) == [], "whose conversation it was is not known"
    record.started_at = record.updated_at = record.ended_at = record.written_at = START - 2 * AT
    assert kept.calls.recordings(found(record), record) == [], "a day later"


def test_a_receipt_counts_what_was_removed() -> None:
    kept = Kept()
    record = kept.call(server_call_id=SERVER_CALL, updated_at=START + AT)
    kept.record()
    for at in (BEGAN, BEGAN + DAY):
        kept.stream(at=at)
    kept.give_up(record)
    kept.pass_days(2)
    assert kept.calls.remove(found(record), with_recordings=True) == Removed(True, 1, 4, 1, "")
    assert kept.streams.files == {}
    assert list(kept.store.search("number", ADA)) == []


def test_a_call_whose_recordings_stay_keeps_its_numbers() -> None:
    kept = Kept()
    record = kept.call(server_call_id=SERVER_CALL)
    kept.record()
    assert kept.calls.remove(found(record), with_recordings=False) == Removed(True, 0, 0, 0, "")
    assert [one.call_id for one in kept.store.search("number", ADA)] == ["call-1"]


def test_a_call_without_recordings_keeps_none() -> None:
    kept = Kept()
    record = kept.call()
    assert kept.calls.remove(found(record), with_recordings=False) == Removed(True)
    assert list(kept.store.search("number", ADA)) == []


def test_an_open_call_is_not_removed() -> None:
    kept = Kept()
    record = kept.call(open_=True)
    for with_recordings in (True, False):
        removed = kept.calls.remove(found(record), with_recordings=with_recordings)
        assert removed == Removed(False, stays="the call goes on")


class Pipeline:
    """Two recordings, of which the service deletes as many as it is told."""

    def __init__(self, *outcomes: tuple[bool, str]) -> None:
        self.outcomes = list(outcomes)

    def of_call(self, day: str, call_id: str, server_call_id: str) -> list[Any]:
        return [type("Recording", (), {"id": name}) for name in ("r-1", "r-2")] if day == "2026-11-23" else []

    def erase(self, recording: str) -> tuple[bool, str]:
        return self.outcomes.pop(0)


@pytest.mark.parametrize(
    ("outcomes", "removed"),
    [
        (((True, ""), (False, "later")), Removed(False, 1, stays="later")),
        (((False, "later"), (True, "")), Removed(False, 1, stays="later")),
        (((False, "later"), (False, "much later")), Removed(False, 0, stays="much later")),
        (((True, "a file stays"), (True, "")), Removed(True, 2, 2, 0, "a file stays")),
        (((True, ""), (True, "")), Removed(True, 2, 2, 0, "")),
    ],
)
def test_a_call_stays_with_recordings_that_stay(outcomes: Any, removed: Removed) -> None:
    kept = Kept()
    record = kept.call()
    kept.stream()
    pipeline: Any = Pipeline(*outcomes)
    kept.calls._pipeline = lambda: pipeline
    assert kept.calls.remove(found(record), with_recordings=True) == removed
    assert bool(kept.streams.files) is not removed.removed
    assert bool(list(kept.store.search("number", ADA))) is not removed.removed


# What is old


def test_calls_and_hashes_go_on_the_first_run_after_their_days() -> None:
    kept = Kept(days=2, recording_days=3)
    kept.everything()
    kept.pass_days(2)
    assert kept.retention.sweep()["expired"] == 0
    kept.pass_days(1)
    assert kept.retention.sweep()["expired"] == 1
    kept.recordings.pipeline.sweep()
    kept.pass_days(31)
    assert kept.retention.sweep()["forgotten"] == 0
    kept.pass_days(1)
    assert kept.retention.sweep()["forgotten"] == 1


def test_hashes_of_removed_calls_stay_for_ever_if_recordings_do() -> None:
    kept = Kept(recording_days=0)
    kept.everything()
    kept.pass_days(31)
    kept.retention.sweep()
    kept.pass_days(4000)
    assert kept.retention.sweep() == {"expired": 0, "forgotten": 0, "rehashed": 0, "failed": 0}
    assert [one.call_id for one in kept.store.search("number", ADA)] == ["call-1"]


def test_a_run_whose_time_is_over_forgets_eight_and_rehashes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept(EARLIER, seconds=0.0, days=0)
    kept.call()
    kept.store._numbers = NumberHashes(KEY, EARLIER)
    gone = [Found(f"gone-{number}", f"{10**13 - START:013d} gone-{number}") for number in range(20)]
    forgotten: list[str] = []

    def remove(one: Found, *, keep_numbers: bool = False) -> bool:
        assert not keep_numbers
        forgotten.append(one.call_id)
        return True

    monkeypatch.setattr(kept.store, "forgettable", lambda day: iter(gone))
    monkeypatch.setattr(kept.store, "remove", remove)
    assert kept.retention.sweep() == {"expired": 0, "forgotten": 8, "rehashed": 0, "failed": 0}
    assert sorted(forgotten) == [f"gone-{number}" for number in range(8)]
    kept.retention._seconds = 1.0
    assert kept.retention.sweep() == {"expired": 0, "forgotten": 20, "rehashed": 2, "failed": 0}


def test_a_call_that_is_open_again_counts_as_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept()
    kept.call()
    kept.pass_days(31)
    monkeypatch.setattr(kept.store, "is_open", lambda call_id: True)
    assert kept.retention.sweep() == {"expired": 0, "forgotten": 0, "rehashed": 0, "failed": 0}
    assert kept.store.peek("call-1").caller == ADA


def test_what_cannot_be_forgotten_is_counted_and_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kept = Kept(days=0)

    def down(one: Found, *, keep_numbers: bool = False) -> bool:
        raise StoreUnavailable("down")

    monkeypatch.setattr(kept.store, "forgettable", lambda day: iter([Found("gone-1", f"{10**13 - START:013d} 1")]))
    monkeypatch.setattr(kept.store, "remove", down)
    assert kept.retention.sweep()["failed"] == 1
    assert "not removed call=gone-1: StoreUnavailable" in caplog.text
