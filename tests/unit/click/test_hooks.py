"""The hooks of use cases, over real connections: what they get, and what counts as a yes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from shared.composition.click import CaptchaHook
from shared.composition.order import PaymentHook
from shared.composition.outreach import TimesHook
from shared.errors import StoreUnavailable


class Hook:
    """A hook on this machine.

    Attributes:
        status, body: of its responses.
        came: the bodies and idempotency keys that came.
    """

    def __init__(self) -> None:
        self.status = 204
        self.body = b""
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
            self.wfile.write(one.body)

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


def test_a_calendar_is_asked_for_times_each_request_under_its_own_key(hook: Hook) -> None:
    times = TimesHook(hook.url, loopback=True)
    hook.status, hook.body = 200, b'{"times": [{"id": "a", "at": "2026-12-03T09:30:00+01:00", "room": 4}]}'
    (one,) = times.offer("call-0", {"id": "A-01", "campaign": "visits", "appointment": "2026-12-01T09:30:00+01:00"})
    assert (one.id, one.at.isoformat()) == ("a", "2026-12-03T09:30:00+01:00")
    assert times.book("call-0", "a")
    times.release("call-0")
    assert hook.came == [
        (
            {
                "action": "offer",
                "offer": "call-0",
                "most": 3,
                "hold_seconds": 300,
                "id": "A-01",
                "campaign": "visits",
                "appointment": "2026-12-01T09:30:00+01:00",
            },
            "call-0:offer",
        ),
        ({"action": "book", "offer": "call-0", "time": "a"}, "call-0:book"),
        ({"action": "release", "offer": "call-0"}, "call-0:release"),
    ]
    hook.status = 409
    assert not times.book("call-0", "a")


@pytest.mark.parametrize(
    ("status", "body", "what"),
    [
        (200, b"", "the body"),
        (200, b"[]", "the body"),
        (200, b'{"times": [{"id": "a", "at": "tomorrow"}]}', "times.0.at"),
        (200, b'{"times": [{"id": "a", "at": "2026-12-03T09:30:00"}]}', "times.0.at"),
        (200, b'{"times": [{"id": "", "at": "2026-12-03T09:30:00Z"}]}', "times.0.id"),
        (404, b'{"times": []}', "404"),
    ],
)
def test_a_calendar_that_responds_otherwise_is_told_what_is_wrong(
    hook: Hook, status: int, body: bytes, what: str
) -> None:
    hook.status, hook.body = status, body
    with pytest.raises(StoreUnavailable, match=what):
        TimesHook(hook.url, loopback=True).offer("call-0", {})
