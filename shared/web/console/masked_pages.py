"""The pages of masked numbers: connections of two people, and the numbers that they share. A method is a route."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlencode

from shared.errors import InvalidInput, StateConflict
from shared.web.console.exchange import Reply, see_other
from shared.web.console.gate import Gate, Visit
from shared.web.masking import MaskedNumbers

PAGE = 50
"""Connections, or calls of one, on a page (our choice)."""
HERE = "Masked numbers"

EXTENSIONS: Mapping[str, tuple[str, int]] = {
    "hour": ("an hour", 3600),
    "day": ("a day", 24 * 3600),
    "three": ("three days", 3 * 24 * 3600),
    "week": ("a week", 7 * 24 * 3600),
    "month": ("30 days", 30 * 24 * 3600),
}
"""How much longer a connection may be given from now on, in seconds."""

REASON: Mapping[str, str] = {
    "closed": "closed",
    "expired": "expired",
    "erased": "closed, because one of the two was erased",
}

OUTCOME: Mapping[str, str] = {
    "connected": "they talked",
    "no_answer": "no answer",
    "busy": "busy",
    "declined": "declined",
    "unreachable": "could not be reached",
    "not_accepted": "1 was not pressed",
    "joined": "went on in the other's call",
    "caller_left": "caller hung up",
    "no_line": "no line was free",
    "closed": "called after the end",
    "failed": "failed",
}
"""How a call of a connection ended."""

DID: Mapping[str, str] = {
    "close": "Closed. Whoever calls hears so from now on; a call that goes on is not ended.",
    "extend": "Extended.",
}
"""What a page says after something was done."""


class MaskedPages:
    """The pages of masked numbers. Args: own: labels of the app's numbers."""

    def __init__(self, gate: Gate, service: MaskedNumbers, own: Mapping[str, str]) -> None:
        self._gate = gate
        self._service = service
        self._own = own

    def listed(self, visit: Visit) -> Reply:
        """The pool, and the connections."""
        query = visit.request.query
        status = query.get("status", "open")
        asked = {"status": "" if status == "all" else status, "after": query.get("after", ""), "limit": str(PAGE)}
        found = self._service.list(asked)
        return self._gate.page(
            "masked_numbers.html",
            visit,
            HERE,
            pool=self._service.pool(),
            labels=self._own,
            sessions=found.sessions,
            reasons=REASON,
            which=status,
            next=urlencode({"status": status, "after": found.next}) if found.next else "",
            first=not query.get("after"),
        )

    def one(self, visit: Visit, session_id: str, *, pins: bool = False, wrong: str = "", status: int = 200) -> Reply:
        """One connection, and its calls."""
        session, query = self._service.get(session_id), visit.request.query
        if pins:
            visit.did("showed PINs", session_id, "session")
        calls = self._service.interactions(session_id, {"limit": str(PAGE), "after": query.get("after", "")})
        return self._gate.page(
            "masked_number.html",
            visit,
            HERE,
            status=status,
            session=session,
            reasons=REASON,
            calls=calls.calls,
            next=urlencode({"after": calls.next}) if calls.next else "",
            outcomes=OUTCOME,
            labels=self._own,
            extensions=EXTENSIONS,
            pins=pins,
            wrong=wrong,
            did=DID.get(query.get("did", ""), ""),
        )

    def act(self, visit: Visit, session_id: str, action: str) -> Reply:
        """Close or extend one."""
        try:
            if action == "close":
                self._service.close(session_id)
            elif action == "extend":
                _, seconds = EXTENSIONS.get(visit.request.form.get("by", ""), ("", 0))
                self._service.change(session_id, json.dumps({"expires_in": seconds}).encode())
            else:
                raise InvalidInput("action", "cannot be taken from here.", "Use the HTTP API.")
        except StateConflict as error:
            return self.one(visit, session_id, wrong=str(error), status=409)
        visit.did(action, session_id, "session")
        return see_other(f"/masked-numbers/{session_id}?did={action}", **{"Cache-Control": "no-store"})
