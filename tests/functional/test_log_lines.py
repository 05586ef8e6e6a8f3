"""What comes from outside reaches the log as part of one bounded line."""

from __future__ import annotations

import json
import logging
from urllib.parse import quote

import pytest

from shared.calls import FLOWS, Call, Flow
from shared.logs import MOST_CHARACTERS
from tests.functional.app import App, incoming_call

FORGED = "7\n[2026-11-27T12:00:00.000Z] closed call=of-somebody-else outcome=completed\x1b[2J"
LONG = "x" * 100_000


async def talkative(call: Call) -> None:
    """Logs what somebody has typed."""
    call.log(FORGED, text=FORGED)


def test_no_line_is_forged_and_none_grows(
    app: App, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG, "switchboard")
    monkeypatch.setitem(FLOWS, "reception", Flow("reception", talkative))
    for text in (FORGED, LONG):
        app.ring(incoming_call(event_id=text, event_type="Microsoft.Communication.Other"))
        app.ring(incoming_call(event_id=text, event_type=text))
        app.ring(incoming_call(event_id=text, data={"to": text}))
        app.queue(json.dumps({"call_id": text, "seq": 1, "due": 1}))
        app.queue(text)
        app.request("GET", f"https://app.example/api/calls/{quote(text)}")
        app.request("POST", app.board.urls.url(text, "call"), b"[]", {"Authorization": f"Bearer {app.issuer.token()}"})
        app.request("POST", "https://app.example/api/calls/x/signals/y", json.dumps({text: text}).encode())
    app.ring()
    app.run()
    lines = [record.getMessage() for record in caplog.records]
    assert sum("of-somebody-else" in line for line in lines) > 5
    assert any(line.endswith(" characters)") for line in lines)
    assert any(line.startswith("flow reception says") for line in lines)
    assert [line for line in lines if not line.isprintable() or len(line) > MOST_CHARACTERS + 100] == []
