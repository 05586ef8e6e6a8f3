"""The streams service takes what is addressed to it, and nothing from a page of another host."""

from __future__ import annotations

import aiohttp
import pytest

from streams.known_hosts import KnownHosts
from tests.unit.streams.memory import CALL, HEADERS, Bench
from tests.unit.streams.test_server import serving

FOREIGN = [{"Host": "attacker.example"}, {"Origin": "https://attacker.example"}, {"Origin": "null"}]


@pytest.mark.parametrize("foreign", FOREIGN)
async def test_a_foreign_page_opens_no_socket_though_all_else_is_right(foreign: dict[str, str]) -> None:
    bench = Bench()
    async with serving(bench) as (address, _), aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await session.ws_connect(address + bench.path("audio"), headers={**HEADERS, **foreign})
        assert refusal.value.status == 403


@pytest.mark.parametrize("foreign", FOREIGN)
async def test_a_foreign_page_sends_no_request(foreign: dict[str, str]) -> None:
    bench = Bench()
    async with serving(bench) as (address, _), aiohttp.ClientSession() as session:
        async with session.get(f"{address}/health", headers=foreign) as response:
            assert response.status == 403
            assert "STREAMS_ALLOWED_HOSTS" in await response.text()
        async with session.post(f"{address}/streams/{CALL}/audio/stop", headers=foreign) as response:
            assert "STREAMS_ALLOWED_HOSTS" in await response.text()


async def test_the_public_address_is_taken() -> None:
    bench = Bench()
    bench.service.hosts = KnownHosts(["wss://streams.example"])
    async with serving(bench) as (address, _), aiohttp.ClientSession() as session:
        public = {"Host": "streams.example", "Origin": "https://streams.example"}
        socket = await session.ws_connect(address + bench.path("audio"), headers={**HEADERS, **public})
        await socket.close()
