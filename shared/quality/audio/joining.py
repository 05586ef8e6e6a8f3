"""The chunks of a recording put together on one timeline."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from shared.quality.audio import likeness, loudness
from shared.quality.audio.envelope import on_the_timeline
from shared.quality.audio.signal import ChannelState, ChunkSignal
from shared.quality.audio.speech import DIGITAL_SILENCE, FRAMES_PER_SECOND
from shared.quality.signal import ChannelSignal, Hole, Piece, Signal
from shared.quality.spans import Span, difference, union
from shared.quality.thresholds import Thresholds

CLOCK_NOISE = 0.25
"""Seconds by which the announced start of a chunk may miss the end of the one before without meaning it."""

SILENT_DBFS = -70.0
"""A channel without a sample above this is silent: the gate below which BS.1770-4 hears nothing."""

_TINY = 1e-6


@dataclass(frozen=True, slots=True)
class PlacedChunk:
    """A chunk and its place in the recording.

    Attributes:
        start: seconds from the start of the recording.
        pauses: inside this chunk, in seconds of the recording; the file does not contain them.
        signal: None: the file is unavailable.
        seconds: announced length of the audio, which counts where there is no signal.
    """

    index: int
    start: float
    pauses: tuple[Span, ...]
    signal: ChunkSignal | None
    seconds: float


def join(chunks: Sequence[PlacedChunk], thresholds: Thresholds) -> Signal:
    """The whole recording.

    A chunk that begins within CLOCK_NOISE of the end of the one before is moved there. One that begins earlier yet is
    moved there too: two chunks can not hold the same time. A pause is in no chunk, whichever of them tells of it.
    Speech that goes on in the next chunk is one span; a hole always parts it.
    """
    ordered = sorted(chunks, key=lambda chunk: (chunk.start, chunk.index))
    pieces: list[Piece] = []
    taken: list[tuple[ChunkSignal, list[Piece]]] = []
    paused: list[Span] = []
    held = end = 0.0  # until when chunks hold audio, and pauses too
    for chunk in ordered:
        begin = held if chunk.start <= held + CLOCK_NOISE else chunk.start
        pauses = union(Span(max(begin, a), max(begin, b)) for a, b in _moved(chunk.pauses, begin - chunk.start))
        paused = union([*paused, *pauses])  # the one around the seam may be told by both chunks
        seconds = chunk.seconds if chunk.signal is None else chunk.signal.seconds
        placed = _placed(chunk.index, begin, seconds, [pause for pause in paused if pause.end > begin])
        held = max([begin, *(piece.span.end for piece in placed)])
        end = max([end, held, *(pause.end for pause in paused)])
        if chunk.signal is not None:
            pieces += placed
            taken.append((chunk.signal, placed))
    holes = _holes(end, [piece.span for piece in pieces], paused)
    signals = [signal for signal, _ in taken]
    same_audio, cross_talk = _alike(signals)
    return Signal(
        seconds=end,
        channels=tuple(
            _channel([(signal.channels[number], placed) for signal, placed in taken if number < len(signal.channels)],
                     [hole.span for hole in holes], thresholds, end)
            for number in range(max((len(signal.channels) for signal in signals), default=0))
        ),
        pieces=tuple(pieces),
        holes=tuple(holes),
        same_audio=same_audio,
        cross_talk=cross_talk,
    )  # fmt: skip


def _moved(spans: Sequence[Span], by: float) -> list[Span]:
    return [Span(start + by, end + by) for start, end in spans]


def _placed(index: int, begin: float, seconds: float, pauses: Sequence[Span]) -> list[Piece]:
    """A file of so many seconds, laid around the pauses."""
    pieces: list[Piece] = []
    at, offset = begin, 0.0
    for pause in [*pauses, Span(math.inf, math.inf)]:
        length = min(pause.start - at, seconds - offset)
        if length > _TINY:
            pieces.append(Piece(Span(at, at + length), index, offset))
            offset += length
        at = pause.end
    return pieces


def _holes(end: float, held: Sequence[Span], paused: Sequence[Span]) -> list[Hole]:
    covered = union([*held, *paused])
    missing = [span for span in difference([Span(0.0, end)] if end else [], covered) if span.seconds > CLOCK_NOISE]
    holes = [Hole(span, "paused") for span in paused if span.seconds > 0]
    return sorted([*holes, *(Hole(span, "missing") for span in missing)], key=lambda hole: hole.span)


def _channel(
    parts: Sequence[tuple[ChannelState, Sequence[Piece]]],
    holes: Sequence[Span],
    thresholds: Thresholds,
    seconds: float,
) -> ChannelSignal:
    states = [state for state, _ in parts]
    spans = [span for state, placed in parts for span in _on_the_timeline(state.speech, placed)]
    speech = difference(union(spans, gap=thresholds.gap_seconds + _TINY), holes)
    peak = max(state.peak for state in states)
    samples = sum(state.samples for state in states)
    return ChannelSignal(
        speech=tuple(span for span in speech if span.seconds >= thresholds.speech_seconds - _TINY),
        loudness=loudness.integrated(loudness.merged(state.momentary for state in states)),
        loudness_range=loudness.loudness_range(loudness.merged(state.short_term for state in states)),
        peak=_dbfs(peak),
        clipped=sum(state.clipped for state in states) / samples if samples else 0.0,
        noise_floor=_noise_floor([state.rest for state in states]),
        silent=peak <= 10 ** (SILENT_DBFS / 20),
        envelope=on_the_timeline([(state.envelope, state.envelope_frames, placed) for state, placed in parts], seconds),
    )


def _on_the_timeline(speech: Sequence[tuple[int, int]], placed: Sequence[Piece]) -> list[Span]:
    """Frames of a file as seconds of the recording; what a piece's end cuts falls in two."""
    found: list[Span] = []
    at = 0
    for start_frame, end_frame in speech:
        start, end = start_frame / FRAMES_PER_SECOND, end_frame / FRAMES_PER_SECOND
        while at < len(placed) and placed[at].offset + placed[at].span.seconds <= start:
            at += 1
        for piece in placed[at:]:
            low, high = max(start, piece.offset), min(end, piece.offset + piece.span.seconds)
            if low >= high:
                break
            shift = piece.span.start - piece.offset
            found.append(Span(round(low + shift, 6), round(high + shift, 6)))
    return found


def _dbfs(peak: float) -> float | None:
    return 20 * math.log10(peak) if peak > 0 else None


def _noise_floor(rests: Sequence[Mapping[int, int]]) -> float | None:
    """The 10th percentile, to 1 dB."""
    counts: dict[int, int] = {}
    for rest in rests:
        for level, count in rest.items():
            counts[level] = counts.get(level, 0) + count
    total = sum(counts.values())
    seen = 0
    for level in sorted(counts):
        seen += counts[level]
        if seen >= 0.1 * total:
            return float(level) if level > DIGITAL_SILENCE else None
    return None


def _alike(
    signals: Sequence[ChunkSignal],
) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
    same = {
        pair
        for pair in sorted({pair for signal in signals for pair in signal.same})
        if likeness.same_sound(likeness.added(np.array(s.same[pair]) for s in signals if pair in s.same))
    }
    leaks = {
        pair
        for pair in sorted({pair for signal in signals for pair in signal.leaks})
        if (min(pair), max(pair)) not in same
        and likeness.leaking(likeness.added(np.array(s.leaks[pair]) for s in signals if pair in s.leaks))
    }
    return tuple(sorted(same)), tuple(sorted(leaks))
