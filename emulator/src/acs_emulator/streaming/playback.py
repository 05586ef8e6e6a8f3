"""Sound that the application sends back over the audio socket: played into the call, one chunk after the other."""

from __future__ import annotations

import asyncio
import binascii
import json
from base64 import b64decode
from typing import Any

from acs_emulator.audio.clip import SAMPLE_BYTES, SAMPLE_RATE
from acs_emulator.audio.mixing import Resampler
from acs_emulator.audio.track import Span
from acs_emulator.calls.call import Leg

#: Longest queue of sound in seconds; what goes beyond is dropped. Not published: chosen.
LONGEST_QUEUE = 600
#: Longest single span, so that what has been played can be forgotten.
_LONGEST_SPAN = SAMPLE_RATE


class Playback:
    """Plays what comes in, in the stream's own format; StopAudio drops what has not been played yet."""

    def __init__(self, leg: Leg, rate: int) -> None:
        self._leg = leg
        self._resampler = None if rate == SAMPLE_RATE else Resampler(SAMPLE_RATE // 8000, rate // 8000)
        self._span: Span | None = None
        self._end = 0
        self._watch: asyncio.Task[Any] | None = None
        #: Frames that could not be read, for the state.
        self.unreadable = 0

    def receive(self, text: str) -> None:
        """One text frame. Property names are taken in any case, as the samples of the docs differ in it."""
        try:
            frame = _lowered(json.loads(text))
            kind = str(frame.get("kind", "")).lower()
            if kind == "audiodata":
                self._play(b64decode(_lowered(frame.get("audiodata"))["data"], validate=True))
            elif kind == "stopaudio":
                self.stop()
            else:
                self.unreadable += 1
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, binascii.Error):
            self.unreadable += 1

    def stop(self) -> None:
        self._leg.track.cut("stream")
        self._span = None
        self._end = self._leg.service.clock.samples()

    def _play(self, pcm: bytes) -> None:
        pcm = pcm[: len(pcm) - len(pcm) % SAMPLE_BYTES]
        if self._resampler is not None:
            pcm = self._resampler.feed(pcm)
        now = self._leg.service.clock.samples()
        if not pcm or self._end - now > LONGEST_QUEUE * SAMPLE_RATE:
            return
        start = max(now, self._end)
        span = self._span
        if span is not None and span.end == start and span.length < _LONGEST_SPAN:
            assert isinstance(span.samples, bytearray)
            span.samples += pcm
            span.length += len(pcm) // SAMPLE_BYTES
        else:
            span = self._span = self._leg.track.append(Span(start, bytearray(pcm), "stream"))
        self._end = span.end
        if self._watch is None or self._watch.done():
            self._watch = self._leg.service.tasks.start(self._sound(), f"audio of the app on {self._leg.id}")

    async def _sound(self) -> None:
        """Tell the phones that something sounds, until it has run dry."""
        leg, clock = self._leg, self._leg.service.clock
        leg.call.note("app", "sends audio")
        leg.call.prompted(leg, started=True)
        try:
            while (left := self._end - clock.samples()) > 0 and leg.state == "connected":
                await clock.sleep(left / SAMPLE_RATE)
        finally:
            leg.call.prompted(leg, started=False)


def _lowered(value: Any) -> dict[str, Any]:
    return {str(name).lower(): item for name, item in value.items()}
