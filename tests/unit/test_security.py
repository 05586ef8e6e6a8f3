"""Callback URLs and the service's token: what is accepted, and everything that is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm

from shared.security import LEEWAY_SECONDS, MAX_HEADER_BYTES, CallbackUrls, TokenVerifier
from tests.unit.tokens import (
    AUDIENCE,
    CONFIGURATION,
    ISSUER,
    NOW,
    Clock,
    bearer,
    claims,
    encoded,
    private_key,
    refused,
    verifier,
)

KEY = bytes(range(32))
OLD_KEY = bytes(range(32, 64))
CALL = "4f1c9d"


# callback URLs


def signature_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["sig"][0]


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


def test_a_key_that_is_no_base64_is_refused() -> None:
    with pytest.raises(ValueError):
        CallbackUrls("https://app.example", base64.b64encode(KEY).decode() + "*")


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


REASONS = {
    "no header": "no Authorization header",
    "too long": "the Authorization header is too long",
    "basic": "the Authorization header holds no bearer token",
    "no token": "the Authorization header holds no bearer token",
    "not ascii": "the Authorization header holds no bearer token",
    "garbage in three parts": "the token cannot be read",
    "none": "the token is not signed with RS256",
    "key id is empty": "the token names no key",
    "no key id": "the token names no key",
    "unknown key id": "the token names a key that its issuer does not have",
    "wrong issuer": "the token is not valid: InvalidIssuer",
    "expiry is true": "the token's exp is not a time",
    "expired": "the token has expired",
    "not yet valid": "the token is not valid yet",
}
"""Each is refused by the first check that it fails, not by one that comes later by chance."""


@pytest.mark.parametrize("case", REASONS)
def test_a_refusal_says_which_check_a_token_failed(case: str) -> None:
    authorization = REFUSED[case]()
    assert refused(lambda: verifier().verify(authorization)).reason == REASONS[case]


def test_a_header_of_8192_characters_is_read_and_no_longer_one() -> None:
    assert refused(lambda: verifier().verify("Bearer ".ljust(8192, "a"))).reason == "the token cannot be read"
    assert "too long" in refused(lambda: verifier().verify("Bearer ".ljust(8193, "a"))).reason


def test_clocks_may_differ_by_a_minute_and_no_more() -> None:
    now = int(NOW)
    verifier().verify(bearer(exp=now - 59))
    verifier().verify(bearer(nbf=now + 60, iat=now + 60))
    assert "expired" in refused(lambda: verifier().verify(bearer(exp=now - 60))).reason
    assert "not valid yet" in refused(lambda: verifier().verify(bearer(nbf=now + 61))).reason
    assert "not valid yet" in refused(lambda: verifier().verify(bearer(iat=now + 61))).reason


def test_a_token_is_judged_by_the_app_s_clock() -> None:
    clock = Clock()
    clock.now = 1_000_000_000.0  # September 2001: long ago by any other clock
    then = int(clock.now)
    verifier(clock=clock).verify(bearer(iat=then, nbf=then, exp=then + 300))


@given(st.text(max_size=200) | st.text(alphabet="abcXYZ019-_.=", max_size=200))
def test_no_text_at_all_does_anything_but_refuse(token: str) -> None:
    refused(lambda: verifier().verify(f"Bearer {token}"))


def test_a_reason_never_quotes_the_token() -> None:
    token = bearer(key="b")
    assert token[-40:] not in str(refused(lambda: verifier().verify(token)))


@pytest.mark.parametrize(("issuer", "audience"), [(ISSUER, ""), ("", AUDIENCE)])
def test_a_verifier_without_an_issuer_or_an_audience_cannot_be_made(issuer: str, audience: str) -> None:
    with pytest.raises(ValueError, match="audience"):
        TokenVerifier(CONFIGURATION, issuer, audience)


def test_a_warm_verification_takes_no_time_that_a_caller_could_hear() -> None:
    tokens, token = verifier(), bearer()
    tokens.verify(token)
    best = min(_seconds(lambda: tokens.verify(token)) for _ in range(50))
    assert best < 0.002  # ten times what it takes, so that a busy machine does not fail it


def _seconds(work: Callable[[], None]) -> float:
    start = time.thread_time()
    work()
    return time.thread_time() - start
