"""What came of a campaign, as a file for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from shared.outreach.person import Person
from shared.outreach.spreadsheet import outgoing_csv

HEADER = ("id", "number", "name", "state", "result", "appointment", "attempts", "last_attempt", "last_outcome")


def results_csv(people: Iterable[Person], zone: str) -> Iterator[str]:
    """The lines of a CSV file, a person each, in the order that they come in.

    Args:
        zone: of its times, as a wall clock there shows them.
    """
    return outgoing_csv(HEADER, (_cells(one, ZoneInfo(zone)) for one in people))


def _cells(person: Person, zone: ZoneInfo) -> tuple[str, ...]:
    last = person.attempts[-1] if person.attempts else None
    return (
        person.wanted.id,
        person.wanted.number,
        person.wanted.name,
        person.state,
        person.result,
        _local(person.wanted.appointment, zone),
        str(person.begun),
        _local(last.begun if last else None, zone),
        (last.outcome or "") if last else "",
    )


def _local(at: datetime | None, zone: ZoneInfo) -> str:
    return "" if at is None else f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
