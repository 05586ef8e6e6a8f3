"""An Event Grid custom topic, which passes events on to whoever subscribes."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError

from shared.azure import clients
from shared.notifications.errors import TopicUnavailable
from shared.notifications.event import Event

if TYPE_CHECKING:
    from azure.eventgrid import EventGridPublisherClient

DATA_VERSION = "1.0"
REFUSED = frozenset({400, 413})
"""What the topic responds to an event that it will never take; the rest is a matter of keys, roles and time."""


class TopicPublisher:
    """Publishes to a custom topic, in the Event Grid schema. The SDK is imported on first use.

    Args:
        endpoint: of the topic, `https://<name>.<region>-1.eventgrid.azure.net/api/events`.
        key: of the topic; empty: the app's managed identity, with the role EventGrid Data Sender.
    """

    def __init__(self, endpoint: str, key: str = "") -> None:
        self._endpoint = endpoint
        self._key = key

    def deliver(self, event: Event) -> None:
        """Publish one event; a subscriber may see it twice, with the same id. TopicUnavailable."""
        from azure.eventgrid import EventGridEvent

        # As JSON has it: the SDK would write a tuple as text.
        data = json.loads(json.dumps(event.data))
        body = EventGridEvent(event.subject, event.type, data, DATA_VERSION, id=event.id, event_time=event.time)
        try:
            self._client.send(body)
        except AzureError as error:
            status = getattr(error, "status_code", None)
            problem = f"the topic responded {status}" if status else f"the topic is unavailable: {type(error).__name__}"
            raise TopicUnavailable(problem, lasting=status in REFUSED) from error

    @cached_property
    def _client(self) -> EventGridPublisherClient:
        return clients.topic(self._endpoint, self._key)
