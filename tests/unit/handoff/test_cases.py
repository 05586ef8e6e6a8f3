"""Cases in storage: one contract, over memory and Azurite."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import NotFound
from shared.handoff.case import Case, begun, new_id, told
from shared.handoff.cases import Cases
from shared.rows import Rows

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


@pytest.fixture
def cases(rows: Rows) -> Cases:
    return Cases(rows)


def made(cases: Cases, minutes: int, call: str = "") -> Case:
    at = NOW + timedelta(minutes=minutes)
    case_id = cases.claim(call or f"call-{minutes}", new_id(at, minutes.to_bytes(16)))
    cases.put_new(
        begun(case_id, call or f"call-{minutes}", at, caller="4:+14255550123", line="", language="", context={})
    )
    return cases.get(case_id)


def test_nothing_is_there_before_the_first_case(cases: Cases) -> None:
    assert (cases.of_call("call-1"), cases.find("0" * 40), list(cases.all())) == ("", None, [])
    assert list(cases.made_before(NOW)) == []
    assert cases.change("0" * 40, lambda case: case) is None
    with pytest.raises(NotFound, match="there is no case of this id"):
        cases.get("0" * 40)


@pytest.mark.parametrize("wrong", ["", "of call-1", "0" * 39, "G" * 40, "0" * 40 + "\n", "/\\#?"])
def test_what_is_no_id_is_no_case(cases: Cases, wrong: str) -> None:
    made(cases, 1)
    assert cases.find(wrong) is None
    assert cases.change(wrong, lambda case: case) is None


def test_a_call_has_one_case_however_often_it_is_begun(cases: Cases) -> None:
    first = made(cases, 1, call="call-1")
    cases.change(first.id, lambda case: told(case, "a bill", "", "de"))
    again = made(cases, 2, call="call-1")
    assert (again.id, again.said, again.at) == (first.id, "a bill", first.at)
    assert cases.of_call("call-1") == first.id
    assert len(list(cases.all())) == 1


def test_cases_come_the_newest_first_and_go_on_after_one(cases: Cases) -> None:
    ids = [made(cases, minutes).id for minutes in range(5)]
    assert [case.id for case in cases.all()] == ids[::-1]
    assert [case.id for case in cases.all(ids[3])] == ids[2::-1]
    assert [case.id for case in cases.made_before(NOW + timedelta(minutes=2))] == ids[2::-1]


def test_a_case_goes_with_what_its_calls_have(cases: Cases) -> None:
    case = made(cases, 1)
    cases.remove(case)
    assert (cases.find(case.id), cases.of_call(case.call_id)) == (None, "")
    cases.remove(case)
    assert cases.change(case.id, lambda found: found) is None
