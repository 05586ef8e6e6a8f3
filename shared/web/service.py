"""What the HTTP API does: reads from the store, acts through the conductor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Protocol, get_args

from shared.calls.actions import KINDS, Action, Opening
from shared.calls.brakes import CODES, Braked
from shared.calls.call import SIGNAL_NAME
from shared.calls.conductor import Conductor
from shared.calls.failures import explained_end
from shared.calls.operation import Operation
from shared.calls.outcome import Outcome
from shared.calls.record import CallRecord, Status
from shared.calls.store.base import CallStore, Listed, listed_row
from shared.errors import ActionRefused, CallError, CallOver, InvalidInput, KeyReused
from shared.identifiers import Identifier
from shared.web.flows import FlowList, listed_flows, with_inputs
from shared.web.models import (
    MAX_KEY,
    CallLinks,
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
    in_body,
    read,
    read_action,
)
from shared.web.queries import begin_of, day, limit, only, page, position
from shared.web.search import SearchCalls

_NAME = re.compile(SIGNAL_NAME)

LIST_QUERY = ("day", "status", "correlation_id", "limit", "after")
"""What the list of calls takes in its query."""


class Checking(Protocol):
    """The brakes, as far as requests meet them before anything is stored."""

    def check_request(self, action: Action) -> None:
        """Pass what no setting forbids; Braked otherwise."""


class CallService:
    """The calls, as operators and other systems see them."""

    def __init__(self, conductor: Conductor, store: CallStore, brakes: Checking) -> None:
        self._conductor = conductor
        self._store = store
        self._brakes = brakes

    def place(self, body: bytes, key: str | None) -> Placed:
        """Start a call. InvalidInput for what its flow does not take, ActionRefused if the service refuses to, Braked
        if the app does."""
        request = read(PlaceCall, body)
        flow = self._conductor.flows.get(request.flow)
        opening = request.opening(by_flow=flow is not None and flow.opens)
        if opening is not None:
            with in_body(opening.kind):
                opening.check(None)
            self._brakes.check_request(opening)
        outcome, call_id = self._conductor.place(request.flow, opening, data=request.input, key=_key(key))
        record = self._store.peek(call_id)
        if record.status == "ended" and not record.connected_at and (refusal := self._refusal(call_id)):
            raise refusal
        return Placed(id=call_id, outcome="claimed" if outcome is Outcome.CLAIMED else "duplicate")

    def flows(self) -> FlowList:
        """What calls can be started with."""
        return listed_flows(self._conductor.flows)

    def document(self) -> dict[str, Any]:
        """The OpenAPI document of this app: that of the API, with the input of each flow."""
        from shared.web.openapi import openapi  # costs some milliseconds that no call needs

        return with_inputs(openapi(), self._conductor.flows)

    def listed(self, query: Mapping[str, str]) -> CallList:
        """A page of the calls of a day."""
        if "number" in query:
            raise InvalidInput(
                "number",
                "is not taken in a query, which logs keep.",
                "Give it in the body of POST /api/calls/search.",
            )
        only(query, LIST_QUERY)
        size, status = limit(query.get("limit")), query.get("status")
        if status and status not in get_args(Status):
            raise InvalidInput("status", f"{status!r} is not a status.", f"Known: {', '.join(get_args(Status))}.")
        if correlation_id := query.get("correlation_id"):
            return self._of_conversation(correlation_id, query, size, status)
        rows = self._store.listed(day(query.get("day")), after=position(query.get("after")))
        found, more = page((row for row in rows if not status or row.status == status), size)
        return CallList(calls=tuple(map(_listed, found)), next=found[-1].position if more else None)

    def _of_conversation(
        self, correlation_id: str, query: Mapping[str, str], size: int, status: str | None
    ) -> CallList:
        """A page of the calls that share a correlation id: the newest first, of any day if none is named."""
        since = until = None
        if query.get("day"):
            named = date.fromisoformat(day(query["day"]))
            since, until = begin_of(named), begin_of(named, days_on=1)
        after = position(query.get("after"))
        rows = self._store.search("correlation_id", correlation_id, since=since, until=until, after=after)
        found, more = page(rows, size)
        heads = self._store.peek_all([row.call_id for row in found])
        calls = tuple(_listed(listed_row(head)) for head in heads if not status or head.status == status)
        return CallList(calls=calls, next=found[-1].position if more else None)

    def search(self, body: bytes) -> CallList:
        """A page of the calls that an id of the service or a number is known of."""
        request = read(SearchCalls, body)
        since = begin_of(request.since) if request.since else None
        until = begin_of(request.until, days_on=1) if request.until else None
        rows = self._store.search(*request.key, since=since, until=until, after=request.after)
        found, more = page(rows, request.limit)
        heads = self._store.peek_all([row.call_id for row in found])
        return CallList(
            calls=tuple(_listed(listed_row(head)) for head in heads), next=found[-1].position if more else None
        )

    def view(self, call_id: str) -> CallView:
        """A call at a glance."""
        record = self._store.peek(call_id)
        words = explained_end(record)
        derived: dict[str, Any] = {
            "id": call_id,
            "explanation": words.plain if words else "",
            "retryable": words is not None and words.retryable,
            "links": links_of(call_id),
        }
        values = {name: getattr(record, name) for name in CallView.model_fields if name not in derived}
        return CallView(**derived, **values)

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
        with in_body(name):
            outcome, operation = self._conductor.act(call_id, action, _key(key))
        if operation is None:
            raise CallOver(call_id)
        answer, failure = _result(operation)
        return Done(
            operation=operation.seq,
            outcome="duplicate" if outcome is Outcome.DUPLICATE else "advanced",
            done=operation.done,
            answer=answer,
            failure=failure,
        )

    def signal(self, call_id: str, name: str, body: bytes, key: str | None) -> SignalTaken:
        """Give the flow something. CallOver once the call has ended."""
        if not _NAME.fullmatch(name):
            raise InvalidInput(
                "name", f"{name!r} is not a valid name of a signal.", "Use letters, digits, _ . -, at most 64."
            )
        data, key = read(Signal, body).data, _key(key)
        outcome = self._conductor.signal(call_id, name, data, signal_id=key)
        if outcome not in (Outcome.DUPLICATE, Outcome.LATE):
            return SignalTaken(outcome="advanced")
        for entry in self._conductor.entries(call_id):
            if entry["entry"] == "signal" and entry["id"] == key:
                if entry["name"] != name or (entry.get("data") != data and not entry.get("secret")):
                    raise KeyReused
                return SignalTaken(outcome="duplicate")
        raise CallOver(call_id)

    def _refusal(self, call_id: str) -> ActionRefused | None:
        """What the service said when it refused to open a call, if it did; of several attempts, to the last one."""
        entries = self._conductor.entries(call_id)
        issued = [entry for entry in entries if entry["entry"] == "issued"]
        opening = [entry for entry in issued if issubclass(KINDS[entry["action"]["kind"]], Opening)][-1:]
        for entry in entries:
            if entry["entry"] == "refused" and opening and entry["seq"] == opening[0]["seq"]:
                kind, transient = opening[0]["action"]["kind"], entry["transient"]
                if entry["code"] in CODES:
                    return Braked(kind, entry["code"], entry["message"], transient=transient)
                return ActionRefused(kind, entry["status"], entry["code"], entry["message"], transient=transient)
        return None


def _result(operation: Operation[Any]) -> tuple[Any, str | None]:
    """The service's answer, if it is one that counts, and why the action failed, if it did."""
    answer = operation.response if operation.action.spec.keeps_response else None
    if not operation.done:
        return answer or None, None
    try:
        result = operation.result()
    except ActionRefused:
        raise
    except CallError as error:
        return answer or None, str(error)
    return (result if operation.action.spec.completes_on == "response" else answer or None), None


def links_of(call_id: str) -> CallLinks:
    """The paths of what belongs to a call."""
    path = f"/api/calls/{call_id}"
    return CallLinks(
        self=path,
        journal=f"{path}/journal",
        participants=f"{path}/participants",
        recordings=f"/api/recordings?call={call_id}",
        reports=f"/api/reports?call={call_id}",
    )


def _other_side(record: CallRecord) -> Identifier | None:
    raw_id = record.caller if record.direction == "inbound" else record.callee
    return Identifier(raw_id=raw_id) if raw_id else None


def _listed(row: Listed) -> ListedCall:
    return ListedCall(id=row.call_id, **{name: getattr(row, name) for name in ListedCall.model_fields if name != "id"})


def _key(key: str | None) -> str | None:
    if key is not None and not 1 <= len(key) <= MAX_KEY:
        raise InvalidInput("Idempotency-Key", f"has {len(key)} characters.", f"Use 1 to {MAX_KEY}.")
    return key
