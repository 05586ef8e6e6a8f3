"""The do-not-record list over the HTTP API. Every response is held against the OpenAPI document as well."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any

import pytest

from shared.azure.do_not_record import TableDoNotRecord
from shared.composition.board import compose
from shared.privacy import NumberHashes
from tests.functional.api import OTHER_PHONE, PHONE, assert_refused, get, live, read, send
from tests.functional.app import App, http_routes, problem

pytestmark = pytest.mark.usefixtures("tested_flows")

VERBS = ("add", "remove", "check")


def ask(app: App, verb: str, body: Any) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return app.request("POST", f"/api/do-not-record/{verb}", content)


def test_a_number_is_added_checked_and_removed_and_each_may_be_repeated(app: App) -> None:
    for verb, listed in (("check", False), ("remove", False), ("add", True), ("add", True), ("check", True),
                         ("remove", False), ("remove", False), ("check", False)):  # fmt: skip
        assert read(ask(app, verb, {"number": PHONE}), 200) == {"listed": listed}


@pytest.mark.parametrize("number", [f"4:{PHONE}", {"phoneNumber": {"value": PHONE}}], ids=str)
def test_a_number_is_the_same_however_it_is_written(app: App, number: Any) -> None:
    ask(app, "add", {"number": number})
    assert read(ask(app, "check", {"number": PHONE}), 200) == {"listed": True}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "number"),
        (b"", "number"),
        ({"number": None}, "number"),
        ({"number": "5550123"}, "number"),
        ({"number": 14255550123}, "number"),
        ({"number": PHONE, "reason": "asked"}, "reason"),
        ([], "body"),
        (b"{", "body"),
    ],
    ids=str,
)
def test_what_names_no_number_is_refused_with_the_field_and_what_to_do(
    app: App, verb: str, body: Any, field: str
) -> None:
    assert_refused(ask(app, verb, body), 400, field)


@pytest.mark.parametrize("verb", VERBS)
def test_without_a_key_there_is_no_list_and_the_response_says_what_to_set(keyless: App, verb: str) -> None:
    told = assert_refused(ask(keyless, verb, {"number": PHONE}), 400, "number")
    assert "NUMBER_HASH_KEY" in told["remedy"]


def test_the_routes_need_a_function_key_and_take_posts_alone() -> None:
    routes = [route for route in http_routes() if route.template.startswith("do-not-record")]
    assert {(route.template.removeprefix("do-not-record/"), route.methods) for route in routes} == {
        (verb, ("POST",)) for verb in VERBS
    }
    assert {route.auth_level for route in routes} == {"function"}


def test_no_number_is_in_a_log(app: App, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for verb in VERBS:
            ask(app, verb, {"number": PHONE})
            ask(app, verb, {"number": f"{PHONE}x"})
        ask(app, "add", {"number": PHONE})
        send(app, f"/{live(app)}/actions/start_recording")
    assert "4255550123" not in caplog.text


def test_no_action_of_the_api_records_a_number_that_is_listed(app: App) -> None:
    call_id = live(app)
    ask(app, "add", {"number": PHONE})
    told = problem(response := send(app, f"/{call_id}/actions/start_recording"))
    assert (response.status_code, told["code"]) == (422, "do_not_record")
    assert "start_recording" not in app.kinds
    assert read(get(app, f"/{call_id}"), 200)["recording"] == "refused"
    ask(app, "remove", {"number": PHONE})
    read(send(app, f"/{call_id}/actions/start_recording"), 200)
    assert "start_recording" in app.kinds


def test_a_recording_that_runs_is_not_resumed_after_its_pause_once_a_number_is_listed(app: App) -> None:
    call_id = live(app)
    read(send(app, f"/{call_id}/actions/start_recording"), 200)
    read(send(app, f"/{call_id}/actions/pause_recording"), 200)
    ask(app, "add", {"number": PHONE})
    assert problem(send(app, f"/{call_id}/actions/resume_recording"))["code"] == "do_not_record"
    read(send(app, f"/{call_id}/actions/stop_recording"), 200)
    assert app.kinds[-1] == "stop_recording"


def test_a_number_that_a_channel_is_kept_for_counts(app: App) -> None:
    call_id = live(app)
    ask(app, "add", {"number": OTHER_PHONE})
    for named in ({"affinity": [{"participant": OTHER_PHONE, "channel": 1}]}, {"ordering": [OTHER_PHONE]}):
        body = {"channel": "unmixed", **named}
        assert problem(send(app, f"/{call_id}/actions/start_recording", body))["code"] == "do_not_record"


def test_the_app_makes_the_list_itself_under_its_keys(app: App) -> None:
    old, new = (base64.b64encode(letter * 32).decode() for letter in (b"o", b"w"))
    settings = app.board.settings.model_copy(update={"number_hash_key": new, "number_hash_key_previous": old})
    listed = compose(settings, gateway=app.gateway, timers=app.timers, tokens=app.board.tokens).do_not_record
    assert isinstance(listed, TableDoNotRecord)
    assert listed._numbers.candidates("4:+1") == NumberHashes(new, old).candidates("4:+1")
