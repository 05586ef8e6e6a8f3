"""How a call begins: an IncomingCall is claimed, or the app places a call. Each once, however often it is asked for.

What happens on a duplicate IncomingCall: the id of the call follows from correlation id and callee, and a claim inserts
the call's `head` row. A duplicate, even under a new event id, finds that row, answers nothing, and makes good what
whoever claimed the call may have died over. Ringing the same callee again after the first call has ended is a new call.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.calls import actions
from shared.calls.actions import Action
from shared.calls.beginning import begin_with
from shared.calls.flow import NO_FLOW, Flow
from shared.calls.journal import Started
from shared.calls.outcome import Outcome
from shared.calls.store.base import CallStore
from shared.calls.turns import Turns
from shared.errors import InvalidInput, KeyReused, UnknownCall
from shared.events import TeamsPhoneCallDetails
from shared.identifiers import Identifier
from shared.logs import logger

log = logger("switchboard.calls")

_NAMESPACE = uuid.UUID("0b3b6f56-32a5-5c0c-8a6f-6d1c3f1f7e55")


def placed_id(key: str) -> str:
    """The id of the call that is placed with this idempotency key."""
    return uuid.uuid5(_NAMESPACE, f"place|{key}").hex


@dataclass(frozen=True, slots=True)
class Ring:
    """An incoming call, as the conductor needs it, and the language that the routing gives it."""

    correlation_id: str
    server_call_id: str
    caller: Identifier
    callee: Identifier
    incoming_call_context: str
    at: int
    display_name: str = ""
    context: Mapping[str, str] | None = None
    on_behalf_of: Identifier | None = None
    teams: TeamsPhoneCallDetails | None = None
    source_event: str = ""
    language: str = ""


class Claims:
    """Begins calls.

    Args:
        language: in which a flow with texts begins unless it is told.
        ring_time: seconds from which an incoming call is stale.
    """

    def __init__(
        self,
        turns: Turns,
        store: CallStore,
        flows: Mapping[str, Flow],
        language: str,
        ring_time: float,
    ) -> None:
        self._turns = turns
        self._store = store
        self._flows = flows
        self._language = language
        self._ring_time = int(ring_time * 1000)

    def ring(self, ring: Ring, opening: Action | None, flow: str = NO_FLOW) -> tuple[Outcome, str]:
        """Claim an incoming call and open it; a duplicate of one that is claimed changes nothing.

        Args:
            opening: answer, reject or redirect; None: the flow opens the call itself.
        """
        begin = begin_with(self._flows.get(flow), ring.language, self._language)
        now = self._turns.now()
        first_id = uuid.uuid5(_NAMESPACE, f"{ring.correlation_id}|{ring.callee.key}").hex
        if now - ring.at > self._ring_time:
            self._index_claimed(first_id)
            return Outcome.STALE, first_id
        ring_id = hashlib.sha256(ring.incoming_call_context.encode()).hexdigest()[:16]
        call_id, count = first_id, 1
        while True:
            started = Started(
                at=now,
                flow=flow,
                direction="inbound",
                caller=ring.caller,
                callee=ring.callee,
                correlation_id=ring.correlation_id,
                server_call_id=ring.server_call_id,
                display_name=ring.display_name,
                context=ring.context or {},
                on_behalf_of=ring.on_behalf_of,
                teams=ring.teams,
                input=begin.input,
                language=begin.language,
                opening=opening,
                source_event=ring.source_event,
            )
            found = self._turns.begin(call_id, started, ring=ring.incoming_call_context, ring_id=ring_id)
            if found is None:
                return Outcome.CLAIMED, call_id
            earlier = found.record
            if earlier.status != "ended" or earlier.ring_id == ring_id:
                # A duplicate IncomingCall: another delivery has claimed the call, and may have died on the way.
                self._turns.afterwards.write_index(earlier)
                return self._turns.advance(call_id, [], rung=now), call_id
            if earlier.outcome == "redirected" and isinstance(opening, actions.Redirect):
                log.warning("redirect loop broken call=%s", call_id)
                opening, flow = actions.Reject(reason="busy"), NO_FLOW
            count += 1
            call_id = f"{first_id}{count:02d}"

    def _index_claimed(self, call_id: str) -> None:
        """A call of which an instance died between its claim and its index rows: it is too late to open it now."""
        try:
            record = self._store.peek(call_id)
        except UnknownCall:
            return
        if record.status != "ended" and not self._store.indexed(record):
            self._turns.afterwards.index(call_id)  # so that the watchdog sees it

    def place(
        self,
        flow: str,
        opening: actions.CreateCall | actions.Connect | None,
        *,
        data: Any = None,
        key: str | None = None,
    ) -> tuple[Outcome, str]:
        """Start an outbound call; the same key starts it once. InvalidInput for what its flow does not take.

        Args:
            opening: the call to place, or to connect to; None: the flow does so itself, when it wants to.
            data: what the flow finds in `call.input`.

        Returns:
            CLAIMED, or DUPLICATE if it had been placed; and the call's id. KeyReused if it had been placed otherwise.
        """
        if flow not in self._flows:
            raise InvalidInput("flow", f"{flow!r} is not a flow.", f"Known: {', '.join(sorted(self._flows))}.")
        begin = begin_with(self._flows[flow], "", self._language, placed=True, data=data)
        call_id = placed_id(key) if key else uuid.uuid4().hex
        started = Started(
            at=self._turns.now(),
            flow=flow,
            direction="outbound",
            caller=opening.caller_id if isinstance(opening, actions.CreateCall) else None,
            callee=opening.targets[0] if isinstance(opening, actions.CreateCall) else None,
            input=begin.input,
            language=begin.language,
            opening=opening,
            placed_by_flow=True if opening is None else None,
        )
        earlier = self._turns.begin(call_id, started)
        if earlier is None:
            return Outcome.CLAIMED, call_id
        if not begin.is_repeated(started, earlier.started):
            raise KeyReused
        # Whoever placed it may have died on the way.
        self._turns.afterwards.write_index(earlier.record)
        self._turns.advance(call_id, [])
        return Outcome.DUPLICATE, call_id
