"""Today's figures, what is off, and forms as browsers send them."""

from __future__ import annotations

import pytest

from shared.brakes.switches import Changed
from shared.errors import InvalidInput
from shared.web.console.exchange import read_form
from shared.web.console.today import switched_off, today
from shared.web.switches import CallsNow, NumberSwitch, OutboundSwitch, SwitchesView
from tests.unit.console.test_call_list import row

NO_CALLS = CallsNow(at=0, calls=0, most_of_one_caller=0)


def test_five_figures_count_each_call_where_it_belongs() -> None:
    rows = [
        row(1, status="connected", outcome=""),
        row(2, status="ringing", outcome="", direction="outbound"),
        row(3, outcome="busy", direction="outbound"),
        row(4, outcome="no_answer", direction="outbound"),
        row(5, outcome="failed"),
        row(6, outcome="settled"),
        row(7, outcome="caller_left"),
    ]
    found = today(rows, {})
    assert {one.name: one.value for one in found.figures} == {
        "on the line": 2,
        "came in": 4,
        "went out": 3,
        "not reached": 2,
        "failed": 2,
    }
    assert [one.id for one in found.live] == ["c1", "c2"]
    assert [one.id for one in found.failed] == ["c5", "c6"]
    assert [one.bad for one in found.figures] == [False, False, False, False, True]


def test_eight_live_calls_are_shown_and_the_rest_counted() -> None:
    found = today([row(number, status="connected") for number in range(11)], {})
    assert (len(found.live), found.more_live, found.calls, found.cut) == (8, 3, 11, False)


def test_a_thousand_calls_are_the_newest_of_more() -> None:
    assert today([row(number) for number in range(1000)], {}).cut
    assert not today([row(number) for number in range(999)], {}).cut


def test_the_version_changes_with_a_call_and_with_what_becomes_of_it() -> None:
    before, same = today([row(1)], {}).version, today([row(1)], {}).version
    assert before == same
    changed = [[row(1), row(2)], [row(1, status="connected")], [row(1, outcome="failed")], []]
    assert len({before, *(today(rows, {}).version for rows in changed)}) == 5


def test_numbers_that_are_off_are_counted_and_not_named() -> None:
    off = Changed(by="Bob", at=1795860123000)
    view = SwitchesView(
        outbound=OutboundSwitch(position="off", off=off),
        numbers=(NumberSwitch(number="+14255550123", off=off),),
        flows=(),
        changes=(),
        calls=NO_CALLS,
        braked={},
    )
    assert switched_off(view, {}) == [
        "Outbound calls are stopped since 2026-11-28 10:02 UTC (Bob).",
        "1 number is switched off.",
    ]


def test_a_form_is_read() -> None:
    assert read_form(b"a=1+2&b=&text=%C3%A9") == {"a": "1 2", "b": "", "text": "é"}
    assert read_form(b"") == {}
    assert read_form(b"a=" + b"x" * (64 * 1024 - 2))


@pytest.mark.parametrize(
    "body",
    [b"a=" + b"x" * (64 * 1024 - 1), b"&".join(b"a=1" for _ in range(51)), b"a=%FF", "a=é".encode(), b'{"a": 1}\xff'],
    ids=["too long", "too many fields", "no UTF-8", "not encoded", "bytes"],
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput, match="form"):
        read_form(body)
