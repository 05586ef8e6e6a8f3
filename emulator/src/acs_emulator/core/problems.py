"""What goes wrong between the emulator and the app, told to people: one line each, with the remedy."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Seconds in which a line that was told is not told again.
QUIET_SECONDS = 10.0


class Problems:
    """Whoever shows them registers in ``listeners``."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[str], None]] = []
        self._told: dict[str, float] = {}

    def report(self, what: str, remedy: str) -> None:
        """Tell a problem; ``remedy`` says what to do. The same one is told once in ten seconds."""
        if not self.listeners:
            return
        line, now = " ".join(f"{what}. {remedy}".split()), time.monotonic()
        self._told = {told: at for told, at in self._told.items() if now - at < QUIET_SECONDS}
        if line in self._told:
            return
        self._told[line] = now
        for listener in self.listeners:
            listener(line)

    def clear(self) -> None:
        """Tell again what was told."""
        self._told.clear()
