"""The derived schemas, and what the validators make of answers and events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from acs_emulator.api.routes import OPERATIONS
from acs_emulator.api.schemas.derive import derive
from acs_emulator.core.clock import utc_now
from acs_emulator.core.outcomes import COMPLETED
from acs_emulator.events.envelopes import callback_event, event_grid_event
from emulator.tests.conformance.openapi.published import (
    DERIVED,
    PUBLISHED,
    answer_complaints,
    callback_complaints,
    derived,
    emulated,
    grid_complaints,
)

CALL = {"callConnectionId": "a", "serverCallId": "b", "correlationId": "c"}


def callback(name: str, **specific: Any) -> dict[str, Any]:
    return callback_event(
        event_id="1",
        name=name,
        source="calling/callConnections/a",
        moment=utc_now(),
        specific=specific,
        outcome=COMPLETED,
        operation_context="context",
        call=CALL,
    )


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published description is not at hand")
def test_the_derived_copy_is_what_the_published_description_gives() -> None:
    assert json.loads(DERIVED.read_text("utf-8")) == derive(PUBLISHED)


def test_the_description_has_34_operations_and_38_callbacks_and_6_event_grid_events() -> None:
    assert len(derived()["operations"]) == 34
    assert len(derived()["events"]) == 38
    assert len(derived()["eventGrid"]["events"]) == 6


def test_the_emulator_addresses_every_operation_as_published() -> None:
    published = derived()["operations"]
    assert {operation.id for operation in OPERATIONS} == set(published)
    for operation in OPERATIONS:
        there = published[operation.id]
        assert operation.method == there["method"]
        assert operation.pattern.match(there["path"].replace("{", "").replace("}", "")), operation.id
        assert operation.repeatable == there["repeatable"], operation.id
        assert (operation.body == "required") == (operation.id in derived()["requests"]), operation.id


def test_an_answer_that_is_not_as_published_is_complained_of() -> None:
    good = {"value": [{"identifier": {"rawId": "4:+1"}, "isMuted": False}]}
    name = "CallConnection_GetParticipants"
    assert answer_complaints(name, 200, good) == []
    assert answer_complaints(name, 200, {"value": [{"isMuted": "no"}]})
    assert answer_complaints(name, 200, {**good, "more": 1})
    assert answer_complaints(name, 200, None)
    assert answer_complaints(name, 202, good)
    assert answer_complaints(name, 500, {"error": {"code": "1", "message": ""}})
    assert answer_complaints(name, 404, {"error": {"code": 8522, "message": "Call not found."}})
    assert answer_complaints(name, 404, {"error": {"code": "8522", "message": "Call not found."}}) == []
    assert answer_complaints("CallMedia_Play", 202, {"operationContext": "x"})
    assert answer_complaints("CallMedia_Play", 202, None) == []
    assert not emulated(name) or answer_complaints(name, 501, {"error": {"code": "NotImplemented", "message": ""}})


def test_an_event_that_is_not_as_published_is_complained_of() -> None:
    assert callback_complaints(callback("PlayStarted")) == []
    assert callback_complaints(callback("PlayFailed", failedPlaySourceIndex=0)) == []
    assert callback_complaints(callback("PlayFailed", failedPlaySourceIndex="0"))
    assert callback_complaints(callback("PlayFailed", more=1))
    assert callback_complaints(callback("PlayBegun"))
    assert callback_complaints(callback("HoldAudioStarted")) == []
    assert callback_complaints(callback("HoldAudioStarted", more=1))
    tone = {"sequenceId": 1, "tone": "one"}
    assert callback_complaints(callback("ContinuousDtmfRecognitionToneReceived", **tone)) == []
    assert callback_complaints(callback("ContinuousDtmfRecognitionToneReceived", **{**tone, "tone": "eleven"}))
    by_key = {"recognitionType": "choices", "choiceResult": {"label": "yes", "recognizedPhrase": None}}
    assert callback_complaints(callback("RecognizeCompleted", **by_key)) == []
    late = callback("PlayStarted")
    late["time"] = late.pop("time")
    assert callback_complaints(late), "the envelope's order is recorded"


def test_an_event_grid_event_that_is_not_as_published_is_complained_of() -> None:
    def event(name: str, data: dict[str, Any]) -> dict[str, Any]:
        return event_grid_event(
            event_id="1",
            topic="t",
            subject="s",
            event_type=f"Microsoft.Communication.{name}",
            data=data,
            moment=utc_now(),
        )

    assert grid_complaints(event("IncomingCall", {"serverCallId": "b"})) == []
    assert grid_complaints(event("IncomingCall", {"serverCallId": 1}))
    assert grid_complaints(event("CallStarted", {"serverCallId": "b"})), "startedBy is required"
    assert grid_complaints(event("CallBegun", {}))
