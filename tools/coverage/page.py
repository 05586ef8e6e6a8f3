"""What is made of the code in the documentation: docs/coverage.md, and the table of actions in docs/api.md."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from shared.api.models import ACTIONS
from shared.calls.actions import Action
from tools.coverage.rows import EXCEPTIONS, Cell, Row, event_rows, grid_rows, operation_rows
from tools.coverage.source import ROOT
from tools.coverage.suites import Test

PAGE, API = ROOT / "docs" / "coverage.md", ROOT / "docs" / "api.md"
ACTIONS_HEAD = "| action | needs | does |\n|---|---|---|\n"
SHOWN = 2
"""Entries of a cell that are shown; the rest is counted."""

_INTRODUCTION = (
    "Made from the code by `make coverage`; `tests/unit/test_coverage.py` fails when this page is stale or has a hole. "
    "Routes are below `/api`, gateway functions below `shared.gateway`, emulator functions below `acs_emulator`. An "
    "operation belongs to the action whose request the gateway turns into it. A conformance test calls the operation "
    "with the official Python client, or waits for the event; the JavaScript client has a [suite of its "
    "own](../emulator/tests/conformance/javascript_sdk/operations.test.mjs). End-to-end tests run Azurite, the "
    "emulator, the Functions host and the streams service, and name what they cover with a marker, `covers`, which is "
    "held against what the emulator was asked and what the journals hold.\n"
)
_ROLES = (
    "What an event says of which actions is declared by each action (`spec` in `shared/calls/actions`): `progress` is "
    "under way and more follows, `state` is how things now stand. The operation context names the request. Where no "
    "event says `succeeded` of an action, as of mute, unhold, cancel all media, reject, redirect and those on a "
    "recording, the response to the request is its outcome.\n"
)


def page() -> str:
    """The whole page."""
    operations, events, grid = operation_rows(), event_rows(), grid_rows()
    parts = [
        "# Coverage\n",
        _INTRODUCTION,
        f"## The {len(operations)} operations\n",
        "\n".join(_table("operation", operations)),
        f"\n## The {len(events)} callbacks\n",
        _ROLES,
        "\n".join(_table("event", events)),
        f"\n## The {len(grid)} events of Event Grid\n",
        "\n".join(_table("event", grid)),
        "\n## What is left out, and why\n",
        "\n".join(_exceptions()),
        "",
    ]
    return "\n".join(parts)


def api_page() -> str:
    """docs/api.md with the actions as they are declared: in a request, who is meant is the other side unless named."""
    before, head, after = API.read_text("utf-8").partition(ACTIONS_HEAD)
    rows = [
        f"| `{name}` | {_needed(action)} | {(action.__doc__ or '').partition(chr(10))[0]} |"
        for name, action in sorted(ACTIONS.items(), key=lambda item: item[1].__module__)
    ]
    return before + head + "\n".join(rows) + "\n" + re.sub(r"\A(\|.*\n)*", "", after)


def _needed(action: type[Action]) -> str:
    needed = (name for name, field in action.model_fields.items() if field.is_required() and name != "participant")
    return ", ".join(f"`{name}`" for name in needed)


def _table(first: str, rows: Mapping[str, Row]) -> Iterator[str]:
    columns = list(next(iter(rows.values())))
    yield f"| {first} | {' | '.join(columns)} |"
    yield f"|---{'|---' * len(columns)}|"
    for name, row in rows.items():
        cells = (_shown(cell) or _why(name, column) for column, cell in row.items())
        yield f"| {name} | {' | '.join(cells)} |"


def _shown(cell: Cell) -> str:
    tests = [one for one in cell if isinstance(one, Test)]
    if tests:
        more = f" and {len(tests) - 1} more" if len(tests) > 1 else ""
        return f"[{tests[0].name.removeprefix('test_').replace('_', ' ')}](../{tests[0].where}){more}"
    named = [one for one in cell if isinstance(one, str)]
    more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN + 1 else ""
    return " · ".join(named[: SHOWN if more else SHOWN + 1]) + more


def _why(name: str, column: str) -> str:
    reason = EXCEPTIONS.get((name, column))
    return f"[left out: {_reasons().index(reason) + 1}](#what-is-left-out-and-why)" if reason else "**nothing**"


def _reasons() -> list[str]:
    return list(dict.fromkeys(EXCEPTIONS.values()))


def _exceptions() -> Iterator[str]:
    for number, reason in enumerate(_reasons(), 1):
        yield f"{number}. {reason}"
