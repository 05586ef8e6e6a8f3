"""What campaigns keep of a number: exported, erased, and removed by time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from shared.identifiers import Identifier
from shared.outreach.contacts import Contact
from shared.outreach.state import State
from shared.use_cases.base import Erased

CAPS_LOOK_BACK = timedelta(days=8)
"""Calls to a number that are older count for no cap: the longest is seven days."""
EXPIRED_EVERY = timedelta(days=1)
"""How often an instance looks for what has been kept long enough (our choice)."""
STAYS = "under a keyed hash: that no calls are wanted, and for a week when it was called, so that nobody calls again"


class Personal:
    """Finds and removes what belongs to a number.

    Args:
        evidence_days: the setting EVIDENCE_RETENTION_DAYS; 0: for ever.
    """

    def __init__(self, state: State, evidence_days: int) -> None:
        self._state = state
        self._evidence_days = evidence_days
        self._expired_at: datetime | None = None

    def export(self, raw_id: Identifier) -> Mapping[str, Any]:
        """All of it, as JSON; empty: nothing. Reads all people of all campaigns."""
        number = raw_id.phone_number
        if not number or raw_id.is_anonymous:
            return {}
        contact = self._state.contacts.get(number)
        found: dict[str, Any] = {
            "people": [one.model_dump(mode="json") for one in self._state.people.with_number(number)],
            "calls": [] if contact == Contact() else [contact.model_dump(mode="json")],
            "do_not_call": [one.model_dump(mode="json") for one in self._listed(number)],
            "evidence": [one.model_dump(mode="json") for one in self._state.evidence.of(number)],
        }
        return {name: kept for name, kept in found.items() if kept}

    def erase(self, raw_id: Identifier) -> Erased:
        """All but for what keeps them from being called."""
        number = raw_id.phone_number
        if not number or raw_id.is_anonymous:
            return Erased()
        rows = self._state.evidence.remove(number)
        for one in list(self._state.people.with_number(number)):
            self._state.people.change(
                one.campaign, one.key, lambda now: None if now is not None and now.wanted.number == number else now
            )
            rows += 1
        kept = self._listed(number) or self._state.contacts.get(number) != Contact()
        return Erased(rows, STAYS if kept else "")

    def expire(self, now: datetime) -> int:
        """Remove evidence that was kept long enough, and when numbers were called that no cap counts any more. Reads
        all of both, and so does it once in EXPIRED_EVERY."""
        if self._expired_at is not None and timedelta() <= now - self._expired_at < EXPIRED_EVERY:
            return 0
        self._expired_at = now
        removed = self._state.contacts.drop_older(now - CAPS_LOOK_BACK)
        if self._evidence_days:
            removed += self._state.evidence.drop_older(now - timedelta(days=self._evidence_days))
        return removed

    def _listed(self, number: str) -> tuple[Any, ...]:
        return self._state.do_not_call.listed(number, self._state.do_not_call.heads())
