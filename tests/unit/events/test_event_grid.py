"""Event Grid events become typed events in both schemas."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.events import (
    EVENT_GRID_TYPES,
    EventGridEvent,
    IncomingCall,
    UnknownEvent,
    event_grid,
    parse_event_grid,
    parse_event_grid_event,
)
from tests.unit.events.samples import (
    CORRELATION,
    GRID,
    INCOMING,
    RECORDING,
    SERVER_CALL,
    STARTED,
    USER_A,
    USER_B,
    body,
    cloud_event,
    grid_event,
    user,
)


def parsed(name: str, /, **data: Any) -> Any:
    (event,) = parse_event_grid(body(grid_event(name, GRID[name] | data)))
    return event


@pytest.mark.parametrize("name", sorted(GRID))
def test_every_type_parses_the_same_from_both_schemas(name: str) -> None:
    (grid,) = parse_event_grid(body(grid_event(name)))
    (cloud,) = parse_event_grid(json.dumps(cloud_event(name)))
    assert type(grid) is type(cloud) is EVENT_GRID_TYPES[name]
    assert grid.topic.startswith("/subscriptions/")
    assert grid.time == datetime(2025, 3, 17, 17, 50, 29, 291168, UTC)
    same: dict[str, Any] = {"raw": {}}
    assert grid.model_copy(update=same) == cloud.model_copy(update=same)
    assert grid.raw == grid_event(name)


def test_there_are_6_event_grid_types() -> None:
    assert set(EVENT_GRID_TYPES) == set(GRID)


def test_data_may_be_a_json_string() -> None:
    event = parse_event_grid_event(grid_event("IncomingCall", json.dumps(INCOMING)))
    assert isinstance(event, IncomingCall)
    assert event.to.raw_id == USER_A


def test_an_incoming_call_says_who_calls_whom() -> None:
    event = parsed("IncomingCall")
    assert event.from_.phone_number == "+14255550100"
    assert (event.server_call_id, event.correlation_id) == (SERVER_CALL, CORRELATION)
    assert event.incoming_call_context == INCOMING["incomingCallContext"]
    assert event.custom_context.user_to_user is None


@pytest.mark.parametrize("key", ["userToUser", "user-To-User", "User-To-User", "USER_TO_USER"])
def test_user_to_user_is_found_however_it_is_written(key: str) -> None:
    event = parsed("IncomingCall", customContext={"sipHeaders": {key: "616d;encoding=hex"}, "voipHeaders": None})
    assert event.custom_context.user_to_user == "616d;encoding=hex"


def test_custom_headers_are_found_with_and_without_their_prefix() -> None:
    context = parsed(
        "IncomingCall",
        customContext={"sipHeaders": {"X-MS-Custom-Order": 35567842, "x": None}, "voipHeaders": {"tier": "gold"}},
    ).custom_context
    assert context.header("order") == context.header("x-ms-custom-order") == "35567842"
    assert context.header("Tier") == "gold"
    assert context.header("x") is None


@pytest.mark.parametrize("field", ["callDurationInSeconds", "durationOfCall"])
def test_the_duration_is_read_under_both_names(field: str) -> None:
    (event,) = parse_event_grid(body(grid_event("CallEnded", STARTED | {field: 49.5})))
    assert isinstance(event, event_grid.CallEnded)
    assert event.duration_seconds == 49.5


@pytest.mark.parametrize("field", ["userAgent", "endpointType"])
def test_the_user_agent_is_read_under_both_names(field: str) -> None:
    assert parsed("CallParticipantAdded", **{field: "agent"}).user_agent == "agent"


@pytest.mark.parametrize(
    "wrapped",
    [
        {"communicationIdentifier": user(USER_B), "role": "r"},
        {"communicationidentifier": user(USER_B), "role": "r"},  # as in the published example call_ended.json
        {"communicationidentifier": user(USER_B)},
        user(USER_B),
    ],
)
def test_who_started_a_call_is_read_with_and_without_its_wrapper(wrapped: Any) -> None:
    assert parsed("CallStarted", startedBy=wrapped).started_by.identifier.raw_id == USER_B
    assert parsed("CallParticipantRemoved", user=wrapped).user.identifier.raw_id == USER_B


@pytest.mark.parametrize("name", ["communicationIdentifier", "communicationidentifier"])
def test_who_ended_a_call_is_read_in_both_spellings(name: str) -> None:
    event = parsed("CallEnded", endedBy={name: user(USER_B), "type": "Participant", "name": "x"})
    assert event.ended_by.identifier.raw_id == USER_B


@pytest.mark.parametrize("nobody", [{}, {"rawId": ""}, {"communicationUser": None}, None])
def test_a_call_that_the_service_ended_was_ended_by_nobody(nobody: Any) -> None:
    event = parsed(
        "CallEnded",
        endedBy={"communicationIdentifier": nobody, "type": "MicrosoftInternal", "name": "x"},
        reason={"code": 0, "subCode": 7000, "phrase": "done"},
    )
    assert event.ended_by.identifier is None
    assert event.ended_by.type == "MicrosoftInternal"
    assert event.reason.sub_code == 7000


def test_a_recording_lists_its_chunks_in_order_and_in_the_words_of_rest() -> None:
    event = parsed("RecordingFileStatusUpdated")
    assert [chunk.document_id for chunk in event.chunks] == ["0-x-d1-a", "0-x-d1-b"]
    assert (event.recording_content_type, event.recording_channel_type, event.recording_format_type) == (
        "audioVideo",
        "unmixed",
        "wav",
    )
    assert event.recording_duration_ms == 6620


@pytest.mark.parametrize(
    ("subject", "ids"),
    [
        ("/recording/call/c", {"call": "c"}),
        ("/recording/call/c/recordingId/r", {"call": "c", "recordingId": "r"}),
        (
            "/recording/call/c/serverCallId/a/b==/recordingId/r",
            {"call": "c", "serverCallId": "a/b==", "recordingId": "r"},
        ),
        ("/something/else", {}),
    ],
)
def test_the_subject_of_a_recording_is_read_in_its_three_shapes(subject: str, ids: dict[str, str]) -> None:
    event = parse_event_grid_event(grid_event("RecordingFileStatusUpdated", RECORDING, subject=subject))
    assert isinstance(event, event_grid.RecordingFileStatusUpdated)
    assert event.subject_ids == ids


@pytest.mark.parametrize("kind", ["Microsoft.EventGrid.SubscriptionValidationEvent", "Microsoft.Communication.New"])
@pytest.mark.parametrize("data", [{"validationCode": "c"}, "not json", 5])
def test_an_unknown_type_is_an_unknown_event(kind: str, data: Any) -> None:
    (event,) = parse_event_grid(body(grid_event("x", data, eventType=kind)))
    assert isinstance(event, UnknownEvent)
    assert isinstance(event, EventGridEvent)
    assert (event.type, event.name) == (kind, kind.rpartition(".")[2])
    assert event.raw["data"] == data
