"""Campaigns and reminders: what the app, the HTTP API and flows ask of them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from shared.calls.flow import Flow
from shared.calls.record import CallRecord
from shared.errors import CampaignState, InvalidInput, KeyReused, NotFound
from shared.identifiers import Identifier
from shared.lines.reading import Lines
from shared.outreach.campaign import Campaign, Command, FileOptions, command, read_so, start_problem
from shared.outreach.contacts import Contact
from shared.outreach.decisions import Known
from shared.outreach.dialer import USE, Dialer, given
from shared.outreach.dry_run import DryRun, dry_run
from shared.outreach.ending import Ending
from shared.outreach.inbox import INBOX, Inbox
from shared.outreach.on_call import OnCall
from shared.outreach.other_times import OtherTimes
from shared.outreach.person import Person, Wanted, first_due
from shared.outreach.personal import Personal
from shared.outreach.ports import Announcing, Calls, Clock, Files, Windows
from shared.outreach.sending import Sending, reading_of
from shared.outreach.standing import Standing, standing
from shared.outreach.starting import flow_problem, number_problem
from shared.outreach.state import Audited, State
from shared.use_cases.base import Agenda, Erased, Queue, Task

LOOKED_AT = timedelta(minutes=10)
"""How often a running campaign is looked at, whatever else was planned: a message may have got lost (our choice)."""
READ_AT_ONCE = 16
"""Numbers that a dry run looks up at the same time (our choice)."""


class Outreach:
    """The use case of campaigns and reminders. Safe to share between threads and instances.

    Args:
        times: the calendar that offers other times for appointments.
        announcer: tells other systems that a campaign is finished.
        evidence_days: the setting EVIDENCE_RETENTION_DAYS.
        most_rows: the setting OUTREACH_MAX_RECIPIENTS.
    """

    def __init__(
        self,
        *,
        state: State,
        calls: Calls,
        files: Files,
        queue: Queue,
        agenda: Agenda,
        windows: Windows,
        flows: Mapping[str, Flow],
        lines: Lines,
        times: OtherTimes,
        announcer: Announcing,
        clock: Clock,
        most_rows: int,
        evidence_days: int,
    ) -> None:
        self.state = state
        self._queue = queue
        self._agenda = agenda
        self._windows = windows
        self._flows = flows
        self._lines = lines
        self._announcer = announcer
        self._now = clock
        self.dialer = Dialer(state, calls, queue, agenda, windows, clock, lines.company)
        self.ending = Ending(state, calls, self.dialer, queue, clock)
        self.sending = Sending(state, files, queue, agenda, clock, most_rows)
        self.on_call = OnCall(state, self.ending, clock, lines.company, times)
        self.inbox = Inbox(state, files, self.sending, agenda, clock, self.uploaded)
        self._personal = Personal(state, evidence_days)
        self._files = files

    # As a use case

    def work(self, task: Task) -> str:
        """Do a piece of work."""
        of = task.given.get("campaign", "")
        match task.what:
            case "dial":
                return self.dialer.dial(of)
            case "look":
                return f"recovered={self.ending.recover(of)} {self.dialer.dial(of)}"
            case "finish":
                return self.ending.finish(of)
            case "import":
                return self.sending.run(of, task.given.get("upload", ""))
            case "announce":
                campaign = self.state.campaigns.get(of)
                if campaign is None or not campaign.finished:
                    return "not finished"
                return self._announcer.announce(campaign, task)
        raise InvalidInput("message", f"{task.what[:40]!r} is no work of campaigns.", "Remove it.")

    def due(self, item: str) -> None:
        """A campaign is to be looked at, or the files that were dropped."""
        if item == INBOX:
            self.inbox.look()
            return
        campaign = self.state.campaigns.get(item)
        if campaign is None:
            return
        self.sending.check(campaign)
        self.inbox.look_soon()  # should its chain have broken
        if campaign.calls:
            # Always at the same minutes, so that looks that were planned for several reasons become one.
            since = self._now().timestamp()
            at = datetime.fromtimestamp(since - since % LOOKED_AT.total_seconds(), self._now().tzinfo) + LOOKED_AT
            self._agenda.put(USE, item, at)
            self._queue.send(Task(USE, "look", {"campaign": item}))

    def closing(self, record: CallRecord) -> None:
        """A call is over."""
        if record.direction == "outbound":
            self.ending.closing(record)

    def may_place(self, record: CallRecord) -> bool:
        """Whether whom a call is to may be called now as well."""
        return self.ending.may_place(record)

    def export(self, number: Identifier) -> Mapping[str, Any]:
        return self._personal.export(number)

    def erase(self, number: Identifier) -> Erased:
        return self._personal.erase(number)

    def expire(self, now: datetime) -> int:
        return self._personal.expire(now)

    # Campaigns

    def make(self, campaign: Campaign, who: str) -> tuple[bool, Campaign]:
        """Make a campaign; whether it is new. KeyReused where there is another one of this id. InvalidInput."""
        reading_of(campaign)
        kept = self.state.campaigns.change(campaign.id, lambda one: one or campaign)
        if kept is None or kept.digest != campaign.digest:
            raise KeyReused
        self.inbox.look_soon()
        is_new = kept.secret == campaign.secret
        if is_new:
            self._note(campaign.id, "made", who)
        return is_new, kept

    def get(self, id: str) -> Campaign:
        """A campaign. NotFound."""
        found = self.state.campaigns.get(id)
        if found is None:
            raise NotFound("id", f"{id[:60]!r} is no campaign.", "GET /api/campaigns lists them.")
        return found

    def command(self, id: str, what: Command, who: str) -> Campaign:
        """Start, pause, resume or stop a campaign. CampaignState."""
        campaign, now = self.get(id), self._now()
        changes = command(campaign, what, now) != campaign
        if what == "start" and changes and (problem := self._refusal(campaign)):
            raise CampaignState(f"the campaign cannot start: {problem}")
        self._note(id, what, who)
        after = self.state.campaigns.change(id, lambda one: one and command(one, what, now))
        if after is None:
            return self.get(id)
        if after.calls:
            self._agenda.put(USE, id, now + timedelta(minutes=1))
            self._queue.send(Task(USE, "look", {"campaign": id}))
        return after

    def pace(self, id: str, at_once: int, who: str) -> Campaign:
        """Change how many calls there may be at once."""
        self.get(id)
        self._note(id, "pace", who, str(at_once))
        after = self.state.campaigns.change(id, lambda one: one and one.model_copy(update={"at_once": at_once}))
        if after is not None and after.calls:
            self._queue.send(Task(USE, "dial", {"campaign": id}))
        return after or self.get(id)

    def remove(self, id: str, who: str) -> None:
        """Remove a campaign with its people. Evidence stays. CampaignState while it could still call."""
        campaign = self.get(id)
        if campaign.state not in ("draft", "stopped", "finished"):
            raise CampaignState(f"the campaign is {campaign.state}. Stop it first.")
        if (dialing := self.state.dialing.get(id)) is not None and dialing.open:
            raise CampaignState(f"{len(dialing.open)} of its calls go on. Wait until they are over.")
        self._note(id, "removed", who)
        self._files.remove(id)
        self.state.people.remove(id)
        for upload in list(self.state.uploads.all(id)):
            self.state.reports.change(upload.id, lambda _: None)
            self.state.uploads.change(upload.id, lambda _: None, id)
        self.state.dialing.change(id, lambda _: None)
        self.state.campaigns.change(id, lambda _: None)

    def read_so(self, id: str, files: FileOptions, who: str) -> Campaign:
        """Have the next file read by these options. CampaignState, InvalidInput."""
        campaign = self.get(id)
        reading_of(campaign.model_copy(update={"files": files}))
        if files == campaign.files:
            return campaign
        self._note(id, "files", who)
        return self.state.campaigns.change(id, lambda one: one and read_so(one, files)) or self.get(id)

    def progress(self, id: str) -> Standing:
        """How many people are in each state, and what they said. Reads them all."""
        self.get(id)
        return standing(self.state.people.all(id))

    def dry_run(self, id: str) -> DryRun:
        """What the campaign would do today. Reads all people, and what is known of each number."""
        campaign = self.get(id)
        window, lists = self._windows(campaign), self.state.do_not_call.heads()
        if window is None:
            problem = f"{campaign.rules.calendar!r} is no calendar."
            raise InvalidInput("rules.calendar", problem, "GET /api/calendars lists them.")
        people = list(self.state.people.all(id))
        numbers = {one.wanted.number for one in people if one.state == "waiting"}

        def known(number: str) -> Known:
            return Known(self.state.contacts.get(number), self.state.do_not_call.listed(number, lists), lists)

        with ThreadPoolExecutor(READ_AT_ONCE) as pool:
            found = dict(zip(numbers, pool.map(known, numbers), strict=True))
        nothing = Known(Contact(), (), lists)
        return dry_run(
            people, self._now(), campaign.rules, window, lambda person: found.get(person.wanted.number, nothing)
        )

    def announce_again(self, id: str) -> list[str]:
        """Tell those who did not take it that a campaign is finished; the targets. NotFound, UnknownDeadLetter."""
        return self._announcer.announce_again(self.get(id))

    def audit(self, id: str) -> Sequence[Audited]:
        """Who asked for what, the oldest first."""
        return list(self.state.audit.all(id))

    def uploaded(self, id: str, who: str, upload: str) -> None:
        """Note that somebody sends people."""
        self._note(id, "uploaded", who, upload)

    def _note(self, id: str, what: str, who: str, more: str = "") -> None:
        now = self._now()
        key = f"{int(now.timestamp() * 1000):013d}.{secrets.token_hex(4)}"
        self.state.audit.change(key, lambda _: Audited(at=now, what=what, by=who, more=more), id)

    def _refusal(self, campaign: Campaign) -> str:
        """Why a campaign may not start, though its state lets it; empty: it may."""
        flow = self._flows.get(campaign.flow)
        if problem := number_problem(campaign, self._lines, flow.use if flow is not None else USE):
            return problem
        if problem := flow_problem(flow, self._example(campaign), self._lines, campaign.callers[0]):
            return problem
        if self._windows(campaign) is None:
            return f"{campaign.rules.calendar!r} is no calendar. GET /api/calendars lists them."
        return start_problem(campaign, self.state.do_not_call.heads(), self._now())

    def _example(self, campaign: Campaign) -> dict[str, Any]:
        """The input of a call to somebody who might be in the campaign."""
        now = self._now()
        appointment = now + timedelta(days=2) if campaign.rules.reminders else None
        wanted = Wanted(
            id="example", number="", appointment=appointment, details=dict.fromkeys(campaign.files.keep, "…")
        )
        person = Person(campaign=campaign.id, key="0" * 32, wanted=wanted, due=first_due(None, campaign.rules, now))
        return given(campaign, person, "", self._lines.company)
