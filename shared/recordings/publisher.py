"""Tells other systems that a report is ready, through an Event Grid custom topic."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from shared.errors import TopicUnavailable

if TYPE_CHECKING:
    from azure.eventgrid import EventGridPublisherClient

EVENT_TYPE = "Switchboard.QualityReportReady"
DATA_VERSION = "1.0"


class TopicPublisher:
    """Publishes to a custom topic, in the Event Grid schema. The SDK is imported on first use.

    Args:
        endpoint: of the topic, `https://<name>.<region>-1.eventgrid.azure.net/api/events`.
        key: of the topic; empty: the app's managed identity, with the role EventGrid Data Sender.
    """

    def __init__(self, endpoint: str, key: str = "") -> None:
        self._endpoint = endpoint
        self._key = key

    def publish(self, event_id: str, subject: str, data: dict[str, Any]) -> None:
        """Publish one event; a subscriber may see it twice, with the same id. TopicUnavailable."""
        from azure.core.exceptions import AzureError
        from azure.eventgrid import EventGridEvent

        event = EventGridEvent(subject, EVENT_TYPE, data, DATA_VERSION, id=event_id)
        try:
            self._client.send(event)
        except AzureError as error:
            raise TopicUnavailable(f"the topic of reports did not take an event: {type(error).__name__}.") from error

    @cached_property
    def _client(self) -> EventGridPublisherClient:
        from azure.core.credentials import AzureKeyCredential, TokenCredential
        from azure.eventgrid import EventGridPublisherClient

        credential: AzureKeyCredential | TokenCredential
        if self._key:
            credential = AzureKeyCredential(self._key)
        else:
            from azure.identity import DefaultAzureCredential

            credential = DefaultAzureCredential()
        # By default the SDK waits 300 s for each answer: longer than the lease of a report.
        return EventGridPublisherClient(
            self._endpoint, credential, retry_total=2, connection_timeout=3, read_timeout=8, permit_redirects=False
        )
