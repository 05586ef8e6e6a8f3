"""Events recorded from the real service parse, and our samples have their shape.

Recordings and published definitions are not part of this repository; without them the tests are skipped.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from shared.events import (
    CALLBACK_TYPES,
    CallConnected,
    CallDisconnected,
    CancelAddParticipantSucceeded,
    IncomingCall,
    ParticipantsUpdated,
    RecordingStateChanged,
    explain,
    parse_callbacks,
    parse_event_grid,
)
from tests.unit.events.samples import REQUIRED, callback, grid_event

REFERENCE = Path(__file__).parents[4] / "shared" / "reference"
RECORDINGS = sorted((REFERENCE / "recordings").glob("*.event.json"))
DEFINITIONS = (
    REFERENCE
    / "openapi/communication/data-plane/CallAutomation/stable/2026-03-12/communicationservicescallautomation.json"
)


def recorded() -> Iterator[Any]:
    for file in RECORDINGS:
        for name, event in json.loads(file.read_text(encoding="utf-8")).items():
            yield pytest.param(name, event, id=f"{file.name.removesuffix('.event.json')}-{name}")


@pytest.mark.skipif(not RECORDINGS, reason="recordings are not here")
@pytest.mark.parametrize(("name", "recording"), list(recorded()))
def test_a_recorded_event_parses_with_all_that_it_says(name: str, recording: Mapping[str, Any]) -> None:
    if name == "IncomingCall":  # recorded as its data alone
        (call,) = parse_event_grid(json.dumps([grid_event(name, recording)]))
        assert isinstance(call, IncomingCall)
        assert call.to.raw_id == recording["to"]["rawId"]
        assert call.from_.raw_id == recording["from"]["rawId"]
        assert next(iter(recording["to"])) == "kind"
        return
    (event,) = parse_callbacks(json.dumps([recording]))
    data = recording["data"]
    assert type(event) is CALLBACK_TYPES[name]
    assert event.raw == recording
    assert (event.call_connection_id, event.server_call_id) == (data["callConnectionId"], data["serverCallId"])
    assert event.correlation_id == data["correlationId"]
    assert event.source == recording["source"] == recording["subject"]
    assert event.operation_context == data.get("operationContext")
    assert event.result is not None
    assert explain(event.result.code, event.result.sub_code).outcome in ("ok", "ended", "canceled")
    match event:
        case ParticipantsUpdated():
            assert event.sequence_number == data["sequenceNumber"]
            assert [p.identifier.raw_id for p in event.participants] == [
                p["identifier"]["rawId"] for p in data["participants"]
            ]
        case RecordingStateChanged():
            assert event.state == "active"
            assert event.start_date_time is not None
            assert event.recording_id == data["recordingId"]
        case CancelAddParticipantSucceeded():
            assert event.invitation_id == data["invitationId"]
        case CallConnected() | CallDisconnected():
            pass
        case _:
            pytest.fail(f"{name}: say here what it must carry")


@pytest.mark.skipif(not RECORDINGS, reason="recordings are not here")
@pytest.mark.parametrize(("name", "recording"), list(recorded()))
def test_our_samples_have_the_recorded_fields_in_the_recorded_order(name: str, recording: Mapping[str, Any]) -> None:
    if name == "IncomingCall":
        assert list(grid_event(name)["data"]) == list(recording)
        return
    sample = callback(name)
    assert list(sample) == list(recording)
    common = [key for key in recording["data"] if key in sample["data"] and key != "resultInformation"]
    assert common == [key for key in sample["data"] if key != "resultInformation"]


@pytest.mark.skipif(not DEFINITIONS.exists(), reason="the published definitions are not here")
@pytest.mark.parametrize("name", sorted(CALLBACK_TYPES))
def test_every_published_field_has_an_attribute(name: str) -> None:
    published = json.loads(DEFINITIONS.read_text(encoding="utf-8"))["definitions"][name]["properties"]
    CALLBACK_TYPES[name].model_rebuild()
    known: set[str] = set()
    for attribute, field in CALLBACK_TYPES[name].model_fields.items():
        alias = field.validation_alias
        known |= {str(alias)} if isinstance(alias, str) else {str(c) for c in getattr(alias, "choices", [attribute])}
    assert set(published) <= known
    assert set(REQUIRED.get(name, {})) <= set(published)
