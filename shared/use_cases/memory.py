"""A queue in memory, for tests."""

from __future__ import annotations

from shared.use_cases.base import Task


class MemoryQueue:
    """Keeps work in a list, in the order in which it was sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[Task, float]] = []

    def send(self, task: Task, *, delay: float = 0.0) -> None:
        self.sent.append((task, delay))
