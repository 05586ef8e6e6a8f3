"""Connect to calls, group calls and rooms; move participants between calls."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from acs_emulator.testing import AsyncControl, Running
from emulator.tests.support import CALLER, Application, Wire

WHO = {"phoneNumber": {"value": CALLER}}
GROUP = "3f2c1d9e-0000-4000-8000-00000000abcd"


async def connect(
    wire: Wire, application: Application, locator: dict[str, Any], **more: Any
) -> tuple[int, dict[str, Any]]:
    body = {"callLocator": locator, "callbackUri": f"{application.base}/api/second", "operationContext": "c", **more}
    status, answer, _ = await wire.send("POST", "/calling/callConnections:connect", body)
    return status, answer


async def test_a_second_connection_to_the_same_call_has_an_id_of_its_own(
    application: Application, wire: Wire, answered: Any
) -> None:
    desk = await answered()
    locator = {"kind": "serverCallLocator", "serverCallId": desk.answer["serverCallId"]}
    status, answer = await connect(wire, application, locator)
    assert (status, answer["callConnectionState"]) == (200, "connecting")
    assert answer["serverCallId"] == desk.answer["serverCallId"]
    second = answer["callConnectionId"]
    assert second != desk.leg
    connected = await application.event("CallConnected", second)
    assert (connected["path"], connected["data"]["operationContext"]) == ("/api/second", "c")
    assert connected["data"]["correlationId"] == desk.answer["correlationId"]
    updated = await application.event("ParticipantsUpdated", second)
    assert len(updated["data"]["participants"]) == 2
    assert (await wire.send("DELETE", f"/calling/callConnections/{second}"))[0] == 204
    await application.event("CallDisconnected", second)
    assert (await wire.send("GET", f"/calling/callConnections/{desk.leg}"))[0] == 200
    assert application.named("CallDisconnected", desk.leg) == []


async def test_both_connections_play_and_end_with_the_call(application: Application, wire: Wire, answered: Any) -> None:
    desk = await answered()
    _, answer = await connect(wire, application, {"serverCallId": desk.answer["serverCallId"]})
    second = answer["callConnectionId"]
    await application.event("CallConnected", second)
    body = {"playSources": [{"kind": "file", "file": {"uri": f"{application.base}/no.wav"}}]}
    assert (await wire.send("POST", f"/calling/callConnections/{second}:play", body))[0] == 202
    await application.event("PlayFailed", second)
    await desk.act(":terminate")
    await application.event("CallDisconnected", second)
    await application.event("CallDisconnected", desk.leg)


async def test_a_call_that_does_not_go_on_cannot_be_connected_to(application: Application, wire: Wire) -> None:
    unknown = base64.b64encode(b"https://api.flightproxy.skype.com/api/v2/cp/unknown").decode()
    status, answer = await connect(wire, application, {"kind": "serverCallLocator", "serverCallId": unknown})
    assert status == 200
    failed = await application.event("ConnectFailed", answer["callConnectionId"])
    assert failed["data"]["resultInformation"]["subCode"] == 8522
    assert failed["data"]["operationContext"] == "c"
    await application.event("CallDisconnected", answer["callConnectionId"])


@pytest.mark.parametrize(
    "locator",
    [
        {},
        {"kind": "serverCallLocator"},
        {"kind": "serverCallLocator", "groupCallId": GROUP},
        {"serverCallId": "x", "groupCallId": GROUP},
        {"serverCallId": "not base64!"},
    ],
)
async def test_a_locator_must_name_one_call(application: Application, wire: Wire, locator: dict[str, Any]) -> None:
    status, answer = await connect(wire, application, locator)
    assert status == 400
    assert answer["error"]["target"].startswith("callLocator")


@pytest.mark.parametrize(
    ("name", "field", "kind"), [("group", "groupCallId", "groupCallLocator"), ("room", "roomId", "roomCallLocator")]
)
async def test_phones_and_the_app_meet_in_a_group_call_or_room(
    application: Application, wire: Wire, emulator: Running[AsyncControl], name: str, field: str, kind: str
) -> None:
    user = "8:acs:00000000-0000-4000-8000-000000000000_00000026-0000-0000-0000-00000000000a"
    call = await emulator.control.request("POST", "/emulator/calls", {"from": user, name: GROUP})
    _, answer = await connect(wire, application, {"kind": kind, field: GROUP})
    leg = answer["callConnectionId"]
    assert answer["serverCallId"] == call["serverCallId"]
    await application.event("CallConnected", leg)
    await emulator.control.request("POST", "/emulator/calls", {"from": CALLER, name: GROUP})
    updated = await application.event("ParticipantsUpdated", leg, 2)
    assert [one["identifier"]["rawId"] for one in updated["data"]["participants"]] == [user, f"4:{CALLER}"]
    started = await application.grid_event("CallStarted")
    assert started["data"]["isRoomsCall"] is (name == "room")
    for phone in (user, CALLER):
        await emulator.control.request("POST", f"/emulator/calls/{call['id']}/hangup", {"phone": phone})
    assert (await wire.send("GET", f"/calling/callConnections/{leg}"))[0] == 200
    assert (await wire.send("DELETE", f"/calling/callConnections/{leg}"))[0] == 204
    await application.event("CallDisconnected", leg)
    assert (await emulator.control.state())["calls"] == []


async def test_the_locale_cannot_be_changed_on_a_call_that_was_connected_to(
    application: Application, wire: Wire, answered: Any
) -> None:
    desk = await answered()
    _, answer = await connect(wire, application, {"serverCallId": desk.answer["serverCallId"]})
    await application.event("CallConnected", answer["callConnectionId"])
    path = f"/calling/callConnections/{answer['callConnectionId']}:updateTranscription"
    status, refused, _ = await wire.send("POST", path, {"locale": "de-DE"})
    assert (status, refused["error"]["code"]) == (405, "8520")


async def test_a_phone_is_moved_from_one_call_to_another_with_its_script(
    application: Application, wire: Wire, answered: Any, emulator: Running[AsyncControl]
) -> None:
    desk = await answered()
    lobby = await answered([{"when": "tones", "press": "7"}], caller="+14255550177")
    moved = {"phoneNumber": {"value": "+14255550177"}}
    body = {"targetParticipants": [moved], "fromCall": lobby.leg, "operationContext": "m"}
    status, answer, _ = await desk.act("/participants:moveHere", body)
    assert status == 202
    assert list(answer) == ["participants", "operationContext", "fromCall"]
    succeeded = await application.event("MoveParticipantSucceeded", desk.leg)
    assert succeeded["data"]["fromCall"] == lobby.leg
    assert succeeded["data"]["participant"]["rawId"] == "4:+14255550177"
    assert succeeded["data"]["operationContext"] == "m"
    updated = await application.event("ParticipantsUpdated", desk.leg, 2)
    assert len(updated["data"]["participants"]) == 3
    ended = await application.event("CallDisconnected", lobby.leg)
    assert ended["data"]["resultInformation"]["subCode"] == 5002
    await desk.act(":startContinuousDtmfRecognition", {"targetParticipant": moved})
    await desk.act(":sendDtmfTones", {"targetParticipant": moved, "tones": ["one"]})
    received = await application.event("ContinuousDtmfRecognitionToneReceived", desk.leg)
    assert received["data"]["tone"] == "seven"


async def test_who_has_left_meanwhile_cannot_be_moved(
    application: Application, wire: Wire, answered: Any, emulator: Running[AsyncControl]
) -> None:
    desk = await answered()
    lobby = await answered(caller="+14255550177")
    emulator.service.clock.speed = 0.1  # long enough between the request and the move
    moved = {"phoneNumber": {"value": "+14255550177"}}
    await desk.act("/participants:moveHere", {"targetParticipants": [moved], "fromCall": lobby.leg})
    await emulator.control.hang_up(lobby.call)
    failed = await application.event("MoveParticipantFailed", desk.leg)
    assert failed["data"]["fromCall"] == lobby.leg


async def test_a_move_that_cannot_be_is_refused_by_field(application: Application, wire: Wire, answered: Any) -> None:
    desk = await answered()
    lobby = await answered(caller="+14255550177")
    moved = {"phoneNumber": {"value": "+14255550177"}}
    for body, status, target in (
        ({"targetParticipants": [], "fromCall": lobby.leg}, 400, "targetParticipants"),
        ({"targetParticipants": [moved], "fromCall": "unknown"}, 404, "fromCall"),
        ({"targetParticipants": [moved], "fromCall": desk.leg}, 400, "fromCall"),
        ({"targetParticipants": [WHO], "fromCall": lobby.leg}, 400, "targetParticipants[0]"),
    ):
        refused = await desk.act("/participants:moveHere", body)
        assert (refused[0], refused[1]["error"]["target"]) == (status, target)
