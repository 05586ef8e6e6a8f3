"""Adding, cancelling, removing, muting, holding, transferring."""

from __future__ import annotations

from typing import Any

import pytest

from acs_emulator.testing import AsyncControl, Running
from emulator.tests.support import CALLER, OWNED, Application

WHO = {"phoneNumber": {"value": CALLER}}
OWN = {"value": OWNED}


def number(text: str) -> dict[str, Any]:
    return {"phoneNumber": {"value": text}}


async def test_an_added_number_joins_and_a_declining_one_does_not(application: Application, answered: Any) -> None:
    desk = await answered()
    body = {"participantToAdd": number("+15550100001"), "sourceCallerIdNumber": OWN, "operationContext": "add"}
    status, answer, headers = await desk.act("/participants:add", body)
    assert status == 202
    assert list(answer) == ["participant", "operationContext", "invitationId"]
    assert headers["Repeatability-Result"] == "accepted"
    succeeded = await application.event("AddParticipantSucceeded", desk.leg)
    assert succeeded["data"]["participant"]["rawId"] == "4:+15550100001"
    updated = await application.event("ParticipantsUpdated", desk.leg, 2)
    assert len(updated["data"]["participants"]) == 3
    await desk.act("/participants:add", {**body, "participantToAdd": number("+15550100002")})
    failed = await application.event("AddParticipantFailed", desk.leg)
    assert failed["data"]["resultInformation"]["subCode"] == 8538


async def test_an_invitation_can_be_cancelled_once(application: Application, answered: Any) -> None:
    desk = await answered()
    body = {"participantToAdd": number("+15550100004"), "sourceCallerIdNumber": OWN}
    _, answer, _ = await desk.act("/participants:add", body)
    cancel = {"invitationId": answer["invitationId"]}
    assert (await desk.act("/participants:cancelAddParticipant", cancel))[:2] == (202, cancel)
    event = await application.event("CancelAddParticipantSucceeded", desk.leg)
    assert event["data"]["resultInformation"]["subCode"] == 5300
    await desk.act("/participants:cancelAddParticipant", cancel)
    await application.event("CancelAddParticipantFailed", desk.leg)
    assert application.named("AddParticipantFailed") == []


async def test_removing_the_only_other_participant_ends_the_call(application: Application, answered: Any) -> None:
    desk = await answered()
    assert (await desk.act("/participants:remove", {"participantToRemove": WHO}))[0] == 202
    ended = await application.event("CallDisconnected", desk.leg)
    assert ended["data"]["resultInformation"]["subCode"] == 5002
    assert application.events[-2]["type"].endswith("RemoveParticipantSucceeded")


async def test_hold_shows_in_the_participants_with_and_without_audio(application: Application, answered: Any) -> None:
    desk = await answered()
    audio = {"kind": "text", "text": {"text": "Hold on", "voiceName": "en-US-JennyNeural"}}
    assert (await desk.act(":hold", {"targetParticipant": WHO, "playSourceInfo": audio}))[0] == 200
    await application.event("HoldAudioStarted", desk.leg)
    assert (await desk.act(":unhold", {"targetParticipant": WHO}))[0] == 200
    await application.event("ParticipantsUpdated", desk.leg, 3)
    names = [event["type"].rpartition(".")[2] for event in application.events[2:]]
    assert names == ["ParticipantsUpdated", "HoldAudioStarted", "HoldAudioCompleted", "ParticipantsUpdated"]


@pytest.mark.parametrize(("target", "event"), [("+15550100001", "Accepted"), ("+15550100003", "Failed")])
async def test_a_transfer_takes_the_app_out_only_when_it_is_accepted(
    application: Application, answered: Any, emulator: Running[AsyncControl], target: str, event: str
) -> None:
    desk = await answered()
    status, answer, _ = await desk.act(":transferToParticipant", {"targetParticipant": number(target)})
    assert (status, answer) == (202, {})
    await application.event(f"CallTransfer{event}", desk.leg)
    if event == "Accepted":
        await application.event("CallDisconnected", desk.leg)
        [call] = (await emulator.control.state())["calls"]
        assert {p["identifier"]["rawId"] for p in call["participants"]} == {f"4:{CALLER}", f"4:{target}"}
    else:
        assert (await desk.wire.send("GET", f"/calling/callConnections/{desk.leg}"))[1]["callConnectionState"] == (
            "connected"
        )


async def test_tones_are_sent_to_numbers_at_most_eighteen(application: Application, answered: Any) -> None:
    desk = await answered()
    body = {"targetParticipant": WHO, "tones": ["one"] * 18, "operationContext": "t"}
    assert (await desk.act(":sendDtmfTones", body))[:2] == (202, {"operationContext": "t"})
    await application.event("SendDtmfTonesCompleted", desk.leg)
    status, answer, _ = await desk.act(":sendDtmfTones", {**body, "tones": ["one"] * 19})
    assert (status, answer["error"]["target"]) == (400, "tones")


async def test_sent_tones_reach_the_phone_which_may_wait_for_them(
    application: Application, answered: Any, emulator: Running[AsyncControl]
) -> None:
    desk = await answered([{"when": "tones", "press": "9"}])
    body = {"targetParticipant": WHO, "operationContext": "keys"}
    await desk.act(":startContinuousDtmfRecognition", body)
    await desk.act(":sendDtmfTones", {"targetParticipant": WHO, "tones": ["one", "pound"]})
    received = await application.event("ContinuousDtmfRecognitionToneReceived", desk.leg)
    assert received["data"]["tone"] == "nine"
    await application.event("SendDtmfTonesCompleted", desk.leg)
    [call] = (await emulator.control.state())["calls"]
    assert call["phones"][0]["keysHeard"] == "1#"


async def test_success_may_be_reported_for_an_invitation_that_was_declined(
    application: Application, answered: Any, emulator: Running[AsyncControl]
) -> None:
    desk = await answered()
    await emulator.control.add_faults({"kind": "false success", "match": {"operation": "AddParticipant"}})
    body = {"participantToAdd": number("+15550100002"), "sourceCallerIdNumber": OWN}
    await desk.act("/participants:add", body)
    await application.event("AddParticipantSucceeded", desk.leg)
    _, listed, _ = await desk.wire.send("GET", f"/calling/callConnections/{desk.leg}/participants")
    assert len(listed["value"]) == 2
    assert application.named("AddParticipantFailed") == []


async def test_an_invitation_rings_no_longer_than_it_is_allowed_to(application: Application, answered: Any) -> None:
    desk = await answered()
    body = {
        "participantToAdd": number("+15550100006"), "sourceCallerIdNumber": OWN, "invitationTimeoutInSeconds": 5,
    }  # fmt: skip
    await desk.act("/participants:add", body)
    failed = await application.event("AddParticipantFailed", desk.leg)
    assert failed["data"]["resultInformation"]["subCode"] == 8587


async def test_adding_a_user_of_the_app_raises_an_incoming_call_of_the_same_conversation(
    application: Application, answered: Any
) -> None:
    desk = await answered()
    user = "8:acs:00000000-0000-4000-8000-000000000000_00000026-0000-0000-0000-00000000000a"
    headers = {"X-MS-Custom-queue": "gold"}
    body = {
        "participantToAdd": {"communicationUser": {"id": user}},
        "customCallingContext": {"sipHeaders": headers, "voipHeaders": {"note": "vip"}},
    }
    await desk.act("/participants:add", body)
    incoming = await application.incoming(2)
    assert incoming["to"]["rawId"] == user
    assert incoming["correlationId"] == desk.answer["correlationId"]
    assert incoming["customContext"] == {"sipHeaders": headers, "voipHeaders": {"note": "vip"}}
    answer = {
        "incomingCallContext": incoming["incomingCallContext"], "callbackUri": f"{application.base}/api/second",
    }  # fmt: skip
    _, second, _ = await desk.wire.send("POST", "/calling/callConnections:answer", answer)
    await application.event("CallConnected", second["callConnectionId"])
    await application.event("AddParticipantSucceeded", desk.leg)
    updated = await application.event("ParticipantsUpdated", second["callConnectionId"])
    assert len(updated["data"]["participants"]) == 3
    muted = {"targetParticipants": [{"communicationUser": {"id": user}}]}
    assert (await desk.act("/participants:mute", muted))[0] == 200
    updated = await application.event("ParticipantsUpdated", desk.leg, 3)
    assert {one["identifier"]["rawId"]: one["isMuted"] for one in updated["data"]["participants"]}[user] is True


async def test_after_a_group_transfer_the_app_stays_and_the_two_go_on_by_themselves(
    application: Application, answered: Any, emulator: Running[AsyncControl]
) -> None:
    desk = await answered()
    body = {"participantToAdd": number("+15550100001"), "sourceCallerIdNumber": OWN}
    await desk.act("/participants:add", body)
    await application.event("AddParticipantSucceeded", desk.leg)
    refused = await desk.act(":transferToParticipant", {"targetParticipant": number("+15550109998")})
    assert (refused[0], refused[1]["error"]["target"]) == (400, "transferee")
    transfer = {"targetParticipant": number("+15550109998"), "transferee": WHO, "operationContext": "t"}
    await desk.act(":transferToParticipant", transfer)
    accepted = await application.event("CallTransferAccepted", desk.leg)
    assert accepted["data"]["transferee"]["rawId"] == f"4:{CALLER}"
    updated = await application.event("ParticipantsUpdated", desk.leg, 3)
    assert [one["identifier"]["rawId"] for one in updated["data"]["participants"]][1:] == ["4:+15550100001"]
    assert application.named("CallDisconnected") == []
    calls = (await emulator.control.state())["calls"]
    assert [[one["identifier"]["rawId"] for one in call["participants"]] for call in calls[1:]] == [
        [f"4:{CALLER}", "4:+15550109998"]
    ]
    await emulator.control.request("POST", f"/emulator/calls/{calls[1]['id']}/hangup", {"phone": CALLER})
    assert len((await emulator.control.state())["calls"]) == 1


PROMPT = {"kind": "text", "text": {"text": "Hello", "voiceName": "en-US-JennyNeural"}}
NOBODY = {"phoneNumber": {"value": "+15550100001"}}


@pytest.mark.parametrize(
    ("operation", "action", "body", "event"),
    [
        ("Play", ":play", {"playSources": [PROMPT]}, "PlayFailed"),
        (
            "Recognize",
            ":recognize",
            {"recognizeInputType": "dtmf", "recognizeOptions": {"targetParticipant": WHO}},
            "RecognizeFailed",
        ),
        ("SendDtmfTones", ":sendDtmfTones", {"targetParticipant": WHO, "tones": ["one"]}, "SendDtmfTonesFailed"),
        ("Hold", ":hold", {"targetParticipant": WHO, "playSourceInfo": PROMPT}, "HoldFailed"),
        (
            "StartContinuousDtmfRecognition",
            ":startContinuousDtmfRecognition",
            {"targetParticipant": WHO},
            "ContinuousDtmfRecognitionToneFailed",
        ),
        (
            "AddParticipant",
            "/participants:add",
            {"participantToAdd": NOBODY, "sourceCallerIdNumber": OWN},
            "AddParticipantFailed",
        ),
        (
            "CancelAddParticipant",
            "/participants:cancelAddParticipant",
            {"invitationId": "x"},
            "CancelAddParticipantFailed",
        ),
        ("RemoveParticipant", "/participants:remove", {"participantToRemove": WHO}, "RemoveParticipantFailed"),
        ("TransferToParticipant", ":transferToParticipant", {"targetParticipant": NOBODY}, "CallTransferFailed"),
    ],
)
async def test_every_operation_can_be_accepted_and_then_fail_with_any_sub_code(
    application: Application,
    answered: Any,
    emulator: Running[AsyncControl],
    operation: str,
    action: str,
    body: dict[str, Any],
    event: str,
) -> None:
    desk = await answered()
    rule = {"kind": "fail", "status": 403, "subCode": 7504, "message": "No.", "match": {"operation": operation}}
    await emulator.control.add_faults(rule)
    assert (await desk.act(action, {**body, "operationContext": "f"}))[0] in (200, 202)
    failed = await application.event(event, desk.leg)
    assert failed["data"]["resultInformation"] == {"code": 403, "subCode": 7504, "message": "No."}
    assert failed["data"]["operationContext"] == "f"
    assert (await desk.wire.send("GET", f"/calling/callConnections/{desk.leg}"))[0] == 200


@pytest.mark.parametrize(("operation", "event"), [("CreateCall", "CreateCallFailed"), ("AnswerCall", "AnswerFailed")])
async def test_a_call_can_fail_after_it_was_accepted(
    application: Application, wire: Any, emulator: Running[AsyncControl], operation: str, event: str
) -> None:
    await emulator.control.add_faults({"kind": "fail", "match": {"operation": operation}})
    if operation == "CreateCall":
        body = {"targets": [NOBODY], "sourceCallerIdNumber": OWN, "callbackUri": f"{application.base}/api/c"}
        _, made, _ = await wire.send("POST", "/calling/callConnections", body)
    else:
        await emulator.control.place_call(CALLER, OWNED)
        context = (await application.incoming())["incomingCallContext"]
        body = {"incomingCallContext": context, "callbackUri": f"{application.base}/api/c"}
        _, made, _ = await wire.send("POST", "/calling/callConnections:answer", body)
    failed = await application.event(event)
    assert failed["data"]["resultInformation"]["subCode"] == 9999
    await application.event("CallDisconnected", made["callConnectionId"])
