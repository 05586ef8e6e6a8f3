"""The pages of campaigns: the list, one campaign with its file, its progress and its people. A method is a route."""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from shared.calls.claims import placed_id
from shared.errors import CampaignState, InvalidInput, NotFound
from shared.outreach.importing import ImportReport
from shared.outreach.moments import FORMATS
from shared.outreach.results import results_csv
from shared.outreach.spreadsheet import outgoing_csv
from shared.outreach.windows import WEEKDAYS
from shared.web.console import campaigns
from shared.web.console.acting import idempotency_key
from shared.web.console.exchange import Reply, see_other
from shared.web.console.gate import Gate, Visit
from shared.web.console.rendering import HEADERS, rendered
from shared.web.console.words import without_number
from shared.web.outreach import CampaignService
from shared.web.outreach_models import CampaignView, PreviewView
from shared.web.queries import page

PAGE = 50
"""Campaigns, or people, on one page (our choice)."""
HERE = "Campaigns"
DATES = frozenset({"appointment", "date", "consent_at"})
"""Fields that have a date."""
BAD_ROWS = ("line", "field", "problem", "remedy")


@dataclass(frozen=True, slots=True)
class CampaignFlow:
    """A flow that campaigns can call with."""

    name: str
    title: str
    reminders: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """A file as it is read, or what is wrong with it as a whole.

    Attributes:
        header: its columns, where they could be read.
        people: the first good rows, by the names of fields.
        has_dates: there is a column of dates.
    """

    header: Sequence[str]
    found: PreviewView | None = None
    people: Sequence[Mapping[str, Any]] = ()
    wrong: str = ""
    has_dates: bool = False


class CampaignPages:
    """The pages of campaigns.

    Args:
        flows: that campaigns can call with.
        callers: the app's own numbers that a campaign may show, each with its label.
        country, zone: of the company.
    """

    def __init__(
        self,
        gate: Gate,
        service: CampaignService,
        flows: Sequence[CampaignFlow],
        callers: Mapping[str, str],
        country: str,
        zone: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._gate = gate
        self._service = service
        self._flows = {flow.name: flow for flow in flows}
        self._callers = callers
        self._country = country
        self._zone = zone
        self._clock = clock

    # The list

    def listed(self, visit: Visit) -> Reply:
        """All campaigns, and the form of a new one."""
        return self._list(visit)

    def make(self, visit: Visit) -> Reply:
        """Make one, once for each form that was given out."""
        form = visit.request.form
        flow = self._flows.get(form.get("flow", ""))
        asked = campaigns.make_request(form, flow is not None and flow.reminders)
        try:
            if flow is None:
                raise InvalidInput("flow", "is missing or not made for campaigns.", "Choose one of the list.")
            if not asked["name"]:
                raise InvalidInput("name", "is empty.", "Give the campaign a name.")
            if unknown := [one for one in asked["callers"] if one not in self._callers]:
                raise InvalidInput("callers", f"{unknown[0][:20]!r} is not one of your numbers.", "Choose of the list.")
            if not asked["callers"]:
                raise InvalidInput("callers", "are missing.", "Choose the number that people see.")
            _, view = self._service.make(_json(asked), idempotency_key(form), visit.person.name)
        except InvalidInput as error:
            return self._list(visit, wrong=_told(error), form=form, status=400)
        visit.did("made a campaign", view.id, "campaign")
        return _back(view.id, "made")

    def _list(
        self, visit: Visit, *, wrong: str = "", form: Mapping[str, str] | None = None, status: int = 200
    ) -> Reply:
        found = self._service.listed({"limit": str(PAGE), "after": visit.request.query.get("after", "")})
        return self._gate.page(
            "campaigns.html",
            visit,
            HERE,
            status=status,
            tab="campaigns",
            campaigns=[(one, *campaigns.STATE[one.state], self._title(one)) for one in found.campaigns],
            next=urlencode({"after": found.next}) if found.next else "",
            flows=self._flows.values(),
            callers=self._callers,
            formats=FORMATS,
            weekdays=WEEKDAYS,
            form=defaultdict(str, form or {"zone": self._zone, "country": self._country, **campaigns.USUAL_HOURS}),
            again=form is not None,
            wrong=wrong,
            key=secrets.token_hex(16),
            first=not visit.request.query.get("after"),
        )

    # One campaign

    def one(self, visit: Visit, campaign: str) -> Reply:
        """One campaign."""
        return self._one(visit, campaign)

    def live(self, visit: Visit, campaign: str) -> Reply:
        """The part of a campaign's page that moves; 304 if nothing did. It reads all people of the campaign."""
        view = self._service.get(campaign)
        moving = self._moving(visit, view)
        version = moving["now"].version
        if visit.request.query.get("state", view.state) != view.state:
            return Reply(204, headers={"HX-Refresh": "true", "Cache-Control": "no-store"})
        if visit.request.headers.get("if-none-match") == version:
            return Reply(304, headers={"ETag": version, "Cache-Control": "no-store"})
        return rendered("campaign_live.html", **moving, person=visit.person, token=visit.token)

    def preview(self, visit: Visit, campaign: str) -> Reply:
        """A file as it would be read, with the options of the form; the file is not kept."""
        view, data = self._service.get(campaign), visit.request.files.get("file", b"")
        numbers = bool(visit.request.form.get("numbers")) and visit.person.may("numbers")
        try:
            if not data:
                raise InvalidInput("file", "is missing.", "Choose a CSV file.")
            view = self._read_so(visit, view)
            found = self._preview(view, data, numbers=numbers)
        except (InvalidInput, CampaignState) as error:
            found = Preview((), wrong=_told(error))
        if numbers:
            visit.did("looked at a file with numbers", campaign, "campaign")
        if visit.request.headers.get("hx-request"):
            return rendered("campaign_preview.html", **self._file_form(view, found), person=visit.person)
        return self._one(visit, campaign, preview=found)

    def upload(self, visit: Visit, campaign: str) -> Reply:
        """Take a file with people, once for each form that was given out."""
        view, data = self._service.get(campaign), visit.request.files.get("file", b"")
        try:
            if not data:
                raise InvalidInput("file", "is missing.", "Choose the CSV file again.")
            key = idempotency_key(visit.request.form)
            self._read_so(visit, view)
            self._service.upload(campaign, data, key, visit.person.name)
        except (InvalidInput, CampaignState) as error:
            status = 409 if isinstance(error, CampaignState) else 400
            return self._one(visit, campaign, wrong=_told(error), status=status)
        visit.did("sent people", campaign, "campaign")
        return _back(campaign, "uploaded")

    def command(self, visit: Visit, campaign: str, command: str) -> Reply:
        """Start, pause, resume or stop one."""
        try:
            self._service.command(campaign, command, visit.person.name)
        except CampaignState as error:
            return self._one(visit, campaign, wrong=_told(error), status=409)
        visit.did(command, campaign, "campaign")
        return _back(campaign, command)

    def bad_rows(self, visit: Visit, campaign: str, upload: str) -> Reply:
        """The bad rows of a file as CSV, each with its line, what is wrong and what to do."""
        problems = self._service.uploaded(campaign, upload).report.problems
        rows = ((str(one.line), one.field, one.problem, one.remedy) for one in problems)
        return _csv("bad-rows", campaign, outgoing_csv(BAD_ROWS, rows))

    # Its people

    def people(self, visit: Visit, campaign: str, *, numbers: bool = False) -> Reply:
        """Everybody of one, with what came of it."""
        view, asked = self._service.get(campaign), visit.request.form if numbers else visit.request.query
        state = asked.get("state", "")
        if state and state not in campaigns.PERSON:
            raise InvalidInput("state", "is not known.", "Choose one of the list.")
        if numbers:
            visit.did("showed numbers", campaign, "campaign")
        found, more = page(self._service.each(campaign, asked.get("after", "")[:32], state), PAGE)
        rows = [campaigns.person_row(one, view.rules.zone, placed_id, numbers=numbers) for one in found]
        return self._gate.page(
            "campaign_people.html",
            visit,
            HERE,
            view=view,
            rows=rows,
            state=state,
            states=campaigns.PERSON,
            after=asked.get("after", ""),
            next=rows[-1].key if more else "",
            numbers=numbers,
        )

    def csv(self, visit: Visit, campaign: str) -> Reply:
        """What came of one as CSV; with numbers for those who may see them and ask."""
        numbers = bool(visit.request.form.get("numbers"))
        if numbers and not visit.person.may("numbers"):
            return self._gate.message(403, "Not for you", "You may not see numbers.", person=visit.person)
        visit.did("took the results with numbers" if numbers else "took the results", campaign, "campaign")
        view, people = self._service.get(campaign), self._service.each(campaign)
        hidden = people if numbers else map(campaigns.hidden, people)
        return _csv("results", campaign, results_csv(hidden, view.rules.zone))

    # What pages are made of

    def _one(
        self, visit: Visit, campaign: str, *, wrong: str = "", preview: Preview | None = None, status: int = 200
    ) -> Reply:
        view, query = self._service.get(campaign), visit.request.query
        return self._gate.page(
            "campaign.html",
            visit,
            HERE,
            status=status,
            **{**self._moving(visit, view), **self._file_form(view, preview)},
            **self._checked(view, asked=bool(query.get("check"))),
            wrong=wrong,
            did=campaigns.did(query.get("did", ""), view.state),
            audit=list(reversed(self._service.audit(campaign).audit)),
        )

    def _moving(self, visit: Visit, view: CampaignView) -> dict[str, Any]:
        """What the part that moves needs; a page that a form has opened stands still, for a reload sends it again."""
        report = self._report(view)
        read_to = f"{report.state} {report.read_to}" if report else ""
        now = campaigns.shown(view, self._service.progress(view.id), self._title(view), self._clock(), read_to)
        return {
            "now": now,
            "view": view,
            "moves": campaigns.moves(view.state) and visit.request.method == "GET",
            "report": report,
            "problems": report.problems[: campaigns.MOST_PROBLEMS_SHOWN] if report else (),
            "field_names": campaigns.FIELD,
            "hours": campaigns.hours(view.rules),
            "at_once": campaigns.at_once(view),
        }

    def _report(self, view: CampaignView) -> ImportReport | None:
        """How the newest import goes, or went."""
        upload = view.upload or (view.imported[-1] if view.imported else "")
        try:
            return self._service.uploaded(view.id, upload).report if upload else None
        except NotFound:
            return None

    def _checked(self, view: CampaignView, *, asked: bool) -> dict[str, Any]:
        """Who would be called, where somebody asks."""
        found, wrong = None, ""
        if asked:
            try:
                found = campaigns.checked(self._service.dry_run(view.id))
            except InvalidInput as error:
                wrong = _told(error)
        stands = view.state in ("ready", "paused")  # while it calls, the answer is soon old
        by_itself = not asked and stands and 0 < view.people <= campaigns.CHECKED_AT_ONCE
        return {"checked": found, "check_wrong": wrong, "checks_itself": by_itself}

    def _file_form(self, view: CampaignView, preview: Preview | None) -> dict[str, Any]:
        return {
            "view": view,
            "preview": preview,
            "fields": campaigns.fields_of(view.rules),
            "field_names": campaigns.FIELD,
            "formats": FORMATS,
            "no_column": campaigns.NO_COLUMN,
            "most_shown": campaigns.MOST_PROBLEMS_SHOWN,
            "key": secrets.token_hex(16),
        }

    def _read_so(self, visit: Visit, view: CampaignView) -> CampaignView:
        """The campaign with the options of the form, if it has them."""
        form = visit.request.form
        if "date_format" not in form:
            return view
        return self._service.read_so(view.id, _json(campaigns.read_so_request(form)), visit.person.name)

    def _preview(self, view: CampaignView, data: bytes, *, numbers: bool) -> Preview:
        header = self._service.header(data)
        try:
            found = self._service.preview(view.id, data)
        except InvalidInput as error:
            return Preview(header, wrong=_told(error))
        people = [_shown(one, view.rules.zone, numbers=numbers) for one in found.people]
        return Preview(header, found, people, has_dates=bool(DATES & found.columns.keys()))

    def _title(self, view: CampaignView) -> str:
        flow = self._flows.get(view.flow)
        return flow.title if flow is not None else view.flow


def _shown(person: Mapping[str, Any], zone: str, *, numbers: bool) -> dict[str, Any]:
    """A row of a file as it is read."""
    number, appointment = str(person["number"]), person.get("appointment")
    at = datetime.fromisoformat(appointment) if appointment else None
    shown = {name: str(person.get(name) or "") for name in ("id", "name", "language", "zone")}
    details = {name: str(value) for name, value in person.get("details", {}).items()}
    if not numbers:
        shown, details = (
            {name: without_number(value, number) for name, value in values.items()} for values in (shown, details)
        )
    hidden = campaigns.number_of(number, numbers=numbers)
    return {**shown, "number": hidden, "appointment": campaigns.local(at, zone), "details": details}


def _told(error: Exception) -> str:
    """What is wrong, for people: without what only senders of JSON can do."""
    if not isinstance(error, InvalidInput):
        return f"{str(error)[:1].upper()}{str(error)[1:]}"
    field, of_columns = error.field, error.field.startswith("columns.")
    if of_columns:
        field = campaigns.FIELD.get(field.removeprefix("columns."), field)
    remedy = "Say below which column it is." if of_columns else error.remedy
    return f"{field}: {error.problem} {'' if '/api/' in remedy else remedy}".strip()


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode()


def _back(campaign: str, did: str) -> Reply:
    return see_other(f"/campaigns/{campaign}?did={did}", **{"Cache-Control": "no-store"})


def _csv(what: str, campaign: str, lines: Iterator[str]) -> Reply:
    name = "".join(sign for sign in campaign if sign.isalnum() or sign == "-")[:60]
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{what}-{name}.csv"'}
    return Reply(200, "".join(lines), "text/csv", headers)
