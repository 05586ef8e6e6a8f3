"""Where the people of a campaign stand, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from shared.outreach.person import Person


class Standing(NamedTuple):
    """How many people there are of each kind.

    Attributes:
        states: by state.
        results: of those who are done, by what the flow said.
        next_due: when the next of those who wait is due, outside of their hours too; None: nobody waits.
    """

    states: Counter[str]
    results: Counter[str]
    next_due: datetime | None


def standing(people: Iterable[Person]) -> Standing:
    """Count people, each of them once."""
    states, results = Counter[str](), Counter[str]()
    next_due: datetime | None = None
    for one in people:
        states[one.state] += 1
        if one.result:
            results[one.result] += 1
        if one.state == "waiting" and (next_due is None or one.due < next_due):
            next_due = one.due
    return Standing(states, results, next_due)
