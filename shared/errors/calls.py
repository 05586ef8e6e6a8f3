"""What can be wrong with a call as a whole, and with the store that has it."""

from __future__ import annotations

from shared.errors.base import SwitchboardError


class CallOver(SwitchboardError):
    """The call has ended, so it takes no action and no signal."""

    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        super().__init__(f"call {call_id} has ended; nothing can be done on it any more")


class NotConnected(SwitchboardError):
    """There is no call connection yet that an action could go to.

    Attributes:
        waits: the flow has not placed the call yet; otherwise it is being set up.
    """

    def __init__(self, call_id: str, *, waits: bool = False) -> None:
        self.call_id = call_id
        self.waits = waits
        why = "has not been placed yet; hang_up cancels it, anything else has to wait until it is connected"
        super().__init__(f"call {call_id} {why if waits else 'is not connected yet; try again once it is'}")


class UnknownCall(SwitchboardError):
    """No call with this id is in the store."""

    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        super().__init__(f"no call {call_id}; it may be older than the store keeps calls")


class StoreError(SwitchboardError):
    """The call context could not be read or written."""


class AlreadyClaimed(StoreError):
    """The call's head exists already, so another delivery took the call."""


class LostRace(StoreError):
    """Another delivery committed first: load the call again and replay."""

    retryable = True


class StoreRefused(StoreError):
    """The storage refuses the request itself: no right to it, a key it cannot have, a row that is too large."""


class StoreUnavailable(StoreError):
    """The storage failed or did not respond in time."""

    retryable = True
