"""What a phone does while it is asked, and how that ends."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.tests.support import CALLER, Application

WHO = {"phoneNumber": {"value": CALLER}}
PROMPT = {"kind": "text", "text": {"text": "Please choose now", "voiceName": "en-US-JennyNeural"}}
CHOICES = [
    {"label": "Sales", "phrases": ["sales", "buy something"], "tone": "one"},
    {"label": "Help", "phrases": ["support"], "tone": "two"},
]


def question(kind: str, **options: Any) -> dict[str, Any]:
    return {
        "recognizeInputType": kind,
        "playPrompt": PROMPT,
        "recognizeOptions": {"targetParticipant": WHO, "interruptPrompt": True, **options},
        "operationContext": "q",
    }


DTMF = question("dtmf", dtmfOptions={"maxTonesToCollect": 3, "stopTones": ["pound"]})
MENU = question("choices", choices=CHOICES)


@pytest.mark.parametrize(
    ("ask", "act", "name", "code", "sub_code", "result"),
    [
        (DTMF, {"press": "123"}, "Completed", 200, 8531, ("dtmfResult", {"tones": ["one", "two", "three"]})),
        (DTMF, {"press": "1#"}, "Completed", 200, 8514, ("dtmfResult", {"tones": ["one"]})),
        (DTMF, {"press": "*"}, "Completed", 400, 8532, ("dtmfResult", {"tones": ["asterisk"]})),
        (DTMF, {"wait": 1}, "Failed", 400, 8510, None),
        (DTMF, {"say": "one two three"}, "Failed", 400, 8510, None),
        (MENU, {"press": "2"}, "Completed", 200, 8533, ("choiceResult", {"label": "Help", "recognizedPhrase": None})),
        (MENU, {"press": "9"}, "Failed", 500, 8534, None),
        (
            MENU,
            {"say": "I want to BUY something, please."},
            "Completed",
            200,
            8545,
            ("choiceResult", {"label": "Sales", "recognizedPhrase": "buy something", "confidence": 0.95}),
        ),
        (MENU, {"say": "banana"}, "Failed", 400, 8547, None),
        (MENU, {"say": "..."}, "Failed", 400, 8563, None),
        (
            question("speech", speechOptions={"endSilenceTimeoutInMs": 1000}),
            {"say": "hello there"},
            "Completed",
            200,
            8569,
            ("speechResult", {"speech": "hello there", "confidence": 0.95}),
        ),
        (
            question("speechOrDtmf", dtmfOptions={"maxTonesToCollect": 1}),
            {"press": "7"},
            "Completed",
            200,
            8531,
            ("dtmfResult", {"tones": ["seven"]}),
        ),
        (
            question("speechOrDtmf", dtmfOptions={"maxTonesToCollect": 1}),
            {"say": "agent"},
            "Completed",
            200,
            8569,
            ("speechResult", {"speech": "agent", "confidence": 0.95}),
        ),
    ],
)
async def test_an_answer_ends_the_question_with_its_outcome(
    application: Application,
    answered: Any,
    ask: dict[str, Any],
    act: dict[str, Any],
    name: str,
    code: int,
    sub_code: int,
    result: tuple[str, Any] | None,
) -> None:
    desk = await answered([{"when": "asked", **act}])
    status, error, _ = await desk.act(":recognize", ask)
    assert status == 202, error
    event = await application.event(f"Recognize{name}", desk.leg)
    information = event["data"]["resultInformation"]
    assert (information["code"], information["subCode"]) == (code, sub_code)
    assert event["data"]["operationContext"] == "q"
    if result is not None:
        assert event["data"][result[0]] == result[1]


async def test_a_prompt_that_cannot_be_fetched_fails_the_question_by_index(
    application: Application, answered: Any
) -> None:
    desk = await answered()
    ask = {**DTMF, "playPrompts": [PROMPT, {"kind": "file", "file": {"uri": f"{application.base}/no.wav"}}]}
    ask.pop("playPrompt")
    await desk.act(":recognize", ask)
    event = await application.event("RecognizeFailed", desk.leg)
    assert event["data"]["failedPlaySourceIndex"] == 1
    assert event["data"]["resultInformation"]["subCode"] == 8511


async def test_each_asked_step_waits_for_a_question_of_its_own(application: Application, answered: Any) -> None:
    desk = await answered([{"when": "asked", "press": "9"}, {"when": "asked", "press": "1"}])
    await desk.act(":recognize", MENU)
    await application.event("RecognizeFailed", desk.leg)
    await desk.act(":recognize", MENU)
    event = await application.event("RecognizeCompleted", desk.leg)
    assert event["data"]["choiceResult"]["label"] == "Sales"


async def test_canceling_ends_what_runs_and_what_waits(application: Application, answered: Any) -> None:
    desk = await answered()
    play = {"playSources": [PROMPT], "playOptions": {"loop": True}}
    for context, action, body in (("1", ":play", play), ("2", ":recognize", DTMF), ("3", ":play", play)):
        await desk.act(action, {**body, "operationContext": context})
    await application.event("PlayStarted", desk.leg)
    await desk.act(":cancelAllMediaOperations")
    await application.event("PlayCanceled", desk.leg, 2)
    canceled = [
        (event["type"].rpartition(".")[2], event["data"]["operationContext"])
        for event in application.events
        if event["type"].endswith("Canceled")
    ]
    assert canceled == [("PlayCanceled", "1"), ("RecognizeCanceled", "2"), ("PlayCanceled", "3")]


async def test_a_second_play_to_one_participant_conflicts(application: Application, answered: Any) -> None:
    desk = await answered()
    body = {"playSources": [PROMPT], "playTo": [WHO], "playOptions": {"loop": True}}
    assert (await desk.act(":play", body))[0] == 202
    status, answer, _ = await desk.act(":play", body)
    assert (status, answer["error"]["code"]) == (412, "8583")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"choices": []}, "recognizeOptions.choices"),
        ({"choices": [CHOICES[0], {"label": "x", "phrases": ["y"]}]}, "recognizeOptions.choices"),
        ({"targetParticipant": {"phoneNumber": {"value": "+19995550100"}}}, "recognizeOptions.targetParticipant"),
        (
            {"dtmfOptions": {"interToneTimeoutInSeconds": 61}},
            "recognizeOptions.dtmfOptions.interToneTimeoutInSeconds",
        ),
        ({"initialSilenceTimeoutInSeconds": 301}, "recognizeOptions.initialSilenceTimeoutInSeconds"),
    ],
)
async def test_a_question_that_cannot_be_asked_is_refused_by_field(
    answered: Any, options: dict[str, Any], field: str
) -> None:
    desk = await answered()
    body = question("choices", **{"choices": CHOICES, **options})
    status, answer, _ = await desk.act(":recognize", body)
    assert (status, answer["error"]["target"]) == (400, field)
