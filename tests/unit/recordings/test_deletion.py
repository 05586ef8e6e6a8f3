"""What is deleted at the source: only what the archive holds in full, tried until the service would have deleted it."""

from __future__ import annotations

from typing import Any

import pytest

from shared.errors import ForeignLocation, SourceUnavailable
from shared.recordings.record import RecordingRecord
from tests.unit.recordings.world import World

DAY = 86_400.0


def archived() -> tuple[World, RecordingRecord]:
    """A recording whose one file was archived, and is still at the source."""
    world = World(delete_source=False)
    recording = world.announce()
    world.run()
    world.queue.sent.clear()
    record = world.record(recording)
    assert record.chunks[0].status == "archived"
    return world, record


def delete(world: World, record: RecordingRecord) -> bool:
    """Whether it is deleted then, as the ledger says."""
    world.pipeline._fetcher.delete(record, record.chunks[0])
    return world.record(record.id).chunks[0].deleted


def test_what_is_archived_is_deleted_and_written_down() -> None:
    world, record = archived()
    assert delete(world, record)
    assert world.service.deleted == [record.chunks[0].delete_location]
    assert world.queue.sent == []


@pytest.mark.parametrize("more", [1, -1])
def test_what_the_archive_holds_in_another_length_is_not_deleted(more: int) -> None:
    world, record = archived()
    record.chunks[0].bytes += more
    assert not delete(world, record)
    assert world.service.deletions == 0


@pytest.mark.parametrize(
    ("age", "delay"),
    [(0, 60.0), (239, 60.0), (244, 61.0), (4 * 3600.0, 3600.0), (4 * 3600.0 + 4, 3600.0), (4 * 3600.0 - 4, 3599.0)],
)
def test_a_deletion_that_fails_is_tried_again_after_a_quarter_of_the_recordings_age(age: float, delay: float) -> None:
    world, record = archived()
    world.service.delete_fails = 1
    record.deadline = round((world.now + DAY) * 1000)
    record.announced_at = round((world.now - age) * 1000)
    assert not delete(world, record)
    assert world.queue.sent == [(record.id, 0, delay)]


@pytest.mark.parametrize(("left", "again"), [(1, True), (0, False), (-1, False)])
def test_it_is_tried_until_the_deadline(left: int, again: bool) -> None:
    world, record = archived()
    world.service.delete_fails = 1
    record.deadline = round(world.now * 1000) + left
    assert not delete(world, record)
    assert bool(world.queue.sent) is again


@pytest.mark.parametrize(
    "error",
    [SourceUnavailable("503", 503), ForeignLocation("https://elsewhere.example", "is no address of the service.")],
)
def test_what_the_source_did_not_delete_is_not_called_deleted(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    world, record = archived()

    def fails(location: str) -> Any:
        raise error

    monkeypatch.setattr(world.service, "delete", fails)
    record.deadline = 0
    assert not delete(world, record)
    assert world.queue.sent == []
