"""Whom the engine calls, in which order, and what it does when somebody dies on the way."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from shared.errors import StoreUnavailable
from shared.outreach.lists import ListHead, opted_out
from shared.outreach.person import attempt_id
from shared.use_cases.base import Task
from tests.unit.outreach.engine import BUSY, CALLERS, DEAD, DECLINED, MACHINE, NO_ANSWER, OPTED_OUT, World, answered
from tests.unit.outreach.people import BERLIN, HOUR, MARKETING, NEW_YORK, PHOENIX, key_of

FIRST = attempt_id("spring", key_of("1"), 1)
SECOND = attempt_id("spring", key_of("1"), 2)


def state_of(world: World, id: str = "1") -> str:
    person = world.state.people.get("spring", key_of(id))
    assert person is not None
    return person.state


def test_somebody_is_called_and_what_they_say_is_kept() -> None:
    world = World()
    world.campaign()
    key = world.add("1", BERLIN)
    world.dial()
    (placed,) = world.calls.placed.values()
    assert (placed.attempt, placed.number, placed.caller) == (FIRST, BERLIN, CALLERS[0])
    assert placed.data["company"] == "Contoso"
    assert placed.data["person"] == key
    assert state_of(world) == "calling"
    assert world.state.contacts.get(BERLIN).attempt == FIRST
    world.end(FIRST, **answered())
    person = world.state.people.get("spring", key)
    assert person is not None
    assert (person.state, person.result) == ("done", "confirmed")
    assert world.state.contacts.get(BERLIN).attempt == ""
    (record,) = world.state.evidence.of(BERLIN)
    assert (record.call_id, record.outcome, record.result) == (f"call {FIRST}", "done", "confirmed")
    campaign = world.state.campaigns.get("spring")
    assert campaign is not None
    assert (campaign.state, campaign.finished) == ("finished", world.now)
    assert world.announced == ["spring"]


@pytest.mark.parametrize(
    ("how", "state", "after"),
    [
        (BUSY, "waiting", timedelta(minutes=15)),
        (NO_ANSWER, "waiting", timedelta(hours=2)),
        (DECLINED, "waiting", timedelta(days=1)),
        (DEAD, "dead", None),
        (MACHINE, "waiting", timedelta(hours=4)),
        (OPTED_OUT, "opted_out", None),
        (answered("cancelled"), "done", None),
        ({"code": 429, "outcome": "refused"}, "waiting", timedelta(minutes=1)),
        ({"code": 400, "outcome": "refused"}, "waiting", timedelta(hours=2)),
        ({"connected_at": 1, "outcome": "failed", "failure": {"error": "KeyError"}}, "waiting", timedelta(hours=2)),
    ],
)
def test_the_end_of_a_call_says_what_follows(how: dict[str, object], state: str, after: timedelta | None) -> None:
    world = World()
    world.campaign()
    key = world.add("1", BERLIN)
    world.dial()
    world.end(FIRST, **how)
    person = world.state.people.get("spring", key)
    assert person is not None
    assert person.state == state
    assert after is None or person.due == world.now + after


def test_there_are_no_more_calls_at_once_than_the_number_and_the_pace_allow() -> None:
    world = World()
    world.calls.most = 2
    world.campaign(at_once=3, callers=CALLERS)
    for at in range(9):
        world.add(str(at), f"+4930123{at:04}")
    world.dial()
    assert len(world.calls.placed) == 3
    assert {one.caller for one in world.calls.placed.values()} == set(CALLERS)
    world.outreach.pace("spring", 0, "ada")
    world.work()
    assert len(world.calls.placed) == 4
    assert world.calls.refused == set()
    world.end(next(iter(world.calls.going_on)), **answered())
    assert len(world.calls.placed) == 5


def test_one_dials_at_a_time_and_looks_again_for_whoever_comes_meanwhile() -> None:
    world = World()
    world.calls.most = 9
    world.campaign()
    world.add("1", BERLIN)
    place, others = world.calls.place, list[str]()

    def place_and_come(*given: object) -> None:
        place(*given)  # type: ignore[arg-type]
        if not others:
            world.add("2", NEW_YORK)
            others.append(world.outreach.dialer.dial("spring"))

    world.calls.place = place_and_come  # type: ignore[assignment,method-assign]
    world.dial()
    assert others == ["another dials"]
    assert [one.number for one in world.calls.placed.values()] == [BERLIN, NEW_YORK]
    dialing = world.state.dialing.get("spring")
    assert dialing is not None
    assert (dialing.dialer, dialing.again) == ("", False)


def test_a_dialer_makes_room_for_other_work_after_a_minute() -> None:
    world = World()
    world.calls.most = 9
    world.campaign()
    world.add("1", BERLIN)
    world.add("2", NEW_YORK)
    place = world.calls.place

    def slowly(*given: object) -> None:
        place(*given)  # type: ignore[arg-type]
        world.now += timedelta(seconds=31)

    world.calls.place = slowly  # type: ignore[assignment,method-assign]
    world.outreach.dialer.dial("spring")
    dialing = world.state.dialing.get("spring")
    assert dialing is not None
    assert (len(world.calls.placed), dialing.dialer) == (2, "")
    assert (Task("outreach", "dial", {"campaign": "spring"}), 0.0) in world.queue.sent


def test_when_a_dialer_has_died_another_one_dials_within_seconds() -> None:
    world = World()
    world.campaign()
    world.add("1", BERLIN)
    world.add("2", NEW_YORK)

    def dies(*given: object) -> None:
        raise KeyboardInterrupt

    place, change = world.calls.place, world.state.dialing.change
    world.calls.place = dies  # type: ignore[assignment,method-assign]
    with pytest.raises(KeyboardInterrupt):
        world.outreach.dialer._dial("spring", "dead", world.now)
    dies_at = world.now + timedelta(seconds=5)
    change("spring", lambda one: one and one.model_copy(update={"dialer": "dead", "until": dies_at}))
    world.calls.place = place  # type: ignore[method-assign]
    world.calls.most = 2
    world.pass_time(timedelta(seconds=4))
    change("spring", lambda one: one and one.model_copy(update={"until": world.now + timedelta(seconds=5)}))
    world.dial()
    for _ in range(3):
        world.pass_time(timedelta(seconds=3))
    assert len(world.calls.placed) == 1


def test_a_pause_holds_before_the_next_call_and_goes_on_after_it() -> None:
    world = World()
    world.calls.most = 9
    world.campaign()
    for at in range(5):
        world.add(str(at), f"+4930123{at:04}")
    place = world.calls.place

    def paused(*given: object) -> None:
        place(*given)  # type: ignore[arg-type]
        if len(world.calls.placed) == 2:
            world.outreach.command("spring", "pause", "ada")

    world.calls.place = paused  # type: ignore[assignment,method-assign]
    world.dial()
    assert len(world.calls.placed) == 2
    world.now += timedelta(seconds=1)
    world.outreach.command("spring", "resume", "ada")
    world.work()
    assert len(world.calls.placed) == 5
    assert [(one.what, one.by) for one in world.outreach.audit("spring")] == [("pause", "ada"), ("resume", "ada")]


def test_two_people_with_one_number_are_called_one_after_the_other() -> None:
    world = World()
    world.calls.most = 9
    world.campaign()
    world.add("1", BERLIN)
    world.add("2", BERLIN)
    world.dial()
    assert len(world.calls.placed) == 1
    world.end(next(iter(world.calls.going_on)), **answered())
    world.pass_time(timedelta(minutes=1))
    world.pass_time(timedelta(minutes=1))
    assert len(world.calls.placed) == 2


def test_who_is_listed_or_outside_of_the_hours_is_not_called() -> None:
    world = World()
    world.calls.most = 9
    world.campaign()
    world.add("1", BERLIN)
    world.add("2", PHOENIX)  # it is seven there
    listing = ListHead(name="robinson", source="us", as_of=date(2026, 3, 8), purposes=frozenset({"service"}))
    world.state.do_not_call.replace(listing, [BERLIN], world.now - HOUR)
    world.dial()
    assert world.calls.placed == {}
    assert (state_of(world), state_of(world, "2")) == ("suppressed", "waiting")
    assert world.state.contacts.get(BERLIN).attempt == ""
    world.pass_time(2 * HOUR)
    world.pass_time(timedelta(minutes=1))
    assert [one.number for one in world.calls.placed.values()] == [PHOENIX]


def test_who_opts_out_is_not_called_by_any_campaign_of_that_purpose() -> None:
    world = World()
    world.campaign()
    world.campaign("summer")
    world.add("1", BERLIN)
    world.dial()
    world.end(FIRST, **OPTED_OUT)
    world.add("7", BERLIN, "summer")
    world.dial("summer")
    person = world.state.people.get("summer", key_of("7"))
    assert person is not None
    assert (person.state, len(world.calls.placed)) == ("suppressed", 1)


def test_marketing_waits_while_a_list_is_too_old() -> None:
    world = World()
    world.campaign(rules=MARKETING)
    world.add("1", NEW_YORK, rules=MARKETING)
    world.state.do_not_call.replace(ListHead(name="us", source="ftc", as_of=date(2026, 2, 1)), [], world.now)
    world.dial()
    assert (world.calls.placed, state_of(world)) == ({}, "waiting")
    world.state.do_not_call.replace(ListHead(name="us", source="ftc", as_of=date(2026, 3, 1)), [], world.now)
    world.pass_time(HOUR)
    world.pass_time(timedelta(minutes=1))
    assert len(world.calls.placed) == 1


def test_a_number_that_a_brake_forbids_is_refused_for_good_and_another_brake_only_waits() -> None:
    world = World()
    world.calls.most = 9
    world.campaign()
    world.add("1", BERLIN)
    world.calls.brake[BERLIN] = "outbound_off"
    world.dial()
    assert (world.calls.placed, state_of(world)) == ({}, "waiting")
    world.calls.brake[BERLIN] = "number_not_allowed"
    world.pass_time(timedelta(minutes=2))
    assert (world.calls.placed, state_of(world)) == ({}, "refused")


def test_a_call_that_was_never_placed_was_not_tried() -> None:
    world = World()
    world.campaign()
    key = world.add("1", BERLIN)
    world.calls.crash = lambda: True
    with pytest.raises(StoreUnavailable):
        world.outreach.work(Task("outreach", "dial", {"campaign": "spring"}))
    assert state_of(world) == "calling"
    world.calls.crash = lambda: False
    world.pass_time(timedelta(minutes=1))
    assert world.calls.placed == {}
    world.agenda.put("outreach", "spring", world.now + timedelta(minutes=2))
    world.pass_time(timedelta(minutes=2))
    person = world.state.people.get("spring", key)
    assert person is not None
    assert (person.state, person.ended) == ("waiting", {"not_tried": 1})
    world.pass_time(timedelta(minutes=2))
    assert list(world.calls.placed) == [SECOND]
    assert [one.counts for one in world.state.contacts.get(BERLIN).made] == [False, True]


def test_a_call_whose_answer_got_lost_goes_on_and_its_end_counts() -> None:
    world = World()
    world.campaign()
    world.add("1", BERLIN)
    answers = iter([False, True])
    world.calls.crash = lambda: next(answers, False)
    with pytest.raises(StoreUnavailable):
        world.outreach.work(Task("outreach", "dial", {"campaign": "spring"}))
    for _ in range(5):
        world.pass_time(timedelta(minutes=3))
    assert list(world.calls.placed) == [FIRST]
    world.end(FIRST, **answered())
    assert state_of(world) == "done"


def test_who_was_held_up_between_the_decision_and_the_call_leaves_it() -> None:
    world = World()
    world.campaign()
    world.add("1", BERLIN)
    note = world.state.evidence.note

    def slowly(*given: object) -> None:
        note(*given)  # type: ignore[arg-type]
        world.now += timedelta(seconds=31)

    world.state.evidence.note = slowly  # type: ignore[assignment,method-assign]
    world.dial()
    person = world.state.people.get("spring", key_of("1"))
    assert person is not None
    assert (world.calls.placed, person.state, person.ended) == ({}, "waiting", {"not_tried": 1})


def test_an_attempt_that_its_number_knows_as_over_is_not_made_again() -> None:
    world = World()
    world.campaign()
    key = world.add("1", BERLIN)
    before = world.now - 5 * HOUR
    world.state.contacts.change(BERLIN, lambda one: one.began(FIRST, "service", before).ended(FIRST))
    world.dial()
    person = world.state.people.get("spring", key)
    assert person is not None
    assert (world.calls.placed, person.begun, person.ended) == ({}, 1, {"not_tried": 1})
    world.pass_time(timedelta(minutes=1))
    assert list(world.calls.placed) == [SECOND]


def test_somebody_who_is_cancelled_after_the_decision_is_not_called() -> None:
    world = World()
    world.campaign()
    key = world.add("1", BERLIN)
    listed = world.state.do_not_call.listed

    def meanwhile(*given: object) -> object:
        world.add("1", BERLIN, cancelled=True)
        return listed(*given)  # type: ignore[arg-type]

    world.state.do_not_call.listed = meanwhile  # type: ignore[assignment,method-assign]
    world.dial()
    person = world.state.people.get("spring", key)
    assert person is not None
    assert (world.calls.placed, person.state, person.attempts) == ({}, "cancelled", ())


@pytest.mark.parametrize(("hours", "resumed"), [(0, True), (7, False)])
def test_a_call_whose_placing_broke_off_goes_on_within_the_hours_alone(hours: int, resumed: bool) -> None:
    world = World()
    world.campaign()
    world.add("1", BERLIN)
    world.calls.breaks_off = lambda: True
    with pytest.raises(StoreUnavailable):
        world.outreach.work(Task("outreach", "dial", {"campaign": "spring"}))
    world.now += timedelta(hours=hours, minutes=3)  # at 15:03 or 22:03 in Berlin
    world.outreach.ending.recover("spring")
    assert (FIRST in world.calls.going_on) is resumed
    assert list(world.calls.placed) == [FIRST]


@pytest.mark.parametrize("what", ["pause", "opts out", "cancels", "another attempt"])
def test_nobody_is_called_by_a_request_that_was_held_up_who_may_not_be_any_more(what: str) -> None:
    world = World()
    world.campaign()
    key = world.add("1", BERLIN)
    world.calls.breaks_off = lambda: True
    with pytest.raises(StoreUnavailable):
        world.outreach.work(Task("outreach", "dial", {"campaign": "spring"}))
    world.now += timedelta(seconds=20)
    record = world.calls._record(FIRST)
    assert world.outreach.may_place(record)
    if what == "pause":
        world.outreach.command("spring", "pause", "ada")
    elif what == "opts out":
        world.state.do_not_call.opt_out(BERLIN, opted_out("service", world.now))
    elif what == "cancels":
        world.add("1", BERLIN, cancelled=True)
    else:
        world.outreach.dialer.finish(world.campaign(), key, FIRST, "unknown")
    assert not world.outreach.may_place(record)


def test_a_missing_calendar_lets_nobody_be_called() -> None:
    world = World(window=None)
    world.campaign()
    world.add("1", BERLIN)
    world.dial()
    assert world.calls.placed == {}
    assert [delay for _, delay in world.queue.sent] == []


def test_looks_that_are_planned_for_the_same_time_do_not_multiply() -> None:
    world = World()
    world.campaign()
    world.add("1", BERLIN)
    world.dial()
    for _ in range(20):
        world.dial()
    assert len(world.queue.sent) <= 1
    assert len(world.agenda.due(world.now + timedelta(days=1))) <= 2
