"""The rows of the page: every published operation and event, with what covers it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from shared.calls.actions import roles
from tools.coverage import app, service, suites
from tools.coverage.suites import Test

Cell = tuple[str | Test, ...]
Row = Mapping[str, Cell]

_OPENS = "A ringing call is opened by the routing file or by a flow; an operator never sees one."
_NEWS = "Flows wait for callbacks; this one goes into the call's journal, where operators read it."
_FILES = "It comes when the call is over; the recording's files become its quality report."
EXCEPTIONS: dict[tuple[str, str], str] = {
    **{
        (operation, column): _OPENS
        for operation in ("AnswerCall", "RedirectCall", "RejectCall")
        for column in ("HTTP API", "end to end, over HTTP")
    },
    **{
        (event, "flow API"): _NEWS
        for event in ("CallStarted", "CallEnded", "CallParticipantAdded", "CallParticipantRemoved")
    },
    ("RecordingFileStatusUpdated", "flow API"): _FILES,
}
"""Holes that are meant, with the reason."""


@cache
def operation_rows() -> Mapping[str, Row]:
    """By operation."""
    return {name: _operation(name) for name in service.published_operations()}


def _operation(name: str) -> Row:
    kind = app.operations().get(name)
    word = app.kind_of(kind) if kind else ""
    route = app.routes().get(word)
    return {
        "flow API": _code(*app.methods().get(word, ())),
        "HTTP API": _code(f"POST {route}" if route else ""),
        "gateway": _code(app.gateway(kind) if kind else ""),
        "emulator": _code(service.handlers().get(name, "").removeprefix("acs_emulator.")),
        "conformance": suites.conformance().get(name, ()),
        "end to end, as a flow": suites.end_to_end().get((name, "flow"), ()),
        "end to end, over HTTP": suites.end_to_end().get((name, "http"), ()),
    }


@cache
def event_rows() -> Mapping[str, Row]:
    """By callback."""
    return {name: _event(name) for name in service.published_events()}


def _event(name: str) -> Row:
    kinds = app.reported(name)
    return {
        "says": tuple(dict.fromkeys(roles().get(name, {}).values())),
        "of": (" · ".join(f"`{kind}`" for kind in kinds),),
        "flow API": _code(*dict.fromkeys(method for kind in kinds for method in app.methods().get(kind, ()))),
        **_taken(name),
    }


@cache
def grid_rows() -> Mapping[str, Row]:
    """By event of Event Grid."""
    opening = _code("answer", "reject", "redirect")
    return {
        name: {"flow API": opening if name == "IncomingCall" else (), **_taken(name)} for name in service.grid_events()
    }


def _taken(name: str) -> Row:
    covering = suites.end_to_end()
    return {
        "HTTP API": _code(app.shown(name) if app.doors(name) else ""),
        "function": _code(*app.doors(name)),
        "emulator": _code(*(one.removeprefix("acs_emulator.") for one in service.emitters().get(name, ()))),
        "conformance": suites.conformance().get(name, ()),
        "end to end": tuple(dict.fromkeys((*covering.get((name, "flow"), ()), *covering.get((name, "http"), ())))),
    }


def holes() -> list[tuple[str, str]]:
    """What nothing covers, and no exception explains: row and column."""
    return [hole for hole in _empty() if hole not in EXCEPTIONS]


def needless() -> list[tuple[str, str]]:
    """Exceptions for what is covered."""
    return [hole for hole in EXCEPTIONS if hole not in _empty()]


@cache
def _empty() -> tuple[tuple[str, str], ...]:
    rows = {**operation_rows(), **event_rows(), **grid_rows()}
    return tuple((name, column) for name, row in rows.items() for column, cell in row.items() if not cell)


def _code(*names: str) -> Cell:
    return tuple(f"`{name}`" for name in names if name)
