"""Keys of continuous DTMF, as far as possible in the order in which they were pressed."""

from __future__ import annotations


class ToneOrder:
    """Events may come in any order; their sequence ids count the keys from 1 and may skip.

    Whether a missing number was skipped or is on its way cannot be told, so no key waits for one: those that are here
    and not yet read are read in order, and one that comes after a later key was read is read next.
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[int, int], str] = {}
        self._series = 0
        self._seen: set[int] = set()
        self._fresh = False

    def start(self) -> None:
        """Listening starts, perhaps not for the first time: whether the numbers then go on is not documented."""
        self._fresh = bool(self._seen)

    def add(self, sequence_id: int, tone: str) -> None:
        """Take a key; one that was reported before is dropped."""
        if self._fresh and sequence_id in self._seen:
            self._fresh = False
            self._series += 1
            self._seen.clear()
        if sequence_id not in self._seen:
            self._seen.add(sequence_id)
            self._waiting[self._series, sequence_id] = tone

    def next(self) -> str | None:
        """The earliest key that was not read yet; None if there is none."""
        return self._waiting.pop(min(self._waiting)) if self._waiting else None
