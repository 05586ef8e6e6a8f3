"""The table of sub-codes, in plain words."""

from pathlib import Path
from typing import get_args

import pytest

from shared.events import SUB_CODES, Outcome, PromptKind, explain
from shared.events.subcode_table import BY_PROMPT

DOC = Path(__file__).parents[3] / "docs" / "events.md"


@pytest.mark.parametrize(
    ("code", "sub_code", "outcome", "retryable"),
    [
        (200, 0, "ok", False),
        (400, 8510, "no_input", True),
        (400, 8532, "partial_input", False),
        (200, 8531, "ok", False),
        (603, 8538, "declined", False),
        (486, 8539, "busy", True),
        (200, 5001, "ended", False),
        (200, 5002, "ended", False),
        (200, 5300, "canceled", False),
        (200, 7000, "ended", False),
        (400, 8508, "canceled", False),
        (404, 8522, "not_found", False),
        (405, 8522, "not_supported", False),
        (401, 8565, "speech_service", False),
        (429, 8565, "throttled", True),
        (500, 9999, "service_error", True),
    ],
)
def test_a_result_is_explained(code: int, sub_code: int, outcome: str, retryable: bool) -> None:
    found = explain(code, sub_code)
    assert (found.code, found.outcome, found.retryable) == (sub_code, outcome, retryable)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [(200, "ok"), (204, "ok"), (400, "bad_request"), (418, "bad_request"), (429, "throttled"), (487, "canceled"),
     (500, "service_error"), (599, "service_error"), (603, "declined"), (0, "unknown"), (-7, "unknown")],
)  # fmt: skip
@pytest.mark.parametrize("sub_code", [0, 4321])
def test_an_unknown_sub_code_is_explained_by_its_code(code: int, sub_code: int, outcome: str) -> None:
    found = explain(code, sub_code)
    assert (found.code, found.outcome) == (sub_code, outcome)


def test_every_line_is_a_plain_sentence_with_a_known_outcome() -> None:
    for number, line in SUB_CODES.items():
        assert number == line.code
        assert line.outcome in get_args(Outcome)
        assert line.plain[0].isupper()
        assert line.plain.endswith(".")


def test_every_sub_code_stands_in_the_docs_as_it_is() -> None:
    text = DOC.read_text(encoding="utf-8")
    for line in SUB_CODES.values():
        again = "yes" if line.retryable else "no"
        assert f"| {line.code} | {line.outcome} | {again} | {line.plain} |" in text


def test_every_line_about_a_prompt_stands_in_the_docs_as_it_is() -> None:
    text = DOC.read_text(encoding="utf-8")
    for (prompt, code), (outcome, retryable, plain) in BY_PROMPT.items():
        assert f"| {prompt}/{code} | {outcome} | {'yes' if retryable else 'no'} | {plain} |" in text


@pytest.mark.parametrize("sub_code", [8511, 8535, 8536])
@pytest.mark.parametrize("prompt", ["text", "ssml"])
def test_a_text_is_not_explained_as_a_file(sub_code: int, prompt: PromptKind) -> None:
    spoken = explain(400, sub_code, prompt)
    assert spoken.outcome == explain(400, sub_code, "file").outcome == "prompt_failed"
    assert not {"download", "login", "address", "format", "WAV,"} & set(spoken.plain.replace(";", "").split())


@pytest.mark.parametrize("prompt", ["file", "text", "ssml", None])
@pytest.mark.parametrize(("code", "sub_code"), [(400, 8510), (429, 8565), (200, 0), (500, 9999), (603, 8538)])
def test_what_is_not_of_a_prompt_means_the_same_for_every_prompt(
    prompt: PromptKind | None, code: int, sub_code: int
) -> None:
    assert explain(code, sub_code, prompt) == explain(code, sub_code)
