"""A storage host that does as it is told, and one that must never be asked."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

ETAG = '"one"'


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        cut: bytes of the body after which the connection is closed; None: all of it is sent.
        chunked: say no length.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    chunked: bool = False


@dataclass(frozen=True)
class Seen:
    """A request that came."""

    method: str
    path: str
    headers: Message


class LocalServer:
    """A server on a free port, in a thread of its own; a context manager."""

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.authority = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class StorageHost(LocalServer):
    """Serves one file with ranges, after the answers of its script; a context manager."""

    def __init__(self, body: bytes = b"") -> None:
        self.body = body
        self.script: list[Answer] = []
        self.seen: list[Seen] = []
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                host.seen.append(Seen(self.command, self.path, self.headers))
                answer = host.script.pop(0) if host.script else host.file(self.headers.get("Range"))
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.chunked:
                    self.send_header("Transfer-Encoding", "chunked")
                elif "Content-Length" not in answer.headers:
                    self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                sent = answer.body[: answer.cut]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(sent), sent) if answer.chunked and sent else sent)
                if answer.cut is not None:
                    self.close_connection = True
                elif answer.chunked:
                    self.wfile.write(b"0\r\n\r\n")

            do_DELETE = do_GET  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(Handler)
        self.url = f"http://{self.authority}"

    def file(self, wanted: str | None) -> Answer:
        """What an honest host answers; `wanted` is `bytes=N-`."""
        if wanted is None:
            return Answer(200, self.body, {"ETag": ETAG})
        start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        return part(self.body, start)

    @property
    def ranges(self) -> list[str | None]:
        return [seen.headers["Range"] for seen in self.seen]


def part(body: bytes, start: int, *, total: int | None = None, etag: str = ETAG, cut: int | None = None) -> Answer:
    """A part of a file from a byte to its end."""
    of = len(body) if total is None else total
    headers = {"Content-Range": f"bytes {start}-{len(body) - 1}/{of}", "ETag": etag}
    return Answer(206, body[start:], headers, cut)
