"""What waits to be sent to a tab: texts are kept, sound that comes too late is let go."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import Any

from aiohttp import ClientError, web

#: Frames of sound that may wait: 1 s.
_MOST_SOUND = 50


class Outbox:
    """Sends one message after the other."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._texts: deque[str] = deque()
        self._sounds: deque[bytes] = deque(maxlen=_MOST_SOUND)
        self._ready = asyncio.Event()

    def text(self, message: dict[str, Any]) -> None:
        self._texts.append(json.dumps(message, separators=(",", ":")))
        self._ready.set()

    def sound(self, frame: bytes) -> None:
        self._sounds.append(frame)
        self._ready.set()

    async def run(self) -> None:
        """Send until the socket is closed."""
        try:
            while not self._socket.closed:
                await self._ready.wait()
                self._ready.clear()
                while self._texts or self._sounds:
                    if self._sounds:
                        await self._socket.send_bytes(self._sounds.popleft())
                    if self._texts:
                        await self._socket.send_str(self._texts.popleft())
        except (ClientError, ConnectionError):
            return
