"""One person of a campaign: what is known of them, where they stand, and what each event makes of that.

    waiting ── begin ──> calling ── finish ──> waiting, until it is due again
       │                    │
       └── settle ──────────┴──> a final state

A final state stays, whatever event comes late; an upload alone can open it again, by a new appointment or number.
Every function is pure and gives the same for the same event sent twice.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.outreach.outcomes import NOT_TRIED_AT_MOST, OutcomeClass
from shared.outreach.rules import Consent, Rules

State = Literal["waiting", "calling", "done", "no_contact", "declined", "dead", "opted_out", "suppressed", "expired",
                "refused", "cancelled"]  # fmt: skip
FINAL = frozenset({"done", "no_contact", "declined", "dead", "opted_out", "suppressed", "expired", "refused",
                   "cancelled"})  # fmt: skip
"""`suppressed`: on a do-not-call list. `expired`: the appointment is over. `refused`: without consent or zone."""
FinalState = Literal["no_contact", "declined", "dead", "suppressed", "expired", "refused", "cancelled"]

MOST_ATTEMPTS = 10
"""The newest attempts that a person keeps, for events that come late."""


class Wanted(BaseModel):
    """What a file or a request says of a person.

    Attributes:
        id: the sender's own key of the person or appointment.
        number: E.164.
        zone: of the person, if it was given.
        cancelled: the appointment is off: never called. Then the number may be empty.
        details: what the flow says or asks, by the names of kept columns.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    id: str
    number: str
    name: str = ""
    language: str = ""
    zone: str = ""
    appointment: AwareDatetime | None = None
    cancelled: bool = False
    consent: Consent | None = None
    details: Mapping[str, str] = {}


class Attempt(BaseModel):
    """One call to a person, or the try to make one.

    Attributes:
        id: the idempotency key of the call.
        appointment: which of the person's appointments it was about: they are counted.
        number: which of their numbers it went to: they are counted.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    id: str
    begun: AwareDatetime
    appointment: int
    number: int
    outcome: OutcomeClass | None = None
    result: str = ""


class Person(BaseModel):
    """One person of a campaign.

    Attributes:
        key: see `person_key`.
        due: from when on a waiting person may be called.
        result: what the flow said, such as `confirmed`; falls when the appointment is moved.
        begun: how many attempts there ever were; numbers the next.
        ended: how many attempts for this appointment ended how.
        appointment, number: how many there have been.
        row: the upload and line that wrote the person last, and what it changed: so that a row that is read again
            after a crash counts once.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    campaign: str
    key: str
    wanted: Wanted
    state: State = "waiting"
    due: AwareDatetime
    result: str = ""
    attempts: tuple[Attempt, ...] = ()
    begun: int = 0
    ended: Mapping[OutcomeClass, int] = {}
    appointment: int = 1
    number: int = 1
    row: tuple[str, int, str] = ("", 0, "")

    @property
    def next_attempt(self) -> str:
        """The id of the attempt that `begin` begins."""
        return attempt_id(self.campaign, self.key, self.begun + 1)

    @property
    def may_leave_message(self) -> bool:
        """Whether a mailbox may get a message: one for each appointment, and one in a campaign without."""
        return not self.ended.get("machine")

    @property
    def open_attempt(self) -> Attempt | None:
        """The attempt that goes on; it may go on after the person is cancelled."""
        last = self.attempts[-1] if self.attempts else None
        return last if last is not None and last.outcome is None else None


def person_key(secret: str, id: str) -> str:
    """The key of a person in storage, URLs and idempotency keys: an id may be a telephone number, and hold any sign.

    Args:
        secret: of the campaign; without it a key tells nobody whose it is, not even by trying all numbers.
    """
    return hmac.new(secret.encode(), id.encode(), "sha256").hexdigest()[:32]


def attempt_id(campaign: str, key: str, number: int) -> str:
    """The id of a person's nth attempt, which is the idempotency key of its call."""
    return f"{campaign}:{key}:{number}"


def first_due(appointment: datetime | None, rules: Rules, now: datetime) -> datetime:
    """When somebody is called first."""
    return now if appointment is None or not rules.ahead else max(now, appointment - max(rules.ahead))


def begin(person: Person, now: datetime) -> Person:
    """Begin the next attempt, the person's `open_attempt` from now on. ValueError unless the person waits, and none
    goes on."""
    if person.state != "waiting" or person.open_attempt is not None:
        raise ValueError(f"an attempt cannot begin while the person is {person.state}")
    attempt = Attempt(
        id=person.next_attempt,
        begun=now,
        appointment=person.appointment,
        number=person.number,
    )
    attempts = (*person.attempts, attempt)[-MOST_ATTEMPTS:]
    return person.model_copy(update={"state": "calling", "attempts": attempts, "begun": person.begun + 1})


def finish(
    person: Person, attempt: str, outcome: OutcomeClass, now: datetime, rules: Rules, result: str = ""
) -> Person:
    """What an attempt's outcome makes of a person. The first outcome counts; one after `unknown` takes its place.

    Args:
        result: what the flow says, for `done`.
    """
    found = next((one for one in person.attempts if one.id == attempt), None)
    if found is None or found.outcome not in (None, "unknown") or found.outcome == outcome:
        return person
    ended = found.model_copy(update={"outcome": outcome, "result": result})
    noted = person.model_copy(update={"attempts": tuple(ended if one is found else one for one in person.attempts)})
    if person.state in FINAL:
        return noted
    if outcome == "opted_out":
        return noted.model_copy(update={"state": "opted_out", "result": result})
    going_on = noted.open_attempt is not None
    if found.appointment != person.appointment:  # it spoke of an appointment that was moved meanwhile
        return noted if going_on else noted.model_copy(update={"state": "waiting"})
    return _after(noted, found, outcome, now, rules, result)


def _after(person: Person, was: Attempt, outcome: OutcomeClass, now: datetime, rules: Rules, result: str) -> Person:
    tally = dict(person.ended)
    if was.outcome is not None:  # `unknown` was counted
        tally[was.outcome] = tally.get(was.outcome, 1) - 1
    tally[outcome] = tally.get(outcome, 0) + 1
    person = person.model_copy(update={"ended": tally})
    if outcome == "done":
        return person.model_copy(update={"state": "done", "result": result})
    if outcome == "dead" and was.number == person.number:
        return person.model_copy(update={"state": "dead"})
    if person.open_attempt is not None:
        return person
    step = rules.step(outcome)
    if step.times is not None and tally[outcome] > step.times:
        return person.model_copy(update={"state": "declined"})
    if attempts_used(person, rules):
        return person.model_copy(update={"state": "no_contact"})
    due = now + _wait(outcome, tally, step.after or timedelta())
    if outcome == "machine":  # a message is there: the next call is the next reminder
        due = max(due, _next_reminder(person.wanted.appointment, rules, now))
    return person.model_copy(update={"state": "waiting", "due": due})


def _wait(outcome: OutcomeClass, tally: Mapping[OutcomeClass, int], after: timedelta) -> timedelta:
    if outcome != "not_tried":
        return after
    return min(after * (1 << min(tally[outcome] - 1, 12)), max(after, NOT_TRIED_AT_MOST))


def _next_reminder(appointment: datetime | None, rules: Rules, now: datetime) -> datetime:
    """When somebody is reminded next; `now` if there is nothing to come."""
    if appointment is None:
        return now
    return min((at for ahead in rules.ahead if (at := appointment - ahead) > now), default=now)


def attempts_used(person: Person, rules: Rules) -> bool:
    """Whether there have been as many attempts as there may be."""
    return sum(count for outcome, count in person.ended.items() if rules.step(outcome).counts) >= rules.most_attempts


def postpone(person: Person, until: datetime) -> Person:
    """Let a waiting person be due no earlier, so that those who may be called come first."""
    return person.model_copy(update={"due": max(person.due, until)}) if person.state == "waiting" else person


def settle(person: Person, state: FinalState) -> Person:
    """End a waiting person's attempts, because they may never be called; a final state stays."""
    return person.model_copy(update={"state": state}) if person.state == "waiting" else person


def called_back(person: Person, result: str) -> Person:
    """What somebody says who calls back: the newest counts. Where no call can make a difference any more, nothing."""
    if person.state not in ("waiting", "calling", "done", "no_contact", "declined"):
        return person
    return person.model_copy(update={"state": "done", "result": result})


def rescheduled(person: Person, was: datetime, now: datetime) -> Person:
    """Their appointment is at another time, which they chose in the call that goes on, and so is confirmed by it. One
    that was moved meanwhile stays."""
    if person.wanted.appointment != was:
        return person
    return person.model_copy(update={"wanted": person.wanted.model_copy(update={"appointment": now})})


def opt_out(person: Person) -> Person:
    """Of somebody who wants no more calls, whatever the call was that they said it in."""
    return person if person.state in ("cancelled", "expired") else person.model_copy(update={"state": "opted_out"})
