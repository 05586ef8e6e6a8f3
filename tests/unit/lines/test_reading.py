"""The file of the app's numbers: what it says, and what is refused in it."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.calls import Call, Flow
from shared.calls.uses import USES
from shared.composition.lines import with_lines
from shared.errors import LinesError
from shared.identifiers import Identifier
from shared.lines.reading import Line, Lines, load_lines
from shared.routing import AnswerWith
from shared.routing.reading import load_routes
from tests.unit.calls.world import CALLER
from tests.unit.test_routing import NOON


async def nothing(call: Call) -> None:
    """Does nothing."""


class NeedsInput:
    """A flow that cannot take a call that comes in."""

    needed_input = ("order",)


FLOWS: dict[str, Any] = {"reception": Flow("reception", nothing), "support": Flow("support", nothing)}
FLOWS["order"] = NeedsInput()


def read(text: str) -> Lines:
    return load_lines(dedent(text), FLOWS, USES)


def test_a_number_has_two_slots_of_which_campaigns_leave_one_unless_the_file_says_otherwise() -> None:
    lines = read("""
        company: Contoso
        country: US
        zone: America/New_York
        languages: [en-US, de-DE]
        numbers:
          - {number: "+18005550199", label: main}
          - {number: "+18005550177", label: one, concurrent_out: 1, country: CA}
          - number: "+18005550166"
            label: campaigns
            concurrent_out: 10
            reserve: 3
            uses: [outreach, calls]
            called_back: reception
            transferred_minutes: 5
    """)
    assert (lines.company, lines.country, lines.zone) == ("Contoso", "US", ZoneInfo("America/New_York"))
    assert lines.languages == ("en-US", "de-DE")
    assert list(lines.numbers.values()) == [
        Line("+18005550199", "main", "US", 2, 1, frozenset(), "", 60),
        Line("+18005550177", "one", "CA", 1, 0, frozenset(), "", 60),
        Line("+18005550166", "campaigns", "US", 10, 3, frozenset({"outreach", "calls"}), "reception", 5),
    ]


def test_without_the_file_there_are_no_numbers_but_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    assert load_lines("lines.yaml", FLOWS, USES) == Lines()
    with pytest.raises(LinesError, match="LINES_FILE names the file"):
        load_lines(tmp_path / "other.yaml", FLOWS, USES)


@pytest.mark.parametrize(
    ("number", "path", "said"),
    [
        ("{label: a}", "numbers[0].number", "is missing. Write number: …"),
        ("{number: +1 800 555, label: a}", "numbers[0].number", "'+1 800 555' is not a number. Write it as +1800555"),
        ('{number: "+18005550199"}', "numbers[0].label", "is missing"),
        ('{number: "+18005550199", label: a, lable: b}', "numbers[0].lable", "Did you mean label?"),
        ('{number: "+18005550199", label: a, country: USA}', "numbers[0].country", "two letters"),
        ('{number: "+18005550199", label: a, concurrent_out: 0}', "numbers[0].concurrent_out", "greater than or equal"),
        ('{number: "+18005550199", label: a, concurrent_out: 401}', "numbers[0].concurrent_out", "less than or equal"),
        ('{number: "+18005550199", label: a, reserve: 3}', "numbers[0].reserve", "is 3, and there are 2 slots"),
        ('{number: "+18005550199", label: a, uses: [reminder]}', "numbers[0].uses[0]", "Did you mean reminders?"),
        ('{number: "+18005550199", label: a, called_back: recepton}', "numbers[0].called_back", "mean reception?"),
        ('{number: "+18005550199", label: a, called_back: order}', "numbers[0].called_back", "needs input (order)"),
    ],
)
def test_what_is_wrong_is_named_with_its_line_and_a_remedy(number: str, path: str, said: str) -> None:
    with pytest.raises(LinesError) as caught:
        read(f"company: Contoso\nnumbers:\n  - {number}\n")
    assert f"lines.yaml:3: {path}" in str(caught.value)
    assert said in str(caught.value)


def test_a_number_and_a_label_stand_there_once() -> None:
    with pytest.raises(LinesError) as caught:
        read("""
            numbers:
              - {number: "+18005550199", label: main}
              - {number: "+18005550199", label: main}
        """)
    assert "numbers[1].number: numbers[0] has '+18005550199' too." in str(caught.value)
    assert "numbers[1].label: numbers[0] has 'main' too." in str(caught.value)


def test_who_calls_a_number_back_hears_its_flow_after_rules_with_conditions_and_before_the_one_for_all() -> None:
    routes = load_routes("rules:\n- {from: '+1425555019*', reject: busy}\n- {answer: reception}\n", FLOWS)
    lines = read("numbers:\n- {number: '+18005550199', label: main, called_back: support}\n")
    table = with_lines(routes, lines)

    def flow(to: str, caller: str = CALLER.raw_id) -> str:
        decision = table.decide(to=Identifier.parse(to), caller=Identifier.parse(caller), context={}, at=NOON)
        return decision.flow if isinstance(decision, AnswerWith) else type(decision).__name__

    assert flow("+18005550199") == "support"
    assert flow("+18005550100") == "reception"
    assert flow("+18005550199", "+14255550190") == "RejectWith"
