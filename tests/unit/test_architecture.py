"""The rules of the architecture (docs/architecture.md, Folders), read from the source."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import pathspec
import pytest

from tests.functional.app import functions, http_routes

ROOT = Path(__file__).parents[2]
PLAIN = "shared/*.py"
"""The modules right in `shared`: what every layer needs."""
ARROWS: Mapping[str, frozenset[str]] = {
    folder: frozenset(others.split())
    for folder, others in {
        "function_app.py": "handlers shared/composition",
        "handlers": "shared/*.py shared/calls shared/composition shared/events shared/health.py "
        "shared/notifications shared/recordings shared/routing shared/settings.py shared/use_cases shared/web",
        "flows": "shared/calls shared/click shared/handoff shared/masking shared/orders shared/outreach "
        "shared/use_cases",
        "shared/health.py": "shared/*.py shared/composition",
        "shared/composition": "shared/*.py shared/azure shared/brakes shared/calls shared/click "
        "shared/diagnostics shared/handoff shared/kept shared/lines shared/masking shared/notifications "
        "shared/orders shared/outreach shared/quality shared/recordings shared/routing shared/settings.py "
        "shared/use_cases shared/web",
        "shared/settings.py": "shared/*.py shared/brakes shared/notifications shared/quality shared/recordings",
        "shared/azure": "shared/*.py shared/calls shared/notifications shared/quality shared/recordings "
        "shared/use_cases",
        "shared/web": "shared/*.py shared/brakes shared/calls shared/click shared/diagnostics shared/events "
        "shared/handoff shared/kept shared/lines shared/masking shared/notifications shared/orders "
        "shared/outreach shared/quality shared/recordings shared/routing shared/use_cases",
        "shared/use_cases": "shared/*.py shared/calls",
        "shared/click": "shared/*.py shared/calls shared/lines shared/outreach shared/use_cases",
        "shared/orders": "shared/*.py shared/calls shared/use_cases",
        "shared/outreach": "shared/*.py shared/brakes shared/calls shared/events shared/lines "
        "shared/notifications shared/use_cases",
        "shared/masking": "shared/*.py shared/brakes shared/calls shared/use_cases",
        "shared/diagnostics": "",
        "shared/kept": "shared/*.py shared/calls shared/notifications shared/recordings",
        "shared/recordings": "shared/*.py shared/calls shared/events shared/notifications shared/quality",
        "shared/notifications": "shared/*.py shared/calls",
        "shared/brakes": "shared/*.py shared/calls shared/routing",
        "shared/routing": "shared/*.py shared/calls shared/events shared/lines",
        "shared/lines": "shared/*.py",
        "shared/calls": "shared/*.py shared/events",
        "shared/events": "shared/*.py",
        "shared/quality": "shared/*.py",
        "shared/*.py": "",
        "streams": "shared/*.py shared/azure",
        "devstack": "emulator",
        "emulator": "",
        "shared/handoff": "shared/*.py shared/calls shared/lines shared/use_cases",
    }.items()
}
"""What each folder imports of the others, and so may. docs/architecture.md has the same table; docs/map.md draws it,
without the arrows that follow from others."""
BESIDE = ("bench", "conftest", "tests", "tools")
"""What is no part of what runs: it may import everything."""
NAMES = {"acs_emulator": "emulator", "function_app": "function_app.py", "shared/errors": PLAIN}
"""Modules whose folder has another name."""
OURS = ("acs_emulator", *BESIDE, "devstack", "flows", "function_app", "handlers", "shared", "streams")
DEPLOYED = {"function_app.py", "handlers", "shared", "flows", "scorecards", "host.json", "requirements.txt",
            "routing.yaml"}  # fmt: skip
LONGEST_MODULE, LONGEST_TEST = 400, 600

IN_MEMORY = ("shared.calls.gateway.memory", "shared.calls.store.memory", "shared.recordings.memory",
             "shared.notifications.memory", "shared.rows.MemoryRows")  # fmt: skip


def sources(*folders: str, root: Path = ROOT) -> list[Path]:
    """The Python files of these folders, or the module of that name."""
    found: list[Path] = []
    for folder in folders:
        path = root / folder
        found += sorted(path.rglob("*.py")) if path.is_dir() else [root / f"{folder}.py"]
    assert found, f"nothing in {folders}: the rule would hold for nothing"
    return found


@lru_cache(maxsize=2048)
def imports(path: Path, root: Path = ROOT) -> frozenset[str]:
    """Every module that a file imports anywhere, and every name that it takes from one (`a.b.name`)."""
    return frozenset(_imports(ast.parse(path.read_text(encoding="utf-8")), path.relative_to(root)))


def _imports(tree: ast.Module, path: Path) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                module = ".".join([*path.parts[: -node.level], *([module] if module else [])])
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


# Imports go as drawn, and never in a circle


def modules(root: Path) -> dict[str, Path]:
    """Every module of what runs and of what stands beside it, by name; the emulator looks after itself."""
    present = [name for name in OURS if (root / name).is_dir() or (root / f"{name}.py").is_file()]
    found = {".".join(path.relative_to(root).with_suffix("").parts): path for path in sources(*present, root=root)}
    return {name.removesuffix(".__init__"): path for name, path in found.items()}


def needs(name: str, known: Mapping[str, Path], root: Path) -> set[str]:
    """The modules that one imports. `from package import module` needs the module, not what else its package holds."""
    taken = {one for one in imports(known[name], root) if one in known} - {name}
    return {one for one in taken if not any(within(other, one) for other in taken - {one})}


def folder_of(module: str, known: Mapping[str, Path], root: Path) -> str:
    """The name in the table of arrows."""
    first, *rest = module.split(".")
    if first != "shared":
        return NAMES.get(first, first)
    if len(rest) > 1 or (known[module].name == "__init__.py" and rest):
        return NAMES.get(f"shared/{rest[0]}", f"shared/{rest[0]}")
    return f"{first}/{rest[0]}.py" if rest and f"{first}/{rest[0]}.py" in ARROWS else PLAIN


def arrows(root: Path) -> Iterator[tuple[str, str, str]]:
    """Each import over the border of a folder: from which, to which, and the two modules."""
    known = modules(root)
    for name in known:
        here = folder_of(name, known, root)
        if here in BESIDE:
            continue
        emulator = {one.partition(".")[0] for one in imports(known[name], root)} & {"acs_emulator"}
        for other in {*needs(name, known, root), *emulator}:
            there = "emulator" if other == "acs_emulator" else folder_of(other, known, root)
            if there != here:
                yield here, there, f"{name}: {other}"


def not_drawn(root: Path) -> list[str]:
    return sorted(which for here, there, which in arrows(root) if there not in ARROWS.get(here, ()))


def circle(root: Path) -> list[str]:
    """One circle of modules; empty when there is none."""
    known = modules(root)
    try:
        TopologicalSorter({name: needs(name, known, root) for name in known}).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_imports_go_as_drawn() -> None:
    assert not_drawn(ROOT) == []
    assert {(here, there) for here, there, _ in arrows(ROOT)} == {
        (here, there) for here, drawn in ARROWS.items() for there in drawn
    }, "an arrow that no import needs"


def test_no_module_imports_in_a_circle_not_for_types_either() -> None:
    assert circle(ROOT) == []


@pytest.mark.parametrize(
    "planted",
    [
        "import shared.azure.rows",
        "from shared.azure.rows import etag",
        "from shared.azure import rows",
        "from ..azure import rows",
        "from ..azure.rows import etag as version",
        "if TYPE_CHECKING:\n    from shared.azure.rows import etag",
        "def late():\n    import shared.azure.rows as rows",
    ],
)
def test_an_import_that_is_not_drawn_is_found_and_so_is_its_circle(planted: str, tmp_path: Path) -> None:
    files = {"shared/__init__": "", "shared/calls/record": planted, "shared/azure/rows": "import shared.calls.record"}
    for name, text in files.items():
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert not_drawn(tmp_path) == ["shared.calls.record: shared.azure.rows"]
    assert {"shared.calls.record", "shared.azure.rows"} == set(circle(tmp_path))


def test_a_folder_that_nobody_drew_is_found(tmp_path: Path) -> None:
    for name, text in {"shared/made_up/rows": "import shared.errors", "shared/errors": "import shared.made_up"}.items():
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "shared/made_up/__init__.py").touch()
    assert not_drawn(tmp_path) == ["shared.errors: shared.made_up", "shared.made_up.rows: shared.errors"]


def below(folder: str) -> set[str]:
    """Everything that arrows lead to from a folder, itself left out."""
    return set(ARROWS[folder]).union(*map(below, ARROWS[folder]))


def test_the_arrows_go_down() -> None:
    TopologicalSorter(ARROWS).prepare()


def test_the_table_of_the_architecture_is_this_one() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8").split("## Folders\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([^`]+)` \|[^|]*\|([^|]*)\|$", text, re.MULTILINE)
    told = {folder.rstrip("/"): frozenset(re.findall(r"`([^`]+)`", may)) for folder, may in rows}
    assert {name: may for name, may in told.items() if name in ARROWS} == ARROWS


def test_the_picture_of_the_map_draws_it() -> None:
    text = (ROOT / "docs/map.md").read_text("utf-8").split("```mermaid\n")[1].split("```")[0]
    label = {one: name.partition("<br/>")[0].rstrip("/") for one, name in re.findall(r'(\w+)\["([^"]+)"\]', text)}
    drawn = {(label[here], label[there]) for here, there in re.findall(r"(\w+)(?:\[[^\]]*\])? --> (\w+)", text)}
    assert drawn == {
        (here, there)
        for here, found in ARROWS.items()
        for there in found
        if not any(there in below(other) for other in found)
    }


def test_flows_import_the_core_itself() -> None:
    uses = ("outreach", "masking", "click", "orders", "handoff")  # for types, and what decides without storage
    own = ("shared.calls", "shared.use_cases", *(f"shared.{one}" for one in uses))
    assert breaches(sources("flows"), forbidden=(*others("flows"), "azure"), allowed=own) == []
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


def test_what_is_in_memory_is_for_tests_and_rehearsals() -> None:
    files = [path for path in sources("shared", "handlers") if path.name != "rehearsal.py"]
    assert breaches(files, forbidden=IN_MEMORY) == []


AZURE = ("azure.communication", "azure.core", "azure.data", "azure.eventgrid", "azure.identity", "azure.storage")
CLIENTS = {"CallAutomationClient", "EventGridPublisherClient", "TableServiceClient", "TableClient", "BlobServiceClient",
           "ContainerClient", "BlobClient", "QueueServiceClient", "QueueClient", "from_connection_string",
           "AzureKeyCredential", "AzureSasCredential", "AzureNamedKeyCredential", "DefaultAzureCredential",
           "ManagedIdentityCredential"}  # fmt: skip


def test_the_azure_side_alone_knows_the_sdks() -> None:
    files = sources("function_app", "handlers", "shared", "flows")
    files = [path for path in files if "shared/azure/" not in path.as_posix()]
    assert breaches(files, forbidden=AZURE) == []
    # The streams service writes its own blobs, by a client that it is given.
    found = breaches(
        sources("streams"), forbidden=AZURE, allowed=("azure.core.exceptions", "azure.core.MatchConditions")
    )
    taken = ("", ".BlobBlock", ".ContainerClient", ".ContentSettings")
    assert found == [f"streams/store.py: azure.storage.blob{name}" for name in taken]


def test_one_module_makes_every_client_and_credential() -> None:
    makers = {
        path.relative_to(ROOT).as_posix()
        for path in sources("function_app", "handlers", "shared", "flows", "streams")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and CLIENTS & {getattr(node.func, name, "") for name in ("id", "attr")}
    }
    assert makers == {"shared/azure/clients.py"}


def test_events_can_be_used_by_themselves() -> None:
    allowed = ("shared.events", "shared.errors", "shared.identifiers", "shared.plain_json")
    assert breaches(sources("shared/events"), forbidden=("shared",), allowed=allowed) == []


def test_quality_can_be_used_by_itself() -> None:
    allowed = ("shared.quality", "shared.errors", "shared.yaml_text")
    assert breaches(sources("shared/quality"), forbidden=("shared", "requests"), allowed=allowed) == []


STREAMS_TAKE = {
    "shared.azure.clients",
    "shared.errors",
    "shared.exposure",
    "shared.logs",
    "shared.security",
    "shared.setting_values",
    "shared.storage_account",
    "shared.stream_signals",
    "shared.transport",
}
"""What the streams service takes from the app: errors, log lines, checks of settings, signatures and tokens, HTTP,
and the client of its container."""


def test_the_streams_service_takes_a_few_modules_of_shared() -> None:
    known = modules(ROOT)
    taken = {one for name in known if within(name, "streams") for one in needs(name, known, ROOT)}
    assert {one for one in taken if within(one, "shared")} == STREAMS_TAKE


def test_the_emulator_knows_nothing_of_the_app() -> None:
    assert breaches(sources("emulator/src"), forbidden=others("acs_emulator")) == []


def test_nothing_that_is_deployed_imports_what_is_for_tests() -> None:
    files = sources("function_app", "handlers", "shared", "flows", "streams", "devstack")
    assert breaches(files, forbidden=(*BESIDE, "pytest", "hypothesis")) == []


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
        if lines > (LONGEST_TEST if name.startswith(("tests/", "emulator/tests/")) else LONGEST_MODULE):
            long[name] = lines
    assert long == {}
