"""What the use cases have in common: work, times, ends of calls, and what is kept of people, each at its use case."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.calls.record import CallRecord
from shared.errors import InvalidInput, StoreUnavailable
from shared.identifiers import Identifier
from shared.rows import MemoryRows
from shared.use_cases import provide, service
from shared.use_cases.all import UseCases
from shared.use_cases.base import Agenda, Erased, Task
from shared.use_cases.services import _MADE

NOW = datetime(2026, 11, 30, 9, 0, 30, tzinfo=UTC)
ADA = Identifier.parse("+14255550123")


class Case:
    """A use case that notes what it is told."""

    def __init__(self, *, fails: bool = False) -> None:
        self.told: list[object] = []
        self.fails = fails

    def work(self, task: Task) -> str:
        self._tell(task)
        return "done"

    def due(self, item: str) -> None:
        self._tell(item)

    def closing(self, record: CallRecord) -> None:
        self._tell(record.call_id)

    def may_place(self, record: CallRecord) -> bool:
        return True

    def export(self, number: Identifier) -> Mapping[str, Any]:
        return {"number": number.raw_id} if self.told else {}

    def erase(self, number: Identifier) -> Erased:
        return Erased(len(self.told), "")

    def expire(self, now: datetime) -> int:
        self._tell(now)
        return 2

    def _tell(self, what: object) -> None:
        if self.fails:
            raise StoreUnavailable("down")
        self.told.append(what)


def uses(cases: Mapping[str, Callable[[], Case]], rows: MemoryRows | None = None) -> tuple[UseCases, Agenda]:
    agenda = Agenda(rows or MemoryRows())
    return UseCases(cases, agenda, lambda flow: flow.partition("-")[0], lambda: NOW), agenda


def test_work_comes_to_its_use_case_and_back_from_the_queue_as_it_was() -> None:
    case = Case()
    task = Task("masking", "expire", {"session": "7"})
    found, _ = uses({"masking": lambda: case})
    assert found.work(json.dumps(task.as_json()).encode()) == "masking expire done"
    assert case.told == [task]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"use": "x", "what": "y", "given": 3}', b"\xff"])
def test_what_is_no_work_is_dropped_with_a_reason(body: bytes) -> None:
    found, _ = uses({})
    with pytest.raises(InvalidInput, match="is no work of a use case"):
        found.work(body)


def test_work_of_a_use_case_that_is_gone_is_dropped_and_says_which_there_are() -> None:
    found, _ = uses({"masking": Case})
    with pytest.raises(InvalidInput, match=r"'outreach' is no use case\. Known: masking"):
        found.work(json.dumps(Task("outreach", "dial").as_json()).encode())


def test_what_is_due_comes_once_in_its_minute_and_the_rest_waits() -> None:
    case = Case()
    found, agenda = uses({"outreach": lambda: case})
    agenda.put("outreach", "later", NOW + timedelta(minutes=1))
    agenda.put("outreach", "now", NOW)
    agenda.put("outreach", "before", NOW - timedelta(hours=3))
    assert found.tick() == 2
    assert case.told == ["before", "now"]
    assert found.tick() == 0


def test_what_fails_stays_on_the_agenda_and_keeps_nobody_back() -> None:
    case, broken = Case(), Case(fails=True)
    found, agenda = uses({"a": lambda: broken, "b": lambda: case})
    agenda.put("a", "one", NOW)
    agenda.put("b", "two", NOW)
    found.tick()
    assert case.told == ["two"]
    broken.fails = False
    assert found.tick() == 1
    assert broken.told == ["one"]


def test_what_is_put_there_again_while_it_is_done_comes_again() -> None:
    class Again(Case):
        def due(self, item: str) -> None:
            super().due(item)
            if len(self.told) == 1:
                agenda.put("outreach", item, NOW)

    case = Again()
    found, agenda = uses({"outreach": lambda: case})
    agenda.put("outreach", "spring", NOW)
    assert [found.tick(), found.tick(), found.tick()] == [1, 1, 0]
    assert case.told == ["spring", "spring"]


def test_a_look_at_an_empty_agenda_is_one_request() -> None:
    class Counted(MemoryRows):
        asked = 0

        def first(self, *args: Any, **kwargs: Any) -> Any:
            self.asked += 1
            return super().first(*args, **kwargs)

        def get(self, *args: Any) -> Any:
            raise AssertionError("one query is enough")

        def put(self, *args: Any) -> Any:
            raise AssertionError("nothing changes")

    rows = Counted()
    found, _ = uses({"outreach": Case}, rows)
    assert found.tick() == 0
    assert rows.asked == 1


def test_a_call_is_told_to_the_use_case_of_its_flow_alone_and_makes_no_other() -> None:
    case = Case()

    def never() -> Case:
        raise AssertionError("nobody asked for it")

    found, _ = uses({"masking": lambda: case, "outreach": never})
    one, two = CallRecord("one", flow="masking-bridge"), CallRecord("two", flow="support")
    assert (found.concerns(one), found.concerns(two)) == (True, False)
    found.closing(one)
    assert case.told == ["one"]


def test_a_use_case_of_two_names_is_asked_once_about_a_person() -> None:
    case, other = Case(), Case()
    case.told = ["something"]

    def made() -> Case:
        return case

    found, _ = uses({"outreach": made, "reminders": made, "masking": lambda: other})
    assert found.export(ADA) == {"outreach": {"number": "4:+14255550123"}}
    assert found.erase(ADA) == {"outreach": Erased(1)}
    assert found.expire() == 4


def test_one_that_cannot_remove_keeps_nobody_back() -> None:
    found, _ = uses({"a": lambda: Case(fails=True), "b": Case})
    assert found.expire() == 2


@pytest.fixture
def provided() -> Iterator[None]:
    before = dict(_MADE)
    yield
    _MADE.clear()
    _MADE.update(before)


@pytest.mark.usefixtures("provided")
def test_a_flow_gets_the_service_that_was_provided_or_is_told_which_there_are() -> None:
    case = Case()
    provide("masking", lambda: case)
    assert service("masking") is case
    with pytest.raises(InvalidInput, match="use case 'desk': is not set up"):
        service("desk")
