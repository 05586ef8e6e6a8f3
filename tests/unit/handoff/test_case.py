"""Cases: whatever is told in whichever order and however often, nobody is forgotten and nothing final changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import StateConflict
from shared.handoff.case import (
    Case,
    begun,
    call_back_ends,
    call_ends,
    called_back,
    calls_back,
    given_up,
    ids_before,
    known_by,
    message_begins,
    message_ends,
    new_id,
    not_taken,
    postponed,
    replaced,
    told,
    wants_call_back,
    withdrawn,
)

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=30)
ADA, LINE = "4:+14255550123", "4:+18005550199"
FINAL = {"handed_off", "left", "called_back", "withdrawn", "replaced"}
Event = Callable[[Case], Case]

EVENTS: tuple[Event, ...] = (
    lambda case: told(case, "an invoice", "4711", "en"),
    lambda case: told(case, "", "", "de"),
    lambda case: not_taken(case, 1, "not_answered"),
    lambda case: not_taken(case, 1, "closed"),
    lambda case: message_begins(case, "r-1", NOW),
    lambda case: message_ends(case, NOW + timedelta(seconds=12)),
    lambda case: message_ends(case, NOW + timedelta(seconds=1)),
    lambda case: wants_call_back(case, "+14255550123", LATER),
    lambda case: wants_call_back(case, "+14255550124", NOW),
    lambda case: call_ends(case, "transferred", NOW),
    lambda case: call_ends(case, "caller_left", NOW),
    lambda case: postponed(case, LATER),
    lambda case: calls_back(case, "one", NOW),
    lambda case: calls_back(case, "two", NOW),
    lambda case: calls_back(case, "three", NOW),
    lambda case: call_back_ends(case, "one", "busy", LATER),
    lambda case: call_back_ends(case, "two", "no_answer", LATER),
    lambda case: call_back_ends(case, "three", "no_answer", LATER),
    lambda case: call_back_ends(case, "two", "transferred", LATER),
    lambda case: call_back_ends(case, "one", "busy", None),
    lambda case: withdrawn(case, NOW),
    lambda case: replaced(case, newer("message"), LATER),
    lambda case: replaced(case, newer("left"), LATER),
    lambda case: known_by(case, ("hash",)),
    given_up,
    lambda case: called_back(case, "Bob", NOW) if case.state in ("message", "call_back", "not_reached") else case,
)


def new(**context: str) -> Case:
    return begun("0" * 40, "call-1", NOW, caller=ADA, line=LINE, language="en", context=context)


def newer(state: str, minutes: int = 10) -> Case:
    """What came of a later call of the same caller."""
    made = begun("f" * 40, "call-2", NOW + timedelta(minutes=minutes), caller=ADA, line=LINE, language="en", context={})
    return made.model_copy(update={"state": state})


@given(st.lists(st.sampled_from(EVENTS), max_size=20))
def test_an_event_that_is_told_twice_changes_nothing_twice_and_what_is_final_stays(events: list[Event]) -> None:
    case = new()
    for event in events:
        before, case = case, event(case)
        assert event(case) == case
        assert Case.model_validate_json(case.model_dump_json()) == case
        assert before.state not in FINAL or case.state == before.state
        assert len(case.attempts) >= len(before.attempts)


@given(st.lists(st.sampled_from(EVENTS), max_size=20))
def test_whoever_left_a_message_or_asked_for_a_call_waits_until_somebody_has_called(events: list[Event]) -> None:
    case, promised = new(), False
    for event in events:
        case = event(case)
        promised |= case.state in ("message", "call_back")
        if promised and case.state == "left":
            assert case.message_seconds is not None
            assert case.message_seconds < 2.0, "only a message of no length is none"
        assert not (promised and case.state in ("open", "handed_off"))


def test_the_contact_centre_has_the_caller_whose_call_was_transferred() -> None:
    assert call_ends(new(), "transferred", NOW).state == "handed_off"
    assert call_ends(new(), "caller_left", NOW).state == "left"


def test_a_message_is_as_long_as_it_took_and_ends_with_the_call_at_the_latest() -> None:
    case = message_begins(new(), "r-1", NOW)
    assert (case.state, case.message_seconds) == ("message", None)
    ended = call_ends(case, "caller_left", NOW + timedelta(seconds=12.34))
    assert (ended.state, ended.message_seconds) == ("message", 12.3)
    assert message_ends(ended, NOW + timedelta(seconds=60)) == ended


@pytest.mark.parametrize(("seconds", "state"), [(1.9, "left"), (2.0, "message"), (-1.0, "left")])
def test_a_message_of_less_than_two_seconds_is_none(seconds: float, state: str) -> None:
    case = message_ends(message_begins(new(), "r-1", NOW), NOW + timedelta(seconds=seconds))
    assert case.state == state


def test_a_call_back_is_tried_three_times_and_then_given_up() -> None:
    case = wants_call_back(new(), "+14255550123", NOW)
    for call, state in (("one", "call_back"), ("two", "call_back"), ("three", "not_reached")):
        case = call_back_ends(calls_back(case, call, NOW), call, "busy", LATER)
        assert case.state == state
    assert [one.ended for one in case.attempts] == ["busy"] * 3
    assert called_back(case, "Bob", NOW).done_by == "Bob"


def test_a_call_back_that_reaches_both_is_the_last() -> None:
    case = calls_back(wants_call_back(new(), "+14255550123", NOW), "one", LATER)
    case = call_back_ends(case, "one", "transferred", LATER)
    assert (case.state, case.done_by, case.done_at) == ("called_back", "switchboard", LATER)


def test_a_late_event_does_not_undo_that_somebody_has_called() -> None:
    case = calls_back(wants_call_back(new(), "+14255550123", NOW), "one", NOW)
    case = called_back(case, "Bob", LATER)
    assert call_back_ends(case, "one", "busy", LATER).state == "called_back"
    assert wants_call_back(case, "+14255550199", NOW) == case
    assert called_back(case, "Eve", NOW) == case


@pytest.mark.parametrize("state", ["handed_off", "message", "call_back", "called_back"])
def test_a_later_call_that_helped_takes_the_place_of_a_call_back(state: str) -> None:
    case = wants_call_back(new(), "+14255550123", LATER)
    after = replaced(case, newer(state), LATER)
    assert (after.state, after.replaced_by, after.done_at) == ("replaced", "f" * 40, LATER)
    assert replaced(after, newer("message", 20), NOW) == after
    assert replaced(case, newer(state, -1), LATER) == case, "it came before"
    assert replaced(new(), newer(state), LATER) == new()


@pytest.mark.parametrize("state", ["open", "left", "withdrawn", "replaced", "not_reached"])
def test_a_later_call_in_which_nobody_was_helped_changes_no_call_back(state: str) -> None:
    case = wants_call_back(new(), "+14255550123", LATER)
    assert replaced(case, newer(state), LATER) == case


@pytest.mark.parametrize("state", ["open", "handed_off", "left", "withdrawn", "replaced"])
def test_only_who_waits_can_be_marked_as_called(state: str) -> None:
    with pytest.raises(StateConflict, match="call_back, message, not_reached"):
        called_back(new().model_copy(update={"state": state}), "Bob", NOW)


def test_the_customers_number_may_come_with_the_call() -> None:
    case = new(**{"X-MS-CUSTOM-Customer": "C-17", "User-To-User": "00"})
    assert (case.keyed, dict(case.context)) == ("C-17", {"X-MS-CUSTOM-Customer": "C-17", "User-To-User": "00"})
    assert told(case, "a bill", "", "de").keyed == "C-17"
    assert len(new(**{f"h{number}": "x" for number in range(30)}).context) == 20
    assert len(told(case, "w" * 600, "k" * 600, "de").said) == 500


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.integers(1, 10**8), st.binary(min_size=16, max_size=16)
)
def test_ids_sort_the_newest_first_and_are_hexadecimal(at: datetime, seconds: int, random: bytes) -> None:
    at = at.replace(tzinfo=UTC)
    old, young = new_id(at, random), new_id(at + timedelta(seconds=seconds), random)
    assert young < old
    assert len(old) == 40
    assert int(old, 16) >= 0
    assert old.endswith(random.hex())
    assert young < ids_before(at) <= old


def test_a_case_is_of_its_caller_and_of_whom_to_call() -> None:
    case = wants_call_back(new(), "+14255550177", NOW)
    assert [case.is_of(key) for key in (ADA, "4:+14255550177", "4:+14255550178", LINE)] == [True, True, False, False]
