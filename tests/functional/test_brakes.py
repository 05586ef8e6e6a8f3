"""Brakes and switches through the app's triggers. Every response is held against the OpenAPI document as well."""

from __future__ import annotations

import json
import logging
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from shared.calls import actions
from shared.errors import LostRace
from shared.identifiers import Identifier
from shared.text_rows import MemoryTextRows
from tests.functional.api import OTHER_PHONE, OURS, PHONE, live, read, send
from tests.functional.app import NUMBER, REDIRECT_TARGET, REDIRECTED, REJECTED, App, http_routes, problem, running

pytestmark = pytest.mark.usefixtures("tested_flows")

URL = "/api/switches"
BUSY = actions.Reject(reason="busy")


def turn(app: App, **body: Any) -> Any:
    return read(app.request("POST", URL, json.dumps({"by": "Ada", **body}).encode()), 200)


def view(app: App) -> Any:
    return read(app.request("GET", URL), 200)


def place(app: App, **body: Any) -> Any:
    asked = {"flow": "desk", "targets": [PHONE], "caller_id": OURS, **body}
    return app.request("POST", "/api/calls", json.dumps(asked).encode())


def rings(app: App, number: int, first: int = 0, **details: Any) -> Counter[str]:
    """So many calls ring, each of its own; what became of them."""
    before = len(app.gateway.sent)
    for each in range(first, first + number):
        app.ring(correlation_id=f"conversation {each}", context=f"ring {each}", **details)
    return Counter(request.action.kind for request in app.gateway.sent[before:])


# Calls that ring


@pytest.mark.long
def test_of_a_thousand_rings_of_one_caller_twenty_are_answered_and_none_is_lost(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    assert rings(app, 1000) == {"answer": 20, "reject": 980}
    assert {request.action for request in app.gateway.sent} == {actions.Answer(), BUSY}
    assert len(app.call_ids) == 1000
    assert len(list(app.store.open_calls())) == 20
    braked = [record.getMessage() for record in caplog.records if record.getMessage().startswith("braked call=")]
    assert len(braked) == len(set(braked)) == 980
    app.board.brakes.refresh()
    (day,) = view(app)["braked"].values()
    assert day == {"too_many_calls_of_one_caller": 980}


def test_a_call_that_was_answered_stays_so_however_often_its_event_comes(app: App) -> None:
    rings(app, 20)
    assert rings(app, 20) == {}, "the same calls again"
    assert rings(app, 1, first=20) == {"reject": 1}


def test_a_redirect_that_may_not_be_is_busy(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text('rules:\n  - name: away\n    redirect: "+19005550123"\n')
    with running(tmp_path, ROUTING_FILE=str(rules)) as app:
        app.ring()
        assert [request.action for request in app.gateway.sent] == [BUSY]


def test_a_number_that_is_off_hears_busy_and_so_does_whoever_calls_it(app: App) -> None:
    turn(app, numbers={PHONE: "off", REJECTED: "off", REDIRECTED: "off"})
    assert rings(app, 1, caller=f"{PHONE}") == {"reject": 1}
    assert rings(app, 1, first=1, to=REDIRECTED, caller=OTHER_PHONE) == {"reject": 1}
    assert [request.action for request in app.gateway.sent] == [BUSY, BUSY]
    app.ring(correlation_id="another", to=REJECTED, caller=OTHER_PHONE)
    assert app.gateway.sent[-1].action == actions.Reject(reason="forbidden"), "as the routing says"
    turn(app, numbers={f"4:{PHONE[1:]}": "on"})
    assert rings(app, 1, first=2, caller=PHONE) == {"answer": 1}


@pytest.mark.parametrize(
    ("to", "action", "flow"),
    [
        ({"flow": "desk"}, actions.Answer(), "desk"),
        ({"redirect": OTHER_PHONE}, actions.Redirect(target=Identifier.parse(OTHER_PHONE)), "-"),
        ({"reject": "forbidden"}, actions.Reject(reason="forbidden"), "-"),
    ],
    ids=str,
)
def test_a_flow_is_diverted_until_it_is_on_again(app: App, to: Any, action: Any, flow: str) -> None:
    turn(app, flows={"reception": to})
    app.ring(correlation_id="one")
    assert app.gateway.sent[-1].action == action
    assert app.store.peek(app.call_ids[-1]).flow == flow
    turn(app, flows={"reception": "on"})
    app.ring(correlation_id="two")
    assert app.store.peek(app.call_ids[-1]).flow == "reception"


def test_two_flows_may_be_diverted_to_each_other(app: App) -> None:
    turn(app, flows={"reception": {"flow": "desk"}, "desk": {"flow": "reception"}})
    app.ring()
    assert app.store.peek(app.call_ids[-1]).flow == "desk"


def test_a_caller_without_a_telephone_cannot_be_redirected_to_one(app: App) -> None:
    turn(app, flows={"reception": {"redirect": OTHER_PHONE}})
    user = {"kind": "communicationUser", "rawId": REDIRECT_TARGET, "communicationUser": {"id": REDIRECT_TARGET}}
    app.ring(caller=user)
    assert app.kinds == ["reject"]


def test_all_outbound_off_leaves_calls_answered_and_redirects_busy(app: App) -> None:
    turn(app, outbound="off")
    app.ring(correlation_id="one")
    app.ring(correlation_id="two", to=REDIRECTED)
    assert [request.action for request in app.gateway.sent] == [actions.Answer(), BUSY]


# Calls that are placed, and actions on them


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"targets": ["+19005550123"]}, 422, "number_not_allowed"),
        ({"targets": ["+882165551234567"]}, 422, "number_not_allowed"),
        ({"targets": ["+112"]}, 422, "number_not_allowed"),
        ({"targets": ["+911"]}, 422, "number_not_allowed"),
        ({"targets": ["4:110"]}, 422, "number_not_allowed"),
        ({"targets": ["+1911"]}, 422, "number_not_allowed"),
        ({"targets": [PHONE, "+493012345678"]}, 422, "number_not_allowed"),
        ({"targets": [f"+1425555{n:04d}" for n in range(10_000)]}, 422, "too_many_targets"),
    ],
    ids=["premium", "satellite", "112", "911", "110", "+1911", "abroad", "10,000"],
)
def test_what_no_call_may_be_placed_to_is_refused_before_anything_is_stored(
    app: App, body: Any, status: int, code: str
) -> None:
    refused = place(app, **body)
    assert (refused.status_code, problem(refused)["code"]) == (status, code)
    assert list(app.store.open_calls()) == []
    assert app.gateway.sent == []


def test_the_setting_says_which_prefixes_are_allowed(tmp_path: Path) -> None:
    with running(tmp_path, ALLOWED_PREFIXES="+4930, +1206") as app:
        assert place(app, targets=["+493012345678"]).status_code == 201
        refused = problem(place(app, targets=[PHONE]))
        assert (refused["status"], refused["code"]) == (422, "number_not_allowed")


def test_all_outbound_off_refuses_a_call_until_it_is_on_again(app: App) -> None:
    turn(app, outbound="off", why="fraud")
    refused = place(app)
    assert refused.status_code == 409
    assert problem(refused)["code"] == "outbound_off"
    assert problem(refused)["detail"] == (
        "create_call was not sent: outbound_off: all outbound calls are switched off; GET /api/switches says by whom"
    )
    assert app.gateway.sent == []
    turn(app, outbound="on")
    assert place(app).status_code == 201


def test_a_call_that_was_placed_before_is_still_the_same_while_outbound_is_off(app: App) -> None:
    headers = {"Idempotency-Key": "one"}
    body = json.dumps({"flow": "desk", "targets": [PHONE], "caller_id": OURS}).encode()
    first = app.request("POST", "/api/calls", body, headers)
    turn(app, outbound="off")
    again = app.request("POST", "/api/calls", body, headers)
    assert (first.status_code, again.status_code) == (201, 200)


def test_more_calls_than_the_limit_are_for_later(tmp_path: Path) -> None:
    with running(tmp_path, MAX_CALLS="1") as app:
        assert place(app).status_code == 201
        later = place(app)
        assert (later.status_code, problem(later)["code"], later.headers["Retry-After"]) == (503, "too_many_calls", "5")


def test_an_action_on_a_live_call_is_refused_too(app: App) -> None:
    call_id = live(app)
    turn(app, numbers={OTHER_PHONE: "off"})
    refused = send(app, f"/{call_id}/actions/transfer", {"target": OTHER_PHONE})
    assert (refused.status_code, problem(refused)["code"]) == (409, "number_off")


# The switches themselves


def test_switches_show_who_turned_them_when_and_why(app: App) -> None:
    before = view(app)
    assert before == {
        "outbound": {"position": "on"},
        "numbers": [],
        "flows": [],
        "changes": [],
        "calls": {"at": 0, "at_iso": "", "calls": 0, "most_of_one_caller": 0},
        "braked": {},
        "unreadable": [],
    }
    turn(app, outbound="off", why="fraud", numbers={PHONE: "off"}, flows={"reception": {"flow": "desk"}})
    seen = view(app)
    at = seen["outbound"]["off"]["at"]
    told = {"by": "Ada", "at": at, "why": "fraud"}
    assert seen["outbound"] == {"position": "off", "off": told}
    assert seen["numbers"] == [{"number": PHONE, "off": told}]
    assert seen["flows"] == [{"flow": "reception", "diverted": {**told, "to": {"flow": "desk"}}}]
    (change,) = seen["changes"]
    assert change["what"] == ["outbound off", "a number off", "reception to flow desk"]


def test_a_number_that_is_on_again_is_forgotten(app: App) -> None:
    turn(app, numbers={PHONE: "off"})
    turn(app, numbers={PHONE: "on"})
    assert PHONE not in json.dumps(view(app))
    assert all(PHONE not in row.text for row in app.board.brakes.rows.read().values())


def test_the_newest_ten_changes_are_remembered(app: App) -> None:
    for number in range(12):
        turn(app, by=f"Ada {number}", outbound="off" if number % 2 else "on")
    assert [change["by"] for change in view(app)["changes"]] == [f"Ada {n}" for n in range(11, 1, -1)]


def test_switches_outlive_the_instance_and_are_those_of_all(tmp_path: Path) -> None:
    rows = MemoryTextRows()
    with running(tmp_path, brake_rows=rows) as one:
        turn(one, outbound="off")
    with running(tmp_path, brake_rows=rows) as other:
        assert place(other).status_code == 201, "it has not read yet"
        other.board.brakes.refresh()
        assert place(other).status_code == 409


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"outbound": "off"}, "by"),
        ({"by": "", "outbound": "off"}, "by"),
        ({"by": "a\nb", "outbound": "off"}, "by"),
        ({"by": "x" * 61, "outbound": "off"}, "by"),
        ({"by": "Ada"}, "body"),
        ({"by": "Ada", "outbound": True}, "outbound"),
        ({"by": "Ada", "everything": "off"}, "everything"),
        ({"by": "Ada", "numbers": {"5550123": "off"}}, "numbers.5550123"),
        ({"by": "Ada", "numbers": {"4:anonymous": "off"}}, "numbers.4:anonymous"),
        ({"by": "Ada", "numbers": {f"+1425555{n:04d}": "off" for n in range(51)}}, "numbers"),
        ({"by": "Ada", "numbers": {"+14255550123": "off", "4:14255550123": "on"}}, "numbers.4:14255550123"),
        ({"by": "Ada", "flows": {"nobody": {"flow": "desk"}}}, "flows.nobody"),
        ({"by": "Ada", "flows": {"recpetion": "on"}}, "flows.recpetion"),
        ({"by": "Ada", "flows": {"reception": {"flow": "nobody"}}}, "flows.reception.flow"),
        ({"by": "Ada", "flows": {"reception": {"flow": "reception"}}}, "flows.reception.flow"),
        ({"by": "Ada", "flows": {"reception": {"redirect": "+19005550123"}}}, "flows.reception.redirect"),
        ({"by": "Ada", "flows": {"reception": {"redirect": "nobody:at-all"}}}, "flows.reception.redirect"),
        (b"[]", "body"),
    ],
    ids=str,
)
def test_what_cannot_be_turned_is_refused_with_field_and_remedy(app: App, body: Any, field: str) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    refused = problem(app.request("POST", URL, content))
    assert (refused["status"], refused["field"]) == (400, field)
    assert refused["remedy"]
    assert app.board.brakes.rows.read() == {}


def test_a_flow_that_was_removed_since_can_be_turned_on_again(app: App) -> None:
    turn(app, flows={"reception": {"reject": "busy"}})
    app.board.brakes.rows.put("switches", app.board.brakes.rows.read()["switches"].text.replace("reception", "removed"))
    assert turn(app, flows={"removed": "on"})["flows"] == []


@pytest.mark.parametrize("to", [{}, {"flow": "desk", "reject": "busy"}, "off", {"reject": "never"}], ids=str)
def test_a_flow_is_diverted_to_one_place(app: App, to: Any) -> None:
    refused = problem(app.request("POST", URL, json.dumps({"by": "Ada", "flows": {"reception": to}}).encode()))
    assert refused["status"] == 400
    assert refused["field"].startswith("flows.reception")


def test_at_most_fifty_numbers_are_off(app: App) -> None:
    turn(app, numbers={f"+1425555{n:04d}": "off" for n in range(50)})
    body = json.dumps({"by": "Ada", "numbers": {"+14255559999": "off"}}).encode()
    assert problem(app.request("POST", URL, body))["field"] == "numbers"
    turn(app, numbers={"+14255550000": "on", "+14255559999": "off"})
    text = app.board.brakes.rows.read()["switches"].text
    assert len(text) < 32_000


def test_two_who_turn_at_once_lose_nothing(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = app.board.brakes.rows
    replace, races = rows.replace, [lambda: turn(app, by="Bob", numbers={PHONE: "off"})]

    def raced(name: Any, text: str, version: object) -> None:
        if races:
            races.pop()()
        replace(name, text, version)

    monkeypatch.setattr(rows, "replace", raced)
    seen = turn(app, outbound="off")
    assert seen["outbound"]["position"] == "off"
    assert [one["number"] for one in seen["numbers"]] == [PHONE]


def test_a_change_whose_response_is_lost_is_made_once(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = app.board.brakes.rows
    replace = rows.replace

    def lost(name: Any, text: str, version: object) -> None:
        replace(name, text, version)
        raise LostRace(name)

    monkeypatch.setattr(rows, "replace", lost)
    assert len(turn(app, outbound="off")["changes"]) == 1


def test_no_number_stands_in_the_log(app: App, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    turn(app, numbers={PHONE: "off"}, flows={"reception": {"redirect": OTHER_PHONE}})
    assert "switches turned by=Ada" in caplog.text
    assert not {PHONE[1:], OTHER_PHONE[1:]} & set(caplog.text.split())
    assert PHONE not in caplog.text
    assert OTHER_PHONE not in caplog.text


@pytest.mark.parametrize(
    "body",
    [
        {"by": "Ada", "numbers": {"+1 (425) 555-0123": "off"}},
        {"by": "Ada", "numbers": {"+14255550123": "of"}},
        {"by": "Ada", "+14255550123": "off"},
    ],
    ids=str,
)
def test_nor_does_one_that_is_refused(app: App, caplog: pytest.LogCaptureFixture, body: Any) -> None:
    assert problem(app.request("POST", URL, json.dumps(body).encode()))["status"] == 400
    assert "invalid input turn_switches" in caplog.text
    assert "0123" not in caplog.text


def test_both_routes_need_the_master_key() -> None:
    routes = {route.name: (route.auth_level, route.methods) for route in http_routes() if route.template == "switches"}
    assert routes == {"get_switches": ("admin", ("GET",)), "turn_switches": ("admin", ("POST",))}


def test_the_number_that_was_called_is_ours(app: App) -> None:
    assert app.board.brakes.dialing.countries == {"+1"}
    assert app.board.brakes.dialing.problem(Identifier.parse(NUMBER)) == ""


# Rows that cannot be read


@pytest.mark.parametrize("row", ["figures", "switches", "counts"])
@pytest.mark.parametrize("text", ["{", "7", "[]", '{"at": null, "diverted": 7, "2026-11-28": 7}'])
def test_a_row_that_cannot_be_read_is_named_and_what_was_read_before_is_shown(app: App, row: Any, text: str) -> None:
    before = turn(app, outbound="off")
    assert before["unreadable"] == []
    app.board.brakes.rows.put(row, text)
    assert view(app) == {**before, "unreadable": [row]}
    assert turn(app, outbound="on")["outbound"] == {"position": "on"}


def test_switches_can_be_turned_by_an_instance_that_could_never_read_them(app: App) -> None:
    app.board.brakes.rows.put("switches", "{")
    after = turn(app, outbound="off")
    assert (after["outbound"]["position"], after["unreadable"]) == ("off", [])
