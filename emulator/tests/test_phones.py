"""Virtual phones: outbound targets, callers, scripts, redirects."""

from __future__ import annotations

from typing import Any

import pytest

from acs_emulator.testing import AsyncControl, ControlError, Running
from emulator.tests.support import CALLER, OWNED, Application, Wire

USER = "8:acs:00000000-0000-4000-8000-000000000000_00000026-0000-0000-0000-000000000001"


async def dial(wire: Wire, application: Application, number: str) -> str:
    body = {
        "targets": [{"phoneNumber": {"value": number}}],
        "sourceCallerIdNumber": {"value": OWNED},
        "callbackUri": f"{application.base}/api/calls",
    }
    status, answer, _ = await wire.send("POST", "/calling/callConnections", body)
    assert status == 201
    return str(answer["callConnectionId"])


@pytest.mark.parametrize(
    ("number", "code", "sub_code"),
    [
        ("+15550100002", 603, 8538),
        ("+15550100003", 486, 8539),
        ("+15550100004", 408, 8587),
        ("+15550100005", 480, 8544),
    ],
)
async def test_a_well_known_number_that_does_not_answer_fails_the_call(
    wire: Wire, application: Application, number: str, code: int, sub_code: int
) -> None:
    leg = await dial(wire, application, number)
    await application.event("CallDisconnected", leg)
    names = [event["type"].rpartition(".")[2] for event in application.events]
    assert names == ["CreateCallFailed", "CallDisconnected"]
    result = application.events[0]["data"]["resultInformation"]
    assert (result["code"], result["subCode"]) == (code, sub_code)


async def test_a_number_that_hangs_up_ends_the_call_and_nothing_follows(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    leg = await dial(wire, application, "+15550100007")
    ended = await application.event("CallDisconnected", leg)
    assert ended["data"]["resultInformation"]["subCode"] == 5002
    assert application.events[-1] is ended
    assert (await emulator.control.state())["calls"] == []
    assert (await wire.send("GET", f"/calling/callConnections/{leg}"))[0] == 404


async def test_a_registered_user_answers_by_script_and_rings_no_app(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    await emulator.control.register_phone(USER, behaviour="answer", afterSeconds=0.5)
    body = {"targets": [{"communicationUser": {"id": USER}}], "callbackUri": f"{application.base}/api/calls"}
    _, answer, _ = await wire.send("POST", "/calling/callConnections", body)
    await application.event("CallConnected", answer["callConnectionId"])
    assert application.grid_named("IncomingCall") == []


async def test_nobody_answering_within_the_ring_time_ends_the_call(
    application: Application, emulator: Running[AsyncControl], wire: Wire
) -> None:
    await emulator.control.place_call(CALLER, OWNED)
    incoming = await application.incoming()
    while (await emulator.control.state())["calls"]:
        await emulator.control.timeline(after=3, wait=2)
    body = {"incomingCallContext": incoming["incomingCallContext"], "callbackUri": f"{application.base}/api"}
    assert (await wire.send("POST", "/calling/callConnections:answer", body))[0] == 404


async def test_an_answered_phone_call_shows_its_two_sides(application: Application, answered: Any) -> None:
    desk = await answered()
    assert desk.answer["source"] == {"rawId": f"4:{CALLER}", "kind": "phoneNumber", "phoneNumber": {"value": CALLER}}
    assert desk.answer["sourceDisplayName"] == CALLER
    updated = await application.event("ParticipantsUpdated", desk.leg)
    assert [p["identifier"]["kind"] for p in updated["data"]["participants"]] == ["communicationUser", "phoneNumber"]


async def test_a_redirect_rings_the_next_app_with_the_same_correlation_id(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    await emulator.control.place_call(CALLER, OWNED)
    first = await application.incoming()
    body = {"incomingCallContext": first["incomingCallContext"], "target": {"communicationUser": {"id": USER}}}
    assert (await wire.send("POST", "/calling/callConnections:redirect", body))[0] == 204
    second = await application.incoming(2)
    assert second["to"]["rawId"] == USER
    assert second["correlationId"] == first["correlationId"]
    assert second["incomingCallContext"] != first["incomingCallContext"]
    assert (await wire.send("POST", "/calling/callConnections:redirect", body))[0] == 404


async def test_a_redirect_to_a_phone_leaves_the_app_out(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    call = await emulator.control.place_call(CALLER, OWNED)
    first = await application.incoming()
    target = {"phoneNumber": {"value": "+15550100001"}}
    body = {"incomingCallContext": first["incomingCallContext"], "target": target}
    assert (await wire.send("POST", "/calling/callConnections:redirect", body))[0] == 204
    while (await emulator.control.state())["calls"][0]["state"] != "connected":
        await emulator.control.timeline(after=4, wait=1)
    await emulator.control.hang_up(call["id"])
    assert (await emulator.control.state())["calls"] == []
    assert application.events == []


async def test_a_voip_call_cannot_be_redirected_to_a_number(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    await emulator.control.place_call(USER, OWNED)
    first = await application.incoming()
    target = {"phoneNumber": {"value": "+15550100001"}}
    body = {"incomingCallContext": first["incomingCallContext"], "target": target}
    status, answer, _ = await wire.send("POST", "/calling/callConnections:redirect", body)
    assert (status, answer["error"]["code"]) == (405, "8520")


async def test_keys_reach_continuous_recognition_in_order(
    application: Application, answered: Any, emulator: Running[AsyncControl]
) -> None:
    desk = await answered()
    body = {"targetParticipant": {"phoneNumber": {"value": CALLER}}, "operationContext": "tones"}
    assert (await desk.act(":startContinuousDtmfRecognition", body))[0] == 200
    await emulator.control.press(desk.call, "5#")
    await application.event("ContinuousDtmfRecognitionToneReceived", desk.leg, 2)
    tones = [event["data"] for event in application.named("ContinuousDtmfRecognitionToneReceived")]
    assert [(tone["sequenceId"], tone["tone"]) for tone in tones] == [(1, "five"), (2, "pound")]
    assert (await desk.act(":stopContinuousDtmfRecognition", body))[0] == 200
    await application.event("ContinuousDtmfRecognitionStopped", desk.leg)


async def test_the_timeline_tells_the_story(application: Application, answered: Any) -> None:
    desk = await answered([{"when": "connected", "after": 0.5, "hangUp": True}])
    await application.event("CallDisconnected", desk.leg)
    entries = await desk.wire.emulator.control.timeline()
    told = [(entry["who"], entry["what"]) for entry in entries]
    assert told == [
        ("phone", "calls"),
        ("service", "rings"),
        ("app", "answers"),
        ("phone", "hangs up"),
        ("service", "ends"),
    ]
    assert [entry["n"] for entry in entries] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("script", "field"),
    [
        ([{"press": "12x"}], "script[0].press"),
        ([{"wait": 1}, {"when": "bored", "press": "1"}], "script[1].when"),
        ([{"dance": True}], "script[0].dance"),
        ([{"after": -1}], "script[0].after"),
        ([{"press": "1", "say": "one"}], "script[0]"),
        (["hang up"], "script[0]"),
    ],
)
async def test_a_script_that_cannot_run_is_refused_by_step(
    emulator: Running[AsyncControl], script: list[Any], field: str
) -> None:
    with pytest.raises(ControlError) as refusal:
        await emulator.control.place_call(CALLER, OWNED, script)
    assert refusal.value.status == 400
    assert refusal.value.body["error"]["target"] == field


async def test_a_caller_who_gives_up_before_the_call_is_connected_fails_the_answer(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    call = await emulator.control.place_call(CALLER, OWNED)
    incoming = await application.incoming()
    emulator.service.clock.speed = 0.1  # long enough between the answer and the connection
    body = {"incomingCallContext": incoming["incomingCallContext"], "callbackUri": f"{application.base}/api/c"}
    _, answer, _ = await wire.send("POST", "/calling/callConnections:answer", body)
    await emulator.control.hang_up(call["id"])
    await application.event("CallDisconnected", answer["callConnectionId"])
    assert [event["type"].rpartition(".")[2] for event in application.events] == ["AnswerFailed", "CallDisconnected"]
