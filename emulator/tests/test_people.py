"""People and machines at the other end: mailboxes, rings, impatience, withheld numbers, contact centres, holds."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import phonenumbers
import pytest

from acs_emulator.audio import beep
from acs_emulator.phones.behaviours import MAILBOX_GREETING, WELL_KNOWN
from acs_emulator.testing import AsyncControl, ControlError, Running
from emulator.tests.support import CALLER, OWNED, Application, Wire

NUMBER = "+14255550142"
LEGACY = "+1555010"
SPEECH = {"kind": "text", "text": {"text": "A long text that takes its time. " * 30, "voiceName": "en-US-JennyNeural"}}


def phone(number: str) -> dict[str, Any]:
    return {"phoneNumber": {"value": number}}


async def dial(wire: Wire, application: Application, *numbers: str, own: str = OWNED) -> tuple[int, Any]:
    body = {
        "targets": [phone(number) for number in numbers],
        "sourceCallerIdNumber": {"value": own},
        "callbackUri": f"{application.base}/api/calls",
        "callIntelligenceOptions": {"cognitiveServicesEndpoint": "https://speech.example.com"},
    }
    status, answer, _ = await wire.send("POST", "/calling/callConnections", body)
    return status, answer


async def said(control: AsyncControl, what: str, count: int = 1) -> list[dict[str, Any]]:
    """The first entries of the timeline that say so, once there are so many."""
    async with asyncio.timeout(15):
        while len(found := [one for one in await control.timeline() if one["what"] == what]) < count:
            await asyncio.sleep(0.02)
    return found


@pytest.mark.parametrize("number", sorted(WELL_KNOWN))
def test_well_known_numbers_are_valid_for_libphonenumber(number: str) -> None:
    valid = phonenumbers.is_valid_number(phonenumbers.parse(number))
    assert valid is not number.startswith(LEGACY), "those of version 0.1 are not, and stay for its users"


def test_what_a_well_known_number_does_is_as_the_documentation_has_it() -> None:
    kinds = {number[-3:]: one.kind for number, one in WELL_KNOWN.items() if not number.startswith(LEGACY)}
    assert kinds == {
        "101": "answer", "102": "decline", "103": "busy", "104": "noAnswer", "105": "unreachable", "106": "answer",
        "107": "hangUp", "108": "answer", "109": "answer", "110": "mailbox", "111": "answer", "112": "talkOver",
        "113": "contactCentre",
    }  # fmt: skip
    assert WELL_KNOWN["+12065550106"].after == 20.0
    assert WELL_KNOWN["+12065550111"].after == 18.0
    assert WELL_KNOWN["+15550100002"] is WELL_KNOWN["+12065550102"]
    impatient = WELL_KNOWN["+12065550112"].script
    assert {(step.when, step.after) for step in impatient} == {("prompted", 0.5)}
    assert (len(impatient), len({step.say for step in impatient})) == (30, 3)
    greets, beeps = WELL_KNOWN["+12065550110"].script
    assert (greets.say, beeps.after, beeps.beep) == (MAILBOX_GREETING, 0.3, True)


async def test_a_mailbox_greets_beeps_and_then_only_listens(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    _, call = await dial(wire, application, "+12065550110")
    await application.event("CallConnected", call["callConnectionId"])
    [beeped] = await said(emulator.control, "beeps")
    [greeting] = await said(emulator.control, "says")
    assert "mailbox" in greeting["text"]
    assert greeting["at"] < beeped["at"]
    [state] = (await emulator.control.state())["calls"]
    await said(emulator.control, "beeps")
    [line] = state["phones"]
    assert line["connected"] is True
    ask = {
        "recognizeInputType": "dtmf",
        "recognizeOptions": {"targetParticipant": phone("+12065550110"), "dtmfOptions": {"maxTonesToCollect": 1}},
    }
    await wire.send("POST", f"/calling/callConnections/{call['callConnectionId']}:recognize", ask)
    failed = await application.event("RecognizeFailed", call["callConnectionId"])
    assert failed["data"]["resultInformation"]["subCode"] == 8510


def test_the_beep_is_half_a_second_of_one_kilohertz() -> None:
    samples = np.frombuffer(beep().samples, "<i2").astype(float)
    assert len(samples) == 8000
    assert np.argmax(np.abs(np.fft.rfft(samples))) * 16000 / len(samples) == 1000
    assert 6000 < np.max(np.abs(samples)) < 7000


async def test_a_phone_with_a_greeting_of_its_own_and_a_script_does_one_after_the_other(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    behaviour = {"behaviour": "mailbox", "greeting": "Ada is out.", "script": [{"after": 1, "hangUp": True}]}
    await emulator.control.register_phone(NUMBER, **behaviour)
    _, call = await dial(wire, application, NUMBER)
    ended = await application.event("CallDisconnected", call["callConnectionId"])
    assert ended["data"]["resultInformation"]["subCode"] == 5002
    timeline = [(one["what"], one["text"]) for one in await emulator.control.timeline() if one["who"] == "phone"]
    assert timeline == [("answers", NUMBER), ("says", "Ada is out."), ("beeps", ""), ("hangs up", "")]


@pytest.mark.parametrize(("rings", "answered"), [(1, True), (4, True), (5, False)])
async def test_somebody_answers_after_so_many_rings_of_six_seconds(
    wire: Wire, application: Application, emulator: Running[AsyncControl], rings: int, answered: bool
) -> None:
    await emulator.control.register_phone(NUMBER, afterRings=rings)
    _, call = await dial(wire, application, NUMBER)
    name = "CallConnected" if answered else "CreateCallFailed"
    await application.event(name, call["callConnectionId"])
    if answered:
        [entry] = await said(emulator.control, "answers")
        assert rings * 6 <= entry["at"] < rings * 6 + 4


async def test_somebody_talks_over_the_prompts(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    _, call = await dial(wire, application, "+12065550112")
    leg = call["callConnectionId"]
    await application.event("CallConnected", leg)
    for count in (1, 2):
        await wire.send("POST", f"/calling/callConnections/{leg}:play", {"playSources": [SPEECH]})
        await application.event("PlayCompleted", leg, count)
    spoken = await said(emulator.control, "says", 2)
    played = await said(emulator.control, "plays", 2)
    for said_at, begun in zip((one["at"] for one in spoken), (one["at"] for one in played), strict=True):
        assert begun < said_at < begun + 40, "while the prompt goes on"


async def test_somebody_hangs_up_at_once(wire: Wire, application: Application) -> None:
    _, call = await dial(wire, application, "+12065550107")
    ended = await application.event("CallDisconnected", call["callConnectionId"])
    assert ended["data"]["resultInformation"]["subCode"] == 5002


async def test_a_contact_centre_shows_the_sip_headers_that_it_got_and_no_other_phone_does(
    application: Application, answered: Any, emulator: Running[AsyncControl]
) -> None:
    desk = await answered()
    headers = {"User-To-User": "56a390f3;encoding=hex", "X-MS-Custom-Order": "4711"}
    for number in ("+12065550113", "+12065550101"):
        body = {
            "participantToAdd": phone(number),
            "sourceCallerIdNumber": {"value": OWNED},
            "customCallingContext": {"sipHeaders": headers, "voipHeaders": {"not": "for a telephone"}},
        }
        assert (await desk.act("/participants:add", body))[0] == 202
    await application.event("AddParticipantSucceeded", desk.leg, 2)
    [call] = (await emulator.control.state())["calls"]
    shown = {one["id"]: one["sipHeaders"] for one in call["phones"]}
    assert shown == {"4:+12065550113": headers, "4:+12065550101": {}, f"4:{CALLER}": {}}
    [told] = await said(emulator.control, "gets SIP headers")
    assert told["text"] == "User-To-User: 56a390f3;encoding=hex; X-MS-Custom-Order: 4711"


async def test_a_transfer_to_a_contact_centre_carries_its_headers(
    application: Application, answered: Any, emulator: Running[AsyncControl]
) -> None:
    desk = await answered()
    body = {"targetParticipant": phone("+12065550113"), "customCallingContext": {"sipHeaders": {"X-MS-Custom-A": "1"}}}
    assert (await desk.act(":transferToParticipant", body))[0] == 202
    await application.event("CallTransferAccepted", desk.leg)
    [told] = await said(emulator.control, "gets SIP headers")
    assert told["text"] == "X-MS-Custom-A: 1"


async def test_somebody_without_a_number_can_call_and_be_played_to(
    application: Application, answered: Any, emulator: Running[AsyncControl]
) -> None:
    desk = await answered([{"when": "asked", "press": "1"}], caller="anonymous")
    who = {"phoneNumber": {"value": "anonymous"}}
    shown = {
        "kind": "phoneNumber",
        "rawId": "4:anonymous",
        "phoneNumber": {"value": "anonymous", "isAnonymous": True},
    }
    [incoming] = application.grid_named("IncomingCall")
    assert incoming["data"]["from"] == shown
    assert incoming["subject"] == f"/caller/4:anonymous/recipient/4:{OWNED}"
    assert desk.answer["source"] == shown
    ask = {
        "recognizeInputType": "dtmf",
        "recognizeOptions": {"targetParticipant": who, "dtmfOptions": {"maxTonesToCollect": 1}},
    }
    assert (await desk.act(":recognize", ask))[0] == 202
    completed = await application.event("RecognizeCompleted", desk.leg)
    assert completed["data"]["dtmfResult"] == {"tones": ["one"]}
    assert (await desk.act("/participants:remove", {"participantToRemove": {"rawId": "4:anonymous"}}))[0] == 202


async def test_nobody_can_be_called_under_a_withheld_number(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    status, answer = await dial(wire, application, "anonymous")
    assert (status, answer["error"]["target"]) == (400, "targets[0]")
    status, answer = await dial(wire, application, CALLER, own="anonymous")
    assert (status, answer["error"]["target"]) == (400, "sourceCallerIdNumber")
    for wrong in (
        emulator.control.place_call(CALLER, "anonymous"),
        emulator.control.register_phone("anonymous"),
    ):
        with pytest.raises(ControlError) as refused:
            await wrong
        assert refused.value.status == 400


@pytest.mark.parametrize(
    ("behaviour", "field"),
    [
        ({"behaviour": "sleepy"}, "behaviour"),
        ({"afterRings": 1.5}, "afterRings"),
        ({"afterRings": True}, "afterRings"),
        ({"afterRings": 21}, "afterRings"),
        ({"afterRings": 2, "afterSeconds": 1}, "afterRings"),
        ({"greeting": "Hello"}, "greeting"),
        ({"behaviour": "mailbox", "greeting": 5}, "greeting"),
        ({"script": [{"beep": 1}]}, "script[0].beep"),
    ],
)
async def test_a_behaviour_that_cannot_be_is_refused_by_field(
    emulator: Running[AsyncControl], behaviour: dict[str, Any], field: str
) -> None:
    with pytest.raises(ControlError) as refused:
        await emulator.control.register_phone(NUMBER, **behaviour)
    assert (refused.value.status, refused.value.body["error"]["target"]) == (400, field)


async def holds(wire: Wire, leg: str) -> dict[str, bool]:
    _, answer, _ = await wire.send("GET", f"/calling/callConnections/{leg}/participants")
    return {one["identifier"]["rawId"]: one["isOnHold"] for one in answer["value"]}


async def test_a_hold_that_the_app_asked_for_outlives_a_play_to_somebody_else(
    application: Application, answered: Any, wire: Wire
) -> None:
    desk = await answered()
    other = "+12065550101"
    add = {"participantToAdd": phone(other), "sourceCallerIdNumber": {"value": OWNED}}
    await desk.act("/participants:add", add)
    await application.event("AddParticipantSucceeded", desk.leg)
    play = {"playSources": [SPEECH], "playTo": [phone(CALLER)]}
    assert (await desk.act(":play", play))[0] == 202
    await application.event("PlayStarted", desk.leg)
    assert (await desk.act(":hold", {"targetParticipant": phone(other)}))[0] == 200
    await application.event("PlayCompleted", desk.leg)
    assert (await holds(wire, desk.leg))[f"4:{other}"] is True
    # And the other way round: what ends the app's hold does not end that of a play.
    assert (await desk.act(":play", play))[0] == 202
    await application.event("PlayStarted", desk.leg, 2)
    assert (await desk.act(":unhold", {"targetParticipant": phone(other)}))[0] == 200
    assert (await holds(wire, desk.leg))[f"4:{other}"] is True
    await application.event("PlayCompleted", desk.leg, 2)
    await asyncio.sleep(0.05)
    assert (await holds(wire, desk.leg))[f"4:{other}"] is False
