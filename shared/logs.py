"""The app's loggers. What is logged may hold words from outside, so no line can be forged, grow, or give a key away.

A message is one line of at most MOST_CHARACTERS, whatever is in it: line breaks, control characters and marks that turn
the direction of writing are shown escaped. A traceback has more lines; each of them is indented, so none of them can be
taken for a message of its own. Signatures and keys in URLs are left out of both.
"""

from __future__ import annotations

import logging
import re
import traceback

MOST_CHARACTERS = 4096
"""Longest message (our choice). Application Insights takes 32,768 characters, and bills what it takes."""

MOST_TRACEBACK_LINES, MOST_LINE_CHARACTERS = 200, 1000
"""Longest traceback, of which the middle is left out, and its longest line (our choice)."""

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, line and paragraph separators, marks of direction, and halves of characters, which no UTF-8 log
can hold."""

_SECRET = re.compile(r"([?&](?:sig|code)=)[^&\s\"'<>)]+", re.IGNORECASE)
"""Signatures of callback URLs and of storage addresses, and function keys."""


def logger(name: str) -> logging.Logger:
    """The logger of this name (`switchboard.…`), with bounded lines."""
    found = logging.getLogger(name)
    found.addFilter(bounded)
    return found


def one_line(text: str, most: int = MOST_CHARACTERS) -> str:
    """The text as one line of at most so many characters, and how many more there were."""
    # Before it is escaped, which makes it longer: a megabyte is not worked through for what is cut off.
    shown = _UNSAFE.sub(_escaped, text[: most + 1])
    if len(text) <= most and len(shown) <= most:
        return shown
    return f"{shown[:most]}… ({len(text)} characters)"


def _escaped(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape", "surrogatepass").decode()


def bounded(record: logging.LogRecord) -> bool:
    """The filter: rewrites a record before any handler sees it. Once is enough, and twice does no harm.

    On a handler of a process of our own it bounds the lines of all loggers.
    """
    try:
        message = record.getMessage()
    except (TypeError, ValueError):
        message = f"{record.msg} (its arguments do not fit: {record.args!r})"
    record.msg, record.args = one_line(_SECRET.sub(r"\1…", message)), None
    if record.exc_info and not record.exc_text:
        record.exc_text = _traceback("".join(traceback.format_exception(*record.exc_info)))
    return True


def _traceback(text: str) -> str:
    lines = _SECRET.sub(r"\1…", text).rstrip("\n").split("\n")
    if (left_out := len(lines) - MOST_TRACEBACK_LINES) > 0:
        half = MOST_TRACEBACK_LINES // 2
        lines = [*lines[:half], f"… {left_out} lines …", *lines[-half:]]
    return "\n".join(f"  {one_line(line, MOST_LINE_CHARACTERS)}" for line in lines)
