"""What the HTTP API does: reads from the store, acts through the conductor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from shared.api.models import (
    CallList,
    CallView,
    Done,
    JournalView,
    ListedCall,
    ParticipantList,
    ParticipantView,
    PlaceCall,
    Placed,
    Signal,
    SignalTaken,
    read,
    read_action,
)
from shared.calls.conductor import Conductor
from shared.calls.outcome import Outcome
from shared.calls.record import CallRecord
from shared.calls.rules import check
from shared.errors import CallOver, InvalidInput
from shared.identifiers import Identifier
from shared.store.base import CallStore, Listed

MAX_PAGE = 500
MAX_KEY = 200
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class CallService:
    """The calls, as operators and other systems see them."""

    def __init__(self, conductor: Conductor, store: CallStore) -> None:
        self._conductor = conductor
        self._store = store

    def place(self, body: bytes, key: str | None) -> Placed:
        """Start a call."""
        request = read(PlaceCall, body)
        opening = request.opening()
        if opening is not None:
            check(opening, None)
        outcome, call_id = self._conductor.place(request.flow, opening, data=request.input, key=_key(key))
        return Placed.model_validate({"id": call_id, "outcome": outcome.value})

    def listed(self, query: Mapping[str, str]) -> CallList:
        """A page of the calls of a day."""
        day = query.get("day") or datetime.now(UTC).strftime("%Y-%m-%d")
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", day):
            raise InvalidInput("day", f"{day!r} is no day.", "Write 2026-11-23.")
        limit = _limit(query.get("limit"))
        number = Identifier.parse(query["number"]).raw_id if query.get("number") else ""
        found: list[Listed] = []
        for row in self._store.listed(day, after=query.get("after", "")):
            if query.get("status") and row.status != query["status"]:
                continue
            if number and number not in (row.caller, row.callee):
                continue
            if len(found) == limit:
                return CallList(calls=tuple(map(_listed, found)), next=found[-1].position)
            found.append(row)
        return CallList(calls=tuple(map(_listed, found)), next=None)

    def view(self, call_id: str) -> CallView:
        """A call at a glance."""
        record = self._store.peek(call_id)
        values = {name: getattr(record, name) for name in CallView.model_fields if name != "id"}
        return CallView(id=call_id, **values)

    def journal(self, call_id: str) -> JournalView:
        """Everything that happened on a call."""
        entries = self._conductor.entries(call_id)
        return JournalView(id=call_id, journal=tuple(entries))

    def participants(self, call_id: str) -> ParticipantList:
        """Who takes part."""
        return ParticipantList(
            participants=tuple(
                ParticipantView(
                    raw_id=found.identifier.raw_id, muted=bool(found.is_muted), on_hold=bool(found.is_on_hold)
                )
                for found in self._conductor.participants(call_id)
            )
        )

    def act(self, call_id: str, name: str, body: bytes, key: str | None) -> Done:
        """Do something on a live call. CallOver once it has ended; ActionRefused if the service refuses."""
        action = read_action(name, body, _other_side(self._store.peek(call_id)))
        outcome, operation = self._conductor.act(call_id, action, _key(key))
        if operation is None:
            raise CallOver(call_id)
        answer = operation.result() if operation.done else None
        at_once = operation.action.ends_with == "answer"
        return Done.model_validate(
            {
                "operation": operation.seq,
                "outcome": "duplicate" if outcome is Outcome.DUPLICATE else "advanced",
                "done": operation.done,
                "answer": answer if at_once else operation.answer or None,
            }
        )

    def signal(self, call_id: str, name: str, body: bytes, key: str | None) -> SignalTaken:
        """Give the flow something."""
        if not _NAME.fullmatch(name):
            raise InvalidInput("name", f"{name!r} is no name of a signal.", "Use letters, digits, _ . -, at most 64.")
        outcome = self._conductor.signal(call_id, name, read(Signal, body).data, signal_id=_key(key))
        if outcome is Outcome.LATE:
            raise CallOver(call_id)
        return SignalTaken(outcome=outcome.value)


def _listed(row: Listed) -> ListedCall:
    values = {name: getattr(row, name) for name in ListedCall.model_fields if name != "id"}
    return ListedCall(id=row.call_id, **values)


def _other_side(record: CallRecord) -> Identifier | None:
    raw_id = record.caller if record.direction == "inbound" else record.callee
    return Identifier(raw_id=raw_id) if raw_id else None


def _limit(text: str | None) -> int:
    if not text:
        return 100
    if not text.isdecimal() or not 1 <= int(text) <= MAX_PAGE:
        raise InvalidInput("limit", f"{text!r} is no page size.", f"Give 1 to {MAX_PAGE}.")
    return int(text)


def _key(key: str | None) -> str | None:
    if key is not None and not 1 <= len(key) <= MAX_KEY:
        raise InvalidInput("Idempotency-Key", f"has {len(key)} characters.", f"Use 1 to {MAX_KEY}.")
    return key
