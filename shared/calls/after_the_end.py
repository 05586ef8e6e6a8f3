"""What still counts of a call that is over."""

from __future__ import annotations

from collections.abc import Sequence

from shared.calls.journal import Answered, Entry, Noticed, RefusedEntry
from shared.calls.replay import Session
from shared.events import CallDisconnected, CallEvent


def takes_after_the_end(session: Session, inputs: Sequence[tuple[Entry, CallEvent | None]]) -> bool:
    """Whether any of this belongs into the journal of a call that is over: news, what a side effect gave, and the end
    itself if it was only inferred."""
    return any(
        isinstance(entry, Noticed)
        or (isinstance(entry, Answered | RefusedEntry) and not session.knows(entry))
        or (isinstance(event, CallDisconnected) and not session.disconnected and not session.knows(entry))
        for entry, event in inputs
    )
