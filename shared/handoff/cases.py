"""Cases in storage: a row each, in a partition of its own, the newest first; a row for each of their calls; and one for
each call back that was asked for, by the keyed hash of who is called."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime

from shared.errors import NotFound
from shared.handoff.case import Case, ids_before
from shared.rows import Rows

CASES = "cases"
"""The table, by the name that this package has for it."""

_ID = re.compile(r"[0-9a-f]{40}")
_CASE = "case"
_BEHIND = "g"
"""What all ids come before: they are hexadecimal."""
_OF_CALL = "of "
"""How the partitions of calls begin: behind all cases."""
_WAITS = "waits "
"""How the partitions of hashes begin: behind those."""


class Cases:
    """The cases of the hand-off. Every method may raise StoreUnavailable."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def of_call(self, call_id: str) -> str:
        """The id of the case that a call belongs to; empty: there is none. One round trip."""
        return self._rows.get(CASES, _OF_CALL + call_id, _CASE) or ""

    def claim(self, call_id: str, case_id: str) -> str:
        """Have a call belong to a case, if it belongs to none; to which it does. Two round trips."""
        changed = self._rows.change(CASES, _OF_CALL + call_id, {_CASE: lambda was: was or case_id})
        return changed[_CASE][1] or ""

    def put_new(self, case: Case) -> None:
        """Keep a case, unless it is there. Two round trips."""
        text = case.model_dump_json()
        self._rows.change(CASES, case.id, {_CASE: lambda was: was or text})

    def find(self, case_id: str) -> Case | None:
        """A case. One round trip."""
        if not _ID.fullmatch(case_id):
            return None
        text = self._rows.get(CASES, case_id, _CASE)
        return None if text is None else _read(text)

    def get(self, case_id: str) -> Case:
        """A case. NotFound."""
        case = self.find(case_id)
        if case is None:
            raise NotFound("case_id", "there is no case of this id.", "GET /api/cases lists them.")
        return case

    def change(self, case_id: str, how: Callable[[Case], Case]) -> Case | None:
        """Change a case by a pure function; as it is then. None: there is none (any more). Two round trips.

        Args:
            how: what it gave, given to it, must come back (`rows.Change`).
        """
        if not _ID.fullmatch(case_id):
            return None

        def change(text: str | None) -> str | None:
            return None if text is None else how(_read(text)).model_dump_json()

        after = self._rows.change(CASES, case_id, {_CASE: change})[_CASE][1]
        return None if after is None else _read(after)

    def wait_for(self, case: Case) -> None:
        """Have a call back found by whom it is to. A round trip for each hash."""
        for person in case.people:
            self._rows.put(CASES, _WAITS + person, {case.id: ""})

    def waiting_for(self, person: str) -> list[str]:
        """The ids of cases in which a call back was asked for, by a hash of the person. One query."""
        since = _WAITS + person
        return [row.key for row in self._rows.first(CASES, since, f"{since}!")]

    def forget_wait(self, person: str, case_id: str) -> None:
        """A call back is not found by this hash any more. One round trip."""
        self._rows.put(CASES, _WAITS + person, {case_id: None})

    def all(self, after: str = "") -> Iterator[Case]:
        """All cases, the newest first. A round trip for a thousand.

        Args:
            after: the id of the last one that was seen.
        """
        since = f"{after}!" if after else "0"  # behind the id itself, before every other
        return (_read(row.text) for row in self._rows.first(CASES, since, _BEHIND))

    def made_before(self, at: datetime) -> Iterator[Case]:
        """The cases that are as old as this or older. One query."""
        return (_read(row.text) for row in self._rows.first(CASES, ids_before(at), _BEHIND))

    def remove(self, case: Case) -> None:
        """Remove a case and what it is found by, itself last: it finds the rest. A round trip for each call, each hash
        and itself."""
        for call_id in case.call_ids:
            self.forget_call(call_id)
        for person in case.people:
            self.forget_wait(person, case.id)
        self._rows.put(CASES, case.id, {_CASE: None})

    def forget_call(self, call_id: str) -> None:
        """A call belongs to no case. One round trip."""
        self._rows.put(CASES, _OF_CALL + call_id, {_CASE: None})


def _read(text: str) -> Case:
    return Case.model_validate_json(text)
