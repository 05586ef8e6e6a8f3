"""What is remembered of a telephone number over all campaigns: when it was called, and whether it is in a call."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.outreach.rules import MOST_KEPT, Caps, Purpose

LEASE = timedelta(hours=4)
"""How long a call keeps its number from being called again if nobody ever says that it ended (our choice)."""


class Made(BaseModel):
    """A call to a number.

    Attributes:
        counts: against the caps; one that was not tried does not.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    at: AwareDatetime
    attempt: str
    purpose: Purpose
    counts: bool = True


class Contact(BaseModel):
    """A number's calls. Kept by the number's keyed hash; it holds no number.

    The newest MOST_KEPT of each purpose are kept, by their time and never by the clock: a clock that was put forward
    and back again would else forget what still counts. Caps are lower, so that what is dropped counts for none.

    Attributes:
        attempt: the call that goes on; empty: none.
        until: the end of its lease.
        dead_since: when the network said that there is no such number.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    made: tuple[Made, ...] = ()
    attempt: str = ""
    until: AwareDatetime | None = None
    dead_since: AwareDatetime | None = None

    def busy_until(self, now: datetime) -> datetime | None:
        """The end of the lease of a call that goes on; None: the number is free."""
        return self.until if self.attempt and self.until is not None and self.until > now else None

    def count(self, purpose: Purpose, since: datetime) -> int:
        """The calls for a purpose later than `since`, those that a clock dated into the future too."""
        return sum(one.counts and one.purpose == purpose and one.at > since for one in self.made)

    def counts(self, purpose: Purpose, now: datetime) -> tuple[int, int]:
        """The calls for a purpose in the last 24 hours and 7 days."""
        return self.count(purpose, now - timedelta(hours=24)), self.count(purpose, now - timedelta(days=7))

    def capped_until(self, purpose: Purpose, caps: Caps, now: datetime) -> tuple[datetime, str] | None:
        """When a further call is within the caps again, and which one it would break now; None: none."""
        found: list[tuple[datetime, str]] = []
        times = sorted((one.at for one in self.made if one.counts and one.purpose == purpose), reverse=True)
        for length, most, words in caps.windows:
            # The most-th newest must have left the window.
            if len(times) >= most and times[most - 1] > now - length:
                found.append((times[most - 1] + length, f"{most} {words}"))
        return max(found, default=None)

    def knows(self, attempt: str) -> bool:
        """Whether this attempt was made before."""
        return any(one.attempt == attempt for one in self.made)

    def began(self, attempt: str, purpose: Purpose, now: datetime) -> Contact:
        """With a call more. An attempt that goes on is begun again, at the later of both times: it may have been begun
        without a call being placed. One that is over, or whose number somebody else has by now, changes nothing: then
        `attempt` is another, and no call may be placed.
        """
        known = next((one for one in self.made if one.attempt == attempt), None)
        if known is not None and self.attempt != attempt:
            return self
        at = now if known is None else max(now, known.at)
        made = (*self.without(attempt).made, Made(at=at, attempt=attempt, purpose=purpose))
        return self.model_copy(update={"made": _newest(made), "attempt": attempt, "until": at + LEASE})

    def without(self, attempt: str) -> Contact:
        """As it was before an attempt that goes on."""
        if self.attempt != attempt:
            return self
        made = tuple(one for one in self.made if one.attempt != attempt)
        return self.model_copy(update={"made": made, "attempt": "", "until": None})

    def ended(self, attempt: str, *, counts: bool = True, dead_at: datetime | None = None) -> Contact:
        """With a call ended; one that does not count is kept, so that it is known again."""
        made = tuple(
            one.model_copy(update={"counts": False}) if one.attempt == attempt and not counts else one
            for one in self.made
        )
        changed: dict[str, object] = {"made": made}
        if self.attempt == attempt:
            changed |= {"attempt": "", "until": None}
        if dead_at is not None:
            changed["dead_since"] = self.dead_since or dead_at
        return self.model_copy(update=changed)


def _newest(made: Iterable[Made]) -> tuple[Made, ...]:
    """The newest of each purpose, those that count and those that do not apart."""
    kept: dict[tuple[str, bool], list[Made]] = {}
    for one in sorted(made, key=lambda one: one.at):
        kept.setdefault((one.purpose, one.counts), []).append(one)
    return tuple(sorted((one for several in kept.values() for one in several[-MOST_KEPT:]), key=lambda one: one.at))
