"""Wake-up calls for sleeping flows: the port, and the message that comes back."""

from __future__ import annotations

import json
from typing import Protocol

from shared.errors import InvalidInput


class Timers(Protocol):
    """Brings a message back when its time has come; at least once, never early by more than a second."""

    def schedule(self, call_id: str, seq: int, due: int) -> None:
        """Wake this operation at `due` (Unix time in milliseconds)."""


def read_wake_up(body: bytes) -> tuple[str, int, int]:
    """Call id, operation and due time in a timer's message; InvalidInput if it is none."""
    try:
        message = json.loads(body)
        return str(message["call_id"]), int(message["seq"]), int(message["due"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise InvalidInput("timer message", f"cannot be read: {error}.", "It needs call_id, seq and due.") from error
