"""May this person be called now?"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.outreach.contacts import LEASE, Contact
from shared.outreach.decisions import (
    FINAL_STATES,
    Allowed,
    CheckedList,
    CheckedZone,
    Evidence,
    Known,
    Later,
    Never,
    may_call,
)
from shared.outreach.dry_run import WORDS, dry_run
from shared.outreach.lists import ListHead, Listing, checked_head, joined, opted_out, stale
from shared.outreach.numbers import zones_of
from shared.outreach.outcomes import OutcomeClass
from shared.outreach.person import Person, begin, finish, settle
from shared.outreach.rules import Rules
from shared.outreach.windows import Window
from tests.unit.outreach.people import (
    BERLIN,
    CONSENT,
    HOUR,
    MARKETING,
    MONDAY,
    NEW_YORK,
    PHOENIX,
    REMINDERS,
    SERVICE,
    TOLL_FREE,
    WINDOW,
    person,
)

OLD = ListHead(name="TPS", source="Ofcom", as_of=date(2026, 2, 5))
DNC = ListHead(name="DNC", source="FTC", as_of=date(2026, 3, 1))
DAY = timedelta(days=1)


def decide(one: Person, now: datetime = MONDAY, rules: Rules = SERVICE, **known: Any) -> Any:
    return may_call(one, now, rules, WINDOW, Known(**known))


def called(*hours_ago: float, purpose: Any = "service") -> Contact:
    contact = Contact()
    for hours in hours_ago:
        contact = contact.began(f"a{hours}", purpose, MONDAY - hours * HOUR).ended(f"a{hours}")
    return contact


def test_the_evidence_says_why_a_call_was_allowed() -> None:
    found = decide(person(rules=MARKETING), rules=MARKETING, contact=called(30, purpose="marketing"), lists=(DNC,))
    assert found == Allowed(
        Evidence(
            at=MONDAY,
            purpose="marketing",
            consent=CONSENT,
            zones=(CheckedZone("Europe/Berlin", "2026-03-09 15:00+01:00"),),
            zone_source="number",
            window="Mon Tue Wed Thu Fri Sat 09:00-20:00",
            calendar="",
            calls_in_24_hours=0,
            calls_in_7_days=1,
            caps="3 in 24 hours, 7 in 7 days",
            lists=(CheckedList("own", "", None), CheckedList("DNC", "FTC", date(2026, 3, 1))),
            appointment=None,
        )
    )
    assert Evidence.model_validate_json(found.evidence.model_dump_json()) == found.evidence


def test_where_the_zone_comes_from() -> None:
    assert decide(person(zone="Europe/Paris")).evidence.zone_source == "row"
    by_default = Rules(purpose="service", default_zone="Europe/Berlin")
    found = decide(person(number="+80012345678"), rules=by_default)
    assert (found.evidence.zone_source, found.evidence.zones[0].zone) == ("default", "Europe/Berlin")
    assert decide(person(), rules=by_default).evidence.zone_source == "number"


LISTED = Listing(list="DNC", since=MONDAY - DAY, purposes=frozenset({"marketing"}))


@pytest.mark.parametrize(
    ("reason", "one", "rules", "known"),
    [
        ("over", person().model_copy(update={"state": "done"}), SERVICE, {}),
        ("over", person().model_copy(update={"state": "cancelled"}), SERVICE, {}),
        ("listed", person(), MARKETING, {"listed": (LISTED,)}),
        ("listed", person(), SERVICE, {"listed": (opted_out("service", MONDAY),)}),
        ("dead", person(), SERVICE, {"contact": Contact(dead_since=MONDAY)}),
        ("no_consent", person(consent=None), MARKETING, {}),
        ("no_zone", person(number="+80012345678"), SERVICE, {}),
        ("never_open", person(number=TOLL_FREE), SERVICE, {}),
        ("appointment_over", person(appointment=MONDAY + 29 * timedelta(minutes=1)), REMINDERS, {}),
        ("appointment_over", person(appointment=MONDAY + 2 * HOUR), REMINDERS, {"contact": called(3, 2, 1)}),
        ("attempts_used", person().model_copy(update={"ended": {"busy": 5, "not_tried": 9}}), SERVICE, {}),
    ],
)
def test_who_is_never_called(reason: str, one: Person, rules: Rules, known: dict[str, Any]) -> None:
    found = decide(one, rules=rules, **known)
    assert isinstance(found, Never)
    assert found.reason == reason
    assert found.why
    if reason != "over":
        assert settle(one, FINAL_STATES[found.reason]).state != "waiting"


@pytest.mark.parametrize(
    ("reason", "at", "one", "rules", "known"),
    [
        ("in_call", MONDAY + timedelta(minutes=1), begin(person(), MONDAY), SERVICE, {}),
        (
            "number_busy",
            MONDAY + timedelta(minutes=1),
            person(),
            SERVICE,
            {"contact": Contact().began("x", "marketing", MONDAY - HOUR)},
        ),
        ("not_due", MONDAY + 2 * HOUR, person(at=MONDAY + 2 * HOUR), SERVICE, {}),
        ("cap", MONDAY + 18 * HOUR, person(), SERVICE, {"contact": called(6.5, 6, 5)}),  # 08:30, so 09:00
        ("window", MONDAY + 2 * HOUR, person(number=PHOENIX), SERVICE, {}),
        ("stale_list", MONDAY + HOUR, person(), MARKETING, {"lists": (OLD,)}),
    ],
)
def test_who_is_called_later(reason: str, at: datetime, one: Person, rules: Rules, known: dict[str, Any]) -> None:
    found = decide(one, rules=rules, **known)
    assert (found.reason, found.at) == (reason, at)
    assert found.why


def test_somebody_in_two_zones_is_called_when_it_is_day_in_both() -> None:
    russia = person(number="+79123456789")
    assert len(zones_of(russia.wanted.number)) > 8
    found = decide(russia, MONDAY)
    assert found.reason == "window"
    local = [found.at.astimezone(ZoneInfo(zone)) for zone in zones_of(russia.wanted.number)]
    assert min(one.hour for one in local) >= 9
    assert max(one.hour for one in local) < 20


def test_a_claim_that_a_crash_left_stands_in_nobodys_way_but_in_others() -> None:
    one, sibling = person("1"), person("2")
    claimed = called(3, 2).began(one.next_attempt, "service", MONDAY)
    assert isinstance(decide(one, MONDAY, contact=claimed), Allowed)
    assert decide(sibling, MONDAY, contact=claimed).reason == "cap"
    assert decide(sibling, MONDAY, contact=Contact().began(one.next_attempt, "service", MONDAY)).reason == "number_busy"
    ended = called(3, 2).began(one.next_attempt, "service", MONDAY).ended(one.next_attempt)
    assert decide(one, MONDAY, contact=ended).reason == "cap"


def test_a_list_forbids_its_purposes() -> None:
    assert isinstance(decide(person(), listed=(LISTED,)), Allowed), "a reminder is no marketing"
    kept = opted_out("service", MONDAY, stops_service=False)
    assert kept.purposes == {"marketing"}
    assert isinstance(decide(person(), listed=(kept,)), Allowed)
    assert opted_out("marketing", MONDAY).purposes == {"marketing"}
    assert opted_out("service", MONDAY).purposes == {"marketing", "service"}


def test_an_opt_out_widens_and_stays_since_the_first() -> None:
    first = opted_out("marketing", MONDAY - DAY)
    both = joined(first, opted_out("service", MONDAY))
    assert both.since == MONDAY - DAY
    assert both.purposes == {"marketing", "service"}
    assert joined(both, first).purposes == {"marketing", "service"}
    assert joined(None, first) == first


def test_a_list_is_stale_after_31_days_by_the_day_of_the_company() -> None:
    of = ListHead(name="TPS", as_of=date(2026, 2, 6))
    assert stale((of,), MARKETING, MONDAY) is None
    assert stale((of,), MARKETING, MONDAY + 9 * HOUR) == of  # it is the 10th in Berlin
    assert stale((of, DNC), SERVICE, MONDAY + 30 * DAY) is None


def test_a_list_has_a_source_and_a_date() -> None:
    from shared.errors import InvalidInput

    assert checked_head("TPS", "Ofcom", date(2026, 3, 9), MONDAY, "UTC").source == "Ofcom"
    for name, source, as_of, field in (
        ("own", "us", date(2026, 3, 9), "name"),
        ("TPS", "", date(2026, 3, 9), "source"),
        ("TPS", "Ofcom", date(2026, 3, 10), "as_of"),
    ):
        with pytest.raises(InvalidInput) as caught:
            checked_head(name, source, as_of, MONDAY, "UTC")
        assert caught.value.field == field


def test_thirty_minutes_before_an_appointment_are_the_last_moment() -> None:
    half_an_hour = timedelta(minutes=30)
    assert isinstance(decide(person(appointment=MONDAY + half_an_hour), rules=REMINDERS), Allowed)


# The dry run


def test_a_dry_run_says_how_many_and_why_not_the_rest() -> None:
    people = [
        person("1"),
        person("2", number=PHOENIX),  # at 17:00 in Berlin it is 9 there
        person("3", at=MONDAY + 3 * HOUR),
        person("4", at=MONDAY + DAY),
        person("5", number=TOLL_FREE),
        person("6").model_copy(update={"state": "done"}),
        *(person(f"n{n}", number=NEW_YORK) for n in range(5)),
    ]
    found = dry_run(people, MONDAY, SERVICE, WINDOW, lambda _: Known())
    assert found.called == 1 + 1 + 1 + 3, "three of five with one number"
    assert found.not_called == {"cap": 2, "not_due": 1, "never_open": 1, "over": 1}
    assert str(found) == (
        "Today 6 would be called; 5 not: 2 were called as often as they may be, 1 are not due today, "
        "1 have time zones without a common hour, 1 are finished."
    )
    assert str(dry_run([person()], MONDAY, SERVICE, WINDOW, lambda _: Known())) == "Today 1 would be called."


def test_today_ends_at_midnight_of_the_company() -> None:
    midnight = MONDAY + 9 * HOUR
    always = Window(0, 1440)
    for at, called_today in ((midnight - timedelta(minutes=1), 1), (midnight, 0)):
        assert dry_run([person(at=at)], MONDAY, SERVICE, always, lambda _: Known()).called == called_today


def test_who_shares_a_number_that_is_in_a_call_is_called_today() -> None:
    busy = Known(Contact().began("x", "service", MONDAY))
    assert dry_run([person()], MONDAY, SERVICE, WINDOW, lambda _: busy).called == 1


def test_nobody_is_called_by_an_old_list_today() -> None:
    found = dry_run([person(rules=MARKETING)], MONDAY, MARKETING, WINDOW, lambda _: Known(lists=(OLD,)))
    assert found.not_called == {"stale_list": 1}


def test_who_is_in_their_last_call_is_not_settled() -> None:
    one = begin(person(), MONDAY).model_copy(update={"ended": {"busy": 5}})
    assert decide(one).reason == "in_call"


def test_there_are_words_for_every_reason() -> None:
    assert set(WORDS) == {"in_call", "not_due", "number_busy", "cap", "window", "stale_list", "over", *FINAL_STATES}


# Whatever happens


NUMBERS = (BERLIN, NEW_YORK, PHOENIX, "+79123456789")
OUTCOMES: list[OutcomeClass] = ["machine", "busy", "no_answer", "declined", "not_tried", "unknown", "done", "opted_out"]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "ask", "crash", "end", "list", "again"]),
        st.integers(0, 7),
        st.sampled_from(OUTCOMES),
        st.integers(-600, 3000),
    ),
    max_size=60,
)


@given(STEPS)
def test_nobody_is_called_outside_of_a_window_over_a_cap_while_on_a_list_or_twice(
    steps: list[tuple[str, int, OutcomeClass, int]],
) -> None:
    """Eight people with four numbers in two campaigns, a clock that is put forward and back, events that come twice."""
    window = Window(holidays=frozenset({date(2026, 3, 10)}))
    people = [person(str(n), number=NUMBERS[n % 4]) for n in range(8)]
    contacts, listed = dict.fromkeys(NUMBERS, Contact()), dict[str, Listing]()
    now, made = MONDAY, list[tuple[str, datetime]]()
    attempts, going_on = list[str](), dict[str, tuple[str, datetime]]()
    for what, n, outcome, minutes in steps:
        now += timedelta(minutes=minutes)
        one = people[n]
        number = one.wanted.number
        if what in ("ask", "crash"):
            known = Known(contacts[number], (listed[number],) if number in listed else ())
            found = may_call(one, now, SERVICE, window, known)
            if isinstance(found, Allowed):
                contacts[number] = contacts[number].began(one.next_attempt, "service", now)
                if contacts[number].attempt != one.next_attempt or what == "crash":
                    continue
                people[n] = begin(one, now)
                attempt = people[n].open_attempt
                assert attempt is not None
                assert attempt.id == one.next_attempt
                made.append((number, now))
                attempts.append(attempt.id)
                assert number not in listed
                leases = [at + LEASE for whose, at in going_on.values() if whose == number]
                assert all(until <= now for until in leases), "two calls at once"
                going_on[attempt.id] = (number, now)
                for zone in zones_of(number):
                    local = now.astimezone(ZoneInfo(zone))
                    assert local.weekday() < 6
                    assert 9 <= local.hour < 20
                    assert local.date() != date(2026, 3, 10)
            elif isinstance(found, Later):
                assert found.at > now
            else:
                people[n] = settle(one, FINAL_STATES.get(found.reason, "refused"))
        elif what in ("end", "again"):
            attempt = one.open_attempt
            for _ in range(2 if what == "again" else 1):
                if attempt is not None:
                    people[n] = finish(people[n], attempt.id, outcome, now, SERVICE)
                    contacts[number] = contacts[number].ended(attempt.id, counts=SERVICE.step(outcome).counts)
            if attempt is not None:
                del going_on[attempt.id]
                if outcome == "opted_out":
                    listed[number] = opted_out("service", now)
                if not SERVICE.step(outcome).counts:
                    made.remove(next(one for one in reversed(made) if one == (number, attempt.begun)))
        else:
            listed.setdefault(number, opted_out("service", now))
        for number in NUMBERS:
            times = [at for whose, at in made if whose == number]
            for length, most in ((DAY, 3), (7 * DAY, 7)):
                assert all(sum(end - length < at <= end for at in times) <= most for end in times)
        assert len(attempts) == len(set(attempts))


@given(st.integers(0, 7 * 24 * 60), st.sampled_from(NUMBERS), st.lists(st.integers(0, 200), max_size=10))
def test_who_asks_again_when_told_is_not_told_the_same_for_ever(minutes: int, number: str, ago: list[int]) -> None:
    now = MONDAY + timedelta(minutes=minutes)
    one, known = person(number=number), Known(called(*ago))
    for _ in range(10):
        found = may_call(one, now, SERVICE, WINDOW, known)
        if isinstance(found, Allowed):
            return
        assert isinstance(found, Later)
        assert found.at > now
        now = found.at
    pytest.fail("told ten times to ask later")
