"""Reading entries: what makes two the same, and what they mean to a flow."""

from __future__ import annotations

from typing import Any

from shared.calls import actions
from shared.calls.actions import Action
from shared.calls.journal import Entry, EventReceived, Failed, Issued, Noticed, RefusedEntry, Signalled, Started
from shared.calls.operation import Operation
from shared.errors import ActionRefused, CallEnded
from shared.events import CallEvent


def identity(entry: Entry) -> str:
    """What makes two entries the same delivery."""
    match entry:
        case EventReceived():
            return f"event {entry.event.get('id')}"
        case Signalled():
            return f"signal {entry.id}"
        case Noticed():
            return f"grid {entry.id}"
        case Issued():
            return f"command {entry.command}"
        case Started():
            return "started"
    return f"{entry.entry} {getattr(entry, 'seq', '')}"


def what(wish: Issued | Operation[Any] | Failed) -> str:
    """What the flow asked for, in a sentence."""
    return "a failure" if isinstance(wish, Failed) else f"{wish.action.kind} #{wish.seq}"


def refusal(action: Action, entry: RefusedEntry) -> ActionRefused:
    """What a flow meets for a refused request."""
    name = f"run {action.name}" if isinstance(action, actions.Run) else action.kind
    return ActionRefused(name, entry.status, entry.code, entry.message, transient=entry.transient)


def end_of(event: CallEvent) -> CallEnded:
    """The result of an event, as the end that it may be."""
    result = event.result
    return CallEnded(result.code, result.sub_code, result.message or "") if result else CallEnded()
