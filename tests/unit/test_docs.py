"""The documentation: its links lead somewhere, its names exist, its code runs."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

import function_app
from shared.calls import FLOWS, ActionFailed, Call, CallError, Flow
from shared.calls.actions import families
from shared.calls.outcome import Outcome
from shared.calls.texts import read_texts
from shared.composition.flows import load_flows
from shared.routing.reading import load_routes
from tests.fixtures.app import shipped

ROOT = Path(__file__).parents[2]
NOT_OURS = {"node_modules", "tests"}
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for top in ROOT.iterdir()
    if top.name not in NOT_OURS and not top.name.startswith(".")
    for path in ([top] if top.suffix == ".md" else top.rglob("*.md"))
)

FENCE = re.compile(r"^(?P<fence>`{3,})(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=fence) *$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\((?P<target>[^()\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(?P<title>.+?) *#* *$", re.MULTILINE)
WEB = ("https://", "http://", "mailto:")


@dataclass(frozen=True)
class Block:
    """A block of code in a page; `where` is what a failure shows."""

    where: str
    info: tuple[str, ...]
    code: str


@cache
def source(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def prose(page: str) -> str:
    """A page without its blocks of code."""
    return FENCE.sub("", source(page))


@cache
def links(page: str) -> list[str]:
    """Where a page leads inside the repository."""
    targets = (match["target"] for match in LINK.finditer(re.sub(r"`[^`\n]*`", "", prose(page))))
    return [target for target in targets if not target.startswith(WEB)]


@cache
def anchors(page: str) -> frozenset[str]:
    """The anchors of a page's headings, made as GitHub makes them."""
    found: dict[str, int] = {}
    names = set()
    for match in HEADING.finditer(prose(page)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match["title"]).replace("`", "")
        name = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        count = found.get(name, 0)
        found[name] = count + 1
        names.add(f"{name}-{count}" if count else name)
    return frozenset(names)


def blocks(*languages: str) -> list[Block]:
    found = []
    for page in PAGES:
        text = source(page)
        for match in FENCE.finditer(text):
            info = tuple(match["info"].split())
            if info and info[0] in languages:
                line = text.count("\n", 0, match.start()) + 1
                found.append(Block(f"{page}:{line}", info, match["text"]))
    return found


def kind(block: Block) -> str:
    return block.info[1] if len(block.info) > 1 else ""


def named(found: list[Block]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", found, ids=[block.where for block in found])


@pytest.mark.parametrize("page", PAGES)
def test_a_link_leads_to_a_file_and_a_heading_that_exist(page: str) -> None:
    wrong = []
    for target in links(page):
        name, _, anchor = unquote(target).partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        if not shipped(path).exists():
            wrong.append(f"{name} does not exist")
        elif not path.resolve().is_relative_to(ROOT):
            wrong.append(f"{name} is out of the repository")
        elif anchor and anchor not in (there := anchors(path.resolve().relative_to(ROOT).as_posix())):
            wrong.append(f"{name} has no #{anchor}, but {', '.join(sorted(there))}")
    assert wrong == []


def test_links_are_found_at_all() -> None:
    assert sum(bool(links(page)) for page in PAGES) > 5
    assert "differences-from-acs" in anchors("docs/emulator.md")


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, new = set[str](), {"README.md"}
    while new:
        reached |= new
        targets = {
            ((ROOT / page).parent / target.partition("#")[0]).resolve() for page in new for target in links(page)
        }
        new = {target.relative_to(ROOT).as_posix() for target in targets if target.suffix == ".md"} - reached
    assert set(PAGES) - reached == set()


def test_every_function_is_in_the_architecture() -> None:
    app: Any = function_app.app
    described = source("docs/architecture.md")
    missing = []
    for function in app.get_functions():
        route = getattr(function.get_trigger(), "route", None)
        if f"`{function.get_function_name()}`" not in described or (route and f"/api/{route}`" not in described):
            missing.append(function.get_function_name())
    app.functions_bindings = None  # the SDK would take a second look at the same app for duplicates
    assert missing == []


@pytest.mark.parametrize(("family", "events"), families().items())
def test_the_function_that_takes_an_event_is_in_the_architecture(family: str, events: frozenset[str]) -> None:
    function = f"{family.replace('-', '_')}_events"
    (row,) = re.findall(rf"^\| `{function}` \|[^|]*\|([^|]*)\|", source("docs/architecture.md"), re.MULTILINE)
    assert sorted(row.strip().split(", ")) == sorted(events)


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    code = [(page, text) for page in PAGES for text in re.findall(r"`([^`\n]+)`", prose(page))]
    code += [(block.where, block.code) for block in blocks("sh", "text", "")]
    named_targets = {(where, t) for where, text in code for t in re.findall(r"(?:^|\s)make ([a-z-]+)\b", text, re.M)}
    assert len(named_targets) > 5
    assert {(where, target) for where, target in named_targets if target not in targets} == set()


def test_every_test_that_is_named_exists() -> None:
    tests = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    names = {name for page in PAGES for name in re.findall(r"`(test_\w+)`", prose(page))}
    assert len(names) > 3
    assert {name for name in names if f"def {name}(" not in tests} == set()


def test_everything_that_a_flow_can_do_and_meet_is_in_the_guide() -> None:
    described = source("docs/flows.md")
    members = {name for name in dir(Call) if not name.startswith("_")}
    assert {name for name in members if not re.search(rf"`(?:call\.)?{name}[`(]", described)} == set()
    errors = {error.__name__ for error in CallError.__subclasses__() + ActionFailed.__subclasses__()}
    assert {name for name in errors if f"| `{name}` |" not in described} == set()


def test_every_module_of_the_core_is_in_the_architecture() -> None:
    described = source("docs/architecture.md").partition("### Inside the core\n")[2].partition("\n#")[0]
    core = ROOT / "shared" / "calls"
    modules = {path.stem for path in core.glob("*.py") if path.stem != "__init__"}
    folders = {f"{path.parent.name}/" for path in core.glob("*/__init__.py")}
    code = re.sub(r"`(?:shared/calls|run)`", "", described)
    assert set(re.findall(r"`([\w/]+)`", code)) == modules | folders


def test_every_outcome_of_a_delivery_is_in_the_architecture() -> None:
    described = source("docs/architecture.md")
    assert {outcome for outcome in Outcome if f"`{outcome}`" not in described} == set()


@named([block for block in blocks("yaml") if block.code.startswith("rules:")])
def test_a_block_of_routing_rules_is_right(block: Block, flows: dict[str, Flow]) -> None:
    page = block.where.partition(":")[0]
    made = re.findall(r'^@flow\("([^"]+)"', source(page), re.MULTILINE)  # on the same page
    known = flows | {name: flows["reception"] for name in made if name not in flows}
    assert load_routes(block.code, known).rules


@named(blocks("sh"))
def test_a_block_of_shell_can_be_read(block: Block) -> None:
    read = subprocess.run(["bash", "-n"], input=block.code, text=True, capture_output=True, timeout=10)
    assert read.stderr == ""


@named([block for block in blocks("python") if not kind(block)])
def test_a_block_of_python_compiles(block: Block) -> None:
    try:
        compile(block.code, block.where, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError as error:
        pytest.fail(f"{block.where}: {error}")


@named([block for block in blocks("python") if kind(block) == "excerpt"])
def test_an_excerpt_stands_in_its_file(block: Block) -> None:
    assert block.code in shipped(ROOT / block.info[2]).read_text("utf-8")


@pytest.fixture
def flows() -> Iterator[dict[str, Flow]]:
    """The registry, as it was afterwards."""
    load_flows()  # what a block imports from them is registered once in a process
    before = dict(FLOWS)
    yield FLOWS
    FLOWS.clear()
    FLOWS.update(before)


def rehearsed() -> list[tuple[Block | None, Block]]:
    """Each rehearsal with the flow above it, if its page has one."""
    pairs: list[tuple[Block | None, Block]] = []
    flow: Block | None = None
    for block in blocks("python"):
        if kind(block) == "flow":
            flow = block
        elif kind(block) == "rehearsal":
            same_page = flow is not None and flow.where.partition(":")[0] == block.where.partition(":")[0]
            pairs.append((flow if same_page else None, block))
    return pairs


@pytest.mark.parametrize(("flow", "rehearsal"), rehearsed(), ids=[rehearsal.where for _, rehearsal in rehearsed()])
def test_a_flow_does_what_its_rehearsal_says(
    flow: Block | None,
    rehearsal: Block,
    flows: dict[str, Flow],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    namespace: dict[str, Any] = {"__name__": "docs.flows"}
    if flow is not None:
        for block in texts_of(flow):
            (tmp_path / kind(block)).write_text(block.code, "utf-8")
        registry = importlib.import_module("shared.calls.flow")  # `shared.calls.flow` is the function
        monkeypatch.setattr(registry, "read_texts", lambda folder, name: read_texts(tmp_path, name))
        run(flow, namespace)
        assert [name for name in flows if flows[name].function.__module__ == "docs.flows"], "registers no flow"
    run(rehearsal, namespace)


def texts_of(flow: Block) -> list[Block]:
    """The files that stand above a flow on its page, `yaml taxi.en.yaml`, if they are for a flow of this block."""
    names = tuple(f"{name}." for name in re.findall(r'@flow\("([^"]+)"', flow.code))
    return [block for block in blocks("yaml") if kind(block).startswith(names)]


def test_every_file_of_texts_has_its_flow() -> None:
    files = {block.where for block in blocks("yaml") if kind(block)}
    assert files
    assert files == {text.where for flow in blocks("python") if kind(flow) == "flow" for text in texts_of(flow)}


def test_every_flow_has_a_rehearsal() -> None:
    assert {b.where for b in blocks("python") if kind(b) == "flow"} == {
        f.where for f, _ in rehearsed() if f is not None
    }


def run(block: Block, namespace: dict[str, Any]) -> None:
    """Run a block as it stands on its page, so that a failure shows its line there."""
    line = int(block.where.rpartition(":")[2])
    code = "\n" * line + textwrap.dedent(block.code)
    exec(compile(code, str(ROOT / block.where.partition(":")[0]), "exec", dont_inherit=True), namespace)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_one_title_and_names_no_machine(page: str) -> None:
    titles = re.findall(r"^# .+$", prose(page), re.MULTILINE)
    assert len(titles) == 1
    assert not re.search(r"(?<![\w.])/(?:home|Users|root|work)/", source(page))
