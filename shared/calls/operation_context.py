"""The operation context: what the service echoes in an operation's events, `call id:position:attempt`."""

from __future__ import annotations

from typing import Any

from shared.calls.operation import Operation
from shared.events import CallEvent
from shared.numbers import whole_number


def operation_context(call_id: str, operation: Operation[Any]) -> str:
    """What the service echoes in an operation's events: which call, which operation, which attempt.

    A repeatable operation stays at attempt 0: the service responds to every sending of it as to the first one.
    """
    return f"{call_id}:{operation.seq}:{operation.attempt}"


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
