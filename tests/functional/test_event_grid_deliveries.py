"""What Event Grid delivers reaches the triggers in both schemas, as the binding hands it over."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from azure.functions.eventgrid import EventGridEventInConverter
from azure.functions.meta import Datum

from shared.calls.journal import LifecycleEvent, Started, decode
from shared.errors import SettingsError
from shared.settings import load_settings
from tests.found_calls import decode_all
from tests.functional.app import CALLER, NUMBER, App, functions, phone, running
from tests.functional.test_lifecycle import SERVER_CALL

TOPIC = "/subscriptions/5b1f/resourceGroups/Calls/providers/Microsoft.Communication/communicationServices/Contoso"
RING: dict[str, Any] = {
    "to": phone(NUMBER),
    "from": phone(CALLER),
    "serverCallId": "c2VydmVyLWNhbGw",
    "callerDisplayName": "",
    "incomingCallContext": "opaque",
    "correlationId": "3b2a1908-0000-4000-8000-000000000001",
}
NEWS: dict[str, Any] = {"serverCallId": SERVER_CALL, "correlationId": "3b2a1908-0000-4000-8000-000000000001"}
FILES: dict[str, Any] = {"recordingStorageInfo": {"recordingChunks": []}}
SCHEMAS = ("Event Grid", "CloudEvents")
both_schemas = pytest.mark.parametrize("schema", SCHEMAS)


def delivered(schema: str, name: str, data: Any, *, topic: str = TOPIC.lower(), event_id: str = "one") -> Any:
    """An event as the function gets it: taken apart by the worker's own converter."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    item: dict[str, Any] = {"id": event_id, "subject": "/a/b", "data": data}
    if schema == "CloudEvents":
        item |= {"source": topic, "type": f"Microsoft.Communication.{name}", "time": now, "specversion": "1.0"}
    else:
        item |= {"topic": topic, "eventType": f"Microsoft.Communication.{name}", "eventTime": now, "dataVersion": "1.0"}
    return EventGridEventInConverter.decode(Datum(json.dumps(item), "json"), trigger_metadata=None)


@both_schemas
def test_an_incoming_call_is_answered(app: App, schema: str) -> None:
    functions()["incoming_call"](delivered(schema, "IncomingCall", RING))
    assert app.kinds == ["answer"]
    started = decode(app.store.load(app.call_ids[0]).journal[0])
    assert isinstance(started, Started)
    assert started.source_event == "one"


@both_schemas
def test_news_of_a_call_is_journaled_as_it_came(app: App, schema: str) -> None:
    app.ring()
    functions()["call_lifecycle"](delivered(schema, "CallStarted", NEWS))
    entries = decode_all(app.store.load(app.call_ids[0]).journal)
    (entry,) = [entry for entry in entries if isinstance(entry, LifecycleEvent)]
    names = ("type", "source") if schema == "CloudEvents" else ("eventType", "topic")
    assert [entry.event[name] for name in names] == ["Microsoft.Communication.CallStarted", TOPIC.lower()]


@both_schemas
@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("incoming_call", "not an incoming call"),
        ("call_lifecycle", "not a lifecycle event of a call"),
        ("recording_file", "not a recording event"),
    ],
)
def test_an_event_for_another_function_is_named_in_the_log(
    app: App, caplog: pytest.LogCaptureFixture, schema: str, function: str, said: str
) -> None:
    functions()[function](delivered(schema, "SomethingNew", {}))
    assert f"{said} type=Microsoft.Communication.SomethingNew id=one" in caplog.text


@both_schemas
def test_a_malformed_event_is_logged_and_not_asked_for_again(
    app: App, caplog: pytest.LogCaptureFixture, schema: str
) -> None:
    functions()["incoming_call"](delivered(schema, "IncomingCall", {}))
    assert "malformed event id=one field=data." in caplog.text
    assert app.gateway.sent == []


# The topic


@both_schemas
@pytest.mark.parametrize("topic", [TOPIC, TOPIC.lower(), TOPIC.upper(), f"{TOPIC}/"])
@pytest.mark.parametrize("setting", [TOPIC, TOPIC.lower()])
def test_an_event_of_the_app_s_own_resource_is_taken_in_any_case(
    tmp_path: Path, schema: str, topic: str, setting: str
) -> None:
    with running(tmp_path, EVENT_GRID_TOPIC=setting) as app:
        functions()["incoming_call"](delivered(schema, "IncomingCall", RING, topic=topic))
        assert app.kinds == ["answer"]


@both_schemas
@pytest.mark.parametrize("topic", ["", TOPIC.replace("Contoso", "Contoso2"), TOPIC.replace("5b1f", "6c20")])
@pytest.mark.parametrize(
    ("function", "name", "data"),
    [
        ("incoming_call", "IncomingCall", RING),
        ("call_lifecycle", "CallStarted", NEWS),
        ("recording_file", "RecordingFileStatusUpdated", FILES),
    ],
)
def test_an_event_of_another_resource_changes_nothing_and_the_log_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, schema: str, topic: str, function: str, name: str, data: Any
) -> None:
    with running(tmp_path, EVENT_GRID_TOPIC=TOPIC) as app:
        app.ring(delivered("Event Grid", "IncomingCall", RING))
        before = app.store.load(app.call_ids[0])
        functions()[function](delivered(schema, name, data, topic=topic, event_id="foreign"))
        assert app.store.load(app.call_ids[0]) == before
        assert app.kinds == ["answer"]
    assert f"refused {name} id=foreign: it is not of the topic in EVENT_GRID_TOPIC" in caplog.text


def test_without_the_setting_events_of_any_topic_are_taken(app: App) -> None:
    functions()["incoming_call"](delivered("Event Grid", "IncomingCall", RING, topic="/whatever"))
    assert app.kinds == ["answer"]


@pytest.mark.parametrize(
    "value",
    [
        "0f6b3f2e-9c54-4d0e-8d1c-1f2e3d4c5b6a",
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.EventGrid/systemTopics/calls",
        "contoso.communication.azure.com",
    ],
)
def test_a_topic_that_no_event_can_name_is_refused_at_the_start(value: str) -> None:
    with pytest.raises(SettingsError, match="EVENT_GRID_TOPIC: must be the ARM id"):
        load_settings({"EVENT_GRID_TOPIC": value})


# Headers


def test_a_voip_header_does_not_take_the_place_of_a_sip_header(app: App) -> None:
    headers = {"sipHeaders": {"X-MS-Custom-Tier": "basic"}, "voipHeaders": {"x-ms-custom-tier": "gold", "Page": "home"}}
    functions()["incoming_call"](delivered("Event Grid", "IncomingCall", RING | {"customContext": headers}))
    started = decode(app.store.load(app.call_ids[0]).journal[0])
    assert isinstance(started, Started)
    assert started.context == {"X-MS-Custom-Tier": "basic", "Page": "home"}


# Odd fields


@both_schemas
def test_a_call_with_an_odd_field_is_answered_and_the_log_names_the_field_alone(
    app: App, caplog: pytest.LogCaptureFixture, schema: str
) -> None:
    odd = {"sipHeaders": {"X-Ada-Lovelace": ["the caller's own words"]}, "voipHeaders": {}}
    data = RING | {"customContext": odd, "callerDisplayName": {"name": "Ada"}}
    functions()["incoming_call"](delivered(schema, "IncomingCall", data))
    assert app.kinds == ["answer"]
    said = "left out of IncomingCall id=one: 2 unreadable: callerDisplayName, customContext.sipHeaders.*"
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [said]


def test_an_odd_callback_ends_its_call_and_the_log_names_the_field(app: App, caplog: pytest.LogCaptureFixture) -> None:
    app.ring()
    app.react()
    call_id = app.call_ids[0]
    event = app.wire.event("CallDisconnected")
    event["data"] |= {"resultInformation": {"code": 200, "subCode": None, "message": 5}, "serverCallId": None}
    del event["time"]
    response = app.call_back(app.board.urls.url(call_id, "call"), event)
    assert response.status_code == 200
    assert app.store.peek(call_id).status == "ended"
    assert "left out of CallDisconnected" in caplog.text
    assert "1 unreadable: resultInformation.message" in caplog.text
