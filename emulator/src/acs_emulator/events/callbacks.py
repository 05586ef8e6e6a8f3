"""Callbacks to the application: signed, in order per call connection, retried."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from acs_emulator.core.clock import Clock
from acs_emulator.core.tasks import Tasks
from acs_emulator.core.tokens import TokenSigner
from acs_emulator.events.faults import Fault, Faults
from acs_emulator.events.log import Attempt, Delivery, Log
from acs_emulator.events.posting import post

#: Waits before each retry in emulated seconds. The service's policy is not published: chosen.
RETRY_WAITS = (1.0, 2.0, 4.0)
#: Wall-clock seconds that one attempt may take. Not published: chosen.
ATTEMPT_TIMEOUT = 30.0
#: Wall-clock seconds that a callback without a response holds up the next one. Not published: chosen.
HELD_UP = 1.5


class CallbackSender:
    """What all lanes share: the HTTP session, the signing key, the log, the faults."""

    def __init__(
        self, session: aiohttp.ClientSession, signer: TokenSigner, clock: Clock, log: Log, faults: Faults, tasks: Tasks
    ) -> None:
        self._session = session
        self._signer = signer
        self.clock = clock
        self.log = log
        self.faults = faults
        self.tasks = tasks

    async def attempt(self, delivery: Delivery, *, pretend: Fault | None = None) -> bool:
        """Try once; False if it is to be tried again. A `status` fault pretends that the endpoint answered so.

        Any 2xx will do. An app that took the event and never responds has it: it is not sent again.
        """
        if pretend is not None:
            delivery.attempts.append(Attempt(self.clock.monotonic_ms(), status=pretend.status, fault="status"))
        else:
            headers = {
                "Content-Type": "application/json; charset=utf-8",
                "Authorization": f"Bearer {self._signer.callback_token()}",
            }
            await post(self._session, self.clock, delivery, delivery.body, headers, ATTEMPT_TIMEOUT)
        last = delivery.attempts[-1]
        return last.unanswered or (last.status is not None and 200 <= last.status < 300)

    async def retry(self, delivery: Delivery) -> None:
        """Try again with growing waits until one attempt succeeds or the waits are used up."""
        for wait in RETRY_WAITS:
            await self.clock.sleep(wait)
            if await self.attempt(delivery):
                return


class CallbackLane:
    """The callbacks of one call connection, sent in order.

    The next waits for the response to the one before, but no longer than ``HELD_UP``: an app that does not respond
    gets its events all the same.
    """

    def __init__(self, sender: CallbackSender, call_connection_id: str) -> None:
        self._sender = sender
        self._id = call_connection_id
        self._queue: asyncio.Queue[tuple[dict[str, Any], str] | None] = asyncio.Queue()
        #: Reordered callbacks that wait for the next one. Whoever takes one out of here sends it.
        self._held: list[Delivery] = []
        sender.tasks.start(self._run(), f"callbacks of {call_connection_id}")

    def put(self, event: dict[str, Any], url: str) -> None:
        self._queue.put_nowait((event, url))

    def close(self) -> None:
        """No further events: the lane ends after those already put."""
        self._queue.put_nowait(None)

    async def _run(self) -> None:
        while (item := await self._queue.get()) is not None:
            await self._send(*item)

    async def _send(self, event: dict[str, Any], url: str) -> None:
        sender = self._sender
        struck = {fault.kind: fault for fault in sender.faults.draw("callbacks", event["type"], self._id)}
        delivery = sender.log.delivery("callback", url, event, self._id)
        if "drop" in struck:
            delivery.attempts.append(Attempt(sender.clock.monotonic_ms(), fault="drop"))
            return
        if "duplicate" in struck:
            copy = sender.log.delivery("callback", url, event, self._id, duplicate=True)
            sender.tasks.start(self._deliver(copy, None), "duplicate callback")
        if "delay" in struck:
            await sender.clock.sleep(struck["delay"].seconds)
        if "reorder" in struck:
            self._held.append(delivery)
            sender.tasks.start(self._release_later(delivery, struck["reorder"].seconds), "held callback")
            return
        await self._begin(delivery, struck.get("status"))
        held, self._held = self._held, []
        for one in held:
            await self._begin(one, None)

    async def _begin(self, delivery: Delivery, pretend: Fault | None) -> None:
        """Send it, and wait a while for the response."""
        sending = self._sender.tasks.start(self._deliver(delivery, pretend), f"callback of {self._id}")
        await asyncio.wait({sending}, timeout=HELD_UP)

    async def _release_later(self, delivery: Delivery, seconds: float) -> None:
        await self._sender.clock.sleep(seconds)
        if delivery in self._held:
            self._held.remove(delivery)
            await self._deliver(delivery, None)

    async def _deliver(self, delivery: Delivery, pretend: Fault | None) -> None:
        if not await self._sender.attempt(delivery, pretend=pretend):
            self._sender.tasks.start(self._sender.retry(delivery), "callback retry")
