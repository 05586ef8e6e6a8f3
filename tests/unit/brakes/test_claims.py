"""What an instance counts by itself, what the figures count, and what is noted: at their bounds."""

from __future__ import annotations

import logging
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from shared.brakes.brakes import AppBrakes
from shared.brakes.figures import CallsTaken, Figures
from shared.calls import CallLocator, actions
from shared.calls.brakes import Braked
from shared.calls.outcome import Outcome
from shared.calls.record import CallRecord
from shared.calls.watchdog import Watchdog
from shared.identifiers import Identifier
from shared.routing import RejectWith
from tests.unit.brakes.instances import ANSWER, CALLED, Instances, ring
from tests.unit.calls.world import START

ADA = Identifier.parse("+14255550100")
BUSY = RejectWith(reason="busy", rule="all", why="too_many_calls_of_one_caller")
FULL = RejectWith(reason="busy", rule="all", why="too_many_calls")


def read_by(instances: Instances, brakes: AppBrakes, figures: Figures) -> None:
    instances.rows.put("figures", figures.text)
    brakes.refresh()


# CallsTaken


def test_a_claim_of_nobody_is_nobodys() -> None:
    claims = CallsTaken()
    claims.add("a", 1, "")
    claims.add("b", 1, "")
    assert (len(claims), claims.of("")) == (2, 0)


def test_what_is_removed_is_forgotten() -> None:
    claims = CallsTaken()
    claims.add("a", 1, "x")
    claims.add("b", 2, "x")
    claims.remove("a")
    assert (len(claims), claims.of("x")) == (1, 1)
    claims.remove("b")
    claims.remove("b")
    assert claims._callers == Counter()
    assert "x" not in claims._callers


def test_a_call_that_is_named_keeps_its_time() -> None:
    claims = CallsTaken()
    claims.add("a", 1, "x")
    claims.rename("a", "c")
    claims.drop_before(1)
    assert "c" in claims
    claims.drop_before(2)
    assert "c" not in claims


def test_the_fifty_calls_that_were_over_last_make_room_before_they_have_their_id() -> None:
    for others, decision in ((49, ANSWER), (50, BUSY)):
        brakes = Instances().one(calls_of_one_caller=1)
        with brakes.ring(ADA, CALLED, "key 1", ANSWER) as admission:
            brakes.ended("call1")
            for number in range(others):
                brakes.ended(f"other {number}")
            admission.keep("call1")
        assert ring(brakes, 2) == decision


def test_calls_that_go_on_are_none_of_them() -> None:
    brakes = Instances().one(calls_of_one_caller=1)
    with brakes.ring(ADA, CALLED, "key 1", ANSWER) as admission:
        brakes.ended("call1")
        for number in range(2, 52):
            assert ring(brakes, number, f"+1425555{number:04d}") == ANSWER
        admission.keep("call1")
    assert ring(brakes, 52) == ANSWER


# Figures and claims together


def test_figures_and_claims_add_up() -> None:
    instances = Instances()
    brakes = instances.one(calls=4)
    read_by(instances, brakes, Figures(START, 2, {}))
    assert [ring(brakes, number, f"+1425555010{number}") for number in range(3)] == [ANSWER, ANSWER, FULL]


def test_figures_and_claims_of_one_caller_add_up() -> None:
    instances = Instances()
    brakes = instances.one(calls_of_one_caller=4)
    read_by(instances, brakes, Figures(START, 9, {brakes._hash(ADA.raw_id): 2}))
    assert [ring(brakes, number) for number in range(3)] == [ANSWER, ANSWER, BUSY]
    assert [ring(brakes, number, "+14255550101") for number in range(3, 8)] == [ANSWER] * 4 + [BUSY]


def test_a_call_is_counted_by_the_figures_or_as_a_claim() -> None:
    instances = Instances()
    brakes = instances.one(calls=2)
    ring(brakes, 1)
    record = CallRecord("call1", status="connected", caller=ADA.raw_id, started_at=START)
    for at, calls in ((START, 0), (START + 1, 1)):
        assert Figures.count([record], at + 5_000, str) == Figures(at, calls, {"4:+14255550100": 1} if calls else {})
        read_by(instances, brakes, Figures(at, calls, {}))
        assert ring(brakes, 2, "4:anonymous", claimed=False) == ANSWER
        assert len(brakes._claims) == 1 - calls


def test_calls_count_from_when_they_were_placed() -> None:
    placed = CallRecord("c", status="connected", direction="outbound", started_at=START, placed_at=START + 10)
    assert Figures.count([placed], START + 5_010, str).calls == 0
    assert Figures.count([placed], START + 5_011, str).calls == 1


def test_a_call_without_a_caller_is_a_call() -> None:
    nameless = CallRecord("c", status="connected", started_at=START)
    assert Figures.count([nameless], START + 6_000, str) == Figures(START + 1_000, 1, {})


def test_figures_that_are_gone_count_nothing() -> None:
    instances = Instances()
    brakes = instances.one(calls=1)
    read_by(instances, brakes, Figures(START, 1, {}))
    assert ring(brakes, 1) == FULL
    instances.rows._rows.pop("figures")
    brakes.refresh()
    assert ring(brakes, 2) == ANSWER


def test_an_app_with_a_call_that_waits_and_one_that_is_up_writes_figures() -> None:
    instances = Instances()
    brakes = instances.one()
    mixed = [CallRecord("a", status="waiting"), CallRecord("b", status="connected"), CallRecord("c", status="ended")]
    for _ in range(30):
        brakes.watched(mixed, START)
        read = instances.rows._rows.pop("figures", None)
        assert read is not None
    for status in ("waiting", "ended"):
        for _ in range(30):
            brakes.watched([CallRecord("a", status=status)], START)
        assert (instances.rows._rows.pop("figures", None) is not None) is (status == "waiting")


# What leaves the app


def braked(brakes: AppBrakes, action: Any, record: CallRecord | None = None) -> tuple[str, bool]:
    with pytest.raises(Braked) as raised:
        brakes.check(record or CallRecord("call", callee=CALLED.raw_id), action)
    return raised.value.code, raised.value.retryable


CALLED_OUT = actions.CreateCall(targets=(Identifier.parse("+14255550123"),), caller_id=CALLED)


def test_what_opens_no_call_needs_no_room() -> None:
    brakes = Instances().one(calls=1)
    ring(brakes, 1)
    other = CallRecord("a call that another instance has counted", callee=CALLED.raw_id)
    brakes.check(other, actions.AddParticipant(target=ADA, caller_id=CALLED))
    brakes.check(other, actions.Transfer(target=ADA))
    assert braked(brakes, actions.Connect(locator=CallLocator(kind="room", id="1"))) == ("too_many_calls", True)
    assert braked(brakes, CALLED_OUT) == ("too_many_calls", True)
    assert brakes._uncounted == {"too_many_calls": 2}


def test_what_is_forbidden_is_told_as_that_and_not_counted() -> None:
    brakes = Instances().one(calls=1, targets=1)
    many = actions.CreateCall(targets=(ADA, CALLED), caller_id=CALLED)
    assert braked(brakes, many) == ("too_many_targets", False)
    brakes.check(CallRecord("out"), CALLED_OUT)
    assert braked(brakes, many) == ("too_many_targets", False)


def test_who_is_moved_is_on_the_line_already() -> None:
    moved = actions.MoveParticipants(targets=(Identifier.parse("+19005550123"),), from_call="c")
    Instances().one().check(CallRecord("call", callee=CALLED.raw_id), moved)


@pytest.mark.parametrize(
    ("connected_at", "now", "key"),
    [
        (0, 10**12, None),
        (1_000, 60_999, None),
        (1_000, 61_000, None),
        (1_000, 61_001, "time limit\n0"),
        (1_000, 120_999, "time limit\n0"),
        (1_000, 121_000, "time limit\n1"),
        (1_000, 181_000, "time limit\n2"),
    ],
)
@pytest.mark.parametrize("outcome", [Outcome.ADVANCED, Outcome.DUPLICATE, Outcome.LATE])
def test_a_call_is_ended_once_a_minute_while_it_is_too_long(
    connected_at: int, now: int, key: str | None, outcome: Outcome
) -> None:
    asked: list[Any] = []
    noted: list[Any] = []

    def act(*action: Any) -> tuple[Outcome, None]:
        asked.append(action)
        return outcome, None

    watchdog: Any = SimpleNamespace(_conductor=SimpleNamespace(act=act))
    brakes: Any = SimpleNamespace(longest_call=60_000, note=lambda *told: noted.append(told))
    record = CallRecord("call", status="connected", connected_at=connected_at)
    ended = Watchdog._end_too_long(watchdog, brakes, record, now)
    assert asked == ([("call", actions.Terminate(), key)] if key else [])
    assert ended is (key is not None and outcome is Outcome.ADVANCED)
    assert noted == ([("call", "too_long")] if ended else [])


def test_a_check_sees_to_it_that_the_switches_are_read() -> None:
    brakes = Instances().one()
    brakes.check(CallRecord("out"), CALLED_OUT)
    assert brakes._refresher.uses == 1  # type: ignore[attr-defined]


# What is noted


def test_an_instance_remembers_of_4096_calls_that_it_has_logged_them(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    brakes = Instances().one()
    for number in range(4096):
        brakes.note(f"call{number}", "outbound_off")
    brakes.note("call0", "outbound_off")
    assert len(caplog.records) == 4096
    brakes.note("call4096", "outbound_off")
    brakes.note("call1", "outbound_off")
    assert len(caplog.records) == 4097
    brakes.note("call0", "outbound_off")
    assert len(caplog.records) == 4098
    assert brakes._uncounted == {"outbound_off": 4100}


def test_another_reason_of_the_same_call_is_logged_too(caplog: pytest.LogCaptureFixture) -> None:
    brakes = Instances().one()
    for reason in ("outbound_off", "number_off", "outbound_off"):
        brakes.note("call", reason)
    assert [record.getMessage() for record in caplog.records] == [
        "braked call=call: outbound_off",
        "braked call=call: number_off",
    ]


def test_what_was_counted_is_written_once() -> None:
    instances = Instances()
    brakes = instances.one()
    brakes.refresh()
    assert "counts" not in instances.rows.read()
    brakes.note("a", "outbound_off")
    brakes.note("b", "outbound_off")
    brakes.note("b", "number_off")
    brakes.refresh()
    first = instances.rows.read()["counts"]
    assert first.text == '{"2026-09-21": {"outbound_off": 2, "number_off": 1}}'
    brakes.refresh()
    assert instances.rows.read()["counts"] == first
    assert brakes._uncounted == Counter()
    brakes.note("c", "number_off")
    brakes.refresh()
    assert instances.rows.read()["counts"].text == '{"2026-09-21": {"outbound_off": 2, "number_off": 2}}'
