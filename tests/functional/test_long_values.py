"""Values from outside of any length: refused with the field, not handed to the storage and asked for again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.errors import InvalidInput
from shared.identifiers import Identifier
from tests.functional.app import App, incoming_call, problem

ASKED: dict[str, dict[str, Any]] = {
    "calls/search": {"number": "+14255550123"},
    "people/export": {"number": "+14255550123"},
    "people/erase": {"number": "+14255550123"},
}


@pytest.mark.parametrize("path", ASKED)
@pytest.mark.parametrize("start", ["", "hash ", "day 2026-11-27 "])
def test_a_position_in_a_body_has_1024_characters_at_most(app: App, path: str, start: str) -> None:
    def ask(length: int) -> Any:
        body = {**ASKED[path], "after": start.ljust(length, "x")}
        return app.request("POST", f"https://app.example/api/{path}", json.dumps(body).encode())

    refused = ask(1025)
    assert (refused.status_code, problem(refused)["field"]) == (400, "after")
    assert len(refused.get_body()) < 500
    assert ask(1024).status_code == (400 if path.startswith("people") and not start else 200)


@pytest.mark.parametrize("path", ["calls", "reports", "recordings", "notifications/dead-letters"])
def test_a_position_in_a_query_has_1024_characters_at_most(app: App, path: str) -> None:
    refused = app.request("GET", f"https://app.example/api/{path}?after={'x' * 1025}")
    assert (refused.status_code, problem(refused)["field"]) == (400, "after")
    assert len(refused.get_body()) < 500
    if path == "calls":  # the others ask a storage that is not there
        assert app.request("GET", f"https://app.example/api/{path}?after={'x' * 1024}").status_code == 200


LONG_ID = "8:acs:".ljust(1025, "x")


def test_an_identifier_has_1024_characters_at_most() -> None:
    assert Identifier.parse(LONG_ID[:1024]).raw_id == LONG_ID[:1024]
    with pytest.raises(InvalidInput, match="1024"):
        Identifier.parse(LONG_ID)


@pytest.mark.parametrize(
    "number", ["+1\u0664\u0662\u0665\u0665\u0665\u0665\u0660\u0661\u0660\u0660", "+1425555010\uff10"]
)
def test_a_number_is_written_in_ascii_digits(number: str) -> None:
    """Others mean the same to a reader, and would be another number to every list and limit."""
    with pytest.raises(InvalidInput):
        Identifier.parse(number)
    assert Identifier.parse(f"4:{number[1:]}").key == f"4:{number[1:]}"


@pytest.mark.parametrize(
    "long",
    [
        {"incomingCallContext": "x" * 32_769},
        {"correlationId": "x" * 4097},
        {"to": {"rawId": LONG_ID}},
        {"from": {"rawId": LONG_ID}},
    ],
    ids=lambda long: next(iter(long)),
)
def test_a_ring_that_no_row_can_hold_is_dropped_once_and_logged(
    app: App, long: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    app.ring(incoming_call(data={**incoming_call().get_json(), **long}))
    assert app.gateway.sent == []
    assert "malformed event" in caplog.text
