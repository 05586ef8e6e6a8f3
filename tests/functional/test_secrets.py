"""Secrets through the app's functions: what comes in, and what the API, exports and logs say."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.calls import FLOWS, Call, Flow
from shared.calls.afterwards import Told
from shared.calls.record import CallRecord
from shared.recordings.memory import MemoryArchive
from tests.functional.api import TESTED, get, journal, live, placed, read, send
from tests.functional.app import App, problem, running
from tests.functional.test_people import Room
from tests.setting_samples import made_key
from tests.unit.calls.secret_scan import assert_nowhere

CARD = "4929007318466520"
TONES = ["four", "nine", "two", "nine", "zero", "zero", "seven", "three",
         "one", "eight", "four", "six", "six", "five", "two", "zero"]  # fmt: skip


async def card(call: Call) -> None:
    """Asks for a card, and takes another from outside."""
    number = await call.ask_digits("Your card?", max_tones=16, secret=True)
    call.log("got it", card=number)
    call.result("paid", card=number)
    other = await call.signal("card", secret=True)
    await call.play(f"We have {number} and {other['number']}.")


@pytest.fixture(autouse=True)
def flow(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, known in {**TESTED, "card": Flow("card", card)}.items():
        monkeypatch.setitem(FLOWS, name, known)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room()
    parts: dict[str, Any] = {"recordings": room.recordings, "notifications": room.notifications}
    parts |= {"streams": MemoryArchive()}
    with running(tmp_path, **parts, SECRETS_KEY=made_key("secrets")) as room.app:
        yield room


def keyed(app: App) -> str:
    """A call whose caller has keyed the card; its id."""
    call_id = placed(app, flow="card")
    app.react()
    question = app.gateway.sent[-1]
    assert question.action.kind == "recognize"
    heard = {"recognitionType": "dtmf", "dtmfResult": {"tones": TONES}}
    event = app.wire.event("RecognizeCompleted", question.operation_context, (200, 8531, ""), **heard)
    assert app.call_back(question.operation_callback_url or question.callback_url, event).status_code == 200
    return call_id


def test_the_api_an_export_a_notification_and_the_log_do_not_say_what_was_keyed(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    app = room.app
    finished: list[CallRecord] = []
    app.board.conductor.afterwards.closing.append(Told(finished.append))
    call_id = keyed(app)
    signal = {"data": {"number": CARD[::-1]}}
    assert read(send(app, f"/{call_id}/signals/card", signal, key="s-1"), 202)["outcome"] == "advanced"
    assert read(send(app, f"/{call_id}/signals/card", signal, key="s-1"), 202)["outcome"] == "duplicate"
    shown = [journal(app, call_id), read(get(app, f"/{call_id}"), 200), get(app).get_body().decode()]
    assert shown[1]["details"] == {"card": "secret"}  # type: ignore[index]
    app.call_back(app.gateway.sent[0].callback_url, app.wire.event("CallDisconnected"))
    app.later.flush()
    room.later(3600)
    exported = room.ask("export", number="+14255550123")
    assert exported["calls"][0]["call"]["secrets"] == ""
    shown += [journal(app, call_id), exported, app.store.archive, [record.details for record in finished]]
    assert len(finished) == 1
    for digits in (CARD, CARD[::-1]):
        assert_nowhere(digits, shown, caplog.text)
    assert [entry["entry"] for entry in journal(app, call_id) if entry.get("secret")] == ["event", "signal", "issued"]


def test_an_action_of_the_api_may_be_secret(room: Room) -> None:
    call_id = keyed(room.app)
    body = {"prompts": [{"kind": "text", "text": f"It is {CARD}."}], "secret": True}
    read(send(room.app, f"/{call_id}/actions/play", body, key="k-1"), 202)
    assert room.app.gateway.sent[-1].action.kind == "play"
    shown = journal(room.app, call_id)[-1]
    assert (shown["secret"], shown["action"]["prompts"]) == (True, [{"kind": "text", "text": "secret"}])
    assert read(send(room.app, f"/{call_id}/actions/play", body, key="k-1"), 202)["outcome"] == "duplicate"


def test_an_action_that_is_secret_is_refused_where_the_app_has_no_key(app: App) -> None:
    call_id = live(app)
    body = {"prompts": [{"kind": "text", "text": "x"}], "secret": True}
    refused = problem(send(app, f"/{call_id}/actions/play", body))
    assert refused["status"] == 400
    assert "SECRETS_KEY" in json.dumps(refused)
    assert [entry["action"]["kind"] for entry in journal(app, call_id) if entry["entry"] == "issued"] == ["create_call"]


def test_a_flow_that_asks_for_a_secret_fails_where_the_app_has_no_key(app: App) -> None:
    call_id = placed(app, flow="card")
    app.react()
    failure = read(get(app, f"/{call_id}"), 200)["failure"]
    assert failure["error"].startswith("InvalidInput: ask_digits.secret: needs the setting SECRETS_KEY")
    assert failure["where"].startswith("tests/functional/test_secrets.py:")
