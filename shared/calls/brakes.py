"""What the core asks of the app's brakes, and what a flow meets where one acts. The brakes stand in shared.brakes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, get_args

from shared.calls.actions import Action
from shared.calls.record import CallRecord
from shared.errors import ActionRefused

BrakeCode = Literal["number_not_allowed", "too_many_targets", "outbound_off", "number_off", "too_many_calls"]
"""Why an action does not leave the app."""
SlotCode = Literal["no_free_slot", "number_not_for_use"]
"""The same, for a caller number that is declared (shared.calls.slots)."""

CODES: tuple[str, ...] = get_args(BrakeCode) + get_args(SlotCode)

TOO_LONG = "too_long"
"""The outcome of a call that the watchdog ended because it lasted too long."""
TIME_LIMIT = "time limit\n"
"""How the keys of the actions begin by which it does. No HTTP header holds a line break, so no request has such a
key."""


class Braked(ActionRefused):
    """A brake of the app itself keeps an action from going out: the service was not asked.

    Attributes:
        code: which one: `number_not_allowed`, `too_many_targets`, `outbound_off`, `number_off`, `too_many_calls`,
            which is `retryable`, as is `no_free_slot` unless one request wants more than there ever are; or
            `number_not_for_use`.
        message: what is wrong and which setting or switch says so.
    """

    def __init__(self, action: str, code: str, message: str, *, transient: bool = False) -> None:
        super().__init__(action, 0, code, message, transient=transient)

    def __str__(self) -> str:
        return f"{self.action} was not sent: {self.code}: {self.message}"


class Brakes(Protocol):
    """What the core needs of the brakes. Safe to share between threads."""

    @property
    def longest_call(self) -> int:
        """Milliseconds after which the watchdog ends a call that is connected."""

    def check(self, record: CallRecord, action: Action, *, again: bool = False) -> None:
        """Pass what may leave the app; Braked otherwise.

        Args:
            again: it has been sent before, and may have been carried out.
        """

    def note(self, call_id: str, reason: str) -> None:
        """A brake acted on a call: log it once, and count it."""

    def watched(self, records: Sequence[CallRecord], began: int) -> None:
        """The watchdog has looked at all open calls; it began at this time, Unix milliseconds."""
