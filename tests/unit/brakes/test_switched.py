"""Switches, as a call that rings meets them: numbers that are off, flows that are diverted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared.brakes.brakes import AppBrakes
from shared.calls import Flow
from shared.identifiers import Identifier
from shared.routing import AnswerWith, RedirectTo, RejectWith
from tests.unit.brakes.instances import ANSWER, CALLED, Instances, ring

ADA, BOB = "+14255550100", "+14255550101"
USER = "8:acs:11111111-2222-4333-8444-555555555555_0000002a-1111-2222-3333-444444000009"
NUMBER_OFF = RejectWith(reason="busy", rule="all", why="number_off")
AWAY = RedirectTo(target=Identifier.parse("+14255550177"), rule="all")


def switched(switches: str, instances: Instances | None = None, **limits: Any) -> AppBrakes:
    """An instance that has read how the switches stand."""
    instances = instances or Instances()
    instances.rows.put("switches", switches)
    brakes = instances.one(flows=FLOWS, **limits)
    brakes.refresh()
    return brakes


FLOWS = cast(
    dict[str, Flow],
    {
        "reception": SimpleNamespace(languages=("en", "de"), formerly=("front desk", "lobby")),
        "support": SimpleNamespace(languages=("de",), formerly=("help",)),
    },
)


def off(*numbers: str) -> str:
    told = ", ".join(f'"{number}": {{"by": "Ada", "at": 1}}' for number in numbers)
    return f'{{"numbers_off": {{{told}}}}}'


def diverted(to: str) -> str:
    return f'{{"diverted": {{"reception": {{"by": "Ada", "at": 1, "to": {to}}}}}}}'


@pytest.mark.parametrize("number", [ADA, "+18005550199"])
@pytest.mark.parametrize("decision", [ANSWER, AWAY])
def test_whoever_is_off_and_whoever_calls_them_hears_busy(number: str, decision: AnswerWith | RedirectTo) -> None:
    brakes = switched(off(number))
    assert ring(brakes, 1, ADA, decision) == NUMBER_OFF
    assert ring(brakes, 2, BOB, decision) == (NUMBER_OFF if number != ADA else decision)
    assert brakes._uncounted == {"number_off": 1 if number == ADA else 2}


def test_what_is_rejected_stays_rejected_as_the_routing_says() -> None:
    rejected = RejectWith(reason="forbidden", rule="nobody")
    assert ring(switched(off(ADA)), 1, ADA, rejected) == rejected


def test_a_redirect_is_held_to_what_may_be_called() -> None:
    brakes = switched(off("+14255550177"))
    assert ring(brakes, 1, decision=AWAY) == NUMBER_OFF
    abroad = RedirectTo(target=Identifier.parse("+19005550123"), rule="all")
    assert ring(brakes, 2, decision=abroad) == RejectWith(reason="busy", rule="all", why="number_not_allowed")
    ours = RedirectTo(target=Identifier.parse("+14255550178"), rule="all")
    assert ring(brakes, 3, decision=ours) == ours


def test_the_number_that_was_called_tells_the_country_of_a_redirect() -> None:
    german = RedirectTo(target=Identifier.parse("+493012345678"), rule="all")
    brakes = switched("{}")
    assert ring(brakes, 1, decision=german) == RejectWith(reason="busy", rule="all", why="number_not_allowed")
    assert ring(brakes, 2, decision=german, callee=Identifier.parse("+493099999999")) == german
    assert ring(brakes, 3, caller="+493099999999", decision=german) != german


def test_a_redirect_and_a_braked_call_are_not_counted() -> None:
    brakes = switched(off(BOB), calls_of_one_caller=1)
    ours = RedirectTo(target=Identifier.parse("+14255550178"), rule="all")
    assert ring(brakes, 1, ADA, ours) == ours
    assert ring(brakes, 2, BOB) == NUMBER_OFF
    assert ring(brakes, 3, ADA) == ANSWER
    assert len(brakes._claims) == 1


def test_a_second_delivery_that_is_braked_leaves_the_first_counted() -> None:
    instances = Instances()
    brakes = switched("{}", instances, calls=1)
    with brakes.ring(Identifier.parse(ADA), CALLED, "key 1", ANSWER) as first:
        instances.rows.put("switches", off(ADA))
        brakes.refresh()
        assert ring(brakes, 1, ADA, claimed=False) == NUMBER_OFF
        busy = RejectWith(reason="busy", rule="all", why="too_many_calls")
        assert ring(brakes, 2, BOB) == busy
        first.keep("call1")
    assert ring(brakes, 3, BOB) == busy


@pytest.mark.parametrize(
    ("to", "decision"),
    [
        ('{"flow": "support"}', AnswerWith(flow="support", rule="all", language="de")),
        ('{"reject": "forbidden"}', RejectWith(reason="forbidden", rule="all", why="flow diverted")),
        ('{"redirect": "4:+14255550177"}', AWAY),
        ('{"flow": "gone"}', AnswerWith(flow="reception", rule="all", language="de")),
    ],
)
def test_calls_of_a_flow_that_is_diverted_go_elsewhere(
    to: str, decision: Any, caplog: pytest.LogCaptureFixture
) -> None:
    german = AnswerWith(flow="reception", rule="all", language="de")
    brakes = switched(diverted(to))
    assert ring(brakes, 1, decision=german) == decision
    assert ("which is none" in caplog.text) is ("gone" in to)
    other = AnswerWith(flow="support", rule="all", language="de")
    assert ring(brakes, 2, decision=other) == other
    rejected = RejectWith(reason="forbidden", rule="nobody")
    assert ring(brakes, 3, decision=rejected) == rejected


@pytest.mark.parametrize("was", ["front desk", "lobby"])
def test_a_flow_that_has_another_name_now_stays_diverted(was: str) -> None:
    german = AnswerWith(flow="reception", rule="all", language="de")
    brakes = switched(diverted('{"flow": "help"}').replace('"reception"', f'"{was}"'))
    assert ring(brakes, 1, decision=german) == AnswerWith(flow="support", rule="all", language="de")
    other = AnswerWith(flow="support", rule="all", language="de")
    assert ring(brakes, 2, decision=other) == other


def test_a_language_that_the_other_flow_does_not_speak_is_left_to_it() -> None:
    english = AnswerWith(flow="reception", rule="all", language="en")
    assert ring(switched(diverted('{"flow": "support"}')), 1, decision=english) == AnswerWith(
        flow="support", rule="all", language=""
    )


def test_who_is_on_no_telephone_is_not_redirected_to_one() -> None:
    brakes = switched(diverted('{"redirect": "4:+14255550177"}'))
    assert isinstance(ring(brakes, 1, USER), RejectWith)
    assert ring(brakes, 2, ADA) == AWAY


def test_a_ring_sees_to_it_that_the_switches_are_read() -> None:
    brakes = switched("{}")
    assert brakes._refresher.uses == 0  # type: ignore[attr-defined]
    ring(brakes, 1)
    assert brakes._refresher.uses == 1  # type: ignore[attr-defined]


def test_whether_a_number_is_off_now_is_asked_of_the_storage() -> None:
    instances = Instances()
    brakes = switched("{}", instances)
    instances.rows.put("switches", off(ADA))
    assert not brakes.switches.is_off(Identifier.parse(ADA))
    assert brakes.is_off_now(Identifier.parse(ADA))
    assert not brakes.is_off_now(Identifier.parse(BOB))


@pytest.mark.parametrize("text", ["{", "7", '{"diverted": {"reception": {}}}', '{"diverted": {"reception": 7}}'])
def test_switches_that_cannot_be_read_stand_as_they_stood(text: str, caplog: pytest.LogCaptureFixture) -> None:
    instances = Instances()
    brakes = switched(off(ADA), instances)
    instances.rows.put("switches", text)
    brakes.refresh()
    assert ring(brakes, 1, ADA) == NUMBER_OFF
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    instances.rows._rows.pop("switches")
    brakes.refresh()
    assert ring(brakes, 2, ADA) == ANSWER, "nothing is off where there is no row"
