"""The text frames of both sockets, built by concatenation: base64 once a frame, no JSON encoder on the hot path."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

#: Seconds of sound in one frame (docs: audio streaming concept).
FRAME_SECONDS = 0.02
#: Sample rate of each published audio format, in hertz.
RATES = {"pcm16KMono": 16_000, "pcm24KMono": 24_000}
#: 100-nanosecond ticks in a second.
TICKS = 10_000_000
#: .NET ticks at the Unix epoch.
_EPOCH_TICKS = 621_355_968_000_000_000


class FrameClock:
    """The time of day of each position of a stream, as text; the date part is made once a second."""

    def __init__(self, moment: datetime, position: int, rate: int) -> None:
        self._origin_ms = round(moment.timestamp() * 1000)
        self._position = position
        self._rate = rate
        self._second = -1
        self._prefix = ""

    def text(self, position: int) -> str:
        """``2024-11-15T19:16:12.925Z`` (shape of the documented sample)."""
        second, milliseconds = divmod(self._origin_ms + (position - self._position) * 1000 // self._rate, 1000)
        if second != self._second:
            self._second = second
            self._prefix = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second))
        return f"{self._prefix}{milliseconds:03d}Z"


class AudioFrames:
    """AudioData texts for one rate."""

    def __init__(self, rate: int) -> None:
        self.length = round(rate * FRAME_SECONDS) * 2
        self._silence = b64encode(bytes(self.length)).decode()

    @staticmethod
    def head(participant: str | None) -> str:
        """What follows the timestamp; made once for each participant. None is the mixed stream."""
        who = "" if participant is None else f'"participantRawID":{json.dumps(participant)},'
        return f'",{who}"data":"'

    def text(self, timestamp: str, head: str, pcm: bytes | None) -> str:
        """One frame; None is silence."""
        if pcm is None:
            return (
                f'{{"kind":"AudioData","audioData":{{"timestamp":"{timestamp}{head}{self._silence}","silent":true}}}}'
            )
        data = b64encode(pcm).decode()
        return f'{{"kind":"AudioData","audioData":{{"timestamp":"{timestamp}{head}{data}","silent":false}}}}'


def audio_metadata(subscription_id: str, rate: int) -> str:
    length = round(rate * FRAME_SECONDS) * 2
    body = {"subscriptionId": subscription_id, "encoding": "PCM", "sampleRate": rate, "channels": 1, "length": length}
    return _text("AudioMetadata", "audioMetadata", body)


def dtmf_data(key: str) -> str:
    return _text("DtmfData", "dtmfData", {"data": key})


def transcription_metadata(subscription_id: str, locale: str, call_connection_id: str, correlation_id: str) -> str:
    body = {
        "subscriptionId": subscription_id,
        "locale": locale,
        "callConnectionId": call_connection_id,
        "correlationId": correlation_id,
    }
    return _text("TranscriptionMetadata", "transcriptionMetadata", body)


def transcription_data(
    words: list[tuple[str, float, float]],
    began: datetime,
    participant: str,
    *,
    final: bool,
    confidence: float,
    text: str | None = None,
) -> str:
    """One result. ``words`` are text, offset and duration in seconds from ``began``; offsets become .NET ticks."""
    origin = ticks(began)
    end = words[-1][1] + words[-1][2]
    body = {
        "text": " ".join(word for word, _, _ in words) if text is None else text,
        "format": "display",
        "confidence": confidence,
        "offset": origin + round(words[0][1] * TICKS),
        "duration": round((end - words[0][1]) * TICKS),
        "words": [
            {"text": word, "offset": origin + round(offset * TICKS), "duration": round(duration * TICKS)}
            for word, offset, duration in words
        ],
        "participantRawID": participant,
        "resultStatus": "Final" if final else "Intermediate",
    }
    return _text("TranscriptionData", "transcriptionData", body)


def ticks(moment: datetime) -> int:
    """.NET ticks of a moment."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 10 + _EPOCH_TICKS


def _text(kind: str, name: str, body: dict[str, Any]) -> str:
    return json.dumps({"kind": kind, name: body}, separators=(",", ":"), ensure_ascii=False)
