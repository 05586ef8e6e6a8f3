"""The outbound telephone legs of a call: a pure function of what its journal tells.

asked for            a leg, until the operation fails or is given up
succeeded            a leg, until its telephone has left, or the call is over
transferred          legs that the app has no more part in: what was called by the transfer, and who was transferred
                     and had been called by the app. They last until an event tells the end, or until their time
                     is over
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shared.calls import actions
from shared.calls.operation import Operation
from shared.calls.record import CallRecord
from shared.calls.replay import Session
from shared.calls.slots.presence import may_be_here, telephones
from shared.identifiers import Identifier


class Leg(NamedTuple):
    """What one operation has on the line.

    Attributes:
        seq: the operation.
        number: the caller number, `+18005550199`.
        telephones: how many are on the line, or are being called; 0: it is over.
        transferred_at: since when the app has no part in it any more, Unix time in milliseconds; 0: it has.
    """

    seq: int
    number: str
    telephones: int
    transferred_at: int = 0


def caller_number(record: CallRecord, action: actions.Action) -> str:
    """The number of the app that an action shows to the telephones that it calls; empty: none.

    A transfer that names none shows the app's number in the call.
    """
    if not isinstance(action, actions.CreateCall | actions.AddParticipant | actions.Transfer):
        return ""
    caller_id = action.caller_id
    if caller_id is None:
        own = record.callee if record.direction == "inbound" else record.caller
        caller_id = Identifier(raw_id=own) if own else None
    return (caller_id.phone_number or "") if caller_id is not None else ""


def legs_of(session: Session) -> Iterator[Leg]:
    """The legs of a call, those that are over as well."""
    for operation in session.operations:
        called = telephones(operation.action)
        number = caller_number(session.record, operation.action) if called else ""
        if number:
            count, transferred_at = _on_the_line(session, operation, len(called))
            yield Leg(operation.seq, number, count, transferred_at)


def _on_the_line(session: Session, operation: Operation[object], called: int) -> tuple[int, int]:
    """How many telephones, and since when the app has no part in them."""
    presence, over = session.presence, session.record.status == "ended"
    if isinstance(operation.action, actions.Transfer):
        accepted = presence.transfers.get(operation.seq, 0)
        if not accepted and over and session.transferred and operation.action.transferee is None:
            accepted = session.record.ended_at  # the event that says so was lost, or comes after the end
        if accepted:
            return (0, 0) if presence.is_over else (called, accepted)
        return (0 if operation.done else called), 0
    if not operation.done:
        return called, 0
    if not may_be_here(operation):
        return 0, 0
    here = presence.on_the_line(operation)
    away = [at for at in map(presence.taken_away_at, here) if at]
    if over and not away and session.transferred:
        away = [presence.transferred_at or session.record.ended_at] * len(here)
    if not over:
        return len(here), 0
    return (0, 0) if presence.is_over or not away else (len(away), max(away))
