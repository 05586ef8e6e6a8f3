"""Other times for an appointment: what a calendar offers, what is booked, and a calendar that is silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import StoreUnavailable
from shared.outreach.on_call import OnCall
from shared.outreach.other_times import OtherTime
from tests.unit.outreach.engine import World, answered
from tests.unit.outreach.people import BERLIN, MONDAY, REMINDERS, key_of

VISIT = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
SPOKEN = "2026-03-10T10:30:00+01:00"
KEY = key_of("1")
OFFERED = [OtherTime(id=str(day), at=VISIT + timedelta(days=day)) for day in (1, 2, 3, 4)]


class Calendar:
    """A firm's calendar."""

    def __init__(self) -> None:
        self.times: Sequence[OtherTime] = OFFERED
        self.gone = self.down = False
        self.asked: list[tuple[object, ...]] = []

    def offer(self, offer: str, about: Mapping[str, str]) -> Sequence[OtherTime]:
        self._hear("offer", offer, dict(about))
        return self.times

    def book(self, offer: str, time: str) -> bool:
        self._hear("book", offer, time)
        return not self.gone

    def release(self, offer: str) -> None:
        self._hear("release", offer)

    def _hear(self, *asked: object) -> None:
        if self.down:
            raise StoreUnavailable("the calendar is down")
        self.asked.append(asked)


@pytest.fixture
def world() -> World:
    """Somebody with an appointment tomorrow, who is in a call about it."""
    world = World()
    world.campaign(rules=REMINDERS)
    world.add("1", BERLIN, rules=REMINDERS, appointment=VISIT)
    world.dial()
    return world


def desk(world: World, calendar: Calendar) -> OnCall:
    return OnCall(world.state, world.outreach.ending, lambda: world.now, "Contoso", calendar)


def test_three_times_are_offered_by_the_company_s_clock_and_one_is_booked(world: World) -> None:
    calendar = Calendar()
    on_call = desk(world, calendar)
    times = on_call.other_times("call-1", "spring", KEY)
    assert times == [
        {"id": "1", "at": "2026-03-11T10:30:00+01:00"},
        {"id": "2", "at": "2026-03-12T10:30:00+01:00"},
        {"id": "3", "at": "2026-03-13T10:30:00+01:00"},
    ]
    for _ in range(2):  # whatever is asked may be asked again
        assert on_call.book("call-1", "spring", KEY, SPOKEN, times[1])
    assert calendar.asked == [
        ("offer", "call-1", {"campaign": "spring", "id": "1", "appointment": SPOKEN}),
        ("book", "call-1", "2"),
        ("book", "call-1", "2"),
    ]
    world.end(next(iter(world.calls.going_on)), **answered("rescheduled"))
    person = world.state.people.get("spring", KEY)
    assert person is not None
    assert (person.state, person.result) == ("done", "rescheduled")
    assert person.wanted.appointment == datetime(2026, 3, 12, 9, 30, tzinfo=UTC)
    assert on_call.who_calls_back(f"4:{BERLIN}")["appointment"] == "2026-03-12T10:30:00+01:00"


def test_what_is_over_is_not_offered(world: World) -> None:
    calendar = Calendar()
    calendar.times = [OtherTime(id="a", at=MONDAY - timedelta(minutes=1)), OtherTime(id="b", at=VISIT)]
    assert [one["id"] for one in desk(world, calendar).other_times("c", "spring", KEY)] == ["b"]


def test_a_time_that_is_gone_moves_nothing(world: World) -> None:
    calendar = Calendar()
    calendar.gone = True
    assert not desk(world, calendar).book("c", "spring", KEY, SPOKEN, {"id": "1", "at": "2026-03-11T10:30:00+01:00"})
    person = world.state.people.get("spring", KEY)
    assert person is not None
    assert person.wanted.appointment == VISIT


def test_an_appointment_that_was_moved_meanwhile_stays_where_it_was_moved(world: World) -> None:
    world.add("1", BERLIN, rules=REMINDERS, appointment=VISIT + timedelta(days=9))
    calendar = Calendar()
    assert not desk(world, calendar).book("c", "spring", KEY, SPOKEN, {"id": "1", "at": "2026-03-11T10:30:00+01:00"})
    assert calendar.asked == []
    person = world.state.people.get("spring", KEY)
    assert person is not None
    assert person.wanted.appointment == VISIT + timedelta(days=9)


def test_nobody_waits_on_the_telephone_for_a_calendar_that_does_not_respond(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    calendar = Calendar()
    calendar.down = True
    on_call = desk(world, calendar)
    assert on_call.other_times("c", "spring", KEY) == []
    assert not on_call.book("c", "spring", KEY, SPOKEN, {"id": "1", "at": "2026-03-11T10:30:00+01:00"})
    on_call.release("c")
    assert caplog.text.count("the calendar is down") == 3


def test_strangers_and_people_without_an_appointment_are_offered_nothing(world: World) -> None:
    calendar = Calendar()
    world.add("2", BERLIN, rules=REMINDERS)
    for campaign, person in (("spring", key_of("9")), ("summer", KEY), ("spring", key_of("2"))):
        assert desk(world, calendar).other_times("c", campaign, person) == []
    assert calendar.asked == []


def test_without_a_calendar_nothing_is_offered(world: World) -> None:
    on_call = world.outreach.on_call
    assert on_call.other_times("c", "spring", KEY) == []
    assert not on_call.book("c", "spring", KEY, SPOKEN, {"id": "1", "at": "2026-03-11T10:30:00+01:00"})
    on_call.release("c")
