"""The calls of a day: what the list shows, filters with a bound on what they read, and the list as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlencode

from shared.calls.store.base import Listed
from shared.web.console.words import OUTCOME, STATUS, masked_number, moment, person, without_numbers
from shared.web.queries import day, position

PAGE = 50
"""Calls on one page (our choice)."""
MOST_LOOKED_AT = 5000
"""Rows that a filtered page reads at most: 5 requests to the storage. Then the reader is asked to search on."""
MOST_IN_CSV = 10_000
"""Rows of a CSV file (our choice); 10 requests to the storage."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the start of a formula."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What of a day is wanted; what is empty lets everything through."""

    day: str
    flow: str = ""
    ended: str = ""
    result: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filter:
        """The filter in a query. InvalidInput for a day that is none."""
        return cls(day(query.get("day")), *(query.get(name, "")[:200] for name in ("flow", "ended", "result")))

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.flow or self.ended or self.result)

    def takes(self, row: Listed) -> bool:
        """Whether a row is wanted; `ended` is an outcome, or a status of calls that go on."""
        ended = self.ended in (row.outcome, row.status)
        return (
            (not self.flow or row.flow == self.flow)
            and (not self.ended or ended)
            and (not self.result or row.result == self.result)
        )

    def query(self, **more: str) -> str:
        """It as a query, with more."""
        given = {"day": self.day, "flow": self.flow, "ended": self.ended, "result": self.result, **more}
        return urlencode({name: value for name, value in given.items() if value})


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and from where to read on; `looked_at` is set where the bound cut the search short."""

    rows: Sequence[Listed]
    after: str = ""
    looked_at: int = 0


def page_of(rows: Iterable[Listed], wanted: Filter, *, size: int = PAGE, most: int = MOST_LOOKED_AT) -> Page:
    """The first rows that are wanted, and whether there are more; no more is looked at than the bound."""
    found: list[Listed] = []
    looked_at = 0
    last: Listed | None = None
    for row in islice(rows, most if wanted.narrows else size + 1):
        if wanted.takes(row):
            if len(found) == size:
                return Page(found, found[-1].position)
            found.append(row)
        looked_at, last = looked_at + 1, row
    if wanted.narrows and looked_at == most and last is not None:
        return Page(found, last.position, looked_at)
    return Page(found)


def read_position(query: Mapping[str, str]) -> str:
    """From where a list is read on."""
    return position(query.get("after"))


@dataclass(frozen=True, slots=True)
class Row:
    """A call in a list."""

    id: str
    at: int
    time: str
    flow: str
    from_: str
    to: str
    ended: str
    outcome: str
    result: str
    live: bool


def rows_of(calls: Iterable[Listed], titles: Mapping[str, str], *, shown: bool) -> list[Row]:
    """What a list shows of calls; the app's own number is no secret, the other side's is."""
    return [
        Row(
            id=one.call_id,
            at=one.started_at,
            time=moment(one.started_at)[11:],
            flow=titles.get(one.flow, one.flow) or "no flow",
            from_=person(one.caller, shown=shown or one.direction == "outbound"),
            to=person(one.callee, shown=shown or one.direction == "inbound"),
            ended=OUTCOME.get(one.outcome, one.outcome) if one.status == "ended" else STATUS[one.status],
            outcome=one.outcome,
            result=without_numbers(one.result),
            live=one.status != "ended",
        )
        for one in calls
    ]


HEAD = ("id", "started", "flow", "direction", "from", "to", "status", "how it ended", "result")


def as_csv(calls: Iterable[Listed], *, shown: bool) -> str:
    """Calls as CSV (RFC 4180), in UTF-8; no cell but a phone number can be taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEAD)
    for one in calls:
        sides = (_side(raw_id, shown=shown) for raw_id in (one.caller, one.callee))
        rest = (one.status, one.outcome, one.result)
        cells = (one.call_id, f"{moment(one.started_at)}Z", one.flow, one.direction)
        writer.writerow([*map(_cell, cells), *sides, *map(_cell, rest)])
    return out.getvalue()


def _side(raw_id: str, *, shown: bool) -> str:
    name = person(raw_id, shown=True)
    is_number = name.startswith("+") and name[1:].isascii() and name[1:].isdigit()
    if not is_number:
        return _cell(name)
    return name if shown else masked_number(name).removeprefix("+")


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
