"""Loudness of one channel (ITU-R BS.1770-4, EBU Tech 3342), measured in one pass and added up over chunks.

Power is taken in cells of 100 ms from the spectrum of the cell, weighted by the K curve: by Parseval's theorem that
is the power of the filtered sound, but for the few milliseconds in which the filter rings on into the next cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

CELLS_PER_SECOND = 10

_BLOCK_CELLS = 4  # 400 ms, overlapping by 75 % (BS.1770-4, annex 1)
_SHORT_TERM_CELLS = 30  # 3 s (EBU Tech 3342)
_GATE = -70.0
_RELATIVE_GATE = -10.0
_RANGE_GATE = -20.0
_RANGE_LOW, _RANGE_HIGH = 0.10, 0.95

_OFFSET = -0.691  # makes a sine wave of full scale at 997 Hz -3.01 LUFS, against the K curve's gain there

_BINS_PER_LU = 10

Bins = Mapping[int, tuple[int, float]]
"""Blocks by loudness in tenths of LUFS: how many there are, and their power in all. Quieter than the gate: left out."""


# ITU-R BS.1770-4, annex 1, tables 1 and 2: the two filters at 48,000 Hz, as b0, b1, b2 and 1, a1, a2.
_SHELF = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585))
_HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))


def k_weights(sample_rate: int, samples: int) -> NDArray[np.float32]:
    """What the K weighting makes of the power at each frequency of an rfft of so many samples.

    The standard gives its filters at 48,000 Hz and asks for the same response at other rates. In the spectrum that
    needs no other filters: the response is read off where the frequencies of this rate lie.
    """
    delay = np.exp(-2j * np.pi * np.fft.rfftfreq(samples, 1 / sample_rate) / 48_000)
    response = np.ones(len(delay))
    for above, below in (_SHELF, _HIGH_PASS):
        response *= np.abs(np.polyval(above[::-1], delay) / np.polyval(below[::-1], delay)) ** 2
    return response.astype(np.float32)


class LoudnessMeter:
    """Measures one channel, front to back."""

    def __init__(self, sample_rate: int) -> None:
        self._cell = cell = sample_rate // CELLS_PER_SECOND
        weights = k_weights(sample_rate, cell) * np.float32(2 / cell**2)  # Parseval; each bin stands for two
        weights[0] /= 2
        weights[-1] /= 2
        self._weights = np.repeat(weights, 2)  # of real and imaginary part
        self._tail = np.zeros(0)
        self.momentary: dict[int, tuple[int, float]] = {}
        self.short_term: dict[int, tuple[int, float]] = {}

    def feed(self, sound: NDArray[np.float32]) -> None:
        """Go on with this sound, from -1 to 1. What does not fill a cell at its end is left out."""
        count = len(sound) // self._cell
        cells = sound[: count * self._cell].reshape(count, self._cell)
        power = np.zeros(count)
        heard = np.flatnonzero(cells.any(axis=1))
        if len(heard):
            spectrum = np.fft.rfft(cells if len(heard) == count else cells[heard]).astype(np.complex64, copy=False)
            parts = spectrum.view(np.float32)
            power[heard] = np.square(parts, out=parts) @ self._weights
        cells_so_far = np.r_[self._tail, power]
        known = len(self._tail)
        for bins, length in ((self.momentary, _BLOCK_CELLS), (self.short_term, _SHORT_TERM_CELLS)):
            _count(bins, _means(cells_so_far[max(0, known - length + 1) :], length))
        self._tail = cells_so_far[-(_SHORT_TERM_CELLS - 1) :]


def _means(power: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    if len(power) < length or not power.any():
        return np.zeros(0)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(power, length).mean(axis=1))


def _count(bins: dict[int, tuple[int, float]], power: NDArray[np.float64]) -> None:
    power = power[power >= 10 ** ((_GATE - _OFFSET) / 10)]
    if not len(power):
        return
    at, inverse = np.unique(np.floor(_lufs(power) * _BINS_PER_LU).astype(int), return_inverse=True)
    counts, sums = np.bincount(inverse), np.bincount(inverse, power)
    for place, count, total in zip(at.tolist(), counts.tolist(), sums.tolist(), strict=True):
        old_count, old_total = bins.get(place, (0, 0.0))
        bins[place] = (old_count + count, old_total + total)


def _lufs(power: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(_OFFSET + 10 * np.log10(power))


def merged(many: Iterable[Bins]) -> dict[int, tuple[int, float]]:
    """The blocks of several chunks together."""
    together: dict[int, tuple[int, float]] = {}
    for bins in many:
        for place, (count, total) in bins.items():
            old_count, old_total = together.get(place, (0, 0.0))
            together[place] = (old_count + count, old_total + total)
    return together


def integrated(momentary: Bins) -> float | None:
    """Loudness in LUFS from blocks of 400 ms, gated at 10 LU below their mean; None: nothing above -70 LUFS."""
    counts, power = _gated(momentary, _RELATIVE_GATE)
    return float(_lufs(np.asarray(power.sum() / counts.sum()))) if len(counts) else None


def loudness_range(short_term: Bins) -> float | None:
    """From the 10th to the 95th percentile in LU of the blocks of 3 s, gated at 20 LU below their mean."""
    counts, power = _gated(short_term, _RANGE_GATE)
    if not len(counts):
        return None
    upto = np.cumsum(counts)
    low, high = (np.searchsorted(upto, share * (upto[-1] - 1) + 0.5) for share in (_RANGE_LOW, _RANGE_HIGH))
    found = _lufs(power / counts)
    return float(found[high] - found[low])


def _gated(bins: Bins, below: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Counts and powers of the bins whose mean lies above the relative gate, quietest first."""
    rows = np.array([bins[place] for place in sorted(bins)]).reshape(-1, 2)
    counts, power = rows[:, 0], rows[:, 1]
    if len(rows):
        gate = power.sum() / counts.sum() * 10 ** (below / 10)
        kept = power / counts > gate
        counts, power = counts[kept], power[kept]
    return counts, power
