"""People, rules and windows of the tests of outreach."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.outreach.person import Person, Wanted, person_key
from shared.outreach.rules import Consent, Rules
from shared.outreach.uploads import merge
from shared.outreach.windows import Window

MONDAY = datetime(2026, 3, 9, 14, tzinfo=UTC)
"""A Monday: 15:00 in Berlin, 10:00 in New York (which changed its clocks the day before), 07:00 in Phoenix."""
BERLIN, NEW_YORK, PHOENIX, TOLL_FREE = "+4930123456", "+12125550123", "+16235550123", "+18005550199"
CONSENT = Consent(at=datetime(2026, 1, 3, tzinfo=UTC), source="web form")
SERVICE, MARKETING = Rules(purpose="service", zone="Europe/Berlin"), Rules(purpose="marketing", zone="Europe/Berlin")
REMINDERS = Rules(purpose="service", reminders=True, zone="Europe/Berlin")
WINDOW = Window()
HOUR = timedelta(hours=1)
SECRET = "of the campaign"


def key_of(id: str) -> str:
    return person_key(SECRET, id)


def wanted(id: str = "1", number: str = BERLIN, **more: Any) -> Wanted:
    return Wanted(id=id, number=number, **{"consent": CONSENT, **more})


def person(
    id: str = "1", number: str = BERLIN, *, at: datetime = MONDAY, rules: Rules = SERVICE, **more: Any
) -> Person:
    return merge(None, wanted(id, number, **more), ("spring", key_of(id)), at, rules)[0]


SPRING = ("spring", key_of("1"))
"""Who somebody with the id 1 is."""
