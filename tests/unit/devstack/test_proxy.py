"""The proxy that loses responses, before a server that counts what it carries out."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from devstack.ports import LOOPBACK
from devstack.proxy import Proxies, Proxy


class Server(ThreadingHTTPServer):
    """Answers with what it was sent, and keeps what it carried out."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.carried_out: list[tuple[str, bytes]] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        assert isinstance(self.server, Server)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.carried_out.append((f"{self.command} {self.path}", body))
        self.send_response(200)
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_HEAD = _answer  # noqa: N815 - the names that http.server looks for

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as one:
        thread = threading.Thread(target=one.serve_forever)
        thread.start()
        yield one
        one.shutdown()
        thread.join()


def test_everything_passes_unchanged_over_one_connection_while_nothing_is_lost(server: Server) -> None:
    with Proxies(one=Proxy(server.server_port)) as proxies:
        connection = http.client.HTTPConnection(LOOPBACK, proxies["one"].port, timeout=5)
        for method, path, body, expected in (
            ("POST", "/a", b"x" * 300_000, b"x" * 300_000),
            ("HEAD", "/b", b"", b""),
            ("GET", "/chunked", b"", b"abcdefg"),
            ("POST", "/c", b"end", b"end"),
        ):
            connection.request(method, path, body)
            assert connection.getresponse().read() == expected
        connection.close()
        assert proxies["one"].counted == {"POST": 2, "HEAD": 1, "GET": 1}
    assert len(server.carried_out) == 4


def test_a_lost_request_is_carried_out_once_and_its_response_never_comes(server: Server) -> None:
    with Proxies(one=Proxy(server.server_port)) as proxies:
        connection = http.client.HTTPConnection(LOOPBACK, proxies["one"].port, timeout=5)
        connection.request("POST", "/kept", b"first")
        assert connection.getresponse().read() == b"first"
        proxies["one"].loss = 1.0
        connection.request("POST", "/lost", b"second")
        with pytest.raises(http.client.RemoteDisconnected):
            connection.getresponse()
        connection.close()
        assert [(one.method, one.path, one.status) for one in proxies["one"].lost] == [("POST", "/lost", 200)]
        assert b"second" in proxies["one"].lost[0].request
    assert server.carried_out == [("POST /kept", b"first"), ("POST /lost", b"second")]


@pytest.mark.parametrize(("method", "path"), [("GET", "/chunked"), ("HEAD", "/head")])
def test_not_a_byte_of_a_lost_response_comes_however_it_is_framed(server: Server, method: str, path: str) -> None:
    with Proxies(one=Proxy(server.server_port, loss=1.0)) as proxies:
        connection = http.client.HTTPConnection(LOOPBACK, proxies["one"].port, timeout=5)
        connection.request(method, path)
        with pytest.raises(http.client.RemoteDisconnected):
            connection.getresponse()
        connection.close()
    assert [what for what, _ in server.carried_out] == [f"{method} {path}"]


def test_the_same_seed_loses_the_same_requests() -> None:
    def lost(seed: int) -> list[bool]:
        proxy = Proxy(1, loss=0.3, seed=seed)
        return [proxy.draw() for _ in range(100)]

    assert lost(7) == lost(7) != lost(8)
    assert 15 < sum(lost(7)) < 45


def test_what_comes_during_a_stall_goes_on_after_it(server: Server) -> None:
    with Proxies(one=Proxy(server.server_port)) as proxies:
        connection = http.client.HTTPConnection(LOOPBACK, proxies["one"].port, timeout=5)
        connection.connect()
        began = time.monotonic()
        proxies.stall("one", seconds=0.3)
        connection.request("POST", "/later", b"body")
        assert connection.getresponse().read() == b"body"
        assert time.monotonic() - began >= 0.29
        connection.close()
