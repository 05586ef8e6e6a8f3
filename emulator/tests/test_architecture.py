"""The layers of the emulator: imports go down only, those for types too, and never in a circle."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import acs_emulator

PACKAGE = Path(acs_emulator.__file__).parent
PROJECT = Path(__file__).parents[1] / "pyproject.toml"
ENTRANCES = {"__main__", "terminal", "testing"}
"""Modules beside the layers: what is run or imported from outside."""
LAYERS = (
    {"api"},
    {"service"},
    {"media", "streaming", "recording", "transcription"},
    {"calls"},
    {"events"},
    {"phones"},
    {"audio"},
    {"core"},
    {"__init__"},
)
"""From the top: a package imports itself and what is below its line."""
LEVEL = {name: level for level, line in enumerate(LAYERS) for name in line}
PROVIDED = {"azure": "azure-storage-blob", "jwt": "pyjwt"}
"""Packages whose name is not that of their module."""


def modules(root: Path) -> dict[str, Path]:
    """Every module of a package, by its name below it."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)] = path
    return found


def imported(path: Path, root: Path) -> Iterator[str]:
    """The full names that a file imports anywhere: modules, and what is taken from one (`a.b.name`)."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = path.relative_to(root.parent).parts[: -node.level] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def needs(root: Path) -> dict[str, set[str]]:
    """By module of a package: the modules of it that it imports."""
    known = modules(root)
    found: dict[str, set[str]] = {}
    for name, path in known.items():
        found[name] = set()
        for full in imported(path, root):
            inner = full.removeprefix(f"{root.name}.")
            if inner != full:
                found[name].add(inner if inner in known else inner.rpartition(".")[0] or "__init__")
    return found


def breaches(root: Path) -> list[str]:
    """The imports that go up, or sideways into another package of the same line."""
    wrong = []
    for name, taken in needs(root).items():
        mine = name.partition(".")[0]
        for other in sorted(taken):
            package = other.partition(".")[0]
            if mine not in ENTRANCES and package != mine and LEVEL.get(package, -1) <= LEVEL[mine]:
                wrong.append(f"{name}: {other}")
    return wrong


def circle(root: Path) -> list[str]:
    """One circle of modules; empty when there is none."""
    try:
        TopologicalSorter(needs(root)).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_every_module_is_in_a_layer() -> None:
    assert {name.partition(".")[0] for name in modules(PACKAGE)} == ENTRANCES | set(LEVEL)


def test_imports_go_down_only() -> None:
    assert breaches(PACKAGE) == []


def test_no_module_imports_in_a_circle_not_for_types_either() -> None:
    assert circle(PACKAGE) == []


@pytest.mark.parametrize(
    "planted",
    [
        "from acs_emulator.service import emulator",
        "import acs_emulator.service.emulator",
        "from ..service import emulator",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from acs_emulator.service.emulator import Emulator",
        "def late():\n    from acs_emulator.service.emulator import Emulator",
    ],
)
def test_an_import_that_goes_up_is_found_and_so_is_its_circle(planted: str, tmp_path: Path) -> None:
    root = tmp_path / "acs_emulator"
    for name, text in {"service/emulator": "import acs_emulator.calls.call", "calls/call": planted}.items():
        (root / name).parent.mkdir(parents=True)
        (root / f"{name}.py").write_text(text)
    assert breaches(root) == ["calls.call: service.emulator"]
    assert {"calls.call", "service.emulator"} == set(circle(root))


def test_an_import_that_goes_sideways_is_found(tmp_path: Path) -> None:
    root = tmp_path / "acs_emulator"
    for name, text in {"media/play": "", "recording/session": "from acs_emulator.media.play import sound"}.items():
        (root / name).parent.mkdir(parents=True)
        (root / f"{name}.py").write_text(text)
    assert breaches(root) == ["recording.session: media.play"]
    assert circle(root) == []


def test_what_is_imported_from_elsewhere_is_what_the_distribution_names() -> None:
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    extras = [one for named in project["optional-dependencies"].values() for one in named]
    named = {re.split(r"[\[>=<]", one)[0].lower().replace("-", "_") for one in (*project["dependencies"], *extras)}
    roots = {full.partition(".")[0] for path in modules(PACKAGE).values() for full in imported(path, PACKAGE)}
    outside = roots - set(sys.stdlib_module_names) - {PACKAGE.name}
    assert {PROVIDED.get(root, root).replace("-", "_") for root in outside} == named
