"""What was issued and may never have left the app: an instance died over it, or a response was lost."""

from __future__ import annotations

from collections.abc import Collection

from shared.calls import actions, journal
from shared.calls.operation import Operation
from shared.calls.replay import Session

Found = journal.Resent | journal.RefusedEntry | journal.Responded
"""What becomes of a lost operation: it is sent again, it is given up, or it is known to have been carried out."""

GRACES_AT_MOST = 3
"""Grace periods after which an unconfirmed action is sent again though other events keep coming (our choice)."""
RINGING_GRACE = 2_000
"""Milliseconds after which a redelivered IncomingCall opens a call that was claimed and perhaps never opened: Event
Grid delivers again after 10 s at the earliest, and twice at once (docs: event-grid/delivery-and-retry)."""
MAX_RUNS = 3
"""How often a function is started that never returns (our choice): a crash of the host is no fault of the function,
three in a row are likely to be."""
LATEST_PLACING = 5 * 60_000
"""Milliseconds after which nobody is called any more by a request that may never have left (our choice): whoever asked
for it decided for that time of day. The watchdog then settles the call as one that was never connected."""
NEVER_RETURNED = "never_returned"
"""The code of the refusal after that."""


def lost_operations(
    session: Session, now: int, grace: int, *, rung: int | None = None, running: Collection[int] = ()
) -> list[Found]:
    """Operations that were issued, of which nothing shows that they left, and that nobody can be sending: as the
    entries that have them sent again, that give them up, or that stand for a response which was lost.

    Args:
        now: Unix time in milliseconds.
        grace: milliseconds that an operation may stay unconfirmed.
        rung: when a delivery of the call's IncomingCall came in, which is what this is about.
        running: side effects that this instance is at work on.
    """
    written_at = session.record.written_at
    found: list[Found] = []
    for seq in session.record.unconfirmed:
        operation = session.operation(seq)
        since = max(operation.issued_at, operation.resent_at)
        if rung is not None and session.record.status == "ringing" and operation.action.spec.repeatable:
            # A ringing call has seconds only. What counts is when a delivery came: the storage may have held it up.
            lost = rung - since > RINGING_GRACE
        elif isinstance(operation.action, actions.Run):
            # Who runs it writes the head meanwhile.
            lost = seq not in running and now - max(since, written_at) > grace
        else:
            # Whatever was written since shows that the app is at work on the call, or was held up.
            since = max(since, min(written_at, since + (GRACES_AT_MOST - 1) * grace))
            lost = now - since > grace
        if lost and not operation.done and not _is_too_late(operation, now):
            found.append(_again(operation, now))
    return found


def calls_somebody(session: Session, found: Found) -> bool:
    """Whether somebody is called, where this is done."""
    return isinstance(found, journal.Resent) and isinstance(session.operation(found.seq).action, actions.CreateCall)


def _is_too_late(operation: Operation[object], now: int) -> bool:
    """Whether nobody is to be called by it any more; nothing shows that anybody was."""
    placing = isinstance(operation.action, actions.CreateCall) and not operation.started
    return placing and now - operation.issued_at > LATEST_PLACING


def _again(operation: Operation[object], now: int) -> Found:
    action, attempt = operation.action, operation.attempt
    if operation.started:  # an event of it came, and not the response that would be its outcome
        return journal.Responded(at=now, seq=operation.seq, value={})
    if isinstance(action, actions.Run) and attempt + 1 >= MAX_RUNS:
        message = f"{action.name} was started {MAX_RUNS} times, and its process ended each time before it returned"
        return journal.RefusedEntry(at=now, seq=operation.seq, status=0, code=NEVER_RETURNED, message=message)
    return journal.Resent(at=now, seq=operation.seq, attempt=attempt + (0 if action.spec.repeatable else 1))
