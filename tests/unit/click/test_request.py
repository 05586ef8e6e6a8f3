"""What becomes of a request, step by step: no step is taken twice, backwards, or out of turn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.click.request import Consent, Request, accepted, begun, day_of, ended, joined, made_id

NOW = datetime(2026, 11, 28, 23, 30, tzinfo=UTC)


def request(**changes: object) -> Request:
    asked = Request(
        id=made_id(NOW),
        site="shop",
        number="+14255550123",
        person="hash",
        name="",
        language="",
        origin="https://www.contoso.com",
        asked_at=NOW,
        at=NOW,
        consent=Consent(text="Yes.", version="v", at=NOW),
    )
    return asked.model_copy(update=changes)


def test_the_first_agent_and_then_the_next_is_called() -> None:
    first = begun(request(), 0)
    assert (first.state, first.attempt) == ("calling_agent", 0)
    assert begun(first, 0) == first
    assert begun(first, 1).attempt == 1


@pytest.mark.parametrize(
    ("was", "attempt"),
    [
        (request(state="ended", outcome="cancelled"), 0),
        (request(state="calling_agent", attempt=1), 0),
        (request(state="calling_agent", attempt=1), 3),
        (request(state="calling_you", taken=True), 1),
        (request(state="connected", taken=True), 0),
    ],
)
def test_nobody_is_called_out_of_turn_or_after_one_has_taken_it(was: Request, attempt: int) -> None:
    assert begun(was, attempt) == was


def test_only_the_agent_whose_turn_it_is_takes_it() -> None:
    calling = begun(begun(request(), 0), 1)
    assert accepted(calling, 0) == calling
    taken = accepted(calling, 1)
    assert (taken.state, taken.taken) == ("calling_you", True)
    assert accepted(taken, 1) == taken
    assert accepted(request(), 0).state == "waiting"


def test_the_two_talk_once_the_customer_has_joined() -> None:
    calling = begun(request(), 0)
    assert joined(calling, NOW) == calling
    talking = joined(accepted(calling, 0), NOW)
    assert (talking.state, talking.joined_at) == ("connected", NOW)
    assert joined(talking, NOW + timedelta(hours=1)) == talking
    over = ended(talking, "completed", NOW + timedelta(seconds=90))
    assert (over.state, over.outcome, over.seconds) == ("ended", "completed", 90)
    assert ended(over, "failed", NOW) == over
    assert ended(request(), "missed", NOW).seconds == 0


def test_an_id_says_its_day_in_utc_and_cannot_be_guessed() -> None:
    one, other = made_id(NOW), made_id(NOW)
    assert one.startswith("20261128t233000000000-")
    assert (len(one), one != other) == (22 + 32, True)
    assert made_id(NOW.astimezone(timezone(timedelta(hours=3)))).startswith("20261128t233000")
    assert day_of(one) == request(id=one).day == "2026-11-28"
    for wrong in ("", "x", one + "0", one[:-1], one.upper(), "../" + one):
        assert day_of(wrong) is None
