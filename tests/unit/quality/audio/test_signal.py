"""One file: the blocks it comes in do not matter, what it says survives JSON, and the levels are right."""

from __future__ import annotations

import json
import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import UnreadableAudio
from shared.quality.audio.signal import AudioPass, ChunkSignal
from tests.unit.quality.audio import scenes
from tests.unit.quality.audio.analysis import analysed, chunk, signal_of
from tests.unit.quality.audio.scenes import RATE

SCENE = scenes.conversation(50, 3, seed=6, noise_dbfs=-60)
FILE = scenes.wav(SCENE.sound)
WHOLE = analysed(FILE, len(FILE))


@given(blocks=st.lists(st.integers(1, 400_000), min_size=1, max_size=12))
@settings(max_examples=10, deadline=None)
def test_blocks_of_any_size_give_the_same_signal(blocks: list[int]) -> None:
    audio, at, number = AudioPass(), 0, 0
    while at < len(FILE):
        size = blocks[number % len(blocks)] if number < 200 else len(FILE)
        audio.feed(FILE[at : at + size])
        at, number = at + size, number + 1
    assert audio.finish() == WHOLE


def test_single_bytes_give_the_same_signal() -> None:
    file = scenes.wav(SCENE.sound[:, : 2 * RATE])
    assert analysed(file, 1) == analysed(file)


def test_a_signal_comes_back_from_json_as_it_was() -> None:
    assert len(WHOLE.channels) == 3
    assert any(channel.speech and channel.momentary and channel.rest for channel in WHOLE.channels)
    assert ChunkSignal.from_json(WHOLE.to_json()) == WHOLE


def test_a_signal_of_another_version_is_refused() -> None:
    fields = json.loads(WHOLE.to_json()) | {"version": 99}
    with pytest.raises(ValueError, match="version 99"):
        ChunkSignal.from_json(json.dumps(fields))


def test_four_hours_of_five_channels_stay_below_2_mb() -> None:
    talk = chunk(scenes.conversation(120, 5, seed=8, noise_dbfs=-50).sound)
    every_bin = {place: (place + 1000, 1e-3 / (place + 1001)) for place in range(-700, 100)}
    long = [
        replace(
            channel,
            speech=tuple((a + at, b + at) for at in range(0, 1_440_000, 12_000) for a, b in channel.speech),
            momentary=every_bin,
            short_term=every_bin,
        )
        for channel in talk.channels
    ]
    assert 200_000 < len(replace(talk, seconds=14_400.0, channels=tuple(long)).to_json()) < 2_000_000


@pytest.mark.parametrize("seconds", [0.0, 0.003, 0.3, 19.99, 20.0, 20.5, 21.003, 41.7])
def test_the_length_is_that_of_the_file(seconds: float) -> None:
    signal = chunk(SCENE.sound[:, : round(seconds * RATE)])
    assert signal.seconds == pytest.approx(seconds, abs=1e-9)
    assert [channel.samples for channel in signal.channels] == [round(seconds * RATE)] * 3


def test_of_a_cut_off_file_what_came_is_analysed_and_the_rest_is_counted() -> None:
    audio = AudioPass()
    audio.feed(FILE[:100_000])
    signal = audio.finish()
    assert audio.missing == len(FILE) - 100_000
    assert signal.seconds == pytest.approx(99_956 // 6 / RATE)


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(UnreadableAudio, match="the file has 0 bytes"):
        AudioPass().finish()


def test_a_header_that_can_not_be_read_is_refused_at_once() -> None:
    with pytest.raises(UnreadableAudio, match=r"fmt \.channels: 6"):
        AudioPass().feed(scenes.wav_header(6, 1000) + bytes(100))


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_every_width_gives_about_the_same_signal(bits: int) -> None:
    found = signal_of(SCENE.sound[:2], bits=bits)
    expected = signal_of(SCENE.sound[:2])
    for one, other in zip(found.channels, expected.channels, strict=True):
        assert one.loudness == pytest.approx(other.loudness, abs=0.1 if bits > 8 else 0.3)
        assert one.peak == pytest.approx(other.peak, abs=0.1)


# Levels


def file_of(*samples: int) -> bytes:
    return scenes.wav_header(1, 2 * len(samples)) + struct.pack(f"<{len(samples)}h", *samples)


@pytest.mark.parametrize(
    ("samples", "clipped"),
    [
        pytest.param([0, 32767, 0, 0], 0, id="one-alone"),
        pytest.param([0, 32767, 32767, 0], 2, id="two"),
        pytest.param([-32768, -32768, -32768, 32767], 4, id="a-run-from-start-to-end"),
        pytest.param([32767, 0, 32767, 0, -32768], 0, id="three-alone"),
        pytest.param([32766, 32766, 32766, 32766], 0, id="just-below"),
        pytest.param([5, 5, 32767, 32767], 2, id="at-the-end"),
    ],
)
def test_clipping_is_two_or_more_samples_at_full_scale(samples: list[int], clipped: int) -> None:
    assert analysed(file_of(*samples)).channels[0].clipped == clipped


@pytest.mark.parametrize("at", [20 * RATE - 1, 20 * RATE - 2, 20 * RATE])
def test_a_clipped_run_across_the_steps_of_the_analysis_is_counted_whole(at: int) -> None:
    samples = np.zeros(21 * RATE, np.int16)
    samples[at : at + 3] = 32767
    assert analysed(file_of(*samples.tolist())).channels[0].clipped == 3


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_full_scale_is_that_of_the_width(bits: int) -> None:
    sound = np.array([[-1.0, -1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.99]], np.float32)
    assert analysed(scenes.wav(sound, bits=bits)).channels[0].clipped == 5


def test_the_peak_is_the_highest_sample_on_either_side() -> None:
    assert signal_of(np.array([0.1, -0.5, 0.25], np.float32)).channels[0].peak == pytest.approx(-6.02, abs=0.01)


@pytest.mark.parametrize("noise", [-40.0, -60.0, -75.0])
def test_the_noise_floor_is_the_noise_below_the_speech(noise: float) -> None:
    scene = scenes.conversation(60, 2, seed=9, noise_dbfs=noise)
    for channel in signal_of(scene.sound).channels:
        assert channel.noise_floor == pytest.approx(noise, abs=1.5)


def test_digital_silence_has_no_noise_floor_and_no_peak() -> None:
    signal = signal_of(np.stack([np.zeros(10 * RATE, np.float32), scenes.tone(10, 440.0)]))
    silent, loud = signal.channels
    assert (silent.silent, silent.peak, silent.noise_floor, silent.loudness) == (True, None, None, None)
    assert not loud.silent
    assert loud.noise_floor == pytest.approx(-20, abs=1)


def test_the_least_noise_of_a_line_is_silence() -> None:
    dither = np.random.default_rng(1).integers(-1, 2, 5 * RATE).astype(np.float32) / np.float32(32768)
    (channel,) = signal_of(dither).channels
    assert channel.silent
    assert channel.peak == pytest.approx(-90.3, abs=0.1)
