"""The real gateway against the emulator: what goes over the wire for each action, and what refusals become."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from acs_emulator.testing import Control, Running, running
from devstack.ports import free_port
from shared.azure.call_automation import AcsGateway
from shared.calls import Choice, Transcription, actions, file, ssml, text
from shared.calls.actions import Action
from shared.calls.actions.validate import build
from shared.calls.gateway.base import Request
from shared.errors import ActionRefused
from shared.identifiers import Identifier

pytestmark = pytest.mark.xdist_group("gateway")

CALLER, NUMBER = "+14255550123", "+18005550199"
COGNITIVE = "https://speech.cognitiveservices.azure.com/"
USER = "8:acs:11111111-2222-4333-8444-555555555555_0000002a-1111-2222-3333-444444000001"
CALLBACK = "http://127.0.0.1:9/api/callbacks/call-1?sig=abc"
PLAY_CALLBACK = "http://127.0.0.1:9/api/callbacks/call-1/play?sig=def"


def phone(number: str) -> dict[str, Any]:
    """As the SDK writes a phone."""
    return {"rawId": f"4:{number}", "phoneNumber": {"value": number, "isAnonymous": False}}


@dataclass
class Line:
    """A gateway, the emulator that it talks to, and a call between them."""

    emulator: Running[Control]
    gateway: AcsGateway
    connection_id: str = ""
    server_call_id: str = ""

    def request(self, action: Action, *, seq: int = 1, connection_id: str | None = None, ring: str = "") -> Request:
        return Request(
            call_id="call-1",
            seq=seq,
            attempt=0,
            action=action,
            operation_context=f"call-1:{seq}:0",
            callback_url=CALLBACK,
            operation_callback_url=PLAY_CALLBACK if action.family else None,
            first_sent=1_790_000_000_000,
            connection_id=self.connection_id if connection_id is None else connection_id,
            server_call_id=self.server_call_id,
            incoming_call_context=ring,
        )

    def ring(self, caller: str = CALLER) -> str:
        """A phone calls; the context that answers it."""
        self.emulator.control.place_call(caller, NUMBER)
        until(lambda: bool(self.emulator.service.registry.invitations))
        return str(list(self.emulator.service.registry.invitations)[-1])

    def newest(self) -> dict[str, Any]:
        """The newest request that the emulator got."""
        return self.emulator.control.requests()[-1]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running[Control]]:
    with running(speed=10) as one:
        yield one


@pytest.fixture
def line(emulator: Running[Control]) -> Iterator[Line]:
    yield Line(emulator, AcsGateway(emulator.endpoint, emulator.access_key, cognitive_services_endpoint=COGNITIVE))
    emulator.control.reset()


@pytest.fixture
def connected(line: Line) -> Line:
    answer = line.gateway.perform(line.request(actions.Answer(), seq=0, ring=line.ring()))
    line.connection_id = answer["callConnectionId"]
    line.server_call_id = answer["serverCallId"]
    return until_connected(line)


def until_connected(line: Line) -> Line:
    until(lambda: line.gateway.connection_state(line.connection_id) == "connected")
    return line


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.01)


# Opening a call


def test_answer_sends_the_context_the_callback_and_where_speech_is(line: Line) -> None:
    ring = line.ring()
    answer = line.gateway.perform(line.request(actions.Answer(), seq=0, ring=ring))
    sent = line.newest()
    assert (sent["operationId"], sent["status"]) == ("AnswerCall", 200)
    assert sent["body"] == {
        "incomingCallContext": ring,
        "callbackUri": CALLBACK,
        "operationContext": "call-1:0:0",
        "callIntelligenceOptions": {"cognitiveServicesEndpoint": COGNITIVE},
    }
    assert answer["callConnectionState"] == "connecting"
    assert answer["callConnectionId"]
    assert answer["serverCallId"]
    assert answer["targets"]


def test_sending_an_answer_again_runs_it_once_and_gives_the_same_connection(line: Line) -> None:
    request = line.request(actions.Answer(), seq=0, ring=line.ring())
    first, second = line.gateway.perform(request), line.gateway.perform(request)
    assert first == second
    assert len(line.emulator.control.state()["calls"]) == 1


def test_the_repeatability_id_is_the_operations_own_and_stays_the_same() -> None:
    line = Line.__new__(Line)
    line.connection_id = ""
    one, again, other = (line.request(actions.Answer(), seq=seq) for seq in (0, 0, 1))
    assert one.repeatability_id == again.repeatability_id
    assert one.repeatability_id != other.repeatability_id
    assert one.repeatability_id.version == 5


def test_reject_sends_its_reason(line: Line) -> None:
    ring = line.ring()
    assert line.gateway.perform(line.request(actions.Reject(reason="forbidden"), ring=ring)) == {}
    sent = line.newest()
    assert (sent["operationId"], sent["status"]) == ("RejectCall", 204)
    assert sent["body"] == {"incomingCallContext": ring, "callRejectReason": "forbidden"}


def test_redirect_sends_its_target(line: Line) -> None:
    ring = line.ring()
    action = build(actions.Redirect, target="+15550100001")
    assert line.gateway.perform(line.request(action, ring=ring)) == {}
    sent = line.newest()
    assert (sent["operationId"], sent["status"]) == ("RedirectCall", 204)
    assert sent["body"] == {
        "incomingCallContext": ring,
        "target": phone("+15550100001"),
    }


def test_create_call_sends_its_target_and_the_number_to_show(line: Line) -> None:
    action = build(actions.CreateCall, targets=("+15550100001",), caller_id=NUMBER, display_name="Contoso")
    answer = line.gateway.perform(line.request(action, seq=0))
    sent = line.newest()
    assert (sent["operationId"], sent["status"]) == ("CreateCall", 201)
    body = sent["body"]
    assert [target["rawId"] for target in body["targets"]] == ["4:+15550100001"]
    assert body["sourceCallerIdNumber"] == {"value": NUMBER}
    assert body["sourceDisplayName"] == "Contoso"
    assert (body["callbackUri"], body["operationContext"]) == (CALLBACK, "call-1:0:0")
    assert body["callIntelligenceOptions"] == {"cognitiveServicesEndpoint": COGNITIVE}
    assert line.gateway.perform(line.request(action, seq=0)) == answer
    assert len(line.emulator.control.state()["calls"]) == 1


def test_create_call_to_a_user_needs_no_number(line: Line) -> None:
    line.gateway.perform(line.request(build(actions.CreateCall, targets=(USER,)), seq=0))
    assert [target["rawId"] for target in line.newest()["body"]["targets"]] == [USER]
    assert "sourceCallerIdNumber" not in line.newest()["body"]


# Media

SOURCES = {
    "a file": (
        file("http://127.0.0.1:9/a.wav", cache_id="welcome"),
        {"kind": "file", "playSourceCacheId": "welcome", "file": {"uri": "http://127.0.0.1:9/a.wav"}},
    ),
    "a text in the default voice": (
        text("hello"),
        {"kind": "text", "text": {"text": "hello", "voiceName": "en-US-JennyNeural"}},
    ),
    "a text in a voice by name": (
        text("hello", voice_name="en-GB-RyanNeural"),
        {"kind": "text", "text": {"text": "hello", "voiceName": "en-GB-RyanNeural"}},
    ),
    "a text in a voice by kind": (
        text("hallo", locale="de-DE", voice_kind="female"),
        {"kind": "text", "text": {"text": "hallo", "sourceLocale": "de-DE", "voiceKind": "female"}},
    ),
    "SSML": (
        ssml("<speak version='1.0' xml:lang='en-US'>hi</speak>"),
        {"kind": "ssml", "ssml": {"ssmlText": "<speak version='1.0' xml:lang='en-US'>hi</speak>"}},
    ),
}


@pytest.mark.parametrize(("prompt", "wire"), SOURCES.values(), ids=SOURCES)
def test_play_sends_its_source_to_all_with_a_callback_of_its_own(connected: Line, prompt: Any, wire: Any) -> None:
    assert connected.gateway.perform(connected.request(actions.Play(prompts=(prompt,)))) == {}
    sent = connected.newest()
    assert (sent["operationId"], sent["status"]) == ("CallMedia_Play", 202)
    assert sent["callConnectionId"] == connected.connection_id
    assert sent["body"] == {
        "playSources": [wire],
        "playTo": [],
        "interruptCallMediaOperation": False,
        "playOptions": {"loop": False},
        "operationContext": "call-1:1:0",
        "operationCallbackUri": PLAY_CALLBACK,
    }


def test_play_can_loop_several_sources_to_one_listener_or_interrupt(connected: Line) -> None:
    many = actions.Play(prompts=(text("one"), text("two")), to=(Identifier.parse(CALLER),), loop=True)
    connected.gateway.perform(connected.request(many))
    body = connected.newest()["body"]
    assert [source["text"]["text"] for source in body["playSources"]] == ["one", "two"]
    assert body["playTo"] == [phone(CALLER)]
    assert body["playOptions"] == {"loop": True}
    connected.gateway.perform(connected.request(actions.Play(prompts=(text("three"),), interrupt=True), seq=2))
    assert connected.newest()["body"]["interruptCallMediaOperation"] is True


def test_recognize_sends_choices_by_word_and_key(connected: Line) -> None:
    action = actions.Recognize(
        input="choices",
        participant=Identifier.parse(CALLER),
        prompts=(text("Which?"),),
        choices=(Choice("sales", tone="one", phrases=("sales", "buy")), Choice("help", tone="two")),
        initial_silence=7,
    )
    assert connected.gateway.perform(connected.request(action)) == {}
    sent = connected.newest()
    assert (sent["operationId"], sent["status"]) == ("CallMedia_Recognize", 202)
    assert sent["body"] == {
        "recognizeInputType": "choices",
        "playPrompt": {"kind": "text", "text": {"text": "Which?", "voiceName": "en-US-JennyNeural"}},
        "interruptCallMediaOperation": False,
        "recognizeOptions": {
            "targetParticipant": phone(CALLER),
            "interruptPrompt": True,
            "initialSilenceTimeoutInSeconds": 7,
            "speechLanguage": "en-US",
            "choices": [
                {"label": "sales", "phrases": ["sales", "buy"], "tone": "one"},
                {"label": "help", "phrases": ["help"], "tone": "two"},
            ],
        },
        "operationContext": "call-1:1:0",
        "operationCallbackUri": PLAY_CALLBACK,
    }


def test_recognize_sends_how_keys_are_collected(connected: Line) -> None:
    action = actions.Recognize(
        input="dtmf",
        participant=Identifier.parse(CALLER),
        max_tones=4,
        inter_tone=3,
        stop_tones=("pound",),
        interrupt_prompt=False,
        interrupt=True,
    )
    connected.gateway.perform(connected.request(action))
    body = connected.newest()["body"]
    assert body["recognizeInputType"] == "dtmf"
    assert body["interruptCallMediaOperation"] is True
    assert "playPrompt" not in body
    assert body["recognizeOptions"]["dtmfOptions"] == {
        "maxTonesToCollect": 4,
        "interToneTimeoutInSeconds": 3,
        "stopTones": ["pound"],
    }
    assert "speechLanguage" not in body["recognizeOptions"]
    assert body["recognizeOptions"]["interruptPrompt"] is False


@pytest.mark.parametrize("kind", ["speech", "speechOrDtmf"])
def test_recognize_sends_how_speech_ends_in_milliseconds(connected: Line, kind: Any) -> None:
    action = actions.Recognize(
        input=kind,
        participant=Identifier.parse(CALLER),
        prompts=(text("Say it."), text("Please.")),
        end_silence=1.5,
        language="de-DE",
        max_tones=1 if kind == "speechOrDtmf" else None,
    )
    connected.gateway.perform(connected.request(action))
    body = connected.newest()["body"]
    assert [source["text"]["text"] for source in body["playPrompts"]] == ["Say it.", "Please."]
    assert body["recognizeOptions"]["speechOptions"] == {"endSilenceTimeoutInMs": 1500}
    assert body["recognizeOptions"]["speechLanguage"] == "de-DE"


def test_cancel_all_media_is_sent_to_the_call(connected: Line) -> None:
    assert connected.gateway.perform(connected.request(actions.CancelAllMedia())) == {}
    sent = connected.newest()
    assert (sent["operationId"], sent["status"]) == ("CallMedia_CancelAllMediaOperations", 202)


# Leaving a call


def test_hang_up_leaves_the_call(connected: Line) -> None:
    assert connected.gateway.perform(connected.request(actions.HangUp())) == {}
    sent = connected.newest()
    assert (sent["operationId"], sent["status"]) == ("CallConnection_HangupCall", 204)
    assert connected.gateway.connection_state(connected.connection_id) in (None, "disconnected", "disconnecting")


def test_terminate_ends_the_call_and_may_be_sent_again(connected: Line) -> None:
    request = connected.request(actions.Terminate())
    assert connected.gateway.perform(request) == {}
    assert connected.newest()["operationId"] == "CallConnection_TerminateCall"
    assert connected.gateway.perform(request) == {}


def test_get_call_gives_the_state_of_the_call(connected: Line) -> None:
    found = connected.gateway.perform(connected.request(actions.GetCall()))
    assert found["callConnectionState"] == "connected"
    assert found["callConnectionId"] == connected.connection_id
    assert found["serverCallId"] == connected.server_call_id
    assert found["targets"]


def test_the_state_of_a_call_that_the_service_does_not_know_is_none(line: Line) -> None:
    assert line.gateway.connection_state("02004780-0000-4000-8000-00000000beef") is None


# Refusals

MEDIA: list[Action] = [
    actions.Play(prompts=(text("hello"),)),
    actions.Recognize(input="dtmf", participant=Identifier.parse(CALLER), max_tones=1),
    actions.CancelAllMedia(),
    actions.HangUp(),
    actions.Terminate(),
    actions.GetCall(),
]


@pytest.mark.parametrize("action", MEDIA, ids=lambda action: action.kind)
def test_an_action_on_a_call_that_is_gone_is_refused_for_good(line: Line, action: Action) -> None:
    with pytest.raises(ActionRefused) as caught:
        line.gateway.perform(line.request(action, connection_id="02004780-0000-4000-8000-00000000beef"))
    error = caught.value
    assert (error.action, error.status, error.code) == (action.kind, 404, "8522")
    assert error.message
    assert not error.transient


@pytest.mark.parametrize("action", [actions.Answer(), actions.Reject()], ids=lambda action: action.kind)
def test_a_ring_that_is_gone_is_refused_for_good(line: Line, action: Action) -> None:
    ring = line.ring()
    line.gateway.perform(line.request(actions.Reject(), seq=7, ring=ring))
    with pytest.raises(ActionRefused) as caught:
        line.gateway.perform(line.request(action, seq=8, ring=ring))
    assert (caught.value.status, caught.value.transient) == (404, False)


def test_speech_without_an_endpoint_for_it_is_refused_for_good(line: Line) -> None:
    mute = AcsGateway(line.emulator.endpoint, line.emulator.access_key)
    answer = mute.perform(line.request(actions.Answer(), seq=0, ring=line.ring()))
    assert "callIntelligenceOptions" not in line.newest()["body"]
    line.connection_id = answer["callConnectionId"]
    until_connected(line)
    with pytest.raises(ActionRefused) as caught:
        mute.perform(line.request(actions.Play(prompts=(text("hello"),))))
    assert (caught.value.status, caught.value.code, caught.value.transient) == (405, "8522", False)


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_service_in_trouble_is_a_refusal_that_may_pass(connected: Line, status: int, pauses: list[float]) -> None:
    connected.emulator.control.add_faults(
        {"kind": "status", "status": status, "subCode": "8500", "match": {"operation": "Play"}}
    )
    with pytest.raises(ActionRefused) as caught:
        connected.gateway.perform(connected.request(actions.Play(prompts=(text("hello"),))))
    connected.emulator.control.clear_faults()
    assert (caught.value.status, caught.value.code, caught.value.transient) == (status, "8500", True)
    assert pauses == []  # what is not safe twice is not sent again


def test_a_short_trouble_of_the_service_is_not_noticed_where_sending_twice_is_safe(line: Line) -> None:
    ring = line.ring()
    line.emulator.control.add_faults(
        {"kind": "status", "status": 503, "count": 1, "match": {"operation": "AnswerCall"}}
    )
    assert line.gateway.perform(line.request(actions.Answer(), seq=0, ring=ring))["callConnectionId"]
    assert [r["status"] for r in line.emulator.control.requests(operation="AnswerCall")] == [503, 200]


@pytest.mark.parametrize(
    "action", [actions.Answer(), actions.Play(prompts=(text("hello"),))], ids=lambda action: action.kind
)
def test_a_service_that_nobody_answers_for_is_a_refusal_that_may_pass(action: Action, pauses: list[float]) -> None:
    gateway = AcsGateway(f"http://127.0.0.1:{free_port()}", "a2V5")
    line = Line.__new__(Line)
    line.connection_id = "02004780-0000-4000-8000-00000000beef"
    with pytest.raises(ActionRefused) as caught:
        gateway.perform(line.request(action, ring="ring"))
    assert (caught.value.action, caught.value.status, caught.value.transient) == (action.kind, 0, True)
    assert pauses == [0.6]  # three tries, the second of them at once
    with pytest.raises(ActionRefused):
        gateway.connection_state("02004780-0000-4000-8000-00000000beef")


def test_a_service_that_takes_too_long_is_a_refusal_that_may_pass(connected: Line, pauses: list[float]) -> None:
    slow = AcsGateway(connected.emulator.endpoint, connected.emulator.access_key, timeout=0.2)
    connected.emulator.control.add_faults({"kind": "delay", "seconds": 500, "match": {"operation": "Play"}})
    with pytest.raises(ActionRefused) as caught:
        slow.perform(connected.request(actions.Play(prompts=(text("hello"),))))
    connected.emulator.control.clear_faults()
    assert (caught.value.status, caught.value.transient) == (0, True)
    assert pauses == []


def test_an_action_before_there_is_a_connection_is_refused_without_asking(line: Line) -> None:
    before = len(line.emulator.control.requests())
    with pytest.raises(ActionRefused) as caught:
        line.gateway.perform(line.request(actions.HangUp(), connection_id=""))
    assert caught.value.code == "not_connected"
    assert len(line.emulator.control.requests()) == before


# Live words


def test_a_custom_speech_model_reaches_the_service(line: Line) -> None:
    live = Transcription(locale="en-US", transport_url="ws://127.0.0.1:9/words")
    opening = line.request(actions.Answer(transcription=live), seq=0, ring=line.ring())
    line.connection_id = line.gateway.perform(opening)["callConnectionId"]
    until_connected(line)
    line.gateway.perform(line.request(actions.StartTranscription(locale="en-US", speech_model_endpoint_id="model-7")))
    assert line.newest()["body"]["speechModelEndpointId"] == "model-7"
    assert line.newest()["status"] == 202
