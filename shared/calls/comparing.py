"""Comparing entries: what makes two the same delivery, and how what a flow asks for differs from its journal."""

from __future__ import annotations

from typing import Any

from shared.calls import actions
from shared.calls.journal import (
    Entry,
    EventReceived,
    Failed,
    Issued,
    LifecycleEvent,
    Logged,
    Marked,
    Note,
    Resulted,
    Signalled,
    Started,
)
from shared.calls.operation import Operation

MAX_SHOWN = 80


def identity(entry: Entry) -> str:
    """What makes two entries the same delivery."""
    match entry:
        case EventReceived():
            return f"event {entry.event.get('id')}"
        case Signalled():
            return f"signal {entry.id}"
        case LifecycleEvent():
            return f"grid {entry.id}"
        case Issued():
            return f"command {entry.command}"
        case Started():
            return "started"
    return f"{entry.entry} {getattr(entry, 'seq', '')}"


def describe(asked: Issued | Operation[Any] | Failed | Note) -> str:
    """What the flow asked for, in a sentence."""
    match asked:
        case Failed():
            return f"its own end by {asked.error}"
        case Marked() | Logged() | Resulted():
            return f"a note ({asked.entry})"
    name = f"run {asked.action.name}" if isinstance(asked.action, actions.Run) else asked.action.kind
    return f"{name} #{asked.seq}"


def difference(then: Issued, now: Operation[Any] | Failed | Note | None) -> str:
    """How what a flow asks for differs from what its journal holds, in a sentence."""
    if isinstance(now, Operation) and describe(now) == describe(then):
        fields = type(then.action).model_fields
        differing = [name for name in fields if getattr(now.action, name, None) != getattr(then.action, name)]
        told = (
            f"{name} was {_shown(getattr(then.action, name))} and is {_shown(getattr(now.action, name, None))}"
            for name in differing
        )
        return f"{describe(then)} differs from run to run: {'; '.join(told)}"
    return f"this call did {describe(then)} where the flow now asks for {'nothing' if now is None else describe(now)}"


def _shown(value: Any) -> str:
    """A value of an action, short enough for a message."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_shown, value))}]"
    for name in ("text", "ssml", "url", "label", "raw_id"):
        value = getattr(value, name, value)
    shown = repr(value)
    return shown if len(shown) <= MAX_SHOWN else f"{shown[:MAX_SHOWN]}…"
