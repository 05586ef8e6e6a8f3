from __future__ import annotations

import math
import struct

import pytest

from acs_emulator.audio import SAMPLE_RATE, Clip, key_tones

_ROWS = (697, 770, 852, 941)
_COLUMNS = (1209, 1336, 1477, 1633)
_KEYPAD = ("123A", "456B", "789C", "*0#D")


def _samples(clip: Clip) -> tuple[int, ...]:
    return struct.unpack(f"<{len(clip.samples) // 2}h", clip.samples)


def _goertzel(samples: tuple[int, ...], hertz: float) -> float:
    """The power at one frequency."""
    coefficient = 2 * math.cos(2 * math.pi * hertz / SAMPLE_RATE)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + coefficient * last - before
    return before**2 + last**2 - coefficient * before * last


def _key(samples: tuple[int, ...]) -> str:
    rows = [_goertzel(samples, hertz) for hertz in _ROWS]
    columns = [_goertzel(samples, hertz) for hertz in _COLUMNS]
    for powers in (rows, columns):
        assert max(powers) > 20 * sorted(powers)[-2], "one frequency of the group must stand out"
    return _KEYPAD[rows.index(max(rows))][columns.index(max(columns))]


@pytest.mark.parametrize(("tone", "gap"), [(0.1, 0.1), (0.04, 0.04)])
def test_every_key_is_heard_as_itself(tone: float, gap: float) -> None:
    keys = "".join(_KEYPAD)
    samples = _samples(key_tones(keys, tone=tone, gap=gap))
    step, length = round((tone + gap) * SAMPLE_RATE), round(tone * SAMPLE_RATE)

    heard = "".join(_key(samples[n * step : n * step + length]) for n in range(len(keys)))

    assert heard == keys


def test_between_keys_there_is_silence() -> None:
    samples = _samples(key_tones("5", tone=0.1, gap=0.05))

    assert len(samples) == 2400
    assert set(samples[1600:]) == {0}


def test_a_tone_is_loud_and_does_not_clip() -> None:
    samples = _samples(key_tones("0123456789ABCD*#"))

    assert 8_000 < max(map(abs, samples)) < 16_384


def test_small_letters_are_keys_too() -> None:
    assert key_tones("abcd") == key_tones("ABCD")


def test_no_keys_make_no_sound() -> None:
    assert key_tones("").duration == 0


@pytest.mark.parametrize("keys", ["12E", "1 2", "+1"])
def test_what_no_telephone_has_is_refused(keys: str) -> None:
    with pytest.raises(ValueError, match="not keys of a telephone"):
        key_tones(keys)


@pytest.mark.parametrize(("tone", "gap"), [(0, 0.1), (-1, 0.1), (0.1, -0.1)])
def test_impossible_lengths_are_refused(tone: float, gap: float) -> None:
    with pytest.raises(ValueError, match="length"):
        key_tones("1", tone=tone, gap=gap)
