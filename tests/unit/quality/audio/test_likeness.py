"""Channels that have the same audio, and channels that leak into others."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.quality.audio import scenes
from tests.unit.quality.audio.analysis import f1, signal_of
from tests.unit.quality.audio.scenes import RATE, Sound

NOISE = pytest.mark.parametrize("noise", [None, -60.0], ids=["digital-silence", "noise"])


def late(sound: Sound, milliseconds: int) -> Sound:
    by = milliseconds * RATE // 1000
    return np.concatenate([np.zeros(by, np.float32), sound[: len(sound) - by]])


@NOISE
@pytest.mark.parametrize("channels", [2, 5])
def test_people_who_talk_in_turns_are_not_alike(channels: int, noise: float | None) -> None:
    signal = signal_of(scenes.conversation(90, channels, seed=3, noise_dbfs=noise).sound)
    assert (signal.same_audio, signal.cross_talk) == ((), ())


@pytest.mark.parametrize("level", [1.0, 0.3, 0.1])
def test_people_who_talk_all_the_time_at_once_are_not_alike(level: float) -> None:
    one, other = (scenes.conversation(90, 1, seed=seed, noise_dbfs=-60).sound[0] for seed in (1, 2))
    signal = signal_of(np.stack([one, other * np.float32(level)]))
    assert (signal.same_audio, signal.cross_talk) == ((), ())


def test_silent_channels_are_not_alike() -> None:
    sound = np.zeros((3, 30 * RATE), np.float32)
    sound[2] = scenes.noise((30 * RATE,), -70, np.random.default_rng(1))
    signal = signal_of(sound)
    assert (signal.same_audio, signal.cross_talk) == ((), ())


@NOISE
@pytest.mark.parametrize("delay", [0, 30, 100])
@pytest.mark.parametrize("gain", [1.0, 0.7])
def test_the_same_sound_twice_is_noticed_and_its_speech_is_kept(gain: float, delay: int, noise: float | None) -> None:
    scene = scenes.conversation(60, 2, seed=5, noise_dbfs=noise)
    mixed = np.clip(scene.sound.sum(axis=0), -1, 0.99)
    signal = signal_of(np.stack([mixed, late(mixed, delay) * np.float32(gain)]))
    assert signal.same_audio == ((0, 1),)
    assert signal.cross_talk == ()
    truth = [span for spans in scene.speech for span in spans]
    assert all(f1(channel.speech, truth, 60) > 0.9 for channel in signal.channels)


@NOISE
@pytest.mark.parametrize(("decibels", "delay"), [(-12, 0), (-20, 50), (-30, 100)])
def test_a_leak_is_noticed_in_its_direction_and_is_not_the_other_ones_speech(
    decibels: int, delay: int, noise: float | None
) -> None:
    scene = scenes.conversation(90, 2, seed=3, noise_dbfs=noise)
    sound = scene.sound.copy()
    sound[1] += late(scene.sound[0], delay) * np.float32(10 ** (decibels / 20))
    signal = signal_of(sound)
    assert signal.cross_talk == ((0, 1),)
    assert signal.same_audio == ()
    for channel, truth in zip(signal.channels, scene.speech, strict=True):
        assert f1(channel.speech, truth, 90) >= 0.9


def test_a_leak_among_five_channels_is_told_from_the_rest() -> None:
    sound = scenes.conversation(120, 5, seed=3, noise_dbfs=-60).sound.copy()
    sound[3] += late(sound[1], 50) * np.float32(0.05)
    assert signal_of(sound).cross_talk == ((1, 3),)


def test_leaks_both_ways_are_both_noticed() -> None:
    scene = scenes.conversation(90, 2, seed=3)
    sound = scene.sound + np.stack([late(scene.sound[1], 40), late(scene.sound[0], 40)]) * np.float32(0.05)
    assert signal_of(sound.astype(np.float32)).cross_talk == ((0, 1), (1, 0))
