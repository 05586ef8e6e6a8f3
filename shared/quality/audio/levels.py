"""Peak and clipping of one channel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class ClippingMeter:
    """Counts samples at full scale that stand next to another such sample: one alone may be a mere peak.

    Attributes:
        peak: highest sample so far, 0 to 1.
    """

    def __init__(self, full_scale: int) -> None:
        self.peak = 0.0
        self._highest = np.float32((full_scale - 1) / full_scale)
        self._last_two = np.zeros(2, bool)
        self._clipped = 0

    def feed(self, sound: NDArray[np.float32]) -> None:
        """Go on with this sound, from -1 to 1."""
        peak = float(max(sound.max(), -sound.min()))
        self.peak = max(self.peak, peak)
        if peak >= self._highest:
            full = np.concatenate([self._last_two, np.abs(sound) >= self._highest])
            self._clipped += int(np.count_nonzero(full[1:-1] & (full[:-2] | full[2:])))
            self._last_two = full[-2:]
        elif self._last_two.any():
            self._clipped = self.finish()
            self._last_two = np.zeros(2, bool)

    def finish(self) -> int:
        """How many samples were clipped."""
        return self._clipped + int(self._last_two.all())
