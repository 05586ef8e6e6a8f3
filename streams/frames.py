"""The text frames of both sockets: what the service sends, as values, and what is sent back.

Property names are taken in any case: the service writes camelCase, its samples PascalCase as well. The exact
spelling is tried first: a participant has 50 frames a second.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

T = TypeVar("T")

RATES = (16_000, 24_000)
"""Sample rates of the service, in hertz (docs: audio streaming concept)."""

MOST_CHARACTERS = 128 * 1024
"""Longest frame that is read: the 64 KB of the docs' concept page in base64, and room. Usual are 0.9 to 1.4 KB."""

FRAME_SECONDS = 0.02

MOST_RAW_ID_CHARACTERS = 1024
"""Longest raw id that is read (our choice); those of the service have some hundred characters at most."""

LARGEST_TICKS = 2**63 - 1
"""The service counts in .NET's `long`."""

TICKS = 10_000_000
"""Units of 100 ns in a second, in which transcripts count."""


@dataclass(frozen=True, slots=True)
class AudioMetadata:
    """The first frame of an audio socket."""

    subscription_id: str
    rate: int


@dataclass(slots=True)
class AudioFrame:
    """Audio: 16-bit mono PCM.

    Attributes:
        participant: raw id of the speaker; None: everybody (a mixed stream).
        at: Unix time in seconds at which it begins; None: the frame does not say.
    """

    participant: str | None
    at: float | None
    pcm: bytes
    silent: bool


@dataclass(frozen=True, slots=True)
class Dtmf:
    """A DTMF tone: 0-9, *, #, A-D."""

    tone: str


@dataclass(frozen=True, slots=True)
class TranscriptionMetadata:
    """The first frame of a transcription socket, sent again when the locale changes."""

    subscription_id: str
    locale: str


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a phrase; times in ticks, as the service gives them."""

    text: str
    offset: int
    duration: int


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase of a transcript; times in ticks, as the service gives them.

    Attributes:
        unread: how many of its parts could not be read: numbers stand as 0, a participant as None, words are missing.
    """

    text: str
    final: bool
    confidence: float
    offset: int
    duration: int
    participant: str | None
    words: tuple[Word, ...]
    unread: int = 0


@dataclass(frozen=True, slots=True)
class Skipped:
    """A frame that is left out, and why; the reason never quotes it."""

    reason: str


Frame = AudioMetadata | AudioFrame | Dtmf | TranscriptionMetadata | Phrase | Skipped


def read(text: str | bytes) -> Frame:
    """One frame. Never raises: what cannot be read is Skipped."""
    if len(text) > MOST_CHARACTERS:
        return Skipped("too long")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return Skipped("not JSON")
    if not isinstance(document, dict):
        return Skipped("not an object")
    try:
        if document.get("kind") == "AudioData" and "audioData" in document:
            return _audio(document["audioData"])
        document = _lowered(document)
        kind = str(document.get("kind", "")).lower()
        reader = _READERS.get(kind)
        return Skipped("unknown kind") if reader is None else reader(document.get(kind))
    except _Unreadable as problem:
        return Skipped(str(problem))
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError, binascii.Error):
        return Skipped("wrong fields")


class _Unreadable(Exception):
    """A frame that is well-formed and still cannot be used."""


def _audio(body: Any) -> AudioFrame:
    if "data" not in body or "timestamp" not in body:
        body = _lowered(body)
    data = body.get("data")
    if not isinstance(data, str):
        raise _Unreadable("no data")
    pcm = b64decode(data, validate=True)
    if len(pcm) % 2:
        raise _Unreadable("odd number of bytes")
    participant = body.get("participantRawID")
    if participant is None:
        participant = _lowered(body).get("participantrawid")
    if participant is not None and not isinstance(participant, str):
        raise _Unreadable("wrong fields")
    if participant is not None and len(participant) > MOST_RAW_ID_CHARACTERS:
        raise _Unreadable("raw id too long")
    if participant is not None and not participant.isascii():
        participant = _clean(participant)
    return AudioFrame(participant or None, moment(body.get("timestamp")), pcm, body.get("silent") is True)


def _audio_metadata(body: Any) -> AudioMetadata:
    body = _lowered(body)
    rate, channels = int(body["samplerate"]), int(body.get("channels", 1))
    if str(body.get("encoding", "PCM")).lower() != "pcm" or rate not in RATES or channels != 1:
        raise _Unreadable("unknown audio format")
    return AudioMetadata(str(body.get("subscriptionid", "")), rate)


def _dtmf(body: Any) -> Dtmf:
    tone = _lowered(body).get("data")
    if not isinstance(tone, str) or len(tone) != 1 or tone.upper() not in "0123456789*#ABCD":
        raise _Unreadable("no tone")
    return Dtmf(tone.upper())


def _transcription_metadata(body: Any) -> TranscriptionMetadata:
    body = _lowered(body)
    return TranscriptionMetadata(str(body.get("subscriptionid", "")), str(body.get("locale", ""))[:64])


def _phrase(body: Any) -> Phrase:
    body = _lowered(body)
    text = body.get("text")
    if not isinstance(text, str):
        raise _Unreadable("no text")
    optional = _Optional()
    participant = body.get("participantrawid")
    if participant is not None and not (isinstance(participant, str) and len(participant) <= MOST_RAW_ID_CHARACTERS):
        participant = optional.one(None)
    return Phrase(
        text=_clean(text),
        final=str(body.get("resultstatus", "")).lower() == "final",
        confidence=optional.confidence(body.get("confidence")),
        offset=optional.ticks(body.get("offset")),
        # The documented sample leaves the duration out, its reader uses it.
        duration=optional.ticks(body.get("duration")),
        participant=_clean(participant) if participant is not None else None,
        words=tuple(_words(body.get("words"), optional)),
        unread=optional.count,
    )


def _words(value: Any, optional: _Optional) -> Iterator[Word]:
    if value is not None and not isinstance(value, list):
        value = optional.one(None)
    for word in value or ():
        if isinstance(word, dict):
            word = _lowered(word)
            yield Word(
                _clean(str(word.get("text", ""))),
                optional.ticks(word.get("offset")),
                optional.ticks(word.get("duration")),
            )
        else:
            optional.one(None)


class _Optional:
    """Reads the optional parts of a phrase, and counts those that cannot be read; the phrase is kept in any case."""

    def __init__(self) -> None:
        self.count = 0

    def one(self, instead: T) -> T:
        self.count += 1
        return instead

    def ticks(self, value: object) -> int:
        """A time; 0 if it is missing or unreadable."""
        try:
            ticks = int(value or 0)  # type: ignore[call-overload]
        except (ValueError, TypeError, OverflowError):
            return self.one(0)
        return ticks if abs(ticks) <= LARGEST_TICKS else self.one(0)

    def confidence(self, value: object) -> float:
        """Between 0 and 1; 0 if it is missing or unreadable."""
        try:
            confidence = float(value or 0.0)  # type: ignore[arg-type]
        except (ValueError, TypeError, OverflowError):
            return self.one(0.0)
        return confidence if 0.0 <= confidence <= 1.0 else self.one(0.0)


_READERS: dict[str, Callable[[Any], Frame]] = {
    "audiodata": _audio,
    "audiometadata": _audio_metadata,
    "dtmfdata": _dtmf,
    "transcriptionmetadata": _transcription_metadata,
    "transcriptiondata": _phrase,
}


def _clean(text: str) -> str:
    """The text without lone surrogates, which JSON can represent and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()


def _lowered(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): item for name, item in value.items()}


def moment(text: object) -> float | None:
    """Unix time of an ISO 8601 timestamp; None if it is not one, or lies outside the years 2 to 9998."""
    if not isinstance(text, str):
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() if 1 < read.year < 9999 else None


_LAST_TICK = 3_155_378_975_999_999_999
_EPOCH_TICKS = 621_355_968_000_000_000
_COUNTS_DOWN = 2_000_000_000_000_000_000
_IS_A_DATE = 100_000_000_000_000_000


def seconds_since(ticks: int, start: float) -> float:
    """A transcript's offset in seconds after `start` (Unix time).

    The docs' sample is 2516998782481234400, which makes sense only as ticks that count down from the last .NET
    date; a .NET date and a plain offset are read as well, as no recording says which one it is.
    """
    if ticks >= _COUNTS_DOWN:
        ticks = _LAST_TICK - ticks
    if ticks < _IS_A_DATE:
        return max(0.0, ticks / TICKS)
    return max(0.0, (ticks - _EPOCH_TICKS) / TICKS - start)


def outbound_audio(pcm: bytes) -> str:
    """A frame of audio for the call, at the sample rate of the stream (PascalCase, as in the docs' samples)."""
    return f'{{"Kind":"AudioData","AudioData":{{"Data":"{b64encode(pcm).decode()}"}},"StopAudio":null}}'


STOP_AUDIO = '{"Kind":"StopAudio","AudioData":null,"StopAudio":{}}'
"""Drops what was sent and has not been heard yet."""
