"""The one shape of sound inside the emulator."""

from __future__ import annotations

from dataclasses import dataclass

from acs_emulator.core.clock import SAMPLE_RATE as SAMPLE_RATE

#: Bytes of a sample.
SAMPLE_BYTES = 2
#: Samples below this, about -41 dB of full scale, are not heard as speech. Chosen.
_AUDIBLE = 300


@dataclass(frozen=True)
class Clip:
    """16-bit little-endian mono PCM at 16,000 Hz."""

    samples: bytes

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_BYTES / SAMPLE_RATE

    def trimmed(self) -> Clip:
        """The same from its first to its last audible sample: espeak-ng leaves up to 0.07 s of quiet around speech."""
        import numpy as np

        loud = np.flatnonzero(np.abs(np.frombuffer(self.samples, "<i2").astype(np.int32)) >= _AUDIBLE)
        if not len(loud):
            return self
        return Clip(self.samples[int(loud[0]) * SAMPLE_BYTES : (int(loud[-1]) + 1) * SAMPLE_BYTES])
