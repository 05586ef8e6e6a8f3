"""The use case over rows in memory, at a time that a test says, and what it asked for."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.azure.partition_rows import TableRows
from shared.calls.record import CallRecord
from shared.click.limits import Limits
from shared.click.request import Asked, Request
from shared.click.service import Click
from shared.click.site import SiteText, StoredSite
from shared.click.store import ClickStore
from shared.composition.click import click_tables
from shared.identifiers import Identifier
from shared.lines.calendars import Calendar
from shared.privacy import NumberHashes
from shared.rows import MemoryRows, Rows
from shared.storage_account import StorageAccount
from shared.use_cases.base import Agenda
from tests.setting_samples import made_key

MONDAY = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
PAGE = "https://www.contoso.com"
CUSTOMER, OTHER = "+14255550123", "+14255550177"
AGENTS = ("+14255550142", "+14255550143")
OURS, OURS_ALSO = "+18005550199", "+12065550114"
CONSENT = "Contoso may call me once at this number."
SITE: dict[str, Any] = {
    "company": "Contoso",
    "origins": [PAGE],
    "countries": ["US"],
    "agents": list(AGENTS),
    "caller_number": OURS,
    "consent": CONSENT,
}

_prefixes = itertools.count(1)


@dataclass
class World:
    """The use case, and all that it reaches."""

    rows: Rows
    now: datetime = MONDAY
    placed: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    calendars: dict[str, Calendar] = field(default_factory=dict)
    captchas: list[tuple[str, str, str, str]] = field(default_factory=list)
    passes: bool = True
    not_callable: str = ""
    fails: int = 0
    """How many calls to place are carried out and raise all the same."""

    def __post_init__(self) -> None:
        self.hashes = NumberHashes(made_key("numbers"))
        self.agenda = Agenda(self.rows)
        self.click = Click(
            ClickStore(self.rows),
            self.hashes,
            self.agenda,
            self.place,
            self,
            lambda: self.calendars,
            lambda target, own: self.not_callable,
            own=[OURS_ALSO],
            clock=lambda: self.now,
        )

    def place(self, flow: str, data: Mapping[str, Any], key: str) -> None:
        assert flow == "click"
        assert self.placed.setdefault(key, data) == data
        if self.fails:
            self.fails -= 1
            raise TimeoutError("the response was lost")

    def problem(self, hook: str) -> str:
        return "" if hook.startswith("https://") else "must start with https://."

    def solved(self, hook: str, site: str, answer: str, address: str) -> bool:
        self.captchas.append((hook, site, answer, address))
        return self.passes

    def site(self, name: str = "shop", **changes: Any) -> StoredSite:
        limits = Limits(**changes.pop("limits", {}))
        return self.click.put_site(name, SiteText.model_validate({**SITE, "limits": limits, **changes}))[1]

    def ask(
        self,
        number: str = CUSTOMER,
        *,
        site: StoredSite | None = None,
        key: str = "",
        address: str = "198.51.100.7",
        at: datetime | None = None,
        name: str = "",
        captcha: str = "",
        consent: str | None = None,
    ) -> Request:
        site = site or self.click.site("shop")
        agreed = site.text.consent_version if consent is None else consent
        asked = Asked(number, name, agreed, at, captcha)
        return self.click.ask(site, asked, origin=PAGE, address=address, key=key)

    def wait(self, **time: float) -> None:
        """Time passes, and the agenda is looked at each minute."""
        until = self.now + timedelta(**time)
        while self.now < until:
            self.now = min(until, self.now + timedelta(minutes=1))
            for _, item, key in self.agenda.due(self.now):
                self.click.due(item)
                self.agenda.done(key)

    def close(self, request: Request, attempt: int, result: str, outcome: str = "completed") -> None:
        """The call for an agent is over."""
        details = {"request": request.id, "attempt": attempt}
        self.click.closing(CallRecord("c", flow="click", result=result, outcome=outcome, details=details))

    def state(self, request: Request) -> tuple[str, str]:
        found = self.click.request(request.id)
        return found.state, found.outcome


@pytest.fixture
def world() -> World:
    return World(MemoryRows())


@pytest.fixture(params=["memory", pytest.param("tables", marks=pytest.mark.node)])
def stored(request: pytest.FixtureRequest) -> World:
    """The same over the rows in memory, and on a real Azurite."""
    if request.param == "memory":
        return World(MemoryRows())
    azurite = request.getfixturevalue("azurite")
    prefix = f"click{next(_prefixes)}x"
    names = {**click_tables(prefix), "agenda": f"{prefix}agenda"}
    return World(TableRows(StorageAccount(azurite.connection_string), names))


def identifier(number: str) -> Identifier:
    return Identifier.parse(number)
