"""The dispatcher: committed operations go out, and what comes back at once comes back as entries."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from shared.calls import actions, journal
from shared.calls.actions import Action, Opening
from shared.calls.brakes import Brakes
from shared.calls.do_not_record import RecordingGuard
from shared.calls.gateway.base import Gateway, Request
from shared.calls.journal import Entry, Issued, Resent
from shared.calls.json_values import text_of_error
from shared.calls.operation import Operation
from shared.calls.operation_context import operation_context
from shared.calls.replay import Session
from shared.calls.returned import refused
from shared.calls.slots.ledger import SlotLedger
from shared.calls.store.base import DoNotRecord
from shared.calls.timers import Timers
from shared.errors import ActionRefused, LostRace, ResponseLost, StoreRefused, StoreUnavailable
from shared.events import CallEvent
from shared.logs import logger

log = logger("switchboard.calls")

RUNS_ALREADY = frozenset({"8583", "8500"})
"""What the service says to an action that cannot run beside one of its kind (docs: control-mid-call-media-actions).
To a second sending it says that the first one runs."""


class Dispatcher:
    """Sends operations: actions to the service, sleeps to the timers. Side effects: see shared.calls.side_effects.

    Args:
        callback_url: gives the URL for the events of a call (`call`), and of one action family of it.
        stream_url: gives the URL where live `audio` or a live `transcript` of a call goes; empty: nowhere.
        clock: Unix time in milliseconds.
        do_not_record: the numbers that are never recorded; None: the app has no such list.
        brakes: what keeps actions from leaving the app; None: nothing does.
        slots: who has which slot of a caller number; None: no number is declared.
    """

    def __init__(
        self,
        gateway: Gateway,
        timers: Timers,
        callback_url: Callable[[str, str], str],
        stream_url: Callable[[str, str], str],
        clock: Callable[[], int],
        do_not_record: DoNotRecord | None = None,
        brakes: Brakes | None = None,
        slots: SlotLedger | None = None,
    ) -> None:
        self._gateway = gateway
        self._timers = timers
        self._callback_url = callback_url
        self._stream_url = stream_url
        self._clock = clock
        self._guard = RecordingGuard(do_not_record)
        self._brakes = brakes
        self._slots = slots

    def dispatch(self, session: Session, entries: Iterable[Entry]) -> list[Entry]:
        """Send what these entries issue to the service and the timers; give back the entries that follow at once.

        An operation whose response was lost stays unconfirmed.
        """
        results: list[Entry] = []
        for operation in to_send(session, entries):
            if isinstance(operation.action, actions.Run):
                continue
            try:
                result = self._send(session, operation)
            except ResponseLost as lost:
                said = session.secrecy.shown(lost)
                log.warning("no response to %s call=%s: %s", operation.action.kind, session.record.call_id, said)
                continue
            if result is not None:
                results.append(result)  # confirms it once it is committed: until then it must not look as if it were
            else:
                session.confirm(operation.seq)
        return results

    # What no flow asked for, and no journal holds

    def hang_up_late_connections(self, session: Session, events: Iterable[CallEvent | None]) -> None:
        """Hang up a connection that came up for a call, or for an attempt to place it, that is over: nobody would ever
        speak on it.

        Raises ActionRefused if the service does not take it, so that the event is delivered again.
        """
        for event in events:
            opening = session.late_connection(event) if event is not None else None
            if event is None or opening is None:
                continue
            log.warning("hanging up a connection that came up after the end call=%s", session.record.call_id)
            request = replace(self._request(session, opening, actions.HangUp()), connection_id=event.call_connection_id)
            try:
                self._gateway.perform(request)
            except ActionRefused as refusal:
                if refusal.status != 404:
                    raise

    def cancel_other_sendings(self, session: Session, other_sendings: Iterable[Operation[Any]]) -> None:
        """Cancel what may still run of actions that were sent twice and are done.

        A convenience: if it fails, the caller hears something twice.
        """
        for operation in other_sendings:
            log.warning("cancelling the other sending of %s call=%s", operation.action.kind, session.record.call_id)
            try:
                self._gateway.perform(self._request(session, operation, actions.CancelAllMedia()))
            except ActionRefused as refusal:
                log.warning("could not cancel it call=%s: %s", session.record.call_id, refusal)

    # One operation

    def _send(self, session: Session, operation: Operation[Any]) -> Entry | None:
        """Send one operation; an entry if its outcome is known at once.

        Raises ResponseLost where it may have been carried out, and nothing else: the flow must learn it.
        """
        action, seq = operation.action, operation.seq
        try:
            if isinstance(action, actions.Sleep):
                self._schedule(session.record.call_id, seq, action.over_at(operation.issued_at))
                return None
            list_participants = partial(self._list_participants, session, operation)
            if isinstance(action, actions.MayRecord):
                may = self._guard.may_record(session, action, list_participants)
                return journal.Responded(at=self._clock(), seq=seq, value=may)
            self._guard.check(session, action, list_participants)
            if self._brakes is not None:
                self._brakes.check(session.record, action, again=operation.attempt > 0)
            if self._slots is not None:
                self._take_slots(self._slots, session, operation)
            response = self._gateway.perform(self._request(session, operation, session.resolved(action)))
        except ResponseLost:
            raise
        except ActionRefused as refusal:
            if operation.attempt and refusal.code in RUNS_ALREADY:  # an earlier sending of it runs
                return None
            log.warning("refused %s call=%s %s", action.kind, session.record.call_id, session.secrecy.shown(refusal))
            if self._gone(session, action, refusal):
                return journal.Settled(at=self._clock(), reason="the service no longer knew the call")
            return refused(self._clock(), seq, refusal.code, refusal.message, refusal.status, refusal.transient)
        except Exception as error:
            trace = session.secrecy.shown("".join(traceback.format_exception(error)))
            log.error("could not send %s call=%s: %s", action.kind, session.record.call_id, trace)
            return refused(self._clock(), seq, type(error).__name__, text_of_error(error))
        if isinstance(action, Opening):
            session.record.call_connection_id = str(response.get("callConnectionId") or "")
            session.record.server_call_id = str(response.get("serverCallId") or session.record.server_call_id)
            session.record.correlation_id = session.record.correlation_id or str(response.get("correlationId") or "")
        operation.response = dict(response)
        if action.spec.completes_on == "response":
            return journal.Responded(at=self._clock(), seq=seq, value=operation.response)
        if action.spec.keeps_response:
            return journal.Accepted(at=self._clock(), seq=seq, value=operation.response)
        return None

    def _take_slots(self, slots: SlotLedger, session: Session, operation: Operation[Any]) -> None:
        try:
            slots.take(session.record, operation)
        except (
            StoreUnavailable,
            LostRace,
        ) as error:  # it may have been carried out; asked again after the grace period
            raise ResponseLost(operation.action.kind, f"its slot: {error}") from error

    def _list_participants(self, session: Session, operation: Operation[Any]) -> list[str]:
        """Raw ids of who is on a call, by the service: a call that the app has joined tells it only later."""
        told = self._gateway.perform(self._request(session, operation, actions.ListParticipants()))
        return [str(one["rawId"]) for one in told["participants"]]

    def _schedule(self, call_id: str, seq: int, due: int) -> None:
        try:
            self._timers.schedule(call_id, seq, due)
        except StoreRefused:  # asking again would not help; the watchdog wakes the flow when its time has come
            log.exception("the queue refuses a wake-up call=%s", call_id)
        except Exception as error:  # a queue that fails now is asked again after the grace period
            raise ResponseLost("sleep", f"{type(error).__name__}: {error}") from error

    def _gone(self, session: Session, action: Action, refusal: ActionRefused) -> bool:
        """Whether an action was refused because its call is over: 404 can also be about what it names."""
        connection_id = session.record.call_connection_id
        if session.placed_by_flow and not session.record.connected_at:
            return False  # what became of the attempt its own events tell, or the watchdog
        on_the_call = action.spec.in_service and not isinstance(action, Opening)
        if refusal.status != 404 or not connection_id or not on_the_call:
            return False
        try:
            return self._gateway.connection_state(connection_id) is None
        except ActionRefused as error:
            raise ResponseLost(action.kind, f"refused, and whether the call goes on is not known: {error}") from error

    def _request(self, session: Session, operation: Operation[Any], action: Action) -> Request:
        record = session.record
        family = action.family
        return Request(
            call_id=record.call_id,
            seq=operation.seq,
            attempt=operation.attempt,
            action=action,
            operation_context=operation_context(record.call_id, operation),
            callback_url=self._callback_url(record.call_id, "call"),
            operation_callback_url=self._callback_url(record.call_id, family) if family else None,
            first_sent=operation.issued_at,
            connection_id=record.call_connection_id,
            server_call_id=record.server_call_id,
            incoming_call_context=record.ring,
            audio_url=self._stream_url(record.call_id, "audio"),
            transcript_url=self._stream_url(record.call_id, "transcript"),
        )


def to_send(session: Session, entries: Iterable[Entry]) -> Iterator[Operation[Any]]:
    """The operations that these entries issue: not what is over by now, or what another instance has sent again."""
    for entry in entries:
        if isinstance(entry, Issued | Resent):
            operation = session.operation(entry.seq)
            if not operation.done and operation.attempt == (0 if isinstance(entry, Issued) else entry.attempt):
                yield operation
