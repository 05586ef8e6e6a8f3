"""How the keys of an issuer are asked for: what is sent, through which proxy, and how long it may take."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from shared import json_over_http
from shared.json_over_http import CONNECT_SECONDS, MOST_BYTES, WHOLE_SECONDS, get_json
from shared.transport import cut_off

Serve = Callable[[bytes], tuple[str, list[str]]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Gives the origin of a server that says this once and then nothing, and the lines that it hears."""
    over = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))

    def one(response: bytes) -> tuple[str, list[str]]:
        heard: list[str] = []

        def listen() -> None:
            with contextlib.suppress(OSError):
                connected, _ = listening.accept()
                with connected:
                    heard.extend(connected.recv(4096).decode().split("\r\n"))
                    connected.sendall(response)
                    if not response:
                        over.wait(10)

        threading.Thread(target=listen, daemon=True).start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}", heard

    yield one
    over.set()
    listening.close()


JSON = b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"a": 1}'


def test_a_document_is_asked_for_as_it_is(serve: Serve) -> None:
    origin, heard = serve(JSON)
    assert get_json(origin) == {"a": 1}
    assert heard[0] == "GET / HTTP/1.1"
    origin, heard = serve(JSON)
    get_json(f"{origin}?v=1")
    assert heard[0] == "GET /?v=1 HTTP/1.1"
    assert {"Accept: application/json", "Accept-Encoding: identity"} <= set(heard)


def test_what_is_no_http_is_an_oserror(serve: Serve) -> None:
    origin, _ = serve(b"SSH-2.0-OpenSSH_9.2\r\n")
    with pytest.raises(OSError, match="the response is not HTTP"):
        get_json(f"{origin}/keys")


def test_what_is_nested_too_deeply_is_a_valueerror(serve: Serve) -> None:
    origin, _ = serve(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"[" * 100_000)
    with pytest.raises(ValueError, match="nested too deeply"):
        get_json(f"{origin}/keys")


def test_a_deadline_that_is_over_is_over_at_once(serve: Serve) -> None:
    origin, _ = serve(b"")  # after ten seconds this is no HTTP
    with pytest.raises(TimeoutError, match="too long"):
        get_json(f"{origin}/keys", seconds=-1)


def test_no_timer_is_left_behind_nor_keeps_a_process_from_its_end(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[threading.Timer] = []

    class Timer(threading.Timer):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            made.append(self)

    monkeypatch.setattr("shared.transport.threading.Timer", Timer)
    origin, _ = serve(JSON)
    get_json(origin)
    (timer,) = made
    assert timer.daemon
    assert timer.finished.is_set()


def test_a_connection_that_was_closed_meanwhile_is_shut_down_all_the_same() -> None:
    connection = socket.socket()
    connection.close()
    with cut_off(connection, -1) as late:
        assert late.wait(10)


def test_a_connection_is_shut_down_at_the_moment_that_was_said() -> None:
    connection = socket.socket()
    with cut_off(connection, 0.01) as late:
        assert late.wait(0.8)
    connection.close()


def test_the_limits_are_these() -> None:
    assert (WHOLE_SECONDS, CONNECT_SECONDS, MOST_BYTES) == (2.5, 2.0, 262_144)


OURS = ssl.create_default_context()
"""Whom the app trusts, in these tests."""


def connection(url: str) -> Any:
    return json_over_http._connection(urlsplit(url))


def test_a_connection_in_the_clear_has_two_seconds_to_be_accepted() -> None:
    plain = connection("http://127.0.0.1:81/keys")
    assert type(plain) is HTTPConnection
    assert (plain.host, plain.port, plain.timeout) == ("127.0.0.1", 81, 2.0)


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    monkeypatch.setattr(json_over_http, "certificates", lambda: OURS)

    def named(url: str, no_proxy: str = "") -> None:
        monkeypatch.setenv("https_proxy", url)
        monkeypatch.setenv("no_proxy", no_proxy)

    return named


@pytest.mark.parametrize(
    ("way", "no_proxy", "host"),
    [
        ("", "", "issuer.example"),
        ("http://proxy.example:3128", "", "127.0.0.1"),
        ("http://proxy.example:3128", "issuer.example", "issuer.example"),
    ],
)
def test_without_a_proxy_a_secure_connection_goes_to_the_host_with_our_certificates(
    proxy: Callable[..., None], way: str, no_proxy: str, host: str
) -> None:
    proxy(way, no_proxy)
    secure = connection(f"https://{host}/keys")
    assert type(secure).__name__ == "HTTPSConnection"
    assert (secure.host, secure.port, secure.timeout, secure._tunnel_host) == (host, 443, 2.0, None)
    assert secure._context is OURS


@pytest.mark.parametrize(
    ("way", "port", "login"),
    [
        ("http://proxy.example", 80, None),
        ("proxy.example:3128", 3128, None),
        ("http://ada@proxy.example:3128", 3128, b"ada:"),
        ("http://ada:pass%20word@proxy.example:3128", 3128, b"ada:pass word"),
    ],
)
def test_through_a_proxy_the_connection_is_as_secure(
    proxy: Callable[..., None], way: str, port: int, login: bytes | None
) -> None:
    proxy(way)
    secure = connection("https://issuer.example:8443/keys")
    assert (secure.host, secure.port, secure.timeout) == ("proxy.example", port, 2.0)
    assert (secure._tunnel_host, secure._tunnel_port) == ("issuer.example", 8443)
    assert secure._context is OURS
    expected = None if login is None else f"Basic {base64.b64encode(login).decode()}"
    assert secure._tunnel_headers.get("Proxy-Authorization") == expected
