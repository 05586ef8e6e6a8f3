"""Signed requests that the emulator answers in a second, over http and over https, beside its client."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from email.utils import formatdate
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from acs_emulator.core.config import DEVELOPMENT_ACCESS_KEY
from bench.report import Row

CONNECTIONS = 16
"""Each with one request on its way."""
ROUNDS = 24
"""Of each kind, short and in turn, so that what disturbs one disturbs the other."""
_PATH = "/calling/callConnections"
_VERSION = "api-version=2026-03-12"


def measure(quick: bool) -> Iterator[Row]:
    """The rows of this measurement."""
    seconds = 0.1 if quick else 0.5
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        plain_origin, secure_origin = stack.enter_context(_Emulator(folder)).origins
        context = ssl.create_default_context(cafile=folder / "acs-emulator" / "localhost.pem")
        clients = {
            "http": stack.enter_context(_Client(plain_origin, None)),
            "https": stack.enter_context(_Client(secure_origin, context)),
        }
        rates: dict[str, list[float]] = {name: [] for name in clients}
        for _ in range(ROUNDS):
            for name, client in clients.items():
                rates[name].append(client.rate(seconds))
    for name, values in rates.items():
        yield Row("signed GETs", name, median(values), "/s")
    ratio = median(secure / plain for plain, secure in zip(rates["http"], rates["https"], strict=True))
    yield Row("signed GETs", "https ÷ http", ratio, "", limit=0.5, at_least=True)


class _Emulator:
    """A process of its own, on free ports, with its certificate in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self._environment = {**os.environ, "XDG_DATA_HOME": str(folder)}
        self.origins: tuple[str, str] = ("", "")

    def __enter__(self) -> _Emulator:
        command = [sys.executable, "-m", "acs_emulator", "--port", "0"]
        self._process = subprocess.Popen(command, env=self._environment, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        first, second = (self._process.stdout.readline().split()[-1] for _ in range(2))
        self.origins = first, second
        return self

    def __exit__(self, *raised: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=30)


class _Client:
    """Some connections to one endpoint, and a request of a call that goes on."""

    def __init__(self, endpoint: str, context: ssl.SSLContext | None) -> None:
        parts = urlsplit(endpoint)
        self._authority, self._context = parts.netloc, context
        self._address = (str(parts.hostname), int(parts.port or 0))

    def __enter__(self) -> _Client:
        self._open: list[socket.socket] = [self._connected() for _ in range(CONNECTIONS)]
        body = {
            "targets": [{"phoneNumber": {"value": "+14255550100"}}],
            "sourceCallerIdNumber": {"value": "+18005550199"},
            "callbackUri": "http://127.0.0.1:9/callbacks",
        }
        self._open[0].sendall(self._request("POST", f"{_PATH}?{_VERSION}", json.dumps(body).encode()))
        leg = json.loads(_response(self._open[0]))["callConnectionId"]
        self._get = self._request("GET", f"{_PATH}/{leg}?{_VERSION}")
        return self

    def __exit__(self, *raised: object) -> None:
        for connection in self._open:
            connection.close()

    def rate(self, seconds: float) -> float:
        """Responses in a second, for so many seconds."""
        for connection in self._open:
            connection.sendall(self._get)
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            for connection in self._open:
                _response(connection)
                connection.sendall(self._get)
            count += len(self._open)
        spent = time.perf_counter() - began
        for connection in self._open:
            _response(connection)
        return count / spent

    def _connected(self) -> socket.socket:
        plain = socket.create_connection(self._address, timeout=30)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._context.wrap_socket(plain, server_hostname=self._address[0]) if self._context else plain

    def _request(self, method: str, path: str, body: bytes = b"") -> bytes:
        date, key = formatdate(usegmt=True), base64.b64decode(DEVELOPMENT_ACCESS_KEY)
        content_hash = base64.b64encode(hashlib.sha256(body).digest()).decode()
        text = f"{method}\n{path}\n{date};{self._authority};{content_hash}"
        signature = base64.b64encode(hmac.digest(key, text.encode(), "sha256")).decode()
        lines = (
            f"{method} {path} HTTP/1.1",
            f"Host: {self._authority}",
            f"x-ms-date: {date}",
            f"x-ms-content-sha256: {content_hash}",
            f"Authorization: HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        )
        return "\r\n".join((*lines, "", "")).encode() + body


def _response(connection: socket.socket) -> bytes:
    """The body of the next response, which must be a success."""
    received = b""
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += _some(connection)
    head = received[:end].lower()
    if not head.startswith(b"http/1.1 20"):
        raise RuntimeError(f"The emulator answered {received[:200]!r}.")
    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(received) < end + 4 + length:
        received += _some(connection)
    return received[end + 4 :]


def _some(connection: socket.socket) -> bytes:
    block = connection.recv(65536)
    if not block:
        raise RuntimeError("The emulator closed the connection.")
    return block
