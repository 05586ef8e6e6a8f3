"""A proxy that loses responses: the other side carries a request out, and who asked never learns of it.

Each connection from outside has one of its own to the other side, and bytes pass unchanged. The proxy reads along to
see where requests and responses end. The response to a lost request is taken in to its end and thrown away, then both
connections are closed: what a client sees when a load balancer or a network gives up on a connection that it kept.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import httptools

from devstack.ports import LOOPBACK

_START_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Lost:
    """A response that was thrown away; `at` is Unix time in seconds."""

    at: float
    method: str
    path: str
    status: int
    request: bytes = field(repr=False)


class Proxy:
    """One port on this machine that leads to another.

    Args:
        upstream: the port that requests are passed on to.
        loss: share of requests, 0 to 1, whose response is lost; may be changed at any time.
        seed: makes the choice of the lost ones repeatable, given the same order of requests.

    Attributes:
        port: where it listens, once it runs.
        counted: requests passed on, by method.
        lost: what was lost.
    """

    def __init__(self, upstream: int, *, loss: float = 0.0, seed: int = 0) -> None:
        self.upstream = upstream
        self.loss = loss
        self.port = 0
        self.counted: Counter[str] = Counter()
        self.lost: list[Lost] = []
        self._random = random.Random(seed)  # noqa: S311 - chance for a test
        self._held = False
        self._waiting: set[Inside] = set()
        self.connected: set[Inside] = set()

    def draw(self) -> bool:
        """Whether the next response is lost."""
        return self._random.random() < self.loss

    def hold(self) -> None:
        """Keep what comes from now on."""
        self._held = True

    def release(self) -> None:
        """Pass on what was kept, and whatever comes."""
        self._held, waiting = False, self._waiting
        self._waiting = set()
        for inside in waiting:
            inside.flush()

    def held_for(self, inside: Inside) -> bool:
        """Whether bytes have to wait now; `flush` is called when they may go on."""
        if self._held:
            self._waiting.add(inside)
        return self._held


class Inside(asyncio.Protocol):
    """The side that the requests come from."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.transport: asyncio.Transport | None = None
        self._outside: Outside | None = None
        self._waiting: list[bytes] = []
        self._opening: asyncio.Task[None] | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._path = b""
        self._request = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.proxy.connected.add(self)
        self._opening = asyncio.create_task(self._open())

    async def _open(self) -> None:
        try:
            await asyncio.get_running_loop().create_connection(self._connect, LOOPBACK, self.proxy.upstream)
        except OSError:
            self.close()
            return
        if self.transport is None:
            self.close()
        else:
            self.flush()

    def _connect(self) -> Outside:
        self._outside = Outside(self)
        return self._outside

    def data_received(self, data: bytes) -> None:
        self._waiting.append(data)
        self.flush()

    def flush(self) -> None:
        """Pass on what has come, once the other side is there and nothing is held."""
        if self._outside is None or self._outside.transport is None or self.proxy.held_for(self):
            return
        waiting, self._waiting = b"".join(self._waiting), []
        if not waiting:
            return
        self._request += waiting
        try:
            self._parser.feed_data(waiting)
        except httptools.HttpParserUpgrade:
            pass
        except httptools.HttpParserError:
            self.close()
            return
        self._outside.transport.write(waiting)

    def on_message_begin(self) -> None:
        self._path = b""

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_headers_complete(self) -> None:
        assert self._outside is not None
        method = self._parser.get_method().decode()
        self.proxy.counted[method] += 1
        self._outside.expect(method, self._path.decode("latin-1"), lost=self.proxy.draw())

    def answered(self, status: int) -> None:
        """The response to this request has come to its end."""
        request, self._request = self._request, b""
        assert self._outside is not None
        if self._outside.loses:
            entry = Lost(time.time(), self._outside.method, self._outside.path, status, request)
            self.proxy.lost.append(entry)
            self.close()

    def close(self) -> None:
        """End both connections."""
        for transport in (self.transport, self._outside.transport if self._outside else None):
            if transport is not None:
                transport.close()

    def abort(self) -> None:
        """End both connections at once, whatever is under way."""
        if self._opening is not None:
            self._opening.cancel()
        for transport in (self.transport, self._outside.transport if self._outside else None):
            if transport is not None:
                transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self.proxy.connected.discard(self)
        self.close()


class Outside(asyncio.Protocol):
    """The side that carries the requests out."""

    def __init__(self, inside: Inside) -> None:
        self._inside = inside
        self.transport: asyncio.Transport | None = None
        self.method = self.path = ""
        self.loses = False
        self._parser: httptools.HttpResponseParser | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def expect(self, method: str, path: str, *, lost: bool) -> None:
        """A request begins; its response comes next."""
        self.method, self.path, self.loses = method, path, lost
        self._parser = httptools.HttpResponseParser(self)

    def data_received(self, data: bytes) -> None:
        if not self.loses and self._inside.transport is not None:
            self._inside.transport.write(data)
        if self._parser is not None:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserError:
                self._inside.close()

    def on_headers_complete(self) -> None:
        # The response to HEAD has no body, whatever length it names.
        if self.method == "HEAD":
            self._complete()

    def on_message_complete(self) -> None:
        if self._parser is not None and self._parser.get_status_code() >= 200:
            self._complete()

    def _complete(self) -> None:
        if self._parser is not None:
            status = self._parser.get_status_code()
            self._parser = None
            self._inside.answered(status)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self._inside.close()


class Proxies:
    """Several proxies, which run in a thread of their own; a context manager.

    Args:
        proxies: by a name; each gets a free port.
    """

    def __init__(self, **proxies: Proxy) -> None:
        self.by_name = proxies
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._servers: list[asyncio.Server] = []

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(_START_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(_START_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __getitem__(self, name: str) -> Proxy:
        return self.by_name[name]

    def stall(self, *names: str, seconds: float) -> None:
        """For so long nothing goes through these; then everything that came meanwhile does. Does not wait."""
        for name in names:
            self._loop.call_soon_threadsafe(self.by_name[name].hold)
            self._loop.call_soon_threadsafe(self._loop.call_later, seconds, self.by_name[name].release)

    async def _start(self) -> None:
        for proxy in self.by_name.values():
            server = await self._loop.create_server(lambda proxy=proxy: Inside(proxy), LOOPBACK, 0, backlog=1024)  # type: ignore[misc]
            proxy.port = server.sockets[0].getsockname()[1]
            self._servers.append(server)

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        for proxy in self.by_name.values():
            for inside in list(proxy.connected):
                inside.abort()
        # The transports are let go of in the next turns of the loop.
        for _ in range(3):
            await asyncio.sleep(0)
