"""Today: what goes on, five figures, and what needs somebody."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from shared.calls.store.base import CallStore, Listed, OpenCall, day_of, listed_row
from shared.calls.store.figures import NEEDS_SOMEBODY
from shared.web.console.call_list import Row, rows_of
from shared.web.console.words import NOT_REACHED
from shared.web.reports import RecordingView

MOST_SHOWN = 8
"""Rows of each list (our choice)."""
NEWEST = 100
"""Calls among which those that go on are looked up at once (our choice); one that is older is looked up by itself."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, and what it counts."""

    name: str
    value: int
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Today:
    """What the page shows of the calls.

    Attributes:
        more_live: how many go on that are not shown.
        calls: of the day, those that go on included.
    """

    figures: Sequence[Figure]
    live: Sequence[Row]
    more_live: int
    failed: Sequence[Row]
    calls: int
    version: str


def today(store: CallStore, day: str, titles: Mapping[str, str]) -> Today:
    """Today, by what was counted when calls were closed, and the calls that go on.

    Costs two requests to the storage; one more while calls go on, and one more where calls have failed, however many
    calls there were.
    """
    ended = store.ended(day)
    going_on, shown = _going_on(store, day)
    failed = [outcome for _, outcome in ended if outcome in NEEDS_SOMEBODY]
    needs_somebody = store.failed(day, MOST_SHOWN) if failed else []
    of_today = [one.direction for one in going_on if one.started_at and day_of(one.started_at) == day]
    inbound, outbound = (_with(ended, direction) + of_today.count(direction) for direction in ("inbound", "outbound"))
    figures = (
        Figure("on the line", len(going_on)),
        Figure("came in", inbound),
        Figure("went out", outbound),
        Figure("not reached", _with(ended, outcomes=NOT_REACHED)),
        Figure("failed", _with(ended, outcomes=NEEDS_SOMEBODY), bad=bool(failed)),
    )
    told = [
        *(f"{one.name} {one.value}" for one in figures),
        *(f"{row.call_id} {row.status}" for row in shown),
        *(f"{row.call_id} {row.outcome}" for row in needs_somebody),
    ]
    return Today(
        figures=figures,
        live=rows_of(shown, titles, shown=False),
        more_live=max(0, len(going_on) - len(shown)),
        failed=rows_of(needs_somebody, titles, shown=False),
        calls=inbound + outbound,
        version=f'"{hashlib.sha256(chr(10).join(told).encode()).hexdigest()[:20]}"',
    )


def _going_on(store: CallStore, day: str) -> tuple[list[OpenCall], list[Listed]]:
    """The calls that go on, newest first, and what a list shows of the first of them. One that has ended and is not
    closed yet goes on no more."""
    calls = list(store.going_on())
    newest = {row.call_id: row for row in islice(store.listed(day, most=NEWEST), NEWEST)} if calls else {}
    calls = [one for one in calls if one.call_id not in newest or newest[one.call_id].status != "ended"]
    calls.sort(key=lambda one: (-one.started_at, one.call_id))
    first = [one.call_id for one in calls[:MOST_SHOWN]]
    older = {one.call_id: listed_row(one) for one in store.peek_all([one for one in first if one not in newest])}
    rows = [newest.get(call_id) or older.get(call_id) for call_id in first]
    return calls, [row for row in rows if row is not None and row.status != "ended"]


def _with(ended: Mapping[tuple[str, str], int], direction: str = "", outcomes: Collection[str] | None = None) -> int:
    """How many calls ended in this direction, or so."""
    return sum(
        count
        for (way, outcome), count in ended.items()
        if direction in ("", way) and (outcomes is None or outcome in outcomes)
    )


def failed_recordings(found: Iterable[RecordingView]) -> list[tuple[str, str, str]]:
    """Id, call and reason of recordings that were given up."""
    return [(one.id, one.call_id, one.reason) for one in found]
