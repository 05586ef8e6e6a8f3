"""A gateway that keeps what it was asked, for tests and properties."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from shared.calls import actions
from shared.calls.actions import Action
from shared.calls.gateway.base import Request
from shared.errors import ActionRefused


class MemoryGateway:
    """Remembers every request; responds as told, by default with what the service is known to respond and no more.

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
        if not request.connection_id and not _goes_without_connection(request.action):
            raise ActionRefused(request.action.kind, 0, "not_connected", "the call has no connection yet")
        with self._lock:
            self.sent.append(request)
            if not request.action.spec.repeatable:
                self.performed.append(request)  # it goes without the id
            elif request.repeatability_id not in self._ran:
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


def _goes_without_connection(action: Action) -> bool:
    """Whether the service takes it so: what opens or refuses a call, and what names a recording or a server call."""
    located_by_server_call = isinstance(action, actions.StartRecording) and action.locate_by == "server_call"
    return located_by_server_call or isinstance(action, actions.OnRecording) or not action.spec.on_live_call


def _plain_answer(request: Request) -> Mapping[str, Any]:
    """What the real gateway gives, in its shape (recorded: a placed call has no server call id yet)."""
    action = request.action
    if isinstance(action, actions.Answer):
        return _connection(request, request.server_call_id)
    if isinstance(action, actions.GetCall):
        return {**_connection(request, request.server_call_id), "callConnectionState": "connected"}
    if isinstance(action, actions.Opening):
        return _connection(request, None if action.concerned else request.server_call_id or "server-call")
    return action.response_data(f"{request.seq}-of-{request.call_id}")


def _connection(request: Request, server_call_id: str | None) -> Mapping[str, Any]:
    action = request.action
    return {
        "callConnectionId": request.connection_id or f"connection-of-{request.call_id}",
        "serverCallId": server_call_id,
        "correlationId": f"correlation-of-{request.call_id}",
        "callConnectionState": "connecting",
        "targets": [target.raw_id for target in action.concerned],
    }
