"""The frames of a person's microphone: where they stand in the sound of the call, and when somebody speaks."""

from __future__ import annotations

import math
import struct

import pytest

from acs_emulator.audio.track import Track
from acs_emulator.phones.microphone import Microphone, SpeechGate, Utterance

MILLISECOND = 16
FRAME = 320


def frame(level: int = 3000) -> bytes:
    """20 ms of a tone."""
    return struct.pack("<320h", *(round(level * math.sin(n / 5)) for n in range(FRAME)))


QUIET = frame(20)


class Room:
    """A microphone with a clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000 * MILLISECOND
        self.track = Track(lambda: self.now)
        self.began = 0
        self.said: list[Utterance] = []
        self.microphone = Microphone(lambda: self.now, self._begin, self.said.append)

    def _begin(self) -> None:
        self.began += 1

    def hear(self, *frames: bytes, every: int = 20) -> None:
        """Frames that come so many milliseconds apart."""
        for one in frames:
            self.microphone.hear(one, self.track)
            self.now += every * MILLISECOND

    def spans(self) -> list[tuple[int, int, str]]:
        """Begin, length and kind of each span, in milliseconds from the first moment."""
        found = self.track.spans(0, 1 << 40)
        return [(span.start // MILLISECOND - 1000, span.length // MILLISECOND, span.kind) for span in found]


def test_frames_stand_one_after_the_other_80_ms_ahead_of_the_clock() -> None:
    room = Room()
    room.hear(*[QUIET] * 5)
    assert room.spans() == [(80, 100, "background")]
    assert room.track.pieces(1080 * MILLISECOND, 1100 * MILLISECOND) == [(0, QUIET)]


def test_frames_that_come_late_and_all_at_once_leave_no_gap() -> None:
    room = Room()
    room.hear(*[QUIET] * 5)
    room.now += 200 * MILLISECOND
    room.hear(*[QUIET] * 10, every=0)
    assert room.spans() == [(80, 300, "background")]


def test_frames_that_stay_late_are_laid_ahead_again_after_half_a_second() -> None:
    room = Room()
    room.hear(QUIET)
    room.now += 150 * MILLISECOND
    room.hear(*[QUIET] * 30)
    assert [begin for begin, _, _ in room.spans()] == [80, 770]


def test_after_a_long_silence_it_begins_anew() -> None:
    room = Room()
    room.hear(QUIET)
    room.now += 2000 * MILLISECOND
    room.hear(QUIET)
    assert room.spans() == [(80, 20, "background"), (2100, 20, "background")]


def test_what_a_browser_that_slept_sends_at_once_is_kept_up_to_400_ms_ahead() -> None:
    room = Room()
    room.hear(*[QUIET] * 40, every=0)
    assert room.spans() == [(80, 340, "background")]
    assert room.microphone.dropped == 23


def test_speech_is_a_span_of_its_own_that_ends_after_600_ms_of_quiet() -> None:
    room = Room()
    room.hear(*[QUIET] * 10, *[frame()] * 25, *[QUIET] * 40)
    assert room.began == 1
    (utterance,) = room.said
    assert [(length, kind) for _, length, kind in room.spans()] == [
        (260, "background"),
        (1040, "speech"),
        (200, "background"),
    ]
    assert utterance.seconds == pytest.approx(1.04)
    assert utterance.pcm.count(frame()) == 25, "the onset, which comes before it is known as speech, is there as well"


def test_speech_ends_when_the_microphone_is_switched_off() -> None:
    room = Room()
    room.hear(*[frame()] * 10)
    room.microphone.stop()
    assert len(room.said) == 1
    room.microphone.stop()
    assert len(room.said) == 1


def test_a_single_loud_frame_is_no_speech() -> None:
    gate = SpeechGate()
    assert [gate.feed(one) for one in [QUIET, frame(), QUIET, QUIET, frame(), QUIET]] == [False] * 6


def test_a_steady_noise_is_no_speech_but_a_voice_above_it_is() -> None:
    gate = SpeechGate()
    noise = frame(600)
    for _ in range(300):
        gate.feed(noise)
    assert not gate.speaking
    assert [gate.feed(frame(6000)) for _ in range(4)] == [False, False, False, True]


def test_a_frame_of_another_length_is_refused() -> None:
    room = Room()
    with pytest.raises(ValueError, match="a frame has 640 bytes, not 3"):
        room.microphone.hear(b"abc", room.track)
