"""The gateway: one client for the resource, errors translated into ActionRefused."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError, ServiceRequestError

from shared.azure import clients
from shared.azure.call_automation import calling, media, participants, recording, streaming
from shared.azure.call_automation.retry import CarefulRetry, done_before
from shared.azure.call_automation.sending import Sender, send
from shared.azure.call_automation.translate import word
from shared.calls.actions import Action
from shared.calls.gateway.base import Request
from shared.errors import ActionRefused, ResponseLost
from shared.transport import TRANSIENT

TRIES = 3
"""How often a request goes out whose response is lost, where sending it again cannot do harm."""

OPERATIONS = (calling, media, participants, recording, streaming)
"""The modules that register how each action is sent."""


class AcsGateway:
    """Performs actions on an Azure Communication Services resource.

    Args:
        endpoint: the resource's endpoint.
        access_key: its key; empty: the app's managed identity.
        cognitive_services_endpoint: sent with answer, create and connect, so that speech works; empty: not sent.
        voice_name: the voice of text prompts that name none.
        language: what recognize listens for when the flow does not say.
        timeout: seconds that one request may take.
    """

    def __init__(
        self,
        endpoint: str,
        access_key: str,
        *,
        cognitive_services_endpoint: str = "",
        voice_name: str = "en-US-JennyNeural",
        language: str = "en-US",
        timeout: float = 8.0,
    ) -> None:
        # A caller is waiting: two quick retries, then the flow decides.
        retry = CarefulRetry(retry_total=TRIES - 1, retry_backoff_factor=0.3, retry_backoff_max=2)
        self._client = clients.call_automation(endpoint, access_key, timeout=timeout, retry_policy=retry)
        self._sender = Sender(self._client, cognitive_services_endpoint or None, voice_name, language)

    def perform(self, request: Request) -> Mapping[str, Any]:
        # The retry policy sees requests, not actions: what is harmless twice for its meaning is sent again here.
        for _ in range(TRIES - 1 if request.action.spec.idempotent else 0):
            with suppress(ResponseLost):
                return self._send(request)
        return self._send(request)

    def _send(self, request: Request) -> Mapping[str, Any]:
        try:
            return send(request.action, request, self._sender) or {}
        except AzureError as error:
            if isinstance(error, HttpResponseError) and done_before(error):
                return {}
            raise _refusal(request.action, error) from error

    def connection_state(self, connection_id: str) -> str | None:
        try:
            properties = self._client.get_call_connection(connection_id).get_call_properties()
        except ResourceNotFoundError:
            return None
        except AzureError as error:
            raise ActionRefused("get_call", 0, "unreachable", str(error), transient=True) from error
        return word(properties.call_connection_state)


def _refusal(action: Action, error: AzureError) -> ActionRefused:
    """What an error of the SDK says about the action."""
    if isinstance(error, HttpResponseError) and (status := error.status_code or 0) >= 400:
        told = error.error
        code = str(told.code) if told is not None and told.code else str(status)
        message = told.message if told is not None and told.message else error.message
        return ActionRefused(action.kind, status, code, message, transient=status in TRANSIENT)
    if isinstance(error, ServiceRequestError) or action.spec.reads:
        return ActionRefused(action.kind, 0, "unreachable", str(error), transient=True)
    return ResponseLost(action.kind, str(error))  # no response, or one that broke off
