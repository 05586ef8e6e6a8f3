"""Recognises speech that was heard in a recording, by its samples: whole, cut into pieces, or after more silence.

Each utterance is kept as hashes of its 50 ms blocks. A hash that can be rolled over the sound finds the blocks
wherever they lie; those that agree on where the utterance began tell which part of it is there. numpy is imported at
the first use.
"""

from __future__ import annotations

import functools
import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from acs_emulator.audio.clip import SAMPLE_RATE
from acs_emulator.audio.words import spoken_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.int16]
    Hashes = NDArray[np.uint64]

#: Samples of a block.
WINDOW = SAMPLE_RATE // 20
#: Samples that are looked through at once.
STRETCH = 1 << 20
#: Blocks that are quieter than this all through could be anybody's. Chosen.
_QUIET = 300
#: Share of an utterance's blocks that must be found between the first and the last of them. Chosen.
_SHARE = 0.5
#: Utterances kept, the oldest out first.
_KEPT = 10_000
#: Bits of a hash that are looked up in a table before the hash itself is searched for.
_TABLE_BITS = 20
_BASE = 0x9E3779B97F4A7C15


@dataclass(frozen=True, eq=False)
class Utterance:
    """What was said in how many samples; the audible blocks by number and hash."""

    text: str
    length: int
    numbers: NDArray[np.int64]
    hashes: Hashes


@dataclass(frozen=True)
class Heard:
    """Part of an utterance that was found: positions in samples of the sound that was looked through."""

    start: int
    end: int
    text: str
    #: Word, begin, length in samples.
    words: tuple[tuple[str, int, int], ...]


class Voiceprints:
    """Every utterance that can be recognised."""

    def __init__(self) -> None:
        self._utterances: deque[Utterance] = deque(maxlen=_KEPT)
        self._known: deque[bytes] = deque(maxlen=_KEPT)

    def add(self, text: str, pcm: bytes) -> None:
        """Remember what 16-bit mono PCM at 16,000 Hz says. What is known already is not kept twice."""
        import numpy as np

        digest = hashlib.sha256(text.encode() + b"\0" + pcm).digest()
        if digest in self._known or len(pcm) < 2 * WINDOW:
            return
        samples = np.frombuffer(pcm, "<i2")
        count = len(samples) // WINDOW
        loud = np.abs(samples[: count * WINDOW].reshape(count, WINDOW).astype(np.int32)).max(axis=1) >= _QUIET
        numbers = np.flatnonzero(loud)
        if len(numbers):
            hashes = np.concatenate([_rolled(samples[n * WINDOW : (n + 1) * WINDOW]) for n in numbers])
            self._known.append(digest)
            self._utterances.append(Utterance(text, len(samples), numbers, hashes))

    def clear(self) -> None:
        self._utterances.clear()
        self._known.clear()

    def recognise(self, sound: Iterable[Samples]) -> list[Heard]:
        """What is said in a sound that comes in stretches, in order. An hour takes about 1 s: run it in a thread."""
        utterances = list(self._utterances)
        if not utterances:
            return []
        index = _Index(utterances)
        found: dict[tuple[int, int], list[int]] = {}
        for begin, samples in _overlapping(sound):
            for position, owner, number in index.blocks(samples):
                found.setdefault((owner, begin + position - number * WINDOW), []).append(number)
        return _chosen([_heard(utterances[owner], begin, numbers) for (owner, begin), numbers in found.items()])


class _Index:
    """The blocks of all utterances, sorted by hash."""

    def __init__(self, utterances: list[Utterance]) -> None:
        import numpy as np

        hashes = np.concatenate([one.hashes for one in utterances])
        order = np.argsort(hashes, kind="stable")
        self._hashes = hashes[order]
        self._owners = np.repeat(np.arange(len(utterances)), [len(one.hashes) for one in utterances])[order]
        self._numbers = np.concatenate([one.numbers for one in utterances])[order]
        self._table = np.zeros(1 << _TABLE_BITS, bool)
        self._table[(hashes >> np.uint64(64 - _TABLE_BITS)).astype(np.int64)] = True

    def blocks(self, samples: Samples) -> Iterator[tuple[int, int, int]]:
        """The known blocks in some sound: position, number of the utterance, number of the block."""
        import numpy as np

        if len(samples) < WINDOW or not samples.any():
            return
        rolled = _rolled(samples)
        candidates = np.flatnonzero(self._table[(rolled >> np.uint64(64 - _TABLE_BITS)).astype(np.int64)])
        wanted = rolled[candidates]
        lows = np.searchsorted(self._hashes, wanted, "left")
        highs = np.searchsorted(self._hashes, wanted, "right")
        for position, low, high in zip(candidates.tolist(), lows.tolist(), highs.tolist(), strict=True):
            for entry in range(low, high):
                yield position, int(self._owners[entry]), int(self._numbers[entry])


def _overlapping(sound: Iterable[Samples]) -> Iterator[tuple[int, Samples]]:
    """Stretches with their positions, each with the end of the one before, so that no block is cut in two."""
    import numpy as np

    rest, position = np.zeros(0, np.int16), 0
    for stretch in sound:
        samples = np.concatenate([rest, stretch])
        yield position, samples
        kept = min(WINDOW - 1, len(samples))
        position += len(samples) - kept
        rest = samples[len(samples) - kept :]


def _rolled(samples: Samples) -> Hashes:
    """The hash of every window: its samples as the digits of a number, modulo 2**64."""
    import numpy as np

    powers, inverses = _powers()
    digits = samples.astype(np.int64).astype(np.uint64) * powers[: len(samples)]
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(digits, dtype=np.uint64)])
    hashes: Hashes = (sums[WINDOW:] - sums[:-WINDOW]) * inverses[: len(samples) - WINDOW + 1]
    return hashes


@functools.cache
def _powers() -> tuple[Any, Any]:
    """The powers of the base and of its inverse, for the longest stretch."""
    import numpy as np

    def powers_of(base: int) -> Hashes:
        factors = np.full(STRETCH + WINDOW, base, np.uint64)
        factors[0] = 1
        return np.cumprod(factors, dtype=np.uint64)

    return powers_of(_BASE), powers_of(pow(_BASE, -1, 1 << 64))


def _heard(utterance: Utterance, begin: int, numbers: list[int]) -> tuple[int, Heard] | None:
    """How many blocks were found, and what they say; None when they are too few to go by."""
    first, last = min(numbers), max(numbers)
    between = int(((utterance.numbers >= first) & (utterance.numbers <= last)).sum())
    if len(numbers) < max(min(2, len(utterance.numbers)), _SHARE * between):
        return None
    low = 0 if first == utterance.numbers[0] else first * WINDOW
    high = utterance.length if last == utterance.numbers[-1] else (last + 1) * WINDOW
    words = [
        (word, begin + round(at * SAMPLE_RATE), round(length * SAMPLE_RATE))
        for word, at, length in spoken_words(utterance.text, utterance.length / SAMPLE_RATE)
        if low <= (at + length / 2) * SAMPLE_RATE <= high
    ]
    whole = (low, high) == (0, utterance.length)
    text = utterance.text if whole else " ".join(word for word, _, _ in words)
    return len(numbers), Heard(begin + low, begin + high, text, tuple(words))


def _chosen(candidates: list[tuple[int, Heard] | None]) -> list[Heard]:
    """Of utterances that share a sound, the one with most blocks; in order of time."""
    accepted: list[Heard] = []
    scored = sorted((one for one in candidates if one is not None), key=lambda one: -one[0])
    for _, heard in scored:
        taken = any(min(heard.end, one.end) - max(heard.start, one.start) > WINDOW for one in accepted)
        if heard.words and not taken:
            accepted.append(heard)
    return sorted(accepted, key=lambda heard: heard.start)
