"""WAV from a stream: every format that is read, and a clear error for everything else."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import UnreadableAudio
from shared.quality.audio.wav import Samples, WavHeader, WavStream
from tests.examples import examples
from tests.unit.quality.audio import scenes

SOUND = np.random.default_rng(1).uniform(-1, 1 - 2**-7, (3, 500)).astype(np.float32)
_TAG_GUID = bytes.fromhex("000000001000800000aa00389b71")


def read(file: bytes, block: int = 1 << 20) -> tuple[WavHeader, np.ndarray]:
    stream = WavStream()
    parts = [stream.feed(file[at : at + block]) for at in range(0, len(file), block)]
    header = stream.finish()
    return header, np.concatenate([part for part in parts if len(part)] or parts)


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    return name + struct.pack("<I", len(body) if size is None else size) + body + b"\0" * (len(body) % 2)


def fmt(channels: int = 1, bits: int = 16, *, rate: int = 16_000, tag: int = 1, align: int | None = None) -> bytes:
    align = channels * bits // 8 if align is None else align
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * align, align, bits))


def riff(*chunks: bytes, name: bytes = b"RIFF", kind: bytes = b"WAVE") -> bytes:
    return name + struct.pack("<I", 4 + sum(map(len, chunks)) & 0xFFFFFFFF) + kind + b"".join(chunks)


DATA = np.arange(-50, 50, dtype="<i2").tobytes()


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_samples_of_every_width_and_number_of_channels_come_out_as_they_went_in(bits: int, channels: int) -> None:
    sound = np.resize(SOUND, (channels, 300))
    header, samples = read(scenes.wav(sound, bits=bits))
    assert (header.bits, header.channels, header.sample_rate, header.data_offset) == (bits, channels, 16_000, 44)
    assert header.data_bytes == 300 * channels * bits // 8
    assert samples.shape == (300, channels)
    np.testing.assert_allclose(samples.T / header.full_scale, sound, atol=1.01 * 2.0 ** -min(bits, 24))


@pytest.mark.parametrize(("bits", "lowest", "highest"), [(8, b"\0", b"\xff"), (24, b"\0\0\x80", b"\xff\xff\x7f")])
def test_the_ends_of_the_scale_keep_their_sign(bits: int, lowest: bytes, highest: bytes) -> None:
    header, samples = read(riff(fmt(1, bits), chunk(b"data", lowest + highest)))
    assert samples[:, 0].tolist() == [-header.full_scale, header.full_scale - 1]


@given(blocks=st.lists(st.integers(1, 700), min_size=1, max_size=40), bits=st.sampled_from([8, 16, 24, 32]))
@settings(max_examples=examples(40), deadline=None)
def test_blocks_of_any_size_give_the_same_samples(blocks: list[int], bits: int) -> None:
    file = riff(chunk(b"LIST", b"odd"), fmt(3, bits), chunk(b"data", scenes.wav(SOUND[:, :80], bits=bits)[44:]))
    stream, at = WavStream(), 0
    parts: list[Samples] = []
    while at < len(file):
        size = blocks[len(parts) % len(blocks)]
        parts.append(stream.feed(file[at : at + size]))
        at += size
    assert stream.finish() == read(file)[0]
    np.testing.assert_array_equal(np.concatenate([part for part in parts if len(part)]), read(file)[1])


def test_chunks_before_and_after_the_samples_are_passed_over() -> None:
    header, samples = read(riff(chunk(b"LIST", b"odd"), fmt(), chunk(b"data", DATA), chunk(b"LIST", b"after")))
    assert header.data_offset == 12 + 12 + 24 + 8
    assert samples.tobytes() == DATA


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_size_that_was_never_filled_in_means_up_to_the_end(size: int) -> None:
    header, samples = read(riff(fmt(), chunk(b"data", DATA, size)))
    assert header.data_bytes is None
    assert samples.tobytes() == DATA


@pytest.mark.parametrize("name", [b"RF64", b"BW64"])
def test_an_rf64_file_tells_its_size_in_64_bits(name: bytes) -> None:
    sizes = chunk(b"ds64", struct.pack("<QQQI", 0, len(DATA), 50, 0))
    file = riff(sizes, fmt(), chunk(b"data", DATA, 0xFFFFFFFF), chunk(b"LIST", b"more"), name=name)
    header, samples = read(file)
    assert header.data_bytes == len(DATA)
    assert samples.tobytes() == DATA


def test_an_rf64_file_of_more_than_4_gb_that_is_cut_off_says_what_is_missing() -> None:
    sizes = chunk(b"ds64", struct.pack("<QQQI", 0, 5_000_000_000, 0, 0))
    stream = WavStream()
    stream.feed(riff(sizes, fmt(), chunk(b"data", DATA, 0xFFFFFFFF), name=b"RF64"))
    stream.finish()
    assert stream.missing == 5_000_000_000 - len(DATA)


@pytest.mark.parametrize(("cut", "missing"), [(0, 0), (7, 7), (3000, 3000)])
def test_a_file_that_ends_before_its_header_says_gives_what_came(cut: int, missing: int) -> None:
    stream, file = WavStream(), scenes.wav(SOUND)
    samples = stream.feed(file[: len(file) - cut])
    stream.finish()
    assert stream.missing == missing
    assert len(samples) == (3000 - cut) // stream.finish().block_align


def test_pcm_may_be_called_extensible() -> None:
    body = struct.pack("<HHIIHHHHIH", 0xFFFE, 1, 16_000, 32_000, 2, 16, 22, 16, 4, 1) + _TAG_GUID
    header, samples = read(riff(chunk(b"fmt ", body), chunk(b"data", DATA)))
    assert (header.channels, header.bits) == (1, 16)
    assert samples.tobytes() == DATA


EXTENSIBLE_FLOAT = struct.pack("<HHIIHHHHIH", 0xFFFE, 1, 16_000, 64_000, 4, 32, 22, 32, 4, 3) + _TAG_GUID


@pytest.mark.parametrize(
    ("file", "message"),
    [
        pytest.param(b"", r"file: the file has 0 bytes", id="empty"),
        pytest.param(b"RIFF\0\0", r"header: the file ends after 6 bytes", id="six-bytes"),
        pytest.param(riff(fmt()), r"header: the file ends after 36 bytes", id="no-data"),
        pytest.param(b"ID3\x04" + b"\0" * 50, r"RIFF: the file is MP3", id="mp3-with-a-tag"),
        pytest.param(b"\xff\xfb\x90\x64" + b"\0" * 50, r"RIFF: the file is MP3", id="mp3"),
        pytest.param(b'{"error": 404}', r"RIFF: the file begins with 7b 22 65 72", id="json"),
        pytest.param(riff(fmt(), kind=b"AVI "), r"WAVE: .* 41 56 49 20", id="avi"),
        pytest.param(riff(chunk(b"data", DATA)), r"fmt : the samples come before", id="no-format"),
        pytest.param(riff(fmt(tag=3, bits=32)), r"fmt .format_tag: 0x0003 \(floating point\)", id="float"),
        pytest.param(riff(fmt(tag=7, bits=8)), r"fmt .format_tag: 0x0007 \(mu-law\)", id="mu-law"),
        pytest.param(riff(chunk(b"fmt ", EXTENSIBLE_FLOAT)), r"fmt .format_tag: 0x0003", id="extensible-float"),
        pytest.param(riff(fmt(tag=0xFFFE)), r"fmt .sub_format: ", id="extensible-without-more"),
        pytest.param(riff(fmt(0)), r"fmt .channels: 0; 1 to 5", id="no-channels"),
        pytest.param(riff(fmt(6)), r"fmt .channels: 6; 1 to 5", id="six-channels"),
        pytest.param(riff(fmt(bits=12, align=2)), r"fmt .bits_per_sample: 12", id="12-bits"),
        pytest.param(riff(fmt(align=4)), r"fmt .block_align: 4, but 1 × 16", id="block-align"),
        pytest.param(riff(fmt(rate=44_100)), r"fmt .sample_rate: 44100 Hz; 8000 and 16000", id="44100"),
        pytest.param(riff(chunk(b"fmt ", b"\1\0\1\0")), r"fmt : 4 bytes long", id="short-format"),
    ],
)
@pytest.mark.parametrize("block", [1, 7, 4096])
def test_what_can_not_be_read_is_refused_with_the_field_and_the_problem(file: bytes, message: str, block: int) -> None:
    with pytest.raises(UnreadableAudio, match=f"^{message}"):
        read(file, block)


def test_a_header_that_promises_a_huge_chunk_is_not_kept_in_memory() -> None:
    stream = WavStream()
    stream.feed(riff(chunk(b"LIST", b"", 0xFFFFFFF0)))
    for _ in range(100):
        stream.feed(bytes(1 << 16))
    assert len(stream._pending) == 0
    with pytest.raises(UnreadableAudio, match=r"before the samples"):
        stream.finish()


def test_a_file_without_a_sample_is_no_error() -> None:
    header, samples = read(riff(fmt(2), chunk(b"data", b"")))
    assert header.channels == 2
    assert samples.shape == (0, 2)
