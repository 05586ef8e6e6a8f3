"""Places the calls of running campaigns, each of them once, and none that may not be.

The order for one person: room in the campaign's row; the number claimed by the change that decides; a look at the
do-not-call lists; the attempt begun; the evidence; the call, with the attempt's id as its idempotency key. Whoever dies
in between leaves a row that `recover` finds: a call that was never placed was not tried. What is decided is decided
shortly before the call: who was held up meanwhile leaves it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from secrets import token_hex
from typing import Any
from zoneinfo import ZoneInfo

from shared.errors import StoreError
from shared.logs import logger
from shared.outreach.campaign import Campaign
from shared.outreach.contacts import Contact
from shared.outreach.decisions import AGAIN_AFTER, FINAL_STATES, Allowed, Decision, Known, Later, Never, may_call
from shared.outreach.dialing import LEASE, Dialing, dialed_by, left_by, opened, over, still_dialed_by, wakes
from shared.outreach.ledgers import EvidenceRecord
from shared.outreach.lists import ListHead, forbidding, stale
from shared.outreach.outcomes import OutcomeClass
from shared.outreach.person import FinalState, Person, begin, finish, postpone, settle
from shared.outreach.ports import Calls, Clock, Windows
from shared.outreach.state import State
from shared.outreach.windows import Window
from shared.use_cases.base import Agenda, Queue, Task

log = logger("switchboard.outreach")

USE = "outreach"
BUDGET = timedelta(seconds=60)
"""How long one piece of work dials before it makes room for others (our choice)."""
PAGES = 8
"""Pages of people that are read at once (our choice): of 50,000 people some 400."""
HELD_UP = timedelta(seconds=30)
"""A decision that is older is none any more (our choice)."""
TAKEOVER = LEASE + timedelta(seconds=1)
"""When it is looked whether whoever dials has died over it (our choice)."""
NO_ROOM = timedelta(seconds=10)
"""When it is looked again for a free slot, whose end nobody here is told of (our choice)."""
BRAKED = timedelta(minutes=1)
"""When it is looked again whether a brake still acts (our choice)."""
FOR_GOOD = ("number_not_allowed", "too_many_targets")
"""Brakes that another time does not change."""
OF_ONE = "number_off"
"""The brake that may concern this number alone."""


@dataclass(frozen=True, slots=True)
class Round:
    """What holds for all people of one look.

    Attributes:
        dialer: who looks.
    """

    campaign: Campaign
    window: Window
    lists: tuple[ListHead, ...]
    dialer: str


class Dialer:
    """Dials. Safe to share between threads and instances."""

    def __init__(
        self,
        state: State,
        calls: Calls,
        queue: Queue,
        agenda: Agenda,
        windows: Windows,
        clock: Clock,
        company: str = "",
    ) -> None:
        self._state = state
        self._calls = calls
        self._queue = queue
        self._agenda = agenda
        self._windows = windows
        self._now = clock
        self._company = company

    def dial(self, id: str) -> str:
        """Place the calls of a campaign that are due, as far as there is room; what came of it, for the log. One does
        so at a time: whoever comes meanwhile has that one look again."""
        campaign, dialer, began = self._state.campaigns.get(id), token_hex(8), self._now()
        if campaign is None or not campaign.calls:
            return "not running"
        if not self._is_dialer(id, partial(dialed_by, dialer=dialer, now=began), dialer):
            self.look_again(id, began + TAKEOVER)
            return "another dials"
        outcome, is_dialer = "", True
        try:
            while is_dialer:
                outcome = self._dial(id, dialer, began)
                if self._now() - began > BUDGET:
                    break
                is_dialer = self._is_dialer(id, partial(left_by, dialer=dialer, now=self._now()), dialer)
                if is_dialer:
                    self._is_dialer(id, partial(dialed_by, dialer=dialer, now=self._now()), dialer)
        finally:
            if is_dialer:
                with suppress(StoreError):  # the lease ends by itself
                    self._is_dialer(id, partial(left_by, dialer=dialer, now=self._now(), for_good=True), dialer)
        if is_dialer:
            self._queue.send(Task(USE, "dial", {"campaign": id}))
        return outcome

    def _is_dialer(self, id: str, how: Callable[[Dialing], Dialing], dialer: str) -> bool:
        """Change who dials; whether this one does then."""
        dialing = self._state.dialing.change(id, lambda one: how(one or Dialing()))
        return dialing is not None and dialing.dialer == dialer

    def _dial(self, id: str, dialer: str, began: datetime) -> str:
        """Place calls until nobody is due, or something holds all others up."""
        placed, planned = 0, False
        while True:
            campaign = self._state.campaigns.get(id)
            if campaign is None or not campaign.calls:
                return f"placed={placed} not running"
            now = self._now()
            window = self._windows(campaign)
            lists = self._state.do_not_call.heads()
            if window is None or stale(lists, campaign.rules, now) is not None:
                log.warning("campaign=%s waits: a calendar is missing or a do-not-call list too old", id)
                self.look_again(id, now + AGAIN_AFTER)
                return f"placed={placed} waits"
            if now - began > BUDGET:
                return f"placed={placed} goes on"
            due = self._state.people.due(id, now, PAGES)
            if not due:
                return f"placed={placed} {self._rest(campaign, now)}"
            if not planned:
                self.look_again(id, now + TAKEOVER)
                planned = True
            around = Round(campaign, window, lists, dialer)
            for person in self._ready(around, due, now):
                held_up = self._call(around, person)
                if held_up == "":
                    placed += 1
                elif held_up != "not called":
                    return f"placed={placed} {held_up}"

    def look_again(self, id: str, at: datetime) -> None:
        """Have somebody look at a campaign then."""
        now = self._now()
        self._agenda.put(USE, id, max(at, now))
        seconds = (at - now).total_seconds()
        if seconds < 60 and wakes(self._state.dialing.get(id) or Dialing(), at, now):
            self._queue.send(Task(USE, "dial", {"campaign": id}), delay=max(1.0, seconds))
            self._state.dialing.change(id, lambda one: (one or Dialing()).model_copy(update={"wake": at}))

    def not_tried(self, campaign: Campaign, person: Person, attempt: str) -> None:
        """An attempt ends without a call."""
        self.finish(campaign, person.key, attempt, "not_tried")
        self._state.contacts.change(person.wanted.number, lambda one: one.ended(attempt, counts=False))
        self._drop(campaign.id, person.key, attempt)

    def may_go_on(self, campaign: Campaign, person: Person, attempt: str) -> bool:
        """Whether a person may be called now by an attempt whose call may never have been sent."""
        now, number, rules = self._now(), person.wanted.number, campaign.rules
        going_on, window, lists = person.open_attempt, self._windows(campaign), self._state.do_not_call.heads()
        if window is None or not campaign.calls or person.state != "calling":
            return False
        if going_on is None or going_on.id != attempt:
            return False
        known = Known(self._state.contacts.get(number), self._state.do_not_call.listed(number, lists), lists)
        begun = {"state": "waiting", "attempts": person.attempts[:-1], "begun": person.begun - 1, "due": now}
        return isinstance(may_call(person.model_copy(update=begun), now, rules, window, known), Allowed)

    def finish(self, campaign: Campaign, key: str, attempt: str, outcome: OutcomeClass, result: str = "") -> None:
        """Note what came of an attempt."""
        now = self._now()
        self._state.people.change(
            campaign.id, key, lambda one: one and finish(one, attempt, outcome, now, campaign.rules, result)
        )

    # One look at many

    def _ready(self, around: Round, due: list[Person], now: datetime) -> list[Person]:
        """Those who may be called as far as all are alike; the others are put off or settled together."""
        decided = {
            one.key: (one, may_call(one, now, around.campaign.rules, around.window, Known(lists=around.lists)))
            for one in due
        }
        others = {key: found for key, found in decided.items() if not isinstance(found[1], Allowed)}
        if others:
            self._state.people.change_all(around.campaign.id, others, _unless_changed)
        return [one for one, decision in decided.values() if isinstance(decision, Allowed)]

    def _rest(self, campaign: Campaign, now: datetime) -> str:
        """Nobody is due now."""
        following = self._state.people.next_due(campaign.id)
        dialing = self._state.dialing.get(campaign.id) or Dialing()
        if dialing.open:
            self._agenda.put(USE, campaign.id, now + timedelta(minutes=1))
        if following is not None:
            self.look_again(campaign.id, max(following, now + timedelta(seconds=1)))
            return f"next due {following:%Y-%m-%d %H:%M} UTC"
        if not dialing.open:
            self._queue.send(Task(USE, "finish", {"campaign": campaign.id}))
        return "nobody waits"

    # One person

    def _call(self, around: Round, person: Person) -> str:
        """Call somebody. Empty: it was placed; `not called`: the person may not be; else what holds all others up."""
        campaign = self._state.campaigns.get(around.campaign.id)
        if campaign is None or not campaign.calls:
            return "not running"
        now, attempt, number = self._now(), person.next_attempt, person.wanted.number
        if code := self._calls.forbidden(campaign.callers[0], number):
            if code in FOR_GOOD:
                self._settle(campaign.id, person, "refused")
            elif code == OF_ONE:
                self._put_off(campaign.id, person, Later(now + AGAIN_AFTER, "number_busy", code))
            else:
                return self._blocked(campaign.id, code, BRAKED)
            return "not called"
        caller = self._room(around, person, attempt, now)
        if not caller:
            return self._blocked(campaign.id, "no room", NO_ROOM)
        decision, contact = self._claim(around, person, attempt, now)
        if not isinstance(decision, Allowed):
            self._put_off(campaign.id, person, decision)
            self._drop(campaign.id, person.key, attempt)
            return "not called"
        if contact.attempt != attempt:
            self._burn(campaign, person, attempt, now)
            return "not called"
        listed = forbidding(self._state.do_not_call.listed(number, around.lists), campaign.rules.purpose)
        if listed is not None:
            self._state.contacts.change(number, lambda one: one.ended(attempt, counts=False))
            self._settle(campaign.id, person, "suppressed")
            self._drop(campaign.id, person.key, attempt)
            return "not called"
        begun = self._state.people.change(campaign.id, person.key, partial(_begun, person, now))
        if begun is None or begun != begin(person, now):
            if begun is None or begun.open_attempt is None or begun.open_attempt.id != attempt:
                self._drop(campaign.id, person.key, attempt)
            return "not called"
        record = EvidenceRecord(
            attempt=attempt, campaign=campaign.id, evidence=decision.evidence, call_id=self._calls.call_id(attempt)
        )
        self._state.evidence.note(number, record)
        if not timedelta() <= self._now() - now <= HELD_UP:
            self.not_tried(campaign, begun, attempt)
            return "not called"
        self._calls.place(campaign.flow, caller, number, self._given(campaign, begun, attempt), attempt)
        return ""

    def _claim(self, around: Round, person: Person, attempt: str, now: datetime) -> tuple[Decision, Contact]:
        """The decision, and the number as it is then: claimed, if it is Allowed and nobody else has it."""
        rules, decision = around.campaign.rules, list[Decision]()

        def claimed(contact: Contact) -> Contact:
            found = may_call(person, now, rules, around.window, Known(contact, (), around.lists))
            decision.append(found)
            return contact.began(attempt, rules.purpose, now) if isinstance(found, Allowed) else contact

        contact = self._state.contacts.change(person.wanted.number, claimed)
        return decision[-1], contact

    def _room(self, around: Round, person: Person, attempt: str, now: datetime) -> str:
        """The own number to call by, noted in the campaign's row; empty: there is no room."""
        campaign = around.campaign
        slots = self._calls.slots(campaign.callers)

        def taken(dialing: Dialing | None) -> Dialing:
            going_on = still_dialed_by(dialing or Dialing(), around.dialer, now)
            return opened(going_on, person.key, attempt, now, slots, campaign.at_once)

        dialing = self._state.dialing.change(campaign.id, taken)
        call = dialing.open.get(person.key) if dialing else None
        return call.caller if call is not None and call.attempt == attempt else ""

    def _burn(self, campaign: Campaign, person: Person, attempt: str, now: datetime) -> None:
        """The number knows this attempt as one that is over: the person goes on with the next."""

        def burnt(one: Person | None) -> Person | None:
            if one is None or one != person:
                return one
            return finish(begin(one, now), attempt, "not_tried", now, campaign.rules)

        self._state.people.change(campaign.id, person.key, burnt)
        self._drop(campaign.id, person.key, attempt)

    def _put_off(self, id: str, person: Person, decision: Decision) -> None:
        self._state.people.change_all(id, {person.key: (person, decision)}, _unless_changed)

    def _settle(self, id: str, person: Person, state: FinalState) -> None:
        self._state.people.change(id, person.key, lambda one: settle(one, state) if one == person and one else one)

    def _drop(self, id: str, key: str, attempt: str) -> None:
        self._state.dialing.change(id, lambda one: one and over(one, key, attempt))

    def _blocked(self, id: str, why: str, until: timedelta) -> str:
        self.look_again(id, self._now() + until)
        return why

    def _given(self, campaign: Campaign, person: Person, attempt: str) -> dict[str, Any]:
        return given(campaign, person, attempt, self._company)


def given(campaign: Campaign, person: Person, attempt: str, company: str) -> dict[str, Any]:
    """What a flow finds in `call.input`."""
    return {
        "attempt": attempt,
        "campaign": campaign.id,
        "person": person.key,
        "purpose": campaign.rules.purpose,
        "company": company,
        "agent": campaign.agent,
        "language": person.wanted.language,
        "message": person.may_leave_message,
        "appointment": spoken_appointment(campaign, person),
        "details": dict(person.wanted.details),
    }


def spoken_appointment(campaign: Campaign, person: Person) -> str | None:
    """A person's appointment by the clock of the company, as flows have it; None: there is none."""
    appointment = person.wanted.appointment
    return None if appointment is None else spoken(campaign, appointment)


def spoken(campaign: Campaign, at: datetime) -> str:
    """A time by the clock of the company."""
    return at.astimezone(ZoneInfo(campaign.rules.zone)).isoformat()


def _unless_changed(person: Person | None, seen: tuple[Person, Decision]) -> Person | None:
    """Put off or settle somebody who is still as they were when it was decided."""
    before, decision = seen
    if person is None or person != before or isinstance(decision, Allowed):
        return person
    if isinstance(decision, Never):
        return person if decision.reason == "over" else settle(person, FINAL_STATES[decision.reason])
    return postpone(person, decision.at)


def _begun(seen: Person, now: datetime, person: Person | None) -> Person | None:
    return person if person is None or person != seen else begin(person, now)
