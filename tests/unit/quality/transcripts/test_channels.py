"""Channels come out of archived files as they went in, and times go back into the recording."""

from __future__ import annotations

import io
import struct
import wave
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.errors import TranscriptionFailed, UnreadableAudio
from shared.quality.signal import Piece, Signal
from shared.quality.spans import Span
from shared.quality.transcripts import channels
from shared.quality.transcripts.base import ChannelAudio, Utterance, Word, placed
from shared.quality.transcripts.channels import ArchivedChannel, Part, cuts, in_file, transcribed
from tests.unit.quality.made import channel as signal_of
from tests.unit.quality.transcripts.said import said

RATE = 16000
SAMPLES = np.arange(-3000, 3000, dtype=np.int16).reshape(-1, 3)


def wav(samples: NDArray[np.int16] = SAMPLES, bits: int = 16) -> bytes:
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(bits // 8)
        file.setframerate(RATE)
        wide = samples.astype("<i4") << 16 if bits == 32 else samples
        file.writeframes((samples // 256 + 128).astype(np.uint8).tobytes() if bits == 8 else wide.tobytes())
    return data.getvalue()


def reader(data: bytes, block: int) -> Callable[[int], Iterator[bytes]]:
    def read(start: int) -> Iterator[bytes]:
        for at in range(start, len(data), block):
            yield data[at : at + block]

    return read


def opened(data: bytes, channel: int, block: int = 1000) -> ArchivedChannel:
    return ArchivedChannel(reader(data, block), len(data), channel)


def samples_of(audio: ChannelAudio, start: int, end: int) -> list[int]:
    return [int(sample) for sample in np.frombuffer(b"".join(audio.read(start, end)), "<i2")]


@pytest.mark.parametrize("block", [1, 7, 45, 1000, 100_000])
@pytest.mark.parametrize("channel", [0, 2])
def test_a_channel_comes_out_as_it_went_in(block: int, channel: int) -> None:
    audio = opened(wav(), channel, block)
    assert (audio.rate, audio.frames) == (RATE, 2000)
    assert samples_of(audio, 0, 2000) == SAMPLES[:, channel].tolist()
    assert samples_of(audio, 500, 503) == SAMPLES[500:503, channel].tolist()
    assert samples_of(audio, 0, 2000) == SAMPLES[:, channel].tolist(), "it can be read again"


def test_samples_of_another_width_become_16_bits() -> None:
    assert samples_of(opened(wav(bits=32), 1), 0, 2000) == SAMPLES[:, 1].tolist()
    assert samples_of(opened(wav(bits=8), 1), 0, 2000) == (SAMPLES[:, 1] // 256 * 256).tolist()


def test_a_read_stops_where_it_was_told() -> None:
    asked: list[int] = []
    data = wav()

    def read(start: int) -> Iterator[bytes]:
        for block in reader(data, 600)(start):
            asked.append(len(block))
            yield block

    audio = ArchivedChannel(read, len(data), 0)
    asked.clear()
    assert len(samples_of(audio, 0, 150)) == 150
    assert sum(asked) == 1200, "150 frames of 6 bytes, to the end of the second block"


def test_a_length_that_the_header_does_not_tell_is_the_files_own() -> None:
    data = bytearray(wav())
    data[40:44] = struct.pack("<I", 0)
    assert opened(bytes(data), 0).frames == 2000


def test_a_file_that_is_shorter_than_its_header_says_has_the_frames_that_came() -> None:
    assert opened(wav()[:-600], 0).frames == 1900


def test_a_file_that_ends_early_is_an_error_and_no_short_channel() -> None:
    data = wav()
    audio = ArchivedChannel(reader(data[:-600], 1000), len(data), 0)
    with pytest.raises(UnreadableAudio, match="600 bytes"):
        samples_of(audio, 0, 2000)


def test_a_channel_that_is_not_there_is_an_error() -> None:
    with pytest.raises(UnreadableAudio, match="channel 3"):
        opened(wav(), 3)


def test_a_file_that_is_no_wav_is_an_error() -> None:
    with pytest.raises(UnreadableAudio):
        opened(b"OggS" * 20, 0)
    with pytest.raises(UnreadableAudio):
        opened(b"", 0)


# A recording of 100 s: chunk 0 holds 0–40, paused until 60, then 60–70; chunk 1 holds 70–100.
PIECES = (Piece(Span(0, 40), 0, 0), Piece(Span(60, 70), 0, 40), Piece(Span(70, 100), 1, 0))


@pytest.mark.parametrize(
    ("chunk", "file", "recording"),
    [
        (0, Span(1, 2), Span(1, 2)),
        (0, Span(38, 40), Span(38, 40)),
        (0, Span(40, 42), Span(60, 62)),
        (0, Span(39, 41), Span(39, 61)),
        (0, Span(49, 55), Span(69, 70)),
        (1, Span(0, 5), Span(70, 75)),
    ],
    ids=["first", "to-the-pause", "from-the-pause", "over-the-pause", "behind-the-end", "second-file"],
)
def test_a_time_of_a_file_becomes_one_of_the_recording(chunk: int, file: Span, recording: Span) -> None:
    utterance = Utterance(0, file.start, file.end, "x", words=said("x", file.start, each=file.seconds).words)
    (moved,) = placed([utterance], PIECES, chunk)
    assert (moved.start, moved.end) == recording
    assert (moved.words[0].start, moved.words[0].end) == recording


def test_a_chunk_that_is_not_in_the_recording_says_nothing() -> None:
    assert placed([said("x", 0)], PIECES, 2) == []


def test_spans_of_the_recording_are_found_in_their_files() -> None:
    spans = [Span(30, 65), Span(68, 75)]
    assert in_file(spans, PIECES, 0) == [Span(30, 40), Span(40, 45), Span(48, 50)]
    assert in_file(spans, PIECES, 1) == [Span(0, 5)]


class Parrot:
    """A transcriber that says which file it was given, once for each stretch of speech."""

    locale = "en-US"

    def transcribe(self, audio: ChannelAudio, *, channel: int, speech: Sequence[Span] = ()) -> list[Utterance]:
        return [Utterance(channel, span.start, span.end, f"file {audio.rate}") for span in speech]


class Named:
    """Audio that is known by its rate."""

    def __init__(self, chunk: int, channel: int) -> None:
        self.rate = 10 * chunk + channel + 1
        self.frames = 100 * self.rate

    def read(self, start: int, end: int) -> Iterator[bytes]:
        raise AssertionError("not read")


class Kept:
    """Keeps what it gets, by chunk and channel."""

    def __init__(self) -> None:
        self.parts: dict[tuple[int, int], Part] = {}

    def get(self, chunk: int, channel: int) -> Part | None:
        return self.parts.get((chunk, channel))

    def put(self, chunk: int, channel: int, utterances: Iterable[Utterance], until: float) -> Part:
        before = self.parts.get((chunk, channel), Part((), 0.0))
        self.parts[chunk, channel] = Part((*before.utterances, *utterances), until)
        return self.parts[chunk, channel]


def test_only_what_holds_speech_is_transcribed_and_comes_back_in_the_recordings_time() -> None:
    signal = Signal(100, (signal_of([(1, 2), (61, 62)]), signal_of([]), signal_of([(71, 72)])), PIECES)
    opened_files: list[tuple[int, int]] = []

    def audio(chunk: int, channel: int) -> ChannelAudio:
        opened_files.append((chunk, channel))
        return Named(chunk, channel)

    found = transcribed(Parrot(), signal, audio, Kept())
    assert opened_files == [(0, 0), (1, 2)]
    assert [(one.channel, one.start, one.end, one.text) for one in found] == [
        (0, 1, 2, "file 1"),
        (0, 61, 62, "file 1"),
        (2, 71, 72, "file 13"),
    ]


class Long:
    """A transcriber that breaks off once after so many stretches, and tells how long each is and where speech is."""

    locale = "en-US"

    def __init__(self, breaks_after: int) -> None:
        self.asked: list[tuple[float, list[Span]]] = []
        self._breaks_after = breaks_after

    def transcribe(self, audio: ChannelAudio, *, channel: int, speech: Sequence[Span] = ()) -> list[Utterance]:
        if len(self.asked) == self._breaks_after:
            self._breaks_after = -1
            raise TranscriptionFailed("the speech service answered 503", 503)
        self.asked.append((audio.frames / audio.rate, list(speech)))
        first = int(np.frombuffer(b"".join(audio.read(0, 1)), "<i2")[0])
        return [Utterance(channel, 0.5, 1.0, str(first), words=(Word("a", 0.5, 1.0),))]


class Tone:
    """Audio in which every frame is the number of its second."""

    def __init__(self, seconds: int) -> None:
        self.rate, self.frames = 10, 10 * seconds

    def read(self, start: int, end: int) -> Iterator[bytes]:
        yield (np.arange(start, end) // self.rate).astype("<i2").tobytes()


def test_of_a_long_channel_each_stretch_is_transcribed_once_though_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "cuts", lambda seconds, speech: cuts(seconds, speech, 10))
    spoken = [(0.0, 7.0), (9.0, 12.0), (13.0, 21.0)]
    signal = Signal(22, (signal_of(spoken),), (Piece(Span(0, 22), 0, 0.0),))
    long, kept = Long(breaks_after=1), Kept()
    with pytest.raises(TranscriptionFailed):
        transcribed(long, signal, lambda *_: Tone(22), kept)
    found = transcribed(long, signal, lambda *_: Tone(22), kept)
    assert [seconds for seconds, _ in long.asked] == [8, 10, 4], "between 7 and 9; at the limit; the rest"
    assert long.asked[1][1] == [Span(1, 4), Span(5, 10)]
    assert [(one.start, one.text, one.words[0].start) for one in found] == [
        (0.5, "0", 0.5),
        (8.5, "8", 8.5),
        (18.5, "18", 18.5),
    ]
    assert transcribed(long, signal, lambda *_: Tone(22), kept) == found
    assert len(long.asked) == 3


def test_stretches_that_were_cut_elsewhere_meanwhile_are_taken_up_where_the_last_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(channels, "cuts", lambda seconds, speech: cuts(seconds, speech, 10))
    signal = Signal(22, (signal_of([(0, 21)]),), (Piece(Span(0, 22), 0, 0.0),))
    long, kept = Long(breaks_after=-1), Kept()
    kept.put(0, 0, (), 14.0)
    assert [one.text for one in transcribed(long, signal, lambda *_: Tone(22), kept)] == ["14", "20"]


def test_a_stretch_in_which_nobody_speaks_is_not_transcribed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "cuts", lambda seconds, speech: cuts(seconds, speech, 10))
    signal = Signal(30, (signal_of([(1, 2), (28, 29)]),), (Piece(Span(0, 30), 0, 0.0),))
    long = Long(breaks_after=-1)
    transcribed(long, signal, lambda *_: Tone(30), Kept())
    assert len(long.asked) == 2


@pytest.mark.parametrize(
    ("seconds", "spans", "longest", "pieces"),
    [
        (10, [], 10, [Span(0, 10)]),
        (25, [], 10, [Span(0, 10), Span(10, 20), Span(20, 25)]),
        (12, [Span(0, 12)], 10, [Span(0, 10), Span(10, 12)]),
        (12, [Span(0, 2), Span(6, 6.5), Span(8.5, 12)], 10, [Span(0, 7.5), Span(7.5, 12)]),
        (4000, [Span(0, 3400), Span(3402, 4000)], 3600, [Span(0, 3401), Span(3401, 4000)]),
    ],
    ids=["short", "nothing-known", "no-silence", "the-longest-silence", "an-hour"],
)
def test_audio_is_cut_in_the_longest_silence(
    seconds: float, spans: list[Span], longest: float, pieces: list[Span]
) -> None:
    assert cuts(seconds, spans, longest) == pieces
