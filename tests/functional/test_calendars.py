"""Calendars over the HTTP API, and in routing. Every response is held against the OpenAPI document as well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from shared.calls import actions
from shared.calls.flow import FLOWS
from shared.composition.lines import with_lines
from shared.errors import LostRace
from shared.routing.reading import load_routes
from shared.text_rows import MemoryTextRows
from tests.functional.api import assert_refused, read
from tests.functional.app import App, problem, running

ALWAYS: dict[str, Any] = {"zone": "UTC", "weekly": {"mon-sun": "00:00-24:00"}}
NEVER: dict[str, Any] = {"zone": "UTC"}


def put(app: App, name: str, body: dict[str, Any], **headers: str) -> func.HttpResponse:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return app.request("PUT", f"/api/calendars/{name}", json.dumps(body).encode(), headers=named)


def test_a_calendar_is_made_read_changed_and_removed(app: App) -> None:
    made = put(app, "office", ALWAYS, note="x")
    view = read(made, 201)
    assert made.headers["ETag"] == view["etag"]
    assert (view["name"], view["is_open"], view["calendar"]["weekly"]) == ("office", True, {"mon-sun": ["00:00-24:00"]})
    got = app.request("GET", "/api/calendars/office")
    assert read(got, 200)["etag"] == got.headers["ETag"] == made.headers["ETag"]
    changed = put(app, "office", NEVER, If_Match=made.headers["ETag"])
    assert read(changed, 200)["opens_at"] is None
    assert [one["name"] for one in read(app.request("GET", "/api/calendars"), 200)["calendars"]] == ["office"]
    assert app.request("DELETE", "/api/calendars/office").status_code == 204
    assert read(app.request("GET", "/api/calendars"), 200) == {"calendars": []}


def test_only_the_version_that_was_read_is_changed(app: App) -> None:
    first = put(app, "office", ALWAYS).headers["ETag"]
    second = put(app, "office", NEVER).headers["ETag"]
    assert first != second
    for refused in (
        put(app, "office", ALWAYS, If_Match=first),
        put(app, "office", ALWAYS, If_None_Match="*"),
        put(app, "shop", ALWAYS, If_Match="*"),
        app.request("DELETE", "/api/calendars/office", headers={"If-Match": first}),
    ):
        assert problem(refused)["title"] == "Changed meanwhile"
        assert refused.status_code == 412
    assert put(app, "office", ALWAYS, If_Match=f'"other", {second}').status_code == 200


@pytest.mark.parametrize(
    ("name", "body", "status", "field"),
    [
        ("Office", ALWAYS, 400, "name"),
        ("office", {}, 400, "zone"),
        ("office", {**ALWAYS, "zone": "Berlin"}, 400, "zone"),
        ("office", {**ALWAYS, "weekly": {"mon": "9-17"}}, 400, "weekly.mon"),
        ("office", {**ALWAYS, "hours": 1}, 400, "hours"),
    ],
)
def test_what_is_wrong_with_a_calendar_is_named(
    app: App, name: str, body: dict[str, Any], status: int, field: str
) -> None:
    assert_refused(put(app, name, body), status, field)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_calendar_that_is_none_is_not_found(app: App, method: str) -> None:
    assert_refused(app.request(method, "/api/calendars/office"), 404, "name")


def test_there_can_be_fifty(app: App) -> None:
    for number in range(50):
        assert put(app, f"office-{number}", NEVER).status_code == 201
    assert_refused(put(app, "office-50", NEVER), 400, "name")
    assert put(app, "office-7", ALWAYS).status_code == 200


def test_a_change_whose_response_was_lost_is_known_as_made(tmp_path: Path) -> None:
    class Losing(MemoryTextRows):
        def replace(self, name: str, text: str, version: object | None) -> object:
            super().replace(name, text, version)
            raise LostRace(name)

    with running(tmp_path, brake_rows=Losing()) as app:
        assert put(app, "office", ALWAYS, If_None_Match="*").status_code == 201


def test_rules_go_by_a_calendar_as_soon_as_it_was_read(app: App) -> None:
    rules = "rules:\n- {open: office, answer: reception}\n- {closed: office, reject: busy}\n- {reject: forbidden}\n"
    object.__setattr__(app.board, "routes", with_lines(load_routes(rules, FLOWS), app.board.lines))
    decided: list[actions.Action] = []
    for number, body in enumerate((None, ALWAYS, NEVER)):
        if body is not None:
            put(app, "office", body)
        app.ring(correlation_id=f"conversation {number}", context=f"ring {number}")
        decided.append(app.gateway.sent[-1].action)
    assert decided == [actions.Reject(reason="forbidden"), actions.Answer(), actions.Reject(reason="busy")]
