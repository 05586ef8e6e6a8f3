"""Figures of the hand-off: pure, over the cases that are kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from shared.handoff.case import Case


class HandoffFigures(BaseModel):
    """What came of the calls of some days, and who waits now."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    calls: int = Field(description="that came in on these days")
    handed_off: int = Field(description="of them: the contact centre took the caller")
    not_answered: int = Field(description="of them: the contact centre did not answer at least once")
    closed: int = Field(description="of them: it was closed when the caller asked for it")
    messages: int = Field(description="of them: a message was left")
    call_backs: int = Field(description="of them: a call back was asked for")
    called_back: int = Field(description="of them: were called back, by the app or as somebody has marked")
    not_reached: int = Field(description="of them: the app has given up calling back")
    replaced: int = Field(description="of them: the caller called again before the call back, and was helped then")
    left: int = Field(description="of them: rang off, or needed nobody")
    messages_waiting: int = Field(description="of all days: messages that nobody has called back")
    call_backs_waiting: int = Field(description="of all days: call backs that are due or will be")


def figures(cases: Iterable[Case], since: datetime, until: datetime) -> HandoffFigures:
    """Count.

    Args:
        cases: all that are kept.
        since: calls that came in from here on and until `until` count.
    """
    counts = dict.fromkeys(HandoffFigures.model_fields, 0)
    for case in cases:
        counts["messages_waiting"] += case.state == "message"
        counts["call_backs_waiting"] += case.state == "call_back"
        if not since <= case.at <= until:
            continue
        reasons = set(case.not_taken.values())
        counts["calls"] += 1
        counts["not_answered"] += "not_answered" in reasons
        counts["closed"] += "closed" in reasons
        counts["messages"] += bool(case.recording_id) and case.state != "left"
        counts["call_backs"] += bool(case.number)
        for state in ("handed_off", "called_back", "not_reached", "replaced", "left"):
            counts[state] += case.state == state
    return HandoffFigures(**counts)
