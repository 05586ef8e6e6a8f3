"""What the core asks of a gateway: perform an action, give back the service's answer."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from shared.calls.actions import Action

_NAMESPACE = uuid.UUID("6d6d0f6e-7f1b-5d0f-9e55-0d5a0a6d3c11")


@dataclass(frozen=True, slots=True)
class Request:
    """An action on its way to the service.

    Attributes:
        operation_context: what the service echoes in the action's events.
        callback_url: where the events of the whole call go (answer and create).
        operation_callback_url: where the events of this action go; None: to the call's.
        first_sent: Unix time in milliseconds at which the action was issued.
        connection_id: the call connection; empty until the call is answered or placed.
        incoming_call_context: what answer, reject and redirect need.
        audio_url, transcript_url: where live audio and live words of this call go; empty: nowhere.
    """

    call_id: str
    seq: int
    attempt: int
    action: Action
    operation_context: str
    callback_url: str
    operation_callback_url: str | None
    first_sent: int
    connection_id: str
    server_call_id: str
    incoming_call_context: str
    audio_url: str = ""
    transcript_url: str = ""

    @property
    def repeatability_id(self) -> uuid.UUID:
        """The same for every sending of this operation, so that the service runs it once."""
        return uuid.uuid5(_NAMESPACE, f"{self.call_id}:{self.seq}")


class Gateway(Protocol):
    """Sends actions to Call Automation."""

    def perform(self, request: Request) -> Mapping[str, Any]:
        """Send the action; the response as plain JSON, empty where the service gives none.

        Raises:
            ResponseLost: the request went out and no response came; the service may have carried it out.
            ActionRefused: the service refused, or could not be reached at all.
        """

    def connection_state(self, connection_id: str) -> str | None:
        """The state of a call connection in the service's words; None if the service does not know it."""
