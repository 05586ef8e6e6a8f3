"""The functions of the use cases: their work from the queue, what is due, and the end of their calls."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.calls import FLOWS, Call, Flow
from shared.calls.record import CallRecord
from shared.composition import use_cases
from shared.composition.parts import Parts
from shared.errors import StoreUnavailable
from shared.identifiers import Identifier
from shared.use_cases import Erased, Task, service
from tests.functional.app import App, running


class Greeting:
    """A use case of a flow `reception`."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.ended: list[CallRecord] = []
        self.down = False

    def work(self, task: Task) -> str:
        if self.down:
            raise StoreUnavailable("down")
        return f"greeted {task.given['id']}"

    def due(self, item: str) -> None:
        self.parts.queue.send(Task("click", "greet", {"id": item}))

    def closing(self, record: CallRecord) -> None:
        self.ended.append(record)

    def may_place(self, record: CallRecord) -> bool:
        return True

    def export(self, number: Identifier) -> Mapping[str, Any]:
        return {"greetings": 1}

    def erase(self, number: Identifier) -> Erased:
        return Erased(1, "a greeting stays")

    def expire(self, now: datetime) -> int:
        return 0


async def hello(call: Call) -> None:
    """Ends at once."""


@pytest.fixture
def greeting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(use_cases, "CASES", [(("click",), Greeting)])
    with running(tmp_path) as app:
        monkeypatch.setitem(FLOWS, "reception", Flow("reception", hello, use="click"))
        yield app


def work(**given: str) -> bytes:
    return json.dumps(Task("click", "greet", given).as_json()).encode()


def test_work_is_done_and_said(greeting: App, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    greeting.queue(work(id="7").decode(), "use_case_work")
    assert "click greet greeted 7" in caplog.messages


def test_work_that_fails_comes_again_and_work_that_nobody_can_do_does_not(
    greeting: App, caplog: pytest.LogCaptureFixture
) -> None:
    service("click").down = True
    with pytest.raises(StoreUnavailable):
        greeting.queue(work(id="7").decode(), "use_case_work")
    greeting.queue('{"use": "desk", "what": "x", "given": {}}', "use_case_work")
    assert any("'desk' is no use case" in message for message in caplog.messages)


def test_what_is_due_is_told_each_minute(greeting: App) -> None:
    case = service("click")
    case.parts.agenda.put("click", "lunch", datetime(2026, 1, 1, 12, tzinfo=UTC))
    greeting.tick("use_case_times")
    assert [task for task, _ in case.parts.queue.sent] == [Task("click", "greet", {"id": "lunch"})]


def test_the_end_of_its_calls_is_told_before_they_are_closed(greeting: App) -> None:
    greeting.ring()
    greeting.run()
    (record,) = service("click").ended
    assert record.flow == "reception"


def test_what_it_keeps_of_a_person_is_exported_and_erased(greeting: App) -> None:
    body = json.dumps({"number": "+14255550123"}).encode()
    exported = json.loads(greeting.request("POST", "/api/people/export", body).get_body())
    assert exported["use_cases"] == {"click": {"greetings": 1}}
    erased = json.loads(greeting.request("POST", "/api/people/erase", body).get_body())
    assert erased["use_cases"] == {"click": 1}
    assert "click: a greeting stays" in erased["stays"]
