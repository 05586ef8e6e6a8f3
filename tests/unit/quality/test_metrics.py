"""Every metric of the catalogue on conversations whose figures are known."""

from __future__ import annotations

from math import fsum

import pytest
from hypothesis import given, settings

from shared.quality.catalogue import CATALOGUE, Scope
from shared.quality.metrics import words
from shared.quality.report import Metric, Phrase, Redactions, Report, Transcript
from shared.quality.signal import Hole
from shared.quality.spans import Span, total
from tests.examples import examples
from tests.unit.quality.made import channel, report, signal, spans, values
from tests.unit.quality.test_conversation_properties import CHANNELS

WORDS = {"words", "words_per_minute"}
APART = {
    "talk_ratio", "turns", "response_median_seconds", "response_p90_seconds", "longest_monologue_seconds",
    "interruptions", "backchannels", "overtalk_ratio",
}  # fmt: skip
TOGETHER_APART = {"overlap_seconds", "overlap_ratio", "all_interruptions", "longest_monologue", "dominance"}

CUSTOMER = [(10, 14), (20, 25), (26, 40), (60, 61)]
AGENT = [(15, 19), (24, 25.5), (30, 30.4), (39, 45), (58, 59)]
"""The agent answers after 1 s, tries at 24, agrees at 30, interrupts at 39; silence from 45 to 58."""


def transcript(*phrases: tuple[int, float, float, str]) -> Transcript:
    made = tuple(Phrase(channel=channel, start=start, end=end, text=text) for channel, start, end, text in phrases)
    return Transcript(locale="en-US", phrases=made, redactions=Redactions())


def names(scope: Scope, *, with_words: bool) -> set[str]:
    return {name for name, kind in CATALOGUE.items() if kind.scope == scope and (with_words or name not in WORDS)}


def every(found: Report) -> dict[str, Metric]:
    return {
        f"{where}.{name}": metric
        for where, metrics in [
            *((str(one.channel), one.metrics) for one in found.channels),
            ("all", found.conversation.metrics),
        ]
        for name, metric in metrics.items()
    }


def test_a_conversation_with_known_figures() -> None:
    found = report(signal(CUSTOMER, AGENT))
    customer, agent = (values(one.metrics) for one in found.channels)
    assert customer == {
        "talk_seconds": 24.0,
        "talk_ratio": 0.6504,  # 24 of 36.9
        "turns": 4,
        "response_median_seconds": 1.0,  # 1, 0.5, 1
        "response_p90_seconds": 1.0,
        "longest_monologue_seconds": 14.0,
        "interruptions": 0,
        "backchannels": 0,
        "overtalk_ratio": 0.0,
        "loudness_lufs": -23.0,
        "loudness_range_lu": 6.0,
        "peak_dbfs": -3.0,
        "clipped_ratio": 0.0,
        "noise_floor_dbfs": -70.0,
    }
    assert agent["talk_seconds"] == 12.9
    assert agent["turns"] == 4
    assert agent["interruptions"] == 2  # at 24 and at 39
    assert agent["backchannels"] == 1
    assert agent["overtalk_ratio"] == 0.5
    assert agent["response_median_seconds"] == 0.0  # 1, 0, 0
    assert agent["response_p90_seconds"] == 1.0
    assert agent["longest_monologue_seconds"] == 6.0
    assert values(found.conversation.metrics) == {
        "recording_seconds": 100.0,
        "conversation_seconds": 51.0,
        "silence_seconds": 16.5,
        "silence_ratio": 0.3235,
        "longest_silence_seconds": 13.0,
        "dead_air": 1,
        "dead_air_seconds": 13.0,
        "overlap_seconds": 2.4,
        "overlap_ratio": 0.0471,
        "all_interruptions": 2,
        "hold_seconds": 0.0,
        "longest_hold_seconds": 0.0,
        "app_seconds": 0.0,
        "longest_monologue": 14.0,
        "dominance": 0.6504,
    }
    assert found.conversation.overlap == tuple(spans((24, 25), (30, 30.4), (39, 40)))
    assert found.conversation.dead_air == (Span(45, 58),)


def test_a_number_tells_where_it_comes_from() -> None:
    found = every(report(signal(CUSTOMER, AGENT)))
    assert found["1.interruptions"].spans == found["1.overtalk_ratio"].spans == tuple(spans((24, 25), (39, 40)))
    assert found["1.backchannels"].spans == (Span(30, 30.4),)
    assert found["1.response_p90_seconds"].spans == (Span(14, 15),)
    assert found["0.longest_monologue_seconds"].spans == found["all.longest_monologue"].spans == (Span(26, 40),)
    assert found["all.longest_silence_seconds"].spans == found["all.dead_air"].spans == (Span(45, 58),)
    assert found["all.dominance"].spans == found["0.talk_seconds"].spans
    assert found["all.all_interruptions"].spans == found["1.interruptions"].spans


@pytest.mark.parametrize("mixed", [False, True], ids=["unmixed", "mixed"])
@pytest.mark.parametrize("said", [None, transcript((0, 10, 14, "Hello you"))], ids=["no words", "words"])
def test_a_report_holds_exactly_the_metrics_of_the_catalogue(mixed: bool, said: Transcript | None) -> None:
    made = made_report(mixed, said)
    for one in made.channels:
        assert set(one.metrics) == names("channel", with_words=said is not None)
        assert {name: metric.unit for name, metric in one.metrics.items()} == units(one.metrics)
    assert set(made.conversation.metrics) == names("conversation", with_words=False)
    assert {name: metric.unit for name, metric in made.conversation.metrics.items()} == units(made.conversation.metrics)
    assert set(CATALOGUE) == set(made.definitions)


def units(metrics: dict[str, Metric]) -> dict[str, str]:
    return {name: CATALOGUE[name].unit for name in metrics}


def made_report(mixed: bool, said: Transcript | None = None) -> Report:
    if not mixed:
        return report(signal(CUSTOMER, AGENT), transcript=said)
    return report(signal(CUSTOMER), transcript=said, mixed=True)


def test_a_mixed_recording_says_nothing_of_who_speaks_when() -> None:
    found = made_report(mixed=True)
    (one,) = found.channels
    assert (one.role, one.label, one.participant) == ("everybody", "Everybody", "")
    assert {name for name, value in values(one.metrics).items() if value is None} == APART
    assert {name for name, value in values(found.conversation.metrics).items() if value is None} == TOGETHER_APART
    assert one.metrics["talk_seconds"].value == 24.0
    assert found.conversation.metrics["silence_seconds"].value == 27.0
    assert found.conversation.metrics["dead_air"].spans == (Span(40, 60),)


def test_of_a_recording_without_speech_little_can_be_said() -> None:
    found = report(signal([], channel(silent=False, noise_floor=-60.0)))
    assert {name for name, metric in found.channels[1].metrics.items() if metric.value is not None} >= {
        "talk_seconds", "turns", "interruptions", "backchannels", "noise_floor_dbfs",
    }  # fmt: skip
    assert found.channels[1].metrics["talk_ratio"].value is None
    metrics = values(found.conversation.metrics)
    assert metrics["conversation_seconds"] == 0.0
    assert {name for name, value in metrics.items() if value is None} == TOGETHER_APART | {
        "silence_seconds", "silence_ratio", "longest_silence_seconds", "dead_air", "dead_air_seconds",
    }  # fmt: skip


def test_one_speaker_alone_cannot_dominate() -> None:
    assert report(signal(CUSTOMER)).conversation.metrics["dominance"].value is None


def test_of_a_call_that_is_not_known_holds_cannot_be_said() -> None:
    metrics = report(signal(CUSTOMER, AGENT), app=None).conversation.metrics
    assert (
        metrics["hold_seconds"].value is metrics["app_seconds"].value is metrics["longest_hold_seconds"].value is None
    )


def test_the_90th_percentile_is_the_nearest_rank() -> None:
    agent = [(10.0 * i, 10.0 * i + 1) for i in range(11)]
    customer = [(10.0 * i + 1 + 0.1 * (i + 1), 10.0 * i + 5) for i in range(10)]
    found = report(signal(customer, agent)).channels[0].metrics
    assert found["response_p90_seconds"].value == 0.9
    assert [round(span.seconds, 3) for span in found["response_p90_seconds"].spans] == [0.9, 1.0]
    assert found["response_median_seconds"].value == 0.55


def test_words_are_counted_over_the_time_in_which_they_were_spoken() -> None:
    said = transcript((0, 10, 14, "Hello, I am 42 - really"), (0, 20, 22, "[card]"), (1, 12, 15, "Yes"))
    customer, agent = report(signal(CUSTOMER, AGENT), transcript=said).channels
    assert values(customer.metrics)["words"] == 6
    assert values(customer.metrics)["words_per_minute"] == 60.0
    assert customer.metrics["words"].spans == tuple(spans((10, 14), (20, 22)))
    assert values(agent.metrics)["words"] == 1


def test_who_says_nothing_has_no_rate_of_speech() -> None:
    metrics = values(report(signal(CUSTOMER, AGENT), transcript=transcript()).channels[0].metrics)
    assert (metrics["words"], metrics["words_per_minute"]) == (0, None)


def test_marks_are_no_words() -> None:
    assert words("Well — 3 o'clock, then …") == 4


def test_a_pause_is_no_silence_but_a_part_of_the_recording() -> None:
    made = signal([(0, 4), (30, 34)], holes=[Hole(Span(5, 29), "paused")])
    metrics = values(report(made).conversation.metrics)
    assert (metrics["recording_seconds"], metrics["conversation_seconds"], metrics["silence_seconds"]) == (100, 10, 2)


@settings(deadline=None, max_examples=examples(50))
@given(CHANNELS)
def test_figures_stay_in_their_bounds_and_add_up(channels: list[list[Span]]) -> None:
    found = report(signal(*channels))
    for name, metric in every(found).items():
        if metric.unit == "ratio" and metric.value is not None:
            assert 0 <= metric.value <= 1, name
        if metric.unit == "s" and metric.value is not None and "response" not in name:
            assert metric.value == pytest.approx(total(metric.spans), abs=1e-3), name
        if metric.unit == "count" and metric.value is not None:
            assert metric.value == len(metric.spans), name
    shares = [one.metrics["talk_ratio"].value for one in found.channels]
    if any(one.speech for one in found.channels):
        assert fsum(share or 0.0 for share in shares) == pytest.approx(1.0, abs=1e-3)
    dominance = found.conversation.metrics["dominance"].value
    assert dominance is None or dominance == max(share or 0.0 for share in shares)
