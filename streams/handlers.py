"""Audio handlers: code that listens to a call and may speak, such as a bot. Archiving works without one."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from typing import Any, Protocol

from shared.errors import SettingsError
from shared.logs import logger
from streams.frames import AudioFrame
from streams.limits import Budget

log = logger("switchboard.streams")

MOST_WAITING = 500
"""Frames that may wait for a handler: ten seconds of one participant. It misses those that come beyond that."""

ITEM_BYTES = 256
"""What is counted for a frame that waits, besides its audio."""


class AudioStream(Protocol):
    """The call, as a handler sees it."""

    @property
    def call_id(self) -> str:
        """Switchboard's id of the call."""

    @property
    def rate(self) -> int:
        """Samples a second, in and out."""

    def send(self, pcm: bytes) -> None:
        """Play this (16-bit mono PCM) after what is playing; the stream must be bidirectional."""

    async def stop(self) -> None:
        """Stop what is playing."""

    def signal(self, name: str, data: Any, signal_id: str | None = None) -> None:
        """Send a signal to the call's flow; the same id counts once."""


class AudioHandler(Protocol):
    """One for each connection. Its methods are called in turn, never two at once.

    A handler that raises is not called again; one that is slow misses frames. Neither touches the archive.
    """

    async def on_start(self, stream: AudioStream) -> None:
        """The stream is open."""

    async def on_audio(self, frame: AudioFrame) -> None:
        """20 ms of audio of a participant."""

    async def on_dtmf(self, tone: str) -> None:
        """A DTMF tone: 0-9, *, #, A-D."""

    async def on_end(self) -> None:
        """The stream has ended; nothing can be sent any more."""


HandlerFactory = Callable[[], AudioHandler]


class Echo:
    """Plays back what it hears; for tests, and to try a call out."""

    def __init__(self) -> None:
        self._stream: AudioStream | None = None

    async def on_start(self, stream: AudioStream) -> None:
        self._stream = stream

    async def on_audio(self, frame: AudioFrame) -> None:
        if self._stream is not None and not frame.silent:
            self._stream.send(frame.pcm)

    async def on_dtmf(self, tone: str) -> None:
        if self._stream is not None:
            await self._stream.stop()

    async def on_end(self) -> None:
        self._stream = None


def load_handler(name: str) -> HandlerFactory | None:
    """The factory that `module:name` stands for; None for an empty name. Raises SettingsError."""
    if not name:
        return None
    module, _, attribute = name.partition(":")
    try:
        factory = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise SettingsError("STREAMS_HANDLER", f"{name!r} cannot be loaded: {error}", "Write module:factory.") from None
    if not callable(factory):
        raise SettingsError("STREAMS_HANDLER", f"{name!r} cannot be called.", "Write module:factory.")
    return factory  # type: ignore[no-any-return]


class HandlerRunner:
    """Runs a handler in a task of its own, so that it cannot delay the socket."""

    def __init__(self, handler: AudioHandler, stream: AudioStream, held: Budget) -> None:
        self._handler, self._stream, self._held = handler, stream, held
        self._queue: asyncio.Queue[AudioFrame | str | None] = asyncio.Queue(MOST_WAITING)
        self._failed = False
        self.missed = 0

    def put(self, item: AudioFrame | str) -> None:
        """Queue a frame, or a tone."""
        if self._failed:
            return
        if self._queue.full() or self._held.take(_size(item)) is not None:
            if not self.missed:
                log.warning("the handler is too slow call=%s", self._stream.call_id)
            self.missed += 1
            return
        self._queue.put_nowait(item)

    async def run(self) -> None:
        """Call the handler until `end`."""
        try:
            await self._handler.on_start(self._stream)
            while (item := await self._queue.get()) is not None:
                self._held.give(_size(item))
                if isinstance(item, str):
                    await self._handler.on_dtmf(item)
                else:
                    await self._handler.on_audio(item)
            await self._handler.on_end()
        except Exception as error:  # the handler is not our code
            self._failed = True
            log.error("the handler failed call=%s error=%s", self._stream.call_id, type(error).__name__)

    async def end(self, running: asyncio.Task[None], timeout: float = 5.0) -> None:
        """Let it finish what waits.

        Args:
            timeout: seconds for that.
        """
        try:
            async with asyncio.timeout(timeout):
                if not self._failed:
                    await self._queue.put(None)
                await running
        except TimeoutError:
            log.warning("the handler does not end call=%s", self._stream.call_id)


def _size(item: AudioFrame | str) -> int:
    return ITEM_BYTES + (0 if isinstance(item, str) else len(item.pcm))
