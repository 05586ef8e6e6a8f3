"""Masked numbers over the HTTP API. Every response is held against the OpenAPI document as well."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from shared.calls import FLOWS, Call, Flow
from shared.web.openapi import openapi
from tests.functional.api import assert_refused, read
from tests.functional.app import App, problem, running

ADA, BOB, CLEO = "+14255550123", "+14255550142", "+14255550155"
ONE, TWO = "+18005550171", "+18005550172"
LINES = f"""
country: US
numbers:
  - {{number: "{ONE}", label: one, uses: [masking]}}
  - {{number: "{TWO}", label: two, uses: [masking]}}
  - {{number: "+18005550199", label: main}}
"""
PATH = "/api/masking/sessions"


async def hello(call: Call) -> None:
    """Stands for the flow."""


@pytest.fixture
def masked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    lines = tmp_path / "lines.yaml"
    lines.write_text(LINES)
    monkeypatch.setattr("shared.azure.text_rows.TableTextRows.read", lambda self: {})
    with running(tmp_path, LINES_FILE=str(lines)) as app:
        monkeypatch.setitem(FLOWS, "masking", Flow("masking", hello, use="masking"))
        yield app


def ask(app: App, method: str, path: str = "", body: Any = None, **headers: str) -> func.HttpResponse:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return app.request(method, PATH + path, b"" if body is None else json.dumps(body).encode(), headers=named)


def opened(app: App, **more: Any) -> dict[str, Any]:
    return read(ask(app, "POST", "", {"a": ADA, "b": BOB, **more}), 201)


def test_a_session_is_opened_read_listed_changed_and_closed(masked: App) -> None:
    made = opened(masked, label="order 4711", language="de-DE", record=True)
    assert {made["number_for_a"], made["number_for_b"]} <= {ONE, TWO}
    assert re.fullmatch("[0-9]{6}", made["pin_for_a"])
    assert (made["status"], made["screen"], made["sticky"], made["record"]) == ("open", "whisper", True, True)
    path = f"/{made['id']}"
    assert read(ask(masked, "GET", path), 200) == made
    assert read(ask(masked, "GET", "?status=open"), 200) == {"sessions": [made], "next": None}
    assert read(ask(masked, "GET", "?status=closed"), 200) == {"sessions": [], "next": None}
    extended = read(ask(masked, "PATCH", path, {"expires_in": 864_000}), 200)
    assert extended["expires_at"] > made["expires_at"]
    replaced = read(ask(masked, "PATCH", path, {"b": CLEO, "language": "en-US"}), 200)
    assert (replaced["number_for_a"], replaced["language_b"]) == (made["number_for_a"], "en-US")
    assert replaced["pin_for_b"] != made["pin_for_b"]
    for _ in range(2):
        closed = read(ask(masked, "DELETE", path), 200)
        assert (closed["status"], closed["reason"]) == ("closed", "closed")
    assert problem(ask(masked, "PATCH", path, {"expires_in": 60}))["status"] == 409
    assert read(ask(masked, "GET", f"{path}/calls"), 200) == {"calls": [], "next": None}


def test_the_same_key_opens_one_session(masked: App) -> None:
    body = {"a": ADA, "b": BOB}
    first = read(ask(masked, "POST", "", body, Idempotency_Key="order-4711"), 201)
    assert read(ask(masked, "POST", "", body, Idempotency_Key="order-4711"), 200) == first
    reused = ask(masked, "POST", "", {**body, "b": CLEO}, Idempotency_Key="order-4711")
    assert_refused(reused, 409, "Idempotency-Key")
    assert_refused(ask(masked, "POST", "", body, Idempotency_Key="x" * 201), 400, "Idempotency-Key")


def test_no_response_has_a_real_number(masked: App, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    made = opened(masked)
    path = f"/{made['id']}"
    responses = [
        ask(masked, "GET", path),
        ask(masked, "GET"),
        ask(masked, "PATCH", path, {"b": CLEO}),
        ask(masked, "POST", "", {"a": ADA, "b": ADA}),
        ask(masked, "POST", "", {"a": ADA, "b": "425 555 0142"}),
        ask(masked, "POST", "", {"a": ADA, "b": BOB, "label": f"call {BOB}"}),
        ask(masked, "POST", "", {"a": ADA, "b": BOB}),
        ask(masked, "POST", "", {"a": ADA, "b": "+14255550166"}),
        ask(masked, "DELETE", path),
        ask(masked, "GET", f"{path}/calls"),
    ]
    said = " ".join(response.get_body().decode() for response in responses) + caplog.text
    assert not [number for number in (ADA, BOB, CLEO) if number[1:] in said or number[-7:] in said]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"a": ADA}, "b"),
        ({"a": ADA, "b": "+112"}, "b"),
        ({"a": ADA, "b": ONE}, "b"),
        ({"a": ADA, "b": BOB, "expires_in": 59}, "expires_in"),
        ({"a": ADA, "b": BOB, "screen": "song"}, "screen"),
        ({"a": ADA, "b": BOB, "country": "USA"}, "country"),
        ({"a": ADA, "b": BOB, "language_a": "klingon"}, "language_a"),
        ({"a": ADA, "b": BOB, "label": "x" * 61}, "label"),
        ({"a": ADA, "b": BOB, "sms": True}, "sms"),
    ],
)
def test_what_is_wrong_with_a_session_is_named(masked: App, body: dict[str, Any], field: str) -> None:
    assert_refused(ask(masked, "POST", "", body), 400, field)


def test_an_exhausted_pool_says_what_would_do(masked: App) -> None:
    for other in (BOB, CLEO):
        opened(masked, b=other)
    refused = problem(ask(masked, "POST", "", {"a": ADA, "b": "+14255550166"}))
    assert refused["status"] == 409
    assert "A pool of 3 would do" in refused["detail"]


def test_a_session_that_is_none_is_not_found(masked: App) -> None:
    for method, path in (("GET", "/x"), ("DELETE", "/x"), ("GET", "/x/calls")):
        assert_refused(ask(masked, method, path), 404, "session_id")
    assert_refused(ask(masked, "PATCH", "/x", {"expires_in": 60}), 404, "session_id")
    assert_refused(ask(masked, "PATCH", "/x", {"a": ADA, "b": BOB}), 400, "b")
    assert_refused(ask(masked, "GET", "?status=gone"), 400, "status")


def test_the_pool_says_how_many_numbers_would_do(masked: App) -> None:
    for other in (BOB, CLEO):
        opened(masked, b=other)
    pool = read(masked.request("GET", "/api/masking/pool"), 200)
    (country,) = pool["countries"]
    assert (country["country"], sorted(country["numbers"]), country["sessions"]) == ("US", [ONE, TWO], 2)
    assert (country["most_of_one"], country["would_do"], pool["all_sessions"]) == (2, 2, True)


def test_sessions_are_listed_in_pages(masked: App) -> None:
    numbers = [f"+1425555{last}" for last in range(2000, 2010)]
    made = [opened(masked, a=numbers[at], b=numbers[at + 1])["id"] for at in range(0, 10, 2)]
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = read(ask(masked, "GET", f"?limit=2&after={after}"), 200)
        found += [one["id"] for one in page["sessions"]]
        after = page["next"]
    assert sorted(found) == sorted(made)
    assert len(found) == 5


def test_what_is_kept_of_somebody_is_exported_and_erased(masked: App) -> None:
    opened(masked, label="order 4711")
    body = json.dumps({"number": ADA}).encode()
    exported = read(masked.request("POST", "/api/people/export", body), 200)
    assert exported["use_cases"]["masking"]["sessions"][0]["label"] == "order 4711"
    erased = read(masked.request("POST", "/api/people/erase", body), 200)
    assert erased["use_cases"] == {"masking": 2}


def test_without_a_key_for_hashes_none_is_opened_and_people_are_found_as_ever(tmp_path: Path) -> None:
    with running(tmp_path, NUMBER_HASH_KEY="") as app:
        assert ask(app, "POST", "", {"a": ADA, "b": BOB}).status_code == 503
        body = json.dumps({"number": ADA, "days": 1}).encode()
        assert read(app.request("POST", "/api/people/export", body), 200)["use_cases"] == {}


def test_no_route_has_a_number_in_its_path_or_query() -> None:
    for path, operations in openapi()["paths"].items():
        for operation in operations.values():
            names = {one["name"] for one in operation["parameters"] if one["in"] in ("path", "query")}
            assert not names & {"number", "a", "b", "phone", "caller", "callee"}, path


def test_a_language_of_nobody_who_is_brought_in_is_refused(masked: App) -> None:
    made = opened(masked)
    assert_refused(ask(masked, "PATCH", f"/{made['id']}", {"language": "de"}), 400, "language")
    assert_refused(ask(masked, "PATCH", f"/{made['id']}", {"language": "de", "expires_in": 600}), 400, "language")


@pytest.mark.parametrize(
    "digits", ["\u0665\u0665\u0665\u0660\u0661\u0662\u0663", "\uff15\uff15\uff15\uff10\uff11\uff12\uff13", "555-0123"]
)
def test_a_label_tells_no_number_in_whichever_digits(masked: App, digits: str) -> None:
    assert_refused(ask(masked, "POST", "", {"a": ADA, "b": BOB, "label": f"call {digits}"}), 400, "label")
