"""What calls for a look: each flag on a recording that has its fault, and not on one that just has not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from shared.quality.assemble import Person
from shared.quality.report import AppSpan, ChunkFacts, Flag, Report
from shared.quality.signal import Hole, Signal
from shared.quality.spans import Span
from shared.quality.thresholds import Thresholds
from tests.unit.quality.made import PEOPLE, channel, report, signal, spans

TALK = [(0.0, 4.0), (10.0, 14.0), (20.0, 24.0)]
REPLY = [(5.0, 9.0), (15.0, 19.0)]
GOOD = signal(TALK, REPLY)


def flag(found: Report, code: str) -> Flag:
    (one,) = [one for one in found.flags if one.code == code]
    return one


def codes(made: Signal, **given: Any) -> list[str]:
    return [one.code for one in report(made, **given).flags]


def held(seconds: float, channel: int | None = 0) -> list[AppSpan]:
    """A hold from second 24 on."""
    return [AppSpan(kind="hold", start=24.0, end=24.0 + seconds, channel=channel)]


def test_a_good_recording_has_no_flag() -> None:
    assert codes(GOOD) == []


def test_no_speech() -> None:
    found = report(signal(channel(silent=False), channel(silent=False), seconds=63.0))
    assert flag(found, "no_speech").text == "Nobody speaks in the 63.0 s recorded."


def test_a_silent_channel_of_a_participant() -> None:
    found = flag(report(signal(TALK, [])), "silent_channel")
    assert (found.text, found.channel) == ("Agent's channel is silent for 100.0 s.", 1)


def test_an_empty_channel_that_is_nobodys_is_no_fault_and_not_in_the_report() -> None:
    found = report(signal(TALK, REPLY, [], []), people={0: PEOPLE[0], 1: PEOPLE[1]})
    assert found.flags == ()
    assert [one.channel for one in found.channels] == [0, 1]


# One-way audio


@pytest.mark.parametrize(
    ("made", "who", "index"),
    [
        (signal(TALK, channel(silent=False)), "Agent", 1),
        (signal([], REPLY), "Customer", 0),
        (signal(TALK, [], []), "Agent and Agent 2", None),
    ],
    ids=["agent", "customer", "agents"],
)
def test_one_way_audio_is_a_side_that_cannot_be_heard(made: Signal, who: str, index: int | None) -> None:
    found = flag(report(made), "one_way_audio")
    assert found.text.startswith(f"{who} is not heard at all, while the other side speaks for ")
    assert found.channel == index
    assert found.spans


def test_a_supervisor_who_only_listens_is_no_one_way_audio() -> None:
    assert "one_way_audio" not in codes(signal(TALK, REPLY, channel(silent=False)))


def test_speech_to_the_app_alone_is_no_one_way_audio() -> None:
    listening = [AppSpan(kind="listening", start=0.0, end=100.0, channel=0)]
    assert codes(signal(TALK, channel(silent=False)), app=listening) == []


def test_of_speakers_whose_side_is_not_known_each_who_is_never_heard_is_told() -> None:
    made = signal(TALK, REPLY, channel(silent=False))
    found = report(made, people={channel: Person("unknown", f"Speaker {channel + 1}") for channel in range(3)})
    assert (flag(found, "one_way_audio").channel, flag(found, "one_way_audio").text.split(" is not")[0]) == (
        2,
        "Speaker 3",
    )


# Faults of the recording


def test_channels_that_carry_the_same_sound() -> None:
    found = flag(report(replace(GOOD, same_audio=((0, 1),))), "same_audio")
    assert found.text.startswith("The channels of Customer and Agent have the same audio")


def test_cross_talk_is_told_of_the_channel_that_it_is_heard_on() -> None:
    found = flag(report(replace(GOOD, cross_talk=((0, 1),))), "cross_talk")
    assert (found.channel, found.text) == (1, "Customer can be heard on the channel of Agent.")


def test_a_part_of_the_recording_is_missing() -> None:
    holes = [Hole(Span(30, 42), "missing"), Hole(Span(50, 55), "missing"), Hole(Span(60, 70), "paused")]
    found = flag(report(signal(TALK, REPLY, holes=holes)), "audio_missing")
    assert (found.text, found.spans) == ("17.0 s of the recording is missing.", tuple(spans((30, 42), (50, 55))))


def test_a_file_could_not_be_had() -> None:
    facts = {"start": 0.0, "seconds": 0.0, "bytes": 0}
    chunks = [ChunkFacts(index=0, blob="0.wav", **facts), ChunkFacts(index=1, blob=None, **facts)]
    assert flag(report(GOOD, chunks=chunks), "audio_missing").text == "1 of 2 files are missing."


def test_a_pause_and_a_hole_between_two_files_are_nothing_to_look_at() -> None:
    holes = [Hole(Span(30, 42), "paused"), Hole(Span(50, 50.3), "missing")]
    assert codes(signal(TALK, REPLY, holes=holes)) == []


@pytest.mark.parametrize(
    ("code", "facts", "text"),
    [
        ("clipping", {"clipped": 0.0005}, "0.05% of the samples of Agent are clipped (limit 0.05%)."),
        ("too_quiet", {"loudness": -36.1}, "Agent is quiet: -36.1 LUFS (limit -36.0)."),
        ("too_loud", {"loudness": -11.9}, "Agent is loud: -11.9 LUFS (limit -12.0)."),
    ],
)
def test_levels(code: str, facts: dict[str, float], text: str) -> None:
    found = flag(report(signal(TALK, channel(REPLY, **facts))), code)
    assert (found.channel, found.text) == (1, text)


@pytest.mark.parametrize("facts", [{"clipped": 0.00049}, {"loudness": -36.0}, {"loudness": -12.0}, {"loudness": None}])
def test_levels_within_their_limits(facts: dict[str, float]) -> None:
    assert codes(signal(TALK, channel(REPLY, **facts))) == []


def test_the_level_of_somebody_who_never_speaks_is_not_judged() -> None:
    assert "too_quiet" not in codes(signal(TALK, channel(silent=False, loudness=-60.0)))


# Talk


def test_too_much_silence() -> None:
    found = flag(report(signal([(0, 4), (15, 19)], [(5, 9)], [])), "silence")
    assert found.text == "Nobody speaks in 37% of the conversation (limit 35%)."
    assert found.spans == tuple(spans((4, 5), (9, 15)))
    assert "silence" not in codes(signal([(0, 4), (14, 18)], [(5, 9)]))


def test_dead_air() -> None:
    once = flag(report(signal([(0, 40), (52.5, 90)], [])), "dead_air")
    assert (once.text, once.spans) == ("Dead air once, for 12.5 s (limit 10.0 s).", (Span(40, 52.5),))
    twice = flag(report(signal([(0, 40), (50, 70), (81, 90)], [])), "dead_air")
    assert twice.text == "Dead air 2 times, for up to 11.0 s (limit 10.0 s)."
    assert "dead_air" not in codes(signal([(0, 40), (49.9, 70)], []))


def test_a_monologue() -> None:
    made = signal([(0, 5), (70, 75)], [(6, 66)])
    found = flag(report(made), "monologue")
    assert (found.channel, found.spans) == (1, (Span(6, 66),))
    assert found.text == "Agent speaks without a break once, for 60.0 s (limit 60.0 s)."
    assert "monologue" not in codes(made, thresholds=Thresholds.model_validate({"monologue_seconds": 61}))


def test_dominance() -> None:
    found = flag(report(signal([(0, 3)], [(3, 10)])), "dominance")
    assert (found.channel, found.text) == (1, "Agent has 70% of all talk time (limit 70%).")
    assert "dominance" not in codes(signal([(0, 3.1)], [(3.1, 10)]))
    assert "dominance" not in codes(signal([], [(3, 10)]))


def test_a_long_hold() -> None:
    made = signal(TALK, REPLY, seconds=300.0)
    found = flag(report(made, app=held(120)), "long_hold")
    assert (found.channel, found.spans) == (0, (Span(24, 144),))
    assert found.text == "A hold lasts too long once, for 120.0 s (limit 120.0 s)."
    assert codes(made, app=held(119.9)) == []
    assert flag(report(made, app=held(120, None)), "long_hold").channel is None


def test_every_code_is_tried_here() -> None:
    every = get_args(Flag.model_fields["code"].annotation)
    source = Path(__file__).read_text("utf-8")
    assert [code for code in every if f'"{code}"' not in source] == []
