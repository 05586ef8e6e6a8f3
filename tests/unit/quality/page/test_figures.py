"""Numbers as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.quality.page import figures
from shared.quality.report import Flag, Metric, ScorecardResult
from tests import quality_samples


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (9.99, "0:09"), (83, "1:23"), (3599.9, "59:59"), (3600, "1:00:00"), (28_800, "8:00:00")],
)
def test_a_place_in_the_recording_reads_as_on_a_player(seconds: float, text: str) -> None:
    assert figures.clock(seconds) == text


@pytest.mark.parametrize(
    ("score", "questions", "answered", "share", "text"),
    [
        (80.0, 10, 6, 0.6, "6 of 10 questions answered"),
        (80.0, 1, 1, 1.0, "1 of 1 question answered"),
        (None, 10, 1, 0.1, "1 of 10 questions answered (10 % of the weight): a score needs 50 %"),
        (None, 10, 0, 0.0, "0 of 10 questions answered (0 % of the weight): a score needs at least one answer"),
    ],
)
def test_a_card_tells_how_many_questions_are_behind_its_score(
    score: float | None, questions: int, answered: int, share: float, text: str
) -> None:
    card = ScorecardResult(
        name="c",
        title="C",
        score=score,
        passed=None,
        pass_at=80.0,
        questions=questions,
        answered=answered,
        answered_share=share,
        min_answered=0.5,
        answers=(),
    )
    assert figures.answered(card).replace("\N{NO-BREAK SPACE}", " ") == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "s", "–"),
        (0, "s", "0 s"),
        (0.84, "s", "0.8 s"),
        (59.9, "s", "59.9 s"),
        (59.96, "s", "1:00"),
        (83.4, "s", "1:23"),
        (0.452, "ratio", "45 %"),
        (0.0, "ratio", "0 %"),
        (0.0083, "ratio", "0.8 %"),
        (0.0005, "ratio", "0.05 %"),
        (14_400, "count", "14,400"),
        (-18.24, "LUFS", "−18.2 LUFS"),
        (6.3, "LU", "6.3 LU"),
        (-0.05, "dBFS", "−0.1 dBFS"),
        (133.6, "wpm", "134 wpm"),
    ],
)
def test_a_metric_reads_with_its_unit(value: float | None, unit: str, text: str) -> None:
    metric = Metric.model_validate({"value": value, "unit": unit})
    assert figures.shown(metric).replace("\N{NO-BREAK SPACE}", " ") == text


@pytest.mark.parametrize(
    ("count", "text"), [(44, "44 B"), (999, "999 B"), (48_640_044, "48.6 MB"), (4_600_000_000, "4.6 GB")]
)
def test_sizes_read_in_the_units_of_storage(count: int, text: str) -> None:
    assert figures.size(count).replace("\N{NO-BREAK SPACE}", " ") == text


def test_a_moment_says_that_it_is_utc() -> None:
    there = datetime(2026, 11, 23, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
    assert figures.moment(there).replace("\N{NO-BREAK SPACE}", " ") == "24 Nov 2026, 04:30 UTC"
    assert figures.moment(there) == figures.moment(there.astimezone(UTC))


def test_scores_show_a_decimal_only_if_there_is_one() -> None:
    assert [figures.points(value) for value in (90.0, 83.333, 0.0)] == ["90", "83.3", "0"]


def test_a_value_that_is_missing_says_why_as_far_as_the_report_knows() -> None:
    empty, mixed, five = quality_samples.empty(), quality_samples.mixed(), quality_samples.five_channels()
    assert figures.why_nothing(empty, "talk_ratio", empty.channels[0]) == "no speech"
    assert figures.why_nothing(empty, "silence_ratio", None) == "nobody speaks"
    assert figures.why_nothing(empty, "longest_hold_seconds", None) == "no hold"
    assert figures.why_nothing(mixed, "interruptions", mixed.channels[0]) == "mixed recording"
    assert figures.why_nothing(mixed, "overlap_ratio", None) == "mixed recording"
    assert figures.why_nothing(five, "loudness_lufs", five.channels[4]) == "silent channel"
    assert figures.why_nothing(five, "loudness_lufs", five.channels[0]) == "too quiet or short"
    assert figures.why_nothing(five, "response_median_seconds", five.channels[0]) == "never answers"
    assert figures.why_nothing(five, "dominance", None) == ""


def test_a_silent_channel_is_no_reason_for_another() -> None:
    report = quality_samples.short()
    report = report.model_copy(update={"flags": (Flag(code="silent_channel", text="", channel=1),)})
    assert figures.why_nothing(report, "peak_dbfs", report.channels[0]) == ""
    assert figures.why_nothing(report, "peak_dbfs", report.channels[1]) == "silent channel"
