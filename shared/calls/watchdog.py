"""The watchdog: settles the calls that stopped hearing anything."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from shared.calls import actions, journal
from shared.calls.journal import Entry
from shared.calls.operation import Operation
from shared.calls.outcome import Outcome
from shared.gateway.base import Gateway
from shared.store.base import CallStore

if TYPE_CHECKING:
    from shared.calls.conductor import Conductor

log = logging.getLogger("switchboard.calls")

NEVER_CONNECTED = 150_000
"""Milliseconds without a connection after which a call was never established (set-up takes up to 115 s)."""


class Watchdog:
    """Looks at every open call and does what a lost event or a dead instance left undone.

    Args:
        grace: milliseconds that an issued action may stay unconfirmed before it is sent again.
        quiet: milliseconds without news after which the service is asked about a call.
    """

    def __init__(self, conductor: Conductor, store: CallStore, gateway: Gateway, grace: int, quiet: int) -> None:
        self._conductor = conductor
        self._store = store
        self._gateway = gateway
        self._grace = grace
        self._quiet = quiet

    def watch(self, now: int) -> dict[str, Outcome]:
        """Look at every open call once; what was done, by call id."""
        done: dict[str, Outcome] = {}
        for call_id in self._store.open_calls():
            try:
                outcome = self._look(call_id, now)
            except Exception:  # one call that cannot be settled must not keep it from the others
                log.exception("the watchdog could not settle call=%s; it tries again", call_id)
                continue
            if outcome is not Outcome.UNCHANGED:
                done[call_id] = outcome
        return done

    def _look(self, call_id: str, now: int) -> Outcome:
        conductor = self._conductor
        record = self._store.peek(call_id)
        silent = now - record.updated_at
        if silent > self._grace and record.status != "ended" and not self._store.indexed(record):
            conductor.index(call_id)
        if record.unconfirmed and silent > self._grace:
            if conductor.advance(call_id, []) is Outcome.RESENT:
                return Outcome.RESENT
            conductor.confirm(call_id)  # this instance knows that they left
        if record.status == "ended":
            if silent <= self._grace:
                return Outcome.UNCHANGED
            conductor.close(call_id)
            return Outcome.ADVANCED
        if silent <= self._quiet:
            return Outcome.UNCHANGED
        if not record.call_connection_id:
            if now - record.started_at <= NEVER_CONNECTED:
                return Outcome.UNCHANGED
            return conductor.advance(call_id, [(_settled(now, "the call was never connected"), None)])
        if self._gateway.connection_state(record.call_connection_id) is None:
            return conductor.advance(call_id, [(_settled(now, "the service no longer knows the call"), None)])
        overdue = [self._overdue(operation, now) for operation in conductor.open_operations(call_id)]
        entries = [(entry, None) for entry in overdue if entry is not None]
        return conductor.advance(call_id, entries) if entries else Outcome.UNCHANGED

    def _overdue(self, operation: Operation[object], now: int) -> Entry | None:
        """An entry for an operation whose outcome can no longer be expected."""
        action, waited = operation.action, now - operation.issued_at
        if isinstance(action, actions.Sleep):
            if waited > action.seconds * 1000 + self._quiet:
                return journal.TimerFired(at=now, seq=operation.seq)
        elif action.patience is not None and waited > action.patience * 1000:
            return journal.GaveUp(at=now, seq=operation.seq)
        return None


def _settled(now: int, reason: str) -> journal.Settled:
    return journal.Settled(at=now, reason=reason)
