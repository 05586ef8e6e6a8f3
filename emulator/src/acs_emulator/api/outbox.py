"""What waits to be sent to a tab: texts are kept, sound that comes too late is let go.

A tab that does not read for long loses its connection; the page opens another, and is told how things stand.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from typing import Any

from aiohttp import ClientError, web

#: Frames of sound that may wait: 1 s.
_MOST_SOUND = 50
#: Texts that may wait: minutes of a busy call. Chosen.
MOST_TEXTS = 1_000


class Outbox:
    """Sends one message after the other; ``give_up`` cuts the connection."""

    def __init__(self, socket: web.WebSocketResponse, give_up: Callable[[], None]) -> None:
        self._socket = socket
        self._give_up = give_up
        self._texts: deque[str] = deque()
        self._sounds: deque[bytes] = deque(maxlen=_MOST_SOUND)
        self._ready = asyncio.Event()

    def text(self, message: dict[str, Any]) -> None:
        if len(self._texts) >= MOST_TEXTS:
            self._texts.clear()
            self._give_up()
            return
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
