"""The data plane's operations: how each is addressed, read and answered."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from acs_emulator.service.emulator import Emulator


@dataclass(frozen=True)
class Request:
    """A checked request: path parameters, body and query."""

    service: Emulator
    path: str
    parameters: dict[str, str]
    body: dict[str, Any]


@dataclass(frozen=True)
class Response:
    """Status and body; ``chain_id`` is the correlation id for the response header."""

    status: int
    body: dict[str, Any] | None = None
    chain_id: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """One published operation. ``repeatable`` takes Repeatability-Request-ID (published);
    ``says_accepted`` answers Repeatability-Result (recorded)."""

    id: str
    method: str
    pattern: re.Pattern[str]
    handler: Callable[[Request], Response] | None
    repeatable: bool = False
    says_accepted: bool = False
    body: str = "required"


@dataclass(frozen=True)
class Match:
    """The outcome of routing: an operation with its parameters, or the methods the path allows."""

    operation: Operation | None
    parameters: dict[str, str]
    allowed: tuple[str, ...] = ()


class Router:
    """Finds the operation of a request line."""

    def __init__(self, operations: list[Operation]) -> None:
        self._operations = operations

    def match(self, method: str, raw_path: str) -> Match:
        allowed: list[str] = []
        for operation in self._operations:
            found = operation.pattern.match(raw_path)
            if found is None:
                continue
            if operation.method == method:
                values = {name: unquote(value) for name, value in found.groupdict().items()}
                return Match(operation, values)
            allowed.append(operation.method)
        return Match(None, {}, tuple(sorted(set(allowed))))


def pattern(template: str) -> re.Pattern[str]:
    """``/calling/callConnections/{callConnectionId}:play`` as an expression on the raw path.

    A call connection id has no colon, so that the action after it is told apart. A participant's or user's
    id has colons, and the Python async clients send them as they are.
    """
    text = re.escape(template).replace(r"\{", "{").replace(r"\}", "}")
    text = re.sub(r"\{(participantRawId|identityId)\}", r"(?P<\1>[^/]+)", text)
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/:]+)", text) + r"\Z")
