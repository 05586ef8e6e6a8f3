"""Calls that wait for their flow to place them, through the HTTP API."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from shared.calls import FLOWS, ActionFailed, ActionRefused, Call, Flow
from shared.calls.gateway.memory import refuse
from tests.functional.api import BODIES, OURS, PHONE, get, read, send
from tests.functional.app import App, problem
from tests.unit.calls.world import parsed


async def reminder(call: Call) -> None:
    """Waits, calls twice at most, and says what came of it."""
    await call.race(call.sleep(3600), call.signal("now"))
    try:
        await call.create_call(PHONE, caller_id=OURS, attempts=2, delay=0)
    except (ActionFailed, ActionRefused):
        call.result("not_reached")
        return
    await call.ended()


@pytest.fixture(autouse=True)
def flows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FLOWS, "later", Flow("later", reminder, opens=True))


def a_waiting_call(app: App) -> str:
    return str(read(send(app, "", {"flow": "later"}), 201)["id"])


def listed(app: App, status: str) -> list[str]:
    return [row["id"] for row in read(get(app, f"?status={status}"), 200)["calls"]]


def view(app: App, call_id: str) -> dict[str, Any]:
    return dict(read(get(app, f"/{call_id}"), 200))


def test_a_call_that_its_flow_has_not_placed_yet_is_listed_as_waiting(app: App) -> None:
    call_id = a_waiting_call(app)
    assert (view(app, call_id)["status"], view(app, call_id)["attempts"]) == ("waiting", 0)
    assert listed(app, "waiting") == [call_id]
    assert listed(app, "connecting") == []
    assert app.kinds == []


@pytest.mark.parametrize("action", ["hang_up", "terminate"])
def test_it_is_cancelled_by_a_hang_up_and_nobody_is_called(app: App, action: str) -> None:
    call_id = a_waiting_call(app)
    for outcome in ("advanced", "duplicate"):
        done = read(send(app, f"/{call_id}/actions/{action}", {}, key="k"), 200)
        assert (done["outcome"], done["done"], done["failure"]) == (outcome, True, None)
    ended = view(app, call_id)
    assert (ended["status"], ended["outcome"]) == ("ended", "hung_up")
    assert app.kinds == []
    assert send(app, f"/{call_id}/signals/now").status_code == 409


def test_anything_else_is_refused_with_where_the_call_is(app: App) -> None:
    call_id = a_waiting_call(app)
    answer = send(app, f"/{call_id}/actions/play", BODIES["play"])
    assert (answer.status_code, problem(answer)["title"]) == (409, "Not connected")
    assert "has not been placed yet" in problem(answer)["detail"]
    assert "Retry-After" not in answer.headers
    assert app.kinds == []


def test_a_signal_reaches_it_and_the_attempts_are_counted(app: App) -> None:
    call_id = a_waiting_call(app)
    assert send(app, f"/{call_id}/signals/now").status_code == 202
    assert (view(app, call_id)["status"], view(app, call_id)["attempts"]) == ("connecting", 1)
    assert listed(app, "waiting") == []
    assert listed(app, "connecting") == [call_id]


def test_the_refusal_of_an_attempt_that_is_not_the_last_one_is_not_the_response(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def tries_twice(call: Call) -> None:
        with suppress(ActionRefused):
            await call.create_call(OURS, caller_id=OURS)
        app.gateway._answer = answering
        with suppress(ActionFailed):
            await call.create_call(PHONE, caller_id=OURS)

    answering = app.gateway._answer
    monkeypatch.setitem(FLOWS, "twice", Flow("twice", tries_twice, opens=True))
    app.gateway._answer = refuse(400, "8523", "no such number")
    call_id = read(send(app, "", {"flow": "twice"}, key="k"), 201)["id"]
    busy = app.wire.event("CreateCallFailed", app.gateway.sent[-1].operation_context, (486, 8539, "busy"))
    app.board.conductor.deliver(call_id, [parsed(busy)])
    assert (view(app, call_id)["outcome"], view(app, call_id)["attempts"]) == ("busy", 2)
    assert read(send(app, "", {"flow": "twice"}, key="k"), 200)["outcome"] == "duplicate"
