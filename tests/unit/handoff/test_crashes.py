"""Calls back while the storage fails at any moment, before it has written or after: none is lost or made twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from shared.errors import StoreUnavailable
from shared.handoff.cases import Cases
from shared.handoff.service import LOST, Desk, Handoff
from shared.rows import Change, Changed, MemoryRows, Row, Table
from shared.use_cases import Agenda
from tests.unit.handoff.test_service import ADA, HASHES, HOURS, LINE, World

T = TypeVar("T")
FINAL = {"called_back", "withdrawn", "not_reached"}


class Failing(MemoryRows):
    """Rows that fail as they are told: True before they do what was asked, False after it, None not at all."""

    def __init__(self) -> None:
        super().__init__()
        self.plan: list[bool | None] = []

    def get(self, table: Table, partition: str, key: str) -> str | None:
        return self._try(lambda: super(Failing, self).get(table, partition, key))

    def change(
        self,
        table: Table,
        partition: str,
        changes: Mapping[str, Change],
        before: Callable[[Changed], None] | None = None,
    ) -> Changed:
        return self._try(lambda: super(Failing, self).change(table, partition, changes, before))

    def put(self, table: Table, partition: str, texts: Mapping[str, str | None]) -> None:
        if self._depth:
            return super().put(table, partition, texts)
        return self._try(lambda: super(Failing, self).put(table, partition, texts))

    def first(self, table: Table, since: str, until: str, most: int | None = None, before: str = "") -> Iterable[Row]:
        return super().first(table, since, until, most, before)

    _depth = 0

    def _try(self, work: Callable[[], T]) -> T:
        fails = self.plan.pop(0) if self.plan else None
        if fails is True:
            raise StoreUnavailable("before")
        self._depth += 1
        try:
            done = work()
        finally:
            self._depth -= 1
        if fails is False:
            raise StoreUnavailable("after")
        return done


class Broken(World):
    """The same over rows that fail."""

    rows: Failing

    def __init__(self) -> None:
        super().__init__()
        self.rows = Failing()
        self.agenda = Agenda(self.rows)
        self.open_calls: set[str] = set()
        self.keys: dict[str, str] = {}
        self.desk = Handoff(
            Cases(self.rows),
            self.agenda,
            Desk("+12065550113", lambda: HOURS, ZoneInfo("UTC")),
            place=self._begin_call,
            check=self._check,
            days=30,
            hashes=HASHES,
            clock=lambda: self.now,
        )

    def _begin_call(self, flow: str, data: Mapping[str, object], key: str) -> str:
        """As the core does it: a key begins one call, whose flow asks whom to call."""
        assert HOURS.is_open(self.now), "called while it is closed"
        if key not in self.keys:
            self.keys[key] = call = f"call {len(self.keys)}"
            self.open_calls.add(call)
            self.survive(lambda: self.desk.calling(str(data["case"]), call))
        return self.keys[key]

    def survive(self, work: Callable[[], object]) -> bool:
        try:
            work()
        except StoreUnavailable:
            return False
        return True

    def minute(self) -> None:
        """What the timer does, as UseCases.tick."""
        for _, item, key in self.agenda.due(self.now):
            if self.survive(lambda item=item: self.desk.due(item)):  # type: ignore[misc]
                self.survive(lambda key=key: self.agenda.done(key))  # type: ignore[misc]

    def end(self, outcome: str) -> None:
        """Every call that is up ends; closing is told until it was taken."""
        for call in sorted(self.open_calls):
            if self.survive(lambda call=call: self.close(call, outcome=outcome)):  # type: ignore[misc]
                self.open_calls.discard(call)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["minute", "end busy", "end busy", "end transferred", "hour", "mark"]),
        st.lists(st.sampled_from([True, False, None, None, None]), max_size=6),
    ),
    max_size=25,
)


@given(STEPS)
def test_whatever_fails_in_between_the_caller_is_called_three_times_at_most_and_then_it_is_said(
    steps: list[tuple[str, list[bool | None]]],
) -> None:
    world = Broken()
    case = world.asked(0)
    for step, plan in steps:
        world.rows.plan = list(plan)
        if step == "minute":
            world.now += timedelta(minutes=1)
            world.minute()
        elif step == "hour":
            world.now += timedelta(hours=1)
            world.minute()
        elif step == "mark":
            world.survive(lambda: world.desk.called_back(case, "Bob") if world.case(case).state == "call_back" else 0)
        else:
            world.end(step.removeprefix("end "))
    world.rows.plan = []
    for _ in range(12):  # all is well again, and nobody answers
        world.end("busy")
        world.now += LOST
        world.minute()
        world.now = world.now.replace(hour=10) + timedelta(days=1)
        world.minute()
    found = world.case(case)
    assert found.state in FINAL
    assert len(world.keys) <= 3
    assert {one.call_id for one in found.attempts} <= set(world.keys.values())
    assert found.number == ADA


@given(st.sampled_from(["transferred", "message", "call_back"]), st.lists(st.sampled_from([True, False, None])))
def test_whatever_fails_while_a_later_call_ends_its_end_replaces_the_earlier_call_back_and_nothing_else(
    ends: str, plan: list[bool | None]
) -> None:
    world = Broken()
    old = world.asked(120)
    new = world.desk.begin("call-2", f"4:{ADA}", f"4:{LINE}", "en", {})["case"]
    if ends == "message":
        world.desk.message_begins(new, "r-1")
        world.now += timedelta(seconds=5)
    if ends == "call_back":
        world.desk.call_back(new, ADA, (world.now + timedelta(hours=1)).isoformat())
    world.rows.plan = list(plan)
    outcome = "transferred" if ends == "transferred" else "completed"
    while not world.survive(lambda: world.close("call-2", "inbound", outcome)):
        """It is told until it was taken."""
    world.rows.plan = []
    world.close("call-1", "inbound", "completed")  # told again
    states = {"transferred": "handed_off", "message": "message", "call_back": "call_back"}
    assert (world.case(old).state, world.case(new).state) == ("replaced", states[ends])
    for _ in range(3):
        world.now += timedelta(hours=1)
        world.minute()
    assert list(world.keys) == ([f"handoff {new} 0"] if ends == "call_back" else [])
