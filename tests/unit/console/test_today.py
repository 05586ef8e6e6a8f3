"""Today's figures."""

from __future__ import annotations

from shared.web.console.today import today
from tests.unit.console.test_call_list import row


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
