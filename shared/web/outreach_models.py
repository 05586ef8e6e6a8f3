"""Requests and responses of the routes of campaigns."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.outreach.campaign import MOST_AT_ONCE, MOST_CALLERS, Campaign, FileOptions, State
from shared.outreach.importing import ImportReport
from shared.outreach.ledgers import EvidenceRecord
from shared.outreach.lists import ListHead, Listing
from shared.outreach.rules import Purpose, Rules
from shared.outreach.state import Audited

MOST_PEOPLE = 1_000
"""People of one request (our choice); more come as a file."""

Number = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$", examples=["+14255550123"])]
"""In E.164 form."""
CAMPAIGN_ID = r"^[a-z0-9][a-z0-9-]{0,59}$"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MakeCampaign(_Model):
    """A campaign that is to be made."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "id": "visits-december",
                    "flow": "reminders",
                    "callers": ["+18005550177"],
                    "rules": {"purpose": "service", "reminders": True, "zone": "America/New_York"},
                    "files": {"country": "US", "date_format": "MM/DD/YYYY"},
                }
            ]
        },
    )

    id: str = Field("", pattern=r"^([a-z0-9][a-z0-9-]{0,59})?$", description="your name for it; default: one is made")
    name: str = Field("", max_length=200)
    flow: str = Field(description="what people hear: a flow for `outreach` or `reminders`")
    callers: tuple[Number, ...] = Field(
        min_length=1, max_length=MOST_CALLERS, description="your numbers that people see, declared in lines.yaml"
    )
    rules: Rules
    at_once: int = Field(0, ge=0, le=MOST_AT_ONCE, description="calls at once; 0: as many as the numbers have slots")
    agent: Number | Literal[""] = Field("", description="who takes those that ask for a person; empty: nobody at once")
    files: FileOptions = FileOptions()


class CampaignView(_Model):
    """A campaign."""

    id: str
    name: str
    flow: str
    callers: tuple[str, ...]
    rules: Rules
    at_once: int
    agent: str
    files: FileOptions
    state: State
    then: State = Field(description="while it imports: the state that it has afterwards")
    upload: str = Field(description="the upload that is being imported; empty: none")
    imported: tuple[str, ...] = Field(description="the newest uploads that are over, the last of them last")
    people: int = Field(description="as of the last import")
    created: datetime
    started: datetime | None
    finished: datetime | None

    @classmethod
    def of(cls, campaign: Campaign) -> CampaignView:
        """Without what is nobody's business."""
        return cls(**{name: getattr(campaign, name) for name in cls.model_fields})


class CampaignList(_Model):
    """A page of campaigns, by id."""

    campaigns: tuple[CampaignView, ...]
    next: str | None = Field(None, description="`after` of the next page; null: this is the last")


class Pace(_Model):
    """How fast a campaign calls."""

    at_once: int = Field(ge=0, le=MOST_AT_ONCE, description="calls at once; 0: as many as the numbers have slots")


class ReadFilesSo(FileOptions):
    """How the next file of a campaign is read."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"examples": [{"country": "US", "date_format": "MM/DD/YYYY"}]}
    )


class SendPeople(_Model):
    """People, by the names of our fields and of the columns that the campaign keeps."""

    people: tuple[dict[str, str], ...] = Field(
        min_length=1,
        max_length=MOST_PEOPLE,
        examples=[[{"id": "A-17", "number": "+14255550123", "appointment": "2026-12-03 14:30"}]],
    )


class UploadView(_Model):
    """How an import went, or how far it is, and each bad row with its line, what is wrong and what to do."""

    report: ImportReport
    href: str = Field(description="where it stands")


class PreviewView(_Model):
    """How a file would be read; nothing of it is kept."""

    encoding: str
    delimiter: str
    columns: dict[str, str] = Field(description="the name in the header of each field that was found")
    unused: tuple[str, ...]
    date_formats: tuple[str, ...]
    good: int
    bad: int
    problems: tuple[dict[str, Any], ...]
    first: dict[str, Any] | None = Field(description="the first good row, as it is read")
    header: tuple[str, ...] = Field(description="the first line of the file")
    people: tuple[dict[str, Any], ...] = Field(description="the first good rows, as they are read")


class Progress(_Model):
    """How many people of a campaign are in each state."""

    state: State
    people: int
    states: dict[str, int] = Field(
        description="`waiting`, `calling`, and how it ended: `done`, `no_contact`, `declined`, `dead`, `opted_out`, "
        "`suppressed`, `expired`, `refused`, `cancelled`"
    )
    results: dict[str, int] = Field(description="how many people have which result, as the flow says it")
    next_due: datetime | None = Field(
        description="when the next of those who wait is due, be it outside of their hours; null: nobody waits"
    )


class DryRunView(_Model):
    """What a campaign would do today, and why it would not call the others."""

    called: int
    not_called: dict[str, int] = Field(description="how many, by reason")
    text: str


class AuditView(_Model):
    """Who asked for what, the oldest first."""

    audit: tuple[Audited, ...]


class NumberAsked(_Model):
    """A number. It stands in the body, which no log keeps."""

    number: Number


class PutOnList(_Model):
    """A number that is not to be called any more."""

    number: Number
    purposes: tuple[Purpose, ...] = Field(("marketing", "service"), min_length=1)
    reason: str = Field("asked for it", max_length=200)


class NumberChecked(_Model):
    """Where a number is listed."""

    listed: tuple[Listing, ...]


class Lists(_Model):
    """The imported do-not-call lists. The company's own has neither source nor date."""

    lists: tuple[ListHead, ...]


class ListImported(_Model):
    """A do-not-call list was imported, in place of what it had before."""

    list: ListHead
    bad: int = Field(description="lines without a number")
    bad_lines: tuple[int, ...] = Field(description="the first of them")


class EvidenceFound(_Model):
    """Why a number was called, the oldest first."""

    evidence: tuple[EvidenceRecord, ...]
