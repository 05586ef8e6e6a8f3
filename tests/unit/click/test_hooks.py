"""The hooks that captchas and cards are checked by, over real connections: what they get, and what counts as a yes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from shared.composition.click import CaptchaHook
from shared.composition.order import PaymentHook
from shared.errors import StoreUnavailable


class Hook:
    """A hook on this machine.

    Attributes:
        status: of its responses.
        came: the bodies and idempotency keys that came.
    """

    def __init__(self) -> None:
        self.status = 204
        self.came: list[tuple[dict[str, Any], str | None]] = []
        self.url = ""


@pytest.fixture
def hook() -> Iterator[Hook]:
    one = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            one.came.append((body, self.headers.get("Idempotency-Key")))
            self.send_response(one.status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        one.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        yield one
        server.shutdown()


def captcha(hook: Hook) -> bool:
    return CaptchaHook(loopback=True).solved(hook.url, "shop", "an answer", "203.0.113.9")


def payment(hook: Hook) -> bool:
    return PaymentHook(hook.url, loopback=True).charge("call-0", 1450, "4111111111111111", "1230")


both = pytest.mark.parametrize("ask", [captcha, payment])


@both
@pytest.mark.parametrize(("status", "yes"), [(200, True), (204, True), (302, False), (400, False), (403, False)])
def test_what_a_hook_says_counts(hook: Hook, ask: Callable[[Hook], bool], status: int, yes: bool) -> None:
    hook.status = status
    assert ask(hook) is yes


@both
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_hook_that_is_down_says_neither_yes_nor_no(hook: Hook, ask: Callable[[Hook], bool], status: int) -> None:
    hook.status = status
    with pytest.raises(StoreUnavailable):
        ask(hook)
    hook.url = "http://127.0.0.1:1/hook"
    with pytest.raises(StoreUnavailable) as error:
        ask(hook)
    assert "4111" not in str(error.value)


def test_a_hook_is_told_what_it_needs(hook: Hook) -> None:
    captcha(hook)
    payment(hook)
    assert hook.came == [
        ({"site": "shop", "captcha": "an answer", "address": "203.0.113.9"}, None),
        ({"order": "call-0", "cents": 1450, "card": "4111111111111111", "expiry": "1230"}, "call-0"),
    ]


@pytest.mark.parametrize("url", ["http://hooks.example/x", "https://10.0.0.1/x", "https://127.0.0.1/x", "ftp://x", "x"])
def test_a_hook_leads_to_public_addresses_alone(url: str) -> None:
    assert CaptchaHook(loopback=False).problem(url)
    assert CaptchaHook(loopback=False).problem("https://hooks.example/x") == ""
    with pytest.raises(StoreUnavailable):
        CaptchaHook(loopback=False).solved(url, "shop", "an answer", "")


def test_without_a_hook_no_cards_are_taken() -> None:
    assert not PaymentHook("", loopback=False).is_set_up
    assert PaymentHook("https://hooks.example/x", loopback=False).is_set_up
