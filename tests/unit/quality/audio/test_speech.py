"""Speech is found where it was placed, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from shared.quality.audio import speech
from shared.quality.spans import total
from tests.unit.quality.audio import scenes
from tests.unit.quality.audio.analysis import f1, signal_of, worst_edge
from tests.unit.quality.audio.scenes import RATE, Sound

RANDOM = np.random.default_rng(11)


def hiss(seconds: float, dbfs: float = -55.0) -> Sound:
    return scenes.noise((round(seconds * RATE),), dbfs, RANDOM)


@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.parametrize("noise", [None, -60.0, -45.0], ids=["digital-silence", "quiet-noise", "noise"])
def test_conversations_are_found_with_their_edges(channels: int, noise: float | None) -> None:
    scene = scenes.conversation(75, channels, seed=20 + channels, noise_dbfs=noise)
    found = signal_of(scene.sound).channels
    for channel, truth in zip(found, scene.speech, strict=True):
        assert f1(channel.speech, truth, scene.seconds) >= 0.93
        assert worst_edge(channel.speech, truth) <= 0.2


@pytest.mark.parametrize("level", [0.3, 0.1, 0.03])
def test_a_soft_speaker_is_found_as_well(level: float) -> None:
    scene = scenes.conversation(75, 2, seed=31, level=level)
    for channel, truth in zip(signal_of(scene.sound).channels, scene.speech, strict=True):
        assert f1(channel.speech, truth, scene.seconds) >= 0.93
        assert worst_edge(channel.speech, truth) <= 0.2


def test_noise_that_comes_and_goes_with_the_speech_does_not_move_the_edges() -> None:
    scene = scenes.conversation(75, 2, seed=33)
    sound = scene.sound.copy()
    for channel, spans in enumerate(scene.speech):
        for start, end in spans:
            low, high = max(0, round((start - 0.6) * RATE)), round((end + 0.6) * RATE)
            sound[channel, low:high] += scenes.noise(sound[channel, low:high].shape, -50, RANDOM)
    for channel_signal, truth in zip(signal_of(sound).channels, scene.speech, strict=True):
        assert f1(channel_signal.speech, truth, scene.seconds) >= 0.93
        assert worst_edge(channel_signal.speech, truth) <= 0.2


def test_hum_does_not_hide_speech() -> None:
    scene = scenes.conversation(75, 2, seed=34)
    hum = scenes.tone(75, 50, 150, 250, dbfs=-45)
    for channel, truth in zip(signal_of(scene.sound + hum).channels, scene.speech, strict=True):
        assert f1(channel.speech, truth, scene.seconds) >= 0.93
        assert worst_edge(channel.speech, truth) <= 0.2


def test_a_telephone_at_8000_hertz_is_understood() -> None:
    scene = scenes.conversation(75, 2, seed=35, noise_dbfs=-60)
    spectrum = np.fft.rfft(scene.sound, axis=1)[:, : scene.sound.shape[1] // 4 + 1]
    slow = (np.fft.irfft(spectrum, scene.sound.shape[1] // 2, axis=1) / 2).astype(np.float32)
    for channel, truth in zip(signal_of(slow, rate=8_000).channels, scene.speech, strict=True):
        assert f1(channel.speech, truth, scene.seconds) >= 0.93


def stepped_noise(seconds: float) -> Sound:
    steps = np.repeat(10 ** (np.array([-60, -45, -35, -50, -40]) / 20), round(seconds * RATE / 5))
    return (np.random.default_rng(2).standard_normal(len(steps)) * steps).astype(np.float32)


def drums(seconds: float) -> Sound:
    random = np.random.default_rng(4)
    count = round(seconds * RATE)
    beat = np.exp(-(np.arange(count) % (RATE // 3)) / (0.03 * RATE))
    return (0.2 * random.standard_normal(count) * beat).astype(np.float32)


OTHER_SOUND: dict[str, Callable[[float], Sound]] = {
    "hold-music": scenes.hold_music,
    "other-hold-music": lambda seconds: scenes.hold_music(seconds, 9),
    "soft-hold-music": lambda seconds: scenes.hold_music(seconds) * np.float32(0.1),
    "hold-music-with-noise": lambda seconds: scenes.hold_music(seconds) + hiss(seconds),
    "keys": scenes.keys,
    "keys-with-noise": lambda seconds: scenes.keys(seconds) + hiss(seconds),
    "ring-back": scenes.ring_back,
    "ring-back-with-noise": lambda seconds: scenes.ring_back(seconds) + hiss(seconds),
    "dial-tone": lambda seconds: scenes.tone(seconds, 350, 440),
    "hum": lambda seconds: scenes.tone(seconds, 50, 150, dbfs=-40),
    "noise": lambda seconds: hiss(seconds, -40),
    "noise-in-steps": stepped_noise,
    "drums": drums,
    "digital-silence": lambda seconds: np.zeros(round(seconds * RATE), np.float32),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER_SOUND)
def test_other_sound_is_not_taken_for_speech(name: str) -> None:
    (channel,) = signal_of(OTHER_SOUND[name](60)).channels
    assert total(channel.speech) <= 0.02 * 60


def test_the_model_is_loaded_once_and_not_for_what_is_never_loud(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[int] = []
    model = vars(speech)["SileroVAD"]

    def counted(sample_rate: int) -> object:
        loaded.append(sample_rate)
        return model(sample_rate)

    monkeypatch.setattr(speech, "SileroVAD", counted)
    signal_of(np.zeros((2, 30 * RATE), np.float32))
    assert loaded == []
    signal_of(scenes.conversation(75, 2, seed=20).sound)
    assert loaded == [16_000]


def test_speech_is_found_between_hold_music() -> None:
    clip = scenes.spoken()["en-us+f3"][4]
    sound = np.concatenate([scenes.hold_music(30), clip, scenes.hold_music(30, 8)])
    (channel,) = signal_of(sound).channels
    truth = [(30.0, 30 + len(clip) / RATE)]
    assert f1(channel.speech, truth, len(sound) / RATE) >= 0.85
    assert channel.speech[0].start == pytest.approx(30.0, abs=0.2)
    assert worst_edge(channel.speech, truth) <= 1.0  # the model lets go of speech slowly when music follows at once


@pytest.mark.parametrize("name", ["hold-music", "ring-back", "dial-tone", "noise", "keys"])
def test_soft_speech_after_a_long_loud_sound_is_found_at_once(name: str) -> None:
    scene = scenes.conversation(40, 1, seed=36, level=0.2, noise_dbfs=-65)
    before = OTHER_SOUND[name](51)
    (channel,) = signal_of(np.concatenate([before, scene.sound[0]])).channels
    truth = [(start + 51, end + 51) for start, end in scene.speech[0]]
    assert f1(channel.speech, truth, 91) >= 0.93
    assert channel.speech[0].start == pytest.approx(truth[0][0], abs=0.2)


@pytest.mark.parametrize("phrase", [3, 10], ids=["yes-of-course", "uh-huh"])
@pytest.mark.parametrize("voice", scenes.VOICES)
def test_one_short_answer_in_a_long_silence_is_found(voice: str, phrase: int) -> None:
    clip = scenes.spoken()[voice][phrase]
    sound = hiss(30, -65)
    sound[12 * RATE : 12 * RATE + len(clip)] += clip
    (channel,) = signal_of(sound).channels
    assert worst_edge(channel.speech, [(12.0, 12 + len(clip) / RATE)]) <= 0.2
    assert len(channel.speech) == 1
