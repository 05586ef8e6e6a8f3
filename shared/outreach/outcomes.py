"""What came of an attempt, as one of a few classes, and what follows from each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from shared.events.subcodes import Outcome

OutcomeClass = Literal[
    "done", "machine", "busy", "no_answer", "declined", "dead", "not_tried", "opted_out", "window_closed", "unknown"
]
"""`done`: the flow says what the person wants. `machine`: connected, and nobody pressed a key at the question.
`dead`: the number does not exist. `not_tried`: our quota or throttling. `unknown`: nobody ever told."""


@dataclass(frozen=True, slots=True)
class Step:
    """What follows from a class.

    Attributes:
        after: until the next attempt; None: there is none.
        counts: as an attempt, for caps and for the most in all.
        times: so many attempts may end so; with one more, it is over. None: no limit of its own.
    """

    after: timedelta | None
    counts: bool = True
    times: int | None = None


STEPS: Mapping[OutcomeClass, Step] = {
    "done": Step(None),
    "machine": Step(timedelta(hours=4)),
    "busy": Step(timedelta(minutes=15)),
    "no_answer": Step(timedelta(hours=2)),
    "declined": Step(timedelta(days=1), times=1),
    "dead": Step(None),
    "not_tried": Step(timedelta(minutes=1), counts=False),
    "opted_out": Step(None),
    "window_closed": Step(timedelta(), counts=False),
    "unknown": Step(timedelta(hours=2)),
}
"""The defaults (our choice, after what dialers do). Four hours are another time of day: the window rolls what is late
into the next morning."""
NOT_TRIED_AT_MOST = timedelta(hours=1)
"""Each attempt in a row that is not tried waits twice as long, up to this: a full quota stays full for a while."""

_NO_SUCH_NUMBER = (404, 410, 484, 604)
_BY_OUTCOME: Mapping[Outcome, OutcomeClass] = {
    "busy": "busy",
    "declined": "declined",
    "no_answer": "no_answer",
    "timeout": "no_answer",
    "unreachable": "no_answer",
    "throttled": "not_tried",
    "permission": "not_tried",
    "service_error": "not_tried",
    "conflict": "not_tried",
    "not_supported": "not_tried",
    "bad_request": "not_tried",
}
_OPTED_OUT, _MACHINE = "opted_out", "machine"


def class_of_answered(result: str) -> OutcomeClass:
    """The class of an attempt that connected.

    Args:
        result: what the flow says; empty: it heard nothing, neither from a mailbox nor from whoever hung up at once.
    """
    if result == _OPTED_OUT:
        return "opted_out"
    return "done" if result and result != _MACHINE else "machine"


def class_of_failed(code: int, outcome: Outcome) -> OutcomeClass:
    """The class of an attempt that did not connect.

    Args:
        code: of the service, a SIP code.
        outcome: what the code and the sub-code mean.
    """
    if code in _NO_SUCH_NUMBER and outcome in ("not_found", "unreachable", "bad_request", "unknown"):
        return "dead"
    return _BY_OUTCOME.get(outcome, "unknown")


def class_of_refused(code: int) -> OutcomeClass:
    """The class of an attempt that was refused before anybody was called.

    Args:
        code: HTTP status of the service; 0: the app itself refused, by a brake or because no slot was free.
    """
    return "not_tried" if code in (0, 401, 403, 408, 429) or code >= 500 else "unknown"
