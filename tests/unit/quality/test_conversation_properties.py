"""What holds for every conversation, and where `call-ai-metrics` counts the same."""

from __future__ import annotations

import gc
import random
import time
from dataclasses import replace
from itertools import chain
from statistics import median

import pytest
from call_ai_metrics import analyze as reference
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shared.quality.conversation import Talk, analyse
from shared.quality.signal import Hole, Signal
from shared.quality.spans import Span, intersection, total, union
from shared.quality.thresholds import Thresholds
from tests.unit.quality.made import signal

LIMITS = Thresholds()
STEP = 0.2
"""Edges lie on this grid: no gap is as short as a bridged one, no overlap is exactly as long as a limit."""


@st.composite
def speech(draw: st.DrawFn) -> list[Span]:
    """Up to 12 spans of one speaker, with gaps that are not bridged."""
    found, at = [], 0
    for gap, length in draw(st.lists(st.tuples(st.integers(2, 70), st.integers(1, 60)), max_size=12)):
        found.append(Span(round((at + gap) * STEP, 3), round((at + gap + length) * STEP, 3)))
        at += gap + length
    return found


@st.composite
def away(draw: st.DrawFn) -> list[Span]:
    """Stretches in any order, some of them over one another."""
    pairs = draw(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 100)), max_size=4))
    return shifted([Span(start * STEP, (start + length) * STEP) for start, length in pairs], 0.0)


CHANNELS = st.lists(speech(), min_size=1, max_size=5)


def shifted(spans: list[Span], by: float) -> list[Span]:
    return [Span(round(span.start + by, 3), round(span.end + by, 3)) for span in spans]


@settings(deadline=None)
@given(CHANNELS, away())
def test_a_conversation_is_speech_and_silence(channels: list[list[Span]], out: list[Span]) -> None:
    found = analyse(signal(*channels), out, LIMITS)
    spoken = union(chain.from_iterable(speaker.speech for speaker in found.speakers))
    assert total(found.conversation) == pytest.approx(total(spoken) + total(found.silences))
    assert intersection(spoken, found.silences) == []
    assert total(found.overlap) <= total(spoken) + 1e-9
    assert intersection(found.overlap, spoken) == found.overlap
    for inner in (*(speaker.speech for speaker in found.speakers), found.overlap, found.silences):
        assert total(intersection(inner, found.conversation)) == pytest.approx(total(inner))
        assert intersection(inner, left(out)) == []


@settings(deadline=None)
@given(CHANNELS, away())
def test_every_utterance_belongs_to_a_turn_or_is_a_back_channel(channels: list[list[Span]], out: list[Span]) -> None:
    found = analyse(signal(*channels), out, LIMITS)
    for speaker in found.speakers:
        assert sorted(speaker.turns) == speaker.turns
        for span in speaker.speech:
            within = [turn for turn in speaker.turns if turn.start <= span.start and span.end <= turn.end]
            assert (span in speaker.backchannels) or len(within) == 1
        assert len(speaker.interruptions) <= len(speaker.turns)
        assert {span.start for span in speaker.interruptions} <= {turn.start for turn in speaker.turns}
        assert {span.end for span in speaker.responses} <= {turn.start for turn in speaker.turns}
        assert all(intersection([span], union(found.overlap)) == [span] for span in speaker.interruptions)


@settings(deadline=None)
@given(CHANNELS, away())
def test_no_turn_runs_across_what_left_the_conversation(channels: list[list[Span]], out: list[Span]) -> None:
    found = analyse(signal(*channels), out, LIMITS)
    for speaker in found.speakers:
        for spans in (speaker.turns, speaker.responses, speaker.interruptions, speaker.backchannels):
            assert intersection(union(spans), left(out)) == []


@settings(deadline=None)
@given(CHANNELS, away())
def test_what_leaves_and_what_no_file_holds_count_alike(channels: list[list[Span]], out: list[Span]) -> None:
    as_holes = signal(*channels, holes=[Hole(span, "paused") for span in out])
    assert analyse(as_holes, [], LIMITS) == analyse(signal(*channels), out, LIMITS)


@settings(deadline=None)
@given(CHANNELS, away(), st.integers(0, 1000))
def test_a_shift_in_time_shifts_everything(channels: list[list[Span]], out: list[Span], steps: int) -> None:
    by = steps * STEP
    here = analyse(signal(*channels), out, LIMITS)
    there = analyse(signal(*(shifted(spans, by) for spans in channels)), shifted(out, by), LIMITS)
    assert [shifted(spans, by) for spans in lists(here)] == lists(there)


@settings(deadline=None)
@given(CHANNELS, away(), st.randoms())
def test_an_exchange_of_channels_exchanges_what_is_found(
    channels: list[list[Span]], out: list[Span], chance: random.Random
) -> None:
    order = list(range(len(channels)))
    chance.shuffle(order)
    here = analyse(signal(*channels), out, LIMITS)
    utterances = [span for speaker in here.speakers for span in speaker.speech]
    assume(len(set(utterances)) == len(utterances))  # of two that are the same, the lower channel's counts as first
    there = analyse(signal(*(channels[index] for index in order)), out, LIMITS)
    assert there == replace(here, speakers=tuple(here.speakers[index] for index in order))


@settings(deadline=None)
@given(speech(), speech())
def test_it_counts_as_call_ai_metrics_does_where_the_definitions_agree(one: list[Span], other: list[Span]) -> None:
    starts = [span.start for span in (*one, *other)]
    assume(one and other and len(set(starts)) == len(starts))  # it has no rule for two who begin at once
    found = analyse(signal(one, other), [], LIMITS)
    theirs = reference([(*span, 0) for span in one] + [(*span, 1) for span in other], speakers={0: "a", 1: "b"})
    assert total(found.silences) == pytest.approx(theirs.silence_share * theirs.speech_span_s, abs=1e-3)
    assert total(found.overlap) == pytest.approx(theirs.overlap_share * theirs.speech_span_s, abs=1e-3)
    assert max((span.seconds for span in found.silences), default=0.0) == pytest.approx(theirs.longest_silence_s)
    for speaker, name in zip(found.speakers, "ab", strict=True):
        stats = theirs.speakers[name]
        assert total(speaker.speech) == pytest.approx(stats.talk_time_s)
        assert len(speaker.turns) == stats.turns
        assert max((turn.seconds for turn in speaker.turns), default=0.0) == pytest.approx(stats.longest_monologue_s)
        waits = [span.seconds for span in speaker.responses]
        assert (median(waits) if waits else None) == pytest.approx(stats.response_latency_s)
        # Long speech over somebody who keeps the floor: an interruption there, a back-channel here.
        long = [span for span in speaker.backchannels if span.seconds > LIMITS.interruption_seconds]
        assert len(speaker.interruptions) == stats.interruptions - len(long)
        assert len(speaker.backchannels) == stats.backchannels + len(long)


def left(out: list[Span]) -> list[Span]:
    """What leaves the conversation: shorter stretches are bridged."""
    return [span for span in union(out) if span.seconds > LIMITS.gap_seconds]


def lists(found: Talk) -> list[list[Span]]:
    per_speaker = (
        spans
        for speaker in found.speakers
        for spans in (speaker.speech, speaker.turns, speaker.responses, speaker.interruptions, speaker.backchannels)
    )
    return [*per_speaker, found.conversation, found.overlap, found.silences, found.dead_air]


def long_meeting(minutes: int) -> Signal:
    """Five who speak all the time: 150 spans a minute."""
    return signal(*([(2.0 * i + 0.1 * k, 2.0 * i + 0.1 * k + 1.5) for i in range(30 * minutes)] for k in range(5)))


def test_sixteen_times_the_length_takes_far_less_than_its_square_in_time() -> None:
    def seconds(made: Signal) -> float:
        gc.disable()  # its passes grow with the heap of the whole test run
        try:
            began = time.process_time()
            analyse(made, [], LIMITS)
            return time.process_time() - began
        finally:
            gc.enable()

    short, long = long_meeting(15), long_meeting(240)
    assert min(seconds(long) for _ in range(2)) < 64 * min(seconds(short) for _ in range(5))
