"""How calls over lossy lines are judged: what was heard, said twice, asked again, and for how long nothing was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bench.losses.gathered import Gathered, Noted, Outage, Placed
from bench.losses.judge import Judgement, judge
from bench.losses.measure import runs_a_day
from bench.losses.phones import KINDS, mixed
from bench.losses.scenario import SCENARIOS
from devstack.proxy import Lost

KEY_IN, FOUND = "Please key in your number, then the pound key.", "You are customer 1234. Goodbye."
KEYS = [(0.0, "app", "answers", ""), (0.3, "app", "asks", KEY_IN), *((2.0, "phone", "presses", key) for key in "1234#")]
END = [(2.6, "app", "plays", FOUND), (4.1, "app", "hangs up", ""), (4.1, "service", "ends", "")]
ENDS = {"RecognizeCompleted": 2.1, "PlayCompleted": 4.0}


def judged(
    *notes: tuple[float, str, str, str],
    ends: dict[str, float] | None = None,
    outcome: str = "completed",
    lost: list[Lost] | None = None,
    outages: list[Outage] | None = None,
) -> Judgement:
    """One call of the kind "keys"; times are seconds since it was answered."""
    kind = next(kind for kind in KINDS if kind.name == "keys")
    app = {"id": "a", "outcome": outcome, "status": "ended", "call_connection_id": "connection"}
    gathered = Gathered(
        SCENARIOS["service"],
        placed=[Placed(kind, "+1", call="call", correlation_id="correlation")],
        notes=[Noted(at, "call", who, what, text) for at, who, what, text in notes],
        deliveries=[_event(name, at) for name, at in (ENDS if ends is None else ends).items()],
        calls={"+1": app},
        lost={"emulator": lost or []},
        outages=outages or [],
    )
    return judge(gathered)


def _event(name: str, at: float) -> dict[str, Any]:
    data = {"correlationId": "correlation", "callConnectionId": "connection"}
    event = {"type": f"Microsoft.Communication.{name}", "time": datetime.fromtimestamp(at, UTC).isoformat()}
    return {"kind": "callback", "duplicate": False, "body": [{**event, "data": data}]}


def test_a_call_that_went_as_its_phone_expects_is_right_and_its_silences_are_between_what_was_heard() -> None:
    judgement = judged(*KEYS, *END)
    assert judgement.problems() == []
    [verdict] = judgement.verdicts
    assert [round(silence.seconds, 3) for silence in verdict.silences] == [0.3, 0.5, 0.1]


def test_to_be_asked_again_after_the_answer_is_wrong() -> None:
    judgement = judged(*KEYS, (2.3, "app", "asks", KEY_IN), *END)
    [problem] = judgement.problems()
    assert "asked again after the answer" in problem


@pytest.mark.parametrize(
    ("disturbed", "right"),
    [
        ({}, False),
        ({"lost": [Lost(0.3, "POST", "/calling/callConnections/connection:recognize", 202, b"")]}, True),
        ({"lost": [Lost(0.3, "POST", "/calling/callConnections/other:recognize", 202, b"")]}, False),
        ({"outages": [Outage("host 1 dead", 0.2, 0.9)]}, True),
        ({"outages": [Outage("host 1 dead", 5.2, 9.9)]}, False),
    ],
)
def test_to_be_asked_twice_before_the_answer_is_right_only_where_the_app_could_not_know(
    disturbed: dict[str, Any], right: bool
) -> None:
    judgement = judged(*KEYS[:2], (1.5, "app", "asks", KEY_IN), *KEYS[2:], *END, **disturbed)
    assert (judgement.problems() == []) is right
    assert judgement.figures()["said twice"] == 1


def test_silence_is_too_long_only_beyond_the_longest_outage() -> None:
    late = [(at + 12, who, what, text) for at, who, what, text in END]
    ends = {"RecognizeCompleted": 2.1, "PlayCompleted": 16.0}
    assert len(judged(*KEYS, *late, ends=ends).problems()) == 2  # the longest, and the median of one call
    outage = Outage("storage stalled", 2.0, 7.0)
    assert len(judged(*KEYS, *late, ends=ends, outages=[outage]).problems()) == 1


def test_what_did_not_come_another_outcome_and_a_call_left_up_are_told() -> None:
    [problem] = judged(*KEYS, outcome="failed").problems()
    assert f"did not come, the first is > {FOUND}" in problem
    assert "outcome failed, not completed" in problem
    assert "left up" in problem


def test_a_hundred_calls_are_of_every_kind_by_its_share_in_an_order_of_the_seed() -> None:
    calls = mixed(100, 7)
    assert {kind.name: calls.count(kind) for kind in KINDS} == {kind.name: kind.share for kind in KINDS}
    assert calls == mixed(100, 7) != mixed(100, 8)


def test_a_schedule_fires_so_often_a_day() -> None:
    assert [runs_a_day(schedule) for schedule in ("*/30 * * * * *", "0 */10 * * * *")] == [2880, 144]
