"""Sound with a truth to it: conversations spoken from a script, music, tones and noise."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from acs_emulator.audio.studio import Studio
from acs_emulator.audio.tones import key_tones

RATE = 16_000
Sound = NDArray[np.float32]

PHRASES = (
    "Good morning, thank you for calling. How can I help you today?",
    "I ordered a washing machine two weeks ago and it has not arrived yet.",
    "Let me look that up. Could you give me the number of your order, please?",
    "Yes, of course.",
    "The driver came on Tuesday but nobody was at home, so the parcel went back to the depot.",
    "That is strange, because I was in all day and nobody rang the bell.",
    "I am sorry about that. I can send it again on Friday morning between eight and twelve.",
    "Friday is fine.",
    "Is there anything else that I can do for you?",
    "No, that was all, thank you very much for your help. Goodbye.",
    "Uh-huh.",
    "One moment please.",
)
VOICES = ("en-us", "en-us+f3", "en-us+m3", "en-us+f2", "en-us+m7")


@lru_cache(maxsize=1)
def spoken() -> dict[str, tuple[Sound, ...]]:
    """Every phrase in every voice, its own silence at both ends cut off."""

    async def speak() -> dict[str, tuple[Sound, ...]]:
        studio = Studio()
        try:
            return {
                voice: tuple([_trimmed((await studio.speak_as(phrase, voice)).samples) for phrase in PHRASES])
                for voice in VOICES
            }
        finally:
            await studio.close()

    return asyncio.run(speak())


def _trimmed(pcm: bytes) -> Sound:
    sound = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
    loud = np.flatnonzero(np.abs(sound) > 0.003)
    return np.asarray(sound[loud[0] : loud[-1] + 1], np.float32)


@dataclass(frozen=True)
class Scene:
    """Channels of one conversation.

    Attributes:
        sound: (channel, time), from -1 to 1.
        speech: for each channel, when its phrases were placed: (start, end) in seconds.
    """

    sound: Sound
    speech: tuple[tuple[tuple[float, float], ...], ...]

    @property
    def seconds(self) -> float:
        return float(self.sound.shape[1] / RATE)


def conversation(
    seconds: float, channels: int = 2, *, seed: int = 1, noise_dbfs: float | None = None, level: float = 1.0
) -> Scene:
    """Speakers in turns, with pauses of 0.4 to 1.5 s, an overlap here and there, and now and then a long silence.

    Without noise, a channel in which nobody speaks is digital silence, as in recordings of the service.
    """
    random = np.random.default_rng(seed)
    sound = np.zeros((channels, round(seconds * RATE)), np.float32)
    speech: list[list[tuple[float, float]]] = [[] for _ in range(channels)]
    at = 0.6
    channel = 0
    while True:
        phrases = spoken()[VOICES[channel % len(VOICES)]]
        for _ in range(random.integers(1, 4)):
            clip = phrases[random.integers(len(phrases))] * np.float32(level * random.uniform(0.5, 1.0))
            start = round(at * RATE)
            if start + len(clip) + RATE // 2 > sound.shape[1]:
                return Scene(_with_noise(sound, noise_dbfs, random), tuple(map(tuple, speech)))
            sound[channel, start : start + len(clip)] += clip
            end = at + len(clip) / RATE
            if not speech[channel] or at > speech[channel][-1][1]:
                speech[channel].append((at, end))
            at = end + random.uniform(0.1, 0.25)
        at += random.choice([-0.9, 0.2, 0.5, 1.2, 4.0], p=[0.15, 0.25, 0.4, 0.15, 0.05])
        last = max((spans[-1][1] for number, spans in enumerate(speech) if spans and number != channel), default=0.0)
        channel = (channel + int(random.integers(1, channels))) % channels if channels > 1 else 0
        at = max(at, speech[channel][-1][1] + 0.35 if speech[channel] else 0.0, last - 1.0, 0.0)


def _with_noise(sound: Sound, dbfs: float | None, random: np.random.Generator) -> Sound:
    if dbfs is not None:
        sound = sound + noise(sound.shape, dbfs, random)
    return np.clip(sound, -1, 1 - 2**-15).astype(np.float32)


def noise(shape: tuple[int, ...], dbfs: float, random: np.random.Generator) -> Sound:
    """White noise of this level."""
    return (random.standard_normal(shape) * 10 ** (dbfs / 20)).astype(np.float32)


def tone(seconds: float, *hertz: float, dbfs: float = -20.0) -> Sound:
    """Sine waves of equal level, `dbfs` together."""
    time = np.arange(round(seconds * RATE)) / RATE
    wave = np.sum([np.sin(2 * np.pi * frequency * time) for frequency in hertz], axis=0)
    return np.asarray(wave * 10 ** (dbfs / 20) * np.sqrt(2 / len(hertz)), np.float32)


def hold_music(seconds: float, seed: int = 3) -> Sound:
    """Chords with a melody and a beat: struck and fading notes with four harmonics, and bursts of noise as drums."""
    random = np.random.default_rng(seed)
    sound = np.zeros(round(seconds * RATE) + 2 * RATE)
    beat = 0.5
    chords = ((0, 4, 7), (-3, 0, 4), (-7, -3, 0), (-5, -1, 2))
    for number in range(int(seconds / beat)):
        start = round(number * beat * RATE)
        chord = chords[number // 4 % len(chords)]
        notes = [(12 + chord[number % 3], 0.12, 0.5), (12 + chord[random.integers(3)], 0.1, 0.25)]
        if number % 4 == 0:
            notes += [(step, 0.1, 2.0) for step in chord] + [(chord[0] - 12, 0.15, 2.0)]
        for step, loud, length in notes:
            time = np.arange(round(length * RATE)) / RATE
            hertz = 261.63 * 2 ** (step / 12)
            wave = sum(np.sin(2 * np.pi * hertz * k * time) / k**1.5 for k in (1, 2, 3, 4))
            sound[start : start + len(time)] += loud * wave * np.exp(-2.5 * time / length) * np.minimum(1, time / 0.01)
        drum = random.standard_normal(round(0.12 * RATE)) * np.exp(-np.arange(round(0.12 * RATE)) / (0.02 * RATE))
        sound[start : start + len(drum)] += (0.15 if number % 2 else 0.08) * drum
    return np.clip(sound[: round(seconds * RATE)] * 0.6, -1, 1 - 2**-15).astype(np.float32)


def ring_back(seconds: float) -> Sound:
    """440 and 480 Hz, two seconds on, four off (North America)."""
    on = (np.arange(round(seconds * RATE)) / RATE) % 6 < 2
    return tone(seconds, 440, 480) * on.astype(np.float32)


def keys(seconds: float) -> Sound:
    """Keys of a telephone, pressed over and over."""
    pressed = np.frombuffer(key_tones("1234567890*#", tone=0.15, gap=0.2).samples, "<i2").astype(np.float32) / 32768
    return np.resize(pressed, round(seconds * RATE)).astype(np.float32)


def wav(sound: Sound, *, bits: int = 16, rate: int = RATE) -> bytes:
    """A WAV file of (channel, time) or (time,)."""
    sound = np.atleast_2d(sound)
    scale = 1 << (bits - 1)
    whole = np.clip(np.round(sound.T.astype(np.float64) * scale), -scale, scale - 1).astype(np.int64)
    if bits == 8:
        data = (whole + 128).astype(np.uint8).tobytes()
    else:
        data = np.ascontiguousarray(whole[..., None].view(np.uint8)[..., : bits // 8]).tobytes()
    return wav_header(len(sound), len(data), bits=bits, rate=rate) + data


def wav_header(channels: int, data_bytes: int, *, bits: int = 16, rate: int = RATE) -> bytes:
    """RIFF, `fmt ` and the head of `data`."""
    align = channels * bits // 8
    fmt = struct.pack("<HHIIHH", 1, channels, rate, rate * align, align, bits)
    head = struct.pack("<4sI4s4sI", b"RIFF", 36 + data_bytes & 0xFFFFFFFF, b"WAVE", b"fmt ", 16)
    return head + fmt + struct.pack("<4sI", b"data", data_bytes)
