"""The lines that are counted: their fields, their outcomes, and what never is in them."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema_rs
import pytest

from bench.imports import imported_modules
from shared import telemetry
from shared.calls.loglines import log_closed
from shared.calls.record import CallRecord
from shared.errors import (
    InvalidInput,
    KeysUnavailable,
    MalformedEvent,
    Misconfigured,
    Refused,
    StoreUnavailable,
    UnknownCall,
    UnknownRecording,
)
from shared.telemetry import Seen, Tally, delivery, write
from tests.setting_samples import REQUIRED
from tests.telemetry_lines import found, schema

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Arrived:
    """An event."""

    name: str
    time: datetime | None = None


@pytest.fixture(autouse=True)
def fresh() -> None:
    telemetry.tally.clear()


def lines(caplog: pytest.LogCaptureFixture, event: str = "delivery") -> list[dict[str, object]]:
    return found([record.getMessage() for record in caplog.records], event)


def test_the_schema_is_one() -> None:
    assert jsonschema_rs.meta.is_valid(schema())


def test_a_line_is_the_prefix_and_a_json_object_as_queries_take_it_apart(caplog: pytest.LogCaptureFixture) -> None:
    write("watch", open=3, done=0)
    assert [record.getMessage() for record in caplog.records] == ['switchboard {"event":"watch","open":3,"done":0}']
    assert caplog.records[0].levelno == logging.INFO


def test_a_delivery_has_one_line_with_what_became_of_it(caplog: pytest.LogCaptureFixture) -> None:
    made = datetime.now(UTC) - timedelta(seconds=3)
    with delivery("play_events") as told:
        told.events = [Arrived("PlayStarted", made), Arrived("PlayCompleted"), Arrived("PlayStarted", made)]
        told.call, told.outcome = "c1", "advanced"
    (line,) = lines(caplog)
    assert 3000 <= line.pop("lag_ms") < 10_000  # type: ignore[operator]
    assert 0 <= line.pop("ms") < 1000  # type: ignore[operator]
    assert line == {
        "event": "delivery",
        "function": "play_events",
        "outcome": "advanced",
        "type": "PlayStarted,PlayCompleted",
        "events": 3,
        "call": "c1",
        "cold": True,
    }


def test_the_first_delivery_of_an_instance_is_cold_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    for function in ("incoming_call", "call_events", "call_events"):
        with delivery(function) as told:
            told.outcome = "advanced"
    assert [line["cold"] for line in lines(caplog)] == [True, False, False]


def test_an_event_from_the_future_has_no_negative_lag(caplog: pytest.LogCaptureFixture) -> None:
    with delivery("call_events") as told:
        told.events, told.outcome = [Arrived("CallConnected", datetime.now(UTC) + timedelta(hours=1))], "advanced"
    assert lines(caplog)[0]["lag_ms"] == 0


@pytest.mark.parametrize(
    ("error", "outcome", "status"),
    [
        (Refused("no token"), "refused", 401),
        (Refused("not signed", 403), "refused", 403),
        (UnknownCall("c1"), "unknown", None),
        (UnknownRecording("r1"), "unknown", None),
        (MalformedEvent("body", "is no JSON"), "malformed", None),
        (InvalidInput("call_id", "is missing"), "invalid", None),
        (Misconfigured("no"), "misconfigured", None),
        (KeysUnavailable("no"), "unavailable", None),
        (StoreUnavailable("no"), "unavailable", None),
        (RuntimeError("a bug"), "failed", None),
    ],
)
def test_what_is_raised_is_an_outcome_too_and_goes_on(
    error: Exception, outcome: str, status: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(type(error)), delivery("call_events"):
        raise error
    assert [(line["outcome"], line.get("status")) for line in lines(caplog)] == [(outcome, status)]


def test_nothing_from_outside_is_shown_as_it_came(caplog: pytest.LogCaptureFixture) -> None:
    with delivery("incoming_call") as told:
        told.events = [Arrived("+14255550123"), Arrived("A" * 65), Arrived('x"},{'), Arrived("CallConnected")]
        told.call = "+14255550123"
        told.outcome, told.rule = "of +14255550123", 'the line +18005550199 of "Ada"'
    (line,) = lines(caplog)
    assert (line["type"], line["outcome"]) == ("other,CallConnected", "other")
    assert (line["rule"], line.get("call")) == ('the line +… of "Ada"', None)


def test_a_line_names_eight_types_at_most_and_counts_all_events(caplog: pytest.LogCaptureFixture) -> None:
    names = ["A", "B", "C", "D", "E", "F", "G", "H", "I"]
    with delivery("call_events") as told:
        told.events, told.outcome = [Arrived(name) for name in names], "advanced"
    (line,) = lines(caplog)
    assert (line["type"], line["events"]) == ("A,B,C,D,E,F,G,H", 9)


def test_lines_are_written_whatever_the_log_level_is(caplog: pytest.LogCaptureFixture) -> None:
    root = logging.getLogger("switchboard")
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        write("watch", open=0, done=0)
    finally:
        root.setLevel(before)
    assert len(lines(caplog, "watch")) == 1


def test_sampling_leaves_the_lines_alone() -> None:
    """Application Insights would keep some of them only, and counts would be wrong."""
    settings = json.loads((ROOT / "host.json").read_text())["logging"]["applicationInsights"]["samplingSettings"]
    assert set(settings["excludedTypes"].split(";")) == {"Request", "Exception", "Trace"}
    levels = json.loads((ROOT / "host.json").read_text())["logging"]["logLevel"]
    assert levels["default"] == "Information"
    assert not any(name.startswith("Function") for name in levels)


def test_nothing_of_opentelemetry_is_in_memory_once_an_app_answers_calls() -> None:
    settings = {**REQUIRED, "ACS_ACCESS_KEY": "a2V5"}
    loaded = imported_modules(
        "import function_app\n"
        "from shared import telemetry\n"
        "from shared.composition.board import compose\n"
        "from shared.settings import load_settings\n"
        f"compose(load_settings({settings!r}))\n"
        "with telemetry.delivery('call_events') as told:\n"
        "    told.outcome = 'advanced'\n"
    )
    assert "shared.telemetry" in loaded
    assert [name for name in loaded if name.startswith(("opentelemetry", "azure.monitor"))] == []


def test_what_cannot_be_the_services_is_not_told_in_status(caplog: pytest.LogCaptureFixture) -> None:
    with delivery("call_events") as told:
        told.outcome, told.reason, told.counted = "refused", "not signed", False
    assert (lines(caplog)[0]["outcome"], telemetry.tally.seen()) == ("refused", {})


def test_a_tally_counts_by_function_what_was_taken_and_what_was_refused() -> None:
    tally = Tally()
    tally.add("call_events")
    tally.add("call_events", "no token", 401)
    tally.add("incoming_call")
    seen = tally.seen()
    one = seen["call_events"]
    assert one == Seen(1, 1, one.last_taken, one.last_refused, 401, "no token")
    assert one.last_refused >= one.last_taken > 1_700_000_000
    assert (seen["incoming_call"].taken, seen["incoming_call"].refused) == (1, 0)


# Calls

CONNECTED = 1_795_860_000_000
ADDED = {"at": CONNECTED + 9000, "event": {"type": "Microsoft.Communication.AddParticipantSucceeded"}}
TRANSFERRED = {"at": CONNECTED + 4000, "event": {"type": "Microsoft.Communication.CallTransferAccepted"}}
PLAYED = {"at": CONNECTED + 1000, "event": {"type": "Microsoft.Communication.PlayCompleted"}}


def record(**given: object) -> CallRecord:
    values = {
        "flow": "support",
        "started_at": CONNECTED - 1240,
        "connected_at": CONNECTED,
        "ended_at": CONNECTED + 63_000,
        "outcome": "completed",
        "code": 200,
        "caller": "4:+14255550123",
        **given,
    }
    return CallRecord("c1", **values)  # type: ignore[arg-type]


def test_a_call_has_one_line_with_all_that_a_wallboard_needs(caplog: pytest.LogCaptureFixture) -> None:
    log_closed(record(recording_ids=("r1",), result="confirmed"), [{"at": 1}, PLAYED, ADDED, TRANSFERRED])
    assert lines(caplog, "call") == [
        {
            "event": "call",
            "call": "c1",
            "flow": "support",
            "direction": "inbound",
            "outcome": "completed",
            "code": 200,
            "sub_code": 0,
            "result": "confirmed",
            "ring_ms": 1240,
            "talk_ms": 63_000,
            "person_ms": 9000,
            "recorded": True,
            "flow_failed": False,
        }
    ]


def test_a_call_that_never_connected_rang_until_its_end_and_nobody_talked(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log_closed(record(connected_at=0, outcome="busy", code=486, sub_code=10018), [ADDED])
    (line,) = lines(caplog, "call")
    assert (line["ring_ms"], line["talk_ms"], line.get("person_ms")) == (64_240, 0, None)
    assert "closed call=c1 outcome=busy" in caplog.text


@pytest.mark.parametrize(("entries", "person"), [([PLAYED], None), ([TRANSFERRED], 4000), ([PLAYED, ADDED], 9000)])
def test_a_person_is_who_was_added_or_took_the_call_over(
    entries: list[dict[str, object]], person: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    log_closed(record(failure={"error": "x"}), entries)
    (line,) = lines(caplog, "call")
    assert (line.get("person_ms"), line["flow_failed"]) == (person, True)


def test_every_field_is_in_the_docs() -> None:
    page = (ROOT / "docs" / "telemetry.md").read_text("utf-8")
    missing = [name for one in schema()["oneOf"] for name in one["properties"] if f"`{name}`" not in page]
    assert missing == []
