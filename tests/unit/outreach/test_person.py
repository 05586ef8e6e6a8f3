"""Where a person stands, and what each event makes of that."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.outreach.outcomes import STEPS, OutcomeClass, class_of_answered, class_of_failed
from shared.outreach.person import FINAL, Person, attempt_id, begin, finish, person_key, postpone, settle
from shared.outreach.rules import Rules
from shared.outreach.uploads import merge
from tests.unit.outreach.people import CONSENT, HOUR, MONDAY, REMINDERS, SERVICE, SPRING, key_of, person, wanted

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def called(one: Person, outcome: OutcomeClass, rules: Rules = SERVICE, result: str = "") -> Person:
    begun = begin(one, MONDAY)
    assert begun.open_attempt is not None
    return finish(begun, begun.open_attempt.id, outcome, MONDAY, rules, result)


@pytest.mark.parametrize(
    ("outcome", "state", "after"),
    [
        ("done", "done", None),
        ("machine", "waiting", 4 * HOUR),
        ("busy", "waiting", 15 * MINUTE),
        ("no_answer", "waiting", 2 * HOUR),
        ("declined", "waiting", DAY),
        ("dead", "dead", None),
        ("not_tried", "waiting", MINUTE),
        ("opted_out", "opted_out", None),
        ("window_closed", "waiting", 0 * MINUTE),
        ("unknown", "waiting", 2 * HOUR),
    ],
)
def test_what_follows_from_each_outcome(outcome: OutcomeClass, state: str, after: timedelta | None) -> None:
    one = called(person(), outcome, result="confirmed" if outcome == "done" else "")
    assert one.state == state
    if after is not None:
        assert one.due == MONDAY + after
    assert one.result == ("confirmed" if outcome == "done" else "")
    assert one.open_attempt is None


def test_what_counts_as_an_attempt() -> None:
    assert {outcome for outcome, step in STEPS.items() if not step.counts} == {"not_tried", "window_closed"}
    one = person()
    for _ in range(30):
        one = called(one, "not_tried")
    assert one.state == "waiting"
    for _ in range(4):
        one = called(one, "no_answer")
    assert one.state == "waiting"
    assert called(one, "no_answer").state == "no_contact"  # the fifth


def test_a_second_decline_is_the_last() -> None:
    assert called(called(person(), "declined"), "declined").state == "declined"
    assert called(called(person(), "declined"), "no_answer").state == "waiting"


def test_each_attempt_in_a_row_that_is_not_tried_waits_longer_up_to_an_hour() -> None:
    one, waits = person(), []
    for _ in range(9):
        one = called(one, "not_tried")
        waits.append((one.due - MONDAY) // MINUTE)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_times_can_be_set_but_not_for_what_is_over() -> None:
    quick = Rules(purpose="service", retry={"busy": 3, "dead": 3, "not_tried": 7200})
    assert called(person(), "busy", quick).due == MONDAY + timedelta(seconds=3)
    assert called(person(), "dead", quick).state == "dead"
    assert called(person(), "not_tried", quick).due == MONDAY + 2 * HOUR


def test_an_attempt_has_an_id_of_its_own() -> None:
    one = begin(person("Ada #1"), MONDAY)
    key = key_of("Ada #1")
    assert len(key) == 32
    assert key.isalnum()
    assert key != person_key("of another campaign", "Ada #1")
    assert one.open_attempt is not None
    assert one.open_attempt.id == attempt_id("spring", key, 1) == f"spring:{key}:1"
    again = begin(finish(one, one.open_attempt.id, "busy", MONDAY, SERVICE), MONDAY)
    assert again.open_attempt is not None
    assert again.open_attempt.id == f"spring:{key}:2"


def test_nobody_is_called_while_they_are_or_when_it_is_over() -> None:
    calling = begin(person(), MONDAY)
    for one in (calling, called(person(), "done"), settle(person(), "suppressed")):
        with pytest.raises(ValueError, match="cannot begin"):
            begin(one, MONDAY)


def test_who_waits_can_be_put_off_and_nobody_else() -> None:
    assert postpone(person(), MONDAY + HOUR).due == MONDAY + HOUR
    assert postpone(postpone(person(), MONDAY + HOUR), MONDAY).due == MONDAY + HOUR
    calling = begin(person(), MONDAY)
    assert postpone(calling, MONDAY + HOUR) == calling


def test_a_mailbox_gets_one_message_for_each_appointment() -> None:
    one = person(rules=REMINDERS, appointment=APPOINTMENT)
    assert one.may_leave_message
    left = called(called(one, "busy"), "machine", REMINDERS)
    assert not left.may_leave_message
    moved, _ = merge(left, wanted(appointment=APPOINTMENT + DAY), SPRING, MONDAY, REMINDERS)
    assert moved.may_leave_message


def test_the_newest_ten_attempts_are_known_again() -> None:
    one = person()
    for _ in range(12):
        one = called(one, "not_tried")
    assert [attempt.id.rpartition(":")[2] for attempt in one.attempts] == [str(n) for n in range(3, 13)]
    assert one.begun == 12


def test_a_late_event_overwrites_no_final_result() -> None:
    first = begin(person(), MONDAY)
    done = finish(first, first.attempts[0].id, "done", MONDAY, SERVICE, "confirmed")
    for outcome in STEPS:
        late = finish(done, done.attempts[0].id, outcome, MONDAY + HOUR, SERVICE, "cancelled")
        assert late == done
    settled = called(person(), "unknown")
    settled = settle(settled, "expired")
    late = finish(settled, settled.attempts[0].id, "done", MONDAY, SERVICE, "confirmed")
    assert (late.state, late.result) == ("expired", "")
    assert late.attempts[0].result == "confirmed", "the attempt tells what came of it"


def test_what_comes_after_unknown_takes_its_place() -> None:
    one = called(person(), "unknown")
    assert finish(one, one.attempts[0].id, "done", MONDAY, SERVICE, "confirmed").state == "done"
    assert finish(one, one.attempts[0].id, "unknown", MONDAY + HOUR, SERVICE) == one
    busy = finish(one, one.attempts[0].id, "busy", MONDAY + HOUR, SERVICE)
    assert busy.due == MONDAY + HOUR + 15 * MINUTE
    assert busy.ended == {"unknown": 0, "busy": 1}
    assert finish(busy, one.attempts[0].id, "done", MONDAY, SERVICE, "confirmed") == busy
    # While the next attempt goes on, it ends the matter, and that attempt's outcome is only noted.
    again = begin(one, MONDAY)
    done = finish(again, one.attempts[0].id, "done", MONDAY, SERVICE, "confirmed")
    assert done.state == "done"
    assert finish(done, again.attempts[1].id, "no_answer", MONDAY, SERVICE).state == "done"
    assert finish(again, one.attempts[0].id, "busy", MONDAY, SERVICE).state == "calling"


def test_an_attempt_that_nobody_knows_changes_nothing() -> None:
    one = begin(person(), MONDAY)
    assert finish(one, "spring:x:9", "done", MONDAY, SERVICE) == one


APPOINTMENT = MONDAY + 4 * DAY


def test_a_reminder_is_due_two_days_before_and_again_after_a_message() -> None:
    one = person(rules=REMINDERS, appointment=APPOINTMENT)
    assert one.due == APPOINTMENT - 2 * DAY
    assert person(rules=REMINDERS, appointment=MONDAY + DAY).due == MONDAY
    begun = begin(one, one.due)
    assert begun.open_attempt is not None
    message = finish(begun, begun.open_attempt.id, "machine", one.due, REMINDERS)
    assert message.due == APPOINTMENT - 4 * HOUR
    begun = begin(message, message.due)
    assert begun.open_attempt is not None
    assert finish(begun, begun.open_attempt.id, "machine", message.due, REMINDERS).due == APPOINTMENT


def test_an_outcome_about_an_appointment_that_was_moved_meanwhile_confirms_nothing() -> None:
    before = begin(person(rules=REMINDERS, appointment=APPOINTMENT), MONDAY)
    moved, change = merge(before, wanted(appointment=APPOINTMENT + DAY), SPRING, MONDAY, REMINDERS)
    assert (change, moved.state) == ("moved", "calling")
    with pytest.raises(ValueError, match="cannot begin"):
        begin(moved, MONDAY)
    attempt = before.attempts[0].id
    after = finish(moved, attempt, "done", MONDAY, REMINDERS, "confirmed")
    assert (after.state, after.result, after.due) == ("waiting", "", APPOINTMENT - DAY)
    assert finish(moved, attempt, "opted_out", MONDAY, REMINDERS).state == "opted_out"


def test_a_dead_number_that_was_replaced_meanwhile_says_nothing_of_the_new_one() -> None:
    before = begin(person(), MONDAY)
    new, _ = merge(before, wanted(number="+4930999999"), SPRING, MONDAY, SERVICE)
    assert finish(new, before.attempts[0].id, "dead", MONDAY, SERVICE).state == "waiting"


@pytest.mark.parametrize(
    ("code", "outcome", "found"),
    [
        (486, "busy", "busy"),
        (600, "busy", "busy"),
        (408, "no_answer", "no_answer"),
        (480, "unreachable", "no_answer"),
        (603, "declined", "declined"),
        (404, "not_found", "dead"),
        (410, "unreachable", "dead"),
        (484, "bad_request", "dead"),
        (484, "unknown", "dead"),
        (604, "unreachable", "dead"),
        (404, "throttled", "not_tried"),
        (429, "throttled", "not_tried"),
        (403, "permission", "not_tried"),
        (500, "service_error", "not_tried"),
        (400, "bad_request", "not_tried"),
        (487, "canceled", "unknown"),
    ],
)
def test_the_class_of_what_did_not_connect(code: int, outcome: str, found: OutcomeClass) -> None:
    assert class_of_failed(code, outcome) == found  # type: ignore[arg-type]


def test_the_class_of_what_connected() -> None:
    assert class_of_answered("confirmed") == "done"
    assert class_of_answered("opted_out") == "opted_out"
    assert class_of_answered("machine") == class_of_answered("") == "machine"


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["begin", "finish", "moved", "cancelled", "number", "settle", "back"]),
        st.sampled_from([*STEPS]),
        st.integers(0, 12),
    ),
    max_size=40,
)


@given(EVENTS, st.booleans())
def test_whatever_comes_in_any_order_and_twice(events: list[tuple[str, OutcomeClass, int]], twice: bool) -> None:
    """No attempt begins while one goes on or twice, and only an upload opens what is final."""
    one, ids, day = person(rules=REMINDERS, appointment=APPOINTMENT), list[str](), 0
    for what, outcome, number in events:
        before = one
        if what == "begin":
            if one.state == "waiting" and one.open_attempt is None:
                one = begin(one, MONDAY)
                assert one.open_attempt is not None
                ids.append(one.open_attempt.id)
        elif what == "finish" and ids:
            attempt = ids[number % len(ids)]
            one = finish(one, attempt, outcome, MONDAY, REMINDERS, "confirmed")
            if twice:
                assert finish(one, attempt, outcome, MONDAY, REMINDERS, "confirmed") == one
            if before.state in FINAL:
                assert (one.state, one.result) == (before.state, before.result)
            if outcome == "opted_out" and one != before and before.state not in FINAL:
                assert one.state == "opted_out"
        elif what == "settle":
            one = settle(one, "suppressed")
            assert before.state == "waiting" or one == before
        elif what in ("moved", "cancelled", "number", "back"):
            day += what == "moved"
            given_row = wanted(
                appointment=APPOINTMENT + day * DAY,
                cancelled=what == "cancelled",
                number=f"+493012345{number:02}" if what == "number" else one.wanted.number,
            )
            one, change = merge(one, given_row, SPRING, MONDAY, REMINDERS)
            assert merge(one, given_row, SPRING, MONDAY, REMINDERS) == (one, "same")
            assert one.state == "cancelled" or what != "cancelled"
            if change == "moved":
                assert one.result == ""
        if before.state == "opted_out" and what != "cancelled":
            assert one.state == "opted_out" or before.wanted.cancelled
        assert sum(attempt.outcome is None for attempt in one.attempts) <= 1
        assert (one.state == "calling") <= (one.open_attempt is not None)
        assert one.begun == len(ids) == len(set(ids))
        assert Person.model_validate_json(one.model_dump_json(exclude_defaults=True)) == one
    assert one.wanted.consent == CONSENT
