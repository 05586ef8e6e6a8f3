"""What is said of a finished call, and what is not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from shared.calls.record import CallRecord
from shared.notifications.event import call_finished

START = 1_790_000_000_000
CALLER, CALLEE = "4:+14255550123", "4:+18005550199"


def a_record(**changes: Any) -> CallRecord:
    values: dict[str, Any] = {
        "flow": "reminder",
        "status": "ended",
        "direction": "outbound",
        "caller": CALLER,
        "callee": CALLEE,
        "correlation_id": "correlation",
        "server_call_id": "server",
        "call_connection_id": "connection",
        "started_at": START,
        "connected_at": START + 4_000,
        "ended_at": START + 64_500,
        "updated_at": START + 64_600,
        "outcome": "completed",
        "code": 200,
        "sub_code": 7000,
        "result": "confirmed",
        "details": {"slot": "Tuesday", "name": "Ada"},
        "failure": {"error": "ValueError: Ada"},
        "recording_ids": ("r-1", "r-2"),
    }
    return CallRecord("call-1", **{**values, **changes})


def test_a_finished_call_is_told_of_with_ids_words_times_and_durations() -> None:
    event = call_finished(a_record())
    assert (event.id, event.type, event.subject) == ("call-1", "Switchboard.CallFinished", "/calls/call-1")
    assert event.time == datetime.fromtimestamp((START + 64_500) / 1000, UTC)
    assert event.data == {
        "callId": "call-1",
        "flow": "reminder",
        "direction": "outbound",
        "outcome": "completed",
        "code": 200,
        "subCode": 7000,
        "result": "confirmed",
        "startedAt": "2026-09-21T14:13:20.000Z",
        "connectedAt": "2026-09-21T14:13:24.000Z",
        "endedAt": "2026-09-21T14:14:24.500Z",
        "ringingMs": 4_000,
        "connectedMs": 60_500,
        "totalMs": 64_500,
        "correlationId": "correlation",
        "serverCallId": "server",
        "callConnectionId": "connection",
        "recordingIds": ["r-1", "r-2"],
        "call": "/api/calls/call-1",
    }


def test_nothing_about_a_person_is_said_unless_a_setting_says_so() -> None:
    said = json.dumps(dict(call_finished(a_record()).data))
    assert not [secret for secret in ("425555", "800555", "Ada", "Tuesday") if secret in said]
    told = call_finished(a_record(), personal=True).data
    assert (told["caller"], told["callee"], told["details"]) == (CALLER, CALLEE, {"slot": "Tuesday", "name": "Ada"})


def test_a_call_that_was_never_connected_rang_all_the_time() -> None:
    data = call_finished(a_record(connected_at=0, outcome="no_answer")).data
    assert (data["connectedAt"], data["ringingMs"], data["connectedMs"], data["totalMs"]) == (None, 64_500, 0, 64_500)


def test_a_duration_is_never_negative() -> None:
    """The clocks of two instances may differ."""
    data = call_finished(a_record(connected_at=START - 50, ended_at=START - 20)).data
    assert (data["ringingMs"], data["connectedMs"], data["totalMs"]) == (0, 30, 0)


def test_the_event_can_be_written_as_json() -> None:
    assert json.loads(json.dumps(dict(call_finished(a_record(), personal=True).data)))
