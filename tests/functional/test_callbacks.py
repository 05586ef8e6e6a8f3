"""What one callback must bring: signature, token, an event of its action, and not too many bytes."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from handlers.callbacks import _events
from shared.errors import MalformedEvent
from tests.functional.app import App, problem
from tests.unit.calls.world import Wire

MEGABYTE = 1_048_576


def body(*names: str) -> bytes:
    wire = Wire()
    data: dict[str, Any] = {"recognitionType": "dtmf", "state": "active", "recordingId": "r"}
    return json.dumps([wire.event(name, **data) for name in names]).encode()


def call_back(app: App, url: str, token: str | None = "good", event: str = "SomethingNew") -> tuple[int, int]:
    """Status of the response, and how many entries the call got by it."""
    call_id = app.gateway.sent[-1].call_id
    before = len(app.store.load(call_id).journal)
    headers = {} if token is None else {"Authorization": f"Bearer {app.issuer.token() if token == 'good' else token}"}
    content = json.dumps([app.wire.event(event, recognitionType="dtmf")]).encode()
    response = app.request("POST", url, content, headers)
    return response.status_code, len(app.store.load(call_id).journal) - before


def test_only_a_signed_url_with_the_services_token_brings_events(app: App) -> None:
    app.ring()
    call_id = app.gateway.sent[-1].call_id
    urls = app.board.urls
    assert call_back(app, urls.url(call_id, "call")) == (200, 1)
    assert call_back(app, urls.url(call_id, "play")) == (200, 1)
    assert call_back(app, urls.url(call_id, "play"), event="RecognizeCompleted") == (400, 0)
    assert call_back(app, urls.url(call_id, "call"), token=None) == (401, 0)
    assert call_back(app, urls.url(call_id, "call"), token="bad") == (401, 0)
    assert call_back(app, urls.url(call_id, "call").partition("?")[0]) == (403, 0)
    assert call_back(app, urls.url(call_id, "play").replace("/play", "")) == (403, 0)
    other = urls.url("f" * 32, "call").replace("f" * 32, call_id)
    assert call_back(app, other) == (403, 0)


def test_who_has_neither_signature_nor_token_learns_nothing_of_the_call(app: App) -> None:
    app.ring()
    for call_id in (app.gateway.sent[-1].call_id, "f" * 32):
        response = app.request("POST", f"https://app.example/api/callbacks/{call_id}", body("SomethingNew"))
        assert (response.status_code, problem(response)["title"]) == (403, "Refused")


def test_what_of_an_event_cannot_be_read_is_told(app: App, caplog: pytest.LogCaptureFixture) -> None:
    app.ring()
    call_id = app.gateway.sent[-1].call_id
    caplog.set_level(logging.WARNING)
    wire = Wire()
    event = wire.event("PlayFailed", f"{call_id}:0:0", resultInformation="odd")
    event["data"]["resultInformation"] = "odd"
    url = app.board.urls.url(call_id, "call")
    headers = {"Authorization": f"Bearer {app.issuer.token()}"}
    assert app.request("POST", url, json.dumps([event]).encode(), headers).status_code == 200
    assert "PlayFailed" in caplog.text


@pytest.mark.parametrize(
    ("family", "names"),
    [
        ("call", ["CallConnected", "PlayCompleted", "RecognizeCompleted", "SomethingNew"]),
        ("play", ["PlayCompleted", "PlayFailed", "SomethingNew"]),
        ("play-to-all", ["PlayCompleted"]),
        ("recognize", ["RecognizeCompleted"]),
        ("recording", ["RecordingStateChanged"]),
        ("a-family-of-before", ["PlayCompleted"]),
    ],
)
def test_events_of_its_actions_are_taken(family: str, names: list[str]) -> None:
    assert [event.name for event in _events(body(*names), family)] == names


@pytest.mark.parametrize(
    ("family", "names", "field", "problem"),
    [
        ("play", ["RecognizeCompleted"], "[0].type", "RecognizeCompleted is not an event of play."),
        ("play", ["PlayCompleted", "CallConnected"], "[1].type", "CallConnected is not an event of play."),
        ("recording", ["PlayCompleted"], "[0].type", "PlayCompleted is not an event of recording."),
        ("call", [], "body", "has no event."),
    ],
)
def test_others_are_refused(family: str, names: list[str], field: str, problem: str) -> None:
    with pytest.raises(MalformedEvent) as caught:
        _events(body(*names), family)
    assert (caught.value.field, caught.value.problem) == (field, problem)


def test_a_body_has_a_megabyte_at_most() -> None:
    given = body("SomethingNew")
    assert len(_events(given + b" " * (MEGABYTE - len(given)), "call")) == 1
    with pytest.raises(MalformedEvent, match="has 1048577 bytes, more than 1048576"):
        _events(given + b" " * (MEGABYTE + 1 - len(given)), "call")
