"""What flows ask while they talk: whether it still counts, who calls back, and what they say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.outreach.engine import DEAD, World, answered
from tests.unit.outreach.people import BERLIN, HOUR, NEW_YORK, REMINDERS, key_of

VISIT = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
SPOKEN = "2026-03-10T10:30:00+01:00"
KEY = key_of("1")


@pytest.fixture
def world() -> World:
    """Somebody with an appointment tomorrow, who was called and confirmed it."""
    world = World()
    world.campaign(rules=REMINDERS)
    world.add("1", BERLIN, rules=REMINDERS, appointment=VISIT)
    world.dial()
    assert next(iter(world.calls.placed.values())).data["appointment"] == SPOKEN
    world.end(next(iter(world.calls.going_on)), **answered())
    return world


def result(world: World) -> tuple[str, str]:
    person = world.state.people.get("spring", KEY)
    assert person is not None
    return person.state, person.result


def test_an_appointment_counts_until_it_is_too_close_moved_or_cancelled(world: World) -> None:
    on_call = world.outreach.on_call
    assert on_call.still_counts("spring", KEY, SPOKEN)
    assert not on_call.still_counts("spring", KEY, "2026-03-10T11:30:00+01:00")
    assert not on_call.still_counts("spring", key_of("2"), SPOKEN)
    assert not on_call.still_counts("summer", KEY, SPOKEN)
    world.now = VISIT - timedelta(minutes=30)
    assert on_call.still_counts("spring", KEY, SPOKEN)
    world.now += timedelta(seconds=1)
    assert not on_call.still_counts("spring", KEY, SPOKEN)


def test_who_calls_back_is_known_and_what_they_say_counts(world: World) -> None:
    about = world.outreach.on_call.who_calls_back(f"4:{BERLIN}")
    assert (about["person"], about["appointment"], about["company"]) == (KEY, SPOKEN, "Contoso")
    assert world.outreach.on_call.answer("spring", KEY, "cancelled")
    assert result(world) == ("done", "cancelled")
    assert not world.outreach.on_call.answer("spring", key_of("2"), "cancelled")


def test_strangers_and_withheld_numbers_are_nobody(world: World) -> None:
    for raw_id in (f"4:{NEW_YORK}", "4:anonymous", "8:acs:somebody"):
        assert world.outreach.on_call.who_calls_back(raw_id) == {"company": "Contoso"}
    world.now = VISIT + HOUR
    assert world.outreach.on_call.who_calls_back(f"4:{BERLIN}") == {"company": "Contoso"}


def test_who_calls_back_against_calls_is_listed_for_good(world: World) -> None:
    on_call = world.outreach.on_call
    assert on_call.no_more_calls(f"4:{BERLIN}", on_call.who_calls_back(f"4:{BERLIN}"))
    assert on_call.no_more_calls(f"4:{NEW_YORK}", {})
    assert not on_call.no_more_calls("4:anonymous", {})
    assert result(world) == ("opted_out", "confirmed")
    for number in (BERLIN, NEW_YORK):
        (listing,) = world.state.do_not_call.listed(number, ())
        assert listing.purposes == {"marketing", "service"}


def test_a_number_that_does_not_exist_says_nothing_more_when_it_calls_back() -> None:
    world = World()
    world.campaign()
    world.add("1", BERLIN)
    world.dial()
    world.end(next(iter(world.calls.going_on)), **DEAD)
    assert world.outreach.on_call.answer("spring", KEY, "interested")
    assert result(world) == ("dead", "")
