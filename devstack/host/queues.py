"""Queue triggers: polling with back-off, retries by visibility, and the poison queue."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from azure.functions.meta import Datum

from devstack.host.backend import Invocation
from devstack.host.console import Console
from devstack.host.functions import FunctionMetadata
from devstack.host.invoker import Invoker
from devstack.host.storage import Message, Queue, Queues, UndecodableError

# The host hides a message for ten minutes and renews that at half time.
# Source: Microsoft.Azure.WebJobs.Host.Queues.Listeners.QueueListener
_HIDDEN_SECONDS = 600
_SHORTEST_POLL = 0.1
_POISON_SUFFIX = "-poison"


class QueueListener:
    """Feeds one function from its queue."""

    def __init__(self, function: FunctionMetadata, queues: Queues, invoker: Invoker, console: Console) -> None:
        connection = str(function.trigger.get("connection") or "")
        name = str(function.trigger["queueName"])
        self.function = function
        self.queue: Queue = queues.queue(connection, name, function.where)
        self._poison: Queue = queues.queue(connection, name + _POISON_SUFFIX, function.where)
        self._settings = queues.settings
        self._invoker = invoker
        self._console = console
        self._running: dict[asyncio.Task[None], Message] = {}

    async def run(self, stopping: asyncio.Event) -> None:
        """Poll until told to stop."""
        pause = _SHORTEST_POLL
        down = False
        while not stopping.is_set():
            try:
                messages = await self.queue.receive(self._settings.batch_size, _HIDDEN_SECONDS)
                down = False
            except Exception as error:
                if not down:
                    self._console.line(f"The queue '{self.queue.name}' cannot be read: {error!r}")
                down, messages = True, []
            for message in messages:
                task = asyncio.create_task(self._process(message))
                self._running[task] = message
                task.add_done_callback(self._forget)
            if messages:
                pause = _SHORTEST_POLL
                await self._wait_for_room(stopping)
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), pause * random.uniform(0.8, 1.0))  # noqa: S311
            pause = min(pause * 2, self._settings.max_polling_interval)

    async def stop(self, seconds: float) -> None:
        """Wait for running messages; those that are not done after `seconds` become visible to others at once."""
        if self._running:
            await asyncio.wait(list(self._running), timeout=seconds)
        for task, message in list(self._running.items()):
            task.cancel()
            with suppress(Exception):
                await self.queue.hide(message, 0)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)

    async def _wait_for_room(self, stopping: asyncio.Event) -> None:
        while len(self._running) > self._settings.new_batch_threshold and not stopping.is_set():
            await asyncio.wait(list(self._running), return_when=asyncio.FIRST_COMPLETED, timeout=0.5)

    async def _process(self, message: Message) -> None:
        if message.dequeue_count > self._settings.max_dequeue_count:
            # A worker died while it held the message; the last of its tries is spent.
            await self._bury(message)
            return
        try:
            body = self.queue.decode(message)
        except UndecodableError as error:
            self._console.line(f"Queue '{self.queue.name}', message {message.identifier}: {error}")
            await self._bury(message)
            return
        renewal = asyncio.create_task(self._keep_hidden(message))
        try:
            outcome = await self._invoker.invoke(
                Invocation(self.function, _datum(body), _metadata(message, body)),
                f"New queue message detected on '{self.queue.name}'.",
            )
        finally:
            renewal.cancel()
        try:
            if outcome.ok:
                await self.queue.delete(message)
            elif message.dequeue_count >= self._settings.max_dequeue_count:
                await self._bury(message)
            else:
                await self.queue.hide(message, int(self._settings.visibility_timeout))
        except Exception as error:
            # The message comes back when its time is up; functions must bear a second run in Azure too.
            self._console.line(f"Queue '{self.queue.name}', message {message.identifier}: {error!r}")

    async def _bury(self, message: Message) -> None:
        self._console.line(
            f"Message has reached MaxDequeueCount of {self._settings.max_dequeue_count} or cannot be read. "
            f"Moving message to queue '{self._poison.name}'."
        )
        try:
            await self._poison.put_raw(message.text)
            await self.queue.delete(message)
        except Exception as error:
            self._console.line(f"Queue '{self._poison.name}', message {message.identifier}: {error!r}")

    async def _keep_hidden(self, message: Message) -> None:
        while True:
            await asyncio.sleep(_HIDDEN_SECONDS / 2)
            await self.queue.hide(message, _HIDDEN_SECONDS)


class QueueListeners:
    """All queue triggers of the app."""

    def __init__(
        self, functions: Iterable[FunctionMetadata], queues: Queues, invoker: Invoker, console: Console
    ) -> None:
        self._listeners = [QueueListener(function, queues, invoker, console) for function in functions]
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Create the queues and begin to poll."""
        await asyncio.gather(*(listener.queue.create() for listener in self._listeners))
        self._tasks = [asyncio.create_task(listener.run(self._stopping)) for listener in self._listeners]

    async def stop(self, seconds: float) -> None:
        """Stop polling, then give running messages `seconds` to finish."""
        self._stopping.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        await asyncio.gather(*(listener.stop(seconds) for listener in self._listeners))


def _datum(body: str | bytes) -> Datum:
    return Datum(body, "string" if isinstance(body, str) else "bytes")


def _metadata(message: Message, body: str | bytes) -> dict[str, Datum]:
    def moment(value: datetime | None) -> Datum:
        return Datum(json.dumps(value.isoformat() if value else None), "json")

    return {
        "Id": Datum(message.identifier, "string"),
        "PopReceipt": Datum(message.pop_receipt, "string"),
        "DequeueCount": Datum(str(message.dequeue_count), "json"),
        "InsertionTime": moment(message.inserted_on),
        "ExpirationTime": moment(message.expires_on),
        "NextVisibleTime": moment(message.next_visible_on),
        "QueueTrigger": _datum(body),
    }
