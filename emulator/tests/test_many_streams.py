"""A hundred calls stream their audio at once, from an emulator in a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from yarl import URL

from acs_emulator.core.config import DEVELOPMENT_ACCESS_KEY
from emulator.tests.support import OWNED, signed

pytestmark = [pytest.mark.long, pytest.mark.timeout(300), pytest.mark.xdist_group("emulator-many-streams")]

CALLS = 100
SECONDS = 10
FRAMES_A_SECOND = 50


@dataclass
class App:
    """Answers every call with a stream of its audio to itself, and counts the frames of each."""

    base: str = ""
    emulator: str = ""
    session: aiohttp.ClientSession | None = None
    counts: Counter[int] = field(default_factory=Counter)

    async def event_grid(self, request: web.Request) -> web.Response:
        [event] = await request.json()
        if request.headers["aeg-event-type"] == "SubscriptionValidation":
            return web.json_response({"validationResponse": event["data"]["validationCode"]})
        asyncio.get_running_loop().create_task(self.answer(event["data"]["incomingCallContext"]))
        return web.Response()

    async def answer(self, context: str) -> None:
        body = {
            "incomingCallContext": context,
            "callbackUri": f"{self.base}/api/calls",
            "mediaStreamingOptions": {
                "transportType": "websocket",
                "transportUrl": f"{self.base.replace('http', 'ws', 1)}/socket",
                "contentType": "audio",
                "audioChannelType": "mixed",
                "startMediaStreaming": True,
            },
        }
        path, data = "/calling/callConnections:answer?api-version=2026-03-12", json.dumps(body).encode()
        made = signed(self.emulator, DEVELOPMENT_ACCESS_KEY, "POST", path, data)
        assert self.session is not None
        url = URL(self.emulator + path, encoded=True)
        async with self.session.post(url, data=data, headers={**made, "Content-Type": "application/json"}) as answer:
            assert answer.status == 200, await answer.text()

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        number = len(self.counts)
        self.counts[number] = 0
        async for message in socket:
            if message.type is WSMsgType.TEXT and message.data.startswith('{"kind":"AudioData"'):
                self.counts[number] += 1
        return socket


async def taken(request: web.Request) -> web.Response:
    return web.Response()


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[App, asyncio.subprocess.Process]]:
    app = App()
    site = web.Application()
    site.add_routes(
        [web.post("/eventgrid", app.event_grid), web.post("/api/calls", taken), web.get("/socket", app.socket)]
    )
    runner = web.AppRunner(site, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    app.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    command = (sys.executable, "-m", "acs_emulator", "--port", "0", "--event-grid", f"{app.base}/eventgrid")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            while not (line := (await process.stdout.readline()).decode()).startswith("Emulator listening on "):
                assert line, "it ended"
        app.emulator = line.removeprefix("Emulator listening on ").split()[0]
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as app.session:
            yield app, process
    finally:
        process.terminate()
        await process.communicate()
        await runner.cleanup()


def cpu_seconds(pid: int) -> float:
    """What a process has used of the processor."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


async def test_a_hundred_streams_have_fifty_frames_a_second_each() -> None:
    async with serving() as (app, process):
        assert app.session is not None
        for number in range(CALLS):
            script = [{"at": 1.0 + at, "say": "This is somebody who speaks for some time."} for at in range(0, 30, 5)]
            body: dict[str, Any] = {"from": f"+1425555{number:04d}", "to": OWNED, "script": script}
            async with app.session.post(f"{app.emulator}/emulator/calls", json=body) as placed:
                assert placed.status == 201
        async with asyncio.timeout(60):
            while len(app.counts) < CALLS or min(app.counts.values()) < FRAMES_A_SECOND:
                await asyncio.sleep(0.05)
        before, began, used = Counter(app.counts), time.monotonic(), cpu_seconds(process.pid)
        await asyncio.sleep(SECONDS)
        after, took = Counter(app.counts), time.monotonic() - began
        share = (cpu_seconds(process.pid) - used) / took
        rates = sorted((after[number] - before[number]) / took for number in before)
        a_core = share * FRAMES_A_SECOND * CALLS / sum(rates)
        print(
            f"{CALLS} streams: {rates[0]:.1f} to {rates[-1]:.1f} frames a second each; 50 take {a_core:.0%} of a core"
        )
        assert rates[0] >= FRAMES_A_SECOND * 0.98
        assert rates[-1] <= FRAMES_A_SECOND * 1.02
        async with app.session.get(f"{app.emulator}/emulator/state") as answer:
            state = await answer.json()
        assert sum(leg["mediaStreaming"]["lost"] for call in state["calls"] for leg in call["legs"]) == 0
