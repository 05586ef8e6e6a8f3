"""Finding calls over the HTTP API. Every answer is held against the OpenAPI document as well."""

from __future__ import annotations

import base64
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema_rs
import pytest

from shared.composition.board import compose
from shared.privacy import NumberHashes
from shared.web.openapi import openapi
from tests.functional.api import OTHER_PHONE, OURS, PHONE, USER, assert_refused, get, live, placed, read, send
from tests.functional.app import App, http_routes
from tests.functional.described import validator

pytestmark = pytest.mark.usefixtures("tested_flows")

SERVER_CALL, CONNECTION = "c2VydmVy", "02004780-0000-4000-8000-000000000001"
CORRELATION = "5d1f3a52-0000-4000-8000-000000000001"


def search(app: App, body: Any) -> Any:
    return send(app, "/search", body)


def found(app: App, body: dict[str, Any]) -> list[str]:
    return [call["id"] for call in read(search(app, body), 200)["calls"]]


@pytest.mark.parametrize("number", [OTHER_PHONE, f"4:{OTHER_PHONE}", {"phoneNumber": {"value": OTHER_PHONE}}], ids=str)
def test_calls_are_found_by_the_number_of_either_side(app: App, number: Any) -> None:
    placed(app)
    called = placed(app, targets=[OTHER_PHONE])
    app.clock.pass_seconds(1)
    app.ring(caller=OTHER_PHONE)
    assert found(app, {"number": number}) == [app.call_ids[-1], called]


def test_a_call_of_users_is_found_by_who_takes_part(app: App) -> None:
    call_id = placed(app, targets=[USER], caller_id=None)
    assert found(app, {"number": USER}) == [call_id]


@pytest.mark.parametrize(
    "body",
    [{"server_call_id": SERVER_CALL}, {"correlation_id": CORRELATION}, {"connection_id": CONNECTION}],
    ids=lambda body: str(next(iter(body))),
)
def test_a_call_is_found_by_the_ids_that_the_service_s_logs_show(app: App, body: dict[str, str]) -> None:
    app.gateway._answer = lambda request: {"callConnectionId": CONNECTION}
    call_id = live(app)
    assert found(app, body) == [call_id]
    assert found(app, {name: f"{value}x" for name, value in body.items()}) == []


def test_a_call_is_found_by_its_recording_and_tells_which_it_has(app: App) -> None:
    call_id = live(app)
    app.gateway._answer = lambda request: {"recordingId": "rec-1", "recordingState": "inactive"}
    read(send(app, f"/{call_id}/actions/start_recording", {}), 200)
    assert found(app, {"recording_id": "rec-1"}) == [call_id]
    assert read(get(app, f"/{call_id}"), 200)["recording_ids"] == ["rec-1"]


def test_what_is_found_is_told_as_it_stands_now(app: App) -> None:
    call_id = live(app)
    (call,) = read(search(app, {"number": PHONE}), 200)["calls"]
    assert (call["status"], call["caller"], call["callee"]) == ("connected", f"4:{OURS}", f"4:{PHONE}")
    send(app, f"/{call_id}/actions/hang_up")
    app.react()
    (call,) = read(search(app, {"number": PHONE}), 200)["calls"]
    assert (call["status"], call["outcome"]) == ("ended", "hung_up")


def test_calls_that_the_store_no_longer_keeps_are_left_out(app: App) -> None:
    kept, gone = placed(app), placed(app)
    del app.store._calls[gone]
    assert found(app, {"number": PHONE}) == [kept]


def test_calls_are_found_page_by_page_newest_first_without_loss_or_repeat(app: App) -> None:
    ids = []
    for _ in range(7):
        ids.append(placed(app))
        app.clock.pass_seconds(1)
    for limit in (1, 2, 3, 7, 100):
        seen: list[str] = []
        after = ""
        while True:
            page = read(search(app, {"number": PHONE, "limit": limit, "after": after}), 200)
            assert len(page["calls"]) <= limit
            seen += [call["id"] for call in page["calls"]]
            if page["next"] is None:
                break
            after = page["next"]
        assert seen == ids[::-1]


def test_a_search_can_be_narrowed_to_days(app: App) -> None:
    ids = [placed(app)]
    for _ in range(3):
        app.clock.pass_seconds(86_400)
        ids.append(placed(app))
    days = [datetime.fromtimestamp(app.store.peek(one).started_at / 1000, UTC).strftime("%Y-%m-%d") for one in ids]
    assert found(app, {"number": PHONE, "since": days[2]}) == [ids[3], ids[2]]
    assert found(app, {"number": PHONE, "until": days[1]}) == [ids[1], ids[0]]
    assert found(app, {"number": PHONE, "since": days[1], "until": days[2]}) == [ids[2], ids[1]]
    assert found(app, {"number": PHONE, "since": days[1], "until": days[0]}) == []


@pytest.mark.parametrize(
    ("days", "number"),
    [
        ({"since": "1969-12-31"}, 1), ({"since": "1970-01-01"}, 1), ({"since": "0001-01-01"}, 1),
        ({"since": "9999-12-31"}, 0), ({"until": "9999-12-31"}, 1), ({"until": "1969-12-31"}, 0),
        ({"until": "0001-01-01"}, 0), ({"since": "2286-11-21"}, 0), ({"until": "2286-11-20"}, 1),
    ],
    ids=str,
)  # fmt: skip
def test_any_day_of_the_calendar_can_be_named(app: App, days: dict[str, str], number: int) -> None:
    placed(app)
    assert len(found(app, {"number": PHONE, **days})) == number


def test_a_day_has_its_first_and_its_last_millisecond(app: App) -> None:
    midnight = (datetime.now(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    ids = []
    for at in (-1, 0, 86_399_999, 86_400_000):
        app.board.conductor._clock = lambda at=at: int(midnight.timestamp() * 1000) + at  # type: ignore[misc]
        ids.append(placed(app))
    day = midnight.strftime("%Y-%m-%d")
    assert found(app, {"number": PHONE, "since": day, "until": day}) == [ids[2], ids[1]]


# What is refused


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        (b"", "body"),
        ({"limit": 5}, "body"),
        ({"number": None}, "body"),
        ({"number": PHONE, "server_call_id": "s"}, "number"),
        ({"recording_id": "r", "correlation_id": "c"}, "recording_id"),
        ({"number": "5550123"}, "number"),
        ({"number": "+1425x"}, "number"),
        ({"number": 14255550123}, "number"),
        ({"number": ""}, "number"),
        ({"server_call_id": ""}, "server_call_id"),
        ({"connection_id": 7}, "connection_id"),
        ({"call_id": "x"}, "call_id"),
        ({"number": PHONE, "since": "yesterday"}, "since"),
        ({"number": PHONE, "since": "20261123"}, "since"),
        ({"number": PHONE, "until": "2026-02-30"}, "until"),
        ({"number": PHONE, "until": 1_790_000_000}, "until"),
        ({"number": PHONE, "until": "2026-11-23T10:00:00"}, "until"),
        ({"number": PHONE, "limit": 0}, "limit"),
        ({"number": PHONE, "limit": 501}, "limit"),
        ({"number": PHONE, "limit": "ten"}, "limit"),
        ({"number": PHONE, "after": 7}, "after"),
        ([], "body"),
        (b"{", "body"),
        (b'{"number": "\\ud800:x"}', "body"),
    ],
    ids=str,
)
def test_a_search_that_cannot_be_made_is_refused_with_the_field_and_what_to_do(app: App, body: Any, field: str) -> None:
    placed(app)
    assert_refused(search(app, body), 400, field)


@pytest.mark.parametrize("after", ["nonsense", "/\\#?", "'", "~", "\t"])
def test_a_position_that_is_none_gives_a_page_all_the_same(app: App, after: str) -> None:
    placed(app)
    assert len(found(app, {"number": PHONE, "after": after})) <= 1


def test_without_a_key_a_search_by_number_says_what_to_set_and_others_work(keyless: App) -> None:
    call_id = live(keyless)
    told = assert_refused(search(keyless, {"number": PHONE}), 400, "number")
    assert "NUMBER_HASH_KEY" in told["remedy"]
    assert found(keyless, {"server_call_id": SERVER_CALL}) == [call_id]


def test_the_key_and_the_one_before_come_from_the_settings(app: App) -> None:
    """The composition gives them to the store that it makes itself."""
    old, new = (base64.b64encode(letter * 32).decode() for letter in (b"o", b"w"))
    settings = app.board.settings.model_copy(update={"number_hash_key": new, "number_hash_key_previous": old})
    store: Any = compose(settings, gateway=app.gateway, timers=app.timers, tokens=app.board.tokens).store
    assert store._numbers.candidates("4:+1") == NumberHashes(new, old).candidates("4:+1")
    bare = settings.model_copy(update={"number_hash_key": "", "number_hash_key_previous": ""})
    store = compose(bare, gateway=app.gateway, timers=app.timers, tokens=app.board.tokens).store
    assert store._numbers is None


# Privacy


def test_no_number_is_in_a_path_a_query_or_a_log(app: App, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        placed(app)
        search(app, {"number": PHONE})
        search(app, {"number": f"{PHONE}x"})
        get(app, "?number=%2B14255550123")
    assert "4255550123" not in caplog.text
    named = [name for path, operations in openapi()["paths"].items() for o in operations.values()
             for name in [path, *(p["name"] for p in o["parameters"])]]  # fmt: skip
    assert [name for name in named if "number" in name.lower()] == []


def test_the_list_says_where_a_search_by_number_has_gone(app: App) -> None:
    told = assert_refused(get(app, "?number=%2B14255550123"), 400, "number")
    assert "POST /api/calls/search" in told["remedy"]


def test_the_search_needs_a_function_key() -> None:
    (route,) = [route for route in http_routes() if route.name == "search_calls"]
    assert (route.auth_level, route.methods, route.template) == ("function", ("POST",), "calls/search")


# The document


@pytest.mark.parametrize("names", [(), ("number",), ("server_call_id",), ("number", "recording_id")], ids=str)
def test_the_document_says_that_exactly_one_thing_is_searched_for(names: tuple[str, ...]) -> None:
    body = dict.fromkeys(names, PHONE)
    judge: jsonschema_rs.Draft202012Validator = validator("#/components/schemas/SearchCalls")
    assert judge.is_valid(json.loads(json.dumps(body))) is (len(names) == 1)
