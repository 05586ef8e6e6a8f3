"""From a person's microphone to the sound of the call: where its frames stand, and when somebody speaks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from acs_emulator.audio.clip import SAMPLE_BYTES, SAMPLE_RATE
from acs_emulator.audio.track import Span, Track

#: Samples and bytes of one frame: 20 ms.
FRAME_SAMPLES = SAMPLE_RATE // 50
FRAME_BYTES = FRAME_SAMPLES * SAMPLE_BYTES
#: How far ahead of the clock sound is laid when it begins: who listens hears frames that are late by so much. Chosen.
LEAD = 4 * FRAME_SAMPLES
#: Later frames are laid where they belong, so that recordings have them; after so long it begins anew. Chosen.
LATEST = SAMPLE_RATE // 2
#: Sound that would lie further ahead is dropped: a browser that was asleep sends all at once. Chosen.
FURTHEST = SAMPLE_RATE * 2 // 5
#: Longest span of what is no speech, and of speech: what has been heard can then be forgotten.
_LONGEST_REST, _LONGEST_SPEECH = SAMPLE_RATE, 30 * SAMPLE_RATE
#: Root mean square below which nothing is speech (about -39 dB of full scale), and how far above the noise speech is.
_FLOOR, _ABOVE_NOISE = 350.0, 3.0
#: Frames of the last ones that must be loud for speech to begin, and frames of quiet that end it. Chosen.
_ONSET, _ONSET_OF, _QUIET_FRAMES = 4, 6, 30
_FIRST_NOISE, _NOISE_GROWTH = 60.0, 1.01


@dataclass(frozen=True)
class Utterance:
    """Speech that has ended: its sound with a little before it, and its span in the track."""

    pcm: bytes
    span: Span

    @property
    def seconds(self) -> float:
        return self.span.length / SAMPLE_RATE


class SpeechGate:
    """Tells speech from the noise of a room by its level, frame by frame."""

    def __init__(self) -> None:
        self.speaking = False
        self._noise = _FIRST_NOISE
        self._loud: deque[bool] = deque(maxlen=_ONSET_OF)
        self._quiet = 0

    def feed(self, pcm: bytes) -> bool:
        """Whether somebody is speaking after this frame."""
        level = _level(pcm)
        self._noise = min(level, self._noise * _NOISE_GROWTH) if level > 0 else self._noise
        loud = level > max(_FLOOR, _ABOVE_NOISE * self._noise)
        self._loud.append(loud)
        self._quiet = 0 if loud else self._quiet + 1
        if not self.speaking and sum(self._loud) >= _ONSET:
            self.speaking = True
        elif self.speaking and self._quiet >= _QUIET_FRAMES:
            self.speaking = False
            self._loud.clear()
        return self.speaking


class Microphone:
    """Lays frames on a track one after the other; ``now`` gives the current position.

    Args:
        began: told when somebody begins to speak.
        ended: told what was said, as sound.
    """

    def __init__(self, now: Callable[[], int], began: Callable[[], None], ended: Callable[[Utterance], None]) -> None:
        self._now = now
        self._began = began
        self._ended = ended
        self._gate = SpeechGate()
        self._before: deque[bytes] = deque(maxlen=_ONSET_OF + 5)
        self._said = bytearray()
        self._track: Track | None = None
        self._span: Span | None = None
        self._end = 0
        self._late_since: int | None = None
        #: Frames that came too early to be kept.
        self.dropped = 0

    def hear(self, pcm: bytes, track: Track) -> None:
        """One frame of 16-bit PCM mono at 16,000 Hz. Raises ValueError for another length."""
        if len(pcm) != FRAME_BYTES:
            raise ValueError(f"a frame has {FRAME_BYTES} bytes, not {len(pcm)}")
        now = self._now()
        if track is not self._track or self._too_late(now):
            self._track, self._span, self._end, self._late_since = track, None, now + LEAD, None
        if self._end - now > FURTHEST:
            self.dropped += 1
            return
        was, speaking = self._gate.speaking, self._gate.feed(pcm)
        if speaking and not was:
            self._said = bytearray(b"".join(self._before))
            self._begin(pcm, "speech")
            self._began()
        else:
            self._lay(pcm, "speech" if speaking or was else "background")
        self._before.append(pcm)
        if speaking or was:
            self._said += pcm
        if was and not speaking:
            self._finish()

    def stop(self) -> None:
        """No frame follows: who is speaking has ended."""
        self._track = None
        if self._gate.speaking:
            self._gate = SpeechGate()
            self._finish()

    def _too_late(self, now: int) -> bool:
        """Whether frames come later than the clock all the time, and do not catch up."""
        if self._end >= now:
            self._late_since = None
        elif self._late_since is None:
            self._late_since = now
        behind = now - self._end
        return behind > LATEST or (self._late_since is not None and now - self._late_since > LATEST)

    def _finish(self) -> None:
        span = self._span
        self._span = None
        if span is not None:
            self._ended(Utterance(bytes(self._said), span))
        self._said = bytearray()

    def _lay(self, pcm: bytes, kind: str) -> None:
        span = self._span
        longest = _LONGEST_SPEECH if kind == "speech" else _LONGEST_REST
        if span is None or span.kind != kind or span.end != self._end or span.length >= longest:
            self._begin(pcm, kind)
            return
        assert isinstance(span.samples, bytearray)
        span.samples += pcm
        span.length += FRAME_SAMPLES
        self._end = span.end

    def _begin(self, pcm: bytes, kind: str) -> None:
        assert self._track is not None
        self._span = self._track.append(Span(self._end, bytearray(pcm), kind))
        self._end = self._span.end


def _level(pcm: bytes) -> float:
    import numpy as np

    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    return float(np.sqrt(np.mean(samples * samples)))
