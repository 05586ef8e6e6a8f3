"""Adding, cancelling, removing, muting, holding, transferring."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.testing import AsyncControl, Running
from tests.unit.emulator.support import CALLER, OWNED, Application

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


async def test_what_is_not_emulated_says_so(answered: Any) -> None:
    desk = await answered()
    status, answer, _ = await desk.act(":startMediaStreaming", {})
    assert (status, answer["error"]["code"]) == (501, "NotImplemented")
