"""The hand-off as flows and the app use it: calls back are placed when they may be, and once."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.calls import Braked, actions
from shared.calls.record import CallRecord
from shared.errors import InvalidInput, StoreUnavailable
from shared.handoff.case import Case
from shared.handoff.cases import Cases
from shared.handoff.service import Desk, Handoff
from shared.identifiers import Identifier
from shared.lines.calendars import Calendar, every_day
from shared.privacy import NumberHashes
from shared.rows import MemoryRows
from shared.use_cases import Agenda, Erased, Task

START = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
ADA, LINE = "+14255550123", "+18005550199"
OLD_KEY, KEY = (base64.b64encode(name * 32).decode() for name in (b"o", b"k"))
HASHES = NumberHashes(KEY)
HOURS = every_day(ZoneInfo("UTC"), (9 * 60, 17 * 60))


class World:
    """The hand-off over memory, its clock, and what it placed."""

    def __init__(self, number: str = "+12065550113", hashes: NumberHashes | None = HASHES) -> None:
        self.now = START
        self.calendar: Calendar | None = HOURS
        self.down = False
        self.placed: list[tuple[str, Mapping[str, Any], str]] = []
        self.rows = MemoryRows()
        self.agenda = Agenda(self.rows)
        self.forbidden = False
        self.randoms = iter(range(1, 100))
        self.desk = Handoff(
            Cases(self.rows),
            self.agenda,
            Desk(number, self._hours, ZoneInfo("UTC")),
            place=self._place,
            check=self._check,
            days=30,
            hashes=hashes,
            own=["+18005550178"],
            clock=lambda: self.now,
            random=lambda: next(self.randoms).to_bytes(16),
        )

    def _hours(self) -> Calendar | None:
        if self.down:
            raise StoreUnavailable("down")
        return self.calendar

    def _place(self, flow: str, data: Mapping[str, Any], key: str) -> str:
        self.placed.append((flow, data, key))
        return f"call back {key}"

    def _check(self, action: actions.Action) -> None:
        if self.forbidden:
            raise Braked("create_call", "number_not_allowed", "the target is abroad")

    def begin(self, call: str = "call-1", caller: str = f"4:{ADA}") -> str:
        return self.desk.begin(call, caller, f"4:{LINE}", "en", {"X-MS-Custom-Customer": "C-17"})["case"]

    def asked(self, minutes: int = 30) -> str:
        """The case of somebody who asked for a call back."""
        case = self.begin()
        assert self.desk.call_back(case, ADA, (self.now + timedelta(minutes=minutes)).isoformat())
        self.close("call-1", "inbound", "completed")
        return case

    def tick(self, minutes: float = 1) -> int:
        """Let time pass, and have done what is due; how much was placed."""
        self.now += timedelta(minutes=minutes)
        before = len(self.placed)
        for _, item, key in self.agenda.due(self.now):
            self.desk.due(item)
            self.agenda.done(key)
        return len(self.placed) - before

    def close(self, call: str, direction: Any = "outbound", outcome: str = "busy", result: str = "") -> None:
        at = int(self.now.timestamp() * 1000)
        self.desk.closing(
            CallRecord(call, direction=direction, outcome=outcome, result=result, ended_at=at, updated_at=at)
        )

    def case(self, case_id: str) -> Case:
        return self.desk.cases.get(case_id)


@pytest.fixture
def world() -> World:
    return World()


def key(case: str, attempt: int) -> str:
    return f"handoff {case} {attempt}"


# The call that comes in


def test_a_case_is_made_once_for_a_call(world: World) -> None:
    first = world.desk.begin("call-1", f"4:{ADA}", f"4:{LINE}", "en", {"X-MS-Custom-Customer": "C-17"})
    assert first["customer"] == "C-17"
    assert world.desk.begin("call-1", f"4:{ADA}", f"4:{LINE}", "en", {})["case"] == first["case"]
    assert len(list(world.desk.cases.all())) == 1


def test_the_way_is_open_or_closed_by_the_calendar(world: World) -> None:
    assert world.desk.way() == {"to": "+12065550113"}
    world.now = START.replace(hour=17)
    assert world.desk.way() == {"why": "closed", "day": "2026-12-01", "time": "09:00"}
    world.calendar = every_day(ZoneInfo("UTC"))
    assert world.desk.way() == {"why": "closed"}
    world.calendar = None
    assert world.desk.way() == {"to": "+12065550113"}
    assert World(number="").desk.way() == {"why": "not_set_up"}


def test_while_the_storage_does_not_respond_the_hours_that_were_read_last_count(world: World) -> None:
    world.down = True
    assert world.desk.way() == {"to": "+12065550113"}
    world.down, world.now = False, START.replace(hour=18)
    assert world.desk.way()["why"] == "closed"
    world.down = True
    assert world.desk.way()["why"] == "closed"


def test_what_the_end_of_the_call_says_is_kept_and_a_case_that_was_erased_does_not_come_back(world: World) -> None:
    case = world.begin()
    world.close("call-1", "inbound", "transferred")
    world.close("call-1", "inbound", "transferred")
    assert world.case(case).state == "handed_off"
    other = world.begin("call-2")
    assert world.desk.erase(Identifier.parse(ADA)) == Erased(2)
    world.desk.tell(other, "words", "", "en")
    world.close("call-2", "inbound", "completed")
    assert list(world.desk.cases.all()) == []
    assert world.desk.cases.of_call("call-2") == ""


def test_a_call_of_no_case_is_nothing(world: World) -> None:
    world.close("call-9", "inbound", "completed")


@pytest.mark.parametrize(
    ("number", "line", "can"),
    [
        (ADA, LINE, True),
        (f"4:{ADA}", f"4:{LINE}", True),
        ("4:anonymous", LINE, False),
        ("8:acs:ada", LINE, False),
        (ADA, "8:acs:desk", False),
        ("+18005550178", LINE, False),
        (LINE, LINE, False),
        ("425", LINE, False),
    ],
)
def test_who_can_be_called_back(world: World, number: str, line: str, can: bool) -> None:
    assert world.desk.can_call(number, line) is can
    world.forbidden = True
    assert not world.desk.can_call(number, line)


def test_nobody_is_called_back_for_a_contact_centre_that_there_is_not() -> None:
    assert not World(number="").desk.can_call(ADA, LINE)


def test_the_moment_of_a_call_back_is_said_before_it_is_promised(world: World) -> None:
    assert world.desk.moment("1530") == {"at": "2026-11-30T15:30:00+00:00", "day": "2026-11-30", "time": "15:30"}
    assert world.desk.moment("") == {"at": "2026-11-30T09:15:00+00:00", "day": "2026-11-30", "time": "09:15"}
    assert world.desk.moment("2560") == {}


# Calls back


def test_a_call_back_is_placed_at_its_time_and_once(world: World) -> None:
    case = world.asked(30)
    assert world.tick(29) == 0
    assert world.tick(1) == 1
    assert world.placed == [("handoff-call-back", {"case": case}, key(case, 0))]
    assert [world.tick() for _ in range(3)] == [0, 0, 0]


def test_work_that_was_done_and_not_taken_off_is_done_with_the_same_key(world: World) -> None:
    case = world.asked(0)
    world.desk.due(case)
    world.desk.cases.change(case, lambda found: found.model_copy(update={"attempts": ()}))  # it broke off before that
    world.desk.due(case)
    assert [one[2] for one in world.placed] == [key(case, 0)] * 2
    assert len(world.case(case).attempts) == 1


def test_whom_to_call_is_told_to_its_flow_until_nobody_wants_it(world: World) -> None:
    case = world.asked(0)
    world.tick()
    call = f"call back {key(case, 0)}"
    assert world.desk.calling(case, call) == {
        "number": ADA,
        "line": LINE,
        "language": "en",
        "attempt": "1",
    }
    world.desk.called_back(case, "Bob")
    assert world.desk.calling(case, call) == {}
    assert world.desk.calling(case, "another") == {}
    assert world.desk.calling("0" * 40, call) == {}


def test_who_is_not_reached_is_called_again_after_five_and_thirty_minutes_and_then_listed(world: World) -> None:
    case = world.asked(0)
    world.tick()
    for attempt, minutes in ((0, 5), (1, 30)):
        world.close(f"call back {key(case, attempt)}")
        world.close(f"call back {key(case, attempt)}")
        assert world.tick(minutes - 1) == 0
        assert world.tick(1) == 1
    world.close(f"call back {key(case, 2)}", outcome="no_answer")
    assert world.tick(60 * 24) == 0
    found = world.case(case)
    assert (found.state, [one.ended for one in found.attempts]) == ("not_reached", ["busy", "busy", "no_answer"])


def test_the_next_try_waits_until_it_opens(world: World) -> None:
    world.now = START.replace(hour=16, minute=50)
    case = world.asked(0)
    world.tick()
    world.now = START.replace(hour=16, minute=56)
    world.close(f"call back {key(case, 0)}")
    assert world.case(case).call_back_at == datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
    assert world.tick(60) == 0
    world.now = datetime(2026, 12, 1, 8, 59, 30, tzinfo=UTC)
    assert world.tick(1) == 1


def test_a_call_back_that_is_due_when_it_is_closed_waits_until_it_opens(world: World) -> None:
    case = world.asked(30)
    world.calendar = every_day(ZoneInfo("UTC"), (12 * 60, 13 * 60))
    assert world.tick(31) == 0
    assert world.case(case).call_back_at == START.replace(hour=12)
    world.now = START.replace(hour=12)
    assert world.tick(0) == 1


def test_a_contact_centre_that_never_opens_again_leaves_the_case_to_people(world: World) -> None:
    case = world.asked(30)
    world.calendar = every_day(ZoneInfo("UTC"))
    assert world.tick(31) == 0
    assert world.case(case).state == "not_reached"


def test_while_the_hours_cannot_be_read_nobody_is_called_and_nothing_is_lost(world: World) -> None:
    case = world.asked(0)
    world.down = True
    with pytest.raises(StoreUnavailable):
        world.desk.due(case)
    assert world.placed == []


def test_a_call_back_that_was_transferred_is_done(world: World) -> None:
    case = world.asked(0)
    world.tick()
    world.close(f"call back {key(case, 0)}", outcome="transferred", result="connected")
    found = world.case(case)
    assert (found.state, found.done_by, found.attempts[0].ended) == ("called_back", "switchboard", "transferred")
    assert world.tick(60 * 24) == 0


def test_who_does_not_want_it_any_more_is_not_called_again(world: World) -> None:
    case = world.asked(0)
    world.tick()
    world.desk.withdraw(case)
    world.close(f"call back {key(case, 0)}", outcome="completed", result="withdrawn")
    assert world.case(case).state == "withdrawn"
    assert world.tick(60 * 24) == 0


def test_a_call_back_whose_end_nobody_tells_is_taken_for_lost(world: World) -> None:
    case = world.asked(0)
    world.tick()
    assert world.tick(5 * 60) == 0
    world.now = START.replace(hour=15, minute=1)
    assert world.tick(1) == 0
    assert world.case(case).attempts[0].ended == "lost"
    assert world.tick(5) == 1


def test_the_end_of_a_call_back_counts_though_nothing_else_of_it_was_kept(world: World) -> None:
    case = world.asked(0)
    world.desk.cases.claim("c", case)
    world.close("c")
    assert [one.ended for one in world.case(case).attempts] == ["busy"]


def test_marking_it_by_hand_ends_it(world: World) -> None:
    case = world.asked(30)
    assert world.desk.called_back(case, "Bob").done_by == "Bob"
    assert world.desk.called_back(case, "Eve").done_by == "Bob"
    assert world.tick(31) == 0


# Who calls again while a call back is to come


def again(world: World, ends: str, caller: str = f"4:{ADA}", call: str = "call-2") -> str:
    """Ada calls ten minutes later, and that call ends so."""
    world.now += timedelta(minutes=10)
    case = world.begin(call, caller)
    if ends == "message":
        world.desk.message_begins(case, "r-1")
        world.now += timedelta(seconds=12)
    if ends == "call_back":
        assert world.desk.call_back(case, ADA, (world.now + timedelta(minutes=45)).isoformat())
    world.close(call, "inbound", "transferred" if ends == "transferred" else "completed")
    return case


@pytest.mark.parametrize("ends", ["transferred", "message"])
def test_who_calls_again_and_is_helped_is_not_called_back(world: World, ends: str) -> None:
    old = world.asked(30)
    new = again(world, ends)
    found = world.case(old)
    assert (found.state, found.replaced_by, found.done_at) == ("replaced", new, world.now)
    assert world.tick(24 * 60) == 0
    assert world.placed == []


def test_who_calls_again_and_asks_for_another_call_is_called_once(world: World) -> None:
    old = world.asked(30)
    new = again(world, "call_back")
    assert (world.case(old).state, world.case(new).state) == ("replaced", "call_back")
    assert world.tick(44) == 0
    assert world.tick(1) == 1
    assert [data["case"] for _, data, _ in world.placed] == [new]


def test_who_calls_again_and_just_rings_off_is_called_back_all_the_same(world: World) -> None:
    old = world.asked(30)
    again(world, "left")
    assert world.case(old).state == "call_back"
    assert world.tick(20) == 1


def test_a_call_back_between_two_tries_is_replaced_and_its_flow_calls_nobody(world: World) -> None:
    old = world.asked(0)
    world.tick()
    again(world, "transferred")
    assert world.desk.calling(old, f"call back {key(old, 0)}") == {}
    world.close(f"call back {key(old, 0)}", outcome="completed", result="not_wanted")
    assert world.case(old).state == "replaced"
    assert world.tick(24 * 60) == 0


def test_somebody_else_does_not_replace_a_call_back_nor_does_who_withholds_their_number(world: World) -> None:
    old = world.asked(300)
    again(world, "transferred", "4:+14255550199", "call-2")
    again(world, "transferred", "4:anonymous", "call-3")
    again(world, "transferred", "8:acs:ada", "call-4")
    assert world.case(old).state == "call_back"
    again(world, "call_back", "4:anonymous", "call-5")
    assert world.case(old).state == "replaced", "the same number is to be called"


def test_a_caller_who_keyed_another_number_is_known_by_both(world: World) -> None:
    case = world.begin("call-1", "4:+33140205050")
    assert world.desk.call_back(case, ADA, (world.now + timedelta(minutes=300)).isoformat())
    world.close("call-1", "inbound", "completed")
    again(world, "transferred", "4:+33140205050")
    assert world.case(case).state == "replaced"


def test_an_earlier_call_that_ends_later_replaces_nothing(world: World) -> None:
    early = world.begin("call-0")
    world.now += timedelta(minutes=1)
    asked = world.asked(30)
    world.desk.message_begins(early, "r-1")
    world.now += timedelta(seconds=10)
    world.close("call-0", "inbound", "completed")
    assert (world.case(early).state, world.case(asked).state) == ("message", "call_back")


def test_a_caller_is_known_while_the_key_of_before_is_set(world: World) -> None:
    world = World(hashes=NumberHashes(OLD_KEY))
    old = world.asked(30)
    world.desk._hashes = NumberHashes(KEY, OLD_KEY)
    again(world, "transferred")
    assert world.case(old).state == "replaced"


def test_without_a_key_nobody_is_known_again() -> None:
    world = World(hashes=None)
    old = world.asked(30)
    again(world, "transferred")
    assert world.case(old).state == "call_back"
    assert world.case(old).people == ()


def waits(world: World) -> list[str]:
    return sorted({row.partition for row in world.rows.first("cases", "waits ", "waits~")})


def test_no_number_is_in_a_row_by_which_a_caller_is_known_and_it_goes_with_the_case(world: World) -> None:
    case = world.asked(30)
    assert waits(world) == [f"waits {HASHES.of(ADA)}"]
    world.desk._hashes = NumberHashes(OLD_KEY)  # the key under which it was written is gone
    world.desk.cases.remove(world.case(case))
    assert waits(world) == []


def test_a_row_by_which_a_caller_is_known_goes_once_nobody_waits_by_it(world: World) -> None:
    old = world.asked(30)
    new = again(world, "call_back")
    assert [row.key for row in world.rows.first("cases", "waits ", "waits~")] == [new]
    world.desk.called_back(new, "Bob")
    again(world, "transferred", call="call-3")
    assert waits(world) == []
    assert world.case(old).state == "replaced"


def test_erasing_somebody_takes_what_a_call_left_that_ended_meanwhile(world: World) -> None:
    case = world.case(world.asked(30))
    assert world.desk.erase(Identifier.parse(ADA)) == Erased(1)
    world.desk.cases.wait_for(case)
    assert world.desk.erase(Identifier.parse(ADA)) == Erased(0)
    assert waits(world) == []


# What is kept


def test_the_cases_of_a_number_are_exported(world: World) -> None:
    case = world.begin()
    world.begin("call-2", "4:+14255550177")
    assert [one["id"] for one in world.desk.export(Identifier.parse(ADA))["cases"]] == [case]
    assert world.desk.export(Identifier.parse("+14255550178")) == {}


def test_cases_expire_with_their_calls(world: World) -> None:
    world.begin()
    world.now += timedelta(days=29, hours=23)
    assert world.desk.expire(world.now) == 0
    young = world.begin("call-2")
    assert world.desk.expire(world.now + timedelta(hours=1)) == 1
    assert [case.id for case in world.desk.cases.all()] == [young]


def test_nothing_comes_over_the_queue(world: World) -> None:
    with pytest.raises(InvalidInput, match="no work of the hand-off"):
        world.desk.work(Task("handoff", "x"))
