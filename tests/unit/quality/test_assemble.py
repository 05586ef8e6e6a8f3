"""The whole report, its row, and what stands in neither."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.quality.assemble import MIXED, NO_CALL, NO_CUSTOMER, NO_START, SHARED, assemble
from shared.quality.headline import row
from shared.quality.report import CallFacts, Phrase, Redactions, Report, ScorecardResult, Topic, Transcript
from shared.quality.signal import Hole, Piece, Signal
from shared.quality.spans import Span
from shared.recordings.record import RecordingRecord
from tests.unit.quality.made import AGENT, BEGAN, CALLEE, CALLER, NOW, SUPERVISOR, evidence, report, signal, values

MADE = signal([(10, 14), (20, 25)], [(15, 19), (40, 44)], seconds=60.0)
"""The app plays until 9, there is a hold from 26 to 39."""


def entry(second: float, kind: str, seq: int, **more: Any) -> dict[str, Any]:
    return {"entry": kind, "at": int((BEGAN + timedelta(seconds=second)).timestamp() * 1000), "seq": seq, **more}


JOURNAL = [
    {"entry": "started", "at": 0, "flow": "desk", "direction": "inbound", "caller": CALLER},
    entry(0, "issued", 0, action={"kind": "play", "prompts": []}),
    entry(9, "answered", 9),
    {
        "entry": "event",
        "at": 0,
        "event": {
            "type": "Microsoft.Communication.PlayCompleted",
            "time": (BEGAN + timedelta(seconds=9)).isoformat(),
            "data": {"operationContext": "c1:0:0"},
        },
    },
    entry(26, "issued", 1, action={"kind": "hold", "participant": CALLER}),
    entry(26, "answered", 1),
    entry(39, "issued", 2, action={"kind": "unhold", "participant": CALLER}),
    entry(39, "answered", 2),
]


def test_a_report_tells_of_the_call_the_recording_and_the_people() -> None:
    found = report(MADE, journal=JOURNAL, notes=("a note",))
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
    found = report(MADE, journal=JOURNAL)
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
    found = report(signal([(2, 4), (10, 14)], [(15, 19)]), journal=JOURNAL)
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
    found = report(signal([(0, 4)], [(5, 9)], [(10, 12)]), participants=[(CALLER, 0), (AGENT, 1)])
    assert [(one.role, one.label) for one in found.channels] == [
        ("customer", "Customer"),
        ("agent", "Agent"),
        ("unknown", "Speaker 3"),
    ]


def test_who_was_called_is_the_customer_of_an_outbound_call() -> None:
    call = CallFacts(id="c1", direction="outbound")
    assert report(MADE, call=call, callee=AGENT).channels[1].role == "customer"


@pytest.mark.parametrize(
    ("given", "notes"),
    [
        ({"journal": None}, (NO_CALL,)),
        ({"recording": RecordingRecord("20261123-a", "r", "s")}, (NO_START,)),
        ({"caller": CALLEE}, (NO_CUSTOMER,)),
        ({"recording": RecordingRecord("20261123-a", "r", "s", channel_type="mixed", started_at=1)}, (MIXED,)),
    ],
    ids=["no call", "no start", "no customer", "mixed"],
)
def test_what_a_report_lacks_is_told_in_a_note(given: dict[str, Any], notes: tuple[str, ...]) -> None:
    made: Signal = signal([(0, 4)]) if notes == (MIXED,) else MADE
    assert report(made, **given).notes == notes


def test_no_identifier_stands_in_a_report_or_its_row() -> None:
    found = report(MADE, journal=JOURNAL)
    for text in (found.model_dump_json(), repr(row(found))):
        assert CALLER.removeprefix("4:+") not in text
        assert AGENT not in text


def test_a_report_is_the_same_after_a_trip_through_json() -> None:
    found = report(MADE, journal=JOURNAL, topics=[Topic(name="price", seconds=2.0, spans=(Span(1, 3),))])
    assert Report.model_validate_json(found.model_dump_json()) == found


def test_a_transcript_goes_to_its_channels() -> None:
    phrases = (Phrase(channel=1, start=15, end=19, text="Hello there"),)
    said = Transcript(locale="en-US", phrases=phrases, redactions=Redactions())
    found = report(MADE, transcript=said)
    assert [one.metrics["words"].value for one in found.channels] == [0, 2]
    assert found.transcript == said


def test_a_channel_that_passes_from_one_to_another_names_both_and_says_so() -> None:
    found = report(MADE, participants=[(CALLER, 0), (AGENT, 1), (SUPERVISOR, 1)], journal=JOURNAL)
    assert [one.role for one in found.channels] == ["customer", "agent"]
    assert found.channels[1].participant.count(",") == 1
    assert SHARED in found.notes
    assert SHARED not in report(MADE, journal=JOURNAL).notes


# The headline


def test_the_row_holds_the_headline() -> None:
    card = ScorecardResult(
        name="desk",
        title="Desk",
        score=80.0,
        passed=True,
        pass_at=75.0,
        questions=10,
        answered=6,
        answered_share=0.6,
        min_answered=0.5,
        answers=(),
    )
    empty = card.model_copy(update={"name": "empty", "score": None, "passed": None})
    found = report(MADE, journal=JOURNAL).model_copy(update={"scorecards": (empty, card)})
    assert vars_of(row(found)) == {
        "id": "20261123-5d41402abc4b2a76b9719d91",
        "call_id": "c1",
        "flow": "desk",
        "direction": "inbound",
        "outcome": "completed",
        "started_at": int(BEGAN.timestamp() * 1000),
        "created_at": int(NOW.timestamp() * 1000),
        "seconds": 60.0,
        "channels": 2,
        "conversation_seconds": 21.0,
        "silence_ratio": 0.1905,
        "overlap_ratio": 0.0,
        "dead_air": 0,
        "interruptions": 0,
        "hold_seconds": 13.0,
        "agent_talk_ratio": 0.4706,
        "flags": (),
        "score": 80.0,
        "passed": True,
        "scorecard": "desk",
        "questions": 10,
        "answered": 6,
        "generation": 3,
        "result": "",
    }


def test_the_row_of_a_recording_of_which_nothing_is_known() -> None:
    bare = evidence(
        signal([], []),
        journal=None,
        call=CallFacts(),
        recording=RecordingRecord("20261123-a", "r", "s"),
        participants=(),
    )
    found = row(assemble(bare, now=NOW))
    assert (found.call_id, found.flow, found.direction, found.started_at, found.channels) == ("", "", "", 0, 0)
    assert (found.conversation_seconds, found.silence_ratio, found.agent_talk_ratio, found.score) == (
        0.0, None, None, None,
    )  # fmt: skip
    assert found.flags == ("no_speech",)


def test_a_flag_that_was_raised_twice_stands_in_the_row_once() -> None:
    found = report(signal([(0, 70)], [(70, 140)], seconds=150.0))
    assert len(found.flags) == 2
    assert row(found).flags == ("monologue",)


def vars_of(headline: Any) -> dict[str, Any]:
    return {name: getattr(headline, name) for name in headline.__slots__}
