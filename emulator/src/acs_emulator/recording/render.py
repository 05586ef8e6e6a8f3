"""From tracks to files. Works in blocks, so that memory does not grow with the length; runs in a thread."""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from acs_emulator.audio.clip import SAMPLE_BYTES, SAMPLE_RATE
from acs_emulator.audio.mixing import clipped
from acs_emulator.audio.track import Track

#: Bit rate of mp3 (docs: call recording, 48 kbps).
MP3_KBPS = 48
_BLOCK = 10 * SAMPLE_RATE
#: A stretch of a recording: first and last position on the emulated clock.
Piece = tuple[int, int]


def render(path: Path, form: str, channels: Sequence[Sequence[Track]], pieces: Sequence[Piece]) -> None:
    """Write one file: a channel for each list of tracks, the pieces one after the other."""
    (_write_mp3 if form == "mp3" else _write_wav)(path, channels, pieces)


def split(pieces: Sequence[Piece], longest: int) -> list[list[Piece]]:
    """The pieces of each chunk, none with more than ``longest`` samples."""
    chunks: list[list[Piece]] = [[]]
    room = longest
    for low, high in pieces:
        while low < high:
            if room == 0:
                chunks.append([])
                room = longest
            end = min(high, low + room)
            chunks[-1].append((low, end))
            room -= end - low
            low = end
    return [chunk for chunk in chunks if chunk]


def _write_wav(path: Path, channels: Sequence[Sequence[Track]], pieces: Sequence[Piece]) -> None:
    with path.open("wb") as target, wave.open(target, "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(SAMPLE_BYTES)
        file.setframerate(SAMPLE_RATE)
        file.setnframes(sum(high - low for low, high in pieces))
        for block in _blocks(channels, pieces):
            file.writeframesraw(block)


def _write_mp3(path: Path, channels: Sequence[Sequence[Track]], pieces: Sequence[Piece]) -> None:
    import lameenc  # type: ignore[import-not-found]

    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_bit_rate(MP3_KBPS)
    encoder.set_in_sample_rate(SAMPLE_RATE)
    encoder.set_out_sample_rate(SAMPLE_RATE)
    encoder.set_channels(1)
    encode: Callable[[bytes], Any] = encoder.encode
    with path.open("wb") as file:
        for block in _blocks(channels, pieces):
            file.write(encode(block))
        file.write(encoder.flush())


def _blocks(channels: Sequence[Sequence[Track]], pieces: Sequence[Piece]) -> Iterator[bytes]:
    import numpy as np

    for low, high in pieces:
        for start in range(low, high, _BLOCK):
            end = min(start + _BLOCK, high)
            sound = np.zeros((end - start, len(channels)), np.int32)
            for number, tracks in enumerate(channels):
                for track in tracks:
                    for offset, samples in track.pieces(start, end):
                        part = np.frombuffer(samples, "<i2")
                        sound[offset : offset + len(part), number] += part
            yield clipped(sound).tobytes()
