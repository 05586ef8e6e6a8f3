"""From an uploaded WAV file to the response of fast transcription."""

from __future__ import annotations

import os
import wave
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any

from acs_emulator.audio.clip import SAMPLE_BYTES, SAMPLE_RATE
from acs_emulator.audio.words import CONFIDENCE
from acs_emulator.transcription.definition import Definition
from acs_emulator.transcription.errors import InvalidRequest, Unprocessable
from acs_emulator.transcription.voiceprints import STRETCH, Heard, Voiceprints

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Longest audio in seconds (docs: Speech service quotas and limits, less than 5 hours; it was 2 before March 2026).
LONGEST = 5 * 3600


def transcribe(file: IO[bytes], definition: Definition, prints: Voiceprints) -> dict[str, Any]:
    """TranscribeResult. Takes as long as reading the file does: run it in a thread.

    Sound that the emulator has not made, or not at 16 bits and 16,000 Hz, has no phrases.
    Raises InvalidRequest and Unprocessable.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    try:
        with wave.open(file, "rb") as sound:
            # What a header promises beyond the end of the file is not there.
            length = min(sound.getnframes(), size // (sound.getnchannels() * sound.getsampwidth()))
            return _transcribe(sound, length, definition, prints)
    except (wave.Error, EOFError) as error:
        raise Unprocessable("InvalidAudioFormat", "The audio format is not supported.") from error


def _transcribe(sound: wave.Wave_read, length: int, definition: Definition, prints: Voiceprints) -> dict[str, Any]:
    if not sound.getframerate():
        raise Unprocessable("InvalidAudioFormat", "The audio has no sample rate.")
    if length == 0:
        raise Unprocessable("EmptyAudioFile", "The audio file is empty.")
    if length / sound.getframerate() >= LONGEST:
        raise Unprocessable("AudioLengthLimitExceeded", f"The audio is not shorter than {LONGEST // 3600} hours.")
    channels = range(sound.getnchannels())
    if any(number not in channels for number in definition.channels):
        raise InvalidRequest("InvalidChannels", f"The audio has {len(channels)} channels.")
    apart = definition.channels if len(channels) > 1 else ()
    phrases: list[dict[str, Any]] = []
    combined: list[dict[str, Any]] = []
    if (sound.getframerate(), sound.getsampwidth()) == (SAMPLE_RATE, SAMPLE_BYTES):
        found = {number: prints.recognise(_channel(sound, number)) for number in apart or channels}
        if apart:
            for number, heard in found.items():
                phrases += [_phrase(one, definition.locale, {"channel": number}) for one in heard]
                combined += _combined(heard, {"channel": number})
        else:
            merged = sorted((one for heard in found.values() for one in heard), key=lambda one: one.start)
            phrases = [_phrase(one, definition.locale, {}) for one in merged]
            combined = _combined(merged, {})
    return {
        "durationMilliseconds": _milliseconds(length * SAMPLE_RATE // sound.getframerate()),
        "combinedPhrases": combined,
        "phrases": phrases,
    }


def _channel(sound: wave.Wave_read, number: int) -> Iterator[NDArray[Any]]:
    import numpy as np

    sound.rewind()
    channels = sound.getnchannels()
    while frames := sound.readframes(STRETCH):
        whole = len(frames) - len(frames) % (channels * SAMPLE_BYTES)
        yield np.frombuffer(frames[:whole], "<i2").reshape(-1, channels)[:, number]


def _phrase(heard: Heard, locale: str, channel: dict[str, int]) -> dict[str, Any]:
    return {
        **channel,
        "offsetMilliseconds": _milliseconds(heard.start),
        "durationMilliseconds": _milliseconds(heard.end - heard.start),
        "text": heard.text,
        "words": [
            {"text": word, "offsetMilliseconds": _milliseconds(begin), "durationMilliseconds": _milliseconds(length)}
            for word, begin, length in heard.words
        ],
        "locale": locale,
        "confidence": CONFIDENCE,
    }


def _combined(heard: Sequence[Heard], channel: dict[str, int]) -> list[dict[str, Any]]:
    return [{**channel, "text": " ".join(one.text for one in heard)}] if heard else []


def _milliseconds(samples: int) -> int:
    return round(samples * 1000 / SAMPLE_RATE)
