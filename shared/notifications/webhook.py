"""The web hook: events as CloudEvents, signed as Standard Webhooks says (https://www.standardwebhooks.com, v1)."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable, Sequence

from shared.notifications.errors import NotDelivered
from shared.notifications.event import Event
from shared.notifications.outgoing import Outgoing

CONTENT_TYPE = "application/cloudevents+json"
RETRIED = frozenset({401, 403, 404, 408, 425, 429})
"""Of the 4xx those that say `not now`, or that the receiver is not set up (yet): the event itself is not at fault."""


class WebHook:
    """Delivers events to one URL. Safe to share between threads.

    Args:
        keys: that the request is signed with; several while one takes the place of another.
        source: of the events: the app's own address.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        url: str,
        keys: Sequence[bytes],
        source: str,
        outgoing: Outgoing,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._url = url
        self._keys = keys
        self._source = source
        self._outgoing = outgoing
        self._clock = clock

    def deliver(self, event: Event) -> None:
        """See shared.notifications.base.Target."""
        body = json.dumps(cloud_event(event, self._source)).encode()
        timestamp = int(self._clock())
        response = self._outgoing.post(
            self._url,
            body,
            {
                "Content-Type": CONTENT_TYPE,
                "webhook-id": event.id,
                "webhook-timestamp": str(timestamp),
                "webhook-signature": " ".join(sign(key, event.id, timestamp, body) for key in self._keys),
            },
        )
        if not 200 <= response.status < 300:
            lasting = 300 <= response.status < 500 and response.status not in RETRIED
            raise NotDelivered(
                f"the hook responded {response.status}", lasting=lasting, retry_after=response.retry_after
            )


def sign(key: bytes, event_id: str, timestamp: int, body: bytes) -> str:
    """One signature of a request, with its version."""
    signed = hmac.digest(key, f"{event_id}.{timestamp}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(signed).decode()}"


def cloud_event(event: Event, source: str) -> dict[str, object]:
    """An event in the structured mode of CloudEvents 1.0."""
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": source,
        "type": event.type,
        "subject": event.subject,
        "time": event.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": event.data,
    }
