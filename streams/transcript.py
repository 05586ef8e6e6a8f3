"""The transcription socket of a call: every phrase to the archive, the final ones to the flow."""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime
from typing import Any

from starlette.websockets import WebSocket

from shared.logs import logger
from streams.admission import admitted
from streams.archive import folder, label
from streams.frames import TICKS, Phrase, Skipped, TranscriptionMetadata, read, seconds_since
from streams.phrases import TranscriptArchive
from streams.service import Service
from streams.socket import Messages, SkippedFrames, Tasks

log = logger("switchboard.streams")


async def transcript_socket(websocket: WebSocket) -> None:
    """WS /streams/{call_id}/transcript"""
    service: Service = websocket.app.state.service
    async with admitted(websocket, service, "transcript") as call_id:
        if call_id is not None:
            await TranscriptSession(websocket, service, call_id).run()


def phrase_id(call_id: str, phrase: Phrase) -> str:
    """The same for a phrase that comes again, on this connection or the next."""
    said = "\n".join((call_id, phrase.participant or "", str(phrase.offset), str(phrase.final), phrase.text))
    return "transcript-" + hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:24]


class TranscriptSession:
    """One transcription socket."""

    def __init__(self, websocket: WebSocket, service: Service, call_id: str) -> None:
        self._websocket = websocket
        self._service = service
        self._call_id = call_id
        self._start = service.clock()
        self._locale = ""
        self._skipped = SkippedFrames()
        self._finals = 0
        self._unread = 0
        self._tasks = Tasks()
        self._held = service.held_by_socket()
        self._signals = service.signals_of(call_id, self._held)
        self._archive = TranscriptArchive(
            service.store,
            folder(call_id, self._start),
            call_id,
            service.in_storage_thread,
            self._held,
            sleep=service.sleep,
        )

    async def run(self) -> None:
        """Take phrases until the socket ends."""
        self._tasks.start(self._signals.keep_sending())
        self._archive.start()
        texts = Messages(self._websocket)
        try:
            async for text in texts:
                self._take(text)
        finally:
            try:
                # First: signals may wait long for the app, and the server waits for `CLOSING_SECONDS` only.
                lost = await self._archive.close()
            finally:
                await self._signals.close(texts.code)
                await self._tasks.cancel()
                self._held.close()
            log.log(
                logging.ERROR if lost else logging.INFO,
                "transcript socket closed call=%s code=%d finals=%d lines=%d skipped=%s unread=%d signals_failed=%d "
                "lost_lines=%d",
                self._call_id,
                texts.code,
                self._finals,
                self._archive.lines,
                self._skipped,
                self._unread,
                self._signals.failed,
                lost,
            )

    def _take(self, text: str | bytes) -> None:
        frame = read(text)
        if isinstance(frame, Phrase):
            self._phrase(frame)
        elif isinstance(frame, TranscriptionMetadata):
            self._locale = frame.locale
        else:
            reason = frame.reason if isinstance(frame, Skipped) else "not for this socket"
            if self._skipped.add(reason):
                log.warning("transcript frame skipped call=%s reason=%s", self._call_id, reason)

    def _phrase(self, phrase: Phrase) -> None:
        if phrase.unread:
            if not self._unread:
                log.warning("parts of a phrase cannot be read call=%s", self._call_id)
            self._unread += phrase.unread
        identity = phrase_id(self._call_id, phrase)
        offset = round(seconds_since(phrase.offset, self._start), 3)
        duration = round(phrase.duration / TICKS, 3)
        if phrase.final or self._service.settings.keep_intermediate:
            self._archive.add(self._line(phrase, identity, offset, duration))
        if phrase.final:
            self._finals += 1
            data = {
                "text": phrase.text,
                "confidence": phrase.confidence,
                "offset": offset,
                "duration": duration,
                "participant": phrase.participant,
            }
            self._signals.put("transcript", data, identity)

    def _line(self, phrase: Phrase, identity: str, offset: float, duration: float) -> dict[str, Any]:
        return {
            "id": identity,
            "receivedAt": datetime.fromtimestamp(self._service.clock(), UTC).isoformat(timespec="milliseconds"),
            "status": "final" if phrase.final else "intermediate",
            "text": phrase.text,
            "confidence": phrase.confidence,
            "offset": offset,
            "duration": duration,
            "offsetTicks": phrase.offset,
            "locale": self._locale,
            "participant": phrase.participant,
            "label": label(self._service.key, phrase.participant),
            "words": [
                {
                    "text": word.text,
                    "offset": round(seconds_since(word.offset, self._start), 3),
                    "duration": round(word.duration / TICKS, 3),
                }
                for word in phrase.words
            ],
        }
