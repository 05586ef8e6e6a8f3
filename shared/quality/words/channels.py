"""The channels of archived recordings, one at a time, for a transcriber."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from shared.errors import UnreadableAudio
from shared.quality.signal import Piece, Signal
from shared.quality.spans import Span, common
from shared.quality.words.base import ChannelAudio, Transcriber, Utterance, placed


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

    def get(self, chunk: int, channel: int) -> Sequence[Utterance] | None:
        """In seconds of the file; None: it was not transcribed yet."""

    def put(self, chunk: int, channel: int, utterances: Iterable[Utterance]) -> Sequence[Utterance]:
        """Keep it; gives it as `get` will."""


def transcribed(
    transcriber: Transcriber, signal: Signal, audio: Callable[[int, int], ChannelAudio], kept: Kept
) -> list[Utterance]:
    """What is said in a recording, in its time. Only what holds speech is transcribed, and each channel once.

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
            utterances = kept.get(chunk, channel)
            if utterances is None:
                heard_now = transcriber.transcribe(audio(chunk, channel), channel=channel, speech=speech)
                utterances = kept.put(chunk, channel, heard_now)
            said += placed(utterances, signal.pieces, chunk)
    return sorted(said, key=lambda utterance: (utterance.start, utterance.channel))


def in_file(spans: Sequence[Span], pieces: Sequence[Piece], chunk: int) -> list[Span]:
    """Spans of the recording, in seconds of a chunk's file; what lies elsewhere is left out."""
    return sorted(
        Span(part.start - piece.span.start + piece.offset, part.end - piece.span.start + piece.offset)
        for piece in pieces
        if piece.chunk == chunk
        for part in common(spans, [piece.span])
    )
