"""Wake-up calls for sleeping flows."""

from __future__ import annotations

from typing import Protocol


class Timers(Protocol):
    """Brings a message back when its time has come; at least once, never early by more than a second."""

    def schedule(self, call_id: str, seq: int, due: int) -> None:
        """Wake this operation at `due` (Unix time in milliseconds)."""
