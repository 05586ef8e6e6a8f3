"""Several tracks heard at once, and sound at another sample rate. numpy is imported at the first use."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from acs_emulator.audio.clip import SAMPLE_BYTES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from acs_emulator.audio.track import Track

#: Filter taps on each side of a sample in rate conversion.
_REACH = 8


def mix(tracks: Sequence[Track], start: int, end: int, listener: str | None = None) -> bytes | None:
    """16-bit PCM of what ``listener`` hears; None when nothing sounds."""
    pieces = [piece for track in tracks for piece in track.pieces(start, end, listener)]
    if not pieces:
        return None
    if len(pieces) == 1:
        offset, samples = pieces[0]
        after = end - start - offset - len(samples) // SAMPLE_BYTES
        if offset == after == 0:
            return samples
        return bytes(offset * SAMPLE_BYTES) + samples + bytes(after * SAMPLE_BYTES)
    import numpy as np

    total = np.zeros(end - start, np.int32)
    for offset, samples in pieces:
        part = np.frombuffer(samples, "<i2")
        total[offset : offset + len(part)] += part
    return clipped(total).tobytes()


def clipped(samples: NDArray[Any]) -> NDArray[np.int16]:
    """Samples of any range as 16-bit ones."""
    import numpy as np

    made: NDArray[np.int16] = np.clip(samples, -32768, 32767).astype("<i2")
    return made


class Resampler:
    """Turns a stream of 16-bit PCM into one with ``up`` samples for every ``down``; carries on between chunks."""

    def __init__(self, up: int, down: int) -> None:
        self._up = up
        self._down = down
        self._rest: Any = None

    def feed(self, pcm: bytes) -> bytes:
        """What can be given out now; a chunk of a multiple of ``down`` samples gives its share exactly."""
        import numpy as np

        new = np.frombuffer(pcm, "<i2").astype(np.float64)
        if self._rest is None:
            self._rest = np.zeros(2 * _REACH, np.float64)
        samples = np.concatenate([self._rest, new])
        width = 2 * _REACH + self._down - 1
        count = (len(samples) - 2 * _REACH) // self._down
        used = count * self._down
        self._rest = samples[used:]
        if count <= 0:
            return b""
        windows = np.lib.stride_tricks.sliding_window_view(samples, width)[: used : self._down]
        made = np.rint(windows @ _taps(self._up, self._down)).reshape(-1)
        return bytes(clipped(made).tobytes())


@functools.cache
def _taps(up: int, down: int) -> Any:
    """Windowed-sinc weights: one column for each of the ``up`` samples that a step of ``down`` gives."""
    import numpy as np

    cutoff = min(1.0, up / down)
    positions = np.arange(2 * _REACH + down - 1)[:, None]
    centres = (_REACH - 1 + np.arange(up) * down / up)[None, :]
    distance = positions - centres
    window = np.where(np.abs(distance) < _REACH, 0.5 + 0.5 * np.cos(np.pi * distance / _REACH), 0.0)
    weights = cutoff * np.sinc(cutoff * distance) * window
    return weights / weights.sum(axis=0)
