"""Where people stand, counted."""

from __future__ import annotations

from shared.outreach.person import Person
from shared.outreach.standing import standing
from tests.unit.outreach.people import HOUR, MONDAY, person


def stands(id: str, **changes: object) -> Person:
    return person(id).model_copy(update=changes)


def test_each_person_is_counted_once_by_state_and_by_what_they_said() -> None:
    people = [
        stands("1", state="done", result="confirmed"),
        stands("2", state="done", result="confirmed"),
        stands("3", state="opted_out", result="opted_out"),
        stands("4", state="calling", due=MONDAY - HOUR),
        stands("5", state="waiting", due=MONDAY + 3 * HOUR),
        stands("6", state="waiting", due=MONDAY + 2 * HOUR),
    ]
    found = standing(people)
    assert found.states == {"done": 2, "opted_out": 1, "calling": 1, "waiting": 2}
    assert found.results == {"confirmed": 2, "opted_out": 1}
    assert found.next_due == MONDAY + 2 * HOUR


def test_where_nobody_waits_nobody_is_due() -> None:
    assert standing([stands("1", state="calling")]).next_due is None
    assert standing([]).states.total() == 0
