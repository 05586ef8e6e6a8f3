"""The audio socket of a call: frames in, archive, tones to the flow, audio back."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from shared.logs import logger
from streams.admission import admitted
from streams.archive import AudioArchive, folder
from streams.frames import AudioFrame, AudioMetadata, Dtmf, Skipped, read
from streams.handlers import HandlerRunner
from streams.playback import Playback
from streams.service import Service
from streams.socket import Messages, SkippedFrames, Tasks

log = logger("switchboard.streams")


async def audio_socket(websocket: WebSocket) -> None:
    """WS /streams/{call_id}/audio"""
    service: Service = websocket.app.state.service
    async with admitted(websocket, service, "audio") as call_id:
        if call_id is not None:
            await AudioSession(websocket, service, call_id).run()


class AudioSession:
    """One audio socket, from its first frame to its last. It is the `AudioStream` of a handler."""

    def __init__(self, websocket: WebSocket, service: Service, call_id: str) -> None:
        self._websocket = websocket
        self._service = service
        self._call_id = call_id
        self._tones = 0
        self._frames = 0
        self._skipped = SkippedFrames()
        self._tasks = Tasks()
        self._held = service.held_by_socket()
        self._signals = service.signals_of(call_id, self._held)
        self._archive: AudioArchive | None = None
        self._handler: tuple[HandlerRunner, asyncio.Task[None]] | None = None
        self.playback: Playback | None = None

    @property
    def call_id(self) -> str:
        return self._call_id

    @property
    def rate(self) -> int:
        assert self.playback is not None
        return self.playback.rate

    def send(self, pcm: bytes) -> None:
        assert self.playback is not None
        self.playback.play(pcm)

    async def stop(self) -> None:
        assert self.playback is not None
        await self.playback.stop()

    def signal(self, name: str, data: Any, signal_id: str | None = None) -> None:
        self._signals.put(name, data, signal_id)

    async def run(self) -> None:
        """Take frames until the socket ends, then write what is left."""
        service, call_id = self._service, self._call_id
        service.open[call_id] = self
        self._tasks.start(self._signals.keep_sending())
        texts = Messages(self._websocket)
        try:
            async for text in texts:
                self._take(text)
        finally:
            if service.open.get(call_id) is self:
                del service.open[call_id]
            try:
                await self._close(texts.code)
            finally:
                self._held.close()

    def _take(self, text: str | bytes) -> None:
        frame = read(text)
        if type(frame) is AudioFrame:
            if self.playback is None:
                self._skip("audio before its metadata")
                return
            self._frames += 1
            if self._archive is not None:
                self._archive.add(frame)
            if self._handler is not None:
                self._handler[0].put(frame)
        elif isinstance(frame, AudioMetadata):
            self._begin(frame)
        elif isinstance(frame, Dtmf):
            self._tones += 1
            self._signals.put("dtmf", {"tone": frame.tone})
            if self._handler is not None:
                self._handler[0].put(frame.tone)
        else:
            self._skip(frame.reason if isinstance(frame, Skipped) else "not for this socket")

    def _begin(self, metadata: AudioMetadata) -> None:
        if self.playback is not None:
            if metadata.rate != self.playback.rate:
                self._skip("sample rate changed")
            return
        service, settings = self._service, self._service.settings
        self.playback = Playback(
            self._send_text, metadata.rate, self._held, clock=service.monotonic, sleep=service.sleep
        )
        self._tasks.start(self.playback.keep_sending())
        if settings.archive_audio:
            self._archive = AudioArchive(
                service.store,
                folder(self._call_id, service.clock()),
                self._call_id,
                metadata.rate,
                service.key,
                service.in_storage_thread,
                flush_seconds=settings.flush_seconds,
                part_seconds=settings.part_seconds,
                held=self._held,
                unwritten_seconds=settings.most_unwritten_seconds,
                most_bytes=settings.most_megabytes * 1024 * 1024,
                most_files=settings.most_files,
                sleep=service.sleep,
            )
            self._archive.start()
        if service.handler is not None:
            listening = HandlerRunner(service.handler(), self, self._held)
            self._handler = listening, asyncio.create_task(listening.run())

    def _skip(self, reason: str) -> None:
        if self._skipped.add(reason):
            log.warning("audio frame skipped call=%s reason=%s", self._call_id, reason)

    async def _send_text(self, text: str) -> None:
        try:
            await self._websocket.send_text(text)
        except (WebSocketDisconnect, RuntimeError, OSError):
            # The socket is closing, which the reader will see.
            log.debug("nothing can be sent any more call=%s", self._call_id)

    async def _close(self, code: int) -> None:
        if self._handler is not None:
            await self._handler[0].end(self._handler[1])
        archive, lost = self._archive, 0.0
        try:
            # First: signals may wait long for the app, and the server waits for `CLOSING_SECONDS` only.
            if archive is not None:
                lost = await archive.close()
        finally:
            await self._signals.close(code)
            await self._tasks.cancel()
        log.log(
            logging.ERROR if lost else logging.INFO,
            "audio socket closed call=%s code=%d participants=%d frames=%d bytes=%d duplicates=%d skipped=%s "
            "tones=%d signals_failed=%d sent_frames=%d missed_by_handler=%d not_archived=%d lost_seconds=%.2f",
            self._call_id,
            code,
            archive.participants if archive else 0,
            self._frames,
            archive.bytes if archive else 0,
            archive.duplicates if archive else 0,
            self._skipped,
            self._tones,
            self._signals.failed,
            self.playback.frames if self.playback else 0,
            self._handler[0].missed if self._handler else 0,
            archive.refused if archive else 0,
            lost,
        )
