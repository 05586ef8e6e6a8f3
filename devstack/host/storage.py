"""Azure Storage queues for the host: a thin layer over the SDK's synchronous client, run in its own threads.

The SDK is imported where it is first used: it costs a quarter of a second, which an app without queues need not pay.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from azure.functions.meta import Datum

from devstack.host.functions import Binding
from devstack.host.settings import QueueSettings, StorageConnection, resolve_setting_names, storage_connection

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.storage.queue import QueueClient

T = TypeVar("T")

# A day's worth of polls would drown the log; failures reach us as exceptions.
_silent = logging.getLogger("devstack.host.storage")
_silent.setLevel(logging.CRITICAL)
# The SDK by itself waits 15 s before its first retry: a host that starts would be away for so long.
_RETRIES: dict[str, Any] = {"retry_total": 2, "initial_backoff": 0, "increment_base": 1, "random_jitter_range": 0}


class UndecodableError(ValueError):
    """A queue message is not base64 while host.json says that messages are."""


@dataclass(slots=True)
class Message:
    """One dequeued message; `text` is as it lies in the queue."""

    identifier: str
    text: str
    pop_receipt: str
    dequeue_count: int
    inserted_on: datetime | None
    expires_on: datetime | None
    next_visible_on: datetime | None


class Queue:
    """One queue. All methods but the constructor talk to storage, and raise the SDK's `AzureError`."""

    def __init__(self, name: str, client: Any, threads: ThreadPoolExecutor, *, use_base64: bool) -> None:
        self.name = name
        self._client = client
        self._threads = threads
        self._base64 = use_base64

    async def create(self) -> None:
        """Create the queue unless it exists."""
        from azure.core.exceptions import ResourceExistsError

        def create() -> None:
            with suppress(ResourceExistsError):
                self._client.create_queue()

        await self._run(create)

    async def receive(self, most: int, invisible_for: int) -> list[Message]:
        """Take up to `most` messages (32 at the most), which nobody else sees for `invisible_for` seconds."""

        def receive() -> list[Message]:
            pages = self._client.receive_messages(messages_per_page=most, visibility_timeout=invisible_for).by_page()
            return [
                Message(
                    identifier=found.id,
                    text=found.content,
                    pop_receipt=found.pop_receipt,
                    dequeue_count=int(found.dequeue_count),
                    inserted_on=found.inserted_on,
                    expires_on=found.expires_on,
                    next_visible_on=found.next_visible_on,
                )
                for found in next(pages, [])
            ]

        return await self._run(receive)

    async def delete(self, message: Message) -> None:
        """Remove a message that was received."""
        await self._run(lambda: self._client.delete_message(message.identifier, message.pop_receipt))

    async def hide(self, message: Message, seconds: int) -> None:
        """Make a received message visible again after `seconds`; renews its pop receipt."""
        updated = await self._run(
            lambda: self._client.update_message(
                message.identifier, message.pop_receipt, visibility_timeout=seconds, content=message.text
            )
        )
        message.pop_receipt = updated.pop_receipt

    async def put(self, body: str | bytes) -> None:
        """Add a message, encoded as host.json says; the queue is created if it is absent."""
        raw = body.encode() if isinstance(body, str) else body
        await self.put_raw(base64.b64encode(raw).decode() if self._base64 else raw.decode())

    async def put_raw(self, text: str) -> None:
        """Add a message as it stands; the queue is created if it is absent."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            await self._run(lambda: self._client.send_message(text))
        except ResourceNotFoundError:
            await self.create()
            await self._run(lambda: self._client.send_message(text))

    def decode(self, message: Message) -> str | bytes:
        """The body of a message: text where it is UTF-8, otherwise bytes.

        Raises:
            UndecodableError: the message is not base64 though it should be.
        """
        if not self._base64:
            return message.text
        try:
            raw = base64.b64decode(message.text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise UndecodableError(
                "Message decoding has failed! Check MessageEncoding settings in host.json."
            ) from error
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return raw

    async def _run(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)


class Queues:
    """Gives queues by connection setting and name, one client for each."""

    def __init__(self, settings: QueueSettings) -> None:
        self.settings = settings
        self._threads = ThreadPoolExecutor(8, "queue")
        self._known: dict[tuple[str, str], Queue] = {}
        self._credentials: dict[StorageConnection, TokenCredential] = {}

    def queue(self, connection_setting: str, name: str, where: str) -> Queue:
        """The queue of a binding; `%SETTING%` in its name is resolved.

        Raises:
            StartupError: the connection or a named setting is missing.
        """
        name = resolve_setting_names(name, where).lower()
        key = (connection_setting, name)
        if key not in self._known:
            client = self._client(storage_connection(connection_setting, where), name)
            self._known[key] = Queue(name, client, self._threads, use_base64=self.settings.base64)
        return self._known[key]

    def _client(self, connection: StorageConnection, name: str) -> QueueClient:
        from azure.storage.queue import QueueClient

        if connection.string:
            return QueueClient.from_connection_string(connection.string, name, logger=_silent, **_RETRIES)
        if connection not in self._credentials:
            self._credentials[connection] = _credential(connection)
        credential = self._credentials[connection]
        return QueueClient(connection.queues, name, credential=credential, logger=_silent, **_RETRIES)

    async def write(self, binding: Binding, value: Datum) -> None:
        """Write a queue output binding: text, bytes, one QueueMessage, or a list of them."""
        queue = self.queue(str(binding.get("connection") or ""), str(binding["queueName"]), str(binding["name"]))
        for body in _bodies(value):
            await queue.put(body)

    def close(self) -> None:
        """Close the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _credential(connection: StorageConnection) -> TokenCredential:
    """Who signs in to an account by its address."""
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

    if connection.managed:
        return ManagedIdentityCredential(client_id=connection.client_id or None)
    return DefaultAzureCredential(managed_identity_client_id=connection.client_id or None)


def _bodies(value: Datum) -> list[str | bytes]:
    if value.type != "json":
        return [value.value]
    document = json.loads(value.value)
    items = document if isinstance(document, list) else [document]
    # The SDK's converter turns a QueueMessage into {"id", "body"}.
    return [
        item["body"]
        if isinstance(item, dict) and "body" in item
        else item
        if isinstance(item, str)
        else json.dumps(item)
        for item in items
    ]
