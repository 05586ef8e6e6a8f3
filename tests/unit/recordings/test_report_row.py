"""The row of a report, which lists show."""

from __future__ import annotations

from typing import Any

from shared.quality.assemble import assemble
from shared.quality.report import AppSpan, CallFacts, ScorecardResult
from shared.recordings.reporting import row
from tests.unit.quality.made import BEGAN, NOW, evidence, report, signal

MADE = signal([(10, 14), (20, 25)], [(15, 19), (40, 44)], seconds=60.0)
HOLD = AppSpan(kind="hold", start=26.0, end=39.0, channel=0)


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
    found = report(MADE, app=[HOLD]).model_copy(update={"scorecards": (empty, card)})
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
        app=None,
        call=CallFacts(),
        started_at=None,
        people={},
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
