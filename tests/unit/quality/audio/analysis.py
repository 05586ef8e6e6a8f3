"""Shortcuts from sound to what the pass and the join make of it, and how near that comes to the truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shared.quality.audio.joining import PlacedChunk, join
from shared.quality.audio.signal import AudioPass, ChunkSignal
from shared.quality.signal import Signal
from shared.quality.spans import Span, union
from shared.quality.thresholds import Thresholds
from tests.unit.quality.audio import scenes
from tests.unit.quality.audio.scenes import Sound


def analysed(file: bytes, block: int = 1 << 20) -> ChunkSignal:
    """A whole file through the pass."""
    audio = AudioPass()
    for at in range(0, len(file), block):
        audio.feed(file[at : at + block])
    return audio.finish()


def chunk(sound: Sound, *, bits: int = 16, rate: int = scenes.RATE) -> ChunkSignal:
    """Sound as a file through the pass."""
    return analysed(scenes.wav(sound, bits=bits, rate=rate))


def placed(signal: ChunkSignal | None, start: float = 0.0, *pauses: Span, index: int = 0) -> PlacedChunk:
    """A chunk where it belongs."""
    return PlacedChunk(index, start, pauses, signal, signal.seconds if signal else 0.0)


def signal_of(sound: Sound, *, bits: int = 16, rate: int = scenes.RATE) -> Signal:
    """A recording of one chunk."""
    return join([placed(chunk(sound, bits=bits, rate=rate))], Thresholds())


def frames(spans: Sequence[tuple[float, float]], seconds: float) -> NDArray[np.bool_]:
    """Which frames of 10 ms lie in the spans."""
    found = np.zeros(round(seconds * 100), bool)
    for start, end in spans:
        found[round(start * 100) : round(end * 100)] = True
    return found


def f1(found: Sequence[Span], truth: Sequence[tuple[float, float]], seconds: float) -> float:
    """Of frames of 10 ms; in the truth, too, gaps up to 0.3 s are bridged."""
    if not found and not truth:
        return 1.0
    said, spoken = frames(found, seconds), frames(union(map(Span._make, truth), gap=0.3), seconds)
    return 2 * int((said & spoken).sum()) / (int(said.sum()) + int(spoken.sum()))


def worst_edge(found: Sequence[Span], truth: Sequence[tuple[float, float]]) -> float:
    """Seconds from an edge of the truth to the nearest that was found, at worst."""
    spoken = union(map(Span._make, truth), gap=0.3)
    starts, ends = ([span[side] for span in found] or [float("inf")] for side in (0, 1))
    return max(
        (max(min(abs(start - s.start) for start in starts), min(abs(end - s.end) for end in ends)) for s in spoken),
        default=0.0,
    )
