"""Reading entries: what makes two the same, and what they mean to a flow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.calls import actions
from shared.calls.actions import Action
from shared.calls.brakes import CODES, Braked
from shared.calls.journal import (
    Entry,
    EventReceived,
    Failed,
    Issued,
    Logged,
    Marked,
    Note,
    Noticed,
    RefusedEntry,
    Resulted,
    Signalled,
    Started,
)
from shared.calls.operation import Operation
from shared.calls.prompts import Prompt
from shared.calls.record import CallRecord
from shared.errors import ActionFailed, ActionRefused, CallEnded, RunFailed
from shared.events import CallEvent, PlayFailed, PromptKind, RecognizeFailed, ResultInformation, SubCode, explain
from shared.numbers import whole_number

MAX_SHOWN = 80


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


def what(asked: Issued | Operation[Any] | Failed | Note) -> str:
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
    if isinstance(now, Operation) and what(now) == what(then):
        fields = type(then.action).model_fields
        differing = [name for name in fields if getattr(now.action, name, None) != getattr(then.action, name)]
        told = (
            f"{name} was {_shown(getattr(then.action, name))} and is {_shown(getattr(now.action, name, None))}"
            for name in differing
        )
        return f"{what(then)} differs from run to run: {'; '.join(told)}"
    return f"this call did {what(then)} where the flow now asks for {'nothing' if now is None else what(now)}"


def _shown(value: Any) -> str:
    """A value of an action, short enough for a message."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_shown, value))}]"
    for name in ("text", "ssml", "url", "label", "raw_id"):
        value = getattr(value, name, value)
    shown = repr(value)
    return shown if len(shown) <= MAX_SHOWN else f"{shown[:MAX_SHOWN]}…"


def refusal(action: Action, entry: RefusedEntry) -> ActionRefused:
    """What a flow meets for a refused request."""
    if isinstance(action, actions.Run):
        name = f"run {action.name}"
        return RunFailed(name, entry.status, entry.code, entry.message, transient=entry.transient)
    if entry.code in CODES:
        return Braked(action.kind, entry.code, entry.message, transient=entry.transient)
    sub_code = whole_number(entry.code)
    plain = explain(entry.status, sub_code).plain if sub_code is not None else ""
    return ActionRefused(action.kind, entry.status, entry.code, entry.message, transient=entry.transient, plain=plain)


def end_of(event: CallEvent) -> CallEnded:
    """The result of an event, as the end that it may be."""
    result = event.result
    if result is None:
        return CallEnded()
    plain = explain(result.code, result.sub_code).plain
    return CallEnded(result.code, result.sub_code, result.message or "", plain=plain)


def words_of(record: CallRecord) -> SubCode | None:
    """What the end of a call means; None while it has none, and for the plain 200/0."""
    return explain(record.code, record.sub_code) if record.sub_code or record.code not in (0, 200) else None


def failure(kind: str, event: CallEvent, action: Action | None = None) -> ActionFailed:
    """What a flow meets for an action that failed, in words that fit the prompt which did, if one did."""
    result = event.result or ResultInformation()
    prompts: Sequence[Prompt] = ()
    if isinstance(action, actions.Play | actions.Recognize):
        prompts = action.prompts
    elif isinstance(action, actions.Hold) and action.audio is not None:
        prompts = (action.audio,)
    index = event.failed_play_source_index if isinstance(event, PlayFailed | RecognizeFailed) else None
    kinds = {prompt.kind for prompt in (prompts[index or 0 :][:1] if index is not None else prompts)}
    prompt = kinds.pop() if len(kinds) == 1 else None
    return explained(kind, result.code, result.sub_code, result.message or "", prompt)


def explained(kind: str, code: int, sub_code: int, message: str, prompt: PromptKind | None = None) -> ActionFailed:
    """A failure with the words of its sub-code."""
    words = explain(code, sub_code, prompt)
    return ActionFailed(
        kind, code, sub_code, message, outcome=words.outcome, plain=words.plain, retryable=words.retryable
    )


def read_context(context: str) -> tuple[str, int, int]:
    """Call id, position and attempt in an operation context; -1 for what is no number."""
    rest, _, attempt = context.rpartition(":")
    call_id, _, position = rest.rpartition(":")
    return call_id, _number(position), _number(attempt)


def attempt_of(event: CallEvent) -> int | None:
    """The attempt that an event is about; None if it names no operation."""
    return None if event.operation_context is None else read_context(event.operation_context)[2]


def _number(text: str) -> int:
    found = whole_number(text, 11)
    return -1 if found is None else found
