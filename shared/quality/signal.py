"""What the audio of a whole recording says, before anybody asks what it means."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.quality.spans import Span


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the recording that is in a file: where it lies in time, and where in which chunk.

    Attributes:
        span: in seconds of the recording.
        chunk: index of the chunk.
        offset: seconds into the chunk's file at which the stretch begins.
    """

    span: Span
    chunk: int
    offset: float


@dataclass(frozen=True, slots=True)
class Hole:
    """A stretch of the recording that no file holds.

    Attributes:
        reason: `paused` by the app, or `missing`: a chunk that is unavailable, or time between two chunks.
    """

    span: Span
    reason: str


LOWEST_DBFS = -60.0
"""What is no louder is not drawn (our choice): most lines are quieter than that while nobody speaks."""


@dataclass(frozen=True, slots=True)
class ChannelSignal:
    """One channel of a recording.

    Attributes:
        speech: spans of speech in order, gaps bridged, short ones left out (see Thresholds).
        loudness: integrated loudness in LUFS (ITU-R BS.1770-4); None: too quiet or too short to say.
        loudness_range: in LU (EBU Tech 3342); None as above.
        peak: highest sample in dBFS; None: digital silence throughout.
        clipped: share of samples that are clipped, 0 to 1.
        noise_floor: level of what is not speech in dBFS, 10th percentile of its 10 ms frames; None: digital silence.
        silent: nothing but silence in the whole channel.
        envelope: how loud it is, in equal steps over the recording: of each the loudest 10 ms, in dB above
            LOWEST_DBFS. A picture, no figure: it is as fine as the files' lengths let it be.
    """

    speech: tuple[Span, ...]
    loudness: float | None
    loudness_range: float | None
    peak: float | None
    clipped: float
    noise_floor: float | None
    silent: bool
    envelope: tuple[int, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Signal:
    """A whole recording, its chunks joined in order.

    Attributes:
        seconds: from the start to the end of the recording, holes included.
        same_audio: pairs of channels that have the same audio.
        cross_talk: pairs (from, into): the first channel's speech can be heard in the second.
    """

    seconds: float
    channels: tuple[ChannelSignal, ...]
    pieces: tuple[Piece, ...]
    holes: tuple[Hole, ...] = ()
    same_audio: tuple[tuple[int, int], ...] = ()
    cross_talk: tuple[tuple[int, int], ...] = field(default=())
