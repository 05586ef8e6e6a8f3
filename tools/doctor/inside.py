"""Looks at an app from inside: `python -m tools.doctor.inside` in its folder, in a process of its own.

It prints one JSON object: what is wrong with its settings, flows, routing, numbers and scorecards, and the functions
that Microsoft's own worker code finds. A process holds one app, and what the app raises must not end doctor.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

MARK = "DOCTOR"
"""Begins the line of the result: an app may print whatever it likes while it is imported."""


def look() -> dict[str, Any]:
    """What is wrong, by kind: a text each, empty where it is right; and the functions."""
    from shared.calls.building import build
    from shared.calls.flow import FLOWS
    from shared.calls.uses import USES
    from shared.composition.flows import load_flows
    from shared.lines.reading import load_lines
    from shared.quality.scorecards import load_scorecards
    from shared.routing.reading import load_routes
    from shared.settings import Settings, load_settings, unknown_settings

    def setting(name: str) -> str:
        return os.environ.get(name.upper()) or str(Settings.model_fields[name].default)

    build()
    found: dict[str, Any] = {
        "settings": _problem(load_settings) if os.environ.get("ACS_ENDPOINT") else "",
        "misspelled": unknown_settings(),
        "flows": _problem(load_flows),
    }
    if not found["flows"]:
        found["routing"] = _problem(lambda: load_routes(setting("routing_file"), FLOWS))
        found["lines"] = _problem(lambda: load_lines(setting("lines_file"), FLOWS, USES))
        found["scorecards"] = _problem(lambda: load_scorecards(setting("scorecards_folder"), FLOWS))
        found["numbers"] = _numbers(lambda: load_routes(setting("routing_file"), FLOWS))
    return found


def functions() -> dict[str, Any]:
    """The functions that Microsoft's worker indexes; empty with the reason, if it finds none."""
    from devstack.host.errors import StartupError
    from tests.conformance.host.oracle import RuntimeBackend

    try:
        backend = RuntimeBackend()
        found = asyncio.run(backend.load(Path.cwd()))
    except StartupError as error:
        return {"functions": [], "why": str(error)}
    return {"functions": sorted(function.name for function in found), "why": ""}


def _problem(load: Callable[[], object]) -> str:
    try:
        load()
    except Exception as error:  # whatever it is, it would keep the app from running
        return str(error) or type(error).__name__
    return ""


def _numbers(load: Callable[[], Any]) -> list[str]:
    """The numbers that rules name in `to`, without patterns."""
    try:
        rules = load().rules
    except Exception:  # said as the problem of the routing
        return []
    texts = {pattern.text.removeprefix("4:") for rule in rules for pattern in rule.to or ()}
    return sorted(text for text in texts if text.startswith("+") and text[1:].isdigit())


if __name__ == "__main__":
    what = {"app": look, "functions": functions}[sys.argv[1]]
    print(MARK + json.dumps(what()))
