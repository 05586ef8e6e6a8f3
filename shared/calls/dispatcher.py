"""The dispatcher: committed operations go out, and what comes back at once comes back as entries."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from typing import Any

from shared.calls import actions, journal
from shared.calls.driver import OPENING
from shared.calls.journal import Entry, Issued
from shared.calls.operation import Operation
from shared.calls.replay import Session, operation_context
from shared.calls.timers import Timers
from shared.errors import ActionRefused
from shared.gateway.base import Gateway, Request

log = logging.getLogger("switchboard.calls")


class Dispatcher:
    """Sends operations: actions to the service, sleeps to the timers, side effects to the app's own functions.

    Args:
        callback_url: gives the URL for the events of a call (`call`), and of one action family of it.
        stream_url: gives the URL where live `audio` or a live `transcript` of a call goes; empty: nowhere.
        clock: Unix time in milliseconds.
    """

    def __init__(
        self,
        gateway: Gateway,
        timers: Timers,
        callback_url: Callable[[str, str], str],
        stream_url: Callable[[str, str], str],
        clock: Callable[[], int],
    ) -> None:
        self._gateway = gateway
        self._timers = timers
        self._callback_url = callback_url
        self._stream_url = stream_url
        self._clock = clock

    def dispatch(self, session: Session, entries: Iterable[Entry]) -> list[Entry]:
        """Send every operation that these entries issue; give back the entries that follow at once."""
        results: list[Entry] = []
        for entry in entries:
            if isinstance(entry, Issued | journal.Resent):
                operation = session.operation(entry.seq)
                result = self._send(session, operation)
                if result is not None:
                    results.append(result)
                session.confirm(entry.seq)
        return results

    def _send(self, session: Session, operation: Operation[Any]) -> Entry | None:
        """Send one operation; an entry if its outcome is known at once. Never raises: the flow must learn it."""
        action, seq = operation.action, operation.seq
        try:
            if isinstance(action, actions.Sleep):
                due = operation.issued_at + int(action.seconds * 1000)
                self._timers.schedule(session.record.call_id, seq, due)
                return None
            if isinstance(action, actions.Run):
                value = json.loads(json.dumps(session.function(seq)()))
                return journal.Answered(at=self._clock(), seq=seq, value=value)
            answer = self._gateway.perform(self._request(session, operation))
        except ActionRefused as refusal:
            log.warning("refused %s call=%s %s", action.kind, session.record.call_id, refusal)
            return journal.RefusedEntry(
                at=self._clock(),
                seq=seq,
                status=refusal.status,
                code=refusal.code,
                message=refusal.message,
                transient=refusal.transient,
            )
        except Exception as error:
            log.exception("could not send %s call=%s", action.kind, session.record.call_id)
            return journal.RefusedEntry(
                at=self._clock(), seq=seq, status=0, code=type(error).__name__, message=str(error)
            )
        if action.kind in OPENING:
            session.record.call_connection_id = str(answer.get("callConnectionId") or "")
            session.record.server_call_id = str(answer.get("serverCallId") or session.record.server_call_id)
            session.record.correlation_id = session.record.correlation_id or str(answer.get("correlationId") or "")
        operation.answer = dict(answer)
        if action.ends_with == "answer":
            return journal.Answered(at=self._clock(), seq=seq, value=operation.answer)
        if action.keeps_answer:
            return journal.Accepted(at=self._clock(), seq=seq, value=operation.answer)
        return None

    def _request(self, session: Session, operation: Operation[Any]) -> Request:
        record = session.record
        family = operation.action.family
        return Request(
            call_id=record.call_id,
            seq=operation.seq,
            attempt=operation.attempt,
            action=session.resolved(operation.action),
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
