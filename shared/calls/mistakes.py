"""Where and why a flow failed: the line of its author, and what to write instead."""

from __future__ import annotations

import linecache
import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

from shared.calls.json_values import plain_text, text_of_error
from shared.errors import FlowMistake, InvalidInput

_SHARED = f"{Path(__file__).resolve().parents[1]}{os.sep}"
_ROOT = Path(_SHARED).parent
_LIBRARIES = tuple({f"{os.path.dirname(os.__file__)}{os.sep}", f"{sysconfig.get_path('purelib')}{os.sep}"})

NO_ASYNCIO = (
    "asyncio does not work in a flow, which may go on in another process: write call.sleep for asyncio.sleep, "
    "call.wait for wait_for and timeout, call.race and call.gather for wait and gather, call.run for everything else."
)


MAX_LINE = 200
"""Characters that are shown of a line (our choice)."""


class Place(NamedTuple):
    """A line of a flow.

    Attributes:
        where: `flows/reception.py:12`.
        line: what stands there.
    """

    where: str = ""
    line: str = ""


class Diagnosis(NamedTuple):
    """What made a flow fail."""

    error: str
    where: str
    line: str
    remedy: str


def diagnose(error: BaseException) -> Diagnosis:
    """What to tell the author of a flow that raised this."""
    place = _place_in(error)
    remedy = ""
    if isinstance(error, FlowMistake):
        remedy = error.remedy
        if error.where:
            place = Place(error.where, error.line)
    elif isinstance(error, InvalidInput):
        remedy = error.remedy
    elif _raised_in_asyncio(error):
        remedy = NO_ASYNCIO
    elif isinstance(error, TypeError) and "offset-naive" in str(error):
        remedy = "call.now is in UTC and knows it: give your times a zone, in the input by pydantic's AwareDatetime."
    problem = error.problem if isinstance(error, FlowMistake) else text_of_error(error)
    return Diagnosis(f"{type(error).__name__}: {problem}", *place, remedy)


def unloadable(module: str, error: Exception) -> InvalidInput:
    """What to tell the author of a module of flows that cannot be imported: the line, without the frames of the import
    that lead there."""
    place = _place_in(error)
    if isinstance(error, SyntaxError) and error.filename:
        place = _place(error.filename, error.lineno or 1)
    problem = f"{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else text_of_error(error)}"
    return InvalidInput(place.where or module, f"{problem}.", f"The line is: {place.line}" if place.line else "")


def place_of(coroutine: Any) -> Place:
    """The line at which a suspended flow waits."""
    found = Place()
    while coroutine is not None:
        frame: FrameType | None = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is not None and is_authors(frame.f_code):
            found = _place(frame.f_code.co_filename, frame.f_lineno)
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
    return found


def calling_place() -> Place:
    """The line of the flow that is running now."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not is_authors(frame.f_code):
        frame = frame.f_back
    return Place() if frame is None else _place(frame.f_code.co_filename, frame.f_lineno)


def place_at(filename: str, number: int) -> Place:
    """A line of a file."""
    return _place(filename, number)


def is_authors(code: CodeType) -> bool:
    """Whether code is that of a flow or of what comes with it: neither Switchboard's nor a library's."""
    return not is_ours(code) and not is_library(code)


def is_ours(code: CodeType) -> bool:
    """Whether code is Switchboard's own."""
    return code.co_filename.startswith(_SHARED)


def is_library(code: CodeType) -> bool:
    """Whether code is of Python or of an installed package."""
    name = code.co_filename
    return name.startswith(("<frozen", "<string>", *_LIBRARIES)) or f"{os.sep}site-packages{os.sep}" in name


def _place_in(error: BaseException) -> Place:
    """The innermost line of the flow that an error came through."""
    return next((_place(code.co_filename, number) for code, number in _lines(error) if is_authors(code)), Place())


def _raised_in_asyncio(error: BaseException) -> bool:
    code = next((code for code, _ in _lines(error)), None)
    inside = code is not None and f"{os.sep}asyncio{os.sep}" in code.co_filename
    return inside or (isinstance(error, RuntimeError) and "event loop" in str(error))


def _lines(error: BaseException) -> Iterator[tuple[CodeType, int]]:
    """Code and line of each frame of a traceback, the innermost first."""
    lines = []
    trace = error.__traceback__
    while trace is not None:
        lines.append((trace.tb_frame.f_code, trace.tb_lineno))
        trace = trace.tb_next
    yield from reversed(lines)


def _place(filename: str, number: int) -> Place:
    path = Path(filename)
    shown = path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else Path(*path.parts[-2:])
    return Place(f"{shown.as_posix()}:{number}", plain_text(linecache.getline(filename, number).strip(), MAX_LINE))
