"""How many calls of a day have ended, and how: counted once each, when they are closed.

A closed call leaves a mark in the partition of its day, and is added to one of a few counters there, both in one
transaction: whoever closes it again, after a crash or beside another instance, finds the mark and counts nothing. So
the figures of a day cost one request, however many calls it has.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.calls.record import CallRecord
from shared.calls.store.base import day_of, listed_row
from shared.calls.store.index import IndexRow, day_row, ended_partition, failed_partition

COUNTERS = 8
"""Rows that share the count of a day (our choice): so many calls can be closed at the same moment."""
COUNTER = "counter "
"""Begins the keys of counters; those of marks are positions, which begin with a digit."""

NEEDS_SOMEBODY = frozenset({"failed", "settled", "too_long", "permission", "service_error"})
"""Ends that are nobody's wish: somebody should look."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a closed call was counted as, and at how many entries of its journal."""

    kind: str
    entries: int

    @property
    def failed(self) -> bool:
        """Whether the call is on the list of those that somebody should look at."""
        return self.kind.partition(" ")[2] in NEEDS_SOMEBODY


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call is counted: the partition, the key of its mark, and that of its counter."""

    partition: str
    mark: str
    counter: str


def place_of(record: CallRecord) -> Place:
    """Where a call is counted, whoever counts it: on the day on which it started."""
    number = int(hashlib.sha256(record.call_id.encode()).hexdigest()[:8], 16) % COUNTERS
    return Place(ended_partition(day_of(record.started_at)), listed_row(record).position, f"{COUNTER}{number}")


def mark_of(record: CallRecord) -> Mark:
    """As what an ended call counts."""
    return Mark(f"{record.direction} {record.outcome}", record.entries)


def counted(counter: str, mark: Mark, earlier: Mark | None) -> str | None:
    """A counter with one call more; None: it was counted already, at least as late.

    Args:
        counter: its text; empty: it is new.
        earlier: as what the call was counted before; None: it was not.
    """
    if earlier is not None and (earlier.entries >= mark.entries or earlier.kind == mark.kind):
        return None
    kinds = Counter(_read(counter))
    kinds[mark.kind] += 1
    if earlier is not None:
        kinds[earlier.kind] -= 1
    return json.dumps(+kinds, ensure_ascii=False, sort_keys=True)


def summed(counters: Iterable[str]) -> dict[tuple[str, str], int]:
    """How many calls ended, by direction and outcome."""
    found: Counter[str] = Counter()
    for one in counters:
        found.update(_read(one))
    return {(kind.partition(" ")[0], kind.partition(" ")[2]): count for kind, count in found.items()}


def failed_row(record: CallRecord) -> IndexRow:
    """The row of the list of those that somebody should look at; what it says is what the day's list says."""
    row = day_row(record)
    return IndexRow("", failed_partition(day_of(record.started_at)), row.key, row.columns)


def _read(counter: str) -> Mapping[str, int]:
    kinds: Mapping[str, int] = json.loads(counter or "{}")
    return kinds
