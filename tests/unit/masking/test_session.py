"""What a session is, and which number somebody gets: pure rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.masking.choosing import Held, candidates, size
from shared.masking.session import (
    Claim,
    Party,
    Pending,
    Session,
    Standing,
    closed,
    opened,
    pin_of,
    replaced,
    settled,
    standing,
)
from tests.unit.masking.world import ADA, BOB, CLEO, HOUR, NOW, US1, US2, US3

A = Party(number=ADA, mark="a" * 32, shows=US1, pin="111111")
B = Party(number=BOB, mark="b" * 32, shows=US2, pin="222222")
C = Party(number=CLEO, mark="c" * 32, shows=US2, pin="333333")
COMING = Pending(side="b", party=C.model_copy(update={"shows": "", "pin": ""}), at=NOW)
DAY = timedelta(days=1)


def session(**more: Any) -> Session:
    given = {"id": "s1", "state": "open", "created_at": NOW, "expires_at": NOW + DAY, "a": A, "b": B}
    return Session.model_validate({**given, **more})


def claim(mark: str, pair: str = "p", of: str = "s1") -> Claim:
    return Claim(session=of, mark=mark, pair=pair, at=NOW)


@pytest.mark.parametrize(
    ("found", "mark", "number", "at", "expected"),
    [
        (session(), A.mark, US1, NOW, Standing("open", "a")),
        (session(), B.mark, US2, NOW, Standing("open", "b")),
        (session(), A.mark, US2, NOW, Standing("never")),
        (session(), C.mark, US2, NOW, Standing("never")),
        (None, A.mark, US1, NOW, Standing("never")),
        (session(), A.mark, US1, NOW + DAY, Standing("closed", "a", NOW + DAY)),
        (closed(session(), NOW + HOUR, "closed"), B.mark, US2, NOW + DAY, Standing("closed", "b", NOW + HOUR)),
        (session(pending=COMING), C.mark, US2, NOW + timedelta(seconds=119), Standing("claimed")),
        (session(pending=COMING), C.mark, US2, NOW + timedelta(seconds=120), Standing("never")),
        (session(state="opening"), "x", US1, NOW, Standing("never")),
        (replaced(session(pending=COMING), C, (), NOW + HOUR), B.mark, US2, NOW, Standing("closed", None, NOW + HOUR)),
        (replaced(session(pending=COMING), C, (), NOW + HOUR), C.mark, US2, NOW, Standing("open", "b")),
    ],
)
def test_what_a_claim_is_worth(found: Session | None, mark: str, number: str, at: Any, expected: Standing) -> None:
    assert standing(found, claim(mark), number, at) == expected


def test_a_session_that_is_being_opened_holds_its_claims_for_two_minutes() -> None:
    new = session(state="opening", a=A.model_copy(update={"shows": ""}))
    assert standing(new, claim(A.mark), US3, NOW + timedelta(seconds=119)) == Standing("claimed")
    given_up = settled(new, NOW + timedelta(seconds=120))
    assert (given_up.state, given_up.reason) == ("closed", "abandoned")
    assert standing(given_up, claim(A.mark), US3, NOW) == Standing("never")
    assert opened(given_up, A, B) == given_up
    assert opened(new, A, B) == session()


def test_a_replacement_that_was_given_up_changes_nothing() -> None:
    other = Pending(side="b", party=C.model_copy(update={"mark": "d" * 32}), at=NOW)
    for found in (session(), session(pending=other), closed(session(pending=COMING), NOW, "closed")):
        assert replaced(found, C, (), NOW) == found
    done = replaced(session(pending=COMING), C, ("hash",), NOW)
    assert (done.b, done.pending, done.former[0].people) == (C, None, ("hash",))
    assert replaced(done, C, ("hash",), NOW) == done


def test_what_closed_a_session_first_counts() -> None:
    first = closed(session(), NOW, "erased")
    assert closed(first, NOW + HOUR, "closed") == first


def test_a_pin_has_six_digits_and_is_another_for_each_try_and_party() -> None:
    pins = [pin_of(mark, attempt) for mark in (A.mark, B.mark) for attempt in range(50)]
    assert all(len(pin) == 6 and pin.isdecimal() for pin in pins)
    assert len(set(pins)) > 95
    assert pin_of(A.mark, 3) == pin_of(A.mark, 3)


def held(state: Any, hours_ago: float = 0.0, pair: str = "q", mark: str = "m") -> Held:
    return Held(claim(mark, pair, "s0"), Standing(state, None, NOW - hours_ago * HOUR if state == "closed" else None))


@pytest.mark.parametrize(
    ("had", "sticky", "expected"),
    [
        ({US1: held("open"), US2: held("claimed")}, True, [US3]),
        ({US1: held("closed", 0.9), US2: held("closed", 1.0)}, True, [US2, US3]),
        ({US1: held("closed", 0.9, pair="p"), US2: held("closed", 2)}, True, [US1, US2, US3]),
        ({US1: held("closed", 5, pair="p"), US2: held("closed", 2)}, False, [US3, US1, US2]),
        ({US1: held("closed", 0.9, pair="p"), US2: held("closed", 2)}, False, [US3, US2]),
        ({US3: held("claimed", mark="mine"), US2: held("open"), US1: held("never")}, True, [US3, US1]),
    ],
)
def test_the_order_in_which_numbers_are_given(had: dict[str, Held], sticky: bool, expected: list[str]) -> None:
    mine = claim("mine")
    found = candidates([US1, US2, US3], had, mine, sticky=sticky, cool_off=HOUR, now=NOW)
    assert found == expected


def test_people_who_had_none_are_spread_over_the_pool() -> None:
    first = {
        candidates([US1, US2, US3], {}, claim("m"), sticky=True, cool_off=HOUR, now=NOW, seed=str(who))[0]
        for who in range(30)
    }
    assert first == {US1, US2, US3}


@pytest.mark.parametrize(
    ("sessions", "calls", "slots", "numbers"), [(3, 0, 2, 3), (1, 7, 2, 4), (5, 7, 2, 5), (1, 0, 2, 1)]
)
def test_how_many_numbers_would_do(sessions: int, calls: int, slots: int, numbers: int) -> None:
    assert size(sessions, calls, slots) == numbers
