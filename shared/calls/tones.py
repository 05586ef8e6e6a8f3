"""Keys of continuous DTMF, put back into the order in which they were pressed."""

from __future__ import annotations

MAX_WAITING = 2
"""Later keys that may wait for an earlier one (our choice); then the gap counts as one that the service skipped."""


class ToneOrder:
    """Events may come in any order; their sequence ids count the keys from 1 and may skip."""

    def __init__(self) -> None:
        self._expected = 1
        self._waiting: dict[int, str] = {}
        self._fresh = False

    def start(self) -> None:
        """Listening starts, perhaps not for the first time: whether the numbers then go on is not documented."""
        self._fresh = True

    def add(self, sequence_id: int, tone: str) -> None:
        """Take a key; one that was given out or skipped already is dropped."""
        if self._fresh and sequence_id == 1:
            self._fresh = False
            if self._expected > 1:
                self._expected = 1
                self._waiting.clear()
        if sequence_id >= self._expected:
            self._waiting[sequence_id] = tone

    def next(self) -> str | None:
        """The next key in order; None while one before it may still come."""
        if not self._waiting:
            return None
        first = min(self._waiting)
        if first != self._expected and len(self._waiting) <= MAX_WAITING:
            return None
        self._expected = first + 1
        return self._waiting.pop(first)
