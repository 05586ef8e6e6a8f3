"""The attempts of a call that its flow places: which of them an event is about.

Each attempt has a connection of its own. What is known of them here is what the journal says, never what only a
response said: so a replay decides as the first run did, and an event that comes late, twice or out of order is
about the attempt that it belongs to, or about none.
"""

from __future__ import annotations

from shared.events import CallDisconnected, CallEvent


class Attempts:
    """The connections of a call, one for each time that its flow placed it.

    Attributes:
        current: the position of the create_call or connect that is under way or has connected; None while the call
            waits to be placed, and where it is not its flow that places it.
        connected: the current one has connected, so that its connection is known for good.
    """

    def __init__(self) -> None:
        self.current: int | None = None
        self.connected = False
        self._connections: dict[int, str] = {}
        self._disconnected: set[str] = set()

    def begin(self, seq: int) -> None:
        """The flow places the call by this operation."""
        self.current, self._connections[seq] = seq, ""

    def withdraw(self, seq: int) -> None:
        """The operation was never sent: its attempt is none."""
        del self._connections[seq]
        self.current = None

    def fail(self) -> None:
        """The current attempt has come to nothing."""
        self.current = None

    def concerns_current(self, event: CallEvent, named: int | None) -> bool:
        """Whether an event is about the current attempt.

        Args:
            named: the operation of this call that the event's context names; None: it has no context, or another's.
        """
        attempt = self._attempt_of(event, named)
        if isinstance(event, CallDisconnected):
            self._disconnected.add(event.call_connection_id)
        return attempt is not None and attempt == self.current

    def is_late(self, event: CallEvent, named: int) -> bool:
        """Whether a CallConnected is that of an attempt which had been given up, and is still up."""
        return (
            named in self._connections and named != self.current and event.call_connection_id not in self._disconnected
        )

    def _attempt_of(self, event: CallEvent, named: int | None) -> int | None:
        connection = event.call_connection_id
        if named in self._connections:
            if not self.connected:
                self._connections[named] = connection
            return named if self._connections[named] == connection else None
        for seq, known in self._connections.items():
            if known == connection:
                return seq
        # The first event of a connection may come without a context. It is taken for the current attempt's only if
        # no earlier one is left that it could be about: that one's end must not be taken for this one's.
        unknown = [seq for seq, known in self._connections.items() if not known]
        if event.operation_context is None and unknown == [self.current]:
            self._connections[unknown[0]] = connection
            return unknown[0]
        return None
