"""The queue and the dead letters in memory: for tests, with the rules of the real ones."""

from __future__ import annotations

from collections.abc import Iterable

from shared.notifications.base import DeadLetter, Version
from shared.notifications.message import Message


class MemoryNotificationQueue:
    """Keeps what was sent: message and delay, in order."""

    def __init__(self) -> None:
        self.sent: list[tuple[Message, float]] = []

    def send(self, message: Message, *, delay: float = 0.0) -> None:
        self.sent.append((message, delay))


class MemoryDeadLetters:
    """Keeps dead letters in a dict by their position."""

    def __init__(self) -> None:
        self._letters: dict[str, tuple[DeadLetter, int]] = {}
        self._count = 0

    def put(self, letter: DeadLetter) -> None:
        self._count += 1
        self._letters[letter.position] = letter, self._count

    def listed(self, *, after: str = "") -> Iterable[DeadLetter]:
        return [letter for position, (letter, _) in sorted(self._letters.items()) if position > after]

    def of(self, day: str, call_id: str) -> list[tuple[DeadLetter, Version]]:
        found = sorted(self._letters.items())
        return [(letter, version) for _, (letter, version) in found if (letter.day, letter.call_id) == (day, call_id)]

    def remove(self, letter: DeadLetter, version: Version) -> None:
        _, current = self._letters.get(letter.position, (None, None))
        if current == version:
            del self._letters[letter.position]

    def remove_older(self, day: str) -> int:
        old = [position for position, (letter, _) in self._letters.items() if letter.day < day]
        for position in old:
            del self._letters[position]
        return len(old)
