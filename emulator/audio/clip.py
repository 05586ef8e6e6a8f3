"""The one shape of sound inside the emulator."""

from __future__ import annotations

from dataclasses import dataclass

# The service plays 16-bit mono PCM at this rate, in hertz ("Customize voice prompts to users with Play
# action", Azure Communication Services documentation), so nothing here is ever at another one.
SAMPLE_RATE = 16_000
SAMPLE_BYTES = 2


@dataclass(frozen=True)
class Clip:
    """16-bit little-endian mono PCM at 16,000 Hz."""

    samples: bytes

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_BYTES / SAMPLE_RATE
