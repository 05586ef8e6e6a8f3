"""The whole report."""

from __future__ import annotations

from dataclasses import replace

from shared.quality.report import AppSpan, Phrase, Redactions, Report, Topic, Transcript
from shared.quality.signal import Hole, Piece
from shared.quality.spans import Span
from tests.unit.quality.made import BEGAN, NOW, PEOPLE, report, signal, values

MADE = signal([(10, 14), (20, 25)], [(15, 19), (40, 44)], seconds=60.0)
"""Of it, the app plays until 9, and there is a hold from 26 to 39."""


APP = (
    AppSpan(kind="prompt", start=0.0, end=9.0),
    AppSpan(kind="hold", start=26.0, end=39.0, channel=0),
)


def test_a_report_tells_of_the_call_the_recording_and_the_people() -> None:
    found = report(MADE, app=APP, notes=("a note",))
    assert (found.id, found.created_at, found.call.id) == ("20261123-5d41402abc4b2a76b9719d91", NOW, "c1")
    assert (found.recording.started_at, found.recording.seconds, found.recording.channel_type) == (
        BEGAN, 60.0, "unmixed",
    )  # fmt: skip
    assert [(one.channel, one.role, one.label, one.participant) for one in found.channels] == [
        (0, "customer", "Customer", "4:+1*******23"),
        (1, "agent", "Agent", "8:acs:*******aa01"),
    ]
    assert found.notes == ("a note",)
    assert found.definitions["talk_ratio"]
    assert found.flags == ()
    assert found.scorecards == ()


def test_holds_and_prompts_stand_in_the_report_and_leave_the_talk() -> None:
    found = report(MADE, app=APP)
    assert [(one.kind, one.start, one.end, one.channel) for one in found.app] == [
        ("prompt", 0.0, 9.0, None),
        ("hold", 26.0, 39.0, 0),
    ]
    metrics = values(found.conversation.metrics)
    assert (metrics["hold_seconds"], metrics["longest_hold_seconds"], metrics["app_seconds"]) == (13.0, 13.0, 9.0)
    assert (metrics["conversation_seconds"], metrics["silence_seconds"]) == (21.0, 4.0)
    assert found.conversation.dead_air == ()
    assert values(found.channels[1].metrics)["response_median_seconds"] == 1.0


def test_speech_outside_of_the_conversation_stands_in_the_lane_of_its_channel() -> None:
    found = report(signal([(2, 4), (10, 14)], [(15, 19)]), app=APP)
    assert found.channels[0].speech == (Span(2, 4), Span(10, 14))
    assert found.channels[0].metrics["talk_seconds"].spans == (Span(10, 14),)


def test_the_map_of_the_files_is_given_to_the_millisecond() -> None:
    pieces = (Piece(Span(0.0, 10.00049), 0, 0.0), Piece(Span(15.0, 60.0), 1, 0.12345))
    found = report(replace(MADE, pieces=pieces, holes=(Hole(Span(10.00049, 15.0), "paused"),))).recording
    assert [(one.start, one.end, one.chunk, one.offset) for one in found.pieces] == [
        (0.0, 10.0, 0, 0.0),
        (15.0, 60.0, 1, 0.123),
    ]
    assert [(one.start, one.end, one.reason) for one in found.holes] == [(10.0, 15.0, "paused")]


def test_somebody_who_speaks_on_a_channel_that_is_nobodys_is_in_the_report() -> None:
    found = report(signal([(0, 4)], [(5, 9)], [(10, 12)]), people={0: PEOPLE[0], 1: PEOPLE[1]})
    assert [(one.role, one.label) for one in found.channels] == [
        ("customer", "Customer"),
        ("agent", "Agent"),
        ("unknown", "Speaker 3"),
    ]


def test_a_mixed_recording_is_everybodys() -> None:
    found = report(signal([(0, 4)]), mixed=True)
    assert [(one.role, one.label, one.participant) for one in found.channels] == [("everybody", "Everybody", "")]
    assert found.recording.channel_type == "mixed"


def test_a_report_is_the_same_after_a_trip_through_json() -> None:
    found = report(MADE, app=APP, topics=[Topic(name="price", seconds=2.0, spans=(Span(1, 3),))])
    assert Report.model_validate_json(found.model_dump_json()) == found


def test_a_transcript_goes_to_its_channels() -> None:
    phrases = (Phrase(channel=1, start=15, end=19, text="Hello there"),)
    said = Transcript(locale="en-US", phrases=phrases, redactions=Redactions())
    found = report(MADE, transcript=said)
    assert [one.metrics["words"].value for one in found.channels] == [0, 2]
    assert found.transcript == said
