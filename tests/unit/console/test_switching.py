"""What is switched off, and the forms that turn a switch."""

from __future__ import annotations

from typing import get_args

import pytest

from shared.brakes.switches import Changed, Diversion, FlowDiverted
from shared.calls.actions.calling import RejectReason
from shared.errors import InvalidInput
from shared.web.console.switching import REJECTION, request_of, what_is_off
from shared.web.switches import CallsNow, FlowSwitch, NumberSwitch, OutboundSwitch, SwitchesView

DIVERTED = FlowDiverted(
    by="Bob", at=1795860123000, why="storm", to=Diversion.model_validate({"redirect": "+14255550142"})
)
NO_CALLS = CallsNow(at=0, calls=0, most_of_one_caller=0)


def test_what_is_off_is_named_without_the_numbers_of_others_and_can_be_lifted() -> None:
    off = Changed(by="Bob", at=1795860123000)
    view = SwitchesView(
        outbound=OutboundSwitch(position="off", off=off),
        numbers=(NumberSwitch(number="+14255550123", off=off), NumberSwitch(number="+18005550199", off=off)),
        flows=(FlowSwitch(flow="support", diverted=DIVERTED),),
        changes=(),
        calls=NO_CALLS,
        braked={},
    )
    found = what_is_off(view, {"support": "Support line"}, ["+18005550199"], lambda number: f"mark of {number[-2:]}")
    assert [one.told for one in found] == [
        "Outbound calls are stopped since 2026-11-28 10:02 UTC (Bob).",
        "The number +1 ••• 23 is switched off since 2026-11-28 10:02 UTC (Bob).",
        "The number +18005550199 is switched off since 2026-11-28 10:02 UTC (Bob).",
        "Calls for Support line are sent on to +1 ••• 42 since 2026-11-28 10:02 UTC (Bob, “storm”).",
    ]
    assert [one.lift for one in found] == [
        {"what": "outbound", "to": "on"},
        {"what": "number", "mark": "mark of 23", "to": "on"},
        {"what": "number", "mark": "mark of 99", "to": "on"},
        {"what": "flow", "flow": "support", "to": "on"},
    ]


@pytest.mark.parametrize(
    ("form", "asked"),
    [
        ({"what": "outbound", "to": "off"}, {"outbound": "off"}),
        ({"what": "outbound", "to": "on"}, {"outbound": "on"}),
        ({"what": "number", "to": "off", "number": "+1 (425) 555-0123"}, {"numbers": {"+14255550123": "off"}}),
        ({"what": "number", "to": "on", "mark": "m"}, {"numbers": {"+14255550177": "on"}}),
        ({"what": "flow", "flow": "support", "to": "on"}, {"flows": {"support": "on"}}),
        ({"what": "flow", "flow": "support", "to": "flow:desk"}, {"flows": {"support": {"flow": "desk"}}}),
        ({"what": "flow", "flow": "support", "to": "reject:busy"}, {"flows": {"support": {"reject": "busy"}}}),
        (
            {"what": "flow", "flow": "support", "to": "redirect:", "number": "+1 425 555 0142"},
            {"flows": {"support": {"redirect": "+14255550142"}}},
        ),
    ],
)
def test_a_form_turns_one_switch(form: dict[str, str], asked: dict[str, object]) -> None:
    found = request_of({**form, "why": " storm "}, "Ada", {"m": "+14255550177"})
    assert found == {"by": "Ada", "why": "storm", **asked}


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({}, "what"),
        ({"what": "everything", "to": "off"}, "what"),
        ({"what": "outbound", "to": "maybe"}, "what"),
        ({"what": "number", "to": "on", "mark": "x"}, "number"),
        ({"what": "number", "to": "off"}, "number"),
        ({"what": "flow", "to": "on"}, "flow"),
        ({"what": "flow", "flow": "support"}, "to"),
        ({"what": "flow", "flow": "support", "to": "reject:forever"}, "to"),
        ({"what": "flow", "flow": "support", "to": "redirect:"}, "number"),
    ],
)
def test_a_form_that_turns_nothing_is_refused(form: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        request_of(form, "Ada", {"m": "+14255550177"})
    assert refused.value.field == field


def test_a_name_is_cut_to_what_a_switch_takes() -> None:
    assert request_of({"what": "outbound", "to": "off"}, "A" * 61, {})["by"] == "A" * 60


def test_callers_can_be_rejected_in_each_way_that_there_is() -> None:
    assert set(REJECTION) == set(get_args(RejectReason))
