"""Whether two channels have the same audio, or one can be heard in the other.

Sound that leaks is a quieter and perhaps later copy: its level rises and falls with that of its source. So levels of
10 ms frames are correlated, at every delay up to 120 ms. People who talk in turns do not rise and fall together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.quality.audio.speech import Levels, Mask

MAX_DELAY = 12
"""In frames of 10 ms."""

_EVERY = 4
"""Frames that are taken: every fourth. Levels of speech do not change faster."""
_LEAST_FRAMES = 75  # that is three seconds
_LEAK, _SAME = 0.7, 0.9
_SAME_LEVEL = 6.0  # dB
_NOT_LOUDER = 3.0  # dB: a frame in which the target is louder than this above the source is its own speech
_QUIETEST = -80.0  # dBFS: below, levels tell more of the format than of the sound

Sums = NDArray[np.float64]
"""For each delay: frames, variances of both levels times frames, covariance times frames, difference times frames."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How the level of one channel follows that of another.

    Attributes:
        correlation: from -1 to 1.
        level: of the other channel against the first, in dB.
        delay: by which it follows, in frames of 10 ms.
    """

    correlation: float
    level: float
    delay: int


class Following:
    """Correlates the levels of each channel's loud frames with those of every other channel.

    Correlated is within each call of `learn`, so that a level that drifts does not count.
    """

    def __init__(self, channels: int) -> None:
        self.leaks = {(a, b): np.zeros((MAX_DELAY + 1, 5)) for a in range(channels) for b in range(channels) if a != b}
        self.same = {(a, b): np.zeros((2 * MAX_DELAY + 1, 5)) for a in range(channels) for b in range(a + 1, channels)}

    def learn(self, levels: Levels, loud: Mask, start: int, end: int) -> None:
        """Take note of the frames from `start` to `end`; those around them serve for the delays."""
        levels = np.maximum(levels, np.float32(_QUIETEST))
        heard = [bool(loud[channel, start:end].any()) for channel in range(len(loud))]
        for (a, b), sums in self.leaks.items():
            if heard[a]:
                at = start + _EVERY * np.flatnonzero(loud[a, start : min(end, loud.shape[1] - MAX_DELAY) : _EVERY])
                source, target = levels[a, at], levels[b][at[:, None] + np.arange(MAX_DELAY + 1)]
                sums += _sums(source, target, target <= source[:, None] + np.float32(_NOT_LOUDER))
        for (a, b), sums in self.same.items():
            if heard[a] or heard[b]:
                low, high = max(start, MAX_DELAY), min(end, loud.shape[1] - MAX_DELAY)
                at = low + _EVERY * np.flatnonzero((loud[a] | loud[b])[low : max(low, high) : _EVERY])
                target = levels[b][at[:, None] + np.arange(-MAX_DELAY, MAX_DELAY + 1)]
                sums += _sums(levels[a, at], target, np.ones(target.shape, bool))

    def leak(self, source: int, target: int) -> Likeness | None:
        """How the first is heard in the second, as far as is known now; None: it is not."""
        return leaking(self.leaks[source, target])


def _sums(source: Levels, target: Levels, counted: Mask) -> Sums:
    frames = counted.sum(axis=0)
    safe = np.maximum(frames, 1)
    x = np.where(counted, source[:, None], 0)
    y = np.where(counted, target, 0)
    x_mean, y_mean = x.sum(axis=0) / safe, y.sum(axis=0) / safe
    x = np.where(counted, x - x_mean, 0)
    y = np.where(counted, y - y_mean, 0)
    xx, yy, xy = (np.einsum("fd,fd->d", one, other) for one, other in ((x, x), (y, y), (x, y)))
    return np.stack([frames, xx, yy, xy, (y_mean - x_mean) * frames], axis=1)


def leaking(sums: Sums) -> Likeness | None:
    """Whether the target hears the source."""
    found = _best(sums, 0)
    return found if found and found.correlation >= _LEAK else None


def same_sound(sums: Sums) -> bool:
    """Whether both carry the same, at about the same level."""
    found = _best(sums, -MAX_DELAY)
    return found is not None and found.correlation >= _SAME and abs(found.level) <= _SAME_LEVEL


def _best(sums: Sums, first_delay: int) -> Likeness | None:
    frames, xx, yy, xy, difference = sums.T
    known = (frames >= _LEAST_FRAMES) & (xx > 0) & (yy > 0)
    if not known.any():
        return None
    correlation = np.where(known, xy / np.sqrt(np.where(known, xx * yy, 1)), -1)
    at = int(np.argmax(correlation))
    return Likeness(float(correlation[at]), float(difference[at] / frames[at]), at + first_delay)


def added(many: Iterable[Sums]) -> Sums:
    """The sums of several chunks together."""
    return np.asarray(np.sum(list(many), axis=0))
