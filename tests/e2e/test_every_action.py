"""Every action and every event of Call Automation through the whole stack: as a flow, and over HTTP.

What a test claims with `covers` is held against the requests that the emulator took and the events in the journals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests

from shared.calls.actions import families
from tests.e2e.deployed_form import form as form
from tests.e2e.line import until
from tests.e2e.trials import ANSWERS, BUSY, LATE, OWN, SILENT, Covered, Desk, a_number, a_user, desk_with, spoken
from tests.e2e.trials import covered as covered

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.node, pytest.mark.xdist_group("e2e-every-action")]
covers = pytest.mark.covers
operated = pytest.mark.covers.with_args(over="http")

FLOWS = '''
"""One flow for each capability."""

from shared.calls import (
    ActionCanceled, ActionFailed, ActionRefused, Call, CallLocator, Choice, MediaStreaming, NoInput, Transcription,
    file, flow, ssml, text,
)

OWN, ANSWERS, DECLINES, LATE = "+18005550100", "+15550100001", "+15550100002", "+15550100006"
SPEAK = "<speak version='1.0' xmlns='http://www.w3.org/2001/10/synthesis' xml:lang='en-US'>Hi.</speak>"
LIVE = {"media_streaming": MediaStreaming(channel="mixed"), "transcription": Transcription(locale="en-US")}


async def failed(operation) -> str:
    try:
        await operation
    except (ActionFailed, ActionCanceled) as error:
        return type(error).__name__
    return "nothing"


@flow("answers", opens=True)
async def answers(call: Call) -> None:
    await call.answer()
    found = await call.get_call()
    await call.play(text(found["callConnectionState"]))
    await call.hang_up()


@flow("terminates")
async def terminates(call: Call) -> None:
    await call.terminate()


@flow("rejects", opens=True)
async def rejects(call: Call) -> None:
    await call.reject("forbidden")


@flow("redirects", opens=True)
async def redirects(call: Call) -> None:
    await call.redirect(ANSWERS)


@flow("places", opens=True)
async def places(call: Call) -> None:
    await call.create_call(*call.input, caller_id=OWN, display_name="Contoso")
    await call.play(text("Hello both."))


@flow("joins", opens=True)
async def joins(call: Call) -> None:
    await call.connect(CallLocator(kind="server_call", id=call.input))
    await call.play(text("Hello."))


@flow("plays")
async def plays(call: Call) -> None:
    await call.play(file("{sound}"), text("Hi.", voice_name="en-GB-SoniaNeural"), ssml(SPEAK))
    await call.play(text("Only you.", locale="en-US", voice_kind="male"), to=call.other_side)
    first = await failed(call.play(file("{nothing}")))
    music, queued = call.play(file("{sound}"), loop=True), call.play(text("Queued."))
    await call.cancel_all_media()
    ends = [await failed(music), await failed(queued)]
    looped = call.play(file("{sound}"), loop=True)
    await call.play(text(" ".join([first, *ends])), interrupt=True)


@flow("listens")
async def listens(call: Call) -> None:
    keys = await call.recognize(text("Keys?"), max_tones=3, stop_tones=["pound"], inter_tone=2)
    partial = await call.recognize(text("Slowly."), max_tones=4, inter_tone=1)
    choice = await call.recognize(choices=[Choice("sales", tone="one"), Choice("help", tone="two")])
    words = await call.recognize(text("Speak."), speech=True, end_silence=0.2)
    either = await call.recognize(text("Either."), speech=True, max_tones=1)
    try:
        await call.recognize(text("Silence?"), max_tones=1, initial_silence=1)
    except NoInput:
        told = [keys.digits, partial.digits, partial.sub_code, choice.choice, words.speech, either.by]
        await call.play(text(" ".join(map(str, told))))
    waits = call.recognize(max_tones=1, initial_silence=60)
    await call.cancel_all_media()
    await call.play(text(await failed(waits)))


@flow("tones")
async def tones(call: Call) -> None:
    await call.start_continuous_dtmf()
    ends = [await failed(call.next_tone())]
    await call.start_continuous_dtmf()
    await call.play(text("Keys?"))
    keys = [await call.next_tone() for _ in range(3)]
    await call.stop_continuous_dtmf()
    ends.append(await failed(call.send_dtmf("1")))
    await call.send_dtmf("12#")
    await call.play(text(" ".join(keys + ends)))


@flow("holds")
async def holds(call: Call) -> None:
    await call.hold(audio=file("{sound}"))
    await call.unhold()
    await call.hold(audio=file("{nothing}"))
    await call.signal("seen")
    await call.unhold()


@flow("streams", opens=True)
async def streams(call: Call) -> None:
    await call.answer(**LIVE)
    ends = [await failed(call.start_media_streaming()), await failed(call.start_transcription())]
    await call.start_media_streaming()
    await call.stop_media_streaming()
    await call.start_transcription(locale="en-US")
    await call.update_transcription(locale="en-GB")
    await call.stop_transcription()
    await call.play(text(" ".join(ends)))


@flow("invites")
async def invites(call: Call) -> None:
    await call.add_participant(ANSWERS, caller_id=OWN, display_name="Contoso", invitation_timeout=20)
    ends = [await failed(call.add_participant(DECLINES, caller_id=OWN))]
    late = call.add_participant(LATE, caller_id=OWN)
    ends.append(await failed(call.cancel_add_participant(late)))
    await call.cancel_add_participant(late)
    ends.append(await failed(late))
    there = await call.list_participants()
    one = await call.get_participant(ANSWERS)
    ends.append(await failed(call.remove_participant(ANSWERS)))
    await call.remove_participant(ANSWERS)
    await call.play(text(" ".join([*ends, str(len(there)), str(one["isMuted"])])), to=call.other_side)


@flow("mutes")
async def mutes(call: Call) -> None:
    await call.mute(call.other_side)
    await call.signal("seen")
    await call.play(text(" ".join(str(one.is_muted) for one in call.participants)))


@flow("gathers")
async def gathers(call: Call) -> None:
    order = await call.signal("bring")
    ends = [await failed(call.move_participants([order["who"]], from_call=order["from"]))]
    await call.move_participants([order["who"]], from_call=order["from"])
    await call.play(text(" ".join(ends)), to=order["who"])


@flow("transfers")
async def transfers(call: Call) -> None:
    end = await failed(call.transfer(DECLINES))
    await call.play(text(end))
    await call.transfer(ANSWERS)


@flow("records")
async def records(call: Call) -> None:
    await call.start_recording(channel="unmixed", affinity={call.other_side: 0})
    await call.play(text("Recording."), to=call.other_side)
    await call.pause_recording()
    paused = await call.get_recording_state()
    await call.resume_recording()
    await call.play(text(paused["recordingState"]), to=call.other_side)
    await call.stop_recording()


@flow("house", opens=True)
async def house(call: Call) -> None:
    await call.answer(**LIVE)
    await call.ended()


@flow("guest")
async def guest(call: Call) -> None:
    await call.ended()


@flow("listener")
async def listener(call: Call) -> None:
    word = await call.signal("word")
    await call.play(text(word))
'''


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, form: Mapping[str, Any]) -> Iterator[Desk]:
    with desk_with(tmp_path_factory.mktemp("app"), FLOWS, **form) as one:
        yield one


# As flows


@covers("AnswerCall", "CallConnection_GetCall", "CallConnection_HangupCall")
@covers("IncomingCall", "CallConnected", "ParticipantsUpdated", "CallDisconnected")
def test_a_flow_answers_asks_about_the_call_and_hangs_up(desk: Desk, covered: Covered) -> None:
    call = desk.end(call_id := desk.ring("answers"))
    assert (call["outcome"], spoken(call)) == ("completed", ["connected"])
    covered.by(call_id)


@covers("AnswerFailed")
def test_an_answer_that_fails_ends_the_call(desk: Desk, covered: Covered) -> None:
    desk.fault("AnswerCall", status=500, subCode=8500)
    call = desk.end(call_id := desk.ring("terminates"))
    assert (call["status"], call["code"], call["connected_at"]) == ("ended", 500, 0)
    covered.by(call_id)


@covers("CallConnection_TerminateCall")
def test_a_flow_ends_the_call_for_everybody(desk: Desk, covered: Covered) -> None:
    call = desk.end(call_id := desk.ring("terminates"))
    assert call["outcome"] == "completed"
    covered.by(call_id)


@covers("RejectCall")
def test_a_flow_rejects_a_call(desk: Desk, covered: Covered) -> None:
    call = desk.end(call_id := desk.ring("rejects"))
    assert call["outcome"] == "rejected"
    assert desk.control.requests(operation="RejectCall")[-1]["body"]["callRejectReason"] == "forbidden"
    covered.by(call_id)


@covers("RedirectCall")
def test_a_flow_redirects_a_call(desk: Desk, covered: Covered) -> None:
    script = [{"after": 1, "hangUp": True}]
    call = desk.end(call_id := desk.ring("redirects", script))
    assert call["outcome"] == "redirected"
    covered.by(call_id)


@covers("CreateCall")
def test_a_flow_places_a_group_call(desk: Desk, covered: Covered) -> None:
    people = [a_number(), a_number()]
    call = desk.end(call_id := desk.place("places", input=people))
    assert (call["outcome"], spoken(call)) == ("completed", ["Hello both."])
    request = desk.control.requests(operation="CreateCall")[-1]["body"]
    assert [target["phoneNumber"]["value"] for target in request["targets"]] == people
    covered.by(call_id)


@covers("Connect")
def test_a_flow_joins_a_call_that_goes_on(desk: Desk, covered: Covered) -> None:
    host = desk.ring("guest")
    desk.connected(host)
    call = desk.end(call_id := desk.place("joins", input=desk.view(host)["server_call_id"]))
    assert (call["outcome"], spoken(call)) == ("completed", ["Hello."])
    assert desk.view(host)["status"] == "connected"
    covered.by(call_id)
    desk.act(host, "hang_up")
    assert desk.end(host)["outcome"] == "hung_up"


@covers("ConnectFailed")
def test_a_flow_cannot_join_a_call_that_is_none(desk: Desk, covered: Covered) -> None:
    nowhere = "aHR0cHM6Ly9ub3doZXJlLmV4YW1wbGUvY29udi9ub25l"
    call = desk.end(call_id := desk.place("joins", input=nowhere))
    assert (call["status"], spoken(call)) == ("ended", [])
    covered.by(call_id)


@covers("CallMedia_Play", "CallMedia_CancelAllMediaOperations")
@covers("PlayStarted", "PlayCompleted", "PlayFailed", "PlayCanceled")
def test_a_flow_plays_every_kind_of_prompt_to_all_and_to_one(desk: Desk, covered: Covered) -> None:
    call = desk.end(call_id := desk.ring("plays"))
    assert call["outcome"] == "completed", desk.told(call_id)
    assert spoken(call)[-1] == "ActionFailed ActionCanceled ActionCanceled"
    covered.by(call_id)


@covers("CallMedia_Recognize", "RecognizeCompleted", "RecognizeFailed", "RecognizeCanceled")
def test_a_flow_listens_to_keys_choices_and_speech(desk: Desk, covered: Covered) -> None:
    script = [{"when": "asked", "after": 0.5, "press": keys} for keys in ("12#", "7")]
    script += [{"when": "asked", "after": 0.5, "say": words} for words in ("sales please", "an invoice")]
    call = desk.end(call_id := desk.ring("listens", [*script, {"when": "asked", "after": 0.5, "press": "5"}]))
    assert call["outcome"] == "completed", desk.told(call_id)
    assert spoken(call)[-2:] == ["12 7 8532 sales an invoice dtmf", "ActionCanceled"]
    covered.by(call_id)


@covers(
    "CallMedia_StartContinuousDtmfRecognition", "CallMedia_StopContinuousDtmfRecognition", "CallMedia_SendDtmfTones"
)
@covers("ContinuousDtmfRecognitionToneReceived", "ContinuousDtmfRecognitionStopped")
@covers("ContinuousDtmfRecognitionToneFailed", "SendDtmfTonesCompleted", "SendDtmfTonesFailed")
def test_a_flow_reads_keys_as_they_come_and_sends_some(desk: Desk, covered: Covered) -> None:
    desk.fault("StartContinuousDtmfRecognition")
    desk.fault("SendDtmfTones")
    call_id = desk.ring("tones", [{"when": "prompt ended", "press": "42*"}])
    call = desk.end(call_id)
    assert spoken(call)[-1:] == ["4 2 * ActionFailed ActionFailed"], desk.told(call_id)
    covered.by(call_id)


@covers("CallMedia_Hold", "CallMedia_Unhold", "HoldFailed")
def test_a_flow_holds_and_takes_off_hold(desk: Desk, covered: Covered) -> None:
    call_id = desk.ring("holds")
    desk.shows(call_id, "HoldFailed")
    (held,) = [one for one in desk.ask("GET", f"calls/{call_id}/participants").json()["participants"] if one["on_hold"]]
    assert held["raw_id"] == desk.view(call_id)["caller"]
    desk.signal(call_id, "seen")
    assert desk.end(call_id)["outcome"] == "completed"
    covered.by(call_id)


@covers("CallMedia_StartMediaStreaming", "CallMedia_StopMediaStreaming", "CallMedia_StartTranscription")
@covers("CallMedia_UpdateTranscription", "CallMedia_StopTranscription")
@covers("MediaStreamingStarted", "MediaStreamingStopped", "MediaStreamingFailed")
@covers("TranscriptionStarted", "TranscriptionUpdated", "TranscriptionStopped", "TranscriptionFailed")
def test_a_flow_starts_and_stops_live_audio_and_live_words(desk: Desk, covered: Covered) -> None:
    desk.fault("StartMediaStreaming")
    desk.fault("StartTranscription")
    call = desk.end(call_id := desk.ring("streams"))
    assert spoken(call) == ["ActionFailed ActionFailed"], desk.told(call_id)
    covered.by(call_id)


@covers("CallConnection_AddParticipant", "CallConnection_CancelAddParticipant", "CallConnection_RemoveParticipant")
@covers("CallConnection_GetParticipants", "CallConnection_GetParticipant")
@covers("AddParticipantSucceeded", "AddParticipantFailed")
@covers("CancelAddParticipantSucceeded", "CancelAddParticipantFailed")
@covers("RemoveParticipantSucceeded", "RemoveParticipantFailed")
def test_a_flow_adds_looks_up_and_removes_people(desk: Desk, covered: Covered) -> None:
    desk.fault("CancelAddParticipant")
    desk.fault("RemoveParticipant")
    call = desk.end(call_id := desk.ring("invites"))
    ends = "ActionFailed ActionFailed ActionCanceled ActionFailed"
    assert spoken(call) == [f"{ends} 3 False"], desk.told(call_id)
    covered.by(call_id)


@covers("CallConnection_Mute", "ParticipantsUpdated")
@covers("CallStarted", "CallEnded", "CallParticipantAdded", "CallParticipantRemoved")
def test_a_flow_mutes_a_user_and_hears_of_it(desk: Desk, covered: Covered) -> None:
    call_id = desk.ring("mutes", caller=a_user())
    until(lambda: any(one["muted"] for one in desk.people(call_id)), 15, lambda: desk.told(call_id))
    desk.signal(call_id, "seen")
    call = desk.end(call_id)
    assert "True" in spoken(call)[-1]
    covered.by(call_id)


@covers("CallConnection_MoveParticipants", "MoveParticipantSucceeded", "MoveParticipantFailed")
def test_a_flow_fetches_somebody_from_another_call(desk: Desk, covered: Covered) -> None:
    caller = a_number()
    other, here = desk.ring("guest", caller=caller), desk.ring("gathers")
    connection = desk.connected(other)
    desk.connected(here)
    desk.fault("MoveParticipants")
    desk.signal(here, "bring", {"who": caller, "from": connection})
    call = desk.end(here)
    assert spoken(call) == ["ActionFailed"], desk.told(here)
    desk.end(other)
    covered.by(here)


@covers("CallConnection_TransferToParticipant", "CallTransferAccepted", "CallTransferFailed")
def test_a_flow_transfers_the_caller_at_the_second_attempt(desk: Desk, covered: Covered) -> None:
    call = desk.end(call_id := desk.ring("transfers"))
    assert (call["outcome"], spoken(call)) == ("transferred", ["ActionFailed"])
    covered.by(call_id)


@covers("CallRecording_StartRecording", "CallRecording_PauseRecording", "CallRecording_ResumeRecording")
@covers("CallRecording_GetRecordingProperties", "CallRecording_StopRecording", "RecordingStateChanged")
def test_a_flow_records_and_leaves_something_out(desk: Desk, covered: Covered) -> None:
    call = desk.end(call_id := desk.ring("records"))
    assert (call["outcome"], spoken(call)) == ("completed", ["Recording.", "inactive"]), desk.told(call_id)
    covered.by(call_id)


# Over HTTP


def test_without_its_key_the_api_does_nothing(desk: Desk) -> None:
    call_id = desk.ring("guest")
    desk.connected(call_id)
    url = f"{desk.stack.base_url}/api/calls"
    for key in ({}, {"x-functions-key": "wrong"}):
        for path in ("", f"/{call_id}/actions/hang_up", f"/{call_id}/signals/word"):
            assert requests.post(url + path, json={}, headers=key, timeout=10).status_code == 401
    assert desk.view(call_id)["status"] == "connected"
    desk.act(call_id, "hang_up")
    desk.end(call_id)


@operated("CreateCall", "CallConnected", "CallConnection_HangupCall", "CallDisconnected")
def test_an_operator_places_a_call_and_signals_its_flow(desk: Desk, covered: Covered) -> None:
    call_id = desk.place("listener", targets=[a_number()], caller_id=OWN)
    desk.connected(call_id)
    desk.signal(call_id, "word", "Hello from the desk.")
    call = desk.end(call_id)
    assert (call["outcome"], spoken(call)) == ("completed", ["Hello from the desk."])
    covered.by(call_id)


@operated("CreateCall", "Connect", "CallMedia_Play", "PlayCompleted")
def test_an_operator_places_a_group_call_and_joins_it(desk: Desk, covered: Covered) -> None:
    call_id = desk.place("guest", targets=[a_number(), a_number()], caller_id=OWN, display_name="Contoso")
    desk.connected(call_id)
    joined = desk.place("guest", connect={"kind": "server_call", "id": desk.view(call_id)["server_call_id"]})
    desk.connected(joined)
    desk.act(joined, "play", prompts=[{"kind": "text", "text": "I am here."}])
    desk.shows(joined, "PlayCompleted")
    desk.act(joined, "hang_up")
    assert desk.end(joined)["outcome"] == "hung_up"
    assert desk.view(call_id)["status"] == "connected"
    desk.act(call_id, "terminate")
    desk.end(call_id)
    covered.by(call_id, joined)


@operated("CreateCallFailed")
def test_a_call_that_nobody_takes_says_why(desk: Desk, covered: Covered) -> None:
    call = desk.end(call_id := desk.place("guest", targets=[BUSY], caller_id=OWN))
    assert call["outcome"] == "busy"
    covered.by(call_id)


WORDS = [{"kind": "text", "text": "Hello."}]
Steps = list[tuple[str, dict[str, Any], str | None]]


@pytest.mark.parametrize(
    "done",
    [
        pytest.param(
            [("get_call", {}, None), ("play", {"prompts": WORDS}, "PlayCompleted"), ("terminate", {}, None)],
            marks=operated("CallConnection_GetCall", "CallMedia_Play", "CallConnection_TerminateCall"),
            id="play",
        ),
        pytest.param(
            [("recognize", {"input": "dtmf", "max_tones": 1}, None), ("cancel_all_media", {}, "RecognizeCanceled")],
            marks=operated("CallMedia_Recognize", "CallMedia_CancelAllMediaOperations", "RecognizeCanceled"),
            id="recognize",
        ),
        pytest.param(
            [
                ("start_continuous_dtmf", {}, None),
                ("stop_continuous_dtmf", {}, "ContinuousDtmfRecognitionStopped"),
                ("send_dtmf", {"tones": ["one", "pound"]}, "SendDtmfTonesCompleted"),
            ],
            marks=[
                operated("CallMedia_StartContinuousDtmfRecognition", "CallMedia_StopContinuousDtmfRecognition"),
                operated("CallMedia_SendDtmfTones", "ContinuousDtmfRecognitionStopped", "SendDtmfTonesCompleted"),
            ],
            id="tones",
        ),
        pytest.param(
            [("hold", {}, "ParticipantsUpdated"), ("unhold", {}, None), ("list_participants", {}, None)],
            marks=operated(
                "CallMedia_Hold", "CallMedia_Unhold", "CallConnection_GetParticipants", "ParticipantsUpdated"
            ),
            id="hold",
        ),
        pytest.param(
            [
                ("add_participant", {"target": ANSWERS, "caller_id": OWN}, "AddParticipantSucceeded"),
                ("get_participant", {"target": ANSWERS}, None),
                ("remove_participant", {"target": ANSWERS}, "RemoveParticipantSucceeded"),
            ],
            marks=[
                operated("CallConnection_AddParticipant", "CallConnection_GetParticipant", "AddParticipantSucceeded"),
                operated("CallConnection_RemoveParticipant", "RemoveParticipantSucceeded"),
            ],
            id="add and remove",
        ),
        pytest.param(
            [("transfer", {"target": ANSWERS}, "CallTransferAccepted")],
            marks=operated("CallConnection_TransferToParticipant", "CallTransferAccepted"),
            id="transfer",
        ),
        pytest.param(
            [
                ("start_recording", {"channel": "unmixed"}, "RecordingStateChanged"),
                ("pause_recording", {}, None),
                ("get_recording_state", {}, None),
                ("resume_recording", {}, None),
                ("stop_recording", {}, None),
            ],
            marks=[
                operated("CallRecording_StartRecording", "CallRecording_PauseRecording", "CallRecording_StopRecording"),
                operated("CallRecording_ResumeRecording", "CallRecording_GetRecordingProperties"),
                operated("RecordingStateChanged"),
            ],
            id="recording",
        ),
        pytest.param(
            [
                ("start_media_streaming", {}, "MediaStreamingStarted"),
                ("stop_media_streaming", {}, "MediaStreamingStopped"),
                ("start_transcription", {"locale": "en-US"}, "TranscriptionStarted"),
                ("update_transcription", {"locale": "en-GB"}, "TranscriptionUpdated"),
                ("stop_transcription", {}, "TranscriptionStopped"),
            ],
            marks=[
                operated("CallMedia_StartMediaStreaming", "CallMedia_StopMediaStreaming"),
                operated(
                    "CallMedia_StartTranscription", "CallMedia_StopTranscription", "CallMedia_UpdateTranscription"
                ),
                operated("MediaStreamingStarted", "MediaStreamingStopped"),
                operated("TranscriptionStarted", "TranscriptionUpdated", "TranscriptionStopped"),
            ],
            id="streams",
        ),
    ],
)
def test_an_operator_does_it_on_a_call_whose_flow_waits(desk: Desk, covered: Covered, done: Steps) -> None:
    call_id = desk.ring("house")
    desk.connected(call_id)
    for action, body, event in done:
        seen = desk.events(call_id).count(event) if event == "ParticipantsUpdated" else 0
        desk.act(call_id, action, **body)
        if event is not None:
            desk.shows(call_id, event, seen + 1)
    if done[-1][0] not in ("terminate", "transfer"):
        desk.act(call_id, "hang_up")
    call = desk.end(call_id)
    assert [entry for entry in call["journal"] if entry["entry"] in ("failed", "refused")] == []
    covered.by(call_id)


@operated("CallConnection_CancelAddParticipant", "CancelAddParticipantSucceeded")
def test_an_operator_takes_an_invitation_back(desk: Desk, covered: Covered) -> None:
    call_id = desk.ring("house")
    desk.connected(call_id)
    invited = desk.act(call_id, "add_participant", target=LATE, caller_id=OWN)
    desk.act(call_id, "cancel_add_participant", invitation_id=invited["answer"]["invitationId"])
    desk.shows(call_id, "CancelAddParticipantSucceeded")
    desk.act(call_id, "hang_up")
    desk.end(call_id)
    covered.by(call_id)


@operated("CallConnection_Mute", "ParticipantsUpdated")
def test_an_operator_mutes_a_user(desk: Desk, covered: Covered) -> None:
    caller = a_user()
    call_id = desk.ring("house", caller=caller)
    desk.connected(call_id)
    desk.act(call_id, "mute", target=caller)
    until(lambda: any(one["muted"] for one in desk.people(call_id)), 15, lambda: desk.told(call_id))
    desk.act(call_id, "hang_up")
    desk.end(call_id)
    covered.by(call_id)


@operated("CallConnection_MoveParticipants", "MoveParticipantSucceeded")
def test_an_operator_moves_a_caller_into_another_call(desk: Desk, covered: Covered) -> None:
    caller = a_number()
    other, here = desk.ring("guest", caller=caller), desk.ring("house")
    connection = desk.connected(other)
    desk.connected(here)
    desk.act(here, "move_participants", targets=[caller], from_call=connection)
    desk.shows(here, "MoveParticipantSucceeded")
    desk.end(other)
    desk.act(here, "terminate")
    desk.end(here)
    covered.by(here)


@operated("StartRecordingFailed")
def test_a_recording_that_fails_after_it_was_taken_shows_in_the_call(desk: Desk, covered: Covered) -> None:
    call_id = desk.ring("house")
    desk.connected(call_id)
    desk.fault("StartRecording")
    desk.act(call_id, "start_recording")
    desk.shows(call_id, "StartRecordingFailed")
    assert desk.view(call_id)["recording"] == "refused"
    desk.act(call_id, "hang_up")
    desk.end(call_id)
    covered.by(call_id)


def test_each_callback_function_has_taken_its_events(desk: Desk) -> None:
    assert desk.callbacks() == {family: {200} for family in families().keys() - SILENT.keys()}
