"""Tokens of Microsoft Entra ID beside the access key: `--oauth basic`."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import jwt
import pytest
from azure.communication.callautomation.aio import CallAutomationClient
from azure.core.credentials import AccessToken
from azure.core.exceptions import ResourceNotFoundError
from azure.core.pipeline.transport import AioHttpTransport

from acs_emulator.core.config import ConfigError, parse_config
from acs_emulator.testing import AsyncControl, Running, running_async

V = "api-version=2026-03-12"
PATH = f"/calling/callConnections/08002380-0000-4000-8000-000000000000?{V}"
ACS, GRID, SPEECH = (
    f"https://{name}.azure.{end}"
    for name, end in (("communication", "com"), ("eventgrid", "net"), ("cognitiveservices", "com"))
)


def token(audience: str = ACS, *, of: float = 0.0, life: float = 3600.0, without: str = "") -> str:
    """A token that was made so many seconds from now; whose key signs it does not matter."""
    now = int(time.time() + of)
    claims = {"aud": audience, "iss": "https://sts.windows.net/t/", "iat": now, "nbf": now, "exp": int(now + life)}
    claims.pop(without, None)
    return jwt.encode(claims, "any key that is long enough for it", algorithm="HS256")


@pytest.fixture
async def with_tokens() -> AsyncIterator[Running[AsyncControl]]:
    async with running_async(oauth="basic", https_port=0) as one:
        yield one


async def get(emulator: Running[AsyncControl], path: str, bearer: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {bearer}"}
        async with session.get(emulator.endpoint + path, headers=headers) as response:
            return response.status, await response.text()


async def test_the_official_client_signs_in_with_an_identity_over_https(with_tokens: Running[AsyncControl]) -> None:
    scopes: list[str] = []

    class Identity:
        async def get_token(self, *asked: str, **more: Any) -> AccessToken:
            scopes.extend(asked)
            return AccessToken(token(asked[0].removesuffix("/.default")), int(time.time()) + 3600)

        async def close(self) -> None: ...

        async def __aenter__(self) -> Identity:
            return self

        async def __aexit__(self, *_: object) -> None: ...

    connector = aiohttp.TCPConnector(ssl=False)
    async with aiohttp.ClientSession(connector=connector) as session:
        transport = AioHttpTransport(session=session, session_owner=False)
        async with CallAutomationClient(with_tokens.secure_endpoint, Identity(), transport=transport) as client:
            with pytest.raises(ResourceNotFoundError, match="Call not found"):
                await client.get_call_connection("x").get_call_properties()
    assert scopes == ["https://communication.azure.com//.default"]


@pytest.mark.parametrize(
    ("bearer", "problem"),
    [
        (token("https://storage.azure.com"), "Audience doesn't match"),
        (token(of=-7200), "Signature has expired"),
        (token(of=600), "The token is not yet valid"),
        (token(without="nbf"), 'Token is missing the "nbf" claim'),
        ("no.token.at-all", "Invalid header"),
        ("a", "Not enough segments"),
    ],
)
async def test_a_token_that_is_not_for_the_service_now_is_refused(
    with_tokens: Running[AsyncControl], bearer: str, problem: str
) -> None:
    lines: list[str] = []
    with_tokens.service.problems.listeners.append(lines.append)
    assert (await get(with_tokens, PATH, bearer))[0] == 401
    [line] = lines
    assert problem in line
    assert line.endswith("Ask for a token of https://communication.azure.com/.default.")


@pytest.mark.parametrize("audience", [ACS, f"{ACS}/"])
async def test_a_recording_is_given_to_who_has_a_token(with_tokens: Running[AsyncControl], audience: str) -> None:
    path = "/v1/objects/0-wjp-d3-0123456789abcdef/content/audiowav"
    assert (await get(with_tokens, path, token(audience)))[0] == 404
    assert (await get(with_tokens, path, token(GRID)))[0] == 401


async def test_the_topic_takes_its_own_tokens_and_its_key(with_tokens: Running[AsyncControl]) -> None:
    async def publish(headers: dict[str, str]) -> int:
        event = {"id": "1", "subject": "s", "eventType": "t", "eventTime": "2026-11-28T09:00:00Z", "data": {},
                 "dataVersion": "1"}  # fmt: skip
        url = f"{with_tokens.endpoint}/api/events?api-version=2018-01-01"
        async with aiohttp.ClientSession() as session, session.post(url, json=[event], headers=headers) as response:
            return response.status

    assert await publish({"Authorization": f"Bearer {token(GRID)}"}) == 200
    assert await publish({"Authorization": f"Bearer {token(ACS)}"}) == 401
    assert await publish({"aeg-sas-key": with_tokens.access_key}) == 200
    assert await publish({"aeg-sas-key": "another"}) == 401


async def test_speech_takes_tokens_for_itself_alone(with_tokens: Running[AsyncControl]) -> None:
    async def transcribe(bearer: str) -> int:
        url = f"{with_tokens.endpoint}/speechtotext/transcriptions:transcribe?api-version=2025-10-15"
        headers = {"Authorization": f"Bearer {bearer}"}
        async with aiohttp.ClientSession() as session, session.post(url, json={}, headers=headers) as response:
            return response.status

    assert await transcribe(token(SPEECH)) == 415
    assert await transcribe(token(ACS)) == 401


async def test_without_the_option_no_token_is_taken() -> None:
    async with running_async() as emulator:
        assert (await get(emulator, PATH, token()))[0] == 401


def test_the_option_is_basic_or_nothing() -> None:
    assert parse_config(["--oauth", "basic"], {}).oauth == "basic"
    assert parse_config([], {"EMULATOR_OAUTH": "basic"}).oauth == "basic"
    with pytest.raises(ConfigError, match="--oauth: 'full' is not basic"):
        parse_config(["--oauth", "full"], {})
