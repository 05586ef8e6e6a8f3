"""What the timeline draws."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.quality.page.lanes import path, timeline, wave
from shared.quality.report import AppSpan
from shared.quality.spans import Span, total, union
from tests import quality_samples


def read(d: str) -> list[tuple[int, int]]:
    """The spans of a path, as a browser draws them."""
    at, found = 0, []
    for gap, width in re.findall(r"m(\d+) 0h(\d+)", d):
        at += int(gap)
        found.append((at, at + int(width)))
        at += int(width)
    return found


def test_spans_lie_in_the_path_as_in_time() -> None:
    spans = [Span(1.0, 2.5), Span(4.0, 4.25)]
    assert path(spans, 10.0, 1000) == "M0 0m100 0h150m150 0h25"
    assert path(spans, 10.0, 1000, dots=True) == "M0 0m100 0h0m300 0h0"
    assert path([], 10.0, 1000) == ""


def test_spans_nearer_than_a_unit_are_one_and_short_ones_are_seen() -> None:
    assert read(path([Span(1.0, 1.01), Span(1.02, 1.03), Span(5.0, 5.001)], 10.0, 10)) == [(1, 2), (5, 6)]


def test_what_lies_outside_of_the_recording_is_not_drawn() -> None:
    assert read(path([Span(-1.0, 1.0), Span(9.0, 12.0), Span(12.0, 13.0)], 10.0, 10)) == [(0, 1), (9, 10)]


@given(st.lists(st.tuples(st.floats(0, 990), st.floats(0.12, 30)), max_size=60), st.integers(1, 100_000))
def test_a_path_is_in_order_stays_inside_and_misses_nothing(talk: list[tuple[float, float]], units: int) -> None:
    spans = union(Span(start, min(1000.0, start + length)) for start, length in talk)
    drawn = read(path(spans, 1000.0, units))
    assert all(0 <= start < end <= units for start, end in drawn)
    assert all(before[1] < after[0] for before, after in pairwise(drawn))
    unit = 1000.0 / units
    for span in spans:
        middle = (span.start + span.end) / 2 / unit
        assert any(start - 1 <= middle <= end + 1 for start, end in drawn)
    assert abs(sum(end - start for start, end in drawn) * unit - total(spans)) <= (len(spans) + 1) * 2 * unit


def test_a_short_call_is_drawn_span_for_span() -> None:
    report = quality_samples.short()
    drawn = timeline(report)
    assert [len(read(lane.speech)) for lane in drawn.lanes] == [5, 5]
    assert read(drawn.lanes[1].speech)[0] == (310, 740)
    assert drawn.units == 7400
    assert [lane.cuts.count("h0") for lane in drawn.lanes] == [0, 1]
    assert [(band.kind, round(band.x, 1), round(band.width, 1)) for band in drawn.across] == [("dead-air", 44.6, 17.0)]


def test_a_waveform_is_as_high_as_the_channel_is_loud() -> None:
    assert wave([0, 60, 60, 30]) == "M0 100V100h1V0h2V75h1V125h-1V200h-2V100h-1z"
    assert wave([]) == ""
    assert wave([0, 0, 3]) == "", "nothing that could be seen"
    lane = timeline(quality_samples.short()).lanes[0]
    assert (lane.steps, lane.wave[:6]) == (1000, "M0 100")


def test_a_hold_is_drawn_for_whom_it_concerns() -> None:
    report = quality_samples.five_channels()
    assert [len(lane.holds) for lane in timeline(report).lanes] == [1, 0, 0, 0, 0]
    everybody = report.model_copy(update={"app": (AppSpan(kind="hold", start=1.0, end=9.0),)})
    assert [len(lane.holds) for lane in timeline(everybody).lanes] == [1, 1, 1, 1, 1]


def test_lanes_and_what_lies_across_them_can_be_read_aloud() -> None:
    drawn = timeline(quality_samples.five_channels())
    lane = drawn.lanes[0].text.replace("\N{NO-BREAK SPACE}", " ")
    assert lane == "Customer speaks 5:38; stretches: 37. Interruptions: 5. Is on hold for 3:10."
    assert drawn.lanes[4].text == "Participant 5 does not speak."
    assert "Recording paused, 5:10 to 6:35 (1:26)." in drawn.text
    assert "Audio missing, 20:10 to 21:02" in drawn.text
    assert timeline(quality_samples.empty()).text == "No overlap, no dead air, nothing missing."


def test_the_legend_knows_what_is_drawn() -> None:
    assert timeline(quality_samples.short()).kinds == {"interruption", "overlap", "dead-air", "prompt"}
    assert timeline(quality_samples.empty()).kinds == set()


def test_a_recording_without_length_has_a_timeline() -> None:
    report = quality_samples.empty()
    report = report.model_copy(update={"recording": report.recording.model_copy(update={"seconds": 0.0})})
    assert timeline(report).seconds > 0
