"""The other side of a web hook: what docs/notifications.md shows a receiver to do, behind a real server."""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, cast

from devstack.ports import free_port


def verified(headers: Mapping[str, str], body: bytes, key: str) -> dict[str, Any]:
    """The event in a request; ValueError unless it was signed with the key (base64) in the last five minutes."""
    event_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(timestamp)) > 300:
        raise ValueError("the request is old, or sent again by somebody else")
    signed = hmac.digest(base64.b64decode(key), f"{event_id}.{timestamp}.".encode() + body, "sha256")
    expected = f"v1,{base64.b64encode(signed).decode()}"
    if not any(hmac.compare_digest(expected, signature) for signature in headers["webhook-signature"].split()):
        raise ValueError("the request is not signed with the key")
    return cast(dict[str, Any], json.loads(body))


class Receiver:
    """A receiver on this machine that may be down.

    Attributes:
        key: that requests must be signed with.
        status: of the responses; a function of the number of the request, from 1.
        events: that came and were verified, in order, whatever the response.
        refused: why requests were not taken.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        self.status: Callable[[int], int] = lambda number: 204
        self.headers: dict[str, str] = {}
        self.events: list[dict[str, Any]] = []
        self.content_types: list[str] = []
        self.refused: list[str] = []
        self._port = free_port()
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/hook?token=a-secret"

    @property
    def ids(self) -> list[str]:
        return [str(event["id"]) for event in self.events]

    def up(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def down(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.content_types.append(self.headers["Content-Type"])
                try:
                    receiver.events.append(verified(dict(self.headers.items()), body, receiver.key))
                    status = receiver.status(len(receiver.events))
                except ValueError as error:
                    receiver.refused.append(str(error))
                    status = 401
                self.send_response(status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler
