"""Other times for an appointment: the firm's own calendar offers up to three, holds them meanwhile, and books one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

MOST_OFFERED = 3
"""Times that one caller is offered: they have keys 1 to 3."""
HELD_SECONDS = 300
"""How long the calendar is asked to hold what it offers (our choice): whoever has not decided by then is gone."""


class OtherTime(BaseModel):
    """A time that the calendar holds for a caller.

    Attributes:
        id: the calendar's own, by which it books it.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    id: str = Field(min_length=1, max_length=200)
    at: AwareDatetime


class OtherTimes(Protocol):
    """A calendar. Each request may be repeated; StoreUnavailable where nobody responds, or not as agreed."""

    def offer(self, offer: str, about: Mapping[str, str]) -> Sequence[OtherTime]:
        """Times that are held under this offer; the same offer holds the same ones. Empty: there are none.

        Args:
            about: the person's `id` and `campaign`, and the `appointment` that does not suit.
        """

    def book(self, offer: str, time: str) -> bool:
        """Whether one of them is booked now, in place of the appointment. False: it is gone."""

    def release(self, offer: str) -> None:
        """Hold none of them any longer."""


class NoOtherTimes:
    """There is no calendar to ask."""

    def offer(self, offer: str, about: Mapping[str, str]) -> Sequence[OtherTime]:
        return ()

    def book(self, offer: str, time: str) -> bool:
        return False

    def release(self, offer: str) -> None:
        """Nothing is held."""
