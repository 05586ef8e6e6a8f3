"""Today: what goes on, five figures, and what needs somebody."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.calls.store.base import Listed
from shared.web.console.call_list import Row, rows_of
from shared.web.console.words import NEEDS_SOMEBODY, NOT_REACHED
from shared.web.reports import RecordingView

MOST_ROWS = 1000
"""Calls of today that the page looks at, the newest: what one request to the storage gives."""
MOST_SHOWN = 8
"""Rows of each list (our choice)."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, and what it counts."""

    name: str
    value: int
    bad: bool = False
    ended: str = ""


@dataclass(frozen=True, slots=True)
class Today:
    """What the page shows of the calls.

    Attributes:
        cut: only the newest calls were looked at.
    """

    figures: Sequence[Figure]
    live: Sequence[Row]
    more_live: int
    failed: Sequence[Row]
    calls: int
    cut: bool
    version: str


def today(rows: Sequence[Listed], titles: Mapping[str, str]) -> Today:
    """Today, from its newest calls."""
    live = [row for row in rows if row.status != "ended"]
    failed = [row for row in rows if row.status == "ended" and row.outcome in NEEDS_SOMEBODY]
    not_reached = sum(row.status == "ended" and row.outcome in NOT_REACHED for row in rows)
    told = "\n".join(f"{row.call_id} {row.status} {row.outcome}" for row in rows)
    return Today(
        figures=(
            Figure("on the line", len(live)),
            Figure("came in", sum(row.direction == "inbound" for row in rows)),
            Figure("went out", sum(row.direction == "outbound" for row in rows)),
            Figure("not reached", not_reached),
            Figure("failed", len(failed), bad=bool(failed)),
        ),
        live=rows_of(live[:MOST_SHOWN], titles, shown=False),
        more_live=max(0, len(live) - MOST_SHOWN),
        failed=rows_of(failed[:MOST_SHOWN], titles, shown=False),
        calls=len(rows),
        cut=len(rows) >= MOST_ROWS,
        version=f'"{hashlib.sha256(told.encode()).hexdigest()[:20]}"',
    )


def failed_recordings(found: Iterable[RecordingView]) -> list[tuple[str, str, str]]:
    """Id, call and reason of recordings that were given up."""
    return [(one.id, one.call_id, one.reason) for one in found]
