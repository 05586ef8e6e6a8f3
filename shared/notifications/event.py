"""What is said of a call that is finished."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.calls.record import CallRecord

CALL_FINISHED = "Switchboard.CallFinished"
REPORT_READY = "Switchboard.QualityReportReady"


@dataclass(frozen=True, slots=True)
class Event:
    """An event for other systems.

    Attributes:
        id: the same however often it is delivered.
    """

    id: str
    type: str
    subject: str
    time: datetime
    data: Mapping[str, Any]


def call_finished(record: CallRecord, *, personal: bool = False) -> Event:
    """The event of a call that is finished; its id is the call's.

    Args:
        personal: say who called whom, and what the flow adds to its result.
    """
    ended_at = record.ended_at or record.updated_at
    rang_until = record.connected_at or ended_at
    data: dict[str, Any] = {
        "callId": record.call_id,
        "flow": record.flow,
        "direction": record.direction,
        "outcome": record.outcome,
        "code": record.code,
        "subCode": record.sub_code,
        "result": record.result,
        "startedAt": _time(record.started_at),
        "connectedAt": _time(record.connected_at),
        "endedAt": _time(ended_at),
        "ringingMs": _between(record.started_at, rang_until),
        "connectedMs": _between(record.connected_at, ended_at),
        "totalMs": _between(record.started_at, ended_at),
        "correlationId": record.correlation_id,
        "serverCallId": record.server_call_id,
        "callConnectionId": record.call_connection_id,
        "recordingIds": list(record.recording_ids),
        "call": f"/api/calls/{record.call_id}",
    }
    if personal:
        data |= {"caller": record.caller, "callee": record.callee, "details": dict(record.details)}
    return Event(record.call_id, CALL_FINISHED, f"/calls/{record.call_id}", _moment(ended_at), data)


def _between(start: int, end: int) -> int:
    """Milliseconds; 0 for what never began, or whose times come from clocks that disagree."""
    return max(0, end - start) if start else 0


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)


def _time(at: int) -> str | None:
    return _moment(at).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None
