"""One web socket to the application, opened as the service opens it."""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
from yarl import URL

from acs_emulator.calls.call import Leg

#: Wall-clock seconds to connect. Not published: chosen.
CONNECT_TIMEOUT = 10.0
#: Wall-clock seconds that the peer has for the closing handshake. Chosen.
_CLOSE_TIMEOUT = 2.0
#: Frames that wait for a slow peer before the oldest are lost: ten seconds of one stream. Chosen.
OUTBOX = 500
#: Largest text that is taken from the application (docs: 64 KB a packet), with room for base64 and JSON.
MOST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class ConnectFailure(Exception):
    """The socket could not be opened; ``status`` is that of the HTTP response, if there was one."""

    reason: str
    status: int | None = None


class ServiceSocket:
    """Sends texts in order without ever holding up the one who sends; ``lost`` counts what did not fit."""

    def __init__(self, leg: Leg, url: str, received: Callable[[str], None] | None) -> None:
        self._leg = leg
        self._url = url
        self._received = received
        self._outbox: deque[str] = deque()
        self._ready = asyncio.Event()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._closing = False
        self.sent = 0
        self.lost = 0

    async def connect(self) -> None:
        """Raises ConnectFailure."""
        leg = self._leg
        headers = {
            "Authorization": f"Bearer {leg.service.signer.web_socket_token()}",
            "x-ms-call-connection-id": leg.id,
            "x-ms-call-correlation-id": leg.call.correlation_id,
        }
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                self._socket = await leg.service.session.ws_connect(
                    URL(self._url, encoded=True),
                    headers=headers,
                    max_msg_size=MOST_BYTES,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_TIMEOUT),
                )
        except aiohttp.WSServerHandshakeError as error:
            raise ConnectFailure(f"the server answered {error.status}", error.status) from error
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise ConnectFailure("it is not a web socket address") from error
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise ConnectFailure(f"{type(error).__name__}: {error}") from error

    def send(self, text: str) -> None:
        """Queue one text."""
        if self._closing:
            return
        if len(self._outbox) >= OUTBOX:
            self._outbox.popleft()
            self.lost += 1
        self._outbox.append(text)
        self._ready.set()

    async def run(self) -> int | None:
        """Send and receive until the connection ends; the close code of the peer, None when it broke off."""
        socket = self._socket
        assert socket is not None
        sending = asyncio.ensure_future(self._send_all(socket))
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT and self._received is not None:
                    self._received(message.data)
            # 1006 is aiohttp's word for a connection that went away without a closing frame.
            return None if socket.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE else socket.close_code
        finally:
            sending.cancel()
            [ended] = await asyncio.gather(sending, return_exceptions=True)
            if isinstance(ended, Exception):
                raise ended

    async def close(self) -> None:
        """Send what waits, then close with 1000."""
        self._closing = True
        socket = self._socket
        if socket is None or socket.closed:
            return
        try:
            while self._outbox:
                await self._send_one(socket)
            await socket.close()
        except (aiohttp.ClientError, ConnectionError):
            return
        finally:
            self.abort()

    def drop(self) -> None:
        """Break the connection off in the middle of a frame (a fault)."""
        transport = self._transport()
        if transport is not None:
            # A masked text frame that announces 1,000 bytes and brings a few.
            transport.write(struct.pack("!BBH", 0x81, 0x80 | 126, 1000) + b"\0\0\0\0" + b'{"kind":"Aud')
            transport.close()

    def abort(self) -> None:
        """Let go of the connection without a closing frame."""
        response = None if self._socket is None else self._socket._response
        if response is not None:
            response.close()

    def _transport(self) -> asyncio.Transport | None:
        # aiohttp has no public way to the transport of a client's web socket.
        response = None if self._socket is None else self._socket._response
        connection = None if response is None else response.connection
        return None if connection is None else connection.transport

    async def _send_all(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        try:
            while True:
                await self._ready.wait()
                self._ready.clear()
                while self._outbox:
                    await self._send_one(socket)
        except (aiohttp.ClientError, ConnectionError):
            return

    async def _send_one(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        text = self._outbox.popleft()
        await socket.send_str(text)
        self.sent += 1
