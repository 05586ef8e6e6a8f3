"""The front before several hosts, one of which does not listen."""

from __future__ import annotations

import http.client
import socket
import socketserver
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from devstack.azurite import ROOT
from devstack.ports import LOOPBACK, free_port, is_taken
from devstack.process import ChildProcess
from tests.unit.devstack.test_proxy import Server
from tests.unit.devstack.test_proxy import server as server


@pytest.mark.parametrize(("options", "statuses"), [([], {200, 502}), (["--failover"], {200})])
def test_with_failover_the_next_host_gets_what_a_dead_one_cannot_take(
    server: Server, tmp_path: Path, options: list[str], statuses: set[int]
) -> None:
    with front(tmp_path, "--to", str(free_port()), "--to", str(server.server_port), *options) as port:
        assert {_get(port) for _ in range(4)} == statuses


def test_everything_passes_unchanged_over_one_connection(server: Server, tmp_path: Path) -> None:
    with front(tmp_path, "--to", str(server.server_port)) as port:
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=20)
        for method, path, body, expected, length in (
            ("POST", "/a%20b?c=%C3%A4&d=", b"x" * 3_000_000, b"x" * 3_000_000, "3000000"),
            ("HEAD", "/b", b"abc", b"", "3"),
            ("GET", "/chunked", b"", b"abcdefg", "7"),
            ("POST", "/c", b"end", b"end", "3"),
        ):
            connection.request(method, path, body, {"X-Own": "ä".encode("latin-1")})
            response = connection.getresponse()
            assert (response.read(), response.getheader("Content-Length")) == (expected, length)
        connection.close()
    assert [what for what, _ in server.carried_out] == ["POST /a%20b?c=%C3%A4&d=", "HEAD /b", "GET /chunked", "POST /c"]


def test_a_host_that_ends_in_the_middle_takes_the_clients_connection_with_it(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as host, front(tmp_path, "--to", str(host.getsockname()[1])) as port:
        client = http.client.HTTPConnection(LOOPBACK, port, timeout=20)
        client.request("POST", "/", b"x")
        connection, _ = host.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            client.getresponse()


def test_what_is_left_of_a_body_is_not_taken_for_a_request(tmp_path: Path) -> None:
    taken: list[bytes] = []

    class Early(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            """Responds before the body has come, as to a request that is refused by its head."""
            while (first := self.rfile.readline()).strip():
                taken.append(first.strip())
                length = 0
                while (line := self.rfile.readline()).strip():
                    name, _, value = line.lower().partition(b":")
                    length = int(value) if name == b"content-length" else length
                self.wfile.write(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n")
                self.rfile.read(length)

    hidden = b"GET /admin/secret HTTP/1.1\r\nhost: x\r\n\r\n"
    with socketserver.ThreadingTCPServer((LOOPBACK, 0), Early) as host:
        host.daemon_threads = True
        threading.Thread(target=host.serve_forever, daemon=True).start()
        with front(tmp_path, "--to", str(host.server_address[1])) as port:
            with socket.create_connection((LOOPBACK, port), timeout=20) as client:
                client.sendall(b"POST /api/calls HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(hidden))
                client.sendall(hidden[:10])
                assert b"401" in client.recv(1000)
                client.settimeout(2)
                with suppress(TimeoutError, ConnectionError):
                    client.sendall(hidden[10:])
                    assert client.recv(1000) == b""
        host.shutdown()
    assert taken == [b"POST /api/calls HTTP/1.1"]


@contextmanager
def front(folder: Path, *arguments: str) -> Iterator[int]:
    """A front with these arguments; its port."""
    port = free_port()
    command = [sys.executable, "-m", "devstack.front", "--port", str(port), *arguments]
    process = ChildProcess("front", command, log=folder / "front.log", cwd=ROOT)
    try:
        process.wait_until(lambda: is_taken(port), 20)
        yield port
    finally:
        process.stop()


def _get(port: int) -> int:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    finally:
        connection.close()
