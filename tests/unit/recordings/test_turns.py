"""One instance at a time, and only so many at once: who does a step now, and when the others look again."""

from __future__ import annotations

import random
from typing import Any

import pytest

from shared.recordings.leased_records import LEASE, Superseded
from shared.recordings.record import RecordingRecord
from tests.unit.recordings.world import World


@pytest.fixture
def spread(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, float]]:
    """Between which shares of a wait chance would have chosen; it chooses the largest."""
    asked: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        asked.append((low, high))
        return high

    monkeypatch.setattr(random, "uniform", uniform)
    return asked


def announced(**options: Any) -> tuple[World, RecordingRecord]:
    """A recording whose one file waits; its message is taken."""
    world = World(**options)
    recording = world.announce()
    world.queue.sent.clear()
    return world, world.record(recording)


def turn(world: World, record: RecordingRecord, step: Any = lambda: "done") -> str:
    return world.pipeline._in_turn(record, 0, record.chunks[0], LEASE, step)


def test_a_step_is_done_and_its_outcome_given() -> None:
    world, record = announced()
    assert turn(world, record) == "done"
    assert world.queue.sent == []


@pytest.mark.parametrize(("left", "delay"), [(30.0, 31.0), (119.0, 120.0), (119.5, 120.0), (200.0, 120.0)])
def test_what_somebody_works_on_is_looked_at_again_a_second_after_the_lease_or_after_one_lease(
    left: float, delay: float
) -> None:
    world, record = announced()
    record.chunks[0].leased_until = round((world.now + left) * 1000)
    assert turn(world, record, lambda: pytest.fail("two at work")) == "leased"
    assert world.queue.sent == [(record.id, 0, delay)]


@pytest.mark.parametrize(("waited", "delay"), [(0, 3.0), (30, 3.0), (31, 3.1), (100, 10.0), (300, 30.0), (400, 30.0)])
def test_where_there_is_no_room_what_has_waited_long_asks_less_often(
    spread: list[tuple[float, float]], waited: float, delay: float
) -> None:
    world, record = announced(at_once=1)
    inner: list[str] = []
    record.updated_at = round((world.now - waited) * 1000)

    def meets_another() -> str:
        inner.append(turn(world, record))
        return "done"

    assert turn(world, record, meets_another) == "done"
    assert inner == ["queued"]
    ((recording, index, after),) = world.queue.sent
    assert (recording, index) == (record.id, 0)
    assert after == pytest.approx(1.3 * delay)
    assert spread == [(0.7, 1.3)]


def test_the_room_is_given_back_though_the_step_fails() -> None:
    world, record = announced(at_once=1)

    def fails() -> str:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        turn(world, record, fails)
    assert turn(world, record) == "done"


# What may be deleted at the source


@pytest.mark.parametrize(
    ("status", "damaged", "deleted", "setting", "ours", "deletes"),
    [
        ("archived", False, False, True, True, True),
        ("waiting", False, False, True, True, False),
        ("archived", True, False, True, True, False),
        ("archived", False, True, True, True, False),
        ("archived", False, False, False, True, False),
        ("archived", False, False, True, False, False),
    ],
    ids=["whole", "not here", "damaged", "deleted", "not wanted", "another app's"],
)
def test_only_what_is_here_whole_and_this_apps_is_deleted(
    monkeypatch: pytest.MonkeyPatch, status: str, damaged: bool, deleted: bool, setting: bool, ours: bool, deletes: bool
) -> None:
    world, record = announced(delete_source=setting)
    chunk = record.chunks[0]
    chunk.status, chunk.damaged, chunk.deleted = status, damaged, deleted  # type: ignore[assignment]
    monkeypatch.setattr(world.pipeline._claims, "may_fetch", lambda record: ours)
    assert bool(world.pipeline._deletes(record, chunk)) is deletes


def test_what_was_given_up_is_not_fetched() -> None:
    world, record = announced()
    world.pipeline._records.change(record.id, lambda now: setattr(now.chunks[0], "status", "failed"))
    with pytest.raises(Superseded):
        world.pipeline._fetcher.fetch(record.id, 0)
    assert world.service.opened == []


def test_what_somebody_else_has_archived_meanwhile_is_left_as_it_is() -> None:
    world, record = announced()

    def archived(now: RecordingRecord) -> None:
        now.chunks[0].status, now.chunks[0].name = "archived", "theirs.wav"

    def meanwhile() -> None:
        world.pipeline._records.change(record.id, archived)

    world.service.on_open = meanwhile
    assert world.pipeline._fetcher.fetch(record.id, 0) == "archived"
    assert world.record(record.id).chunks[0].name == "theirs.wav"


# What is fetched


def fetched(body: bytes) -> RecordingRecord:
    world, record = announced()
    world.service.files = dict.fromkeys(world.service.files, body)
    world.pipeline.work(record.id, 0)
    return world.record(record.id)


def test_a_file_of_no_bytes_says_so() -> None:
    chunk = fetched(b"").chunks[0]
    assert chunk.status != "archived"
    assert "0 bytes" in chunk.reason


def test_a_file_that_is_no_sound_has_no_length() -> None:
    chunk = fetched(b"x" * 5000).chunks[0]
    assert (chunk.status, chunk.analysed, chunk.bytes, chunk.seconds) == ("archived", False, 5000, 0.0)
