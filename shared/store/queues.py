"""Wake-up calls as Storage Queue messages that become visible when their time has come."""

from __future__ import annotations

import json
import threading
import time
from functools import cached_property
from typing import TYPE_CHECKING

from shared.errors import InvalidInput
from shared.transport import STORAGE_OPTIONS

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient

MAX_VISIBILITY = 7 * 24 * 3600
"""Seconds that a message can stay invisible (docs: put message); longer waits go round again."""


class QueueTimers:
    """Schedules wake-ups on the queue `<prefix>-timers`. The SDK is imported on first use (250 ms)."""

    def __init__(self, connection_string: str, prefix: str) -> None:
        self._connection_string = connection_string
        self._queue = f"{prefix}-timers"
        self._lock = threading.Lock()

    def schedule(self, call_id: str, seq: int, due: int) -> None:
        """Wake this operation at `due` (Unix time in milliseconds)."""
        from azure.core.exceptions import ResourceNotFoundError

        message = json.dumps({"call_id": call_id, "seq": seq, "due": due})
        delay = min(max(0, round(due / 1000 - time.time())), MAX_VISIBILITY)
        try:
            self._client.send_message(message, visibility_timeout=delay, time_to_live=-1)
        except ResourceNotFoundError:
            with self._lock:
                self._client.create_queue()
            self._client.send_message(message, visibility_timeout=delay, time_to_live=-1)

    @cached_property
    def _client(self) -> QueueClient:
        from azure.storage.queue import QueueClient, TextBase64EncodePolicy

        return QueueClient.from_connection_string(
            self._connection_string,
            self._queue,
            message_encode_policy=TextBase64EncodePolicy(),
            **STORAGE_OPTIONS,
        )


def read_wake_up(body: bytes) -> tuple[str, int, int]:
    """Call id, operation and due time in a timer's message; InvalidInput if it is none."""
    try:
        message = json.loads(body)
        return str(message["call_id"]), int(message["seq"]), int(message["due"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise InvalidInput("timer message", f"cannot be read: {error}.", "It needs call_id, seq and due.") from error
