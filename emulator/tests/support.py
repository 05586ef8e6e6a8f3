"""An application for the emulator to talk to, and the emulator itself, in the test's event loop."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from acs_emulator.testing import AsyncControl, Running

SPEED = 40.0
PATIENCE = 15.0
OWNED = "+18005551212"
CALLER = "+14255550100"
COGNITIVE = {"cognitiveServicesEndpoint": "https://speech.example.com"}


@dataclass
class Application:
    """Receives callbacks on any path under /api and Event Grid events on /eventgrid."""

    base: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    grid: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    grid_headers: list[dict[str, str]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    grid_statuses: list[int] = field(default_factory=list)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def callback(self, request: web.Request) -> web.Response:
        for event in await request.json():
            self.events.append({**event, "path": request.path})
        self.tokens.append(request.headers["Authorization"].removeprefix("Bearer "))
        self._arrived.set()
        self._arrived = asyncio.Event()
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    async def event_grid(self, request: web.Request) -> web.Response:
        [event] = await request.json()
        if request.headers["aeg-event-type"] == "SubscriptionValidation":
            return web.json_response({"validationResponse": event["data"]["validationCode"]})
        self.grid.append(event)
        self.grid_headers.append(dict(request.headers))
        self._arrived.set()
        self._arrived = asyncio.Event()
        return web.Response(status=self.grid_statuses.pop(0) if self.grid_statuses else 200)

    def named(self, name: str, leg: str | None = None) -> list[dict[str, Any]]:
        return [
            event
            for event in self.events
            if event["type"].endswith(f".{name}") and leg in (None, event["data"].get("callConnectionId"))
        ]

    async def event(self, name: str, leg: str | None = None, count: int = 1) -> dict[str, Any]:
        """The ``count``-th event of a name, once it has come."""
        async with asyncio.timeout(PATIENCE):
            while len(found := self.named(name, leg)) < count:
                await self._arrived.wait()
            return found[count - 1]

    async def incoming(self, count: int = 1) -> dict[str, Any]:
        """The data of the ``count``-th IncomingCall."""
        async with asyncio.timeout(PATIENCE):
            while len(found := self.grid_named("IncomingCall")) < count:
                await self._arrived.wait()
            return dict(found[count - 1]["data"])

    async def grid_event(self, name: str, count: int = 1) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            while len(found := self.grid_named(name)) < count:
                await self._arrived.wait()
            return found[count - 1]

    def grid_named(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.grid if event["eventType"].endswith(f".{name}")]


@asynccontextmanager
async def listening() -> AsyncIterator[Application]:
    application = Application()
    app = web.Application()
    app.router.add_post("/eventgrid", application.event_grid)
    app.router.add_post("/api/{rest:.*}", application.callback)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    application.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield application
    await runner.cleanup()


def signed(
    endpoint: str, key: str, method: str, path: str, body: bytes, *, signed_path: str | None = None, host: str = ""
) -> dict[str, str]:
    """The headers of a signed request."""
    content_hash = base64.b64encode(hashlib.sha256(body).digest()).decode()
    date = formatdate(usegmt=True)
    host = host or endpoint.partition("//")[2]
    text = f"{method}\n{signed_path or path}\n{date};{host};{content_hash}"
    signature = base64.b64encode(hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()).decode()
    return {
        "x-ms-date": date,
        "x-ms-content-sha256": content_hash,
        "Authorization": "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=" + signature,
    }


@dataclass
class Wire:
    """Raw signed requests, to see exactly what the emulator answers."""

    emulator: Running[AsyncControl]
    session: aiohttp.ClientSession

    async def send(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **signing: Any
    ) -> tuple[int, Any, dict[str, str]]:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        target = f"{path}{'&' if '?' in path else '?'}api-version=2026-03-12"
        made = signed(self.emulator.endpoint, self.emulator.access_key, method, target, data, **signing)
        async with self.session.request(
            method,
            URL(self.emulator.endpoint + target, encoded=True),
            data=data or None,
            headers={**made, "Content-Type": "application/json", **(headers or {})},
        ) as answer:
            text = await answer.read()
            return answer.status, json.loads(text) if text else None, dict(answer.headers)


@dataclass
class Desk:
    """A call between a scripted phone and the application, already answered."""

    wire: Wire
    application: Application
    leg: str
    call: str
    answer: dict[str, Any]

    async def act(self, action: str, body: Any = None) -> tuple[int, Any, dict[str, str]]:
        return await self.wire.send("POST", f"/calling/callConnections/{self.leg}{action}", body)
