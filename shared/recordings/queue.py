"""Work on recordings as messages of the queue `<prefix>-recordings`."""

from __future__ import annotations

import json

from shared.errors import InvalidInput
from shared.store.messages import Messages


class StorageRecordingQueue:
    """Sends work to the queue-triggered function."""

    def __init__(self, connection_string: str, prefix: str) -> None:
        self._messages = Messages(connection_string, f"{prefix}-recordings")

    def send(self, recording: str, chunk: int | None, *, delay: float = 0.0) -> None:
        """One chunk to fetch, or (None) a report to make, in so many seconds. StoreUnavailable, StoreRefused."""
        self._messages.send({"recording": recording, "chunk": chunk}, delay)


def read_work(body: bytes) -> tuple[str, int | None]:
    """Recording and chunk (None: the report) in a message; InvalidInput if it is none."""
    try:
        message = json.loads(body)
        chunk = message["chunk"]
        return str(message["recording"]), None if chunk is None else int(chunk)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        problem = f"cannot be read: {type(error).__name__}."
        raise InvalidInput("recording message", problem, "It needs recording and chunk.") from error
