"""What sending an action needs, and the function that each kind of action registers its way with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import singledispatch
from typing import Any

from azure.communication.callautomation import CallAutomationClient, CallConnectionClient

from shared.calls.actions import Action
from shared.calls.gateway.base import Request
from shared.errors import ActionRefused


@dataclass(frozen=True, slots=True)
class Sender:
    """The client and what the settings say about speech."""

    client: CallAutomationClient
    cognitive_services_endpoint: str | None
    voice_name: str
    language: str

    def connection(self, request: Request) -> CallConnectionClient:
        """The call that the request is about; ActionRefused before it has a connection."""
        if not request.connection_id:
            raise ActionRefused(request.action.kind, 0, "not_connected", "the call has no connection yet")
        return self.client.get_call_connection(request.connection_id)


@singledispatch
def send(action: Action, request: Request, sender: Sender) -> Mapping[str, Any] | None:
    """Send one action; the service's answer as plain JSON, None where it has none."""
    raise TypeError(f"no way to send {action.kind}")


def repeatable(request: Request) -> dict[str, str]:
    """Headers by which the service knows a second sending of the same operation."""
    return {
        "Repeatability-Request-ID": str(request.repeatability_id),
        "Repeatability-First-Sent": formatdate(request.first_sent / 1000, usegmt=True),
    }


def reported(request: Request) -> dict[str, Any]:
    """What makes an operation's events come back to it."""
    return {
        "operation_context": request.operation_context,
        "operation_callback_url": request.operation_callback_url,
    }
