"""How loud a channel is over time, coarsely: what a waveform is drawn from."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shared.quality.audio.speech import FRAMES_PER_SECOND
from shared.quality.signal import LOWEST_DBFS, Piece

FINEST = 5
"""Frames of 10 ms in a step, unless a file is too long for that (our choice)."""
MOST = 2048
"""Steps that are kept of one file; a longer one has steps of twice, four times … the length (our choice)."""
MOST_DRAWN = 1000
"""Steps of a whole recording: a screen has hardly more pixels (our choice)."""


class EnvelopeMeter:
    """The loudest frame of each step, in dB above LOWEST_DBFS; in constant memory.

    What it gives does not depend on how the frames are cut into blocks.
    """

    def __init__(self) -> None:
        self.frames = FINEST
        self._steps: list[int] = []
        self._left = np.empty(0, np.float32)

    def feed(self, found: NDArray[np.float32]) -> None:
        """The next frames, by their levels in dBFS."""
        levels = np.concatenate([self._left, found])
        whole = len(levels) // self.frames * self.frames
        self._steps += map(_level, levels[:whole].reshape(-1, self.frames).max(axis=1).tolist())
        self._left = levels[whole:]
        while len(self._steps) > MOST:
            self._halve()

    def _halve(self) -> None:
        """Two steps become one; of an odd number the last waits for its other half."""
        if len(self._steps) % 2:
            last = np.full(self.frames, self._steps.pop() + LOWEST_DBFS, np.float32)
            self._left = np.concatenate([last, self._left])
        self._steps = [max(pair) for pair in zip(self._steps[::2], self._steps[1::2], strict=True)]
        self.frames *= 2

    def finish(self) -> tuple[int, ...]:
        """The steps of the whole file."""
        rest = [_level(float(self._left.max()))] if len(self._left) else []
        return (*self._steps, *rest)


def on_the_timeline(files: Sequence[tuple[Sequence[int], int, Sequence[Piece]]], seconds: float) -> tuple[int, ...]:
    """One channel over the whole recording, in equal steps; nothing is 0.

    Args:
        files: of each its steps, the frames in a step, and where it lies in the recording.
        seconds: length of the recording.

    Returns:
        nothing, if no file has steps: they were analysed before 0.2.0.
    """
    count = min(MOST_DRAWN, math.ceil(seconds * FRAMES_PER_SECOND / FINEST))
    if not count or not any(steps for steps, _, _ in files):
        return ()
    found = np.zeros(count, np.int64)
    for steps, frames, pieces in files:
        width = frames / FRAMES_PER_SECOND
        for piece in pieces if steps else ():
            end = piece.offset + piece.span.seconds
            shift = piece.span.start - piece.offset
            for number in range(int(piece.offset / width), min(len(steps), math.ceil(end / width))):
                begins = (max(number * width, piece.offset) + shift) / seconds * count
                ends = (min((number + 1) * width, end) + shift) / seconds * count
                part = found[int(begins) : max(int(begins) + 1, math.ceil(ends - 1e-6))]
                np.maximum(part, steps[number], out=part)
    return tuple(found.tolist())


def _level(dbfs: float) -> int:
    return min(max(round(dbfs - LOWEST_DBFS), 0), int(-LOWEST_DBFS))
