"""Work on recordings as messages of the queue `<prefix>-recordings`."""

from __future__ import annotations

from shared.store.messages import Messages


class StorageRecordingQueue:
    """Sends work to the queue-triggered function."""

    def __init__(self, connection_string: str, prefix: str) -> None:
        self._messages = Messages(connection_string, f"{prefix}-recordings")

    def send(self, recording: str, chunk: int | None, *, delay: float = 0.0) -> None:
        """One chunk to fetch, or (None) a report to make, in so many seconds. StoreUnavailable, StoreRefused."""
        self._messages.send({"recording": recording, "chunk": chunk}, delay)
