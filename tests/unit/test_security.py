"""Callback URLs and the service's token: what is accepted, and everything that is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm

from shared.errors import KeysUnavailable, Refused
from shared.security import LEEWAY_SECONDS, MAX_HEADER_BYTES, CallbackUrls, TokenVerifier

KEY = bytes(range(32))
OLD_KEY = bytes(range(32, 64))
CALL = "4f1c9d"
ISSUER = "https://acscallautomation.communication.azure.com"
AUDIENCE = "8b3b2565-9105-49f4-9b61-081357959c70"
CONFIGURATION = "https://service.example/openid"
KEYS = "https://service.example/keys"
NOW = 1_800_000_000.0


# callback URLs


def signature_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["sig"][0]


def refused(check: Callable[[], None]) -> Refused:
    with pytest.raises(Refused) as caught:
        check()
    return caught.value


def test_a_call_level_url_holds_the_call_id_and_a_signature() -> None:
    url = CallbackUrls("https://app.example/", KEY).url(CALL)
    assert url.startswith(f"https://app.example/api/callbacks/{CALL}?sig=")
    assert len(signature_of(url)) == 43


def test_a_family_s_url_holds_the_family_too() -> None:
    url = CallbackUrls("https://app.example", KEY).url(CALL, "play")
    assert url.startswith(f"https://app.example/api/callbacks/{CALL}/play?sig=")


def test_a_url_is_accepted_for_the_call_and_family_that_it_names() -> None:
    urls = CallbackUrls("https://app.example", KEY)
    urls.verify(CALL, "call", signature_of(urls.url(CALL)))
    urls.verify(CALL, "play", signature_of(urls.url(CALL, "play")))


def test_the_key_may_be_given_as_base64() -> None:
    url = CallbackUrls("https://app.example", base64.b64encode(KEY).decode()).url(CALL)
    assert url == CallbackUrls("https://app.example", KEY).url(CALL)


@pytest.mark.parametrize(
    ("call_id", "family", "signature"),
    [
        (CALL, "call", None),
        (CALL, "call", ""),
        (CALL, "call", "x"),
        (CALL, "call", "é" * 43),
        (CALL, "call", "\ud800"),
        (CALL, "call", "A" * 1_000_000),
        ("another", "call", "good"),
        (CALL, "play", "good"),
        (CALL, "call", "good="),
        (CALL, "call", " good"),
    ],
)
def test_a_url_that_the_app_did_not_sign_is_refused(call_id: str, family: str, signature: str | None) -> None:
    urls = CallbackUrls("https://app.example", KEY)
    given_signature = signature.replace("good", signature_of(urls.url(CALL))) if signature else signature
    assert refused(lambda: urls.verify(call_id, family, given_signature)).status == 403


def test_a_signature_of_another_key_is_refused() -> None:
    foreign = signature_of(CallbackUrls("https://app.example", OLD_KEY).url(CALL))
    assert refused(lambda: CallbackUrls("https://app.example", KEY).verify(CALL, "call", foreign)).status == 403


def test_the_previous_key_is_accepted_but_signs_nothing() -> None:
    before = CallbackUrls("https://app.example", OLD_KEY)
    after = CallbackUrls("https://app.example", KEY, previous_key=OLD_KEY)
    after.verify(CALL, "call", signature_of(before.url(CALL)))
    assert after.url(CALL) == CallbackUrls("https://app.example", KEY).url(CALL)
    refused(lambda: before.verify(CALL, "call", signature_of(after.url(CALL))))


def test_an_empty_key_signs_nothing() -> None:
    with pytest.raises(ValueError, match="empty"):
        CallbackUrls("https://app.example", b"")


def test_without_a_previous_key_a_signature_of_the_empty_key_is_refused() -> None:
    digest = hmac.new(b"", f"v1\ncall\n{CALL}".encode(), hashlib.sha256).digest()
    forged = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    refused(lambda: CallbackUrls("https://app.example", KEY).verify(CALL, "call", forged))


def test_a_family_cannot_be_mistaken_for_the_call_id() -> None:
    with pytest.raises(ValueError, match="family"):
        CallbackUrls("https://app.example", KEY).url(CALL, "play\nx")


@given(call_id=st.text(min_size=1), family=st.sampled_from(["call", "play", "recognize"]))
def test_every_call_id_comes_back_from_its_url(call_id: str, family: str) -> None:
    urls = CallbackUrls("https://app.example", KEY)
    parts = urlsplit(urls.url(call_id, family))
    segments = parts.path.removeprefix("/api/callbacks/").split("/")
    assert [unquote(segment) for segment in segments] == [call_id, *([family] if family != "call" else [])]
    urls.verify(call_id, family, signature_of(parts.geturl()))


@given(
    call_id=st.text(min_size=1),
    other=st.text(min_size=1),
    families=st.lists(st.sampled_from(["call", "play", "recognize"]), min_size=2, max_size=2, unique=True),
    position=st.integers(0, 42),
    replacement=st.characters(),
)
def test_no_tampering_with_a_signed_url_is_accepted(
    call_id: str, other: str, families: list[str], position: int, replacement: str
) -> None:
    urls = CallbackUrls("https://app.example", KEY)
    signature = signature_of(urls.url(call_id, families[0]))
    refused(lambda: urls.verify(call_id, families[1], signature))
    if other != call_id:
        refused(lambda: urls.verify(other, families[0], signature))
    changed = signature[:position] + replacement + signature[position + 1 :]
    if changed != signature:
        refused(lambda: urls.verify(call_id, families[0], changed))
    refused(lambda: urls.verify(call_id, families[0], signature[:position]))


# tokens


def private_key(name: str = "a", bits: int = 2048) -> rsa.RSAPrivateKey:
    return _generated(name, bits)


@cache
def _generated(name: str, bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def jwk(name: str = "a", bits: int = 2048, **changes: Any) -> dict[str, Any]:
    entry = RSAAlgorithm.to_jwk(private_key(name, bits).public_key(), as_dict=True)
    return {**entry, "kid": name, "use": "sig", "alg": "RS256", **changes}


class Service:
    """The issuer's two documents, and how often they were asked for."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys: Any = list(keys) or [jwk()]
        self.configuration: Any = {"issuer": ISSUER, "jwks_uri": KEYS}
        self.fetches = 0
        self.down = False

    def __call__(self, url: str) -> Any:
        self.fetches += url == CONFIGURATION
        if self.down:
            raise ConnectionError("no answer")
        return self.configuration if url == CONFIGURATION else {"keys": self.keys}


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def verifier(service: Service | None = None, clock: Clock | None = None) -> TokenVerifier:
    return TokenVerifier(CONFIGURATION, ISSUER, AUDIENCE, http=service or Service(), clock=clock or Clock())


def claims(**changes: Any) -> dict[str, Any]:
    now = int(NOW)
    all_claims = {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 300, **changes}
    return {name: value for name, value in all_claims.items() if value is not None}


def bearer(key: str = "a", kid: str | None = "a", **changes: Any) -> str:
    headers = {"kid": kid} if kid is not None else None
    return "Bearer " + jwt.encode(claims(**changes), private_key(key), algorithm="RS256", headers=headers)


def encoded(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def hand_made(header: Any, payload: Any = None, sign: Callable[[bytes], bytes] = lambda _: b"x") -> str:
    body = f"{encoded(header)}.{encoded(payload if payload is not None else claims())}"
    return f"Bearer {body}.{encoded(sign(body.encode()))}"


def with_public_key_as_secret(message: bytes) -> bytes:
    """Key confusion: the public key, which everyone has, as the secret of an HMAC."""
    public = private_key().public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hmac.new(pem, message, hashlib.sha256).digest()


def test_a_token_of_the_service_is_accepted() -> None:
    verifier().verify(bearer())


def test_the_scheme_s_case_does_not_count() -> None:
    verifier().verify(bearer().replace("Bearer", "bearer"))


def test_one_of_several_audiences_is_enough() -> None:
    verifier().verify(bearer(aud=["other", AUDIENCE]))


def test_times_are_accepted_within_the_leeway() -> None:
    now = int(NOW)
    verifier().verify(bearer(exp=now - LEEWAY_SECONDS + 1))
    verifier().verify(bearer(nbf=now + LEEWAY_SECONDS, iat=now + LEEWAY_SECONDS))


def test_a_token_need_not_say_since_when_it_is_valid() -> None:
    verifier().verify(bearer(nbf=None, iat=None))


REFUSED: dict[str, Callable[[], str | None]] = {
    "no header": lambda: None,
    "empty header": lambda: "",
    "no scheme": lambda: bearer().removeprefix("Bearer "),
    "basic": lambda: "Basic dXNlcjpwYXNz",
    "no token": lambda: "Bearer ",
    "two tokens": lambda: f"{bearer()}, {bearer()}",
    "garbage": lambda: "Bearer garbage",
    "garbage in three parts": lambda: "Bearer a.b.c",
    "not ascii": lambda: "Bearer é.é.é",
    "lone surrogate": lambda: "Bearer \ud800",
    "header is no object": lambda: hand_made(["RS256"]),
    "header is not utf-8": lambda: hand_made(b"\xff\xfe"),
    "header nested deeply": lambda: hand_made(b'{"alg":' + b"[" * 5000),
    "key id is no text": lambda: hand_made({"alg": "RS256", "kid": 7}),
    "key id is empty": lambda: hand_made({"alg": "RS256", "kid": ""}),
    "algorithm is no text": lambda: hand_made({"alg": ["RS256"], "kid": "a"}),
    "none": lambda: hand_made({"alg": "none", "kid": "a"}, sign=lambda _: b""),
    "None": lambda: hand_made({"alg": "None", "kid": "a"}, sign=lambda _: b""),
    "key confusion": lambda: hand_made({"alg": "HS256", "kid": "a"}, sign=with_public_key_as_secret),
    "key confusion named RS256": lambda: hand_made({"alg": "RS256", "kid": "a"}, sign=with_public_key_as_secret),
    "RS384": lambda: "Bearer " + jwt.encode(claims(), private_key(), algorithm="RS384", headers={"kid": "a"}),
    "no key id": lambda: bearer(kid=None),
    "unknown key id": lambda: bearer(kid="b"),
    "signed by another key": lambda: bearer(key="b"),
    "no signature": lambda: bearer().rpartition(".")[0] + ".",
    "another signature": lambda: bearer().rpartition(".")[0] + "." + bearer(exp=1).rpartition(".")[2],
    "changed claims": lambda: ".".join([bearer().split(".")[0], encoded(claims(x=1)), bearer().split(".")[2]]),
    "wrong issuer": lambda: bearer(iss="https://evil.example"),
    "issuer with a slash": lambda: bearer(iss=ISSUER + "/"),
    "no issuer": lambda: bearer(iss=None),
    "wrong audience": lambda: bearer(aud="another-resource"),
    "no audience": lambda: bearer(aud=None),
    "audience is a list without ours": lambda: bearer(aud=["another-resource"]),
    "audience is an empty list": lambda: bearer(aud=[]),
    "no expiry": lambda: bearer(exp=None),
    "expired": lambda: bearer(exp=int(NOW) - LEEWAY_SECONDS),
    "not yet valid": lambda: bearer(nbf=int(NOW) + LEEWAY_SECONDS + 1),
    "issued in the future": lambda: bearer(iat=int(NOW) + LEEWAY_SECONDS + 1),
    "expiry is a text": lambda: rs256(claims(exp="tomorrow")),
    "expiry is true": lambda: rs256(claims(exp=True)),
    "expiry is not a number": lambda: rs256(claims(exp=float("nan"))),
    "expiry is infinite": lambda: rs256(claims(exp=float("inf"))),
    "claims are a list": lambda: rs256([1]),
    "claims nested deeply": lambda: rs256(b"[" * 4000),
    "too long": lambda: "Bearer " + "a" * MAX_HEADER_BYTES,
}


def rs256(payload: Any) -> str:
    def sign(message: bytes) -> bytes:
        return RSAAlgorithm(RSAAlgorithm.SHA256).sign(message, private_key())

    return hand_made({"alg": "RS256", "kid": "a"}, payload, sign)


def test_the_hand_made_tokens_of_these_tests_are_good_ones() -> None:
    verifier().verify(rs256(claims()))


@pytest.mark.parametrize("case", REFUSED)
def test_a_token_that_is_not_the_service_s_is_refused(case: str) -> None:
    authorization = REFUSED[case]()
    assert refused(lambda: verifier().verify(authorization)).status == 401


@given(st.text(max_size=200) | st.text(alphabet="abcXYZ019-_.=", max_size=200))
def test_no_text_at_all_does_anything_but_refuse(token: str) -> None:
    refused(lambda: verifier().verify(f"Bearer {token}"))


def test_a_reason_never_quotes_the_token() -> None:
    token = bearer(key="b")
    assert token[-40:] not in str(refused(lambda: verifier().verify(token)))


def test_a_verifier_without_an_audience_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="audience"):
        TokenVerifier(CONFIGURATION, ISSUER, "")


# keys


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
    refused(lambda: verifier(service).verify(REFUSED["key confusion"]()))
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


def test_an_unusable_key_does_not_spoil_the_others() -> None:
    verifier(Service(symmetric() | {"kid": "b"}, jwk())).verify(bearer())


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


def test_renewing_the_keys_delays_no_token_of_a_known_key() -> None:
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
        tokens.verify(token)
        assert not renewing.done()
        go_on.set()
        renewing.result(10)


# over HTTP


class Documents(BaseHTTPRequestHandler):
    answers: dict[str, tuple[int, bytes]]

    def do_GET(self) -> None:
        status, body = self.answers[self.path]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def documents() -> Iterator[tuple[str, dict[str, tuple[int, bytes]]]]:
    answers: dict[str, tuple[int, bytes]] = {}
    handler = type("Handler", (Documents,), {"answers": answers})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        origin = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        answers["/openid"] = (200, json.dumps({"jwks_uri": f"{origin}/keys"}).encode())
        answers["/keys"] = (200, json.dumps({"keys": [jwk()]}).encode())
        yield origin, answers
        server.shutdown()


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


def test_a_warm_verification_takes_no_time_that_a_caller_could_hear() -> None:
    tokens, token = verifier(), bearer()
    tokens.verify(token)
    best = min(_seconds(lambda: tokens.verify(token)) for _ in range(50))
    assert best < 0.002  # ten times what it takes, so that a busy machine does not fail it


def _seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
