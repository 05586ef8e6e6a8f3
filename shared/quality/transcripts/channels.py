"""The channels of archived recordings, one at a time, for a transcriber."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.errors import UnreadableAudio
from shared.quality.signal import Piece, Signal
from shared.quality.spans import Span, difference, intersection
from shared.quality.transcripts.base import MAX_SECONDS, ChannelAudio, Transcriber, Utterance, moved, placed

CUT_SECONDS = 300.0
"""How far before the limit a silence is looked for to cut in."""


class ArchivedChannel:
    """One channel of an archived WAV file; see ChannelAudio.

    Args:
        read: gives the file's bytes from an offset on, in blocks (`Archive.read` with the name filled in).
        length: of the file, in bytes.

    Raises:
        UnreadableAudio: the file is no WAV that can be read, or has no such channel.
    """

    def __init__(self, read: Callable[[int], Iterator[bytes]], length: int, channel: int) -> None:
        from shared.quality.audio.wav import WavStream

        self._read = read
        self._channel = channel
        stream, self._head = WavStream(), b""
        for block in read(0):
            self._head += block
            stream.feed(block)
            if stream.header is not None:
                break
        header = stream.header or stream.finish()
        if channel >= header.channels:
            raise UnreadableAudio("fmt .channels", f"{header.channels}; channel {channel} was asked for")
        self._header = header
        self._head = self._head[: header.data_offset]
        held = length - header.data_offset
        promised = held if header.data_bytes is None else header.data_bytes
        self.rate = header.sample_rate
        self.frames = min(held, promised) // header.block_align

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """The frames from `start` up to `end`. UnreadableAudio if the file ends before."""
        from shared.quality.audio.wav import WavStream

        align, bits = self._header.block_align, self._header.bits
        left = (end - start) * align
        stream = WavStream()
        stream.feed(self._head)
        for block in self._read(self._header.data_offset + start * align):
            samples = stream.feed(block[:left])[:, self._channel]
            left -= len(block[:left])
            yield (samples << 8 if bits == 8 else samples >> (bits - 16)).astype("<i2").tobytes()
            if left <= 0:
                return
        if left > 0:
            raise UnreadableAudio("data", f"the archived file ends {left} bytes before it should")


class Kept(Protocol):
    """Keeps what was said on each channel of each file, so that it is transcribed once."""

    def get(self, chunk: int, channel: int) -> Part | None:
        """None: nothing of it was transcribed yet."""

    def put(self, chunk: int, channel: int, utterances: Iterable[Utterance], until: float) -> Part:
        """Keep more of it; gives all of it as `get` will."""


@dataclass(frozen=True, slots=True)
class Part:
    """What was said on a channel of a file, as far as it is transcribed.

    Attributes:
        utterances: in seconds of the file.
        until: seconds of the file; infinite: all of it.
    """

    utterances: tuple[Utterance, ...]
    until: float


def transcribed(
    transcriber: Transcriber, signal: Signal, audio: Callable[[int, int], ChannelAudio], kept: Kept
) -> list[Utterance]:
    """What is said in a recording, in its time. Only what holds speech is transcribed, and each stretch of it once.

    Args:
        audio: gives a channel of a chunk: chunk, channel.

    Raises:
        TranscriptionFailed, UnreadableAudio: see Transcriber. What was transcribed before is kept.
    """
    said: list[Utterance] = []
    for chunk in sorted({piece.chunk for piece in signal.pieces}):
        for channel, heard in enumerate(signal.channels):
            speech = in_file(heard.speech, signal.pieces, chunk)
            if not speech:
                continue
            part = kept.get(chunk, channel)
            if part is None or part.until < math.inf:
                whole = audio(chunk, channel)
                seconds, done = whole.frames / whole.rate, part.until if part else 0.0
                pieces = [piece for piece in cuts(seconds, speech) if piece.end > done]
                for piece in pieces:
                    stretch = Span(max(piece.start, done), piece.end)
                    utterances = _heard(transcriber, whole, channel, stretch, speech)
                    part = kept.put(chunk, channel, utterances, math.inf if piece is pieces[-1] else piece.end)
                if part is None:
                    continue
            said += placed(part.utterances, signal.pieces, chunk)
    return sorted(said, key=lambda utterance: (utterance.start, utterance.channel))


def _heard(
    transcriber: Transcriber, whole: ChannelAudio, channel: int, stretch: Span, speech: Sequence[Span]
) -> list[Utterance]:
    """What is said in a stretch of a file, in seconds of the file."""
    audio = _Stretch(whole, round(stretch.start * whole.rate), round(stretch.end * whole.rate))
    inside = [Span(one.start - stretch.start, one.end - stretch.start) for one in intersection(speech, [stretch])]
    return [moved(one, stretch.start) for one in transcriber.transcribe(audio, channel=channel, speech=inside)]


class _Stretch:
    """Some frames of a channel; see ChannelAudio."""

    def __init__(self, audio: ChannelAudio, first: int, last: int) -> None:
        self._audio = audio
        self._first = first
        self.rate = audio.rate
        self.frames = last - first

    def read(self, start: int, end: int) -> Iterator[bytes]:
        return self._audio.read(self._first + start, self._first + end)


def cuts(seconds: float, speech: Sequence[Span], longest: float = MAX_SECONDS) -> list[Span]:
    """Audio in pieces of at most `longest` seconds, cut in the longest silence near their ends.

    Where speech is told, pieces without any are left out. Where there is no silence, a word may be cut.
    """
    pieces: list[Span] = []
    start = 0.0
    while seconds - start > longest:
        limit = start + longest
        silences = difference([Span(max(limit - CUT_SECONDS, start + longest / 2), limit)], speech) if speech else []
        silence = max(silences, key=lambda span: span.seconds, default=Span(limit, limit))
        pieces.append(Span(start, (silence.start + silence.end) / 2))
        start = pieces[-1].end
    pieces.append(Span(start, seconds))
    return [piece for piece in pieces if not speech or intersection([piece], speech)]


def in_file(spans: Sequence[Span], pieces: Sequence[Piece], chunk: int) -> list[Span]:
    """Spans of the recording, in seconds of a chunk's file; what lies elsewhere is left out."""
    return sorted(
        Span(part.start - piece.span.start + piece.offset, part.end - piece.span.start + piece.offset)
        for piece in pieces
        if piece.chunk == chunk
        for part in intersection(spans, [piece.span])
    )
