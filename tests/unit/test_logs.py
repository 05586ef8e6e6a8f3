"""Lines of the log: whatever comes from outside, one message is one line, bounded, and holds no signature."""

from __future__ import annotations

import ast
import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import logs
from shared.logs import (
    MOST_CHARACTERS,
    MOST_LINE_CHARACTERS,
    MOST_TRACEBACK_LINES,
    logger,
    one_line,
)

ROOT = Path(__file__).parents[2]
FORGED = "7\n2026-11-27 12:00:00 ERROR switchboard.handlers refused callback call=of-somebody-else"
log = logger("switchboard.tests")


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a handler as that of a worker writes: every line begins with the time stamp's `=`."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("= %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)


def messages(written: io.StringIO) -> list[str]:
    return [line for line in written.getvalue().split("\n") if not line.startswith("  ") and line]


@pytest.mark.parametrize(
    "character", ["\n", "\r", "\x1b", "\x00", "\x7f", "\x85", "\x9b", "\u2028", "\u2029", "\u202e", "\u2066", "\ud800"]
)
def test_a_character_that_could_forge_a_line_is_shown_escaped(written: io.StringIO, character: str) -> None:
    log.warning("refused call=%s", f"a{character}b")
    (line,) = messages(written)
    assert line.isprintable()
    assert line == f"= WARNING switchboard.tests refused call=a{ascii(character)[1:-1]}b"


def test_words_of_any_language_stay_as_they_are() -> None:
    text = 'Grüße, 日本語, עברית, 🙂: "fine"'
    assert one_line(text) == text


def test_a_forged_line_stays_in_its_own(written: io.StringIO) -> None:
    log.error("not an incoming call type=%s id=%s", FORGED, FORGED)
    assert len(messages(written)) == 1


def test_a_message_does_not_grow(written: io.StringIO) -> None:
    log.error("malformed event id=%s", "x" * 5_000_000)
    (line,) = messages(written)
    assert len(line) < MOST_CHARACTERS + 100
    assert line.endswith("… (5000019 characters)")


def test_a_message_does_not_grow_by_being_escaped() -> None:
    assert len(one_line("\n" * MOST_CHARACTERS)) < MOST_CHARACTERS + 100


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x" * 10, "x" * 10),
        ("x" * 11, "x" * 10 + "… (11 characters)"),
        ("x" * 8 + "\n", "x" * 8 + "\\n"),
        ("x" * 9 + "\n", "x" * 9 + "\\… (10 characters)"),
        ("\n" * 6, "\\n" * 5 + "… (6 characters)"),
    ],
)
def test_a_line_is_cut_at_its_length_as_it_is_shown(text: str, shown: str) -> None:
    assert one_line(text, 10) == shown


def test_the_limits_are_these() -> None:
    assert logs.MOST_CHARACTERS == 4096
    assert logs.MOST_TRACEBACK_LINES == 200
    assert logs.MOST_LINE_CHARACTERS == 1000


@pytest.mark.parametrize("lines", [200, 201, 301])
def test_of_a_long_traceback_a_hundred_lines_of_either_end_are_kept(lines: int) -> None:
    written = [f"line {number}" for number in range(lines)]
    left = lines - 200
    kept = [*written[:100], f"… {left} lines …", *written[-100:]] if left else written
    assert logs._traceback("\n".join(written) + "\n").split("\n") == [f"  {line}" for line in kept]


def test_a_traceback_that_was_written_already_stays_as_it_is() -> None:
    record = logging.makeLogRecord({"msg": "failed", "exc_info": (ValueError, ValueError("x"), None)})
    logs.bounded(record)
    assert record.exc_text == "  ValueError: x"
    record.exc_text = "  written"
    logs.bounded(record)
    assert record.exc_text == "  written"


@given(st.text(), st.integers(0, 50))
def test_whatever_is_logged_is_one_bounded_line_that_utf_8_can_hold(text: str, most: int) -> None:
    shown = one_line(text, most)
    assert len(shown.splitlines()) <= 1
    assert len(shown) <= most + len(f"… ({len(text)} characters)")
    shown.encode()


def test_no_line_of_a_traceback_can_be_taken_for_a_message(written: io.StringIO) -> None:
    try:
        raise ValueError(f"the value is {FORGED}\r= ERROR forged")
    except ValueError:
        log.exception("failed %s", "callback")
    assert messages(written) == ["= ERROR switchboard.tests failed callback"]
    assert "ValueError: the value is 7" in written.getvalue()
    assert "\r" not in written.getvalue()


def test_a_traceback_does_not_grow_and_keeps_both_ends(written: io.StringIO) -> None:
    def deep(levels: int) -> None:
        if levels:
            # Each by a line of its own: Python would sum up one that calls itself.
            exec(compile("\n" * levels + "deep(levels - 1)", "made_up.py", "exec"), {"deep": deep, "levels": levels})
        raise ValueError("x" * 1_000_000)

    try:
        deep(200)
    except ValueError:
        log.exception("failed")
    lines = written.getvalue().split("\n")
    assert len(lines) <= MOST_TRACEBACK_LINES + 5
    assert max(map(len, lines)) < MOST_LINE_CHARACTERS + 100
    assert "Traceback" in lines[1]
    assert "ValueError: xxx" in lines[-2]


def test_signatures_and_keys_in_urls_are_left_out(written: io.StringIO) -> None:
    url = "https://account.table.core.windows.net/index()?sv=2026&sig=c2VjcmV0%3D"
    try:
        raise ConnectionError(f"Max retries exceeded with url: {url} (Caused by …)")
    except ConnectionError as error:
        log.exception("failed: %s; https://app.example/api/calls?code=c2VjcmV0", error)
    assert "c2Vjcm" not in written.getvalue()
    assert "sv=2026&sig=…" in written.getvalue()


def test_arguments_that_do_not_fit_their_message_lose_neither(written: io.StringIO) -> None:
    log.warning("refused %d %s", FORGED)
    (line,) = messages(written)
    assert "refused %d %s" in line
    assert "of-somebody-else" in line


def test_every_logger_of_the_app_has_bounded_lines() -> None:
    """`logging.getLogger` is for levels and for the loggers of others."""
    found = []
    for folder in ("shared", "handlers", "streams"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Assign) and "getLogger" in ast.unparse(node.value):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert [place for place in found if not place.startswith("shared/logs.py")] == []
