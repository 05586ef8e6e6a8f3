"""The HTTP API through its functions. tests.functional.app holds every response against OpenAPI too."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.calls import FLOWS, ActionRefused, Call, Flow, actions
from shared.calls.gateway.memory import refuse
from shared.calls.store.base import Listed
from shared.composition.board import compose
from shared.errors import StoreUnavailable
from shared.identifiers import Identifier
from shared.text_rows import MemoryTextRows
from tests.functional.api import (
    BODIES,
    OTHER_PHONE,
    OURS,
    PHONE,
    PLACE,
    USER,
    assert_refused,
    assert_replays,
    ended,
    get,
    journal,
    live,
    placed,
    read,
    send,
)
from tests.functional.app import CALLER, App, functions, problem
from tests.functional.described import described

pytestmark = pytest.mark.usefixtures("tested_flows")


# Placing


def test_a_call_is_placed_with_its_flow_and_found_at_its_location(app: App) -> None:
    answer = send(app, "", {**PLACE, "display_name": "Contoso", "input": {"ticket": 17}})
    call_id = read(answer, 201)["id"]
    assert answer.headers["Location"] == f"/api/calls/{call_id}"
    (request,) = app.gateway.sent
    target, caller_id = Identifier.parse(PHONE), Identifier.parse(OURS)
    assert request.action == actions.CreateCall(targets=(target,), caller_id=caller_id, display_name="Contoso")
    view = read(app.request("GET", answer.headers["Location"]), 200)
    assert (view["flow"], view["direction"], view["status"]) == ("desk", "outbound", "connecting")
    assert (view["caller"], view["callee"]) == (f"4:{OURS}", f"4:{PHONE}")
    assert journal(app, call_id)[0]["input"] == {"ticket": 17}


def test_several_targets_make_a_group_call_with_live_audio_and_words(app: App) -> None:
    media = {"media_streaming": {"channel": "unmixed", "start": True}, "transcription": {"locale": "en-US"}}
    placed(app, targets=[USER, PHONE], **media)
    action = app.gateway.sent[0].action
    assert isinstance(action, actions.CreateCall)
    assert [target.raw_id for target in action.targets] == [USER, f"4:{PHONE}"]
    assert action.media_streaming == actions.MediaStreaming(channel="unmixed", start=True)
    assert action.transcription == actions.Transcription(locale="en-US")


@pytest.mark.parametrize("kind", ["server_call", "group_call", "room"])
def test_a_call_that_goes_on_already_can_be_joined(app: App, kind: str) -> None:
    read(send(app, "", {"flow": "desk", "connect": {"kind": kind, "id": "x-1"}}), 201)
    assert app.gateway.sent[0].action == actions.Connect.model_validate({"locator": {"kind": kind, "id": "x-1"}})


def test_a_flow_that_opens_its_calls_does_so(app: App) -> None:
    call_id = read(send(app, "", {"flow": "dialler", "input": {"whom": PHONE}}), 201)["id"]
    app.react()
    assert app.kinds == ["create_call", "play"]
    assert_replays(app, call_id)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"targets": [PHONE], "caller_id": OURS}, "flow"),
        ({**PLACE, "flow": "nobody"}, "flow"),
        ({"flow": "desk", "targets": [PHONE]}, "caller_id"),
        ({"flow": "desk", "targets": [USER, PHONE]}, "caller_id"),
        ({**PLACE, "caller_id": USER}, "caller_id"),
        ({"flow": "desk"}, "targets"),
        ({"flow": "desk", "targets": []}, "targets"),
        ({**PLACE, "targets": ["5550123"]}, "targets.0"),
        ({**PLACE, "targets": PHONE}, "targets"),
        ({**PLACE, "colour": "red"}, "colour"),
        ({**PLACE, "connect": {"kind": "room", "id": "r"}}, "connect"),
        ({"flow": "desk", "caller_id": OURS, "connect": {"kind": "room", "id": "r"}}, "connect"),
        ({"flow": "desk", "connect": {"kind": "line", "id": "r"}}, "connect.kind"),
        ({"flow": "dialler", "targets": [PHONE], "caller_id": OURS}, "targets"),
        ([], "body"),
        (b"{", "body"),
        (b"", "flow"),
    ],
    ids=str,
)
def test_a_call_that_cannot_be_placed_is_refused_with_the_field_and_what_to_do(app: App, body: Any, field: str) -> None:
    assert_refused(send(app, "", body), 400, field)
    assert app.gateway.sent == []
    assert list(app.store.open_calls()) == []


def test_a_refusal_to_place_is_told_not_what_was_refused_before_it(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    async def looking_up(call: Call) -> None:
        with suppress(ActionRefused):
            await call.run(lambda: 1 / 0)
        await call.create_call(PHONE, caller_id=OURS)

    monkeypatch.setitem(FLOWS, "looking_up", Flow("looking_up", looking_up, opens=True))
    app.gateway._answer = refuse(400, "8523", "no such number")
    told = read(send(app, "", {"flow": "looking_up"}), 422)
    assert told["code"] == "8523"
    assert "create_call" in told["detail"]


@pytest.mark.parametrize(("status", "answered"), [(400, 422), (403, 422), (500, 502), (503, 502)])
def test_a_call_that_the_service_refuses_to_place_is_told_with_its_code(app: App, status: int, answered: int) -> None:
    app.gateway._answer = refuse(status, "8523", "no such number")
    for _ in range(2):
        told = read(send(app, "", PLACE, key="k"), answered)
        assert told["code"] == "8523"
    assert app.kinds == ["create_call"]


# Idempotency


def test_the_same_key_places_one_call(app: App) -> None:
    first = read(send(app, "", PLACE, key="order-17"), 201)
    assert first["outcome"] == "claimed"
    again = read(send(app, "", PLACE, key="order-17"), 200)
    assert again == {"id": first["id"], "outcome": "duplicate"}
    app.react()
    send(app, f"/{first['id']}/actions/hang_up")
    app.react()
    assert read(send(app, "", PLACE, key="order-17"), 200) == again  # and when the call is over, too
    assert app.kinds == ["create_call", "hang_up"]


def test_another_key_or_none_places_another_call(app: App) -> None:
    ids = {read(send(app, "", PLACE, key=key), 201)["id"] for key in ("a", "b", None, None)}
    assert len(ids) == 4


@pytest.mark.parametrize("change", [{"targets": [OTHER_PHONE]}, {"input": 1}, {"display_name": "x"}], ids=str)
def test_a_key_that_comes_back_with_another_call_is_refused(app: App, change: dict[str, Any]) -> None:
    read(send(app, "", PLACE, key="k"), 201)
    assert_refused(send(app, "", {**PLACE, **change}, key="k"), 409, "Idempotency-Key")
    assert app.kinds == ["create_call"]


def test_a_call_whose_instance_died_before_it_was_listed_is_listed_by_the_next_try(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(app.store, "index", lambda record: (_ for _ in ()).throw(StoreUnavailable("down")))
        answer = send(app, "", PLACE, key="k")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert list(app.store.open_calls()) == []
    call_id = read(send(app, "", PLACE, key="k"), 200)["id"]
    assert list(app.store.open_calls()) == [call_id]
    assert app.kinds == ["create_call"]


@pytest.mark.parametrize("path", ["", "/{}/actions/play", "/{}/signals/say"])
@pytest.mark.parametrize("key", ["", "k" * 201], ids=["empty", "long"])
def test_a_key_that_is_none_is_refused(app: App, path: str, key: str) -> None:
    body = {"": PLACE, "/{}/actions/play": BODIES["play"]}.get(path, {})
    call_id = live(app)
    assert_refused(send(app, path.format(call_id), body, key=key), 400, "Idempotency-Key")
    assert app.kinds == ["create_call"]


# Lists


def test_calls_are_listed_page_by_page_without_loss_or_repeat(app: App) -> None:
    ids = [placed(app) for _ in range(7)]
    for limit in (1, 2, 3, 7, 100):
        seen: list[str] = []
        after = ""
        while True:
            page = read(get(app, f"?limit={limit}&after={after}"), 200)
            assert len(page["calls"]) <= limit
            seen += [call["id"] for call in page["calls"]]
            if page["next"] is None:
                break
            after = page["next"]
        assert sorted(seen) == sorted(ids)
        starts = [app.store.peek(call_id).started_at for call_id in seen]
        assert starts == sorted(starts, reverse=True)


def test_new_calls_do_not_disturb_who_reads_on(app: App) -> None:
    old = {placed(app) for _ in range(4)}
    app.clock.pass_seconds(0.01)
    first = read(get(app, "?limit=2"), 200)
    app.clock.pass_seconds(0.01)
    placed(app)
    rest = read(get(app, f"?after={first['next']}"), 200)
    assert {call["id"] for page in (first, rest) for call in page["calls"]} == old


def test_a_list_says_how_calls_stand_now(app: App) -> None:
    over = ended(app)
    up = live(app)
    new = placed(app)
    app.ring()
    ringing = app.call_ids[-1]
    by_status = {
        status: [call["id"] for call in read(get(app, f"?status={status}"), 200)["calls"]]
        for status in ("ringing", "connecting", "connected", "ended")
    }
    assert by_status == {"ringing": [ringing], "connecting": [new], "connected": [up], "ended": [over]}
    everything = {call["id"]: call["status"] for call in read(get(app), 200)["calls"]}
    assert everything == {ringing: "ringing", new: "connecting", up: "connected", over: "ended"}


def test_calls_are_listed_by_day(app: App) -> None:
    today = datetime.now(UTC).strftime("%Y-%m-%d")
    call_id = placed(app)
    app.clock.pass_seconds(86_400)
    tomorrow = placed(app)
    assert [c["id"] for c in read(get(app, f"?day={today}"), 200)["calls"]] == [call_id]
    (row,) = read(get(app, f"?day={app.store.peek(tomorrow).started_at and _day(app, tomorrow)}"), 200)["calls"]
    assert row["id"] == tomorrow
    assert read(get(app, "?day=2020-02-29"), 200) == {"calls": [], "next": None}


def _day(app: App, call_id: str) -> str:
    return datetime.fromtimestamp(app.store.peek(call_id).started_at / 1000, UTC).strftime("%Y-%m-%d")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("day=yesterday", "day"),
        ("day=2026-13-01", "day"),
        ("day=20261123", "day"),
        ("day=2026-02-30", "day"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("status=busy", "status"),
        ("number=%2B14255550123", "number"),
        ("number=", "number"),
    ],
)
def test_a_list_that_cannot_be_made_is_refused(app: App, query: str, field: str) -> None:
    assert_refused(get(app, f"?{query}"), 400, field)


def test_a_list_of_calls_that_go_on_costs_no_read_for_each(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        app.ring(correlation_id=f"c-{number}", context=f"context-{number}")
    monkeypatch.setattr(app.store, "peek", None)
    monkeypatch.setattr(app.store, "peek_all", None)
    monkeypatch.setattr(app.store, "load", None)
    assert len(read(get(app, "?status=ringing"), 200)["calls"]) == 20


def test_nothing_that_is_shown_holds_the_incoming_call_context(app: App) -> None:
    app.ring()
    (call_id,) = app.call_ids
    for path in ("", f"/{call_id}", f"/{call_id}/journal", f"/{call_id}/participants"):
        body = get(app, path).get_body()
        assert CALLER.encode() in body or path.endswith("participants")
        assert b"opaque-incoming-call-context" not in body


# Looking


def test_a_call_can_be_looked_at_while_it_goes_on_and_afterwards(app: App) -> None:
    call_id = live(app)
    view = read(get(app, f"/{call_id}"), 200)
    assert view["started_at"] <= view["connected_at"]
    assert (view["ended_at"], view["outcome"]) == (0, "")
    assert view["entries"] == len(journal(app, call_id))
    send(app, f"/{call_id}/actions/hang_up")
    app.react()
    view = read(get(app, f"/{call_id}"), 200)
    assert (view["status"], view["outcome"], view["code"], view["sub_code"]) == ("ended", "hung_up", 200, 7000)


def test_the_journal_is_told_oldest_first(app: App) -> None:
    entries = journal(app, ended(app))
    assert [entry["entry"] for entry in entries] == [
        "started", "issued", "event", "event", "issued", "event", "issued", "answered",
    ]  # fmt: skip
    assert [entry["at"] for entry in entries] == sorted(entry["at"] for entry in entries)


def test_participants_are_those_of_the_newest_update(app: App) -> None:
    call_id = live(app)
    assert read(get(app, f"/{call_id}/participants"), 200) == {"participants": []}

    def update(number: int, muted: bool) -> None:
        here = [
            {"identifier": {"kind": "communicationUser", "rawId": USER, "communicationUser": {"id": USER}},
             "isMuted": muted, "isOnHold": True},
        ]  # fmt: skip
        event = app.wire.event("ParticipantsUpdated", participants=here, sequenceNumber=number)
        assert app.call_back(app.gateway.sent[0].callback_url, event).status_code == 200

    update(5, True)
    update(4, False)
    expected = {"participants": [{"raw_id": USER, "muted": True, "on_hold": True}]}
    assert read(get(app, f"/{call_id}/participants"), 200) == expected


def test_participants_are_told_by_an_instance_that_has_not_heard_the_newest_update(app: App) -> None:
    call_id = live(app)
    other = compose(
        app.board.settings, store=app.store, gateway=app.gateway, timers=app.timers, brake_rows=MemoryTextRows()
    )
    assert other.conductor.open_operations(call_id) == []  # it holds the call in memory now
    here = [{"identifier": {"rawId": USER, "communicationUser": {"id": USER}}, "isMuted": False, "isOnHold": False}]
    event = app.wire.event("ParticipantsUpdated", participants=here, sequenceNumber=5)
    app.call_back(app.gateway.sent[0].callback_url, event)
    assert [participant.raw_id for participant in other.service.participants(call_id).participants] == [USER]


@pytest.mark.parametrize("call_id", ["nobody", "a%2Fb", "a%23b", "%5C", "%09", "x" * 2000])
@pytest.mark.parametrize("path", ["", "/journal", "/participants"])
def test_a_call_that_nobody_knows_is_not_found(app: App, path: str, call_id: str) -> None:
    answer = get(app, f"/{call_id}{path}")
    assert answer.status_code == 404
    assert problem(answer)["title"] == "Unknown call"


@pytest.mark.parametrize("call_id", ["nobody", "a%2Fb", "a%23b", "%5C", "%09", "x" * 2000])
@pytest.mark.parametrize("path", ["/actions/hang_up", "/signals/say"])
def test_nothing_can_be_done_on_a_call_that_nobody_knows(app: App, path: str, call_id: str) -> None:
    answer = send(app, f"/{call_id}{path}")
    assert answer.status_code == 404
    assert problem(answer)["title"] == "Unknown call"


# Errors


Request_ = tuple[str, str, Any]
REQUESTS: dict[str, Callable[[str], Request_]] = {
    "place": lambda call_id: ("POST", "/api/calls", PLACE),
    "list": lambda call_id: ("GET", "/api/calls", None),
    "search": lambda call_id: ("POST", "/api/calls/search", {"server_call_id": "c2VydmVy"}),
    "get": lambda call_id: ("GET", f"/api/calls/{call_id}", None),
    "journal": lambda call_id: ("GET", f"/api/calls/{call_id}/journal", None),
    "act": lambda call_id: ("POST", f"/api/calls/{call_id}/actions/hold", {}),
    "signal": lambda call_id: ("POST", f"/api/calls/{call_id}/signals/say", {}),
}
every_request = pytest.mark.parametrize("request_of", REQUESTS.values(), ids=REQUESTS)


class Broken:
    """A store of which nothing works."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, name: str) -> Any:
        def fail(*args: Any, **options: Any) -> Iterator[Listed]:
            raise self.error

        return fail


@every_request
@pytest.mark.parametrize(
    ("error", "status"), [(StoreUnavailable("account key=secret"), 503), (RuntimeError("key=secret"), 500)], ids=str
)
def test_a_failure_is_told_without_its_insides(
    app: App,
    monkeypatch: pytest.MonkeyPatch,
    request_of: Callable[[str], Request_],
    error: Exception,
    status: int,
) -> None:
    method, url, body = request_of(live(app))
    app.board.conductor._cache._calls.clear()
    monkeypatch.setattr(app.board.conductor, "_store", Broken(error))
    object.__setattr__(app.board, "store", Broken(error))
    answer = app.request(method, url, b"" if body is None else json.dumps(body).encode())
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == ("1" if status == 503 else None)
    told = problem(answer)
    assert {"type", "title", "status", "detail"} <= told.keys()
    assert "secret" not in json.dumps(told)
    assert "Traceback" not in json.dumps(told)


def test_every_route_of_the_api_needs_a_function_key_and_is_described() -> None:
    api = [f for f in functions().values() if f.is_http_function() and f.get_trigger().route.startswith("calls")]
    assert len(api) == 8
    for function in [*api, functions()["openapi"]]:
        assert str(getattr(function.get_trigger().auth_level, "value", function.get_trigger().auth_level)) == "function"
    assert described("GET", "/api/calls/x/journal") is not None


def test_the_document_is_served(app: App) -> None:
    answer = app.request("GET", "/api/openapi.json")
    assert answer.mimetype == "application/json"
    assert read(answer, 200)["info"]["title"] == "Switchboard"
