"""The service under its real server, over loopback: what only a connection can show."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
import uvicorn

from streams.app import create_app
from streams.audio import AudioSession
from streams.server import LONGEST_FRAME_BYTES, configured
from tests.unit.streams.memory import CALL, HEADERS, Bench, audio, key, metadata, sound


@asynccontextmanager
async def serving(bench: Bench) -> AsyncIterator[tuple[str, uvicorn.Server]]:
    """The address of the running service."""
    server = uvicorn.Server(configured(create_app(lambda: bench.service), "127.0.0.1", 0))
    running = asyncio.create_task(server._serve())
    async with asyncio.timeout(10):
        while not server.started:
            await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}", server
    finally:
        server.should_exit = True
        await running


async def until_frames(bench: Bench, count: int) -> None:
    async with asyncio.timeout(10):
        while not isinstance(session := bench.service.open.get(CALL), AudioSession) or session._frames < count:
            await asyncio.sleep(0.005)


async def until_closed(bench: Bench) -> None:
    async with asyncio.timeout(10):
        while bench.service.sockets.by_kind["audio"]:
            await asyncio.sleep(0.005)


async def test_a_connection_that_breaks_off_in_the_middle_of_a_frame_loses_that_frame_alone() -> None:
    bench = Bench()
    async with serving(bench) as (address, _), aiohttp.ClientSession() as session:
        for number in range(2):
            socket = await session.ws_connect(address + bench.path("audio"), headers=HEADERS)
            for frame in (metadata(), *(audio(5 * number + n * 0.02, number + 1) for n in range(50))):
                await socket.send_str(json.dumps(frame))
            await until_frames(bench, 50)
            connection = socket._response.connection
            assert connection is not None
            assert connection.transport is not None
            connection.transport.write(struct.pack("!BBH", 0x81, 0x80 | 126, 1000) + b"\0\0\0\0" + b'{"kind":"Aud')
            connection.transport.abort()
            await until_closed(bench)
    names = sorted(bench.store.ending(".wav"), key=len)
    assert [sound(bench.store.blobs[name])[1] for name in names] == [b"\1\0" * 16_000, b"\2\0" * 16_000]


async def test_a_message_beyond_all_measure_closes_its_socket_and_keeps_what_came_before() -> None:
    bench = Bench()
    async with serving(bench) as (address, _), aiohttp.ClientSession() as session:
        socket = await session.ws_connect(address + bench.path("audio"), headers=HEADERS)
        for frame in (metadata(), audio(0), audio(0.02)):
            await socket.send_str(json.dumps(frame))
        await until_frames(bench, 2)
        await socket.send_str("x" * (LONGEST_FRAME_BYTES + 1))
        message = await socket.receive(timeout=10)
        assert message.data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
        await until_closed(bench)
    assert len(sound(bench.store.blobs[bench.store.ending(".wav")[0]])[1]) == 1280


async def test_a_service_that_is_told_to_end_brings_everything_home() -> None:
    bench = Bench()
    async with aiohttp.ClientSession() as session:
        async with serving(bench) as (address, server):
            socket = await session.ws_connect(address + bench.path("audio"), headers=HEADERS)
            for frame in (metadata(), *(audio(n * 0.02) for n in range(10)), key("7")):
                await socket.send_str(json.dumps(frame))
            await until_frames(bench, 10)
            server.should_exit = True
            message = await socket.receive(timeout=10)
            assert message.data == 1012  # service restart: the peer may come again
            await socket.close()
    assert len(sound(bench.store.blobs[bench.store.ending(".wav")[0]])[1]) == 6400
    assert bench.store.index()["files"][0]["complete"] is True
    assert bench.told.signals == [(CALL, "dtmf", {"tone": "7"})]


@pytest.mark.parametrize(("headers", "signed", "status"), [({}, True, 401), (HEADERS, False, 403)])
async def test_a_refused_socket_gets_an_http_answer(headers: dict[str, str], signed: bool, status: int) -> None:
    bench = Bench()
    target = bench.path("audio") if signed else f"/streams/{CALL}/audio"
    async with serving(bench) as (address, _), aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await session.ws_connect(address + target, headers=headers)
        assert refusal.value.status == status


async def test_the_service_says_that_it_is_well_and_how_many_sockets_are_open() -> None:
    bench = Bench()
    async with serving(bench) as (address, _), aiohttp.ClientSession() as session:
        socket = await session.ws_connect(address + bench.path("transcript"), headers=HEADERS)
        async with session.get(f"{address}/health") as answer:
            assert await answer.json() == {"status": "ok", "audio": 0, "transcript": 1}
        await socket.close()
