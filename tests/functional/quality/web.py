"""A web server for a report's page and its audio, which answers ranges as the archive does."""

from __future__ import annotations

import io
import re
import sys
import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class Site:
    """What the server gives, and what it was asked.

    Attributes:
        files: path → media type and body. A path that is not there is refused as the archive refuses an old link.
        asked: path and Referer of each request.
    """

    def __init__(self, port: int) -> None:
        self.files: dict[str, tuple[str, bytes]] = {}
        self.asked: list[tuple[str, str]] = []
        self._port = port

    def page(self, html: str) -> str:
        """Serve a page; gives its address."""
        self.files["/report"] = ("text/html; charset=utf-8", html.encode())
        return f"http://localhost:{self._port}/report"

    def audio(self, name: str) -> str:
        """The address of a file of audio: to the browser another origin than the page's."""
        return f"http://127.0.0.1:{self._port}/{name}?sig=secret&se=2026"


@contextmanager
def serving() -> Iterator[Site]:
    """A site on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            site.asked.append((path, self.headers.get("Referer", "")))
            if path not in site.files:
                self._answer(403, "application/xml", b"<Error><Code>AuthenticationFailed</Code></Error>")
                return
            kind, body = site.files[path]
            wanted = _RANGE.fullmatch(self.headers.get("Range", ""))
            if wanted is None:
                self._answer(200, kind, body)
                return
            start, end = int(wanted[1]), min(int(wanted[2] or len(body) - 1), len(body) - 1)
            where = {"Content-Range": f"bytes {start}-{end}/{len(body)}"}
            self._answer(206, kind, body[start : end + 1], where)

        def _answer(self, status: int, kind: str, body: bytes, more: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Accept-Ranges": "bytes", **(more or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False  # a browser keeps its connections

        def handle_error(self, request: object, client_address: object) -> None:
            """A browser drops a connection when it has heard enough."""
            if not isinstance(sys.exception(), ConnectionError):
                raise

    with Server(("127.0.0.1", 0), Handler) as server:
        site = Site(server.server_port)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()


def wav(seconds: float, channels: int) -> tuple[str, bytes]:
    """A quiet WAV as the service writes it, 16 kHz and 16 bits, with its media type."""
    body = io.BytesIO()
    with wave.open(body, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(int(seconds * 16_000) * 2 * channels))
    return "audio/wav", body.getvalue()
