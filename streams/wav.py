"""WAV: 16-bit mono PCM."""

from __future__ import annotations

import io
import struct
import wave

from shared.errors import InvalidInput

HEADER_BYTES = 44
SAMPLE_BYTES = 2


def header(rate: int, data_bytes: int) -> bytes:
    """The header of a file that has so much audio."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF", data_bytes + HEADER_BYTES - 8, b"WAVE",
        b"fmt ", 16, 1, 1, rate, rate * SAMPLE_BYTES, SAMPLE_BYTES, 16,
        b"data", data_bytes,
    )  # fmt: skip


def samples(body: bytes, rate: int) -> bytes:
    """The samples of a WAV file; raises InvalidInput if it is not 16-bit mono of this rate."""
    try:
        with wave.open(io.BytesIO(body)) as file:
            found = (file.getnchannels(), file.getsampwidth() * 8, file.getframerate())
            pcm = bytes(file.readframes(file.getnframes()))
    except (wave.Error, EOFError, ValueError, struct.error, RuntimeError):
        raise InvalidInput("body", "is not a WAV file of PCM samples.") from None
    if found != (1, 16, rate):
        raise InvalidInput(
            "body",
            f"has {found[0]} channels of {found[1]} bits at {found[2]} Hz.",
            f"This call takes 16-bit mono at {rate} Hz.",
        )
    return pcm[: len(pcm) - len(pcm) % SAMPLE_BYTES]
