"""How events look, how they are signed, retried and disturbed."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from acs_emulator.events.eventgrid import retry_wait
from acs_emulator.testing import AsyncControl, ControlError, Running
from emulator.tests.support import CALLER, OWNED, Application, Wire

USER_A = "8:acs:00000000-0000-4000-8000-000000000000_00000026-0000-0000-0000-00000000000a"
USER_B = "8:acs:00000000-0000-4000-8000-000000000000_00000026-0000-0000-0000-00000000000b"


async def test_events_have_the_recorded_properties_in_the_recorded_order(
    application: Application, answered: Any
) -> None:
    desk = await answered()
    connected = await application.event("CallConnected", desk.leg)
    connected.pop("path")
    assert list(connected) == [
        "id", "source", "type", "data", "time", "specversion", "datacontenttype", "subject",
    ]  # fmt: skip
    assert list(connected["data"]) == [
        "version", "operationContext", "resultInformation", "callConnectionId", "serverCallId", "correlationId",
        "publicEventType",
    ]  # fmt: skip
    assert connected["source"] == connected["subject"] == f"calling/callConnections/{desk.leg}"
    assert connected["time"].endswith("+00:00")
    assert connected["data"]["resultInformation"] == {"code": 200, "subCode": 0, "message": ""}
    updated = await application.event("ParticipantsUpdated", desk.leg)
    assert list(updated["data"]) == [
        "participants", "sequenceNumber", "resultInformation", "version", "callConnectionId", "serverCallId",
        "correlationId", "publicEventType",
    ]  # fmt: skip
    incoming = await application.incoming()
    assert list(incoming) == [
        "to", "from", "serverCallId", "callerDisplayName", "incomingCallContext", "correlationId",
    ]  # fmt: skip
    assert list(incoming["from"]) == ["kind", "rawId", "phoneNumber"]


async def test_callbacks_are_signed_by_the_keys_that_are_served(
    application: Application, answered: Any, emulator: Running[AsyncControl]
) -> None:
    await answered()
    document = await emulator.control.request("GET", "/calling/.well-known/acsopenidconfiguration")
    assert document["issuer"] == "https://acscallautomation.communication.azure.com"
    path = document["jwks_uri"].removeprefix(emulator.endpoint)
    keys = jwt.PyJWKSet.from_dict(await emulator.control.request("GET", path))
    claims = jwt.decode(
        application.tokens[0],
        keys[jwt.get_unverified_header(application.tokens[0])["kid"]],
        algorithms=["RS256"],
        audience=emulator.resource_id,
        issuer=document["issuer"],
    )
    assert claims["exp"] - claims["iat"] == 300


async def test_a_callback_that_is_refused_is_sent_again(
    application: Application, answered: Any, emulator: Running[AsyncControl]
) -> None:
    application.statuses[:] = [503, 200, 500]
    desk = await answered()
    await application.event("CallConnected", desk.leg, 2)
    [delivery] = await emulator.control.deliveries(type="CallConnected", callConnectionId=desk.leg)
    assert delivery["attempts"][0]["status"] == 503
    assert len({event["id"] for event in application.named("CallConnected")}) == 1


async def test_an_event_can_be_sent_twice_dropped_and_held_back(
    application: Application, answered: Any, emulator: Running[AsyncControl]
) -> None:
    await emulator.control.add_faults(
        {"kind": "reorder", "count": 1, "match": {"type": "CallConnected"}},
        {"kind": "duplicate", "count": 1, "match": {"type": "ParticipantsUpdated"}},
        {"kind": "drop", "match": {"type": "PlayStarted", "channel": "callbacks"}},
    )
    desk = await answered()
    body = {"playSources": [{"kind": "text", "text": {"text": "Hi", "voiceName": "en-US-JennyNeural"}}]}
    await desk.act(":play", body)
    await application.event("PlayCompleted", desk.leg)
    await application.event("ParticipantsUpdated", desk.leg, 2)
    assert application.events[0]["type"].endswith("ParticipantsUpdated")
    assert application.named("PlayStarted") == []
    [dropped] = await emulator.control.deliveries(type="PlayStarted")
    assert dropped["attempts"][0]["fault"] == "drop"


async def test_a_request_can_be_answered_with_any_status(emulator: Running[AsyncControl], wire: Wire) -> None:
    await emulator.control.add_faults(
        {"kind": "status", "count": 1, "status": 429, "subCode": 8516, "match": {"operation": "GetCall"}}
    )
    status, answer, _ = await wire.send("GET", "/calling/callConnections/x")
    assert (status, answer["error"]["code"]) == (429, "8516")
    assert (await wire.send("GET", "/calling/callConnections/x"))[0] == 404
    [first, second] = await emulator.control.requests(operation="GetCall")
    assert (first["status"], second["status"]) == (429, 404)


@pytest.mark.parametrize(
    "fault", [{"kind": "explode"}, {"kind": "fail", "match": {"operation": "Play"}, "subCode": "9" * 5000}]
)
async def test_a_fault_that_cannot_be_understood_is_refused(
    emulator: Running[AsyncControl], fault: dict[str, Any]
) -> None:
    with pytest.raises(ControlError) as refusal:
        await emulator.control.add_faults(fault)
    assert refusal.value.status == 400


async def test_event_grid_tries_again_until_it_is_taken(
    application: Application, emulator: Running[AsyncControl]
) -> None:
    application.grid_statuses[:] = [500]
    await emulator.control.place_call(CALLER, OWNED)
    await application.incoming(2)
    first, second = application.grid_named("IncomingCall")
    assert first["id"] == second["id"]
    headers = application.grid_headers[0]
    assert headers["aeg-event-type"] == "Notification"
    assert headers["aeg-delivery-count"] == "0"
    assert application.grid_headers[1]["aeg-delivery-count"] == "1"


@pytest.mark.parametrize(
    ("count", "status", "seconds"),
    [(0, 500, 10), (1, 500, 30), (2, None, 60), (0, 404, 300), (0, 408, 120), (0, 503, 30), (40, 500, 3600)],
)
def test_event_grid_waits_as_documented(count: int, status: int | None, seconds: float) -> None:
    assert retry_wait(count, status) == seconds


async def test_calls_between_users_are_told_from_start_to_end(
    application: Application, emulator: Running[AsyncControl], wire: Wire
) -> None:
    await emulator.control.place_call(USER_A, USER_B, [{"when": "connected", "after": 1, "hangUp": True}])
    incoming = await application.incoming()
    body = {"incomingCallContext": incoming["incomingCallContext"], "callbackUri": f"{application.base}/api"}
    await wire.send("POST", "/calling/callConnections:answer", body)
    ended = await application.grid_event("CallEnded")
    names = sorted(event["eventType"].rpartition(".")[2] for event in application.grid)
    assert names == [
        "CallEnded", "CallParticipantAdded", "CallParticipantAdded", "CallParticipantRemoved",
        "CallParticipantRemoved", "CallStarted", "IncomingCall",
    ]  # fmt: skip
    assert ended["data"]["durationOfCall"] > 0
    assert ended["data"]["startedBy"]["communicationIdentifier"]["rawId"] == USER_A


async def test_reset_forgets_calls_phones_faults_and_logs(
    application: Application, answered: Any, emulator: Running[AsyncControl]
) -> None:
    await answered()
    await emulator.control.reset()
    state = await emulator.control.state()
    assert (state["calls"], state["phones"]) == ([], [])
    assert state["subscriptions"][0]["validated"] is True
    assert await emulator.control.deliveries() == []
    await emulator.control.place_call(CALLER, OWNED)
    await application.incoming(2)


async def test_reset_forgets_who_takes_part_in_calls_and_who_was_made_a_user(
    application: Application, emulator: Running[AsyncControl], wire: Wire
) -> None:
    """A call of users is announced by its start: one that was forgotten must not be announced as going on."""
    await emulator.control.register_phone(USER_A, behaviour="answer", afterSeconds=0)
    service = emulator.service
    service.users.add(USER_B)
    body = {"targets": [{"communicationUser": {"id": USER_A}}], "callbackUri": f"{application.base}/api/calls"}
    _, answer, _ = await wire.send("POST", "/calling/callConnections", body)
    await application.event("CallConnected", answer["callConnectionId"])
    await application.grid_event("CallStarted")
    await emulator.control.reset()
    assert service.registry._lifecycle._started == {}
    assert service.users == set()
    assert service.state() | {"subscriptions": []} == {
        "calls": [], "endedCalls": 0, "incomingCalls": [], "phones": [], "numbers": [], "ownedNumbers": [],
        "subscriptions": [],
    }  # fmt: skip
