"""What becomes of attempts: the end of their calls, those that died on the way, and the end of a campaign."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import get_args

from shared.calls.record import CallRecord
from shared.events.subcodes import Outcome
from shared.identifiers import Identifier
from shared.logs import logger
from shared.outreach.campaign import Campaign, all_done
from shared.outreach.contacts import Contact
from shared.outreach.dialer import USE, Dialer
from shared.outreach.dialing import Dialing, OpenCall, found_again, lost, over
from shared.outreach.ledgers import EvidenceRecord
from shared.outreach.lists import opted_out
from shared.outreach.outcomes import OutcomeClass, class_of_answered, class_of_failed, class_of_refused
from shared.outreach.person import Person, opt_out
from shared.outreach.ports import Calls, Clock
from shared.outreach.state import State
from shared.use_cases.base import Queue, Task

log = logger("switchboard.outreach")

LOST_AFTER = timedelta(minutes=2)
"""After this a call that nobody knows was never placed: who decides to place it does so within seconds (our choice)."""
_OUTCOMES: dict[str, Outcome] = {one: one for one in get_args(Outcome)}


class Ending:
    """Notes what came of attempts. Safe to share between threads and instances; told twice, nothing changes."""

    def __init__(self, state: State, calls: Calls, dialer: Dialer, queue: Queue, clock: Clock) -> None:
        self._state = state
        self._calls = calls
        self._dialer = dialer
        self._queue = queue
        self._now = clock

    def closing(self, record: CallRecord) -> None:
        """A call that a campaign placed is over."""
        attempt = self._calls.attempt_of(record)
        of, _, rest = attempt.partition(":")
        campaign = self._state.campaigns.get(of) if attempt else None
        number = Identifier(raw_id=record.callee).phone_number if record.callee else None
        if campaign is None or not number:
            return
        key, now = rest.partition(":")[0], self._now()
        outcome = outcome_of(record)
        if outcome == "opted_out":
            self._state.do_not_call.opt_out(number, opted_out(campaign.rules.purpose, now))
        self._dialer.finish(campaign, key, attempt, outcome, record.result)
        self._state.contacts.change(number, partial(_ended, attempt, outcome, campaign.rules.step(outcome).counts, now))
        self._state.evidence.change(number, attempt, lambda one: _told(one, outcome, record.result))
        self._state.dialing.change(of, lambda one: one and over(one, key, attempt))
        if campaign.calls:
            self._queue.send(Task(USE, "dial", {"campaign": of}))

    def may_place(self, record: CallRecord) -> bool:
        """Whether whom a call is to, whose request may never have left, may be called now."""
        attempt = self._calls.attempt_of(record)
        of, _, rest = attempt.partition(":")
        campaign, person = self._state.campaigns.get(of), self._state.people.get(of, rest.partition(":")[0])
        if not attempt or campaign is None or person is None:
            return False
        return self._dialer.may_go_on(campaign, person, attempt)

    def recover(self, id: str) -> int:
        """End the attempts whose calls were never placed, how many; go on with those whose placing broke off, which
        calls whom may be called then."""
        campaign, dialing = self._state.campaigns.get(id), self._state.dialing.get(id)
        if campaign is None or dialing is None:
            return 0
        count = 0
        for key, call in lost(dialing, self._now(), LOST_AFTER).items():
            person = self._state.people.get(id, key)
            going_on = person.open_attempt if person is not None else None
            if person is None or going_on is None or going_on.id != call.attempt:
                self._state.dialing.change(id, lambda one, key=key, call=call: one and over(one, key, call.attempt))  # type: ignore[misc]
            elif not self._calls.was_placed(call.attempt):
                log.warning("campaign=%s: an attempt was begun and its call never placed", id)
                self._dialer.not_tried(campaign, person, call.attempt)
                count += 1
            elif self._calls.broke_off(call.attempt):
                self._calls.resume(call.attempt)
        return count

    def finish(self, id: str) -> str:
        """A campaign without anybody to call: finish it, if that is so. Reads all of its people."""
        campaign = self._state.campaigns.get(id)
        if campaign is None or not campaign.calls:
            return "not running"
        self._state.people.reindex(id)
        strays = [one for one in self._state.people.all(id) if one.open_attempt is not None]
        for one in strays:
            self._state.dialing.change(id, partial(_known, one, campaign))
        if strays or self._state.people.next_due(id) is not None:
            self._dialer.look_again(id, self._now() + timedelta(minutes=1))
            return "goes on"
        # In this order: a crash in between says it once too often, and nobody believes it before it is so.
        self._queue.send(Task(USE, "announce", {"campaign": id}), delay=1.0)
        self._state.campaigns.change(id, lambda one: one and all_done(one, self._now()))
        return "finished"

    def wants_no_calls(self, campaign: Campaign, key: str, number: str) -> None:
        """Somebody said so in a call that the campaign did not place."""
        self._state.do_not_call.opt_out(number, opted_out(campaign.rules.purpose, self._now()))
        self._state.people.change(campaign.id, key, lambda one: one and opt_out(one))

    def wants_nothing(self, number: str) -> None:
        """Somebody whom no campaign knows said so: no calls of either purpose."""
        self._state.do_not_call.opt_out(number, opted_out("service", self._now()))


def outcome_of(record: CallRecord) -> OutcomeClass:
    """The class of an attempt, by its call."""
    if record.connected_at:
        return "unknown" if record.failure and not record.result else class_of_answered(record.result)
    if record.outcome == "refused":
        return class_of_refused(record.code)
    return class_of_failed(record.code, _OUTCOMES.get(record.outcome, "unknown"))


def _ended(attempt: str, outcome: OutcomeClass, counts: bool, now: datetime, contact: Contact) -> Contact:
    return contact.ended(attempt, counts=counts, dead_at=now if outcome == "dead" else None)


def _told(record: EvidenceRecord | None, outcome: OutcomeClass, result: str) -> EvidenceRecord | None:
    """With what came of it, for good once something did."""
    if record is None or record.outcome not in (None, "unknown"):
        return record
    return record.model_copy(update={"outcome": outcome, "result": result})


def _known(person: Person, campaign: Campaign, dialing: Dialing | None) -> Dialing:
    """With the call of somebody of whom the row does not know."""
    going_on = person.open_attempt
    if going_on is None:
        return dialing or Dialing()
    call = OpenCall(attempt=going_on.id, caller=campaign.callers[0], at=going_on.begun)
    return found_again(dialing or Dialing(), person.key, call)
