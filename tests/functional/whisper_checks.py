"""What the app makes of an operation that is declared in tests/functional/whisper.py and named nowhere else.

test_one_declaration.py runs this in a process of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from shared.azure.call_automation.sending import Sender, send
from shared.calls import FLOWS, ActionFailed, Braked, Call, Flow
from shared.calls.free_text import texts_of
from shared.calls.gateway.base import Request
from shared.calls.journal import Issued, decode, encode
from shared.calls.record import CallRecord
from shared.calls.rehearsal import Rehearsal
from shared.calls.secrecy import says_a_secret, without_texts
from shared.errors import InvalidInput
from shared.identifiers import Identifier
from shared.web.openapi import openapi
from tests.functional.api import assert_refused, assert_replays, commands, placed, read
from tests.functional.api import send as post
from tests.functional.app import App, functions
from tests.functional.whisper import Whisper, whisper
from tests.unit.brakes.instances import Instances
from tests.unit.recordings.test_app_spans import accepted, event, issued
from tests.unit.recordings.test_app_spans import read as read_spans

AGENT = "+14255550177"
PATH = "/calls/{call_id}/actions/whisper"


class Client:
    """The SDK's client of a call connection, if it could whisper."""

    def __init__(self) -> None:
        self.asked: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})

    def get_call_connection(self, connection_id: str) -> Client:
        return self

    def whisper(self, *words: Any, **named: Any) -> None:
        self.asked = words, named


async def briefing(call: Call) -> None:
    """Tells an agent who calls."""
    try:
        event = await whisper(call, AGENT, "He is a new customer.")
        call.result("briefed", event=event.name)
    except ActionFailed as error:
        call.result("not_briefed", code=error.code, sub_code=error.sub_code)
    await call.ended()


FLOW = Flow("briefing", briefing)


@pytest.fixture
def live(app: App, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A call whose flow whispers."""
    monkeypatch.setitem(FLOWS, "briefing", FLOW)
    call_id = placed(app, flow="briefing")
    app.react()
    yield call_id
    assert_replays(app, call_id)


def result(app: App, call_id: str) -> tuple[str, dict[str, Any]]:
    found = read(app.request("GET", f"/api/calls/{call_id}"), 200)
    return found["result"], found["details"]


def test_the_openapi_document_has_its_route_with_schema_and_example() -> None:
    operation = openapi()["paths"][PATH]["post"]
    assert operation["summary"] == "Call somebody in, who hears some words that the others do not hear."
    body = operation["requestBody"]["content"]["application/json"]
    assert body["example"] == {"target": AGENT, "words": "He is a new customer."}
    schema = openapi()["components"]["schemas"]["Whisper"]
    assert schema["required"] == ["target", "words"]
    validator = jsonschema_rs.Draft202012Validator({**body["schema"], "components": openapi()["components"]})
    validator.validate(body["example"])


def test_it_has_a_function_for_its_events() -> None:
    assert functions()["whisper_events"].get_trigger().route == "callbacks/{call_id}/whisper"


def test_a_rehearsal_knows_its_events() -> None:
    call = Rehearsal(FLOW)
    call.connect()
    assert call.expect(Whisper).words == "He is a new customer."
    call.event("WhisperStarted", Whisper)
    call.done(Whisper)
    assert (call.result, call.details) == ("briefed", {"event": "WhisperCompleted"})


def test_a_rehearsal_can_let_it_fail() -> None:
    call = Rehearsal(FLOW)
    call.connect()
    call.fail(Whisper, code=400, sub_code=8523)
    assert (call.result, call.details) == ("not_briefed", {"code": 400, "sub_code": 8523})


def test_its_event_ends_it_in_a_call(app: App, live: str) -> None:
    request = app.gateway.sent[-1]
    assert isinstance(request.action, Whisper)
    assert (request.action.timeout, request.action.family) == (20.0, "whisper")
    url = request.operation_callback_url or ""
    assert url.partition("?")[0].endswith(f"/callbacks/{live}/whisper")
    for name in ("WhisperStarted", "WhisperCompleted"):
        assert result(app, live)[0] == ""
        assert app.call_back(url, app.wire.event(name, request.operation_context)).status_code == 200
    assert result(app, live) == ("briefed", {"event": "WhisperCompleted"})


def test_its_failure_reaches_the_flow_with_its_code(app: App, live: str) -> None:
    request = app.gateway.sent[-1]
    event = app.wire.event("WhisperFailed", request.operation_context, (400, 8523, "no"))
    app.call_back(request.operation_callback_url or "", event)
    assert result(app, live) == ("not_briefed", {"code": 400, "sub_code": 8523})


def test_its_events_are_taken_at_no_other_action_s_url_and_no_other_event_at_its_own(app: App, live: str) -> None:
    context = app.gateway.sent[-1].operation_context
    for family, name in (("play", "WhisperCompleted"), ("whisper", "PlayCompleted")):
        answer = app.call_back(app.board.urls.url(live, family), app.wire.event(name, context))
        assert_refused(answer, 400, "[0].type")


def test_it_is_done_over_http_once_for_a_key_and_stands_in_the_journal(app: App, live: str) -> None:
    body = {"target": AGENT, "words": "She waits."}
    for outcome in ("advanced", "duplicate"):
        assert read(post(app, f"/{live}/actions/whisper", body, key="k"), 202)["outcome"] == outcome
    (entry,) = commands(app, live)
    assert entry["action"] == {"kind": "whisper", "target": f"4:{AGENT}", "words": "She waits."}
    stored = decode(json.dumps(entry))
    assert isinstance(stored, Issued)
    assert stored.action == Whisper(target=Identifier.parse(AGENT), words="She waits.")
    assert json.loads(encode(stored)) == entry
    assert app.kinds == ["create_call", "whisper", "whisper"]


def test_what_the_service_would_refuse_is_refused_before_it_is_sent(app: App, live: str) -> None:
    assert_refused(post(app, f"/{live}/actions/whisper", {"target": AGENT}), 400, "words")
    target = Identifier.parse(AGENT)
    with pytest.raises(InvalidInput, match="is the caller"):
        Whisper(target=target, words="x").check(target)


def test_the_gateway_sends_it_by_its_own_call() -> None:
    client: Any = Client()
    action = Whisper(target=Identifier.parse(AGENT), words="She waits.")
    request = Request("call", 1, 0, action, "context", "url", "own url", 1_790_000_000_000, "connection", "server", "")
    send(action, request, Sender(client, None, "en-US-JennyNeural", "en-US"))
    (words, named) = client.asked
    assert words == (f"4:{AGENT}", "She waits.")
    assert (named["operation_context"], named["operation_callback_url"]) == ("context", "own url")
    assert named["headers"]["Repeatability-Request-ID"] == str(request.repeatability_id)


# What it may cost, whom it concerns, and what of it is secret


def braked(switches: str, target: str, targets: int = 20) -> str:
    instances = Instances()
    brakes = instances.one(targets=targets)
    instances.rows.put("switches", switches)
    brakes.refresh()
    try:
        brakes.check(CallRecord("call", callee="4:+18005550199"), Whisper(target=Identifier.parse(target), words="x"))
    except Braked as error:
        return error.code
    return ""


def test_the_brakes_hold_it_back_like_whatever_calls_somebody() -> None:
    off = '{"by": "Ada", "at": 1}'
    assert braked("{}", AGENT) == ""
    assert braked("{}", "+19005550123") == "number_not_allowed"
    assert braked("{}", AGENT, targets=0) == "too_many_targets"
    assert braked(f'{{"outbound_off": {off}}}', AGENT) == "outbound_off"
    assert braked(f'{{"numbers_off": {{"{AGENT}": {off}}}}}', AGENT) == "number_off"


def test_the_call_is_found_by_the_number_of_who_is_called(app: App, live: str) -> None:
    assert app.store.peek(live).others == (f"4:{AGENT}",)


def test_a_call_with_somebody_in_it_who_is_never_recorded_is_not_recorded() -> None:
    async def records(call: Call) -> None:
        call.result(str(await call.may_record()))
        whisper(call, AGENT, "x")
        call.result(str(await call.may_record()))
        await call.ended()

    for listed, may in ((AGENT, "False"), ("+14255550178", "True")):
        rehearsal = Rehearsal(Flow("records", records), do_not_record=[listed])
        rehearsal.connect()
        assert rehearsal.result == may


def test_its_words_are_encrypted_if_they_are_secret_and_are_left_out_where_they_hold_one() -> None:
    action = Whisper(target=Identifier.parse(AGENT), words="Her PIN is 4929.", secret=True)
    assert says_a_secret(action)
    assert texts_of(action) == {"words": "Her PIN is 4929."}
    assert without_texts(action) == Whisper(target=Identifier.parse(AGENT), words="secret", secret=True)


def test_a_flow_that_ends_without_waiting_for_it_is_told() -> None:
    async def careless(call: Call) -> None:
        whisper(call, AGENT, "He is a new customer.")

    rehearsal = Rehearsal(Flow("careless", careless))
    with pytest.raises(AssertionError, match="the flow ends while its whisper goes on"):
        rehearsal.connect()


def test_the_quality_report_shows_when_it_was_heard() -> None:
    action = Whisper(target=Identifier.parse(AGENT), words="x")
    heard = (event(3, "WhisperStarted"), event(5, "WhisperCompleted"))
    assert read_spans(issued(1, action), accepted(2), *heard) == [("prompt", 3.0, 5.0, None)]
