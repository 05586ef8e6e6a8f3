"""What of the app stands behind an operation or an event: methods of Call, routes, gateway functions, doors."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, get_args, get_type_hints
from urllib.parse import urlsplit

from azure.communication.callautomation import CallAutomationClient
from azure.core.credentials import AzureKeyCredential
from azure.core.pipeline.transport import HttpTransport

from acs_emulator.api.routes import OPERATIONS
from handlers.callbacks import FAMILIES
from shared.api.models import ACTIONS, PlaceCall
from shared.api.openapi import openapi
from shared.calls import Call, actions
from shared.calls.actions import KINDS, Action, roles
from shared.gateway import acs  # noqa: F401 - registers how each action is sent
from shared.gateway.acs.sending import Sender, send
from shared.gateway.base import Request
from shared.identifiers import Identifier
from tools.coverage.source import files, functions, tree

_FILLED_IN = {"participant": Identifier.parse("+14255550100"), "recording_id": "1", "invitation_id": "1"}
"""What the app knows of a call, and gives to an action whose example leaves it out."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef


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
def operations() -> Mapping[str, type[Action]]:
    """Each published operation, and the action that the gateway turns into it."""
    client = CallAutomationClient("https://example.com", AzureKeyCredential("a2V5"), transport=_Transport())
    return {_operation(kind, client): kind for kind in KINDS.values() if kind.spec.in_service}


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
        raise LookupError(f"{kind.__name__} asks for {asked.method} {asked.path}, which is not published") from None
    raise LookupError(f"{kind.__name__} asks for nothing")


def kind_of(action: type[Action]) -> str:
    """The name of an action in journals and paths."""
    return str(action.model_fields["kind"].default)


@cache
def methods() -> Mapping[str, tuple[str, ...]]:
    """By the kind of an action: the methods of Call that issue it, by themselves or by a helper beside them."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in files("shared/calls/methods"):
        all_here = {function.name: function for function in functions(path)}
        public = [name for name in all_here if not name.startswith("_")]
        of_call = [name for name in public if hasattr(Call, name)]
        for function in functions(path):
            if function.name not in public:
                continue
            # What a block does when it is entered and left is done by the method that gives the block.
            names = [function.name] if function.name in of_call else of_call
            for kind in _issued_by(function, all_here):
                found[kind] += [name for name in names if name not in found[kind]]
    return {kind: tuple(names) for kind, names in found.items()}


def _issued_by(function: _Function, beside: Mapping[str, _Function]) -> Iterator[str]:
    """The kinds of the actions that a method builds, and those of the private methods that it calls."""
    looked_at, waiting = set[str](), [function]
    while waiting:
        current = waiting.pop()
        looked_at.add(current.name)
        for node in ast.walk(current):
            if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
                continue
            if node.value.id == "actions" and issubclass(kind := getattr(actions, node.attr), Action):
                yield kind_of(kind)
            elif node.value.id == "self" and node.attr.startswith("_") and node.attr in beside.keys() - looked_at:
                waiting.append(beside[node.attr])


@cache
def routes() -> Mapping[str, str]:
    """By the kind of an action: the route of the HTTP API that does it, as the OpenAPI document has it."""
    paths = openapi()["paths"]
    acting = "/calls/{{call_id}}/actions/{}"
    found = {kind: acting.format(kind) for kind in ACTIONS if "post" in paths.get(acting.format(kind), {})}
    placed = get_args(get_type_hints(PlaceCall.opening)["return"])
    found |= {kind_of(kind): "/calls" for kind in placed if kind is not type(None) and "post" in paths["/calls"]}
    return found


def shown(event: str) -> str:
    """The route that shows what an event brought."""
    path = "/recordings/{recording_id}" if event == "RecordingFileStatusUpdated" else "/calls/{call_id}/journal"
    return f"GET {path}" if "get" in openapi()["paths"].get(path, {}) else ""


def gateway(action: type[Action]) -> str:
    """The function that sends an action."""
    function = send.dispatch(action)
    return f"{function.__module__.removeprefix('shared.gateway.')}.{function.__name__}"


def reported(event: str) -> tuple[str, ...]:
    """The kinds of action that a callback reports on."""
    return tuple(roles().get(event, ()))


def doors(event: str) -> tuple[str, ...]:
    """The functions that take an event."""
    if event in roles():
        own = (f"{family.replace('-', '_')}_events" for family, events in FAMILIES.items() if event in events)
        return ("call_events", *own)
    return tuple(name for name, taken in _grid_doors().items() if event in taken)


@cache
def _grid_doors() -> Mapping[str, frozenset[str]]:
    """By the name of an Event Grid function: the names that it looks at, through lists of the module too."""
    return {name: taken for path in files("handlers") for name, taken in _doors_of(path)}


def _doors_of(path: Path) -> Iterator[tuple[str, frozenset[str]]]:
    lists = {
        target.id: set(_names(node.value))
        for node in tree(path).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for function in functions(path):
        if any("event_grid_trigger" in ast.dump(decorator) for decorator in function.decorator_list):
            named = (one for name in _names(*function.body) for one in (lists.get(name) or {name}))
            yield function.name, frozenset(named) - {function.name}


def _names(*nodes: ast.AST) -> Iterator[str]:
    for node in nodes:
        for part in ast.walk(node):
            if isinstance(part, ast.Name | ast.Attribute):
                yield part.id if isinstance(part, ast.Name) else part.attr
