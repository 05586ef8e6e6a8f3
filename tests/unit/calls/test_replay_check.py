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
