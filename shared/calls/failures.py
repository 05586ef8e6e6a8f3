"""What a flow meets when the service refuses a request, reports a failure or ends the call: sub-codes become errors."""

from __future__ import annotations

from shared.calls import actions
from shared.calls.actions import Action
from shared.calls.brakes import CODES, Braked
from shared.calls.journal import RefusedEntry
from shared.calls.prompts import prompts_of
from shared.calls.record import CallRecord
from shared.errors import ActionFailed, ActionRefused, CallEnded, RunFailed
from shared.events import CallEvent, PlayFailed, PromptKind, RecognizeFailed, ResultInformation, SubCode, explain
from shared.numbers import whole_number


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


def explained_end(record: CallRecord) -> SubCode | None:
    """What the end of a call means; None while it has none, and for the plain 200/0."""
    return explain(record.code, record.sub_code) if record.sub_code or record.code not in (0, 200) else None


def failure(kind: str, event: CallEvent, action: Action | None = None) -> ActionFailed:
    """What a flow meets for an action that failed, in words that fit the prompt which did, if one did."""
    result = event.result or ResultInformation()
    prompts = prompts_of(action) if action is not None else []
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
