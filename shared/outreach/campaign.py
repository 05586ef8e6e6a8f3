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


class Campaign(BaseModel):
    """A campaign.

    Attributes:
        secret: that its people's keys are made with (`person_key`).
        caller: the own number that people see.
        flow: what they hear.
        then: while it imports: the state that it has afterwards.
        upload: the id of the upload that is being imported.
        imported: the ids of the newest uploads that are over, so that one that comes again is known.
        people: how many there are, as of the last import.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")
    name: str
    secret: str
    flow: str
    caller: str
    rules: Rules
    created: AwareDatetime
    state: State = "draft"
    then: State = "ready"
    upload: str = ""
    imported: tuple[str, ...] = ()
    people: int = 0
    started: AwareDatetime | None = None

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


def all_done(campaign: Campaign) -> Campaign:
    """A running campaign whose people are all in a final state; any other stays as it is."""
    return campaign.model_copy(update={"state": "finished"}) if campaign.state == "running" else campaign
