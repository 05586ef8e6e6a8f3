"""Calls of production against the flows of today: which would go on, and which would not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.calls import FLOWS, Call, Flow, InvalidInput, text
from shared.calls.flow import FlowFunction
from shared.calls.journal import encode
from shared.calls.replay_check import replay_check
from tests.unit.calls.secret_stage import Stage as SecretStage
from tests.unit.calls.test_replay import Stage
from tools import replay_check as tool


async def before(call: Call) -> None:
    await call.play(text("Welcom."))
    await call.run(str, 1)
    await call.recognize(text("Your name?"), speech=True)


async def mended(call: Call) -> None:
    await call.play(text("Welcome."))
    await call.run(str, 2)
    await call.recognize(text("What is your name?"), speech=True)


async def marked(call: Call) -> None:
    await call.play(text("Welcome."))
    if call.version("sleep"):
        await call.sleep(1)
    await call.run(str, 1)
    await call.recognize(text("Your name?"), speech=True)


async def inserted(call: Call) -> None:
    await call.play(text("Welcome."))
    await call.sleep(1)
    await call.run(str, 1)
    await call.recognize(text("Your name?"), speech=True)


async def runs_another(call: Call) -> None:
    await call.play(text("Welcome."))
    await call.run(repr, 1)
    await call.recognize(text("Your name?"), speech=True)


async def asks_for_more(call: Call) -> None:
    call.play(text("Welcome."))
    await call.sleep(1)


async def asks_for_less(call: Call) -> None:
    await call.ended()


async def fails(call: Call) -> None:
    raise RuntimeError("a bug")


def document(function: FlowFunction = before) -> dict[str, Any]:
    """A call that waits for the answer to its question, as it was archived."""
    stage = Stage(function).connect()
    for seq in (1, 2):
        if seq == 1 and len(stage.issued) > 1:
            stage.event("PlayCompleted", 1)
    entries = [json.loads(encode(entry)) for entry in stage.journal]
    return {"call_id": "stage", "journal": entries}


@pytest.mark.parametrize("function", [before, mended, marked])
def test_a_call_goes_on_with_mended_words_and_marked_steps(function: FlowFunction) -> None:
    (checked,) = replay_check([document()], {"stage": Flow("stage", function)})
    assert (checked.call_id, checked.flow, checked.problem) == ("stage", "stage", "")


@pytest.mark.parametrize(
    ("function", "problem", "line"),
    [
        (inserted, "entry 6: this call did run str #2 where the flow now asks for sleep #2", "await call.sleep(1)"),
        (runs_another, "this call did run str #2 where the flow now asks for run repr #2", "await call.run(repr, 1)"),
        (asks_for_more, "the flow now asks for sleep #2, where this call asked for nothing", "await call.sleep(1)"),
        (asks_for_less, "this call did play #1 where the flow now asks for nothing", "await call.ended()"),
        (fails, "RuntimeError: a bug", 'raise RuntimeError("a bug")'),
    ],
)
def test_a_call_that_would_not_go_on_is_named_with_the_line_and_the_remedy(
    function: FlowFunction, problem: str, line: str
) -> None:
    (checked,) = replay_check([document()], {"stage": Flow("stage", function)})
    assert problem in checked.problem
    assert checked.where.startswith("tests/unit/calls/test_replay_check.py:")
    assert checked.line == line
    assert function is fails or "call.version" in checked.remedy


def test_a_call_whose_flow_is_gone_would_not_go_on() -> None:
    (checked,) = replay_check([document()], {})
    assert "no flow of this name" in checked.problem
    assert checked.remedy


def test_a_call_that_failed_in_its_time_is_over_whatever_its_flow_does_now() -> None:
    (checked,) = replay_check([document(fails)], {"stage": Flow("stage", before)})
    assert checked.problem == ""


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"journal": [{"at": 1}]}, "id"),
        ({"id": "a"}, "journal"),
        ({"id": "a", "journal": []}, "journal"),
        ({"id": "a", "journal": [{"entry": "odd"}]}, "journal.0"),
        ({"id": "a", "journal": [{"at": 1, "entry": "timer", "seq": 1}]}, "journal.0"),
    ],
)
def test_what_is_no_document_of_a_call_is_said_to_be_none(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput, match=f"^{field}: "):
        replay_check([wrong], {})


def test_the_tool_names_each_file_and_ends_with_one_if_a_call_would_not_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "call.json"
    file.write_text(json.dumps(document()), "utf-8")
    monkeypatch.setitem(FLOWS, "stage", Flow("stage", mended))
    assert tool.main([str(file)]) == 0
    assert "flow stage goes on" in capsys.readouterr().out
    monkeypatch.setitem(FLOWS, "stage", Flow("stage", inserted))
    assert tool.main([str(file), str(file)]) == 1
    told = capsys.readouterr().out
    assert "await call.sleep(1)" in told
    assert "2 calls, of which 2 would end with the fallback." in told


def test_the_tool_says_what_is_wrong_with_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "call.json"
    file.write_text("{}", "utf-8")
    assert tool.main([str(file)]) == 2
    assert "id: is missing" in capsys.readouterr().err
    assert tool.main([]) == 2
    assert "FILES" in capsys.readouterr().err
    assert tool.main([str(tmp_path / "none.json")]) == 2


# Secrets, which no document holds


async def asks_secretly(call: Call) -> None:
    await call.ask_digits(text("Your PIN?"), max_tones=4, secret=True)
    await call.play(text("Thank you."))
    await call.sleep(1)


async def does_less(call: Call) -> None:
    await call.sleep(1)


async def goes_by_it(call: Call) -> None:
    pin = await call.ask_digits(text("Your PIN?"), max_tones=4, secret=True)
    if pin == "4930":
        await call.play(text("Thank you."))
    await call.sleep(1)


async def asks_in_other_words(call: Call) -> None:
    await call.ask_digits(text("Please key in your PIN."), max_tones=4, secret=True)
    await call.play(text("Many thanks."))
    await call.sleep(1)


def secret_document() -> dict[str, Any]:
    """A call that keyed 4930, as the API shows it."""
    stage = SecretStage(asks_secretly)
    stage.key_in("4930")
    stage.played()
    document: dict[str, Any] = {"id": stage.call_id, "journal": stage.one.entries(stage.call_id)}
    assert "four" not in json.dumps(document)
    return document


@pytest.mark.parametrize(
    ("function", "problem", "secret_from"),
    [
        (asks_secretly, "", 0),
        (asks_in_other_words, "", 0),
        (goes_by_it, "", 6),
        (does_less, "entry 5: this call did recognize #1 where the flow now asks for sleep #1", 0),
    ],
)
def test_what_was_keyed_as_a_secret_is_stood_in_for(function: FlowFunction, problem: str, secret_from: int) -> None:
    (checked,) = replay_check([secret_document()], {"card": Flow("card", function)})
    assert (checked.problem, checked.secret_from) == (problem, secret_from)


def test_the_tool_says_from_where_on_a_secret_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "call.json"
    file.write_text(json.dumps(secret_document()))
    monkeypatch.setattr(tool, "load_flows", lambda: None)
    monkeypatch.setitem(FLOWS, "card", Flow("card", goes_by_it))
    assert tool.main([str(file)]) == 0
    assert "flow card goes on up to entry 6; what follows depends on a secret\n" in capsys.readouterr().out


async def hears_words(call: Call) -> None:
    await call.ask_choice(text("Which?"), choices=["red", "blue"], secret=True)
    await call.ask_speech(text("Your password?"), secret=True)
    await call.start_continuous_dtmf(secret=True)
    await call.next_tone()
    await call.signal("card", secret=True)
    await call.run_secret(str, 1)
    await call.play(text("Thank you."))


def test_words_choices_keys_and_signals_are_stood_in_for() -> None:
    stage = SecretStage(hears_words)
    heard: dict[str, Any] = {"recognitionType": "choices", "choiceResult": {"label": "blue"}}
    stage.event("RecognizeCompleted", stage.world.last().operation_context, **heard)
    spoken: dict[str, Any] = {"recognitionType": "speech", "speechResult": {"speech": "open sesame"}}
    stage.event("RecognizeCompleted", stage.world.last().operation_context, **spoken)
    stage.event("ContinuousDtmfRecognitionToneReceived", sequenceId=1, tone="four")
    stage.one.signal(stage.call_id, "card", {"number": "4930"})
    document = {"id": stage.call_id, "journal": stage.one.entries(stage.call_id)}
    assert stage.world.last().action.kind == "play"
    (checked,) = replay_check([document], {"card": Flow("card", hears_words)})
    assert (checked.problem, checked.secret_from) == ("", 0)
