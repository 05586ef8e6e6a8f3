"""One file of a recording, from its bytes to what it says, in one pass and constant memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from shared.quality.audio.envelope import EnvelopeMeter
from shared.quality.audio.levels import ClippingMeter
from shared.quality.audio.likeness import Following, Sums
from shared.quality.audio.loudness import Bins, LoudnessMeter
from shared.quality.audio.speech import DIGITAL_SILENCE, FRAMES_PER_SECOND, Gate, SpeechDetector, levels, runs
from shared.quality.audio.wav import Samples, WavHeader, WavStream

_VERSION = 1

_STEP = 20 * FRAMES_PER_SECOND
_AROUND = FRAMES_PER_SECOND // 2
"""Frames that are analysed at once, and how many before and after these are looked at as well."""

_ABOVE_LEAK = 6.0
"""By so many dB own speech stands above what leaks in; a leak that is hardly weaker can not be told from it."""

Sound = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ChannelState:
    """One channel of one file, so that it can be added to the same channel of the next.

    Attributes:
        speech: (start, end) in frames of 10 ms, no gap bridged, nothing left out for being short.
        momentary, short_term: blocks of 400 ms and 3 s by loudness.
        rest: frames that are no speech, by level in dBFS, rounded; digital silence is -100.
        peak: highest sample, 0 to 1.
        clipped, samples: how many.
        envelope, envelope_frames: see envelope.py; empty and 0 in documents of versions before 0.2.0.
    """

    speech: tuple[tuple[int, int], ...]
    momentary: Bins
    short_term: Bins
    rest: Mapping[int, int]
    peak: float
    clipped: int
    samples: int
    envelope: tuple[int, ...] = ()
    envelope_frames: int = 0


@dataclass(frozen=True, slots=True)
class ChunkSignal:
    """What one file says. Thresholds are applied in `join`, so that new ones need no second pass.

    Attributes:
        seconds: of the file.
        leaks, same: for pairs of channels, how their levels go together; see likeness.py.
    """

    seconds: float
    sample_rate: int
    bits: int
    channels: tuple[ChannelState, ...]
    leaks: Mapping[tuple[int, int], tuple[tuple[float, ...], ...]]
    same: Mapping[tuple[int, int], tuple[tuple[float, ...], ...]]

    def to_json(self) -> str:
        """As text; `from_json` gives it back unchanged."""
        fields: dict[str, Any] = {
            "version": _VERSION,
            "seconds": self.seconds,
            "sample_rate": self.sample_rate,
            "bits": self.bits,
            "channels": [_packed(channel) for channel in self.channels],
            "leaks": [[*pair, sums] for pair, sums in self.leaks.items()],
            "same": [[*pair, sums] for pair, sums in self.same.items()],
        }
        return json.dumps(fields, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Raises ValueError for text of another version."""
        fields = json.loads(text)
        if fields.get("version") != _VERSION:
            raise ValueError(f"this is version {fields.get('version')!r} of a chunk's signal, not {_VERSION}")
        return cls(
            seconds=fields["seconds"],
            sample_rate=fields["sample_rate"],
            bits=fields["bits"],
            channels=tuple(_unpacked(channel) for channel in fields["channels"]),
            leaks={(a, b): tuple(map(tuple, sums)) for a, b, sums in fields["leaks"]},
            same={(a, b): tuple(map(tuple, sums)) for a, b, sums in fields["same"]},
        )


def _packed(channel: ChannelState) -> dict[str, Any]:
    edges = list(chain.from_iterable(channel.speech))
    return {
        "speech": [later - earlier for earlier, later in pairwise([0, *edges])],
        "momentary": [[place, *block] for place, block in sorted(channel.momentary.items())],
        "short_term": [[place, *block] for place, block in sorted(channel.short_term.items())],
        "rest": sorted(channel.rest.items()),
        "peak": channel.peak,
        "clipped": channel.clipped,
        "samples": channel.samples,
        "envelope": [channel.envelope_frames, *channel.envelope],
    }


def _unpacked(fields: dict[str, Any]) -> ChannelState:
    edges = list(accumulate(fields["speech"]))
    frames, *envelope = fields.get("envelope", [0])
    return ChannelState(
        speech=tuple(zip(edges[::2], edges[1::2], strict=True)),
        momentary={place: (count, power) for place, count, power in fields["momentary"]},
        short_term={place: (count, power) for place, count, power in fields["short_term"]},
        rest=dict(fields["rest"]),
        peak=fields["peak"],
        clipped=fields["clipped"],
        samples=fields["samples"],
        envelope=tuple(envelope),
        envelope_frames=frames,
    )


class AudioPass:
    """Takes a WAV file as it comes from the network, in blocks of any size.

    Work is done whenever 20 seconds are there, together with half a second before and after. What it gives does not
    depend on the blocks.
    """

    def __init__(self) -> None:
        self._wav = WavStream()
        self._analysis: _Analysis | None = None

    def feed(self, block: bytes) -> None:
        """The next bytes. Raises UnreadableAudio as soon as it shows that the file cannot be read."""
        samples = self._wav.feed(block)
        if self._wav.header is not None:
            self._begun(self._wav.header).feed(samples)

    def finish(self) -> ChunkSignal:
        """The file has ended. Raises UnreadableAudio if it did so before its samples began; see also `missing`."""
        return self._begun(self._wav.finish()).finish()

    @property
    def missing(self) -> int:
        """Bytes of samples that the file's header promises and that have not come."""
        return self._wav.missing

    def _begun(self, header: WavHeader) -> _Analysis:
        if self._analysis is None:
            self._analysis = _Analysis(header)
        return self._analysis


class _Analysis:
    def __init__(self, header: WavHeader) -> None:
        self._header = header
        self._frame = header.sample_rate // FRAMES_PER_SECOND
        self._step, self._around = _STEP * self._frame, _AROUND * self._frame
        self._sound: Sound = np.zeros((header.channels, self._step + 2 * self._around), np.float32)
        self._before = 0  # samples in `_sound` that have been analysed; they are there to look at
        self._filled = 0
        self._analysed = 0
        self._detector = SpeechDetector(header.sample_rate)
        self._channels = [_ChannelPass(header) for _ in range(header.channels)]
        self._following = Following(header.channels)

    def feed(self, samples: Samples) -> None:
        scale = np.float32(1 / self._header.full_scale)
        at = 0
        while at < len(samples):
            room = self._before + self._step + self._around - self._filled
            some = samples[at : at + room]
            into = self._sound[:, self._filled : self._filled + len(some)]
            np.multiply(some.T, scale, out=into, casting="unsafe")
            at += len(some)
            self._filled += len(some)
            if len(some) == room:
                self._analyse(self._before + self._step)
                keep = self._before + self._step - self._around
                self._sound[:, : 2 * self._around] = self._sound[:, keep : self._filled].copy()
                self._before, self._filled = self._around, 2 * self._around

    def finish(self) -> ChunkSignal:
        if self._filled > self._before:
            self._analyse(self._filled)
        return ChunkSignal(
            seconds=self._analysed / self._header.sample_rate,
            sample_rate=self._header.sample_rate,
            bits=self._header.bits,
            channels=tuple(channel.finish(self._analysed) for channel in self._channels),
            leaks={pair: _plain(sums) for pair, sums in self._following.leaks.items()},
            same={pair: _plain(sums) for pair, sums in self._following.same.items()},
        )

    def _analyse(self, end: int) -> None:
        """From what has been analysed before to this sample."""
        whole = self._filled // self._frame  # the last frame of a file may not be: it is left out
        first, last = self._before // self._frame, min(end // self._frame, whole)
        sound = self._sound[:, : whole * self._frame]
        found = np.stack([levels(channel, self._frame) for channel in sound])
        for channel, passing in enumerate(self._channels):
            passing.gate.learn(found[channel, first:last])
        loud = np.stack([found[n] > passing.gate.threshold for n, passing in enumerate(self._channels)])
        self._following.learn(found, loud, first, last)
        own = loud & ~self._leaked(found)
        start = self._analysed // self._frame
        for channel, passing in enumerate(self._channels):
            said = self._detector.speech(sound[channel], own[channel])[first:last]
            passing.feed(self._sound[channel, self._before : end], found[channel, first:last], said, start)
        self._analysed += end - self._before

    def _leaked(self, found: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Frames in which a channel holds nothing but what another one leaks into it."""
        leaked = np.zeros(found.shape, bool)
        for source, target in self._following.leaks:
            leak = self._following.leak(source, target)
            if leak is not None and leak.level < -_ABOVE_LEAK:
                late = np.roll(found[source], leak.delay)
                late[: leak.delay] = DIGITAL_SILENCE
                leaked[target] |= found[target] < late + np.float32(leak.level + _ABOVE_LEAK)
        return leaked


class _ChannelPass:
    def __init__(self, header: WavHeader) -> None:
        self.gate = Gate()
        self._loudness = LoudnessMeter(header.sample_rate)
        self._clipping = ClippingMeter(header.full_scale)
        self._rest = np.zeros(int(-DIGITAL_SILENCE) + 1, np.int64)
        self._speech: list[tuple[int, int]] = []
        self._envelope = EnvelopeMeter()

    def feed(self, sound: Sound, found: NDArray[np.float32], said: NDArray[np.bool_], start: int) -> None:
        self._loudness.feed(sound)
        self._clipping.feed(sound)
        self._envelope.feed(found)
        quiet = np.clip(np.rint(found[~said] - DIGITAL_SILENCE), 0, len(self._rest) - 1).astype(np.int64)
        self._rest += np.bincount(quiet, minlength=len(self._rest))
        for begin, end in (runs(said) + start).tolist():
            if self._speech and self._speech[-1][1] == begin:
                begin = self._speech.pop()[0]
            self._speech.append((begin, end))

    def finish(self, samples: int) -> ChannelState:
        return ChannelState(
            speech=tuple(self._speech),
            momentary=self._loudness.momentary,
            short_term=self._loudness.short_term,
            rest={int(level + DIGITAL_SILENCE): int(self._rest[level]) for level in np.flatnonzero(self._rest)},
            peak=self._clipping.peak,
            clipped=self._clipping.finish(),
            samples=samples,
            envelope=self._envelope.finish(),
            envelope_frames=self._envelope.frames,
        )


def _plain(sums: Sums) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, sums.tolist()))
