"""A web hook on this machine, for demos: it stands for a system of the firm's own."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def hook(respond: Callable[[dict[str, Any]], Any]) -> Iterator[str]:
    """Its URL.

    Args:
        respond: gives the JSON to respond to the JSON that came; None: 204 without a body.
    """

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = respond(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            body = b"" if given is None else json.dumps(given).encode()
            self.send_response(200 if body else 204)
            if body:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/hook"
        finally:
            server.shutdown()
