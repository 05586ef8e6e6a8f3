"""What a campaign would do today: a sum over the decisions, without a call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.outreach.decisions import Allowed, Decision, Known, Later, LaterReason, NeverReason, may_call
from shared.outreach.person import Person
from shared.outreach.rules import Rules
from shared.outreach.windows import Window

WORDS: dict[LaterReason | NeverReason, str] = {
    "in_call": "are being called",
    "not_due": "are not due today",
    "number_busy": "share a number that is being called",
    "cap": "were called as often as they may be",
    "window": "are outside of the hours in one of their time zones for the rest of the day",
    "stale_list": "wait until a do-not-call list is imported again",
    "over": "are finished",
    "listed": "are on a do-not-call list",
    "dead": "have a number that does not exist",
    "no_consent": "have not consented",
    "no_zone": "have a number whose time zone is not known",
    "never_open": "have time zones without a common hour",
    "appointment_over": "have an appointment that is over or too close",
    "attempts_used": "were tried as often as they may be",
}
"""What is said of those who are not called, by reason."""


@dataclass(slots=True)
class DryRun:
    """How many would be called today, and why the others would not.

    Attributes:
        called: today, first attempts and those that are due again.
        not_called: how many are not, by reason.
    """

    called: int = 0
    not_called: Counter[LaterReason | NeverReason] = field(default_factory=Counter)

    def __str__(self) -> str:
        """`Today 412 would be called; 88 not: 60 are on a do-not-call list, 28 are not due today.`"""
        text = f"Today {self.called:,} would be called"
        if not self.not_called:
            return f"{text}."
        reasons = ", ".join(f"{count:,} {WORDS[reason]}" for reason, count in self.not_called.most_common())
        return f"{text}; {self.not_called.total():,} not: {reasons}."


def dry_run(
    people: Iterable[Person], now: datetime, rules: Rules, window: Window, known: Callable[[Person], Known]
) -> DryRun:
    """What would be done from now until the end of the day in the company's zone, if nobody answered.

    It says nothing of how many calls the lines can make in that time. Calls to one number count against its caps one
    after the other, as they would.

    Args:
        known: what is known of a person's number.
    """
    run, end, made = DryRun(), _end_of_day(now, rules), dict[str, list[datetime]]()
    for person in people:
        before = known(person)
        contact = before.contact.model_copy(update={"attempt": "", "until": None})  # calls end before the day does
        for order, earlier in enumerate(made.get(person.wanted.number, ())):
            attempt = f"dry run {order}"
            contact = contact.began(attempt, rules.purpose, earlier).ended(attempt)
        at, decision = _first_today(person, now, end, rules, window, replace(before, contact=contact))
        if isinstance(decision, Allowed):
            run.called += 1
            made.setdefault(person.wanted.number, []).append(at)
        else:
            run.not_called[decision.reason] += 1
    return run


def _first_today(
    person: Person, now: datetime, end: datetime, rules: Rules, window: Window, known: Known
) -> tuple[datetime, Decision]:
    """The first moment of the day at which a person would be called; else why they are not."""
    at, decision = now, may_call(person, now, rules, window, known)
    while isinstance(decision, Later) and decision.reason not in ("in_call", "stale_list") and decision.at < end:
        at, decision = decision.at, may_call(person, decision.at, rules, window, known)
    return at, decision


def _end_of_day(now: datetime, rules: Rules) -> datetime:
    zone = ZoneInfo(rules.zone)
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), zone).astimezone(UTC)
