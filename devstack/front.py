"""A front for several Functions hosts: takes requests on one port and gives them to the hosts in turn.

In turn by request, not by connection: a client that keeps its connection reaches every host, so that callbacks of one
call arrive at different hosts as they do in Azure. Bytes pass unchanged; only the end of each answer is looked for.
`python -m devstack.front --port 7071 --to 7081 --to 7082`
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
from collections import deque
from itertools import cycle

import httptools

from devstack.ports import LOOPBACK

_BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Upstream(asyncio.Protocol):
    """One connection to one host; serves one request at a time."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._transport: asyncio.Transport | None = None
        self._client: Client | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._complete = False
        self._head = False

    def begin(self, client: Client, *, head: bool) -> None:
        """Serve this client until its answer is complete. `head`: the answer to HEAD has no body."""
        self._client, self._head = client, head
        self._parser, self._complete = httptools.HttpResponseParser(self), False

    def write(self, data: bytes) -> None:
        """Pass on bytes of the request."""
        if self._transport is not None:
            self._transport.write(data)

    def abandon(self) -> None:
        """The client is gone: the answer is of no use to anyone."""
        self._client = None
        if self._transport is not None:
            self._transport.close()

    def on_headers_complete(self) -> None:
        if self._head:
            self._complete = True

    def on_message_complete(self) -> None:
        # A 1xx is not the answer yet.
        if self._parser is not None and self._parser.get_status_code() >= 200:
            self._complete = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        client, parser = self._client, self._parser
        if client is None or parser is None:
            return
        client.pass_on(data)
        try:
            parser.feed_data(data)
        except httptools.HttpParserError:
            if not self._complete:
                self.abandon()
                client.drop()
                return
        if self._complete:
            self._client = None
            if parser.should_keep_alive():
                self._pool.give_back(self)
            elif self._transport is not None:
                self._transport.close()
            client.done()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._pool.forget(self)
        if self._client is not None:
            self._client.drop()


class Pool:
    """Idle connections to one host."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: deque[Upstream] = deque()

    async def take(self) -> Upstream:
        """An idle connection, or a new one.

        Raises:
            OSError: the host does not listen.
        """
        if self._idle:
            return self._idle.pop()
        _, upstream = await asyncio.get_running_loop().create_connection(lambda: Upstream(self), LOOPBACK, self._port)
        return upstream

    def give_back(self, upstream: Upstream) -> None:
        """Keep a connection for the next request."""
        self._idle.append(upstream)

    def forget(self, upstream: Upstream) -> None:
        """A connection was closed."""
        if upstream in self._idle:
            self._idle.remove(upstream)


class Client(asyncio.Protocol):
    """One connection from outside. Between two answers, the next bytes begin a new request."""

    def __init__(self, turn: cycle[Pool], tries: int) -> None:
        self._turn = turn
        self._tries = tries
        self._transport: asyncio.Transport | None = None
        self._upstream: Upstream | None = None
        self._waiting: list[bytes] = []
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._upstream is not None:
            self._upstream.write(data)
            return
        self._waiting.append(data)
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect())

    async def _connect(self) -> None:
        taken = await self._take()
        self._connecting = None
        if taken is None:
            self.pass_on(_BAD_GATEWAY)
            self.drop()
            return
        pool, upstream = taken
        if self._transport is None or self._transport.is_closing():
            pool.give_back(upstream)
            return
        request, self._waiting = b"".join(self._waiting), []
        upstream.begin(self, head=request.startswith(b"HEAD "))
        self._upstream = upstream
        upstream.write(request)

    async def _take(self) -> tuple[Pool, Upstream] | None:
        """A connection to the host whose turn it is; None when none listens of those that may be tried."""
        for _ in range(self._tries):
            pool = next(self._turn)
            with contextlib.suppress(OSError):
                return pool, await pool.take()
        return None

    def pass_on(self, data: bytes) -> None:
        """Send bytes of the answer."""
        if self._transport is not None:
            self._transport.write(data)

    def done(self) -> None:
        """The answer is complete."""
        self._upstream = None

    def drop(self) -> None:
        """Close; the host ended in the middle of an answer, or cannot be reached."""
        self._upstream = None
        if self._transport is not None:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._upstream is not None:
            self._upstream.abandon()
            self._upstream = None


async def serve(port: int, upstreams: list[int], *, failover: bool) -> None:
    """Serve until SIGTERM or SIGINT. `failover`: where a host does not listen, the next one gets the request."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    tries = len(upstreams) if failover else 1
    turn = cycle([Pool(upstream) for upstream in upstreams])
    server = await loop.create_server(lambda: Client(turn, tries), LOOPBACK, port, backlog=2048)
    print(f"Front listening on http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}", flush=True)
    await stopping.wait()
    server.close()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m devstack.front", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--port", type=int, required=True, help="port to listen on")
    parser.add_argument("--to", type=int, action="append", required=True, help="port of a host; may repeat")
    parser.add_argument("--failover", action="store_true", help="try the next host where one does not listen")
    given = parser.parse_args()
    asyncio.run(serve(given.port, given.to, failover=given.failover))


if __name__ == "__main__":
    main()
