"""What comes back at once of an action or a side effect, as the journal holds it."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from shared.calls.journal import RefusedEntry, Responded
from shared.calls.json_values import json_value, plain_text, text_of_error
from shared.errors import ActionRefused, InvalidInput
from shared.logs import logger

log = logger("switchboard.calls")

NOT_JSON = "result_not_json"
"""The code of the refusal of a result that no journal can hold."""


def outcome_of(
    function: Callable[[], Any],
    name: str,
    *,
    call_id: str,
    seq: int,
    clock: Callable[[], int],
    is_secret: Callable[[str], bool] = lambda text: False,
) -> Responded | RefusedEntry:
    """Call a side effect: its result, as it will be read from the journal, or the refusal that the flow meets.

    Only a KeyboardInterrupt is raised: it is not the function's. What else is no Exception is (`sys.exit()`, a
    CancelledError of asyncio, a panic of an extension), and must not take the process and all of its calls with it.

    Args:
        name: of the function, for messages.
        clock: Unix time in milliseconds.
        is_secret: whether the log must not have a text.
    """
    try:
        returned = function()
    except ActionRefused as error:
        return refused(clock(), seq, error.code, error.message, error.status, error.transient)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if is_secret("".join(traceback.format_exception(error))):
            log.error("%s raised %s call=%s, and says something secret", name, type(error).__name__, call_id)
        else:
            log.exception("%s raised call=%s", name, call_id)
        return refused(clock(), seq, type(error).__name__, text_of_error(error))
    try:
        return Responded(at=clock(), seq=seq, value=json_value(f"the result of run {name}", returned))
    except InvalidInput as error:
        return refused(clock(), seq, NOT_JSON, str(error))


def refused(at: int, seq: int, code: str, message: str, status: int = 0, transient: bool = False) -> RefusedEntry:
    """A refusal in words that the journal can hold, whoever chose them."""
    return RefusedEntry(
        at=at, seq=seq, status=status, code=plain_text(code), message=plain_text(message), transient=transient
    )
