"""Requests to addresses that somebody outside has given: web hooks.

No redirect is followed, no proxy is used, no credential or cookie is sent, and of a response only its start is read.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from shared.notifications.addresses import HookUrl, Resolve, checked_addresses, read_url
from shared.notifications.errors import NotDelivered
from shared.transport import certificates, cut_off, retry_after

CONNECT_SECONDS, READ_SECONDS = 5.0, 10.0
"""How long a connection may take, and how long the other side may say nothing (our choice)."""
WHOLE_SECONDS = 20.0
"""How long a request may take in all, so that one that drips holds no thread (our choice)."""
MOST_ADDRESSES = 3
"""Addresses of one host that are tried for a connection (our choice)."""
MOST_READ = 4096
"""Bytes that are read of the body of a response, so that an ordinary one ends in order."""


@dataclass(frozen=True, slots=True)
class Response:
    """What came back.

    Attributes:
        retry_after: seconds that the other side asks to wait; None: it does not say.
        body: its first MOST_READ bytes; less where it broke off.
    """

    status: int
    retry_after: float | None = None
    body: bytes = b""


class Outgoing:
    """Posts to hooks. Safe to share between threads.

    Args:
        loopback: this app runs on a developer's machine, and may call http there.
        resolve: gives the addresses of a host.
        certificates: whom to trust; default: as the other clients of the app.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        *,
        loopback: bool = False,
        resolve: Resolve | None = None,
        certificates: ssl.SSLContext | None = None,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
        whole_seconds: float = WHOLE_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._loopback = loopback
        self._resolve = resolve
        self._given = certificates
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self._whole_seconds = whole_seconds
        self._clock = clock

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Response:
        """Send a body. ForbiddenAddress before a connection is made; NotDelivered if there is no response."""
        parts = read_url(url, loopback=self._loopback)
        addresses = checked_addresses(parts, loopback=self._loopback, resolve=self._resolve)
        try:
            with self._connected(parts, addresses) as connection:
                return self._exchange(connection, parts, body, headers)
        except (OSError, http.client.HTTPException, ValueError) as error:
            # The text of the error may hold the address; its kind says enough.
            raise NotDelivered(f"the hook did not respond ({type(error).__name__})") from None

    def _connected(self, url: HookUrl, addresses: list[str]) -> socket.socket:
        """A connection to the first of the addresses that takes one."""
        problem: OSError = OSError()
        for address in addresses[:MOST_ADDRESSES]:
            try:
                return socket.create_connection((address, url.port), timeout=self._connect_seconds)
            except OSError as error:
                problem = error
        raise problem

    def _exchange(self, plain: socket.socket, url: HookUrl, body: bytes, headers: Mapping[str, str]) -> Response:
        with self._secured(plain, url) as connected:
            with cut_off(connected, self._whole_seconds):
                if isinstance(connected, ssl.SSLSocket):
                    connected.do_handshake()
                return self._responded(connected, url, body, headers)

    def _secured(self, plain: socket.socket, url: HookUrl) -> socket.socket:
        """The connection, with TLS where the scheme says so; the handshake is still to come."""
        plain.settimeout(self._read_seconds)
        if url.scheme != "https":
            return plain
        return self._certificates.wrap_socket(plain, server_hostname=url.host, do_handshake_on_connect=False)

    def _responded(self, connected: socket.socket, url: HookUrl, body: bytes, headers: Mapping[str, str]) -> Response:
        connection = http.client.HTTPConnection(url.host, url.port)
        connection.sock = connected
        connection.putrequest("POST", url.target, skip_host=True, skip_accept_encoding=True)
        own = {"Host": url.authority, "User-Agent": "Switchboard", "Connection": "close"}
        for name, value in {**own, "Content-Length": str(len(body)), **headers}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        with connection.getresponse() as response:
            body = b""
            # The status is what counts: a body that breaks off changes nothing.
            with suppress(OSError, http.client.HTTPException):
                body = response.read(MOST_READ)
            return Response(response.status, retry_after(response.headers.get("Retry-After", ""), self._clock), body)

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        return self._given or certificates()
