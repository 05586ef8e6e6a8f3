"""A participant's track, frame by frame: what is silence, what is a duplicate, when a further file begins."""

from __future__ import annotations

import pytest

import streams.track
from streams.limits import Budget
from streams.track import Track, TrackLimits

SECOND = 32_000
"""Bytes, at 16 kHz."""


def limits(held: int = 10**9, archived: int = 10**9, files: int = 100) -> TrackLimits:
    return TrackLimits(Budget("held", held), Budget("archived", archived), Budget("files", files))


def a_track(part_seconds: float = 3600.0) -> Track:
    return Track("base", None, 16_000, part_seconds, limits())


def frames(track: Track, *frames: tuple[float, float | None]) -> None:
    """Seconds of sound, each at its time."""
    for seconds, at in frames:
        assert track.add(bytes(round(seconds * SECOND)), at) is None


def test_an_empty_frame_is_nothing() -> None:
    track = a_track()
    assert track.add(b"", 0.0) is None
    assert not track._parts


def test_a_frame_with_the_time_of_the_one_before_is_a_duplicate_and_counted() -> None:
    track = a_track()
    frames(track, (1.0, 0.0), (1.0, 0.0), (1.0, 0.0))
    assert (track.duplicates, track._parts[0].taken) == (2, SECOND)


def test_times_are_compared_only_where_the_file_began_with_one() -> None:
    track = a_track()
    frames(track, (1.0, None), (1.0, 500.0), (1.0, None))
    assert [part.taken for part in track._parts] == [3 * SECOND]


@pytest.mark.parametrize(
    ("at", "files"),
    [(61.0, 1), (61.5, 2), (0.0, 1), (-0.5, 2)],
    ids=["a minute", "more than a minute", "back by a second", "back by more"],
)
def test_a_further_file_begins_after_more_than_a_minute_or_where_time_went_back_by_more_than_a_second(
    at: float, files: int
) -> None:
    track = a_track()
    frames(track, (0.5, 0.0), (0.5, 0.5), (1.0, at))
    assert len(track._parts) == files
    assert track._parts[0].filled == (60 * SECOND if at == 61.0 else 0)


def test_a_lag_of_just_the_tolerance_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams.track, "TOLERANCE_SECONDS", 0.25)
    track = a_track()
    frames(track, (1.0, 0.0), (1.0, 1.25))
    assert track._parts[0].filled == 0
    frames(track, (1.0, 2.5))
    assert track._parts[0].filled == SECOND // 2


@pytest.mark.parametrize(("blocks", "files"), [(44_999, 1), (45_000, 2)])
def test_a_further_file_begins_where_a_blob_takes_no_more_blocks(blocks: int, files: int) -> None:
    track = a_track()
    frames(track, (1.0, 0.0))
    track._parts[0].blocks = ["block"] * blocks
    frames(track, (1.0, 1.5))
    assert len(track._parts) == files
    assert track._parts[-1].filled == (SECOND // 2 if files == 1 else 0)


# Limits


@pytest.mark.parametrize(
    ("given", "full"),
    [
        ({"held": 2999}, "held"),
        ({"archived": 899}, "archived"),
        ({"files": 0}, "files"),
        ({"held": 3000 + 4, "archived": 900, "files": 1}, ""),
    ],
    ids=lambda one: str(one),
)
def test_a_frame_that_is_too_much_for_one_limit_is_held_by_none(given: dict[str, int], full: str) -> None:
    track = limits(**given)
    limit = track.take(True, 200, 700)
    used = (track.held.used, track.archived.used, track.files.used)
    if full:
        assert limit is not None
        assert (limit.name, used) == (full, (0, 0, 0))
    else:
        assert (limit, used) == (None, (700 + 256 + 2048, 900, 1))


def test_a_file_that_goes_on_takes_no_further_one() -> None:
    track = limits(files=0)
    assert track.take(False, 0, 700) is None
    assert (track.held.used, track.archived.used) == (956, 700)
