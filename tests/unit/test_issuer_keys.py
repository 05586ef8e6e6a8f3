"""The issuer's keys: when they are fetched, how long they are used, and what a slow or hostile issuer costs."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from jwt.algorithms import RSAAlgorithm

from shared.errors import KeysUnavailable
from shared.issuer_keys import (
    FIRST_FETCH_INTERVAL_SECONDS,
    LONGEST_SECONDS,
    MIN_KEY_BITS,
    REFRESH_INTERVAL_SECONDS,
    RENEWED_SECONDS,
    WAIT_SECONDS,
)
from shared.json_over_http import WHOLE_SECONDS, get_json
from shared.security import TokenVerifier
from tests.unit.tokens import (
    AUDIENCE,
    CONFIGURATION,
    ISSUER,
    KEYS,
    NOW,
    Clock,
    Service,
    bearer,
    claims,
    encoded,
    jwk,
    private_key,
    refused,
    verifier,
)


def test_keys_are_fetched_once_for_many_tokens() -> None:
    service = Service()
    tokens = verifier(service)
    for _ in range(10):
        tokens.verify(bearer())
    assert service.fetches == 1


def test_keys_can_be_fetched_before_the_first_callback() -> None:
    service = Service()
    tokens = verifier(service)
    tokens.prepare()
    service.down = True
    tokens.verify(bearer())
    assert service.fetches == 1


def test_a_new_key_of_the_issuer_is_found() -> None:
    service, clock = Service(), Clock()
    tokens = verifier(service, clock)
    tokens.verify(bearer())
    service.keys = [jwk("a"), jwk("b")]
    clock.now += 61
    tokens.verify(bearer("b", "b"))
    assert service.fetches == 2


def test_unknown_keys_cause_one_fetch_a_minute_however_many_come() -> None:
    service, clock = Service(), Clock()
    tokens = verifier(service, clock)
    tokens.verify(bearer())
    for second in range(120):
        clock.now = NOW + second
        refused(lambda n=second: tokens.verify(bearer(kid=f"random-{n}")))  # type: ignore[misc]
    assert service.fetches == 2


def test_a_token_with_another_algorithm_causes_no_fetch() -> None:
    service = Service()
    symmetrical = jwt.encode(claims(), "secret" * 8, algorithm="HS256", headers={"kid": "a"})
    refused(lambda: verifier(service).verify(f"Bearer {symmetrical}"))
    assert service.fetches == 0


def test_a_withdrawn_key_is_refused_within_a_day() -> None:
    service, clock = Service(jwk("a"), jwk("b")), Clock()
    tokens = verifier(service, clock)
    tokens.verify(bearer())
    service.keys = [jwk("b")]
    clock.now += 24 * 3600
    fresh: dict[str, Any] = {"iat": int(clock.now), "nbf": int(clock.now), "exp": int(clock.now) + 300}
    refused(lambda: tokens.verify(bearer(**fresh)))
    tokens.verify(bearer("b", "b", **fresh))


def test_keys_stay_in_use_while_they_cannot_be_renewed() -> None:
    service, clock = Service(), Clock()
    tokens = verifier(service, clock)
    tokens.verify(bearer())
    service.down = True
    clock.now += 24 * 3600
    for _ in range(5):
        tokens.verify(bearer(exp=int(clock.now) + 300))
    assert service.fetches == 2


def test_no_key_is_used_for_ever_while_its_issuer_is_away() -> None:
    service, clock = Service(), Clock()
    tokens = verifier(service, clock)
    tokens.verify(bearer())
    service.down = True

    def verify_now() -> None:
        tokens.verify(bearer(iat=int(clock.now), nbf=int(clock.now), exp=int(clock.now) + 300))

    clock.now = NOW + 48 * 3600 - 1
    verify_now()
    clock.now = NOW + 48 * 3600
    with pytest.raises(KeysUnavailable):
        verify_now()
    with pytest.raises(KeysUnavailable):
        tokens.prepare()
    service.down = False
    clock.now += 1
    verify_now()


def test_without_any_key_no_token_is_judged() -> None:
    service, clock = Service(), Clock()
    service.down = True
    tokens = verifier(service, clock)
    with pytest.raises(KeysUnavailable) as caught:
        tokens.verify(bearer())
    assert caught.value.retryable
    for _ in range(5):
        with pytest.raises(KeysUnavailable):
            tokens.verify(bearer())
    assert service.fetches == 1
    service.down = False
    clock.now += 1
    tokens.verify(bearer())


def test_a_new_key_that_cannot_be_fetched_is_worth_another_delivery() -> None:
    service, clock = Service(), Clock()
    tokens = verifier(service, clock)
    tokens.verify(bearer())
    service.down = True
    clock.now += 61
    with pytest.raises(KeysUnavailable):
        tokens.verify(bearer("b", "b"))
    tokens.verify(bearer())


def test_preparing_reports_that_no_keys_can_be_had() -> None:
    service = Service()
    service.down = True
    with pytest.raises(KeysUnavailable, match="no answer"):
        verifier(service).prepare()


def test_a_clock_that_was_put_back_does_not_stop_fetches() -> None:
    service, clock = Service(), Clock()
    clock.now = NOW + 10 * 24 * 3600
    tokens = verifier(service, clock)
    tokens.prepare()
    service.keys = [jwk("b")]
    clock.now = NOW
    tokens.verify(bearer("b", "b"))


@pytest.mark.parametrize(
    "configuration",
    [None, [], {}, {"jwks_uri": 7}, {"jwks_uri": "http://service.example/keys"}],
)
def test_a_configuration_that_names_no_safe_keys_is_not_used(configuration: Any) -> None:
    service = Service()
    service.configuration = configuration
    with pytest.raises(KeysUnavailable):
        verifier(service).verify(bearer())


def symmetric() -> dict[str, Any]:
    return {"kty": "oct", "kid": "a", "k": encoded(b"secret" * 8), "alg": "HS256"}


@pytest.mark.parametrize(
    "keys",
    [
        None,
        {},
        [],
        [None],
        [symmetric()],
        [{"kty": "EC", "kid": "a"}],
        [{"kty": "RSA", "kid": "a"}],
        [{"kty": "RSA", "kid": "a", "n": "!", "e": "AQAB"}],
        [jwk(use="enc")],
        [jwk(alg="RS512")],
        [jwk(kid=None)],
        [jwk("small", 1024, kid="a")],
        [{**RSAAlgorithm.to_jwk(private_key(), as_dict=True), "kid": "a"}],
    ],
    # Numbered: the keys are new in every process, and the workers of a run must agree on the names.
    ids=[f"keys{number}" for number in range(13)],
)
def test_only_public_rsa_keys_for_signatures_are_used(keys: Any) -> None:
    service = Service()
    service.keys = keys
    with pytest.raises(KeysUnavailable):
        verifier(service).verify(bearer())


@pytest.mark.parametrize(
    "other", [symmetric() | {"kid": "b"}, None, {"kty": "RSA", "kid": "b"}, {"kty": "EC", "kid": "b"}]
)
def test_an_unusable_key_does_not_spoil_the_others(other: Any) -> None:
    verifier(Service(other, jwk())).verify(bearer())


@pytest.mark.parametrize(
    ("configuration", "keys", "reason"),
    [
        ({}, [jwk()], "the OpenID configuration has no jwks_uri"),
        ({"jwks_uri": KEYS}, {}, "the key document has no list of keys"),
        ({"jwks_uri": KEYS}, [], "the key document has no RSA signing key"),
        ({"jwks_uri": "http://service.example/keys"}, [jwk()], "keys that are not served over https"),
    ],
    ids=["no address", "no list", "no key", "in the clear"],
)
def test_what_an_issuer_lacks_is_said(configuration: Any, keys: Any, reason: str) -> None:
    service = Service()
    service.configuration, service.keys = configuration, keys
    with pytest.raises(KeysUnavailable, match=reason):
        verifier(service).prepare()


def test_the_limits_are_these() -> None:
    assert RENEWED_SECONDS == 86_400
    assert LONGEST_SECONDS == 172_800
    assert REFRESH_INTERVAL_SECONDS == 60
    assert FIRST_FETCH_INTERVAL_SECONDS == 1
    assert WAIT_SECONDS == 2.0
    assert MIN_KEY_BITS == 2048


class Late(Service):
    """An issuer that takes a fifth of a second."""

    def __call__(self, url: str) -> Any:
        time.sleep(0.2)
        return super().__call__(url)


def test_who_finds_the_keys_old_waits_for_new_ones() -> None:
    service, clock = Late(), Clock()
    tokens = verifier(service, clock)
    tokens.prepare()
    service.keys = [jwk("b")]
    clock.now += 24 * 3600
    withdrawn = bearer(exp=int(clock.now) + 300)
    assert refused(lambda: tokens.verify(withdrawn)).reason == "the token names a key that its issuer does not have"


def test_a_fetch_is_in_a_thread_that_has_a_name_and_keeps_no_process_from_its_end() -> None:
    service = Stuck()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(verifier(service).prepare)
        assert service.entered.wait(10)
        (thread,) = [one for one in threading.enumerate() if one.name == "switchboard-keys" and one.is_alive()]
        assert thread.daemon
        service.go_on.set()
        waiting.result(10)


def test_many_threads_cause_one_fetch() -> None:
    entered, go_on = threading.Event(), threading.Event()

    class Slow(Service):
        def __call__(self, url: str) -> Any:
            answer = super().__call__(url)
            entered.set()
            assert go_on.wait(10)
            return answer

    service = Slow()
    tokens, token = verifier(service), bearer()
    with ThreadPoolExecutor(16) as pool:
        waiting = [pool.submit(tokens.verify, token) for _ in range(16)]
        assert entered.wait(10)
        go_on.set()
        for one in waiting:
            one.result(10)
    assert service.fetches == 1


def test_renewing_the_keys_delays_no_token_of_a_known_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.issuer_keys.WAIT_SECONDS", 60.0)  # who waits does so until the renewal is over
    entered, go_on = threading.Event(), threading.Event()
    service, clock = Service(), Clock()

    def http(url: str) -> Any:
        if service.fetches:
            entered.set()
            assert go_on.wait(10)
        return service(url) if url == CONFIGURATION else {"keys": service.keys}

    tokens = TokenVerifier(CONFIGURATION, ISSUER, AUDIENCE, http=http, clock=clock)
    # The first fetch passes; the second stops until the other token is through.
    service.fetches = 0
    go_on.set()
    tokens.verify(bearer())
    go_on.clear()
    entered.clear()
    clock.now += 24 * 3600
    token = bearer(exp=int(clock.now) + 300)
    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(tokens.verify, token)
        assert entered.wait(10)
        began = time.monotonic()
        tokens.verify(token)
        assert time.monotonic() - began < 5, "it did not wait for the renewal"
        assert not renewing.done()
        go_on.set()
        renewing.result(10)


class Stuck(Service):
    """An issuer that does not respond until `go_on` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.go_on = threading.Event(), threading.Event()

    def __call__(self, url: str) -> Any:
        found = super().__call__(url)
        self.entered.set()
        assert self.go_on.wait(10)
        return found


def test_a_slow_issuer_holds_no_thread_for_long_and_its_keys_are_used_once_they_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.issuer_keys.WAIT_SECONDS", 0.2)
    service = Stuck()
    tokens, token = verifier(service), bearer()
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(tokens.verify, token) for _ in range(8)]
        for one in waiting:
            with pytest.raises(KeysUnavailable, match="slow"):
                one.result(5)
    with pytest.raises(KeysUnavailable, match="slow"):
        tokens.prepare()
    service.go_on.set()
    until(lambda: accepted(tokens, token))
    assert service.fetches == 1


def test_who_comes_late_to_a_slow_fetch_does_not_wait_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.issuer_keys.WAIT_SECONDS", 0.5)
    service = Stuck()
    tokens, token = verifier(service), bearer()
    started = time.monotonic()
    for _ in range(40):
        with pytest.raises(KeysUnavailable):
            tokens.verify(token)
    assert time.monotonic() - started < 10
    service.go_on.set()


def test_what_a_fetch_fails_on_without_expecting_it_is_logged_and_holds_nobody_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(url: str) -> Any:
        raise LookupError("a bug")

    with pytest.raises(KeysUnavailable, match="a bug"):
        TokenVerifier(CONFIGURATION, ISSUER, AUDIENCE, http=broken, clock=Clock()).verify(bearer())
    assert "LookupError" in caplog.text


# over HTTP


class Documents(BaseHTTPRequestHandler):
    """Serves `answers` by path; a path that is none of them, one byte at a time."""

    answers: dict[str, tuple[int, bytes]]
    asked: list[str]
    drips: threading.Event

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path not in self.answers:
            self.drip()
            return
        status, body = self.answers[self.path]
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", body.decode())
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def drip(self) -> None:
        """Headers that never end, or a body that does not."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\n" + (b"X-Long: " if "header" in self.path else b"\r\n"))
        while not self.drips.wait(0.02):
            try:
                self.wfile.write(b" ")
                self.wfile.flush()
            except OSError:
                return

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[str, type[Documents]]]:
    fields: dict[str, Any] = {"answers": {}, "asked": [], "drips": threading.Event()}
    handler: type[Documents] = type("Handler", (Documents,), fields)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        origin = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        handler.answers["/openid"] = (200, json.dumps({"jwks_uri": f"{origin}/keys"}).encode())
        handler.answers["/keys"] = (200, json.dumps({"keys": [jwk()]}).encode())
        yield origin, handler
        handler.drips.set()
        server.shutdown()


@pytest.fixture
def documents(server: tuple[str, type[Documents]]) -> tuple[str, dict[str, tuple[int, bytes]]]:
    origin, handler = server
    return origin, handler.answers


def test_keys_are_fetched_over_http(documents: tuple[str, dict[str, tuple[int, bytes]]]) -> None:
    origin, _ = documents
    TokenVerifier(f"{origin}/openid", ISSUER, AUDIENCE, clock=Clock()).verify(bearer())


@pytest.mark.parametrize("answer", [(500, b"{}"), (200, b"<html>"), (200, b"\xff"), (404, b"")])
@pytest.mark.parametrize("path", ["/openid", "/keys"])
def test_an_answer_that_holds_no_document_is_no_keys(
    documents: tuple[str, dict[str, tuple[int, bytes]]], path: str, answer: tuple[int, bytes]
) -> None:
    origin, answers = documents
    answers[path] = answer
    with pytest.raises(KeysUnavailable):
        TokenVerifier(f"{origin}/openid", ISSUER, AUDIENCE, clock=Clock()).verify(bearer())


def test_a_server_that_is_not_there_is_no_keys(documents: tuple[str, dict[str, tuple[int, bytes]]]) -> None:
    with pytest.raises(KeysUnavailable):
        TokenVerifier("http://127.0.0.1:9/openid", ISSUER, AUDIENCE, clock=Clock()).verify(bearer())


def test_a_redirect_is_not_followed(server: tuple[str, type[Documents]]) -> None:
    origin, handler = server
    handler.answers["/moved"] = (302, f"{origin}/openid".encode())
    with pytest.raises(KeysUnavailable, match="302"):
        TokenVerifier(f"{origin}/moved", ISSUER, AUDIENCE, clock=Clock()).verify(bearer())
    assert handler.asked == ["/moved"]


def test_a_document_may_be_long_but_not_longer_than_256_kb(documents: tuple[str, dict[str, tuple[int, bytes]]]) -> None:
    origin, answers = documents
    keys = answers["/keys"][1]
    answers["/keys"] = (200, keys + b" " * (256 * 1024 - len(keys)))
    TokenVerifier(f"{origin}/openid", ISSUER, AUDIENCE, clock=Clock()).verify(bearer())
    answers["/keys"] = (200, keys + b" " * (256 * 1024 - len(keys) + 1))
    with pytest.raises(KeysUnavailable, match="longer"):
        TokenVerifier(f"{origin}/openid", ISSUER, AUDIENCE, clock=Clock()).verify(bearer())


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"jwks_uri": ' + b"9" * 5000 + b"}"], ids=["deep", "digits"])
def test_a_document_that_python_cannot_read_is_no_keys(
    documents: tuple[str, dict[str, tuple[int, bytes]]], caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    origin, answers = documents
    answers["/openid"] = (200, body)
    with pytest.raises(KeysUnavailable):
        TokenVerifier(f"{origin}/openid", ISSUER, AUDIENCE, clock=Clock()).verify(bearer())
    assert caplog.records == []


@pytest.mark.parametrize("path", ["/header", "/body"])
def test_a_server_that_drips_is_cut_off_at_the_deadline(server: tuple[str, type[Documents]], path: str) -> None:
    origin, _ = server
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        get_json(f"{origin}{path}", seconds=0.3)
    assert 0.2 < time.monotonic() - started < 20


def test_both_documents_are_there_within_five_seconds_or_not_at_all() -> None:
    assert 2 * WHOLE_SECONDS <= 5


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The environment names a proxy, which lets nobody through; gives the lines that it hears."""
    heard: list[str] = []

    def listen() -> None:
        with contextlib.suppress(OSError):
            connected, _ = listening.accept()
            with connected:
                heard.extend(connected.recv(4096).decode().split("\r\n"))
                connected.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=listen, daemon=True).start()
        monkeypatch.setenv("https_proxy", f"http://ada:pass%20word@127.0.0.1:{listening.getsockname()[1]}")
        monkeypatch.setenv("no_proxy", "")
        yield heard


def test_a_proxy_of_the_environment_is_used(proxy: list[str]) -> None:
    with pytest.raises(OSError, match="407"):
        get_json("https://issuer.example/keys")
    assert proxy[0].startswith("CONNECT issuer.example:443")
    assert "Proxy-Authorization: Basic " + base64.b64encode(b"ada:pass word").decode() in proxy


def test_what_is_reached_over_http_goes_through_no_proxy(proxy: list[str], documents: tuple[str, object]) -> None:
    assert "jwks_uri" in get_json(f"{documents[0]}/openid")
    assert proxy == []


def accepted(tokens: TokenVerifier, token: str) -> bool:
    try:
        tokens.verify(token)
    except KeysUnavailable:
        return False
    return True


def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition, five seconds at most."""
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
