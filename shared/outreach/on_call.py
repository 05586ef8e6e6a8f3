"""What the flows of campaigns ask and say while they talk to somebody. Every function may be asked again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.errors import StoreUnavailable
from shared.identifiers import Identifier
from shared.logs import logger
from shared.outreach.campaign import Campaign
from shared.outreach.dialer import given, spoken, spoken_appointment
from shared.outreach.ending import Ending
from shared.outreach.other_times import MOST_OFFERED, OtherTimes
from shared.outreach.person import Person, called_back, rescheduled
from shared.outreach.ports import Clock
from shared.outreach.state import State

log = logger("switchboard.outreach")

LOOKED_AT = 5
"""Of the newest calls to a number, so many are looked at for what somebody who calls back is called about."""


class OnCall:
    """For flows, through `call.run`."""

    def __init__(self, state: State, ending: Ending, clock: Clock, company: str, times: OtherTimes) -> None:
        self._state = state
        self._ending = ending
        self._now = clock
        self._company = company
        self._times = times

    def still_counts(self, campaign: str, person: str, appointment: str | None) -> bool:
        """Whether what the call is about is still so: an appointment that is over, too close, moved or cancelled
        is not spoken."""
        found, kept = self._state.people.get(campaign, person), self._state.campaigns.get(campaign)
        if found is None or kept is None or found.state in ("cancelled", "expired", "opted_out"):
            return False
        return appointment == spoken_appointment(kept, found) and not self._is_over(found, kept)

    def who_calls_back(self, raw_id: str) -> dict[str, Any]:
        """What somebody is called about who calls back, as the flow's input has it; of others only who we are."""
        nobody = {"company": self._company}
        number = _number(raw_id)
        if not number:
            return nobody
        made = sorted(self._state.contacts.get(number).made, key=lambda one: one.at, reverse=True)
        for one in made[:LOOKED_AT]:
            of, _, rest = one.attempt.partition(":")
            campaign = self._state.campaigns.get(of)
            person = self._state.people.get(of, rest.partition(":")[0]) if campaign is not None else None
            if campaign is None or person is None or person.wanted.number != number:
                continue
            if person.state in ("cancelled", "expired", "opted_out") or self._is_over(person, campaign):
                continue
            return given(campaign, person, "", self._company)
        return nobody

    def answer(self, campaign: str, person: str, result: str) -> bool:
        """Somebody who called back says what they want; whether they are known."""
        after = self._state.people.change(campaign, person, lambda one: one and called_back(one, result))
        return after is not None

    def other_times(self, offer: str, campaign: str, person: str) -> list[dict[str, str]]:
        """Up to three times that the calendar holds for somebody, `id` and `at` by the clock of the company, those
        that are still to come. None where there is no calendar, or it does not respond: nobody waits for it on the
        telephone.
        """
        found, kept = self._state.people.get(campaign, person), self._state.campaigns.get(campaign)
        if found is None or kept is None or (appointment := spoken_appointment(kept, found)) is None:
            return []
        about = {"campaign": campaign, "id": found.wanted.id, "appointment": appointment}
        try:
            times = self._times.offer(offer, about)
        except StoreUnavailable as error:
            log.warning("no other times campaign=%s person=%s: %s", campaign, person, error)
            return []
        to_come = [one for one in times if one.at > self._now()][:MOST_OFFERED]
        return [{"id": one.id, "at": spoken(kept, one.at)} for one in to_come]

    def book(self, offer: str, campaign: str, person: str, appointment: str, time: Mapping[str, str]) -> bool:
        """Whether one of the times is the person's appointment now, in place of the one that was spoken of. False: that
        one was moved or cancelled meanwhile, or the calendar has given the time away, or does not respond; then
        somebody must call them.
        """
        was, now = datetime.fromisoformat(appointment), datetime.fromisoformat(time["at"])
        found = self._state.people.get(campaign, person)
        if found is None or found.state == "cancelled" or found.wanted.appointment not in (was, now):
            return False
        try:
            booked = self._times.book(offer, time["id"])
        except StoreUnavailable as error:
            log.warning("not known whether it is booked campaign=%s person=%s: %s", campaign, person, error)
            return False
        if booked:
            self._state.people.change(campaign, person, lambda one: one and rescheduled(one, was, now))
        return booked

    def release(self, offer: str) -> None:
        """None of the times suits. The calendar lets them go by itself where it does not hear of it."""
        try:
            self._times.release(offer)
        except StoreUnavailable as error:
            log.warning("the times of an offer are held on: %s", error)

    def no_more_calls(self, raw_id: str, about: Mapping[str, Any]) -> bool:
        """Somebody who called back wants no further calls; whether there is a number to keep that of.

        Args:
            about: what `who_calls_back` gave.
        """
        number = _number(raw_id)
        if not number:
            return False
        campaign = self._state.campaigns.get(str(about.get("campaign", "")))
        if campaign is not None:
            self._ending.wants_no_calls(campaign, str(about["person"]), number)
        else:
            self._ending.wants_nothing(number)
        return True

    def _is_over(self, person: Person, campaign: Campaign) -> bool:
        appointment = person.wanted.appointment
        return appointment is not None and appointment - campaign.rules.least_ahead < self._now()


def _number(raw_id: str) -> str:
    """The E.164 number of who calls; empty: they withhold it, or have none."""
    who = Identifier(raw_id=raw_id)
    return "" if who.is_anonymous else who.phone_number or ""
