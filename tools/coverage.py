"""Writes docs/coverage.md (each operation and event of the service, and the end-to-end tests that show it), and the
table of actions in docs/api.md.

A test says by its `covers` marker what it shows; while it runs, that is held against what the emulator was really asked
and what the journals really hold (`Covered` in tests/e2e/trials.py). So the page is made from the markers alone.
`--check` only says whether the pages are as they should be, and the first has no hole.
"""

from __future__ import annotations

import ast
import json
import logging
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from azure.communication.callautomation import CallAutomationClient
from azure.core.credentials import AzureKeyCredential
from azure.core.pipeline.transport import HttpTransport

import acs_emulator
from acs_emulator.api.routes import OPERATIONS
from shared.azure import call_automation  # noqa: F401 - registers how each action is sent
from shared.azure.call_automation.sending import Sender, send
from shared.calls.actions import KINDS, Action, roles
from shared.calls.gateway.base import Request
from shared.identifiers import Identifier
from shared.web.models import ACTIONS

ROOT = Path(__file__).parents[1]
PAGE, API = ROOT / "docs" / "coverage.md", ROOT / "docs" / "api.md"
ACTIONS_HEAD = "| action | needs | does |\n|---|---|---|\n"
TESTS = ROOT / "tests" / "e2e"
PUBLISHED = Path(acs_emulator.__file__).parent / "api" / "schemas" / "callautomation.json"
OPENINGS = ("create_call", "connect")
"""Actions that the HTTP API carries out by placing a call."""

Row = tuple[str, ...]
Shown = Mapping[tuple[str, str], list[str]]

LEFT_OUT: dict[tuple[str, str], str] = {
    (operation, "http"): "a ringing call is opened by the routing file or by a flow; an operator never sees one"
    for operation in ("AnswerCall", "RedirectCall", "RejectCall")
}
"""What no test shows on purpose, with the reason."""

_FILLED_IN = {"participant": Identifier.parse("+14255550100"), "recording_id": "1", "invitation_id": "1"}
"""What the app knows of a call, and gives to an action whose example leaves it out."""

_TOP = """# Coverage

Made by `make coverage` from the `covers` markers of the end-to-end tests, which run Azurite, the emulator, the Functions host and the streams service. While such a test runs, its marker is held against what the emulator was asked and what the journals hold; `tests/unit/test_coverage.py` fails when this page is stale or has a hole. Beside these tests, the official Python client sends [each operation](../emulator/tests/conformance/python_sdk/operations.py) to the emulator, and so does the [JavaScript client](../emulator/tests/conformance/javascript_sdk/operations.test.mjs).
"""  # noqa: E501 - a paragraph of the page
_SAYS = """What an event says of which actions is declared by each action (`spec` in `shared/calls/actions`): `progress` is under way and more follows, `state` is how things now stand. The operation context names the request. Where no event says `succeeded` of an action, as of mute, unhold, cancel all media, reject, redirect and those on a recording, the response to the request is its outcome. `GET /calls/{call_id}/journal` shows each event that came.
"""  # noqa: E501 - a paragraph of the page


# What the service has


@cache
def published() -> dict[str, Any]:
    """What the emulator keeps of the published description."""
    return dict(json.loads(PUBLISHED.read_text("utf-8")))


def published_operations() -> list[str]:
    """The operations, in the order of the emulator's table."""
    return [operation.id for operation in OPERATIONS if operation.id in published()["operations"]]


def grid_events() -> list[str]:
    """The events of Event Grid."""
    return list(published()["eventGrid"]["events"])


# What the app asks for


class _Asked(BaseException):
    """The request that an action becomes."""

    def __init__(self, method: str, path: str) -> None:
        self.method, self.path = method, path


class _Transport(HttpTransport[Any, Any]):
    """Sends nothing."""

    def send(self, request: Any, **options: Any) -> NoReturn:
        raise _Asked(request.method, urlsplit(request.url).path)

    def open(self) -> None: ...

    def close(self) -> None: ...

    def __exit__(self, *args: object) -> None: ...


@cache
def actions() -> Mapping[str, str]:
    """By operation: the kind of the action that becomes it. LookupError if one becomes nothing that is published."""
    client = CallAutomationClient("https://example.com", AzureKeyCredential("a2V5"), transport=_Transport())
    return {_operation(action, client): kind for kind, action in KINDS.items() if action.spec.in_service}


def _operation(kind: type[Action], client: CallAutomationClient) -> str:
    known = {name: value for name, value in _FILLED_IN.items() if name in kind.model_fields}
    action = kind.model_validate({**known, **(kind.spec.example or {})})
    url = "https://example.com/callback"
    request = Request("call", 1, 0, action, "context", url, url, 1_790_000_000_000, "1", "server", "incoming")
    try:
        send(action, request, Sender(client, None, "en-US-JennyNeural", "en-US"))
    except _Asked as asked:
        for operation in OPERATIONS:
            if operation.method == asked.method and operation.pattern.match(asked.path):
                return operation.id
    raise LookupError(f"{kind.__name__} asks for nothing that is published")


def route(kind: str) -> str:
    """The route of the HTTP API that carries an action out; empty: none."""
    if kind in OPENINGS:
        return "`POST /calls`"
    return f"`POST /calls/{{call_id}}/actions/{kind}`" if kind in ACTIONS else ""


# What the tests show


@cache
def shown() -> Shown:
    """By operation or event, and by how it is done (`flow` or `http`): links to the tests that show it."""
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for path, function in tests():
        link = f"[{function.name.removeprefix('test_').replace('_', ' ')}](../{path.relative_to(ROOT).as_posix()})"
        for claim in claims(path, function):
            if link not in found[claim]:
                found[claim].append(link)
    return found


def tests() -> Iterator[tuple[Path, ast.FunctionDef]]:
    """The functions of the end-to-end tests."""
    for path in sorted(TESTS.glob("test_*.py")):
        yield from ((path, node) for node in _tree(path).body if isinstance(node, ast.FunctionDef))


def claims(path: Path, function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    """The names in the `covers` markers of a test or of a case of it, each with `flow` or `http`."""
    markers = {"pytest.mark.covers": "flow"}
    for node in _tree(path).body:
        if isinstance(node, ast.Assign) and "pytest.mark.covers" in ast.unparse(node.value):
            markers[ast.unparse(node.targets[0])] = "http" if "http" in ast.unparse(node.value) else "flow"
    for decorator in function.decorator_list:
        for part in ast.walk(decorator):
            if isinstance(part, ast.Call) and (over := markers.get(ast.unparse(part.func))):
                yield from ((str(one.value), over) for one in part.args if isinstance(one, ast.Constant))


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


# The page


def holes() -> list[tuple[str, str]]:
    """What no test shows and nothing explains: an operation as a flow and over HTTP, an event in either way."""
    wanted = [(operation, over) for operation in published_operations() for over in ("flow", "http")]
    wanted += [(event, "either") for event in (*published()["events"], *grid_events())]
    return [(name, over) for name, over in wanted if not _cell(name, over)]


def page() -> str:
    """The whole page. LookupError: there is a hole in it."""
    if holes():
        raise LookupError(f"Nothing shows {holes()}.")
    operations = [
        (name, f"`{actions()[name]}`", route(actions()[name]), _cell(name, "flow"), _cell(name, "http"))
        for name in published_operations()
    ]
    events = [
        (
            name,
            " · ".join(dict.fromkeys(roles()[name].values())),
            " · ".join(f"`{kind}`" for kind in _of(name)),
            _cell(name, "either"),
        )
        for name in published()["events"]
    ]
    grid = [(name, _cell(name, "either")) for name in grid_events()]
    return "\n".join(
        (
            _TOP,
            f"## The {len(operations)} operations\n",
            *_table(("operation", "flow API", "HTTP API", "shown in a flow", "shown over HTTP"), operations),
            f"\n## The {len(events)} callbacks\n",
            _SAYS,
            *_table(("event", "says", "of", "shown by"), events),
            f"\n## The {len(grid)} events of Event Grid\n",
            *_table(("event", "shown by"), grid),
            "",
        )
    )


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


def _says(event: str) -> str:
    return " · ".join(dict.fromkeys(roles()[event].values()))


def _of(event: str) -> list[str]:
    """The kinds of action that a callback reports on, in the order of the operations."""
    return [kind for kind in actions().values() if kind in roles()[event]]


def _cell(name: str, over: str) -> str:
    """The first test that shows something, and how many more; else why none does."""
    ways = ("flow", "http") if over == "either" else (over,)
    links = list(dict.fromkeys(link for way in ways for link in shown().get((name, way), ())))
    if not links:
        return LEFT_OUT.get((name, over), "")
    return links[0] + (f" and {len(links) - 1} more" if len(links) > 1 else "")


def _table(head: Row, rows: Sequence[Row]) -> Iterator[str]:
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(row)} |"


def main(arguments: list[str]) -> int:
    """0 if the page is complete, and (with --check) as it should be."""
    logging.getLogger("azure").addHandler(logging.NullHandler())  # it complains of its own models
    try:
        pages = {PAGE: page(), API: api_page()}
    except LookupError as error:
        print(error)
        return 1
    stale = [path for path, made in pages.items() if not path.exists() or path.read_text("utf-8") != made]
    for path in stale:
        if "--check" in arguments:
            print(f"{path.name} is stale: run `make coverage`.")
        else:
            path.write_text(pages[path], "utf-8")
    return int("--check" in arguments and bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
