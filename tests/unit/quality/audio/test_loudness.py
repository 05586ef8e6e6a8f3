"""Loudness against the standard's own figures, pyloudnorm, and an exact sum."""

from __future__ import annotations

import numpy as np
import pytest

from shared.quality.audio import loudness
from shared.quality.audio.loudness import LoudnessMeter
from tests.unit.quality.audio import scenes
from tests.unit.quality.audio.scenes import RATE, Sound


def measured(sound: Sound, rate: int = RATE, step: int = 20) -> LoudnessMeter:
    meter = LoudnessMeter(rate)
    for at in range(0, len(sound), step * rate):
        meter.feed(sound[at : at + step * rate])
    return meter


def integrated(sound: Sound, rate: int = RATE) -> float:
    found = loudness.integrated(measured(sound, rate).momentary)
    assert found is not None
    return found


def soundtracks() -> dict[str, Sound]:
    random = np.random.default_rng(7)
    talk = scenes.conversation(120, 2, seed=2).sound
    noisy = scenes.conversation(120, 2, seed=4, noise_dbfs=-50).sound
    return {
        "speech": talk[0],
        "speech-with-noise": noisy[1],
        "soft-speech": talk[1] * np.float32(0.05),
        "music": scenes.hold_music(60),
        "noise": scenes.noise((60 * RATE,), -30, random),
        "tone-997": scenes.tone(20, 997.0),
        "hum-50": scenes.tone(20, 50.0, 150.0),
        "treble": scenes.tone(20, 5000.0),
    }


@pytest.fixture(scope="module")
def tracks() -> dict[str, Sound]:
    return soundtracks()


TRACKS = ("speech", "speech-with-noise", "soft-speech", "music", "noise", "tone-997", "hum-50", "treble")


@pytest.mark.parametrize("filters", ["K-weighting", "DeMan"])
@pytest.mark.parametrize("track", TRACKS)
def test_integrated_loudness_is_that_of_pyloudnorm(track: str, filters: str, tracks: dict[str, Sound]) -> None:
    import pyloudnorm  # brings scipy: seconds, which no other worker need spend

    expected = pyloudnorm.Meter(RATE, filters).integrated_loudness(tracks[track].astype(np.float64))
    assert integrated(tracks[track]) == pytest.approx(expected, abs=0.2)


@pytest.mark.parametrize("track", ["speech", "speech-with-noise", "soft-speech", "music"])
def test_the_loudness_range_is_that_of_pyloudnorm(track: str, tracks: dict[str, Sound]) -> None:
    import pyloudnorm  # brings scipy: seconds, which no other worker need spend

    expected = pyloudnorm.Meter(RATE).loudness_range(tracks[track].astype(np.float64))
    # Its blocks are 90 ms apart, ours 100 ms, and it goes on for 1.5 s of silence.
    assert loudness.loudness_range(measured(tracks[track]).short_term) == pytest.approx(expected, abs=0.6)


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_a_full_scale_sine_wave_at_997_hertz_is_3_01_below_zero_at_every_rate(rate: int) -> None:
    time = np.arange(10 * rate) / rate
    assert integrated(np.sin(2 * np.pi * 997 * time).astype(np.float32), rate) == pytest.approx(-3.01, abs=0.01)


def test_the_histogram_gates_as_the_blocks_themselves_would_be() -> None:
    random = np.random.default_rng(3)
    levels = np.repeat(random.uniform(-75, -15, 240), 5 * RATE // 10)
    sound = (random.standard_normal(len(levels)) * 10 ** (levels / 20)).astype(np.float32)
    spectrum = np.fft.rfft(sound.reshape(-1, RATE // 10).astype(np.float64))
    weights = loudness.k_weights(RATE, RATE // 10).astype(np.float64)
    cells = (np.abs(spectrum) ** 2 * weights * np.r_[1, np.full(799, 2), 1]).sum(axis=1) / (RATE // 10) ** 2
    blocks = np.convolve(cells, np.full(4, 0.25), "valid")
    blocks = blocks[blocks >= 10 ** ((-70 + 0.691) / 10)]
    exact = blocks[blocks > blocks.mean() / 10].mean()
    assert integrated(sound) == pytest.approx(-0.691 + 10 * np.log10(exact), abs=0.01)


def test_chunks_add_up_to_the_whole(tracks: dict[str, Sound]) -> None:
    sound = tracks["speech-with-noise"]
    whole = measured(sound)
    parts = [measured(part) for part in (sound[: 37 * RATE], sound[37 * RATE : 90 * RATE], sound[90 * RATE :])]
    momentary = loudness.merged(part.momentary for part in parts)
    short_term = loudness.merged(part.short_term for part in parts)
    expected = loudness.integrated(whole.momentary)
    assert loudness.integrated(momentary) == pytest.approx(expected, abs=0.1)
    expected = loudness.loudness_range(whole.short_term)
    assert loudness.loudness_range(short_term) == pytest.approx(expected, abs=1.0)


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(np.zeros(5 * RATE, np.float32), id="digital-silence"),
        pytest.param(scenes.tone(5, 997.0, dbfs=-75.0), id="below-the-gate"),
        pytest.param(scenes.tone(0.35, 997.0), id="shorter-than-a-block"),
        pytest.param(np.zeros(0, np.float32), id="nothing"),
    ],
)
def test_what_is_too_quiet_or_too_short_has_no_loudness(sound: Sound) -> None:
    meter = measured(sound)
    assert loudness.integrated(meter.momentary) is None
    assert loudness.loudness_range(meter.short_term) is None


def test_the_range_of_steady_sound_is_nothing_and_of_two_levels_their_difference() -> None:
    steady = scenes.tone(30, 997.0)
    assert loudness.loudness_range(measured(steady).short_term) == pytest.approx(0, abs=0.05)
    two = np.concatenate([scenes.tone(30, 997.0, dbfs=-20.0), scenes.tone(30, 997.0, dbfs=-30.0)])
    assert loudness.loudness_range(measured(two).short_term) == pytest.approx(10, abs=0.1)  # EBU Tech 3342, test 1
