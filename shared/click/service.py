"""The call-me button: who may have somebody called and when, the agents one after the other, and what came of it.

    ask         the page's token, origin and number are judged; a line in the ledger of the site grants the call, which
                counts from then on, whatever becomes of it; the request is kept; it is placed, or put on the agenda
    place       a call of the flow `click` for the first agent; the id of the request and the agent's place in the list
                are its idempotency key, so that it is placed once, however often this is done
    plan, accept, joined
                what the flow asks for and tells: the customer is called after `accept`, which an agent's 1 leads to
    closing     that call is over: the next agent is called, or the request has ended

A site is read before each of these: one that is withdrawn stops at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.calls.record import CallRecord
from shared.click.customers import read_customer, read_name
from shared.click.grants import Grants, Wish
from shared.click.ports import Captcha, Place
from shared.click.request import Asked, Consent, Outcome, Request, accepted, begun, ended, joined
from shared.click.site import MOST_SITES, SiteText, StoredSite, admit, made_token, site_of
from shared.click.store import ClickStore
from shared.errors import InvalidInput, NotFound, StateConflict
from shared.identifiers import Identifier
from shared.lines.calendars import Calendar
from shared.logs import logger
from shared.privacy import NumberHashes
from shared.use_cases.base import Agenda, Erased, Task

log = logger("switchboard.click")

USE = "click"
FLOW = "click"
LATEST = timedelta(days=7)
"""How far ahead somebody may ask to be called (our choice)."""
LATE = timedelta(minutes=15)
"""After which a call that should have been placed is not placed any more (our choice): nobody waits for it."""
AGAIN = timedelta(minutes=1)
"""When it is looked at again whether a call was placed, and whether it may be by now."""
PUNCTUAL = timedelta(seconds=5)
"""A call that is placed later than this after its time counts at the time at which it is placed (our choice)."""
MOST_REMOVED = 500
"""Requests that one run of the upkeep removes (our choice)."""


class Click:
    """The use case. Safe to share between threads.

    Args:
        calendars: the named calendars, as the storage has them.
        not_callable: why the app may not call somebody under a number of its own; empty: it may.
        own: numbers of the app, at which nobody is to be called.
    """

    def __init__(
        self,
        store: ClickStore,
        hashes: NumberHashes,
        agenda: Agenda,
        place: Place,
        captcha: Captcha,
        calendars: Callable[[], Mapping[str, Calendar]],
        not_callable: Callable[[Identifier, Identifier], str] = lambda target, own: "",
        *,
        own: Collection[str] = (),
        retention_days: int = 365,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.store = store
        self._hashes = hashes
        self._grants = Grants(store, hashes, clock)
        self._agenda = agenda
        self._place = place
        self._captcha = captcha
        self._calendars = calendars
        self._not_callable = not_callable
        self._own = own
        self._retention = retention_days
        self._clock = clock

    # Sites

    def site(self, name: str) -> StoredSite:
        """One site. NotFound."""
        found = self.store.site(name)
        if found is None:
            raise NotFound("site", f"{name[:40]!r} is not a site.", "GET /api/click/sites lists them.")
        return found

    def put_site(self, name: str, text: SiteText) -> tuple[bool, StoredSite]:
        """Set up a site or change it; its token stays. Whether it is new. InvalidInput."""
        if text.calendar and text.calendar not in self._calendars():
            raise InvalidInput(
                "calendar", f"{text.calendar!r} is not a calendar.", "PUT /api/calendars/NAME makes one."
            )
        for at, agent in enumerate(text.agents):
            if problem := self._problem(agent, text.caller_number):
                raise InvalidInput(f"agents.{at}", f"{problem}.", "Give somebody whom this app may call.")
        if text.captcha_hook and (problem := self._captcha.problem(text.captcha_hook)):
            raise InvalidInput("captcha_hook", problem, "Give the https:// URL of a hook at a public address.")
        token = made_token(name)
        known = self.store.site(name)
        if known is None and len(self.store.sites()) >= MOST_SITES:
            raise InvalidInput("site", f"would be site {MOST_SITES + 1}.", f"There can be {MOST_SITES}; remove one.")
        stored = self.store.change_site(
            name, lambda was: StoredSite(name=name, text=text, token=was.token if was else token)
        )
        log.warning("site %s %s", "made" if known is None else "changed", name)
        assert stored is not None
        return known is None, stored

    def remove_site(self, name: str) -> None:
        """Withdraw a site for good: its token is worth nothing from now on. NotFound."""
        self.site(name)
        self.store.change_site(name, lambda was: None)
        self.store.drop_entries(name)
        log.warning("site removed %s", name)

    # From the page

    def knows(self, origin: str) -> bool:
        """Whether a button stands on this page: what a browser asks before it sends anything."""
        return any(origin.lower() in one.text.origins for one in self.store.sites())

    def page(self, token: str, origin: str) -> StoredSite:
        """The site of a token, on one of its pages. Refused."""
        return admit(self.store.site(site_of(token)), token, origin)

    def opening(self, site: StoredSite, at: datetime | None = None) -> datetime | None:
        """When a site is open next: at this moment (now), if it is; None: never, as far as anybody knows."""
        at = at or self._clock()
        if not site.text.enabled:
            return None
        if not site.text.calendar:
            return at
        calendar = self._calendars().get(site.text.calendar)
        return calendar.next_opening(at) if calendar else None

    def ask(self, site: StoredSite, asked: Asked, *, origin: str, address: str, key: str) -> Request:
        """Grant a call and place it, or put it on the agenda. The same key does it once.

        InvalidInput for what is no number that this site calls; StateConflict outside of its hours, or if the text of
        the consent has changed; LimitReached; KeyReused.
        """
        text, now = site.text, self._clock()
        number, name = read_customer(asked.number, text.countries), read_name(asked.name)
        said = json.dumps([number, name, asked.at.isoformat() if asked.at else ""])
        try:
            at = self._time(site, asked, Identifier.parse(number), now)
        except (InvalidInput, StateConflict):
            granted = self._grants.granted(site, key, said)
            if (known := self.store.request(granted) if granted else None) is None:
                raise
            return known
        wish = Wish(at, number, address, key, said)
        entry = self._grants.grant(site, wish, lambda: self._check_captcha(site, asked, address))
        request = Request(
            id=entry.call,
            site=site.name,
            token=site.token,
            number=number,
            person=self._hashes.of(number),
            name=name,
            language=text.language,
            origin=origin,
            asked_at=now,
            at=datetime.fromtimestamp(entry.at, UTC),
            consent=Consent(text=text.consent, version=text.consent_version, at=now),
        )
        kept = self.store.add(request)
        waits = kept.state == "waiting" and kept.at > now + PUNCTUAL
        self._agenda.put(USE, kept.id, kept.at if waits else now + AGAIN)  # where this instance dies, or it is later
        if not waits:
            self._begin(kept.id)
        return self.store.request(kept.id) or kept

    def _time(self, site: StoredSite, asked: Asked, number: Identifier, now: datetime) -> datetime:
        """When somebody is called, if they may be. InvalidInput, StateConflict."""
        if problem := self._problem(number, site.text.caller_number):
            raise InvalidInput("number", f"{problem}.", "Give another number.")
        if asked.consent != site.text.consent_version:
            raise StateConflict("The text of the consent is another by now. Show it again, and ask again.")
        at = now if asked.at is None else self._later(asked.at, now)
        self._check_open(site, at)
        return at

    def cancel(self, request_id: str) -> Request:
        """Take a request back that waits. NotFound; StateConflict once somebody is called."""
        changed = self.store.change(
            request_id, lambda was: ended(was, "cancelled", self._clock()) if was.state == "waiting" else was
        )
        if changed is None:
            raise _unknown()
        if changed[1].outcome != "cancelled":
            raise StateConflict("It cannot be cancelled any more.")
        return changed[1]

    def request(self, request_id: str) -> Request:
        """A request by its id. NotFound."""
        found = self.store.request(request_id)
        if found is None:
            raise _unknown()
        return found

    def _problem(self, target: Identifier, caller_number: Identifier) -> str:
        """Why nobody is to be called there; empty: somebody may be."""
        if target.phone_number is not None and target.phone_number in (caller_number.phone_number, *self._own):
            return "is a number of the app itself"
        return self._not_callable(target, caller_number)

    def _later(self, at: datetime, now: datetime) -> datetime:
        if at > now + LATEST:
            raise InvalidInput("at", "is more than 7 days ahead.", "Give an earlier time.")
        if at < now - AGAIN:
            raise InvalidInput("at", "is over.", "Give a time to come, or none to be called now.")
        return max(at.astimezone(UTC), now)

    def _check_open(self, site: StoredSite, at: datetime) -> None:
        opens = self.opening(site, at)
        if opens is None:
            raise StateConflict("Nobody can be called from here at the moment.")
        if opens > at:
            raise StateConflict(f"It is closed then; it opens at {opens.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}.")

    def _check_captcha(self, site: StoredSite, asked: Asked, address: str) -> None:
        hook = site.text.captcha_hook
        if hook and not (asked.captcha and self._captcha.solved(hook, site.name, asked.captcha, address)):
            raise InvalidInput("captcha", "was not solved.", "Solve it again.")

    # Placing calls

    def due(self, item: str) -> None:
        """The time of a request has come, or it is a minute since it was granted."""
        self._begin(item)

    def _begin(self, request_id: str) -> None:
        """Have the agent called whose turn it is, if it may be now."""
        request, now = self.store.request(request_id), self._clock()
        if request is None or request.state not in ("waiting", "calling_agent"):
            return
        site = self._site_of(request)
        if site is None:
            self._end(request_id, "withdrawn")
        elif request.state == "waiting" and not self._is_in_time(site, request, now):
            self._end(request_id, "missed")
        elif request.state == "waiting" and not self._counts_now(site, request, now):
            self._agenda.put(USE, request_id, now + AGAIN)
        else:
            self._call_agent(site, request_id, request.attempt)

    def _counts_now(self, site: StoredSite, request: Request, now: datetime) -> bool:
        """Whether the limits allow it at the time at which it is placed."""
        return now <= request.at + PUNCTUAL or self._grants.move(site, request.id, now)

    def _is_in_time(self, site: StoredSite, request: Request, now: datetime) -> bool:
        opens = self.opening(site, now)
        return now <= request.at + LATE and opens is not None and opens <= now

    def _call_agent(self, site: StoredSite, request_id: str, attempt: int) -> None:
        """Call one agent; once, however often this is done."""
        changed = self.store.change(request_id, lambda was: begun(was, attempt))
        if changed is None or changed[1].state != "calling_agent" or changed[1].attempt != attempt:
            return
        data = {"request": request_id, "attempt": attempt}
        if site.text.language:
            data["language"] = site.text.language
        self._place(FLOW, data, f"{USE}:{request_id}:{attempt}")

    def _end(self, request_id: str, outcome: Outcome) -> None:
        self.store.change(request_id, lambda was: ended(was, outcome, self._clock()))

    # What the flow asks for and tells

    def plan(self, request_id: str, attempt: int) -> dict[str, Any] | None:
        """Whom the flow calls and what it says; None: nobody any more."""
        found = self._live(request_id)
        if found is None or found[1].state != "calling_agent" or found[1].attempt != attempt:
            return None
        text, request = found[0].text, found[1]
        if attempt >= len(text.agents):
            return None
        return {
            "agent": text.agents[attempt].raw_id,
            "caller_number": text.caller_number.raw_id,
            "company": text.company,
            "customer": request.number,
            "name": request.name,
            "ring": text.ring_seconds,
        }

    def accept(self, request_id: str, attempt: int) -> bool:
        """The agent pressed 1: whether the customer is to be called now."""
        if self._live(request_id) is None:
            return False
        changed = self.store.change(request_id, lambda was: accepted(was, attempt))
        return changed is not None and changed[1].state == "calling_you" and changed[1].attempt == attempt

    def joined(self, request_id: str) -> None:
        """The two talk."""
        self.store.change(request_id, lambda was: joined(was, self._clock()))

    def _live(self, request_id: str) -> tuple[StoredSite, Request] | None:
        """A request and its site, unless it is over or the site was withdrawn."""
        request = self.store.request(request_id)
        site = self._site_of(request) if request else None
        if request is None or site is None or request.state == "ended":
            return None
        return site, request

    def _site_of(self, request: Request) -> StoredSite | None:
        """The site that granted a request; None once it was withdrawn, though there may be another of its name."""
        site = self.store.site(request.site)
        if site is None or not site.text.enabled or request.token not in ("", site.token):
            return None
        return site

    # As a use case

    def work(self, task: Task) -> str:
        """It has nothing on the queue. InvalidInput."""
        raise InvalidInput("message", f"{task.what[:40]!r} is no work of a button.", "Remove it.")

    def closing(self, record: CallRecord) -> None:
        """A call is over: the next agent's turn, or the end."""
        request_id, attempt = record.details.get("request"), record.details.get("attempt")
        request = self.store.request(request_id) if isinstance(request_id, str) else None
        if request is None or not isinstance(attempt, int) or request.state == "ended":
            return
        if request.taken:
            if request.attempt == attempt:
                otherwise: Outcome = "failed" if record.outcome == "failed" else "not_reached"
                self._end(request.id, _OUTCOMES.get(record.result, otherwise))
            return
        site = self._site_of(request)
        if site is None:
            self._end(request.id, "withdrawn")
        elif attempt + 1 < len(site.text.agents):
            self._call_agent(site, request.id, attempt + 1)
        elif request.attempt == attempt:
            self._end(request.id, "no_agent")

    def may_place(self, record: CallRecord) -> bool:
        return True

    def export(self, number: Identifier) -> Mapping[str, Any]:
        """The requests for a number, and the sites whose agent it is."""
        requests = self.store.of_number(self._hashes.candidates(number.raw_id))
        found = {"requests": [one.model_dump(mode="json", exclude={"person", "token"}) for one in requests]}
        kept: dict[str, list[Any]] = {**found, "agent_of": self._sites_of(number)}
        return {name: one for name, one in kept.items() if one}

    def erase(self, number: Identifier) -> Erased:
        """Remove the requests for a number."""
        removed = self.store.erase(self._hashes.candidates(number.raw_id))
        stays = ["a keyed hash counts against the limits of the site for a day"] if removed else []
        stays += [f"it is an agent of the site {name}, until the site is changed" for name in self._sites_of(number)]
        return Erased(removed, "; ".join(stays))

    def expire(self, now: datetime) -> int:
        """Remove old requests, and hashes that count against no limit any more."""
        removed = 0
        if self._retention:
            removed = self.store.remove_before((now - timedelta(days=self._retention)).date(), MOST_REMOVED)
        self.store.drop_old_entries(int(now.timestamp()))
        return removed

    def _sites_of(self, number: Identifier) -> list[str]:
        return [site.name for site in self.store.sites() if number.key in {one.key for one in site.text.agents}]


_OUTCOMES: Mapping[str, Outcome] = {
    "connected": "completed",
    "not_reached": "not_reached",
    "no_line": "no_line",
    "withdrawn": "withdrawn",
}
"""What the flow says of a call that an agent took, and how the request has ended then."""


def _unknown() -> NotFound:
    return NotFound("id", "is not that of a request.", "Ask for a call first.")
