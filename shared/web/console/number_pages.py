"""Do-not-call lists, and why a number was called. Numbers are posted: no log and no address has them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from shared.errors import InvalidInput
from shared.web.console import campaigns
from shared.web.console.acting import written_number
from shared.web.console.campaign_pages import HERE
from shared.web.console.exchange import Reply
from shared.web.console.gate import Gate, Visit
from shared.web.outreach import CampaignService
from shared.web.outreach_models import EvidenceFound, ListImported, NumberChecked

PURPOSES: Mapping[str, tuple[str, ...]] = {"all": ("marketing", "service"), "marketing": ("marketing",)}
"""What a number is listed against, by the choice of a form."""


class NumberPages:
    """The pages on numbers of campaigns.

    Args:
        country: of the company.
    """

    def __init__(
        self,
        gate: Gate,
        service: CampaignService,
        country: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._gate = gate
        self._service = service
        self._country = country
        self._clock = clock

    # Do-not-call lists

    def lists(self, visit: Visit) -> Reply:
        """The lists, and the forms that look a number up, add one, and import a list."""
        return self._lists(visit)

    def check(self, visit: Visit) -> Reply:
        """Where a number is listed."""
        number = written_number(visit.request.form.get("number", ""))
        try:
            found = self._service.check(_json({"number": number}))
        except InvalidInput as error:
            return self._lists(visit, wrong=_told(error), status=400)
        visit.did("looked a number up", "", "campaign")
        return self._lists(visit, number=number, found=found)

    def add(self, visit: Visit) -> Reply:
        """Put a number on the company's own list."""
        form = visit.request.form
        number = written_number(form.get("number", ""))
        given: dict[str, Any] = {"number": number, "purposes": PURPOSES.get(form.get("purposes", ""), ())}
        if reason := form.get("reason", "").strip():
            given["reason"] = reason
        try:
            found = self._service.put_on_list(_json(given))
        except InvalidInput as error:
            return self._lists(visit, wrong=_told(error), status=400)
        visit.did("put a number on the do-not-call list", "", "campaign")
        may = visit.person.may("numbers")
        return self._lists(visit, did="The number is on your own list.", number=number, found=found if may else None)

    def import_list(self, visit: Visit) -> Reply:
        """Import a list, or a newer version of it."""
        form, data = visit.request.form, visit.request.files.get("file", b"")
        query = {"source": form.get("source", "").strip(), "as_of": form.get("as_of", "").strip()}
        query |= {"purposes": ",".join(PURPOSES.get(form.get("purposes", ""), ()))}
        if country := form.get("country", "").strip().upper():
            query["country"] = country
        try:
            if not data:
                raise InvalidInput("file", "is missing.", "Choose a file with a number in each line.")
            found = self._service.import_list(form.get("name", "").strip(), query, data)
        except InvalidInput as error:
            return self._lists(visit, wrong=_told(error), status=400)
        visit.did("imported a do-not-call list", found.list.name, "list")
        return self._lists(visit, imported=found)

    def _lists(
        self,
        visit: Visit,
        *,
        number: str = "",
        found: NumberChecked | None = None,
        imported: ListImported | None = None,
        did: str = "",
        wrong: str = "",
        status: int = 200,
    ) -> Reply:
        today = self._clock().date()
        lists = [(one, (today - one.as_of).days if one.as_of else 0) for one in self._service.lists().lists]
        return self._gate.page(
            "do_not_call.html",
            visit,
            HERE,
            status=status,
            tab="do-not-call",
            lists=lists,
            number=number,
            found=found,
            imported=imported,
            did=did,
            wrong=wrong,
            country=self._country,
        )

    # Evidence

    def evidence_form(self, visit: Visit) -> Reply:
        """Where a number is typed."""
        return self._evidence(visit)

    def evidence(self, visit: Visit) -> Reply:
        """Why a number was called."""
        number = written_number(visit.request.form.get("number", ""))
        try:
            found = self._service.evidence(_json({"number": number}))
        except InvalidInput as error:
            return self._evidence(visit, wrong=_told(error), status=400)
        visit.did("searched the evidence by number", "", "campaign")
        return self._evidence(visit, number=number, found=found)

    def _evidence(
        self, visit: Visit, *, number: str = "", found: EvidenceFound | None = None, wrong: str = "", status: int = 200
    ) -> Reply:
        return self._gate.page(
            "evidence.html",
            visit,
            HERE,
            status=status,
            tab="evidence",
            number=number,
            found=list(reversed(found.evidence)) if found else None,
            outcomes=campaigns.OUTCOME,
            wrong=wrong,
        )


def _told(error: InvalidInput) -> str:
    if error.field == "number":
        return "This is no number with its country code. Write +1 425 555 0123."
    return f"{error.field.replace('_', ' ')}: {error.problem} {error.remedy}".strip()


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode()
