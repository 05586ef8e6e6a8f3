"""Wake-up calls as Storage Queue messages that become visible when their time has come."""

from __future__ import annotations

import json
import time

from shared.errors import InvalidInput
from shared.store.messages import Messages


class QueueTimers:
    """Schedules wake-ups on the queue `<prefix>-timers`; what waits longer than 7 days goes round again."""

    def __init__(self, connection_string: str, prefix: str) -> None:
        self._messages = Messages(connection_string, f"{prefix}-timers")

    def schedule(self, call_id: str, seq: int, due: int) -> None:
        """Wake this operation at `due` (Unix time in milliseconds)."""
        self._messages.send({"call_id": call_id, "seq": seq, "due": due}, due / 1000 - time.time())


def read_wake_up(body: bytes) -> tuple[str, int, int]:
    """Call id, operation and due time in a timer's message; InvalidInput if it is none."""
    try:
        message = json.loads(body)
        return str(message["call_id"]), int(message["seq"]), int(message["due"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise InvalidInput("timer message", f"cannot be read: {error}.", "It needs call_id, seq and due.") from error
