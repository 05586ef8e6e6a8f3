"""All that campaigns keep, over one set of tables."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.outreach.campaign import Campaign
from shared.outreach.dialing import Dialing
from shared.outreach.importing import ImportReport
from shared.outreach.ledgers import Contacts, DoNotCall, EvidenceRecords, Kept
from shared.outreach.people import People
from shared.privacy import NumberHashes
from shared.rows import Rows


class Uploaded(BaseModel):
    """A file or a list of people that was sent.

    Attributes:
        digest: of its bytes, by which the same one is known.
        kind: a list of people has the names of our fields as its columns, whatever those of files are called.
        by: who sent it.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    id: str
    digest: str
    kind: Literal["file", "people"]
    at: AwareDatetime
    by: str


class Audited(BaseModel):
    """That somebody asked for something.

    Attributes:
        what: `made`, `uploaded`, `start`, `pause`, `resume`, `stop`, `pace`, `files`, `removed`.
        by: who, as the request says; `unknown` where it does not.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    at: AwareDatetime
    what: str
    by: str
    more: str = ""


class State:
    """The stores."""

    def __init__(self, rows: Rows, numbers: NumberHashes) -> None:
        self.rows = rows
        self.people = People(rows)
        self.campaigns = Kept(rows, Campaign, "campaign")
        self.dialing = Kept(rows, Dialing, "dialing")
        self.uploads = Kept(rows, Uploaded, "upload")
        self.reports = Kept(rows, ImportReport, "report")
        self.audit = Kept(rows, Audited, "audit")
        self.contacts = Contacts(rows, numbers)
        self.do_not_call = DoNotCall(rows, numbers)
        self.evidence = EvidenceRecords(rows, numbers)
