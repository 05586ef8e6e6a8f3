"""What of the emulator stands behind an operation or an event."""

from __future__ import annotations

import ast
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import acs_emulator
from acs_emulator.api.routes import OPERATIONS
from tools.coverage.source import files, module, tree, words

SUFFIXES = ("Started", "Stopped", "Updated", "Completed", "Failed", "Canceled")
"""Some events are named by the operation's class, and one of these."""
EMULATOR = Path(acs_emulator.__file__).parent
LISTS = ("acs_emulator/api/schemas/", "acs_emulator/events/envelopes.py", "acs_emulator/api/routes.py")
"""Where names of events and operations are listed, not emitted."""


@cache
def derived() -> dict[str, Any]:
    """What the emulator keeps of the published description."""
    return dict(json.loads((EMULATOR / "api" / "schemas" / "callautomation.json").read_text("utf-8")))


def published_operations() -> tuple[str, ...]:
    """The 34 operations, in the order of the emulator's table."""
    known = derived()["operations"]
    return tuple(operation.id for operation in OPERATIONS if operation.id in known)


def published_events() -> tuple[str, ...]:
    """The 38 callbacks."""
    return tuple(derived()["events"])


def grid_events() -> tuple[str, ...]:
    """The 6 events of Event Grid."""
    return tuple(derived()["eventGrid"]["events"])


@cache
def handlers() -> Mapping[str, str]:
    """By operation: the function that answers it."""
    return {
        operation.id: f"{operation.handler.__module__}.{operation.handler.__name__}"
        for operation in OPERATIONS
        if operation.handler is not None
    }


@cache
def emitters() -> Mapping[str, tuple[str, ...]]:
    """By event: the modules that raise it."""
    events = {*published_events(), *grid_events()}
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in files("emulator/src"):
        if any(listed in path.as_posix() for listed in LISTS):
            continue
        publishes = "event_grid.publish(" in path.read_text("utf-8")
        for name in {*words(tree(path)), *_composed(path)} & events:
            if publishes or name not in grid_events():
                found[name].append(module(path))
    return {event: tuple(sorted(modules)) for event, modules in found.items()}


def _composed(path: Path) -> Iterator[str]:
    """The names that the classes of a module put together, with the suffixes of their base class's module."""
    for node in tree(path).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for statement in node.body:
            if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "name":
                said = set(words(node)).union(*(words(tree(base)) for base in _bases(node)))
                for name in words(statement):
                    yield from (name + suffix for suffix in SUFFIXES if name and suffix in said)


def _bases(node: ast.ClassDef) -> Iterator[Path]:
    names = {ast.unparse(base) for base in node.bases}
    for path in files("emulator/src"):
        if any(isinstance(one, ast.ClassDef) and one.name in names for one in tree(path).body):
            yield path
