"""A campaign's states.

    draft ── upload ──> importing ── whole ──> ready ── start ──> running <── pause, resume ──> paused
                                                                     │                            │
                                                                     └─ all done ──> finished     │
                                                                     └────────── stop ────────────┴──> stopped

An upload to a running or paused campaign imports, too: nobody is called by half a file, and when it is whole the
campaign goes on as before. What is asked for a second time changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.errors import CampaignState
from shared.outreach.lists import ListHead, stale
from shared.outreach.rules import Rules

State = Literal["draft", "importing", "ready", "running", "paused", "stopped", "finished"]
Command = Literal["start", "pause", "resume", "stop"]

_FROM: Mapping[Command, Mapping[State, State]] = {
    "start": {"ready": "running", "running": "running"},
    "pause": {"running": "paused", "paused": "paused"},
    "resume": {"paused": "running", "running": "running"},
    "stop": {"draft": "stopped", "importing": "stopped", "ready": "stopped", "running": "stopped",
             "paused": "stopped", "stopped": "stopped"},
}  # fmt: skip
_REMEDIES: Mapping[State, str] = {
    "draft": "Send a file or people first.",
    "importing": "Wait until the file is imported.",
    "ready": "Start it.",
    "running": "Pause or stop it.",
    "paused": "Resume or stop it.",
    "stopped": "Make a new campaign: a stopped one stays so.",
    "finished": "Send a file with more people, then start it again.",
}


MOST_CALLERS = 50
"""Own numbers of one campaign (our choice)."""
MOST_AT_ONCE = 400
"""Calls of one campaign at the same time (our choice): they stand in one row of the storage."""


class FileOptions(BaseModel):
    """How the files of a campaign are read.

    Attributes:
        country: of numbers without a country code, if a row has none.
        date_format: the name of a format (`shared.outreach.moments`); empty: dates as 2026-04-03 only.
        language: of people, if a row has none.
        columns: the column of a field, by its name in the header, where it cannot be guessed.
        keep: columns that are kept for the flow.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    country: str = ""
    date_format: str = ""
    language: str = ""
    columns: Mapping[str, str] = {}
    keep: tuple[str, ...] = ()


class Campaign(BaseModel):
    """A campaign.

    Attributes:
        secret: that its people's keys are made with (`person_key`).
        callers: the own numbers that people see, one of them in each call.
        flow: what they hear.
        at_once: its calls at the same time, at most; 0: as many as its numbers have slots for.
        agent: the number of those who take whoever asks for a person; empty: nobody does at once.
        files: how its files are read.
        digest: of the request that made it, by which the same request is known.
        then: while it imports: the state that it has afterwards.
        upload: the id of the upload that is being imported.
        imported: the ids of the newest uploads that are over, so that one that comes again is known.
        people: how many there are, as of the last import.
        finished: when it was last.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")
    name: str
    secret: str
    flow: str
    callers: tuple[str, ...] = Field(min_length=1, max_length=MOST_CALLERS)
    rules: Rules
    at_once: int = Field(0, ge=0, le=MOST_AT_ONCE)
    agent: str = ""
    files: FileOptions = FileOptions()
    digest: str = ""
    created: AwareDatetime
    state: State = "draft"
    then: State = "ready"
    upload: str = ""
    imported: tuple[str, ...] = ()
    people: int = 0
    started: AwareDatetime | None = None
    finished: AwareDatetime | None = None

    @property
    def calls(self) -> bool:
        """Whether people may be called for it now."""
        return self.state == "running"


UPLOADS_KEPT = 50


def command(campaign: Campaign, what: Command, now: datetime) -> Campaign:
    """The campaign after a command; CampaignState if that cannot be done in its state.

    While it imports, `pause` and `resume` change what it does afterwards.
    """
    if campaign.state == "importing" and what in ("pause", "resume"):
        return campaign.model_copy(update={"then": _after(campaign, campaign.then, what)})
    state = _after(campaign, campaign.state, what)
    if state == campaign.state:
        return campaign
    changed: dict[str, object] = {"state": state}
    if state == "running" and campaign.started is None:
        changed["started"] = now
    return campaign.model_copy(update=changed)


def _after(campaign: Campaign, state: State, what: Command) -> State:
    found = _FROM[what].get(state)
    if found is None:
        remedy = _REMEDIES[campaign.state]
        raise CampaignState(f"the campaign is {campaign.state} and cannot {what}. {remedy}")
    return found


def start_problem(campaign: Campaign, lists: tuple[ListHead, ...], now: datetime) -> str:
    """Why a campaign may not start although its state lets it; empty: it may."""
    if (old := stale(lists, campaign.rules, now)) is not None:
        days = campaign.rules.stale_days
        return f"the do-not-call list {old.name} is of {old.as_of}, more than {days} days old. Import it again."
    return "" if campaign.people else "nobody was imported. Send a file with people."


def import_begun(campaign: Campaign, upload: str) -> Campaign:
    """The campaign while an upload is imported; CampaignState while another is, and for a stopped one."""
    if upload in campaign.imported or (campaign.state == "importing" and campaign.upload == upload):
        return campaign
    if campaign.state in ("importing", "stopped"):
        raise CampaignState(f"the campaign is {campaign.state} and takes no file. {_REMEDIES[campaign.state]}")
    return campaign.model_copy(update={"state": "importing", "then": campaign.state, "upload": upload})


def import_over(campaign: Campaign, upload: str, people: int, *, whole: bool = True) -> Campaign:
    """The campaign when an upload is imported, or was refused before its first row.

    Args:
        people: how many the campaign has now.
        whole: False: it was refused, and all is as before.
    """
    if campaign.upload != upload or upload in campaign.imported:
        return campaign
    imported = (*campaign.imported, upload)[-UPLOADS_KEPT:]
    changed: dict[str, object] = {"upload": "", "imported": imported, "people": people}
    if campaign.state == "importing":
        opened = whole and campaign.then in ("draft", "finished")
        changed["state"] = "ready" if opened else campaign.then
    return campaign.model_copy(update=changed)


def read_so(campaign: Campaign, files: FileOptions) -> Campaign:
    """The campaign whose next file is read by these options; CampaignState while one is imported, and once stopped."""
    if files == campaign.files:
        return campaign
    if campaign.state in ("importing", "stopped"):
        raise CampaignState(f"the campaign is {campaign.state} and reads no other file. {_REMEDIES[campaign.state]}")
    return campaign.model_copy(update={"files": files})


def all_done(campaign: Campaign, now: datetime) -> Campaign:
    """A running campaign whose people are all in a final state; any other stays as it is."""
    if campaign.state != "running":
        return campaign
    return campaign.model_copy(update={"state": "finished", "finished": now})
