"""Signals to the app over HTTP: what is sent, and what is made of each response."""

from __future__ import annotations

import base64
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from devstack.ports import free_port
from shared.errors import InvalidInput, SwitchboardError, UnknownCall
from shared.stream_signals import SignalSignatures
from streams.app_client import AppClient, AppUnavailable
from tests.unit.streams.memory import CALL, KEY

CONNECTION = "00c0ffee00c0ffee"
SIGNALS = [{"name": "transcript", "data": {"text": "né 한국"}}, {"name": "dtmf", "data": {"tone": "5"}}]


class AppSide:
    """Answers as it is told, and keeps what it was sent."""

    def __init__(self) -> None:
        self.answer: tuple[int, dict[str, str], bytes] = (200, {}, b'{"outcome": "advanced"}')
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.connections = 0
        side = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                side.connections += 1
                super().setup()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                side.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                status, headers, content = side.answer
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def side() -> Iterator[AppSide]:
    side = AppSide()
    yield side
    side.close()


def client(url: str) -> AppClient:
    return AppClient(url, SignalSignatures(KEY))


def test_signals_are_sent_signed_over_call_connection_sequence_and_body(side: AppSide) -> None:
    send = client(side.url + "/")
    assert send(CALL, CONNECTION, 7, SIGNALS) == "advanced"
    assert send(CALL, CONNECTION, 9, SIGNALS[1:]) == "advanced"
    (path, headers, body), (second, _, _) = side.requests
    assert path == f"/api/streams/{CALL}/signals/{CONNECTION}/7"
    assert second == f"/api/streams/{CALL}/signals/{CONNECTION}/9"
    assert json.loads(body) == {"signals": SIGNALS}
    assert headers["content-type"] == "application/json"
    # Anew, from the words of the module: the app of another version must come to the same.
    of_call = hmac.digest(KEY, b"key of stream signals v1\n" + CALL.encode(), "sha256")
    mac = hmac.digest(of_call, f"{CONNECTION}\n7\n".encode() + body, "sha256")
    assert headers["x-switchboard-signature"] == "v1=" + base64.urlsafe_b64encode(mac).decode().rstrip("=")
    assert side.connections == 1, "a connection is made anew for each request"


PROBLEM = {"Content-Type": "application/problem+json"}
LATER: dict[str, tuple[int, dict[str, str], bytes]] = {
    "a storage that is away": (503, PROBLEM, b'{"title": "StoreUnavailable"}'),
    "a failure": (500, PROBLEM, b'{"title": "Internal error"}'),
    "a key that is not there yet": (403, PROBLEM, b'{"title": "Refused"}'),
    "a host that is starting": (404, {}, b""),
    "an app of before this route": (404, PROBLEM, b'{"title": "Not Found"}'),
    "too many requests": (429, {}, b"later"),
    "a gateway": (502, {"Content-Type": "text/html"}, b"<html>"),
    "a page that says yes": (200, {"Content-Type": "text/html"}, b"<html>sign in</html>"),
    "JSON of something else": (200, {}, b"[1]"),
    "a redirect": (307, {"Location": "http://127.0.0.1:1/elsewhere"}, b""),
    "a failure that says advanced": (503, {}, b'{"outcome": "advanced"}'),
    "a failure that names a call": (500, PROBLEM, b'{"title": "Unknown call"}'),
    "a refusal that names a field": (403, PROBLEM, b'{"field": "signals"}'),
    "a 400 of a proxy": (400, {}, b"Bad Request"),
}


@pytest.mark.parametrize("answer", LATER.values(), ids=LATER)
def test_an_app_that_does_not_take_them_now_is_asked_again(
    side: AppSide, answer: tuple[int, dict[str, str], bytes]
) -> None:
    side.answer = answer
    with pytest.raises(AppUnavailable) as caught:
        client(side.url)(CALL, CONNECTION, 1, SIGNALS)
    assert caught.value.retryable
    assert str(caught.value) == f"the app responded {answer[0]}"
    assert len(side.requests) == 1


NEVER: dict[str, tuple[tuple[int, dict[str, str], bytes], type[SwitchboardError]]] = {
    "an unknown call": ((404, PROBLEM, b'{"title": "Unknown call"}'), UnknownCall),
    "a signal that is none": ((400, PROBLEM, b'{"title": "Invalid input", "field": "signals.0.name"}'), InvalidInput),
}


@pytest.mark.parametrize(("answer", "error"), NEVER.values(), ids=NEVER)
def test_what_the_app_will_never_take_is_not_sent_again(
    side: AppSide, answer: tuple[int, dict[str, str], bytes], error: type[SwitchboardError]
) -> None:
    side.answer = answer
    with pytest.raises(error) as caught:
        client(side.url)(CALL, CONNECTION, 1, SIGNALS)
    assert not caught.value.retryable


def test_an_app_that_does_not_listen_is_away_and_the_reason_quotes_nothing() -> None:
    with pytest.raises(AppUnavailable) as caught:
        client(f"http://127.0.0.1:{free_port()}")(CALL, CONNECTION, 1, SIGNALS)
    assert str(caught.value) == "ConnectionError"


def test_an_empty_key_signs_nothing_even_beside_an_older_one() -> None:
    with pytest.raises(ValueError, match="empty signing key"):
        SignalSignatures(b"", previous_key=KEY)
