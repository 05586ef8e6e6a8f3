"""What comes back at once of an action or a side effect, as the journal holds it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.calls.journal import Answered, RefusedEntry
from shared.calls.json_values import json_value
from shared.errors import ActionRefused, InvalidInput
from shared.logs import logger

log = logger("switchboard.calls")

NOT_JSON = "result_not_json"
"""The code of the refusal of a result that no journal can hold."""


def outcome_of(
    function: Callable[[], Any], name: str, *, call_id: str, seq: int, clock: Callable[[], int]
) -> Answered | RefusedEntry:
    """Call a side effect: its result, as it will be read from the journal, or the refusal that the flow meets.

    What is no Exception ends the process, so it is raised.

    Args:
        name: of the function, for messages.
        clock: Unix time in milliseconds.
    """
    try:
        returned = function()
    except ActionRefused as error:
        return refused(clock(), seq, error.code, error.message, error.status, error.transient)
    except Exception as error:
        log.exception("%s raised call=%s", name, call_id)
        return refused(clock(), seq, type(error).__name__, str(error))
    try:
        return Answered(at=clock(), seq=seq, value=json_value(f"the result of run {name}", returned))
    except InvalidInput as error:
        return refused(clock(), seq, NOT_JSON, str(error))


def refused(at: int, seq: int, code: str, message: str, status: int = 0, transient: bool = False) -> RefusedEntry:
    """A refusal in words that the journal can hold, whoever chose them."""
    return RefusedEntry(at=at, seq=seq, status=status, code=_text(code), message=_text(message), transient=transient)


def _text(words: str) -> str:
    return words.encode("utf-8", "replace").decode()
