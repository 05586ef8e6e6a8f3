"""Play, recognize, cancel, tones: what the clients ask for, and the events that follow."""

from __future__ import annotations

from typing import Any

import pytest
from azure.communication.callautomation import (
    DtmfTone,
    FileSource,
    RecognitionChoice,
    RecognizeInputType,
    SsmlSource,
    TextSource,
    VoiceKind,
)

from emulator.tests.conformance.python_sdk.world import VOICE, Leg, World

SSML = (
    '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en-US">'
    f'<voice name="{VOICE}">Hello</voice></speak>'
)
HELLO = TextSource(text="Hello", voice_name=VOICE)
CHOICES = [
    RecognitionChoice(label="sales", phrases=["sales", "buy"], tone=DtmfTone.ONE),
    RecognitionChoice(label="help", phrases=["help"], tone=DtmfTone.TWO),
]


def wav(world: World, name: str = "prompt.wav") -> FileSource:
    return FileSource(url=f"{world.sink.base}/{name}")


class TestPlay:
    @pytest.mark.parametrize("kind", ["file", "voice", "locale", "ssml", "several"])
    def test_every_kind_of_source_is_played_to_its_end(self, world: World, kind: str) -> None:
        sources: dict[str, Any] = {
            "file": wav(world),
            "voice": HELLO,
            "locale": TextSource(text="Hello", source_locale="en-GB", voice_kind=VoiceKind.MALE),
            "ssml": SsmlSource(ssml_text=SSML),
            "several": [wav(world), HELLO, SsmlSource(ssml_text=SSML)],
        }
        leg, _ = world.caller()
        leg.connection.play_media(sources[kind], operation_context="p", operation_callback_url=world.url("play"))
        assert world.status(":play") == 202
        assert leg.result("PlayCompleted") == (200, 0)
        assert leg.names() == ["CallConnected", "PlayStarted", "PlayCompleted"]
        for name in ("PlayStarted", "PlayCompleted"):
            assert leg.event(name)["path"] == "/api/play"
            assert leg.data(name)["operationContext"] == "p"

    def test_without_a_callback_of_its_own_events_go_to_the_calls(self, world: World) -> None:
        leg, _ = world.caller()
        leg.connection.play_media(wav(world))
        completed = leg.event("PlayCompleted")
        assert completed["path"] == "/api/calls"
        assert "operationContext" not in completed["data"]

    def test_play_to_one_holds_the_others_meanwhile(self, world: World) -> None:
        a, b, caller, callee = world.two_legs()
        a.connection.play_media(wav(world), [callee], operation_context="one")
        for leg in (a, b):
            held = leg.data("ParticipantsUpdated", 2)["participants"]
            assert {one["identifier"]["rawId"]: one["isOnHold"] for one in held} == {
                caller.raw_id: True,
                callee.raw_id: False,
            }
            back = leg.data("ParticipantsUpdated", 3)["participants"]
            assert not any(one["isOnHold"] for one in back)
        assert a.data("PlayCompleted")["operationContext"] == "one"
        assert "PlayStarted" not in b.names()

    @pytest.mark.parametrize(("file", "sub_code"), [("missing.wav", 8536), ("broken.wav", 8535)])
    def test_a_file_that_cannot_be_played_is_named_by_its_index(self, world: World, file: str, sub_code: int) -> None:
        leg, _ = world.caller()
        leg.connection.play_media([wav(world), wav(world, file)], operation_context="p")
        failed = leg.data("PlayFailed")
        assert failed["failedPlaySourceIndex"] == 1
        assert leg.result("PlayFailed") == (400, sub_code)
        assert leg.names() == ["CallConnected", "PlayStarted", "PlayFailed"]
        leg.connection.play_media(wav(world, file))
        assert leg.data("PlayFailed", 2)["failedPlaySourceIndex"] == 0
        assert leg.names().count("PlayStarted") == 1

    def test_a_loop_ends_only_by_cancellation_and_takes_the_queue_with_it(self, world: World) -> None:
        leg, _ = world.caller()
        leg.connection.play_media(wav(world), loop=True, operation_context="loop")
        leg.event("PlayStarted")
        leg.connection.play_media(HELLO, operation_context="queued")
        leg.connection.cancel_all_media_operations()
        assert world.status(":cancelAllMediaOperations") == 202
        assert leg.result("PlayCanceled", 2) == (400, 8508)
        assert [leg.data("PlayCanceled", n)["operationContext"] for n in (1, 2)] == ["loop", "queued"]
        assert leg.names() == ["CallConnected", "PlayStarted", "PlayCanceled", "PlayCanceled"]

    def test_plays_queue_up_and_an_interrupting_one_goes_before_all(self, world: World) -> None:
        leg, _ = world.caller()
        for context in ("first", "second"):
            leg.connection.play_media(wav(world), operation_context=context)
        leg.event("PlayCompleted", 2)
        assert [leg.data("PlayCompleted", n)["operationContext"] for n in (1, 2)] == ["first", "second"]
        leg.connection.play_media(wav(world), loop=True, operation_context="loop")
        leg.event("PlayStarted", 3)
        leg.connection.play_media(wav(world), interrupt_call_media_operation=True, operation_context="urgent")
        assert leg.data("PlayCanceled")["operationContext"] == "loop"
        assert leg.data("PlayCompleted", 3)["operationContext"] == "urgent"

    def test_cancelling_nothing_is_taken_without_an_event(self, world: World) -> None:
        leg, _ = world.caller()
        leg.connection.cancel_all_media_operations()
        leg.connection.play_media(wav(world))
        leg.event("PlayCompleted")
        assert leg.names() == ["CallConnected", "PlayStarted", "PlayCompleted"]


class TestRecognize:
    def ask(self, world: World, leg: Leg, kind: RecognizeInputType, who: Any, **options: Any) -> dict[str, Any]:
        options.setdefault("play_prompt", wav(world))
        leg.connection.start_recognizing_media(
            kind, who, operation_context="r", operation_callback_url=world.url("recognize"), **options
        )
        assert world.status(":recognize") == 202
        completed = leg.event("RecognizeCompleted")
        assert completed["path"] == "/api/recognize"
        assert completed["data"]["operationContext"] == "r"
        return dict(completed["data"])

    @pytest.mark.parametrize(
        ("pressed", "options", "code", "sub_code", "tones"),
        [
            ("123", {"dtmf_max_tones_to_collect": 3}, 200, 8531, ["one", "two", "three"]),
            ("12#", {"dtmf_stop_tones": [DtmfTone.POUND]}, 200, 8514, ["one", "two"]),
            ("*A", {"dtmf_max_tones_to_collect": 5, "dtmf_inter_tone_timeout": 1}, 400, 8532, ["asterisk", "a"]),
        ],
    )
    def test_keys_are_collected(
        self, world: World, pressed: str, options: Any, code: int, sub_code: int, tones: list[str]
    ) -> None:
        leg, phone = world.caller([{"when": "asked", "press": pressed}])
        data = self.ask(world, leg, RecognizeInputType.DTMF, phone, **options)
        assert data["recognitionType"] == "dtmf"
        assert data["dtmfResult"] == {"tones": tones}
        assert leg.result("RecognizeCompleted") == (code, sub_code)

    def test_several_prompts_play_before_the_question(self, world: World) -> None:
        leg, phone = world.caller([{"when": "asked", "press": "7"}])
        prompts = [wav(world), HELLO]
        data = self.ask(world, leg, RecognizeInputType.DTMF, phone, play_prompt=prompts, dtmf_max_tones_to_collect=1)
        assert data["dtmfResult"]["tones"] == ["seven"]

    def test_a_prompt_that_may_be_interrupted_is(self, world: World) -> None:
        leg, phone = world.caller([{"when": "asked", "press": "1"}])
        long = TextSource(text="word " * 700, voice_name=VOICE)
        data = self.ask(
            world,
            leg,
            RecognizeInputType.DTMF,
            phone,
            play_prompt=long,
            interrupt_prompt=True,
            dtmf_max_tones_to_collect=1,
        )
        assert data["dtmfResult"]["tones"] == ["one"]

    def test_a_choice_is_made_by_key(self, world: World) -> None:
        leg, phone = world.caller([{"when": "asked", "press": "2"}])
        data = self.ask(world, leg, RecognizeInputType.CHOICES, phone, choices=CHOICES)
        assert data["recognitionType"] == "choices"
        assert data["choiceResult"] == {"label": "help", "recognizedPhrase": None}
        assert leg.result("RecognizeCompleted") == (200, 8533)

    def test_a_choice_is_made_by_speech(self, world: World) -> None:
        leg, phone = world.caller([{"when": "asked", "say": "I want to buy a boat"}])
        data = self.ask(world, leg, RecognizeInputType.CHOICES, phone, choices=CHOICES)
        assert (data["choiceResult"]["label"], data["choiceResult"]["recognizedPhrase"]) == ("sales", "buy")
        assert leg.result("RecognizeCompleted") == (200, 8545)

    def test_speech_is_recognized(self, world: World) -> None:
        leg, phone = world.caller([{"when": "asked", "say": "my order is late"}])
        data = self.ask(world, leg, RecognizeInputType.SPEECH, phone, end_silence_timeout=1)
        assert data["recognitionType"] == "speech"
        assert data["speechResult"]["speech"] == "my order is late"
        assert leg.result("RecognizeCompleted") == (200, 8569)

    @pytest.mark.parametrize(("step", "kind"), [({"press": "4"}, "dtmf"), ({"say": "four"}, "speech")])
    def test_speech_or_keys_take_what_comes_first(self, world: World, step: Any, kind: str) -> None:
        leg, phone = world.caller([{"when": "asked", **step}])
        data = self.ask(
            world,
            leg,
            RecognizeInputType.SPEECH_OR_DTMF,
            phone,
            dtmf_max_tones_to_collect=1,
            end_silence_timeout=1,
        )
        assert data["recognitionType"] == kind
        assert ("dtmfResult" in data, "speechResult" in data) == (kind == "dtmf", kind == "speech")

    @pytest.mark.parametrize(
        ("script", "kind", "options", "code", "sub_code"),
        [
            ([], RecognizeInputType.DTMF, {"initial_silence_timeout": 1}, 400, 8510),
            ([{"when": "asked", "press": "9"}], RecognizeInputType.CHOICES, {"choices": CHOICES}, 500, 8534),
            ([{"when": "asked", "say": "goodbye"}], RecognizeInputType.CHOICES, {"choices": CHOICES}, 400, 8547),
            ([{"when": "asked", "say": "..."}], RecognizeInputType.SPEECH, {}, 400, 8563),
        ],
    )
    def test_no_usable_answer_is_a_failure(
        self, world: World, script: Any, kind: RecognizeInputType, options: Any, code: int, sub_code: int
    ) -> None:
        leg, phone = world.caller(script)
        leg.connection.start_recognizing_media(kind, phone, operation_context="r", **options)
        assert leg.data("RecognizeFailed")["operationContext"] == "r"
        assert leg.result("RecognizeFailed") == (code, sub_code)

    def test_a_prompt_that_cannot_be_played_fails_the_question(self, world: World) -> None:
        leg, phone = world.caller()
        leg.connection.start_recognizing_media(
            RecognizeInputType.DTMF, phone, play_prompt=[wav(world), wav(world, "broken.wav")]
        )
        assert leg.data("RecognizeFailed")["failedPlaySourceIndex"] == 1
        assert leg.result("RecognizeFailed") == (500, 8511)

    def test_a_question_is_cancelled(self, world: World) -> None:
        leg, phone = world.caller()
        leg.connection.start_recognizing_media(
            RecognizeInputType.DTMF, phone, initial_silence_timeout=300, operation_context="r"
        )
        leg.connection.cancel_all_media_operations()
        assert leg.data("RecognizeCanceled")["operationContext"] == "r"
        assert leg.result("RecognizeCanceled") == (400, 8508)


class TestTones:
    def test_continuous_recognition_reports_each_key_until_it_stops(self, world: World) -> None:
        leg, phone = world.caller()
        leg.connection.start_continuous_dtmf_recognition(phone, operation_context="keys")
        assert world.status(":startContinuousDtmfRecognition") == 200
        world.emulator.control.press(leg.id, "12#")
        received = [leg.data("ContinuousDtmfRecognitionToneReceived", n) for n in (1, 2, 3)]
        assert [data["tone"] for data in received] == ["one", "two", "pound"]
        assert [data["sequenceId"] for data in received] == [1, 2, 3]
        assert {data["operationContext"] for data in received} == {"keys"}
        leg.connection.stop_continuous_dtmf_recognition(
            phone, operation_context="stop", operation_callback_url=world.url("tones")
        )
        assert world.status(":stopContinuousDtmfRecognition") == 200
        stopped = leg.event("ContinuousDtmfRecognitionStopped")
        assert (stopped["path"], stopped["data"]["operationContext"]) == ("/api/tones", "stop")

    def test_keys_reach_continuous_recognition_and_the_question_alike(self, world: World) -> None:
        leg, phone = world.caller([{"when": "asked", "press": "5"}])
        leg.connection.start_continuous_dtmf_recognition(phone)
        leg.connection.start_recognizing_media(RecognizeInputType.DTMF, phone, dtmf_max_tones_to_collect=1)
        assert leg.data("RecognizeCompleted")["dtmfResult"] == {"tones": ["five"]}
        assert leg.data("ContinuousDtmfRecognitionToneReceived")["tone"] == "five"

    def test_tones_are_sent_to_a_number(self, world: World) -> None:
        leg, phone = world.caller()
        sent = leg.connection.send_dtmf_tones(
            [DtmfTone.ONE, DtmfTone.POUND],
            phone,
            operation_context="send",
            operation_callback_url=world.url("send"),
        )
        assert world.status(":sendDtmfTones") == 202
        assert sent.operation_context == "send"
        completed = leg.event("SendDtmfTonesCompleted")
        assert (completed["path"], completed["data"]["operationContext"]) == ("/api/send", "send")
        assert leg.result("SendDtmfTonesCompleted") == (200, 0)

    def test_tones_that_are_cancelled_fail(self, world: World) -> None:
        leg, phone = world.caller()
        leg.connection.send_dtmf_tones([DtmfTone.ONE] * 18, phone)
        leg.connection.cancel_all_media_operations()
        assert leg.result("SendDtmfTonesFailed") == (400, 8508)
