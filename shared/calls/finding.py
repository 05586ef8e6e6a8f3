"""Which calls an event or a recording is about. Several calls can share a server call id and a correlation id: a user
who is added to a call rings in the same conversation, and another flow may answer."""

from __future__ import annotations

import time
from itertools import islice

from shared.calls.store.base import CallStore, day_of
from shared.errors import InvalidInput, UnknownCall

MOST = 50
"""Calls of one conversation that are looked at (our choice)."""


def calls_of_conversation(store: CallStore, server_call_id: str, correlation_id: str = "") -> list[str]:
    """The calls of this app that are part of a conversation, the newest first.

    A placed call learns its server call id from its first callback; until then its correlation id finds it.
    """
    found = [one.call_id for one in store.search("server_call_id", server_call_id)]
    if found or not correlation_id:
        return found
    heads = store.peek_all([one.call_id for one in store.search("correlation_id", correlation_id)])
    return [head.call_id for head in heads if not head.server_call_id]


def call_of_recording(store: CallStore, recording_id: str, server_call_id: str) -> str | None:
    """The call that started a recording, by the recording's id; by the server call id if the id is not known.

    Where calls share that, it is the call that is known to have recorded, of these the first.
    """
    if recording_id:
        found = next(iter(store.search("recording_id", recording_id)), None)
        if found is not None:
            return found.call_id
    if not server_call_id:
        return None
    sharing = [found.call_id for found in islice(store.search("server_call_id", server_call_id), MOST)]
    if len(sharing) < 2:
        return sharing[0] if sharing else None
    heads = store.peek_all(sharing[::-1])
    started = next((head for head in heads if recording_id in head.recording_ids), None)
    recorded = next((head for head in heads if head.recording), None)
    head = started or recorded or next(iter(heads), None)
    return head.call_id if head else None


def days_of_call(store: CallStore, call_id: str) -> tuple[str, ...]:
    """The UTC days on which a call began and ended, or goes on; none if the app has no such call."""
    try:
        record = store.peek(call_id)
    except (UnknownCall, InvalidInput):
        return ()
    ended = record.ended_at or time.time_ns() // 1_000_000
    return tuple(sorted({day_of(record.started_at), day_of(ended)}))
