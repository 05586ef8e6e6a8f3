"""The same people in tomorrow's file."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.outreach.person import Person, State, begin, finish
from shared.outreach.uploads import Change, merge
from tests.unit.outreach.people import MONDAY, REMINDERS, SPRING, person, wanted

DAY = timedelta(days=1)
AT = MONDAY + 4 * DAY


def upload(one: Person | None, line: int = 2, *, id: str = "u2", **more: Any) -> tuple[Person, Change]:
    return merge(one, wanted(**{"appointment": AT, **more}), SPRING, MONDAY, REMINDERS, (id, line))


def in_state(state: State, **more: Any) -> Person:
    return person(rules=REMINDERS, appointment=AT).model_copy(update={"state": state, **more})


def test_the_same_again_is_nothing() -> None:
    first, change = upload(None)
    assert change == "new"
    assert upload(first, id="u3") == (first, "same")
    confirmed = in_state("done", result="confirmed")
    assert upload(confirmed) == (confirmed, "same")


def test_changed_is_updated_and_a_confirmation_stands() -> None:
    one, change = upload(in_state("done", result="confirmed"), name="Ada")
    assert (change, one.wanted.name, one.state, one.result) == ("changed", "Ada", "done", "confirmed")


def test_moved_has_new_times_and_the_confirmation_falls() -> None:
    before = in_state("done", result="confirmed", ended={"done": 1, "busy": 2})
    one, change = upload(before, appointment=AT + DAY)
    assert (change, one.state, one.result, one.due, one.ended) == ("moved", "waiting", "", AT - DAY, {})
    assert one.appointment == 2


def test_cancelled_is_never_called_whatever_else_the_row_says() -> None:
    one, change = upload(in_state("waiting"), cancelled=True, number="", appointment=None)
    assert (change, one.state) == ("cancelled", "cancelled")
    assert one.wanted.appointment == AT
    assert upload(one, id="u3", cancelled=True, number="") == (one, "same")
    new, change = upload(None, cancelled=True, number="")
    assert (change, new.state) == ("cancelled", "cancelled")
    calling = begin(in_state("waiting"), MONDAY)
    gone, _ = upload(calling, cancelled=True)
    assert finish(gone, calling.attempts[0].id, "done", MONDAY, REMINDERS, "confirmed").state == "cancelled"


def test_who_was_cancelled_and_stands_again_is_called() -> None:
    gone, _ = upload(in_state("done", result="confirmed"), cancelled=True)
    one, change = upload(gone, id="u3")
    assert (change, one.state, one.result) == ("moved", "waiting", "")


def test_who_is_cancelled_in_a_call_and_stands_again_is_not_called_twice_at_once() -> None:
    calling = begin(in_state("waiting"), MONDAY)
    gone, _ = upload(calling, cancelled=True)
    one, _ = upload(gone, id="u3")
    assert one.state == "calling"
    assert finish(one, calling.attempts[0].id, "busy", MONDAY, REMINDERS).state == "waiting"


@pytest.mark.parametrize("state", ["dead", "no_contact", "declined", "suppressed"])
def test_a_new_number_opens_what_ended_because_of_the_old_one(state: State) -> None:
    one, change = upload(in_state(state, ended={"busy": 5}), number="+4930999999")
    assert (change, one.state, one.number, one.ended) == ("changed", "waiting", 2, {})
    assert upload(in_state(state), name="Ada")[0].state == state


def test_who_lacked_consent_or_zone_is_looked_at_again() -> None:
    assert upload(in_state("refused"), zone="Europe/Berlin")[0].state == "waiting"


def test_who_wants_no_calls_is_not_called_about_another_appointment() -> None:
    assert upload(in_state("opted_out"), appointment=AT + DAY)[0].state == "opted_out"
    assert upload(in_state("dead"), appointment=AT + DAY)[0].state == "dead"
    assert upload(in_state("dead"), appointment=AT + DAY, number="+4930999999")[0].state == "waiting"


def test_a_row_that_is_read_again_after_a_crash_says_what_it_said() -> None:
    first, _ = upload(None)
    assert upload(first) == (first, "new")
    moved, _ = upload(first, 7, id="u3", appointment=AT + DAY)
    assert upload(moved, 7, id="u3", appointment=AT + DAY) == (moved, "moved")
    assert upload(moved, 8, id="u3", appointment=AT + DAY) == (moved, "same")
    assert upload(moved, 5, id="u3") == (moved, "same"), "a row before it, of a person who is there twice"
