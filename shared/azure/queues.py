"""Messages on Storage Queues: wake-up calls, work on recordings, events for other systems, work of use cases.

The SDK is imported on first use: it costs 250 ms.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

from shared.azure import clients
from shared.azure.rows import storage_errors
from shared.errors import StoreUnavailable
from shared.notifications.message import Message
from shared.storage_account import StorageAccount
from shared.use_cases.base import Task

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient

MAX_VISIBILITY = 7 * 24 * 3600
"""Seconds that a message can stay invisible (docs: put message)."""
QUEUES = ("timers", "recordings", "notifications", "uses")
"""The app's queues, without their prefix; what fails five times goes to the one of the same name with `-poison`."""
MOST_PUT_BACK = 256
"""Messages that are put back at once, at most (our choice): each costs three requests."""


class Messages:
    """Sends messages in the encoding that queue triggers expect."""

    def __init__(self, account: StorageAccount, queue: str) -> None:
        self._account = account
        self._queue = queue

    def send(self, message: Mapping[str, Any], delay: float = 0.0) -> None:
        """Send a message that becomes visible in so many seconds (7 days at most). StoreUnavailable, StoreRefused."""
        text, seconds = json.dumps(message), min(max(0, round(delay)), MAX_VISIBILITY)
        with storage_errors(self._queue, StoreUnavailable):
            try:
                self._client.send_message(text, visibility_timeout=seconds, time_to_live=-1)
            except ResourceNotFoundError:
                with suppress(ResourceExistsError):  # another instance was quicker
                    self._client.create_queue()
                self._client.send_message(text, visibility_timeout=seconds, time_to_live=-1)

    @cached_property
    def _client(self) -> QueueClient:
        return clients.queue(self._account, self._queue)


class QueueTimers:
    """Schedules wake-ups on the queue `<prefix>-timers`; what waits longer than 7 days goes round again."""

    def __init__(self, account: StorageAccount, prefix: str) -> None:
        self._messages = Messages(account, f"{prefix}-timers")

    def schedule(self, call_id: str, seq: int, due: int) -> None:
        """Wake this operation at `due` (Unix time in milliseconds)."""
        self._messages.send({"call_id": call_id, "seq": seq, "due": due}, due / 1000 - time.time())


class StorageRecordingQueue:
    """Sends work to the queue-triggered function."""

    def __init__(self, account: StorageAccount, prefix: str) -> None:
        self._messages = Messages(account, f"{prefix}-recordings")

    def send(self, recording: str, chunk: int | None, *, delay: float = 0.0) -> None:
        """One chunk to fetch, or (None) a report to make, in so many seconds. StoreUnavailable, StoreRefused."""
        self._messages.send({"recording": recording, "chunk": chunk}, delay)


class StorageNotificationQueue:
    """Sends messages to the queue-triggered function."""

    def __init__(self, account: StorageAccount, prefix: str) -> None:
        self._messages = Messages(account, f"{prefix}-notifications")

    def send(self, message: Message, *, delay: float = 0.0) -> None:
        self._messages.send(message.as_json(), delay)


class StorageTaskQueue:
    """Sends work of use cases to the queue-triggered function."""

    def __init__(self, account: StorageAccount, prefix: str) -> None:
        self._messages = Messages(account, f"{prefix}-uses")

    def send(self, task: Task, *, delay: float = 0.0) -> None:
        self._messages.send(task.as_json(), delay)


class StoragePoisonQueues:
    """The queues where the Functions host puts messages on which the app failed five times."""

    def __init__(self, account: StorageAccount, prefix: str) -> None:
        self._account = account
        self._queues = [f"{prefix}-{name}" for name in QUEUES]

    def counts(self) -> dict[str, int]:
        """About how many messages each has, by the name of the queue that they come from. StoreUnavailable."""
        return {queue: self._count(f"{queue}-poison") for queue in self._queues}

    def _count(self, queue: str) -> int:
        with storage_errors(queue, StoreUnavailable):
            try:
                return clients.queue(self._account, queue).get_queue_properties().approximate_message_count or 0
            except ResourceNotFoundError:
                return 0  # the host makes it with the first message

    def put_back(self, queue: str) -> int:
        """Have messages worked on once more, up to MOST_PUT_BACK; how many. One that is sent twice by a crash between
        the two requests is worked on twice, as any message may be. StoreUnavailable."""
        poison, messages, count = clients.queue(self._account, f"{queue}-poison"), Messages(self._account, queue), 0
        with storage_errors(queue, StoreUnavailable):
            for message in poison.receive_messages(visibility_timeout=60, max_messages=MOST_PUT_BACK):
                messages.send(json.loads(base64.b64decode(message.content)))
                poison.delete_message(message)
                count += 1
        return count
