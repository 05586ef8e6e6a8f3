"""The tones of telephone keys (DTMF), and that of a mailbox."""

from __future__ import annotations

import math
import struct
from functools import lru_cache

from acs_emulator.audio.clip import SAMPLE_BYTES, SAMPLE_RATE, Clip

# Rows and columns of the keypad and their frequencies in hertz: ITU-T Recommendation Q.23.
_ROWS = (697, 770, 852, 941)
_COLUMNS = (1209, 1336, 1477, 1633)
_KEYPAD = ("123A", "456B", "789C", "*0#D")
FREQUENCIES = {
    key: (row, column)
    for row, keys in zip(_ROWS, _KEYPAD, strict=True)
    for column, key in zip(_COLUMNS, keys, strict=True)
}

# About -14 and -12 dB of full scale: telephones send the upper tone some 2 dB above the lower one, because
# lines weaken it more, and the sum stays 7 dB below clipping.
_ROW_LEVEL = 0.2
_COLUMN_LEVEL = 0.25
# Seconds of fade at each end; without it a tone begins with a click that spreads over all frequencies.
_FADE = 0.002


def key_tones(keys: str, *, tone: float = 0.1, gap: float = 0.1) -> Clip:
    """The sound of pressing `keys`: `tone` seconds of each, and `gap` seconds of silence after each.

    Keys are 0-9, A-D (either case), `*` and `#`. ITU-T Q.24 asks receivers to hear tones of 40 ms and
    more. The service itself hears keys out of band only, as telephone events (RFC 2833): these tones are
    for recordings and for people.

    Raises ValueError for any other key, a tone that is not longer than 0, or a gap below 0.
    """
    if tone <= 0 or gap < 0:
        raise ValueError(f"a tone needs a length above 0 and a gap of 0 or more, not {tone} and {gap}")
    unknown = sorted(set(keys.upper()) - FREQUENCIES.keys())
    if unknown:
        raise ValueError(f"not keys of a telephone: {' '.join(map(repr, unknown))}")
    silence = bytes(round(gap * SAMPLE_RATE) * SAMPLE_BYTES)
    return Clip(b"".join(_key_tone(key, tone) + silence for key in keys.upper()))


@lru_cache(maxsize=64)
def _key_tone(key: str, seconds: float) -> bytes:
    row, column = (2 * math.pi * hertz / SAMPLE_RATE for hertz in FREQUENCIES[key])
    count = round(seconds * SAMPLE_RATE)
    fade = max(1, min(round(_FADE * SAMPLE_RATE), count // 2))
    samples = [
        round(
            32767
            * min(1.0, (n + 1) / fade, (count - n) / fade)
            * (_ROW_LEVEL * math.sin(row * n) + _COLUMN_LEVEL * math.sin(column * n))
        )
        for n in range(count)
    ]
    return struct.pack(f"<{count}h", *samples)


@lru_cache(maxsize=1)
def beep(hertz: int = 1000, seconds: float = 0.5) -> Clip:
    """The tone after which a mailbox records. Its pitch and length differ by make: chosen."""
    count = round(seconds * SAMPLE_RATE)
    fade = round(_FADE * SAMPLE_RATE)
    samples = [
        round(
            32767
            * _ROW_LEVEL
            * min(1.0, (n + 1) / fade, (count - n) / fade)
            * math.sin(2 * math.pi * hertz * n / SAMPLE_RATE)
        )
        for n in range(count)
    ]
    return Clip(struct.pack(f"<{count}h", *samples))


@lru_cache(maxsize=64)
def murmur(seconds: float) -> Clip:
    """A voice-like hum, for speech that cannot be made: three harmonics that swell four times a second."""
    count = round(seconds * SAMPLE_RATE)
    base = 2 * math.pi * 140 / SAMPLE_RATE
    swell = 2 * math.pi * 4 / SAMPLE_RATE
    samples = [
        round(5000 * (1 - math.cos(swell * n)) * sum(math.sin(base * k * n) / k for k in (1, 2, 3)) / 2)
        for n in range(count)
    ]
    return Clip(struct.pack(f"<{count}h", *samples))
