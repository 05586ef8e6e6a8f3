"""A tab of the phone's page, as its socket sees it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from acs_emulator.testing import AsyncControl, Running

PATIENCE = 15.0


class Tab:
    """Asks as the page does, and keeps what it is told."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.phone: dict[str, Any] = {}
        self.news: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self.heard = bytearray()
        self.cleared = 0
        self._told = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    @property
    def number(self) -> str:
        return str(self.phone["you"]["number"])

    async def ask(self, what: str, **more: Any) -> None:
        await self._socket.send_str(json.dumps({"do": what, **more}))

    async def send(self, data: bytes | str) -> None:
        """Any message."""
        await (self._socket.send_bytes(data) if isinstance(data, bytes) else self._socket.send_str(data))

    async def until(self, holds: Callable[[Tab], Any]) -> None:
        """Wait until something holds of what was told."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not (self.phone and holds(self)):
                    await self._told.wait()
        except TimeoutError:
            raise AssertionError(f"never so: {self.phone}, {self.refused}") from None

    async def state(self, name: str) -> None:
        await self.until(lambda tab: tab.phone["state"] == name)

    async def close(self) -> None:
        await self._socket.close()
        self._reading.cancel()

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                self.heard += message.data
            else:
                self._take(json.loads(message.data))
            self._told.set()
            self._told = asyncio.Event()

    def _take(self, told: dict[str, Any]) -> None:
        if told["tell"] == "phone":
            self.phone = told
        elif told["tell"] == "news":
            self.news += told["news"]
        elif told["tell"] == "refused":
            self.refused.append(told["reason"])
        elif told["tell"] == "cleared":
            self.cleared += 1


@asynccontextmanager
async def tab(emulator: Running[AsyncControl], query: str = "", **headers: str) -> AsyncIterator[Tab]:
    """Open a tab; it is closed at the end."""
    async with aiohttp.ClientSession() as session:
        socket = await session.ws_connect(f"{emulator.endpoint}/emulator/phone{query}", headers=headers)
        one = Tab(socket)
        try:
            await one.until(lambda _: True)
            yield one
        finally:
            await one.close()
