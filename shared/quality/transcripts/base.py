"""What was said, and what turns sound into it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from shared.quality.signal import Piece
from shared.quality.spans import Span


@dataclass(frozen=True, slots=True)
class Word:
    """One word; `start` and `end` in seconds, as its utterance's."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Utterance:
    """What one speaker said in one go, unredacted: it is neither logged nor stored.

    Attributes:
        start, end: in seconds of the chunk's file, as a transcriber gives them, or of the recording: see `placed`.
        confidence: 0 to 1; None: the transcriber does not say.
        words: in order; empty where the transcriber gives no times of words.
    """

    channel: int
    start: float
    end: float
    text: str
    confidence: float | None = None
    words: tuple[Word, ...] = ()


MAX_SECONDS = 3600.0
"""Audio that is transcribed at once. Azure AI Speech took less than 2 hours and 200 MB when its fast transcription came
out, and takes more today ("Speech service quotas and limits"); an hour is 115 MB, and little to send again."""


class ChannelAudio(Protocol):
    """One channel of one file, as mono 16-bit PCM. It can be read more than once, and is never held whole."""

    @property
    def rate(self) -> int:
        """Frames in a second."""

    @property
    def frames(self) -> int:
        """How many there are."""

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """The frames from `start` up to `end`, little-endian, in blocks of any length. UnreadableAudio."""


class Transcriber(Protocol):
    """Turns speech into words."""

    @property
    def locale(self) -> str:
        """The language that it listens for, as BCP 47 (`en-US`)."""

    def transcribe(self, audio: ChannelAudio, *, channel: int, speech: Sequence[Span] = ()) -> list[Utterance]:
        """What is said on a channel, in order, in seconds of the audio, of which there is MAX_SECONDS at most.

        Args:
            channel: what the utterances are labelled with.
            speech: where somebody speaks, in seconds of the audio.

        Raises:
            TranscriptionFailed: there is no transcript now, or (`lasting`) never.
            UnreadableAudio: the file is not what it should be.
        """


def moved(utterance: Utterance, by: float) -> Utterance:
    """An utterance so many seconds later."""
    words = tuple(replace(word, start=word.start + by, end=word.end + by) for word in utterance.words)
    return replace(utterance, start=utterance.start + by, end=utterance.end + by, words=words)


def placed(utterances: Sequence[Utterance], pieces: Sequence[Piece], chunk: int) -> list[Utterance]:
    """Utterances of a chunk's file, in seconds of the recording. One that spans a pause spans it afterwards too.

    A time that no piece holds (behind the end of the file, say) becomes the nearest that one does. A chunk
    without a piece in the recording says nothing.
    """
    mine = sorted((piece for piece in pieces if piece.chunk == chunk), key=lambda piece: piece.offset)
    if not mine:
        return []

    def at(start: float, end: float) -> tuple[float, float]:
        # A piece's end is the next one's beginning: a start belongs to the later, an end to the earlier.
        first = next((piece for piece in reversed(mine) if piece.offset <= start), mine[0])
        last = next((piece for piece in reversed(mine) if piece.offset < end), mine[0])
        return _within(first, start), max(_within(last, end), _within(first, start))

    found = []
    for utterance in utterances:
        start, end = at(utterance.start, utterance.end)
        words = tuple(Word(word.text, *at(word.start, word.end)) for word in utterance.words)
        found.append(replace(utterance, start=start, end=end, words=words))
    return found


def _within(piece: Piece, at: float) -> float:
    return piece.span.start + min(max(at - piece.offset, 0.0), piece.span.seconds)
