"""What delivering events asks of the world around it: targets, a queue, a place for dead letters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from shared.notifications.event import Event
from shared.notifications.message import Message


class Target(Protocol):
    """Somebody who learns of events."""

    def deliver(self, event: Event) -> None:
        """Deliver one event; NotDelivered. Twice is no harm: its id tells."""


class NotificationQueue(Protocol):
    """Brings messages back."""

    def send(self, message: Message, *, delay: float = 0.0) -> None:
        """A message that becomes visible in so many seconds. StoreUnavailable."""


CAMPAIGN = "campaign-"
"""What stands before the id of a campaign, where a dead letter is of one."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that one target was not given.

    Attributes:
        day: UTC day on which the call started, or the campaign was finished.
        call_id: whose event it is; of a campaign CAMPAIGN and its id.
        reason: of the last attempt.
        since, at: from when it was tried, and when it was given up: Unix time in milliseconds.
    """

    day: str
    call_id: str
    target: str
    reason: str
    attempts: int
    since: int
    at: int

    @property
    def position(self) -> str:
        """Where it stands among all; give it as `after` to read on."""
        return f"{self.day} {self.call_id} {self.target}"


class Version(Protocol):
    """The state of a dead letter that was read; opaque."""


class DeadLetters(Protocol):
    """Keeps dead letters. Every method may raise StoreUnavailable or StoreRefused."""

    def put(self, letter: DeadLetter) -> None:
        """Keep one, in place of an earlier one of the same call and target."""

    def listed(self, *, after: str = "") -> Iterable[DeadLetter]:
        """All of them, those of the oldest calls first, from behind a position on."""

    def of(self, day: str, call_id: str) -> list[tuple[DeadLetter, Version]]:
        """Those of a call that started on this day."""

    def remove(self, letter: DeadLetter, version: Version) -> None:
        """Remove one, unless it was put again since it was read."""

    def remove_older(self, day: str) -> int:
        """Remove those of calls that started before a day; how many there were."""
