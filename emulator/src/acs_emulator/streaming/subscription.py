"""What audio streaming and transcription have in common: the socket, its states and its events."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Any

import aiohttp

from acs_emulator.calls.call import Leg
from acs_emulator.calls.leg_observer import LegObserver
from acs_emulator.calls.reply import ReplyTo
from acs_emulator.core import outcomes
from acs_emulator.core.errors import Conflict
from acs_emulator.core.outcomes import Outcome
from acs_emulator.streaming.socket import ConnectFailure, ServiceSocket

#: Seconds until a connection that broke off is opened again, once. The service's policy is not published: chosen.
RECONNECT_DELAY = 1.0
#: Closing codes of the application that are taken as final; anything else is reconnected once. Chosen.
_FINAL = frozenset({aiohttp.WSCloseCode.OK, aiohttp.WSCloseCode.POLICY_VIOLATION})
_DETAILS = {400: "badRequest", 401: "authenticationFailure", 403: "forbidden", 429: "tooManyRequests"}


class MissingUrl(LegObserver):
    """Stands for a subscription that is to start with its leg and has no URL to connect to."""

    def __init__(self, leg: Leg, kind: type[Subscription]) -> None:
        self._leg = leg
        self._kind = kind

    def connected(self) -> None:
        self._kind.url_is_missing(ReplyTo(self._leg, self._leg.operation_context, None))


class Subscription(LegObserver, ABC):
    """One socket of one leg. Without a start it is inactive."""

    #: First part of the event names and of the status values.
    name = ""
    status = ""
    #: What a failed first connection is called in the event's details.
    unconnected = ""
    #: Result of a socket that broke off.
    interrupted: Outcome

    def __init__(self, leg: Leg, url: str, subscription_id: str, *, starts: bool) -> None:
        """``starts``: by itself, as soon as the leg is up."""
        self.leg = leg
        self._starts = starts
        self.id = subscription_id
        self._transport_url = url
        self.state = "inactive"
        self._context: str | None = None
        self._url: str | None = None
        self._task: asyncio.Task[Any] | None = None
        self._socket: ServiceSocket | None = None
        self._stopping = False

    @classmethod
    def url_is_missing(cls, reply: ReplyTo) -> None:
        """The event of a start where nothing said where to (public log)."""
        specific = cls.update(f"{cls.status}Failed", "streamUrlMissing")
        reply.emit(f"{cls.name}Failed", specific, outcomes.STREAM_URL_INVALID)

    @property
    def running(self) -> bool:
        """Started, connected or not."""
        return self._task is not None and not self._task.done()

    def start(self, context: str | None, url: str | None) -> None:
        """Connect. Raises Conflict when it runs already."""
        if self.running:
            raise Conflict(f"{self.name} is already started.")
        self._context, self._url = context, url
        self._stopping = False
        self._task = self.leg.service.tasks.start(self._run(), f"{self.name} of {self.leg.id}")

    def stop(self, context: str | None, url: str | None) -> None:
        """End it; the event carries the start's context when the stop has none (recorded). Raises Conflict."""
        if not self.running:
            raise Conflict(f"{self.name} is not started.")
        self._end()
        outcome = self.leg.injected(f"CallMedia_Stop{self.name}")
        if outcome is not None:
            self._tell("Failed", outcome, "unspecifiedError", context, url)
            return
        self._tell("Stopped", outcomes.COMPLETED, "subscriptionStopped", context or self._context, url)

    def connected(self) -> None:
        if self._starts:
            self.start(self.leg.operation_context, None)

    def dropped(self) -> None:
        """Stopped comes before CallDisconnected (docs: fires at the call's end)."""
        was_active = self.state == "active"
        if self.running:
            self._end()
        if was_active:
            self._tell("Stopped", outcomes.COMPLETED, "subscriptionStopped", self._context, None)

    def drop(self) -> None:
        """Break the connection off, as a network does (control API)."""
        if self._socket is not None:
            self._socket.drop()

    @abstractmethod
    def opened(self, socket: ServiceSocket) -> None:
        """The socket is connected, for the first time or again."""

    def closed(self) -> None:
        """The socket goes away."""

    def received(self, text: str) -> None:
        """A text from the application; ignored where none is expected."""

    @staticmethod
    @abstractmethod
    def update(status: str, details: str) -> dict[str, Any]:
        """The event's own property."""

    async def _run(self) -> None:
        injected = self.leg.injected(f"CallMedia_Start{self.name}")
        if injected is not None:
            self._tell("Failed", injected, "unspecifiedError", self._context, self._url)
            return
        details = "subscriptionStarted"
        while True:
            socket = ServiceSocket(self.leg, self._transport_url, self.received)
            try:
                await socket.connect()
            except ConnectFailure as failure:
                self._failed(failure, again=details != "subscriptionStarted")
                return
            self._socket = socket
            self.state = "active"
            try:
                self.opened(socket)
                self._tell("Started", outcomes.COMPLETED, details, self._context, self._url)
                code = await socket.run()
            finally:
                if not self._stopping:
                    self._quiet()
                    socket.abort()
            if self._stopping:
                return
            self.leg.call.note("app", "drops the socket of", f"{self.name} ({code or 'without a closing frame'})")
            if code in _FINAL:
                self._tell("Failed", self.interrupted, "streamConnectionInterrupted", self._context, self._url)
                return
            await self.leg.service.clock.sleep(RECONNECT_DELAY)
            details = "streamConnectionReestablished"

    def _failed(self, failure: ConnectFailure, *, again: bool) -> None:
        self.leg.call.note("service", "cannot connect", f"{self.name}: {failure.reason}")
        remedy = "transportUrl must be a web socket of the app that takes the connection; a token is in Authorization."
        self.leg.service.problems.report(
            f"{self.name} cannot connect to {self._transport_url.partition('?')[0]}: {failure.reason}", remedy
        )
        if again:
            outcome, details = self.interrupted, "streamConnectionInterrupted"
        else:
            outcome = outcomes.STREAM_URL_INVALID
            details = _DETAILS.get(failure.status or 0, self.unconnected)
        self._tell("Failed", outcome, details, self._context, self._url)

    def _end(self) -> None:
        self._stopping = True
        socket, task = self._socket, self._task
        self._quiet()
        if socket is None:
            assert task is not None
            task.cancel()
        else:
            self.leg.service.tasks.start(socket.close(), f"end of {self.name} of {self.leg.id}")

    def _quiet(self) -> None:
        if self._socket is not None:
            self.closed()
        self._socket = None
        self.state = "inactive"

    def _tell(self, suffix: str, outcome: Outcome, details: str, context: str | None, url: str | None) -> None:
        specific = self.update(f"{self.status}{suffix}", details)
        self.leg.emit(f"{self.name}{suffix}", specific, outcome, context, url)
