"""What can go wrong with events for other systems; the tree is in shared.errors."""

from __future__ import annotations

from shared.errors import SwitchboardError


class NotificationError(SwitchboardError):
    """Something is wrong with an event for other systems."""


class UnknownDeadLetter(NotificationError):
    """No event of this call, or of this campaign, was given up."""

    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        super().__init__(f"there is no dead letter of {call_id}")


class NotDelivered(NotificationError):
    """A topic or a hook did not take an event.

    Attributes:
        lasting: the same request will fail again.
        retry_after: seconds that the other side asks to wait; None: it does not say.
    """

    def __init__(self, problem: str, *, lasting: bool = False, retry_after: float | None = None) -> None:
        self.lasting = lasting
        self.retryable = not lasting
        self.retry_after = retry_after
        super().__init__(problem)


class ForbiddenAddress(NotDelivered):
    """A hook's URL, or an address that its host has, is one that this app sends nothing to.

    Attributes:
        problem: what is wrong with it, to follow the name of a setting.
    """

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"the hook's URL {problem}", lasting=True)


class TopicUnavailable(NotDelivered):
    """The Event Grid topic did not take an event."""
