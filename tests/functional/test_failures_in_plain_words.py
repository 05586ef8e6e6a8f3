"""What a sub-code means reaches the flow, the operator and the log, in words that fit the prompt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from shared.calls import ActionFailed, ActionRefused, Call, CallEnded, NoInput, Prompt, actions, file, ssml, text
from shared.calls.flow import FLOWS, Flow
from shared.calls.gateway.base import Request
from shared.calls.rehearsal import Rehearsal
from shared.events import explain
from tests.functional.app import App

FILE, TEXT = file("https://prompts.example/a.wav"), text("Good morning.")
SSML = ssml("<speak version='1.0' xml:lang='en-US'>Good morning.</speak>")


def failed(*prompts: Prompt, kind: str = "play", code: int = 400, sub_code: int = 8536, **data: Any) -> ActionFailed:
    """What a flow meets when one of its prompts fails."""
    errors: list[ActionFailed] = []

    async def plays(call: Call) -> None:
        try:
            if kind == "play":
                await call.play(*prompts)
            else:
                await call.recognize(*prompts, max_tones=1)
        except ActionFailed as error:
            errors.append(error)

    call = Rehearsal(Flow("plays", plays))
    call.connect()
    of = actions.Play if kind == "play" else actions.Recognize
    call.event(f"{kind.capitalize()}Failed", of, code=code, sub_code=sub_code, **data)
    return errors[0]


@pytest.mark.parametrize("kind", ["play", "recognize"])
@pytest.mark.parametrize("sub_code", [8511, 8535, 8536])
@pytest.mark.parametrize("prompt", [FILE, TEXT, SSML], ids=lambda prompt: prompt.kind)
def test_a_prompt_that_failed_is_explained_by_its_kind(kind: str, sub_code: int, prompt: Prompt) -> None:
    error = failed(prompt, kind=kind, sub_code=sub_code)
    words = explain(400, sub_code, prompt.kind)
    assert (error.outcome, error.plain, error.retryable) == (words.outcome, words.plain, words.retryable)
    assert words.plain in str(error)
    assert ("download" in error.plain) == (prompt.kind == "file" and sub_code == 8536)


@pytest.mark.parametrize(("index", "kind"), [(0, "file"), (1, "text"), (None, None), (7, None), ("first", None)])
def test_of_several_prompts_the_one_that_failed_counts(index: Any, kind: Any) -> None:
    error = failed(FILE, TEXT, failedPlaySourceIndex=index)
    assert error.plain == explain(400, 8536, kind).plain


def test_a_recognize_that_heard_nothing_says_so() -> None:
    error = failed(TEXT, kind="recognize", sub_code=8510)
    assert isinstance(error, NoInput)
    assert (error.outcome, error.retryable) == ("no_input", True)
    assert "said and pressed nothing" in str(error)


def test_a_failure_without_a_result_has_no_made_up_one() -> None:
    error = failed(TEXT, code=0, sub_code=0)
    assert (error.code, error.outcome) == (0, "unknown")


def test_a_refusal_is_explained() -> None:
    errors: list[ActionRefused] = []

    async def records(call: Call) -> None:
        try:
            await call.start_recording(required=True)
        except ActionRefused as error:
            errors.append(error)

    call = Rehearsal(Flow("records", records))
    call.refuse(actions.StartRecording, status=400, code="8553")
    call.connect()
    error = errors[-1]
    assert error.plain == explain(400, 8553).plain
    assert error.plain in str(error)
    assert error.retryable is error.transient is False


def test_the_end_of_a_call_is_explained() -> None:
    ends: list[CallEnded] = []

    async def waits(call: Call) -> None:
        ends.append(await call.ended())

    call = Rehearsal(Flow("waits", waits))
    call.connect()
    call.event("CallDisconnected", code=200, sub_code=7000)
    assert ends[0].plain == explain(200, 7000).plain


# The operator and the log


async def twice(call: Call) -> None:
    for prompt in (TEXT, FILE):
        try:
            await call.play(prompt)
        except ActionFailed:
            continue


def playing(app: App, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(FLOWS, "reception", Flow("reception", twice))
    app.ring()
    app.react()
    return app.call_ids[0]


def fail(app: App, call_id: str) -> None:
    """The prompt that was asked for last cannot be played."""
    request = app.gateway.sent[-1]
    event = app.wire.event("PlayFailed", request.operation_context, (400, 8536, "file could not be downloaded"))
    assert app.call_back(request.operation_callback_url or "", event).status_code == 200
    app.seen = len(app.gateway.performed) - 1


def test_a_failure_is_logged_once_in_words_that_fit(
    app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    call_id = playing(app, monkeypatch)
    fail(app, call_id)
    app.board.conductor._cache.take(call_id)  # another instance reads the journal, and says nothing of the past
    fail(app, call_id)
    lines = [record.getMessage() for record in caplog.records if record.getMessage().startswith("failed play")]
    assert lines == [
        f"failed play call={call_id} 400/8536 prompt_failed retryable={words.retryable}: {words.plain}"
        for words in (explain(400, 8536, "text"), explain(400, 8536, "file"))
    ]
    assert all(record.levelname == "WARNING" for record in caplog.records if record.getMessage() in lines)


def test_what_the_callee_does_is_no_warning(
    app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def asks(call: Call) -> None:
        await call.recognize(TEXT, max_tones=1)

    caplog.set_level("INFO", "switchboard")
    monkeypatch.setitem(FLOWS, "reception", Flow("reception", asks))
    app.ring()
    app.react()
    request = app.gateway.sent[-1]
    event = app.wire.event("RecognizeFailed", request.operation_context, (400, 8510, ""))
    app.call_back(request.operation_callback_url or "", event)
    (line,) = [record for record in caplog.records if record.getMessage().startswith("failed recognize")]
    assert (line.levelname, "no_input retryable=True" in line.getMessage()) == ("INFO", True)


def test_a_refusal_is_logged_with_what_it_means(
    app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def records(call: Call) -> None:
        await call.start_recording()

    def refuse(request: Request) -> Mapping[str, Any]:
        if request.action.kind == "start_recording":
            raise ActionRefused("start_recording", 400, "8553", "already")
        return answer(request) or {}

    monkeypatch.setitem(FLOWS, "reception", Flow("reception", records))
    app.ring()
    answer = app.gateway._answer
    app.gateway._answer = refuse
    app.react()
    assert f"refused start_recording call={app.call_ids[0]} 400 8553 retryable=False: " in caplog.text
    assert explain(400, 8553).plain in caplog.text


def view(app: App, call_id: str) -> Any:
    return json.loads(app.request("GET", f"https://app.example/api/calls/{call_id}").get_body())


def test_a_call_says_why_it_ended_and_whether_to_try_again(app: App, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "switchboard")
    body = json.dumps({"flow": "reception", "targets": ["+14255550177"], "caller_id": "+18005550199"}).encode()
    placed = app.request("POST", "https://app.example/api/calls", body)
    call_id = json.loads(placed.get_body())["id"]
    before = view(app, call_id)
    assert (before["explanation"], before["retryable"]) == ("", False)
    request = app.gateway.sent[-1]
    app.call_back(request.callback_url, app.wire.event("CreateCallFailed", request.operation_context, (486, 8539, "")))
    app.later.flush()
    after = view(app, call_id)
    assert (after["outcome"], after["explanation"], after["retryable"]) == ("busy", explain(486, 8539).plain, True)
    assert f"closed call={call_id} outcome=busy result= entries=" in caplog.text
    assert explain(486, 8539).plain in caplog.text
