"""Feeding a call: what comes in goes to its session, and what its flow asks for then comes out."""

from __future__ import annotations

from collections.abc import Sequence

from shared.calls import journal
from shared.calls.journal import Entry, Issued
from shared.calls.replay import Session
from shared.events import CallEvent

Input = tuple[Entry, CallEvent | None]
"""What a call is fed: an entry, and the event in it where that was read already."""
Inputs = Sequence[Input]

UNNUMBERED = -1
"""The position of an action from outside, until the session gives it one."""


def feed(session: Session, fresh: Inputs, lost: Sequence[journal.Resent | journal.RefusedEntry]) -> list[Entry]:
    """Feed a call; the entries to commit: what came in, and what its flow asks for then.

    Args:
        lost: what is to be sent again, or is given up.
    """
    entries: list[Entry] = []
    for again in lost:
        session.feed(again)
        entries += [again, *(session.take() if isinstance(again, journal.RefusedEntry) else ())]
    for entry, event in fresh:
        if session.knows(entry):
            continue  # the same event twice in one delivery
        if isinstance(entry, Issued) and entry.seq == UNNUMBERED:
            entry = entry.model_copy(update={"seq": session.next_command()})
            session.record.unconfirmed.append(entry.seq)
        session.feed(entry, event)
        entries += [entry, *session.take()]
    return entries
