"""Counted brakes: figures of all instances, claims of one, who hears busy."""

from __future__ import annotations

import json
import logging
from collections import Counter

import pytest

from shared.brakes.brakes import AppBrakes
from shared.brakes.figures import CallsTaken, Figures, is_one_caller
from shared.calls import actions
from shared.calls.brakes import Braked
from shared.calls.record import CallRecord
from shared.errors import StoreUnavailable
from shared.identifiers import Identifier
from shared.routing import AnswerWith, RejectWith
from tests.unit.brakes.instances import ANSWER, Instances, ring
from tests.unit.calls.world import START

BUSY = RejectWith(reason="busy", rule="all", why="too_many_calls_of_one_caller")
DIALLED = actions.CreateCall(targets=(Identifier.parse("+14255550123"),), caller_id=Identifier.parse("+18005550199"))


@pytest.fixture
def instances() -> Instances:
    return Instances()


def records(calls: int, *, caller: str = "4:+14255550100", started_at: int = START, **more: str) -> list[CallRecord]:
    return [
        CallRecord(f"call{n}", status="connected", caller=caller, started_at=started_at, **more)  # type: ignore[arg-type]
        for n in range(calls)
    ]


def outbound(brakes: AppBrakes, call_id: str) -> str:
    """A call is placed: which brake keeps it; empty: none."""
    try:
        brakes.check(CallRecord(call_id, direction="outbound", caller="4:+18005550199"), DIALLED)
    except Braked as braked:
        return braked.code
    return ""


# Calls of one caller


def test_of_a_thousand_rings_of_one_caller_twenty_are_answered(instances: Instances) -> None:
    brakes = instances.one()
    answered = [ring(brakes, number) for number in range(1000)]
    assert answered[:20] == [ANSWER] * 20
    assert answered[20:] == [BUSY] * 980


def test_another_caller_is_answered_meanwhile(instances: Instances) -> None:
    brakes = instances.one()
    for number in range(30):
        ring(brakes, number)
    assert ring(brakes, 30, "+14255550101") == ANSWER


@pytest.mark.parametrize("withheld", ["4:anonymous", "8:teamsvisitor:1", "4:"])
def test_those_who_withhold_their_number_are_not_one_caller(instances: Instances, withheld: str) -> None:
    brakes = instances.one(calls_of_one_caller=1)
    assert [ring(brakes, number, withheld) for number in range(5)] == [ANSWER] * 5
    assert not is_one_caller(Identifier(raw_id=withheld))
    instances.clock.pass_seconds(60)
    brakes.watched(records(5, caller=withheld), instances.clock.now)
    assert json.loads(instances.rows.read()["figures"].text)["callers"] == {}


def test_a_user_is_one_caller(instances: Instances) -> None:
    brakes = instances.one(calls_of_one_caller=1)
    user = "8:acs:11111111-2222-4333-8444-555555555555_0000002a-1111-2222-3333-444444000009"
    assert [ring(brakes, number, user) for number in range(2)] == [ANSWER, BUSY]


def test_however_a_number_is_written_it_is_one_caller(instances: Instances) -> None:
    brakes = instances.one(calls_of_one_caller=2)
    ring(brakes, 1, "4:+14255550100")
    ring(brakes, 2, "4:14255550100")
    assert ring(brakes, 3, "4:+14255550100_2f1c") == BUSY


def test_a_call_that_is_over_makes_room(instances: Instances) -> None:
    brakes = instances.one(calls_of_one_caller=1)
    assert ring(brakes, 1) == ANSWER
    assert ring(brakes, 2) == BUSY
    brakes.ended("call1")
    assert ring(brakes, 3) == ANSWER


def test_a_ring_that_was_no_new_call_is_not_counted(instances: Instances) -> None:
    brakes = instances.one(calls_of_one_caller=1)
    ring(brakes, 1, claimed=False)
    assert ring(brakes, 2) == ANSWER


def test_a_ring_that_fails_is_not_counted(instances: Instances) -> None:
    brakes = instances.one(calls_of_one_caller=1)
    caller = Identifier.parse("+14255550100")
    with pytest.raises(RuntimeError), brakes.ring(caller, caller, "key 1", ANSWER):
        raise RuntimeError
    assert ring(brakes, 2) == ANSWER


def test_no_limit_is_none(instances: Instances) -> None:
    brakes = instances.one(calls_of_one_caller=0)
    assert {type(ring(brakes, number)) for number in range(200)} == {AnswerWith}


# Calls at once


def test_calls_at_once_have_no_limit_unless_it_is_set(instances: Instances) -> None:
    brakes = instances.one()
    assert {type(ring(brakes, number, f"+1425555{number:04d}")) for number in range(2000)} == {AnswerWith}


def test_calls_at_once_are_counted_whoever_calls_and_whichever_way(instances: Instances) -> None:
    brakes = instances.one(calls=3)
    assert ring(brakes, 1, "4:anonymous") == ANSWER
    assert ring(brakes, 2, "+14255550101") == ANSWER
    assert outbound(brakes, "out1") == ""
    assert outbound(brakes, "out1") == "", "it is counted once, however often it is sent"
    assert ring(brakes, 3, "+14255550102") == RejectWith(reason="busy", rule="all", why="too_many_calls")
    assert outbound(brakes, "out2") == "too_many_calls"
    brakes.ended("out1")
    assert outbound(brakes, "out2") == ""


def test_too_many_calls_may_be_tried_again_and_says_which_setting(instances: Instances) -> None:
    brakes = instances.one(calls=1)
    ring(brakes, 1)
    with pytest.raises(Braked) as raised:
        brakes.check(CallRecord("out"), DIALLED)
    assert raised.value.retryable
    assert raised.value.message == "1 calls go on already, which is the limit; MAX_CALLS says so"


def test_what_is_sent_again_is_counted_already(instances: Instances) -> None:
    brakes = instances.one(calls=1)
    ring(brakes, 1)
    brakes.check(CallRecord("out"), DIALLED, again=True)
    with pytest.raises(Braked):
        brakes.check(CallRecord("out"), DIALLED)


# Two instances


def test_another_instance_knows_of_them_once_the_watchdog_has_counted(instances: Instances) -> None:
    one, other = instances.one(), instances.one()
    for number in range(20):
        assert ring(one, number) == ANSWER
    assert ring(other, 20) == ANSWER, "it does not know yet"
    instances.clock.pass_seconds(6)
    one.watched(records(20), instances.clock.now)
    other.refresh()
    assert ring(other, 21) == BUSY


def test_what_the_figures_count_is_not_counted_twice(instances: Instances) -> None:
    brakes = instances.one()
    for number in range(12):
        ring(brakes, number)
    instances.clock.pass_seconds(6)
    brakes.watched(records(12), instances.clock.now)
    brakes.refresh()
    assert [ring(brakes, number) for number in range(12, 21)] == [ANSWER] * 8 + [BUSY]


def test_figures_leave_out_calls_that_have_just_started_for_those_are_claims(instances: Instances) -> None:
    brakes = instances.one()
    for number in range(20):
        ring(brakes, number)
    instances.clock.pass_seconds(4.9)
    brakes.watched(records(20), instances.clock.now)
    brakes.refresh()
    assert brakes.figures == Figures(at=START - 100, calls=0, callers={})
    assert ring(brakes, 20) == BUSY, "they are still claims"


def test_calls_that_wait_or_are_over_are_not_up() -> None:
    now = START + 60_000
    over = [CallRecord("a", status="ended", caller="4:+14255550100", started_at=START)]
    waiting = [CallRecord("b", status="waiting", direction="outbound", started_at=START)]
    placed = [CallRecord("c", status="connecting", direction="outbound", started_at=START, placed_at=now)]
    assert Figures.count([*over, *waiting, *placed], now, str).calls == 0


def test_only_calls_that_came_in_have_a_caller() -> None:
    out = records(3, direction="outbound", caller="4:+18005550199")
    assert Figures.count(out, START + 60_000, str) == Figures(START + 55_000, 3, {})


def test_figures_name_no_number_and_at_most_five_hundred_callers(instances: Instances) -> None:
    brakes = instances.one()
    many = [r for n in range(600) for r in records(1 + (n == 7), caller=f"4:+1425555{n:04d}")]
    brakes.watched(many, START + 60_000)
    text = instances.rows.read()["figures"].text
    assert "425555" not in text
    assert len(text) < 16_000
    callers = json.loads(text)["callers"]
    assert len(callers) == 500
    assert max(callers.values()) == 2


def test_claims_are_forgotten_after_a_minute_should_no_figures_come(instances: Instances) -> None:
    brakes = instances.one(calls_of_one_caller=1)
    ring(brakes, 1)
    instances.clock.pass_seconds(60)
    assert ring(brakes, 2) == BUSY
    instances.clock.pass_seconds(0.001)
    assert ring(brakes, 3) == ANSWER


def test_figures_that_the_watchdog_no_longer_renews_keep_nobody_out(instances: Instances) -> None:
    brakes, all_calls = instances.one(), instances.one(calls=20)
    instances.clock.pass_seconds(6)
    brakes.watched(records(20), instances.clock.now)
    brakes.refresh()
    all_calls.refresh()
    instances.clock.pass_seconds(295)
    assert ring(brakes, 1) == BUSY
    assert outbound(all_calls, "first") == "too_many_calls"
    instances.clock.pass_seconds(0.001)
    assert [ring(brakes, number) for number in range(2, 23)] == [ANSWER] * 20 + [BUSY], "its own claims still count"
    assert outbound(all_calls, "second") == ""


def test_a_figure_is_read_as_it_was_written() -> None:
    figures = Figures(START, 3, {"a": 2})
    assert Figures.read(figures.text) == figures


def test_figures_that_cannot_be_read_leave_the_last_ones(
    instances: Instances, caplog: pytest.LogCaptureFixture
) -> None:
    brakes = instances.one()
    instances.rows.put("figures", Figures(START, 3, {}).text)
    brakes.refresh()
    instances.rows.put("figures", '{"at": null}')
    brakes.refresh()
    brakes.refresh()
    assert brakes.figures.calls == 3
    assert [record.levelname for record in caplog.records] == ["ERROR"], "told once"


def test_a_quiet_app_writes_no_figures_after_two_minutes(instances: Instances) -> None:
    brakes, written = instances.one(), []
    instances.rows.put = lambda name, text: written.append(name)  # type: ignore[method-assign]
    brakes.watched(records(1), START)
    for _ in range(100):
        brakes.watched([], START)
    assert len(written) == 1 + 24
    brakes.watched(records(1), START)
    assert len(written) == 26


# What a brake did


def test_what_a_brake_did_is_logged_once_a_call_and_counted(
    instances: Instances, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    one, other = instances.one(calls_of_one_caller=1), instances.one(calls_of_one_caller=1)
    for brakes in (one, other):
        for number in range(3):
            ring(brakes, number)
    ring(one, 5, claimed=False)
    assert Counter(record.getMessage() for record in caplog.records) == {
        "braked call=call1: too_many_calls_of_one_caller": 2,
        "braked call=call2: too_many_calls_of_one_caller": 2,
    }
    for brakes in (one, other, one, other):
        brakes.refresh()
    (day,) = json.loads(instances.rows.read()["counts"].text).values()
    assert day == {"too_many_calls_of_one_caller": 4}


def test_counts_are_added_to_what_others_counted_meanwhile(instances: Instances) -> None:
    brakes = instances.one()
    brakes.note("a", "outbound_off")
    earlier = instances.rows.read()
    instances.rows.put("counts", '{"2026-09-20": {"outbound_off": 2}}')
    instances.rows.read = lambda: earlier  # type: ignore[method-assign]
    brakes.refresh()  # loses the race
    del instances.rows.read
    brakes.refresh()
    brakes.refresh()
    days = json.loads(instances.rows.read()["counts"].text)
    assert sorted(sum(day.values()) for day in days.values()) == [1, 2]


def test_counts_are_kept_for_seven_days(instances: Instances) -> None:
    brakes = instances.one()
    for _ in range(9):
        brakes.note("a", "outbound_off")
        brakes.refresh()
        instances.clock.pass_seconds(24 * 3600)
    assert len(json.loads(instances.rows.read()["counts"].text)) == 7


def test_claims_keep_their_count() -> None:
    claims = CallsTaken()
    claims.add("a", 1, "x")
    claims.add("a", 2, "x")
    claims.add("b", 3, "x")
    claims.rename("b", "c")
    claims.rename("none", "d")
    assert (len(claims), claims.of("x"), claims.of(""), "c" in claims, "b" in claims) == (2, 2, 0, True, False)
    claims.drop_before(3)
    assert (len(claims), claims.of("x")) == (1, 1)


def test_a_call_that_is_over_before_its_claim_has_its_id_makes_room(instances: Instances) -> None:
    brakes = instances.one(calls_of_one_caller=1)
    caller = Identifier.parse("+14255550100")
    with brakes.ring(caller, caller, "key 1", ANSWER) as admission:
        brakes.ended("call1")
        admission.keep("call1")
    assert ring(brakes, 2) == ANSWER


def test_a_storage_that_does_not_take_figures_stops_no_watchdog(
    instances: Instances, caplog: pytest.LogCaptureFixture
) -> None:
    def down(name: str, text: str) -> None:
        raise StoreUnavailable("down")

    instances.rows.put = down  # type: ignore[method-assign]
    instances.one().watched(records(1), START)
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_counts_that_cannot_be_read_begin_with_those_before(
    instances: Instances, caplog: pytest.LogCaptureFixture
) -> None:
    brakes = instances.one()
    instances.rows.put("counts", "{")
    brakes.note("a", "outbound_off")
    brakes.refresh()
    (day,) = json.loads(instances.rows.read()["counts"].text).values()
    assert day == {"outbound_off": 1}, "nothing"
    instances.rows.put("counts", "{")
    brakes.note("b", "outbound_off")
    brakes.refresh()
    (day,) = json.loads(instances.rows.read()["counts"].text).values()
    assert day == {"outbound_off": 2}
    assert "the row 'counts' of the brakes cannot be read" in caplog.text
