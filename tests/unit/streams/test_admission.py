"""Who gets a socket, and who does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from shared.errors import KeysUnavailable
from shared.security import CallbackUrls, TokenVerifier
from streams.urls import Kind
from tests.unit.streams.memory import CALL, HEADERS, KEY, Bench, Socket, post, wav

ISSUER, AUDIENCE = "https://issuer.test", "f8d71d3b-d2d7-4fb3-8b6b-3a7f6d0c1234"
OTHER = "f" * 32


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.service.close()


@pytest.mark.parametrize("kind", ["audio", "transcript"])
async def test_the_service_with_its_token_and_the_signed_address_gets_a_socket(bench: Bench, kind: Kind) -> None:
    socket = await bench.opened(kind)
    await socket.close()


@pytest.mark.parametrize("kind", ["audio", "transcript"])
@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"authorization": None}, 401),
        ({"authorization": "Bearer bad"}, 401),
        ({"x-ms-call-connection-id": None}, 400),
        ({"x-ms-call-correlation-id": None}, 400),
    ],
)
async def test_a_socket_without_its_headers_is_refused(
    bench: Bench, kind: Kind, change: dict[str, str | None], status: int
) -> None:
    headers = {name: value for name, value in {**HEADERS, **change}.items() if value is not None}
    assert await bench.socket(bench.path(kind), headers).connect() == status
    assert bench.store.blobs == {}


async def test_a_socket_without_a_signature_or_with_that_of_something_else_is_refused(bench: Bench) -> None:
    mine = bench.path("audio")
    path, _, signature = mine.partition("?sig=")
    stolen = CallbackUrls("https://app.test", KEY).url(CALL, "play").rpartition("sig=")[2]
    for target in (
        path,
        f"{path}?sig=",
        f"{path}?sig={signature[:-1]}",
        mine.replace(CALL, OTHER),
        bench.path("transcript").replace("/transcript", "/audio"),
        bench.path("audio-play").replace("/audio-play", "/audio"),
        f"{path}?sig={stolen}",
    ):
        assert await bench.socket(target).connect() == 403, target


async def test_the_signature_of_a_callback_address_sends_no_sound(bench: Bench) -> None:
    stolen = CallbackUrls("https://app.test", KEY).url(CALL, "play").rpartition("sig=")[2]
    status, _ = await post(bench.app, f"/streams/{CALL}/audio/play?sig={stolen}", wav(1))
    assert status == 403


async def test_a_server_that_cannot_answer_with_a_status_closes_with_1008(bench: Bench) -> None:
    socket = Socket(bench.app, bench.path("audio"), {}, extension=False)
    assert await socket.connect() == 403
    assert socket.close_code == 1008


async def test_while_the_keys_cannot_be_had_the_service_may_try_again(bench: Bench) -> None:
    class NoKeys:
        def verify(self, authorization: str | None) -> None:
            raise KeysUnavailable("no keys")

    bench.service.tokens = NoKeys()
    assert await bench.socket(bench.path("audio")).connect() == 503


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({}, 101),
        ({"aud": "somebody else"}, 401),
        ({"iss": "https://somebody.else"}, 401),
        ({"exp": 1_000_000}, 401),
    ],
)
async def test_the_token_must_be_the_services_own_for_this_resource(
    bench: Bench, claims: dict[str, Any], status: int
) -> None:
    private = rsa.generate_private_key(65537, 2048)
    entry = {**RSAAlgorithm.to_jwk(private.public_key(), as_dict=True), "kid": "k", "use": "sig", "alg": "RS256"}
    documents = {
        "https://issuer.test/o": {"jwks_uri": "https://issuer.test/k"},
        "https://issuer.test/k": {"keys": [entry]},
    }
    bench.service.tokens = TokenVerifier("https://issuer.test/o", ISSUER, AUDIENCE, http=documents.__getitem__)
    token = jwt.encode(
        {"iss": ISSUER, "aud": AUDIENCE, "exp": 4_000_000_000, **claims}, private, "RS256", headers={"kid": "k"}
    )
    socket = bench.socket(bench.path("audio"), {**HEADERS, "authorization": f"Bearer {token}"})
    assert await socket.connect() == status
    if status == 101:
        await socket.close()


async def test_a_refusal_is_logged_without_signature_or_token(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    await bench.socket(f"/streams/{CALL}/audio?sig=secret", {**HEADERS, "authorization": "Bearer secret"}).connect()
    assert "socket refused kind=audio" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("call_id", ["a.b", "a%20b", "x" * 65, "%C3%A9"])
async def test_a_call_id_that_is_none_is_refused_before_anything_else_and_not_logged(
    bench: Bench, caplog: pytest.LogCaptureFixture, call_id: str
) -> None:
    socket = bench.socket(f"/streams/{call_id}/audio?sig=x", HEADERS)
    assert await socket.connect() == 403
    assert socket.refusal == "the call id is malformed"
    assert "socket refused kind=audio call=- status=403" in caplog.text


async def test_a_good_call_id_is_named_in_the_log_of_its_refusal(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    assert await bench.socket(f"/streams/{OTHER}/audio?sig=x", HEADERS).connect() == 403
    assert f"socket refused kind=audio call={OTHER} status=403" in caplog.text
