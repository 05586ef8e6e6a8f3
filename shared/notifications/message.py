"""One event on its way to one target, as a message of the queue `<prefix>-notifications`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from shared.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Message:
    """An event that is still to be delivered.

    Attributes:
        target: `topic` or `hook`.
        since: when the call was closed, or the dead letter replayed: Unix time in milliseconds.
        attempts: deliveries that failed so far.
    """

    call_id: str
    target: str
    since: int
    attempts: int = 0

    def again(self) -> Message:
        """The same after one more attempt that failed."""
        return replace(self, attempts=self.attempts + 1)

    def as_json(self) -> dict[str, str | int]:
        return asdict(self)


def read_message(body: bytes) -> Message:
    """The message in a queue's body; InvalidInput if it is none."""
    try:
        found = json.loads(body)
        return Message(str(found["call_id"]), str(found["target"]), int(found["since"]), max(0, int(found["attempts"])))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        problem = f"cannot be read: {type(error).__name__}."
        raise InvalidInput("notification message", problem, "It needs call_id, target, since and attempts.") from error
