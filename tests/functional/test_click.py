"""The call-me button over HTTP: what a page and its owner may ask for, from a token to the call of the two."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from shared.calls import actions
from tests.functional.api import assert_refused, read
from tests.functional.app import App, phone, problem, running
from tests.unit.click.conftest import AGENTS, CUSTOMER, OTHER, OURS, PAGE, SITE


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with running(tmp_path, ALLOWED_PREFIXES="+1", CLICK_PROXIES="0") as one:
        yield one


def put(app: App, name: str = "shop", **changes: Any) -> func.HttpResponse:
    return app.request("PUT", f"/api/click/sites/{name}", json.dumps({**SITE, **changes}).encode())


def made(app: App, **changes: Any) -> dict[str, Any]:
    response = put(app, **changes)
    assert response.status_code in (200, 201), response.get_body()
    return dict(json.loads(response.get_body()))


def post(app: App, path: str, body: Any, **headers: str) -> func.HttpResponse:
    named = {"Origin": PAGE, **{key.replace("_", "-"): value for key, value in headers.items()}}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return app.request("POST", f"/api/click/{path}", content, {k: v for k, v in named.items() if v})


def wish(site: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"token": site["token"], "number": CUSTOMER, "consent": site["consent_version"], **changes}


def ask(app: App, site: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return read(post(app, "calls", wish(site, **changes)), 202)


def status(app: App, request_id: str, origin: str = PAGE) -> func.HttpResponse:
    return app.request("GET", f"/api/click/calls/{request_id}", headers={"Origin": origin})


def test_a_site_is_made_read_changed_listed_and_withdrawn(app: App) -> None:
    site = made(app)
    assert site["script"] == (
        f'<script src="https://app.example/api/click/button.js" data-token="{site["token"]}" defer></script>'
    )
    assert (site["is_open"], site["site"]["limits"]["site_hour"]) == (True, 30)
    assert made(app, company="Fabrikam")["token"] == site["token"]
    assert read(app.request("GET", "/api/click/sites/shop"), 200)["site"]["company"] == "Fabrikam"
    assert [one["name"] for one in read(app.request("GET", "/api/click/sites"), 200)["sites"]] == ["shop"]
    assert app.request("DELETE", "/api/click/sites/shop").status_code == 204
    assert_refused(app.request("DELETE", "/api/click/sites/shop"), 404, "site")
    assert_refused(app.request("GET", "/api/click/sites/shop"), 404, "site")
    assert post(app, "calls", wish(site)).status_code == 403


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"origins": []}, "origins"),
        ({"origins": ["http://www.contoso.com"]}, "origins.0"),
        ({"origins": ["https://www.contoso.com/page"]}, "origins.0"),
        ({"origins": ["*"]}, "origins.0"),
        ({"origins": ["https://a@b.example"]}, "origins.0"),
        ({"countries": []}, "countries"),
        ({"countries": ["XX"]}, "countries.0"),
        ({"agents": []}, "agents"),
        ({"agents": ["anonymous:x"]}, "agents.0"),
        ({"agents": ["4:anonymous"]}, "agents.0"),
        ({"caller_number": "8:acs:1_2"}, "caller_number"),
        ({"consent": ""}, "consent"),
        ({"calendar": "office"}, "calendar"),
        ({"limits": {"site_hour": 0}}, "limits.site_hour"),
        ({"limits": {"site_day": 501}}, "limits.site_day"),
        ({"language": "German!"}, "language"),
        ({"captcha_hook": "http://169.254.169.254/x"}, "captcha_hook"),
        ({"captcha_hook": "https://127.0.0.1/x"}, "captcha_hook"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_what_is_wrong_with_a_site_is_named(app: App, changes: dict[str, Any], field: str) -> None:
    assert_refused(put(app, **changes), 400, field)


def test_a_name_of_a_site_is_a_part_of_its_url(app: App) -> None:
    assert_refused(put(app, "My%20Shop"), 400, "site")


def test_origins_are_kept_as_browsers_send_them(app: App) -> None:
    origins = ["HTTPS://WWW.Contoso.com:443/", "http://localhost:8000", "https://shop.example:8443"]
    kept = made(app, origins=origins)["site"]["origins"]
    assert kept == ["https://www.contoso.com", "http://localhost:8000", "https://shop.example:8443"]


def test_there_can_be_fifty_sites(app: App) -> None:
    for number in range(50):
        assert put(app, f"shop-{number}").status_code == 201
    assert_refused(put(app, "shop-50"), 400, "site")
    assert put(app, "shop-7").status_code == 200


def test_the_page_is_told_what_to_show(app: App) -> None:
    site = made(app, captcha_hook="https://hooks.example/captcha", language="de")
    response = post(app, "button", {"token": site["token"]})
    shown = read(response, 200)
    assert shown.pop("opens_at")
    assert shown == {
        "company": "Contoso",
        "consent": SITE["consent"],
        "consent_version": site["consent_version"],
        "countries": ["US"],
        "language": "de",
        "captcha": True,
        "is_open": True,
    }
    assert response.headers["Access-Control-Allow-Origin"] == PAGE
    assert response.headers["Vary"] == "Origin"
    for secret in (*AGENTS, OURS, "hooks.example"):
        assert secret.encode() not in response.get_body()


def test_a_browser_is_told_which_pages_may_ask(app: App) -> None:
    made(app)
    for path in ("button", "calls", "calls/x/cancel"):
        allowed = app.request("OPTIONS", f"/api/click/{path}", headers={"Origin": PAGE})
        assert allowed.status_code == 204
        assert allowed.headers["Access-Control-Allow-Origin"] == PAGE
        assert allowed.headers["Access-Control-Allow-Headers"] == "Content-Type, Idempotency-Key"
        for origin in ("https://evil.example", ""):
            refused = app.request("OPTIONS", f"/api/click/{path}", headers={"Origin": origin})
            assert (refused.status_code, "Access-Control-Allow-Origin" in refused.headers) == (403, False)


@pytest.mark.parametrize("origin", ["https://evil.example", "https://www.contoso.com.evil.example", "null", ""])
def test_another_page_is_refused_and_reads_nothing(app: App, origin: str) -> None:
    site = made(app)
    for path, body in (("calls", wish(site)), ("button", {"token": site["token"]})):
        refused = post(app, path, body, Origin=origin)
        assert (refused.status_code, "Access-Control-Allow-Origin" in refused.headers) == (403, False)
    assert app.gateway.sent == []


@pytest.mark.parametrize("token", ["", "shop", "shop.guess", "other.guess", "x" * 201])
def test_a_wrong_token_is_refused(app: App, token: str) -> None:
    made(app)
    assert post(app, "calls", {"token": token, "number": CUSTOMER, "consent": "x"}).status_code in (400, 403)


def test_a_call_goes_from_the_page_to_the_two_who_talk(app: App) -> None:
    site = made(app)
    asked = ask(app, site, name="Ada")
    assert (asked["state"], asked["outcome"]) == ("calling_agent", "")
    (placed,) = (request.action for request in app.gateway.sent)
    assert isinstance(placed, actions.CreateCall)
    assert [one.phone_number for one in placed.targets] == [AGENTS[0]]
    response = status(app, asked["id"])
    assert read(response, 200)["state"] == "calling_agent"
    assert response.headers["Access-Control-Allow-Origin"] == PAGE
    assert "Access-Control-Allow-Origin" not in status(app, asked["id"], "https://evil.example").headers
    assert CUSTOMER.encode() not in response.get_body()
    app.react()
    assert app.gateway.sent[-1].action.kind == "recognize"
    assert not any(isinstance(request.action, actions.AddParticipant) for request in app.gateway.sent)


def events(app: App, *told: dict[str, Any]) -> None:
    """The service tells of the newest request of the app."""
    request = app.gateway.sent[-1]
    app.seen = len(app.gateway.performed)  # what comes of it is new
    for event in told:
        own = str(event["type"]).rpartition(".")[2].startswith("Recognize")
        url = request.operation_callback_url if own else request.callback_url
        assert app.call_back(url or request.callback_url, event).status_code == 200


def keyed(app: App, tone: str) -> None:
    context = app.gateway.sent[-1].operation_context
    heard = {"tones": [tone]}
    events(
        app,
        app.wire.event("RecognizeCompleted", context, (200, 8531, ""), recognitionType="dtmf", dtmfResult=heard),
    )


def present(app: App, *numbers: str) -> dict[str, Any]:
    people = [{"identifier": phone(number), "isMuted": False, "isOnHold": False} for number in numbers]
    app.present = getattr(app, "present", 1) + 1  # type: ignore[attr-defined]
    return dict(app.wire.event("ParticipantsUpdated", participants=people, sequenceNumber=app.present))  # type: ignore[attr-defined]


def called(app: App) -> list[str]:
    """Whom the app has called, in order."""
    sent = [request.action for request in app.gateway.sent]
    people = [[one.target] for one in sent if isinstance(one, actions.AddParticipant)]
    return [str(who) for one in sent if isinstance(one, actions.CreateCall) for who in one.targets] + [
        str(who) for targets in people for who in targets
    ]


def test_the_next_agent_is_called_and_the_visitor_after_a_1_and_the_end_is_known(app: App) -> None:
    asked = ask(app, made(app), name="Ada")
    context = app.gateway.sent[-1].operation_context
    events(app, app.wire.event("CreateCallFailed", context, (486, 8539, "busy")))
    assert called(app) == [*AGENTS]
    app.react()  # the second is connected, and is asked
    assert app.gateway.sent[-1].action.kind == "recognize"
    assert called(app) == [*AGENTS]
    keyed(app, "one")
    assert read(status(app, asked["id"]), 200)["state"] == "calling_you"
    app.react()  # "one moment" is played
    assert called(app) == [*AGENTS, CUSTOMER]
    added = app.gateway.sent[-1]
    events(
        app,
        present(app, AGENTS[1], CUSTOMER),
        app.wire.event("AddParticipantSucceeded", added.operation_context, participant=phone(CUSTOMER)),
    )
    assert read(status(app, asked["id"]), 200)["state"] == "connected"
    app.react()
    events(app, present(app, AGENTS[1]))
    app.react()
    assert read(status(app, asked["id"]), 200) | {"at": ""} == {
        "id": asked["id"],
        "state": "ended",
        "outcome": "completed",
        "at": "",
    }


def test_what_was_asked_for_is_listed_with_the_consent(app: App) -> None:
    site = made(app)
    first = ask(app, site, name="Ada")
    ask(app, site, number=OTHER)
    listed = read(app.request("GET", "/api/click/calls?limit=1"), 200)
    (one,) = listed["requests"]
    assert (one["number"], one["name"], one["origin"]) == (CUSTOMER, "Ada", PAGE)
    assert (one["consent"], one["consent_version"]) == (SITE["consent"], site["consent_version"])
    assert listed["figures"] == {"calling_agent": 2}
    assert listed["next"] == first["id"]
    rest = read(app.request("GET", f"/api/click/calls?limit=1&after={listed['next']}"), 200)
    assert ([one["number"] for one in rest["requests"]], rest["next"]) == ([OTHER], None)
    assert read(app.request("GET", "/api/click/calls?site=other"), 200)["requests"] == []
    assert_refused(app.request("GET", "/api/click/calls?day=monday"), 400, "day")


def test_the_same_key_asks_once(app: App) -> None:
    site = made(app)
    first, again = (read(post(app, "calls", wish(site), Idempotency_Key="k"), 202) for _ in range(2))
    assert first["id"] == again["id"]
    assert len(app.gateway.sent) == 1
    other = post(app, "calls", wish(site, number=OTHER), Idempotency_Key="k")
    assert (other.status_code, problem(other)["title"]) == (409, "Key used before")
    assert_refused(post(app, "calls", wish(site), Idempotency_Key="k" * 201), 400, "Idempotency-Key")


def test_a_limit_is_429_and_says_when_to_come_back_to_the_page_that_asked(app: App) -> None:
    site = made(app, limits={"number_hour": 1})
    ask(app, site)
    refused = post(app, "calls", wish(site))
    assert (refused.status_code, problem(refused)["title"]) == (429, "Limit reached")
    assert 3595 <= int(refused.headers["Retry-After"]) <= 3606
    assert refused.headers["Access-Control-Allow-Origin"] == PAGE


def test_what_a_client_says_of_its_address_does_not_count(app: App) -> None:
    site = made(app, limits={"address_hour": 2})
    for number, forged in ((CUSTOMER, "9.9.9.9"), (OTHER, "8.8.8.8, 7.7.7.7")):
        assert (
            post(app, "calls", wish(site, number=number), X_Forwarded_For=f"{forged}, 203.0.113.9:5123").status_code
            == 202
        )
    third = wish(site, number="+14255550188")
    assert post(app, "calls", third, X_Forwarded_For="6.6.6.6, 203.0.113.9:99").status_code == 429
    assert post(app, "calls", third, X_Forwarded_For="203.0.113.9, 203.0.113.10:99").status_code == 202


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"number": "+4930901820"}, 400, "number"),
        ({"number": "nobody"}, 400, "number"),
        ({"number": ""}, 400, "number"),
        ({"name": "https://evil.example"}, 400, "name"),
        ({"at": "2020-01-01T00:00:00Z"}, 400, "at"),
        ({"at": "2026-12-01T10:00:00"}, 400, "at"),
        ({"more": 1}, 400, "more"),
        ({"number": "1" * 41}, 400, "number"),
    ],
)
def test_what_is_wrong_with_a_wish_is_named_to_the_page(
    app: App, changes: dict[str, Any], code: int, field: str
) -> None:
    refused = post(app, "calls", wish(made(app), **changes))
    assert_refused(refused, code, field)
    assert refused.headers["Access-Control-Allow-Origin"] == PAGE
    assert app.gateway.sent == []


def test_an_old_consent_is_a_conflict(app: App) -> None:
    site = made(app)
    made(app, consent="Another text.")
    assert post(app, "calls", wish(site)).status_code == 409


def test_a_number_that_the_app_may_not_call_is_refused_at_once(tmp_path: Path) -> None:
    with running(tmp_path, ALLOWED_PREFIXES="+1206") as app:
        assert_refused(put(app), 400, "agents.0")
        site = made(app, agents=["+12065550142"])
        assert_refused(post(app, "calls", wish(site)), 400, "number")
        assert ask(app, site, number="+12065550143")["state"] == "calling_agent"


def test_who_waits_may_take_it_back(app: App) -> None:
    later = ask(app, made(app), at=_in_an_hour())
    assert later["state"] == "waiting"
    assert app.gateway.sent == []
    cancelled = post(app, f"calls/{later['id']}/cancel", b"")
    assert (read(cancelled, 200)["state"], read(cancelled, 200)["outcome"]) == ("ended", "cancelled")
    assert cancelled.headers["Access-Control-Allow-Origin"] == PAGE


@pytest.mark.parametrize(
    "request_id", ["x", "20261130t090000000000-" + "0" * 32, "..%2F..", "20261130t090000000000-zz"]
)
def test_a_request_that_is_none_is_not_found(app: App, request_id: str) -> None:
    assert status(app, request_id).status_code == 404
    assert post(app, f"calls/{request_id}/cancel", b"").status_code == 404


@pytest.mark.parametrize(("path", "media"), [("button.js", "text/javascript"), ("demo", "text/html")])
def test_script_and_demo_are_static_and_may_be_kept(app: App, path: str, media: str) -> None:
    response = app.request("GET", f"/api/click/{path}")
    assert (response.status_code, response.mimetype) == (200, media)
    assert response.headers["Cache-Control"] == "public, max-age=3600"
    assert response.headers["ETag"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_without_a_key_for_hashes_there_is_no_button(tmp_path: Path) -> None:
    with running(tmp_path, NUMBER_HASH_KEY="") as app:
        assert app.request("GET", "/api/click/sites").status_code == 503


def test_no_number_is_in_a_log_line(app: App, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    site = made(app)
    ask(app, site, name="Ada")
    post(app, "calls", wish(site, number="+4930901820"))
    assert "4255550123" not in caplog.text
    assert "30901820" not in caplog.text
    assert "Ada" not in caplog.text


def _in_an_hour() -> str:
    from datetime import UTC, datetime, timedelta

    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ("9999-12-31T23:59:59-12:00", "is more than 7 days ahead."),
        ("0001-01-01T00:00:00+14:00", "is over."),
    ],
)
def test_a_time_that_no_calendar_of_utc_has_is_refused(app: App, at: str, told: str) -> None:
    found = problem(post(app, "calls", wish(made(app), at=at)))
    assert (found["status"], found["field"], found["detail"]) == (400, "at", told)
