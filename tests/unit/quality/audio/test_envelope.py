"""What a waveform is drawn from: the loudest moment of each step, in constant memory."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.quality.audio.envelope import MOST, EnvelopeMeter, on_the_timeline
from shared.quality.audio.signal import ChunkSignal
from shared.quality.signal import Piece
from shared.quality.spans import Span
from tests.examples import examples
from tests.unit.quality.audio.analysis import chunk, placed
from tests.unit.quality.audio.scenes import RATE
from tests.unit.quality.audio.test_joining import joined


def steps(*blocks: list[float]) -> tuple[int, tuple[int, ...]]:
    meter = EnvelopeMeter()
    for block in blocks:
        meter.feed(np.array(block, np.float32))
    found = meter.finish()
    return meter.frames, found


def test_a_step_is_fifty_milliseconds_and_as_loud_as_its_loudest_frame() -> None:
    assert steps([-60, -50, -20.4, -30, -60, -10, -100, -3]) == (5, (40, 57))
    assert steps([-100.0] * 5, [3.0] * 5) == (5, (0, 60)), "from -60 dBFS to full scale"
    assert steps() == (5, ())


@settings(max_examples=examples(60))
@given(st.integers(1, 40_000), st.lists(st.integers(1, 9_000), min_size=1, max_size=12), st.integers(0, 99))
def test_blocks_and_length_change_neither_the_loudest_moment_nor_its_place(
    frames: int, cuts: list[int], place: int
) -> None:
    levels = np.full(frames, -60.0, np.float32)
    loud = frames * place // 100
    levels[loud] = -20
    whole, cut = EnvelopeMeter(), EnvelopeMeter()
    whole.feed(levels)
    at = 0
    for size in cuts:
        cut.feed(levels[at : at + size])
        at += size
    cut.feed(levels[at:])
    found = whole.finish()
    assert (cut.frames, cut.finish()) == (whole.frames, found)
    assert len(found) <= MOST + 1
    assert MOST == 2048
    assert [number for number, level in enumerate(found) if level] == [loud // whole.frames]


def test_eight_hours_have_steps_of_sixteen_seconds() -> None:
    meter = EnvelopeMeter()
    for _ in range(8):
        meter.feed(np.full(360_000, -30.0, np.float32))
    found = meter.finish()
    assert meter.frames == 5 * 2**9
    assert set(found) == {30}
    assert len(found) == 1125


def test_a_file_is_drawn_where_it_lies_and_a_pause_is_nothing() -> None:
    whole = Piece(Span(0.0, 1.0), 0, 0.0)
    assert on_the_timeline([([40] * 20, 5, [whole])], 1.0) == (40,) * 20
    parted = [Piece(Span(0.0, 0.5), 0, 0.0), Piece(Span(1.5, 2.0), 0, 0.5)]
    found = on_the_timeline([([40] * 10 + [50] * 10, 5, parted)], 2.0)
    assert found == (40,) * 10 + (0,) * 20 + (50,) * 10


def test_a_long_recording_has_a_thousand_steps() -> None:
    hour = [Piece(Span(0.0, 3600.0), 0, 0.0)]
    found = on_the_timeline([([7] * 1125, 320, hour)], 3600.0)
    assert found == (7,) * 1000


def test_files_that_were_analysed_before_have_none() -> None:
    piece = Piece(Span(0.0, 1.0), 0, 0.0)
    assert on_the_timeline([((), 0, [piece])], 1.0) == ()
    assert on_the_timeline([], 0.0) == ()


def test_it_goes_through_the_archive_and_one_of_before_is_read() -> None:
    sound = np.zeros((2, RATE), np.float32)
    sound[1, RATE // 2 :] = 0.5 * np.sin(np.arange(RATE // 2) * 0.3)
    analysed = chunk(sound)
    text = analysed.to_json()
    assert ChunkSignal.from_json(text) == analysed
    levels = joined(placed(analysed, 0)).channels[1].envelope
    assert len(levels) == 20
    assert set(levels[:9]) == {0}
    assert levels[12] == pytest.approx(51, abs=1), "a sine of half the full scale has -9 dBFS"
    document = json.loads(text)
    for channel in document["channels"]:
        del channel["envelope"]
    assert joined(placed(ChunkSignal.from_json(json.dumps(document)), 0)).channels[1].envelope == ()
