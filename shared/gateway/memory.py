"""A gateway that keeps what it was asked, for tests and properties."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from shared.errors import ActionRefused
from shared.gateway.base import Request


class MemoryGateway:
    """Remembers every request; answers as told.

    Like the service it runs a repeatable operation once, however often it is sent; `performed` holds what ran.
    """

    def __init__(self, answer: Callable[[Request], Mapping[str, Any]] | None = None) -> None:
        self._answer = answer or _plain_answer
        self._lock = threading.Lock()
        self._ran: set[object] = set()
        self.sent: list[Request] = []
        self.performed: list[Request] = []
        self.states: dict[str, str] = {}

    def perform(self, request: Request) -> Mapping[str, Any]:
        with self._lock:
            self.sent.append(request)
            if not request.action.repeatable or request.repeatability_id not in self._ran:
                self._ran.add(request.repeatability_id)
                self.performed.append(request)
        return self._answer(request)

    def connection_state(self, connection_id: str) -> str | None:
        return self.states.get(connection_id)


def refuse(status: int, code: str, message: str = "refused") -> Callable[[Request], Mapping[str, Any]]:
    """An answer for MemoryGateway: every action is refused."""

    def answer(request: Request) -> Mapping[str, Any]:
        raise ActionRefused(request.action.kind, status, code, message, transient=status >= 500)

    return answer


def _plain_answer(request: Request) -> Mapping[str, Any]:
    if request.action.kind in ("answer", "create_call"):
        return {"callConnectionId": f"connection-of-{request.call_id}", "serverCallId": "server-call"}
    return {}
