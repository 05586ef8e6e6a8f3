"""May this person be called now? One function decides, and says why: the evidence that is kept with the attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.outreach.contacts import Contact
from shared.outreach.lists import OWN, ListHead, Listing, forbidding, stale
from shared.outreach.numbers import zones_of
from shared.outreach.person import FinalState, Person, attempts_used
from shared.outreach.reading import zones_to_call
from shared.outreach.rules import Consent, Purpose, Rules
from shared.outreach.windows import Window

LaterReason = Literal["in_call", "not_due", "number_busy", "cap", "window", "stale_list"]
NeverReason = Literal[
    "over", "listed", "dead", "no_consent", "no_zone", "never_open", "appointment_over", "attempts_used"
]

FINAL_STATES: Mapping[NeverReason, FinalState] = {
    "listed": "suppressed",
    "dead": "dead",
    "no_consent": "refused",
    "no_zone": "refused",
    "never_open": "refused",
    "appointment_over": "expired",
    "attempts_used": "no_contact",
}
"""The state that ends a waiting person's attempts (`person.settle`); `over`: they are in one."""

AGAIN_AFTER = timedelta(hours=1)
"""When it is asked again about what somebody has to do something about, such as a list that is too old."""
LOOK_AGAIN = timedelta(minutes=1)
"""When it is asked again about a call that goes on: its end is not known."""


class CheckedList(NamedTuple):
    """A list on which the number was not."""

    name: str
    source: str
    as_of: date | None


class CheckedZone(NamedTuple):
    """A zone that the number may have, and what the clock showed there."""

    zone: str
    local_time: str


class Evidence(BaseModel):
    """Why a call was allowed, kept by EVIDENCE_RETENTION_DAYS.

    Attributes:
        zone_source: `row`, `number` or `default`.
        window: the hours that held in each zone.
        calendar: that its holidays came from; empty: none.
        calls_in_24_hours, calls_in_7_days: to the number for this purpose, before this one.
        lists: that the number was not on; the company's own has no date.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    at: AwareDatetime
    purpose: Purpose
    consent: Consent | None
    zones: tuple[CheckedZone, ...]
    zone_source: Literal["row", "number", "default"]
    window: str
    calendar: str
    calls_in_24_hours: int
    calls_in_7_days: int
    caps: str
    lists: tuple[CheckedList, ...]
    appointment: AwareDatetime | None


@dataclass(frozen=True, slots=True)
class Allowed:
    """The person may be called now."""

    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Later:
    """Not now; ask again at `at`, which is later than now."""

    at: datetime
    reason: LaterReason
    why: str


@dataclass(frozen=True, slots=True)
class Never:
    """Not any more, unless an upload changes something."""

    reason: NeverReason
    why: str


Decision = Allowed | Later | Never


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a number when it is to be called.

    Attributes:
        contact: its calls.
        listed: where it is on a list.
        lists: every list that was looked at.
    """

    contact: Contact = field(default_factory=Contact)
    listed: tuple[Listing, ...] = ()
    lists: tuple[ListHead, ...] = ()


def may_call(person: Person, now: datetime, rules: Rules, window: Window, known: Known) -> Decision:
    """Whether a person may be called at this moment, and why.

    To be asked right before the call, with what is known then. What follows, in this order: the number is claimed by
    `Contact.began(person.next_attempt, …)` in the very change that asked, the attempt begins (`person.begin`), the
    evidence is noted, and the call is placed with the attempt's id as its idempotency key. A crash between any two is
    made good by doing all of it again: a claim of the same attempt stands in nobody's way.
    """
    known = replace(known, contact=known.contact.without(person.next_attempt))
    zones = zones_to_call(person.wanted, rules) if person.wanted.number else ()
    if (never := _never(person, now, rules, known, zones)) is not None:
        return never
    later = _later(person, now, rules, known)
    opens = window.next_opening(zones, later.at if later else now)
    if opens is None:
        return Never("never_open", "there is no hour in two weeks at which it is a time to call in all zones")
    if (over := _last_moment(person, rules)) is not None and opens > over:
        return Never("appointment_over", "there is no time to call before the appointment")
    if later is not None:
        return Later(opens, later.reason, later.why)
    if opens > now:
        return Later(opens, "window", f"it is outside of {window.described} in {_shut(window, zones, now)}")
    return Allowed(_evidence(person, now, rules, window, known, zones))


def _never(person: Person, now: datetime, rules: Rules, known: Known, zones: tuple[str, ...]) -> Never | None:
    if person.state not in ("waiting", "calling"):
        return Never("over", f"the person is {person.state}")
    if (listing := forbidding(known.listed, rules.purpose)) is not None:
        return Never("listed", f"the number is on the list {listing.list} since {listing.since:%Y-%m-%d}")
    if known.contact.dead_since is not None:
        return Never("dead", f"the network said on {known.contact.dead_since:%Y-%m-%d} that there is no such number")
    if rules.purpose == "marketing" and person.wanted.consent is None:
        return Never("no_consent", "a marketing call needs consent with date and source")
    if not zones:
        return Never("no_zone", "the time zone is not known from the number, and no default is set")
    if (over := _last_moment(person, rules)) is not None and now > over:
        return Never("appointment_over", "the appointment is over or too close")
    if person.state == "waiting" and attempts_used(person, rules):
        return Never("attempts_used", f"{rules.most_attempts} attempts were made")
    return None


def _last_moment(person: Person, rules: Rules) -> datetime | None:
    """The last moment at which it makes sense to call about an appointment."""
    appointment = person.wanted.appointment
    return None if appointment is None else appointment - rules.least_ahead


def _later(person: Person, now: datetime, rules: Rules, known: Known) -> Later | None:
    """What else the call has to wait for, the longest of it; the window is not looked at."""
    contact, found = known.contact, list[Later]()
    if person.open_attempt is not None:
        found.append(Later(now + LOOK_AGAIN, "in_call", "the person is being called"))
    elif contact.busy_until(now) is not None:
        found.append(Later(now + LOOK_AGAIN, "number_busy", "somebody else is being called at this number"))
    if person.due > now:
        found.append(Later(person.due, "not_due", f"the next attempt is due at {person.due:%Y-%m-%d %H:%M} UTC"))
    if (capped := contact.capped_until(rules.purpose, rules.caps, now)) is not None:
        found.append(Later(capped[0], "cap", f"the number was called {capped[1]} for {rules.purpose}"))
    if (old := stale(known.lists, rules, now)) is not None:
        why = f"the list {old.name} is of {old.as_of}, more than {rules.stale_days} days old: import it again"
        found.append(Later(now + AGAIN_AFTER, "stale_list", why))
    return max(found, key=lambda one: one.at, default=None)


def _shut(window: Window, zones: tuple[str, ...], now: datetime) -> str:
    """A zone in which the window is not open: the first, with its time."""
    shut = next((zone for zone in zones if not window.is_open((zone,), now)), zones[0])
    return f"{shut}, where it is {_local(now, shut)}"


def _local(at: datetime, zone: str) -> str:
    return at.astimezone(ZoneInfo(zone)).isoformat(sep=" ", timespec="minutes")


def _evidence(
    person: Person, now: datetime, rules: Rules, window: Window, known: Known, zones: tuple[str, ...]
) -> Evidence:
    in_24_hours, in_7_days = known.contact.counts(rules.purpose, now)
    of_number: Literal["number", "default"] = "number" if zones_of(person.wanted.number) else "default"
    return Evidence(
        at=now,
        purpose=rules.purpose,
        consent=person.wanted.consent,
        zones=tuple(CheckedZone(zone, _local(now, zone)) for zone in zones),
        zone_source="row" if person.wanted.zone else of_number,
        window=window.described,
        calendar=window.calendar,
        calls_in_24_hours=in_24_hours,
        calls_in_7_days=in_7_days,
        caps=f"{rules.caps.in_24_hours} in 24 hours, {rules.caps.in_7_days} in 7 days",
        lists=(CheckedList(OWN, "", None), *(CheckedList(one.name, one.source, one.as_of) for one in known.lists)),
        appointment=person.wanted.appointment,
    )
