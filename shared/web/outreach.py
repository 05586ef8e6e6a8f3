"""Campaigns and do-not-call lists in the HTTP API: what each route does, and how the document describes it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, get_args

from pydantic import BaseModel

from shared.errors import InvalidInput
from shared.outreach.campaign import Campaign, Command, FileOptions
from shared.outreach.lists import ListHead, Listing, checked_head
from shared.outreach.numbers import read_country, read_number
from shared.outreach.person import Person
from shared.outreach.results import results_csv
from shared.outreach.rules import Purpose
from shared.outreach.sending import as_csv
from shared.outreach.service import Outreach
from shared.web import outreach_models as models
from shared.web.document import KEY, PAGE, Document
from shared.web.models import MAX_KEY, read
from shared.web.queries import limit, only, page, position

LARGEST = 64 * 1024 * 1024
"""Bytes of a file (our choice; the host takes 100 MB): some 500,000 rows."""
LARGEST_LIST = 1024 * 1024
"""Bytes of a list of people in a request (our choice)."""
MOST_BAD_LINES = 100
"""Lines without a number that a response names (our choice); all are counted."""
OWN_LIST = "own"


class CampaignService:
    """What the HTTP API does with campaigns."""

    def __init__(self, outreach: Outreach, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._outreach = outreach
        self._clock = clock

    # Campaigns

    def make(self, body: bytes, key: str | None, who: str) -> tuple[bool, models.CampaignView]:
        """Make one; whether it is new. InvalidInput, KeyReused."""
        asked = read(models.MakeCampaign, body)
        if asked.files.country:
            read_country(asked.files.country, "files.country")
        made = _id("campaign", key)[:12]
        given = asked.model_dump()
        campaign = Campaign.model_validate(
            {
                **given,
                "id": asked.id or f"c-{made}",
                "name": asked.name or asked.id or f"c-{made}",
                "secret": secrets.token_hex(16),
                "digest": hashlib.sha256(asked.model_dump_json().encode()).hexdigest(),
                "created": self._clock(),
            }
        )
        is_new, kept = self._outreach.make(campaign, who)
        return is_new, models.CampaignView.of(kept)

    def listed(self, query: Mapping[str, str]) -> models.CampaignList:
        """A page of them, by id."""
        only(query, ("limit", "after"))
        size, after = limit(query.get("limit")), position(query.get("after"))
        found, more = page((one for one in self._outreach.state.campaigns.all() if one.id > after), size)
        views = tuple(map(models.CampaignView.of, found))
        return models.CampaignList(campaigns=views, next=found[-1].id if more else None)

    def get(self, campaign: str) -> models.CampaignView:
        """One. NotFound."""
        return models.CampaignView.of(self._outreach.get(campaign))

    def command(self, campaign: str, what: str, who: str) -> models.CampaignView:
        """Start, pause, resume or stop one. NotFound, CampaignState."""
        known: dict[str, Command] = {one: one for one in get_args(Command)}
        if what not in known:
            raise InvalidInput("command", f"{what[:40]!r} is not known.", f"Known: {', '.join(known)}.")
        return models.CampaignView.of(self._outreach.command(campaign, known[what], who))

    def pace(self, campaign: str, body: bytes, who: str) -> models.CampaignView:
        """Change how fast one calls."""
        return models.CampaignView.of(self._outreach.pace(campaign, read(models.Pace, body).at_once, who))

    def read_so(self, campaign: str, body: bytes, who: str) -> models.CampaignView:
        """Change how the next file of one is read. CampaignState, InvalidInput."""
        asked = read(models.ReadFilesSo, body)
        files = FileOptions(**asked.model_dump())
        return models.CampaignView.of(self._outreach.read_so(campaign, files, who))

    def remove(self, campaign: str, who: str) -> None:
        """Remove one with its people. CampaignState while it could still call."""
        self._outreach.remove(campaign, who)

    def progress(self, campaign: str) -> models.Progress:
        """How many people are in each state."""
        found, now = self._outreach.get(campaign), self._outreach.progress(campaign)
        return models.Progress(
            state=found.state,
            people=now.states.total(),
            states=dict(sorted(now.states.items())),
            results=dict(sorted(now.results.items())),
            next_due=now.next_due,
        )

    def dry_run(self, campaign: str) -> models.DryRunView:
        """What it would do today."""
        run = self._outreach.dry_run(campaign)
        not_called = {str(reason): count for reason, count in run.not_called.items()}
        return models.DryRunView(called=run.called, not_called=not_called, text=str(run))

    def results(self, campaign: str) -> Iterator[str]:
        """What came of it, as the lines of a CSV file. NotFound."""
        found = self._outreach.get(campaign)
        return results_csv(self._outreach.state.people.all(campaign), found.rules.zone)

    def audit(self, campaign: str) -> models.AuditView:
        """Who asked for what; of a campaign that was removed, too."""
        return models.AuditView(audit=tuple(self._outreach.audit(campaign)))

    # People

    def upload(self, campaign: str, body: bytes, key: str | None, who: str) -> models.UploadView:
        """Take a file. NotFound, CampaignState, KeyReused, InvalidInput."""
        if len(body) > LARGEST:
            raise InvalidInput("body", f"has {len(body)} bytes.", f"Send at most {LARGEST}; split the file.")
        return self._send(campaign, "file", body, key, who)

    def people(self, campaign: str, body: bytes, key: str | None, who: str) -> models.UploadView:
        """Take a list of people."""
        asked = read(models.SendPeople, body, most=LARGEST_LIST)
        return self._send(campaign, "people", as_csv(asked.people, self._keep(campaign)), key, who)

    def uploaded(self, campaign: str, upload: str) -> models.UploadView:
        """How an import went, or how far it is. NotFound."""
        self._outreach.get(campaign)
        return _upload_view(campaign, self._outreach.sending.report(campaign, upload))

    def preview(self, campaign: str, body: bytes) -> models.PreviewView:
        """What an import would make of a file."""
        found = asdict(self._outreach.sending.preview(self._outreach.get(campaign), body))
        found["problems"] = tuple(one.model_dump() for one in found["problems"])
        found["people"] = tuple(one.model_dump(mode="json") for one in found["people"])
        return models.PreviewView(**found, first=next(iter(found["people"]), None))

    def header(self, body: bytes) -> tuple[str, ...]:
        """The first line of a file. InvalidInput."""
        return self._outreach.sending.header(body)

    def each(self, campaign: str, after: str = "", state: str = "") -> Iterator[Person]:
        """The people of one by their keys, from behind a key on, in this state; empty: in any. NotFound."""
        self._outreach.get(campaign)
        people = self._outreach.state.people.behind(campaign, after)
        return (one for one in people if not state or one.state == state)

    # Numbers

    def check(self, body: bytes) -> models.NumberChecked:
        """Where a number is listed."""
        number, lists = read(models.NumberAsked, body).number, self._outreach.state.do_not_call
        return models.NumberChecked(listed=lists.listed(number, lists.heads()))

    def put_on_list(self, body: bytes) -> models.NumberChecked:
        """Put a number on the company's own list; again, nothing changes."""
        asked = read(models.PutOnList, body)
        purposes: frozenset[Purpose] = frozenset(asked.purposes)
        listing = Listing(list=OWN_LIST, since=self._clock(), purposes=purposes, reason=asked.reason)
        self._outreach.state.do_not_call.opt_out(asked.number, listing)
        return self.check(models.NumberAsked(number=asked.number).model_dump_json().encode())

    def take_off_list(self, body: bytes) -> models.NumberChecked:
        """Take a number off the company's own list."""
        self._outreach.state.do_not_call.remove(read(models.NumberAsked, body).number)
        return self.check(body)

    def lists(self) -> models.Lists:
        """The imported lists."""
        return models.Lists(lists=self._outreach.state.do_not_call.heads())

    def import_list(self, name: str, query: Mapping[str, str], body: bytes) -> models.ListImported:
        """Import a list, a number in each line, or a newer version of it."""
        if len(body) > LARGEST:
            raise InvalidInput("body", f"has {len(body)} bytes.", f"Send at most {LARGEST}.")
        only(query, ("as_of", "source", "purposes", "country"))
        head = self._head(name, query)
        country = read_country(query["country"]) if query.get("country") else ""
        numbers, bad = list[str](), list[int]()
        for at, line in enumerate(_lines(body), 1):
            try:
                numbers.append(read_number(line, country))
            except InvalidInput:
                if line:
                    bad.append(at)
        if not numbers:
            raise InvalidInput("body", "has no number.", "Send a number a line, as +14255550123.")
        since = datetime.combine(head.as_of or date.min, time(), UTC)
        kept = self._outreach.state.do_not_call.replace(head, dict.fromkeys(numbers), since)
        return models.ListImported(list=kept, bad=len(bad), bad_lines=tuple(bad[:MOST_BAD_LINES]))

    def evidence(self, body: bytes) -> models.EvidenceFound:
        """Why a number was called."""
        number = read(models.NumberAsked, body).number
        return models.EvidenceFound(evidence=tuple(self._outreach.state.evidence.of(number)))

    def _head(self, name: str, query: Mapping[str, str]) -> ListHead:
        try:
            as_of = date.fromisoformat(query.get("as_of", ""))
        except ValueError:
            raise InvalidInput("as_of", "is no date.", "Write the date of the list, as 2026-11-23.") from None
        # The list may be of a day that has begun somewhere already.
        head = checked_head(name[:60], query.get("source", "")[:200], as_of, self._clock() + timedelta(hours=14), "UTC")
        purposes = query.get("purposes", "marketing").split(",")
        if wrong := [one for one in purposes if one not in get_args(Purpose)]:
            raise InvalidInput(
                "purposes", f"{wrong[0][:40]!r} is not known.", f"Known: {', '.join(get_args(Purpose))}."
            )
        return head.model_copy(update={"purposes": frozenset(purposes)})

    def _send(self, campaign: str, kind: Any, data: bytes, key: str | None, who: str) -> models.UploadView:
        upload = _id(f"upload {campaign}", key)[:24]
        self._outreach.get(campaign)
        self._outreach.uploaded(campaign, who, upload)
        return _upload_view(campaign, self._outreach.sending.send(campaign, upload, kind, data, who))

    def _keep(self, campaign: str) -> tuple[str, ...]:
        return self._outreach.get(campaign).files.keep


def _upload_view(campaign: str, report: Any) -> models.UploadView:
    return models.UploadView(report=report, href=f"/api/campaigns/{campaign}/uploads/{report.upload}")


def _id(what: str, key: str | None) -> str:
    """The id of what a request makes: the same for the same key."""
    if key is not None and not 1 <= len(key) <= MAX_KEY:
        raise InvalidInput("Idempotency-Key", f"has {len(key)} characters.", f"Use 1 to {MAX_KEY}.")
    return secrets.token_hex(16) if key is None else hashlib.sha256(f"{what}\n{key}".encode()).hexdigest()


def _lines(body: bytes) -> Iterator[str]:
    try:
        return (line.strip() for line in body.decode("utf-8-sig").splitlines())
    except UnicodeDecodeError:
        raise InvalidInput("body", "is not UTF-8.", "Send a number a line, as UTF-8.") from None


# How the document describes it

_CAMPAIGN = {
    "name": "campaign",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": models.CAMPAIGN_ID},
}
_WHO = {
    "name": "X-Operator",
    "in": "header",
    "description": "who does it, for the audit; default: `unknown`",
    "schema": {"type": "string"},
}
_UPLOAD = {"name": "upload", "in": "path", "required": True, "schema": {"type": "string"}}
_COMMAND = {"name": "command", "in": "path", "required": True, "schema": {"enum": list(get_args(Command))}}
_LIST = {"name": "name", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 60}}
_OF_A_LIST = [
    {
        "name": "source",
        "in": "query",
        "required": True,
        "description": "who publishes it",
        "schema": {"type": "string"},
    },
    {
        "name": "as_of",
        "in": "query",
        "required": True,
        "description": "the date of its content",
        "schema": {"type": "string", "format": "date"},
    },
    {
        "name": "purposes",
        "in": "query",
        "description": "of the calls that it forbids, comma-separated; default: `marketing`",
        "schema": {"type": "string"},
    },
    {
        "name": "country",
        "in": "query",
        "description": "of numbers without a country code",
        "schema": {"type": "string"},
    },
]
_READS, _CHANGES = (401, 404, 503), (400, 401, 404, 409, 503)
Described = tuple[str, str, str, str, type[BaseModel] | None, dict[int, type[BaseModel]], list[Any], tuple[int, ...]]


def describe(document: Document) -> None:
    """Add the routes to the OpenAPI document."""
    view: dict[int, type[BaseModel]] = {200: models.CampaignView}
    sent: dict[int, type[BaseModel]] = {202: models.UploadView}
    one, who = "/campaigns/{campaign}", [_CAMPAIGN, _WHO]
    routes: tuple[Described, ...] = (
        ("/campaigns", "post", "makeCampaign", "Make a campaign", models.MakeCampaign,
         {200: models.CampaignView, 201: models.CampaignView}, [KEY, _WHO], (400, 401, 409, 503)),
        ("/campaigns", "get", "listCampaigns", "List campaigns", None, {200: models.CampaignList}, PAGE,
         (400, 401, 503)),
        (one, "get", "getCampaign", "Get a campaign", None, view, [_CAMPAIGN], _READS),
        (one, "delete", "removeCampaign", "Remove a campaign with its people", None, {}, who, (401, 404, 409, 503)),
        (f"{one}/commands/{{command}}", "post", "commandCampaign", "Start, pause, resume or stop a campaign", None,
         view, [_CAMPAIGN, _COMMAND, _WHO], _CHANGES),
        (f"{one}/pace", "post", "paceCampaign", "Change how many calls a campaign has at once", models.Pace, view, who,
         _CHANGES),
        (f"{one}/files", "post", "readFilesSo", "Change how the next file of a campaign is read", models.ReadFilesSo,
         view, who, _CHANGES),
        (f"{one}/people", "post", "sendPeople", "Send people", models.SendPeople, sent, [_CAMPAIGN, KEY, _WHO],
         _CHANGES),
        (f"{one}/uploads", "post", "uploadPeople", "Send a CSV file with people", None, sent, [_CAMPAIGN, KEY, _WHO],
         _CHANGES),
        (f"{one}/uploads/{{upload}}", "get", "getUpload", "Get how an import went, with its bad rows", None,
         {200: models.UploadView}, [_CAMPAIGN, _UPLOAD], _READS),
        (f"{one}/preview", "post", "previewPeople", "Read a CSV file without keeping anything", None,
         {200: models.PreviewView}, [_CAMPAIGN], (400, 401, 404, 503)),
        (f"{one}/progress", "get", "getProgress", "Count the people of a campaign by state", None,
         {200: models.Progress}, [_CAMPAIGN], _READS),
        (f"{one}/dry-run", "post", "dryRun", "Say what a campaign would do today", None, {200: models.DryRunView},
         [_CAMPAIGN], (400, 401, 404, 503)),
        (f"{one}/results", "get", "getResults", "Get what came of a campaign as CSV", None, {}, [_CAMPAIGN], _READS),
        (f"{one}/audit", "get", "getAudit", "Get who asked for what", None, {200: models.AuditView}, [_CAMPAIGN],
         (401, 503)),
        ("/do-not-call", "get", "listDoNotCall", "List the imported do-not-call lists", None, {200: models.Lists}, [],
         (401, 503)),
        ("/do-not-call/check", "post", "checkDoNotCall", "Say where a number is listed", models.NumberAsked,
         {200: models.NumberChecked}, [], (400, 401, 503)),
        ("/do-not-call/add", "post", "addDoNotCall", "Put a number on the own list", models.PutOnList,
         {200: models.NumberChecked}, [], (400, 401, 503)),
        ("/do-not-call/remove", "post", "removeDoNotCall", "Take a number off the own list", models.NumberAsked,
         {200: models.NumberChecked}, [], (400, 401, 503)),
        ("/do-not-call/lists/{name}", "put", "importDoNotCall", "Import a do-not-call list, a number a line", None,
         {200: models.ListImported}, [_LIST, *_OF_A_LIST], (400, 401, 503)),
        ("/evidence/search", "post", "searchEvidence", "Say why a number was called", models.NumberAsked,
         {200: models.EvidenceFound}, [], (400, 401, 503)),
    )  # fmt: skip
    for path, method, operation, summary, request, responses, parameters, problems in routes:
        document.add(path, method, operation, summary, request, responses, parameters, problems)
    document.no_content(one, "delete", "it is removed")
    document.text(f"{one}/results", "text/csv", "a person a line")
    for path, method in ((f"{one}/uploads", "post"), (f"{one}/preview", "post"), ("/do-not-call/lists/{name}", "put")):
        document.takes_text(path, method, "text/csv")
