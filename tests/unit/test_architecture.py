"""The rules of the architecture (docs/architecture.md, Folders), read from the source."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import pathspec
import pytest

from tests.functional.app import functions, http_routes

ROOT = Path(__file__).parents[2]
OURS = (
    "acs_emulator",
    "bench",
    "devstack",
    "emulator",
    "flows",
    "function_app",
    "handlers",
    "shared",
    "streams",
    "tests",
    "tools",
)
DEPLOYED = {"function_app.py", "handlers", "shared", "flows", "scorecards", "host.json", "requirements.txt",
            "routing.yaml"}  # fmt: skip
LONGEST_MODULE, LONGEST_TEST = 400, 600
GENEROUS: dict[str, int] = {
    "tests/unit/calls/test_off_record.py": 620,
}
"""Modules that are longer for now; a bound each, so that they do not grow."""

IMPLEMENTATIONS = ("shared.gateway.acs", "shared.gateway.memory", "shared.store.tables", "shared.store.blobs",
                   "shared.store.do_not_record", "shared.store.memory", "shared.store.queues",
                   "shared.store.brake_rows")  # fmt: skip


def sources(*folders: str) -> list[Path]:
    """The Python files of these folders, or the module of that name."""
    found: list[Path] = []
    for folder in folders:
        path = ROOT / folder
        found += sorted(path.rglob("*.py")) if path.is_dir() else [ROOT / f"{folder}.py"]
    assert found, f"nothing in {folders}: the rule would hold for nothing"
    return found


@lru_cache(maxsize=512)
def imports(path: Path) -> frozenset[str]:
    """Every module that a file imports anywhere, and every name that it takes from one (`a.b.name`)."""
    return frozenset(_imports(ast.parse(path.read_text(encoding="utf-8")), path))


def _imports(tree: ast.Module, path: Path) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                package = path.relative_to(ROOT).parts[: -node.level]
                module = ".".join([*package, *([module] if module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def breaches(files: list[Path], *, forbidden: tuple[str, ...], allowed: tuple[str, ...] = ()) -> list[str]:
    """`file: import` for each import of something forbidden that is not allowed after all."""
    return [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files
        for name in sorted(imports(path))
        if any(within(name, package) for package in forbidden)
        and not any(within(name, package) or within(package, name) for package in allowed)
    ]


def others(*mine: str) -> tuple[str, ...]:
    """All of our packages but these."""
    return tuple(package for package in OURS if package not in mine)


# Imports go one way


def test_the_reader_of_imports_sees_every_way_to_write_one(tmp_path: Path) -> None:
    source = """
import a.b
from c import d
def f():
    from . import e
    from ..g import h as i
if True:
    import j as k
"""
    path = ROOT / "shared" / "calls" / "made_up.py"
    found = set(_imports(ast.parse(source), path))
    assert {"a.b", "c.d", "shared.calls.e", "shared.g.h", "j"} <= found


def test_the_function_app_imports_the_handlers_and_the_composition_root_alone() -> None:
    assert breaches(sources("function_app"), forbidden=others("handlers"), allowed=("shared.composition",)) == []


def test_handlers_import_shared_alone() -> None:
    assert breaches(sources("handlers"), forbidden=others("handlers", "shared")) == []


def test_handlers_know_neither_the_service_nor_the_storage() -> None:
    assert breaches(sources("handlers"), forbidden=("azure",), allowed=("azure.functions",)) == []
    # The one exception reads the message that the timers wrote.
    found = breaches(sources("handlers"), forbidden=IMPLEMENTATIONS, allowed=("shared.store.queues.read_wake_up",))
    assert found == []


def test_flows_import_the_core_alone() -> None:
    assert breaches(sources("flows"), forbidden=(*others("flows"), "azure"), allowed=("shared.calls",)) == []
    deep = [
        name
        for path in sources("flows")
        for name in imports(path)
        if within(name, "shared.calls") and name.count(".") > 2
    ]
    assert deep == [], "flows take everything from shared.calls itself"


def test_no_test_but_theirs_needs_the_flows_of_a_team() -> None:
    files = [path for path in sources("tests", "bench", "devstack") if "tests/flows/" not in path.as_posix()]
    assert [f"{path}: {name}" for path in files for name in imports(path) if name.startswith("flows.")] == []


def test_shared_imports_nothing_that_stands_before_it() -> None:
    assert breaches(sources("shared"), forbidden=others("shared", "flows")) == []


def test_shared_reaches_the_flows_by_their_names_alone() -> None:
    assert breaches(sources("shared"), forbidden=("flows",)) == []


def test_the_core_knows_protocols_and_no_implementation() -> None:
    files = sources("shared/calls")
    bases = ("shared.gateway.base", "shared.store.base")
    # `rehearsal` is the test kit for flows: it runs them on what is in memory.
    files = [path for path in files if path.name != "rehearsal.py"]
    assert breaches(files, forbidden=("shared.gateway", "shared.store", "azure"), allowed=bases) == []


@pytest.mark.parametrize("package", ["shared/events", "shared/store", "shared/gateway"])
def test_no_package_of_shared_knows_the_composition_root(package: str) -> None:
    assert breaches(sources(package), forbidden=("shared.composition", "handlers")) == []


def test_events_can_be_used_by_themselves() -> None:
    allowed = ("shared.events", "shared.errors", "shared.identifiers", "shared.plain_json")
    assert breaches(sources("shared/events"), forbidden=("shared", "azure"), allowed=allowed) == []


def test_quality_can_be_used_by_itself() -> None:
    allowed = ("shared.quality", "shared.errors", "shared.yaml_text")
    assert breaches(sources("shared/quality"), forbidden=("shared", "azure", "requests"), allowed=allowed) == []


def test_the_composition_root_alone_joins_the_azure_implementations() -> None:
    azure = ("shared.gateway.acs", "shared.store.tables", "shared.store.do_not_record", "shared.store.queues",
             "shared.store.brake_rows")  # fmt: skip
    joined = {
        str(path.relative_to(ROOT))
        for path in sources("shared", "handlers", "flows", "function_app")
        if "gateway/acs" not in path.as_posix()  # the package may know itself
        if breaches([path], forbidden=azure, allowed=("shared.store.queues.read_wake_up",))
    }
    assert joined == {"shared/composition.py"}


def test_the_emulator_knows_nothing_of_the_app() -> None:
    assert breaches(sources("emulator/src"), forbidden=others("acs_emulator")) == []


STREAMS_TAKE = {
    "shared.errors",
    "shared.exposure",
    "shared.logs",
    "shared.security",
    "shared.setting_values",
    "shared.stream_signals",
    "shared.transport",
}
"""What the streams service takes from the app: errors, log lines, checks of settings, signatures and tokens, HTTP."""


def test_the_streams_service_takes_a_few_modules_of_shared_and_nothing_else_of_ours() -> None:
    assert breaches(sources("streams"), forbidden=others("streams", "shared")) == []
    taken = {
        ".".join(name.split(".")[:2]) for path in sources("streams") for name in imports(path) if within(name, "shared")
    }
    assert taken - {"shared"} == STREAMS_TAKE


def test_nothing_else_imports_the_streams_service() -> None:
    assert breaches(sources("function_app", "handlers", "shared", "flows", "emulator"), forbidden=("streams",)) == []


def test_the_devstack_loads_the_app_only_as_a_host_does() -> None:
    assert breaches(sources("devstack"), forbidden=("handlers", "flows", "function_app", "shared", "tests")) == []


def test_nothing_that_is_deployed_imports_what_is_not() -> None:
    files = sources("function_app", "handlers", "shared", "flows")
    assert (
        breaches(files, forbidden=("acs_emulator", "bench", "devstack", "emulator", "tests", "pytest", "hypothesis"))
        == []
    )


def test_nothing_that_is_deployed_imports_in_a_circle_not_for_types_either() -> None:
    files = sources("function_app", "handlers", "shared", "flows")
    named = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in files}
    modules = {name.removesuffix(".__init__"): path for name, path in named.items()}

    def needs(name: str, path: Path) -> set[str]:
        taken = {one for one in imports(path) if one in modules} - {name}
        # `from package import module` needs the module, not what else its package holds.
        return {one for one in taken if not any(within(other, one) for other in taken - {one})}

    circle: list[str] = []
    try:
        TopologicalSorter({name: needs(name, path) for name, path in modules.items()}).prepare()
    except CycleError as error:
        circle = error.args[1]
    assert circle == []


# The function app


def test_the_function_app_is_short() -> None:
    assert len((ROOT / "function_app.py").read_text(encoding="utf-8").splitlines()) < 60


def test_no_two_functions_share_a_name() -> None:
    import function_app

    names = Counter(str(builder._function.get_function_name()) for builder in _builders(function_app.app))
    assert [name for name, count in names.items() if count > 1] == []
    assert set(names) == set(functions())


def _builders(app: Any) -> list[Any]:
    return list(app._function_builders)


def test_no_two_functions_share_a_route_and_a_method() -> None:
    taken = Counter(
        (method.upper(), re.sub(r"\{[^}]*\}", "{}", route.template.lower().strip("/")))
        for route in http_routes()
        for method in route.methods
    )
    assert taken
    assert [where for where, count in taken.items() if count > 1] == []


def test_every_function_is_an_ordinary_one() -> None:
    """DESIGN: handlers are `def` functions (an `async def` among them would block the loop)."""
    import inspect

    assert [name for name, found in functions().items() if inspect.iscoroutinefunction(found.get_user_function())] == []


# What is deployed


def ignored() -> pathspec.PathSpec[Any]:
    return pathspec.PathSpec.from_lines("gitignore", (ROOT / ".funcignore").read_text().splitlines())


def test_what_is_deployed_is_what_the_app_needs_and_nothing_else() -> None:
    names = {path.name: f"{path.name}/" if path.is_dir() else path.name for path in ROOT.iterdir()}
    assert {name for name, as_matched in names.items() if not ignored().match_file(as_matched)} == DEPLOYED


@pytest.mark.parametrize(
    "name", ["local.settings.json", ".env", ".git/config", "handlers/__pycache__/a.pyc", "infra/x"]
)
def test_secrets_and_leftovers_are_not_deployed(name: str) -> None:
    assert ignored().match_file(name)


# Shape


def test_no_module_is_long() -> None:
    folders = ("bench", "devstack", "emulator", "flows", "handlers", "shared", "streams", "tests", "tools")
    long = {}
    for path in [*sources(*folders), ROOT / "function_app.py"]:
        name, lines = str(path.relative_to(ROOT)), len(path.read_text(encoding="utf-8").splitlines())
        if lines > GENEROUS.get(
            name, LONGEST_TEST if name.startswith(("tests/", "emulator/tests/")) else LONGEST_MODULE
        ):
            long[name] = lines
    assert long == {}
