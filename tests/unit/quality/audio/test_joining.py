"""Chunks on the timeline of their recording: pauses, gaps, clocks, and speech that goes on in the next chunk."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.quality.audio.joining import PlacedChunk, join
from shared.quality.audio.signal import ChannelState, ChunkSignal
from shared.quality.signal import Hole, Piece, Signal
from shared.quality.spans import Span, total
from shared.quality.thresholds import Thresholds
from tests.examples import examples
from tests.unit.quality.audio import scenes
from tests.unit.quality.audio.analysis import chunk, f1, placed
from tests.unit.quality.audio.scenes import RATE


def state(*speech: tuple[int, int]) -> ChannelState:
    return ChannelState(speech, {}, {}, {}, 0.5, 0, 1)


def file(seconds: float, *channels: ChannelState) -> ChunkSignal:
    return ChunkSignal(seconds, 16_000, 16, channels or (state(),), {}, {})


def joined(*chunks: PlacedChunk, **thresholds: float) -> Signal:
    return join(chunks, Thresholds(**thresholds))


def test_a_pause_parts_the_file_in_two_pieces_and_leaves_a_hole() -> None:
    signal = joined(placed(file(20, state((100, 1900))), 0, Span(5, 8)))
    assert signal.seconds == 23
    assert signal.pieces == (Piece(Span(0, 5), 0, 0.0), Piece(Span(8, 23), 0, 5.0))
    assert signal.holes == (Hole(Span(5, 8), "paused"),)
    assert signal.channels[0].speech == (Span(1, 5), Span(8, 22))


def test_a_pause_shorter_than_a_gap_still_parts_the_speech() -> None:
    signal = joined(placed(file(20, state((100, 1900))), 0, Span(5, 5.2)))
    assert signal.channels[0].speech == (Span(1, 5), Span(5.2, 19.2))


def test_pauses_at_the_edges_of_a_chunk_leave_holes_and_no_empty_pieces() -> None:
    signal = joined(placed(file(10), 0, Span(0, 2), Span(12, 15)))
    assert signal.pieces == (Piece(Span(2, 12), 0, 0.0),)
    assert signal.holes == (Hole(Span(0, 2), "paused"), Hole(Span(12, 15), "paused"))
    assert signal.seconds == 15


def test_a_file_that_ends_before_its_pause_leaves_missing_time_before_it() -> None:
    signal = joined(placed(file(10), 0, Span(14, 15)))
    assert signal.holes == (Hole(Span(10, 14), "missing"), Hole(Span(14, 15), "paused"))


def test_pauses_that_overlap_count_once() -> None:
    signal = joined(placed(file(10), 0, Span(3, 5), Span(4, 6)))
    assert signal.holes == (Hole(Span(3, 6), "paused"),)
    assert signal.seconds == 13


def test_a_chunk_that_could_not_be_had_is_a_hole_of_its_announced_length() -> None:
    lost = PlacedChunk(1, 10.0, (Span(12, 13),), None, 5.0)
    signal = joined(placed(file(10, state((900, 1000)))), lost, placed(file(4, state((0, 100))), 16.0, index=2))
    assert signal.holes == (
        Hole(Span(10, 12), "missing"), Hole(Span(12, 13), "paused"), Hole(Span(13, 16), "missing")
    )  # fmt: skip
    assert signal.seconds == 20
    assert [piece.chunk for piece in signal.pieces] == [0, 2]
    assert signal.channels[0].speech == (Span(9, 10), Span(16, 17))


def test_a_lost_last_chunk_counts_to_the_length() -> None:
    assert joined(placed(file(10)), PlacedChunk(1, 10.0, (), None, 5.0)).seconds == 15


def test_time_between_chunks_is_missing_and_clock_noise_is_not() -> None:
    signal = joined(
        placed(file(10)), placed(file(10), 10.2, index=1), placed(file(10), 19.9, index=2), placed(file(5), 31, index=3)
    )
    assert [piece.span for piece in signal.pieces] == [Span(0, 10), Span(10, 20), Span(20, 30), Span(31, 36)]
    assert signal.holes == (Hole(Span(30, 31), "missing"),)


def test_a_chunk_that_is_moved_takes_its_pauses_with_it() -> None:
    signal = joined(placed(file(10)), placed(file(10), 9.8, Span(14.8, 15.8), index=1))
    assert signal.holes == (Hole(Span(15, 16), "paused"),)
    assert [piece.span for piece in signal.pieces] == [Span(0, 10), Span(10, 15), Span(16, 21)]


@pytest.mark.parametrize("told_by", ["both", "the first", "the second"])
@pytest.mark.parametrize("start", [10.0, 12.0, 14.0])
def test_a_pause_across_the_border_of_two_files_counts_once_whoever_tells_of_it(told_by: str, start: float) -> None:
    pause = Span(10, 14)
    first = (pause,) if told_by != "the second" else ()
    second = (Span(start, 14),) if told_by != "the first" and start < 14 else ()
    if told_by == "the second":
        start, second = 10.0, (pause,)
    signal = joined(placed(file(10), 0, *first), placed(file(10), start, *second, index=1))
    assert [piece.span for piece in signal.pieces] == [Span(0, 10), Span(14, 24)]
    assert [(hole.span, hole.reason) for hole in signal.holes] == [(pause, "paused")]
    assert signal.seconds == 24


def test_a_recording_that_begins_with_nothing_says_so() -> None:
    assert joined(placed(file(10), 3.0)).holes == (Hole(Span(0, 3), "missing"),)


def test_speech_that_goes_on_in_the_next_chunk_is_one_span() -> None:
    signal = joined(placed(file(10, state((800, 1000)))), placed(file(10, state((20, 300))), 10.0, index=1))
    assert signal.channels[0].speech == (Span(8, 13),)


def test_chunks_are_put_in_order() -> None:
    signal = joined(placed(file(5), 10.0, index=1), placed(file(10)))
    assert [piece.chunk for piece in signal.pieces] == [0, 1]


def test_channels_that_come_later_have_their_speech_in_their_place() -> None:
    signal = joined(placed(file(10, state())), placed(file(10, state(), state((0, 100))), 10.0, index=1))
    assert [channel.speech for channel in signal.channels] == [(), (Span(10, 11),)]


def test_thresholds_bridge_gaps_and_leave_out_what_is_short() -> None:
    heard = placed(file(20, state((0, 100), (130, 200), (231, 240), (500, 505), (600, 612))))
    assert joined(heard).channels[0].speech == (Span(0, 2), Span(6, 6.12))
    wide = joined(heard, gap_seconds=1.0, speech_seconds=0.05).channels[0].speech
    assert wide == (Span(0, 2.4), Span(5, 6.12))


def test_nothing_at_all_is_a_recording_of_no_length() -> None:
    assert join([], Thresholds()) == Signal(0.0, (), ())


@given(
    lengths=st.lists(st.floats(0.5, 20), min_size=1, max_size=4),
    pauses=st.lists(st.tuples(st.floats(0, 60), st.floats(0.01, 5)), max_size=4),
    drift=st.lists(st.floats(-0.2, 3), min_size=4, max_size=4),
)
@settings(max_examples=examples(200), deadline=None)
def test_pieces_and_holes_fill_the_recording_and_speech_lies_in_pieces(
    lengths: list[float], pauses: list[tuple[float, float]], drift: list[float]
) -> None:
    chunks, at = [], 0.0
    for index, length in enumerate(lengths):
        start = max(0.0, at + drift[index])
        inside = tuple(Span(max(start, p), max(start, p) + s) for p, s in pauses if start <= p < start + length)
        had = file(length, state((0, int(length * 100)))) if index != 2 else None
        chunks.append(PlacedChunk(index, start, inside, had, length))
        at = start + length + sum(pause.seconds for pause in inside)
    signal = join(chunks, Thresholds())
    parts = sorted([*(piece.span for piece in signal.pieces), *(hole.span for hole in signal.holes)])
    assert all(later.start >= earlier.end - 1e-6 for earlier, later in pairwise(parts))
    assert total(parts) == pytest.approx(signal.seconds, abs=0.26 * (2 * len(lengths) + len(pauses)))
    held = sum(length for index, length in enumerate(lengths) if index != 2)
    assert total(piece.span for piece in signal.pieces) == pytest.approx(held, abs=1e-3)
    for span in signal.channels[0].speech if signal.channels else ():
        middle = (span.start + span.end) / 2
        assert not any(hole.span.start < middle < hole.span.end for hole in signal.holes)


SCENE = scenes.conversation(70, 2, seed=12, noise_dbfs=-60)
WHOLE = join([placed(chunk(SCENE.sound))], Thresholds())


@pytest.mark.parametrize("cuts", [(35.0,), (13.37, 41.113), (0.5, 1.2, 69.0), (20.0, 40.0, 60.0)])
def test_a_recording_in_chunks_says_what_the_whole_says(cuts: tuple[float, ...]) -> None:
    edges = [0, *(round(cut * RATE) for cut in cuts), SCENE.sound.shape[1]]
    chunks = [
        placed(chunk(SCENE.sound[:, low:high]), low / RATE, index=index)
        for index, (low, high) in enumerate(pairwise(edges))
    ]
    signal = join(chunks, Thresholds())
    assert signal.seconds == pytest.approx(WHOLE.seconds, abs=1e-6)
    assert signal.holes == ()
    for found, expected in zip(signal.channels, WHOLE.channels, strict=True):
        # Frames begin anew in each chunk, and what is shorter than a click at a cut is lost.
        assert f1(found.speech, expected.speech, 70) >= 0.98
        assert found.loudness == pytest.approx(expected.loudness, abs=0.2)
        assert found.loudness_range == pytest.approx(expected.loudness_range, abs=2.0)
        assert found.peak == expected.peak
        assert found.clipped == expected.clipped
        assert found.noise_floor == pytest.approx(expected.noise_floor, abs=1.0)


def test_channels_that_are_alike_in_each_chunk_are_alike_in_the_whole() -> None:
    sound = SCENE.sound.copy()
    sound[1] = sound[0]
    half = sound.shape[1] // 2
    chunks = [placed(chunk(sound[:, :half])), placed(chunk(sound[:, half:]), half / RATE, index=1)]
    assert join(chunks, Thresholds()).same_audio == ((0, 1),)
