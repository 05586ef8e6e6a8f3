"""Questions whose result has a type of its own, the key that repeats them, and the key that asks for a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, assert_type

import pytest

from shared.calls import (
    ActionFailed,
    Call,
    Choice,
    InvalidInput,
    NoInput,
    Recognized,
    WantsPerson,
    actions,
    file,
    ssml,
    text,
)
from shared.calls.methods.asking import MAX_REPEATS
from shared.events import CallEvent
from tests.unit.calls.replayed import Replayed
from tests.unit.calls.test_replay import Stage

ORDERS = Choice("orders", tone="one")
RETURNS = Choice("returns", tone="two")
CHOICES = [ORDERS, RETURNS]


def asked(question: Callable[[Call], Any]) -> Replayed:
    """A flow that asks this and says what came of it."""

    async def function(call: Call) -> None:
        try:
            await call.play(f"Got {await question(call)!r}.")
        except WantsPerson as wish:
            await call.play(f"A person, by {wish.key}.")
        except NoInput as error:
            await call.play(f"No input: {error.sub_code}.")
        await call.ended()

    return Replayed(function).connect()


def choice(stage: Replayed, label: str) -> None:
    stage.reports("RecognizeCompleted", "recognize", recognitionType="choices", choiceResult={"label": label})


def keys(stage: Replayed, *tones: str, sub_code: int = 8531) -> None:
    heard = {"recognitionType": "dtmf", "dtmfResult": {"tones": list(tones)}}
    stage.reports("RecognizeCompleted", "recognize", (200, sub_code, ""), **heard)


def speech(stage: Replayed, words: str) -> None:
    stage.reports("RecognizeCompleted", "recognize", recognitionType="speech", speechResult={"speech": words})


def silence(stage: Replayed) -> None:
    stage.reports("RecognizeFailed", "recognize", (400, 8510, "silence"))


def question(stage: Replayed) -> actions.Recognize:
    action = stage.session.operation(stage.seq("recognize")).action
    assert isinstance(action, actions.Recognize)
    return action


def test_ask_choice_gives_the_label() -> None:
    stage = asked(lambda call: call.ask_choice("Orders?", choices=CHOICES))
    choice(stage, "returns")
    assert stage.said == ["Orders?", "Got 'returns'."]


def test_choices_by_voice_alone_may_be_plain_strings() -> None:
    stage = asked(lambda call: call.ask_choice("Yes or no?", choices=["yes", "no"]))
    assert question(stage).choices == (Choice("yes"), Choice("no"))


@pytest.mark.parametrize("tones", [["four", "two"], ["four", "two", "pound"]])
def test_ask_digits_gives_the_keys_without_the_stop_tone(tones: list[str]) -> None:
    stage = asked(lambda call: call.ask_digits("Number?", max_tones=8, stop_tones=["pound"]))
    keys(stage, *tones)
    assert stage.said[-1] == "Got '42'."


@pytest.mark.parametrize("tones", [[], ["pound"]])
def test_a_stop_tone_alone_is_no_input(tones: list[str]) -> None:
    stage = asked(lambda call: call.ask_digits("Number?", stop_tones=["pound"], attempts=2, reprompt="Again?"))
    keys(stage, *tones, sub_code=8514)
    keys(stage, *tones, sub_code=8514)
    assert stage.said == ["Number?", "Again?", "No input: 8510."]


def test_ask_speech_gives_the_words_and_listens_to_no_keys() -> None:
    stage = asked(lambda call: call.ask_speech("Why?", language="de-DE"))
    assert (question(stage).input, question(stage).language) == ("speech", "de-DE")
    speech(stage, "an invoice")
    assert stage.said[-1] == "Got 'an invoice'."


def test_ask_speech_or_digits_gives_whichever_came_first() -> None:
    async def function(call: Call) -> None:
        for _ in range(2):
            heard = await call.ask_speech_or_digits("Which?", stop_tones=["pound"])
            await call.play(f"{heard.speech} {heard.digits}")

    stage = Replayed(function).connect()
    speech(stage, "four")
    stage.reports("PlayCompleted", "play")
    keys(stage, "four", "pound")
    assert stage.said == ["Which?", "four ", "Which?", "None 4"]


def test_a_type_checker_knows_what_comes_back() -> None:
    async def function(call: Call) -> None:
        assert_type(await call.ask_choice("?", choices=CHOICES), str)
        assert_type(await call.ask_digits("?", max_tones=1), str)
        assert_type(await call.ask_speech("?"), str)
        assert_type(await call.ask_speech_or_digits("?", max_tones=1), Recognized)
        assert_type(await call.wait(call.ask_speech("?"), seconds=60), str)
        assert_type(await call.wait(call.add_participant("8:acs:ada"), seconds=60), CallEvent)
        assert_type(await call.wait(helper(), seconds=60), int)
        await call.play("All of them came back.")

    async def helper() -> int:
        return 7

    stage = Replayed(function).connect()
    choice(stage, "orders")
    keys(stage, "one")
    speech(stage, "words")
    speech(stage, "words")
    speech(stage, "words")
    stage.reports("AddParticipantSucceeded", "add_participant", participant={"rawId": "8:acs:ada"})
    stage.event("ParticipantsUpdated", participants=[{"identifier": {"rawId": "8:acs:ada"}}], sequenceNumber=1)
    assert stage.said[-1] == "All of them came back."


ASKED: list[Callable[..., Any]] = [
    lambda call, **more: call.ask_choice("First?", choices=CHOICES, **more),
    lambda call, **more: call.ask_digits("First?", max_tones=4, **more),
    lambda call, **more: call.ask_speech("First?", **more),
    lambda call, **more: call.ask_speech_or_digits("First?", max_tones=4, **more),
]


def press(stage: Replayed, key: str) -> None:
    """The key that repeats or asks for a person, as the service reports it for this question."""
    if question(stage).input == "choices":
        choice(stage, "repeat" if key == "asterisk" else "person")
    else:
        keys(stage, key, sub_code=8532)


@pytest.mark.parametrize("ask", ASKED)
def test_every_question_has_attempts_a_reprompt_and_no_input(ask: Callable[..., Any]) -> None:
    stage = asked(lambda call: ask(call, attempts=2, reprompt=["Sorry.", text("Again?")], initial_silence=9))
    assert question(stage).initial_silence == 9
    silence(stage)
    silence(stage)
    assert stage.said == ["First?", "Sorry.", "Again?", "No input: 8510."]


@pytest.mark.parametrize("ask", ASKED)
def test_zero_asks_for_a_person_where_the_flow_says_so(ask: Callable[..., Any]) -> None:
    stage = asked(lambda call: ask(call, person="0"))
    press(stage, "zero")
    wish = "person" if stage.said[0] and question_was_choice(stage) else "0"
    assert stage.said[-1] == f"A person, by {wish}."


def question_was_choice(stage: Replayed) -> bool:
    first = stage.session.operation(1).action
    return isinstance(first, actions.Recognize) and first.input == "choices"


@pytest.mark.parametrize("ask", ASKED)
def test_the_star_key_repeats_the_question_and_uses_up_no_attempt_five_times_at_most(ask: Callable[..., Any]) -> None:
    stage = asked(lambda call: ask(call, repeat="*", attempts=2, reprompt="Again?"))
    silence(stage)
    for _ in range(MAX_REPEATS):
        press(stage, "asterisk")
    assert stage.said == ["First?", "Again?", *["First?"] * 5]
    press(stage, "asterisk")
    assert stage.said[-1] == "No input: 8510."


def test_the_keys_that_mean_something_are_plain_where_the_flow_does_not_say_so() -> None:
    stage = asked(lambda call: call.ask_digits("Number?", max_tones=4))
    keys(stage, "zero")
    assert stage.said[-1] == "Got '0'."


def test_a_zero_or_star_among_other_keys_is_a_key() -> None:
    stage = asked(lambda call: call.ask_digits("Number?", max_tones=4, repeat="*", person="0"))
    keys(stage, "zero", "asterisk", "one", "zero")
    assert stage.said[-1] == "Got '0*10'."


def test_another_key_in_a_question_for_speech_is_nothing_usable() -> None:
    stage = asked(lambda call: call.ask_speech("Why?", person="0"))
    assert (question(stage).input, question(stage).max_tones) == ("speechOrDtmf", 1)
    keys(stage, "seven")
    assert stage.said[-1] == "No input: 8510."


def test_a_choice_of_one_s_own_can_repeat_or_ask_for_a_person_by_voice() -> None:
    again, human = Choice("again", phrases=("noch einmal",)), Choice("human", phrases=("ein Mensch",))
    stage = asked(lambda call: call.ask_choice("Ja?", choices=["ja", "nein"], repeat=again, person=human))
    assert question(stage).choices == (Choice("ja"), Choice("nein"), again, human)
    choice(stage, "again")
    choice(stage, "human")
    assert stage.said == ["Ja?", "Ja?", "A person, by human."]


def test_someone_who_wants_a_person_is_no_failure_of_an_action() -> None:
    async def function(call: Call) -> None:
        try:
            await call.ask_digits("Number?", max_tones=1, person="0")
        except ActionFailed:
            await call.play("failed")

    stage = Stage(function).connect()
    stage.event("RecognizeCompleted", 1, recognitionType="dtmf", dtmfResult={"tones": ["zero"]})
    assert stage.failures == ["WantsPerson: the caller asks for a person: catch WantsPerson around the question"]


def test_a_prompt_that_cannot_be_played_is_not_asked_again() -> None:
    stage = asked(lambda call: call.ask_digits("Number?", max_tones=1, attempts=3))
    stage.reports("RecognizeFailed", "recognize", (500, 8511, "prompt failed"))
    assert stage.asked == ["recognize", "play"]
    assert "8511" in stage.failures[0]


WRONG: list[tuple[str, Callable[[Call], Any]]] = [
    ("ask_choice.person", lambda call: call.ask_choice("?", choices=[Choice("a", tone="zero")], person="0")),
    ("ask_choice.repeat", lambda call: call.ask_choice("?", choices=[Choice("repeat", tone="one")], repeat="*")),
    ("ask_choice.repeat", lambda call: call.ask_choice("?", choices=["a", "b"], repeat="*")),
    ("ask_choice.person", lambda call: call.ask_choice("?", choices=CHOICES, person="zero")),
    ("recognize.choices.tone", lambda call: call.ask_choice("?", choices=CHOICES, repeat="*", person="*")),
    ("ask_choice", lambda call: call.ask_choice("?", choices=[])),
    ("ask_choice.choices", lambda call: call.ask_choice("?", choices="abc")),
    ("ask_choice.choices.label", lambda call: call.ask_choice("?", choices=[""])),
    ("ask_choice.choices.label", lambda call: call.ask_choice("?", choices=[7])),  # type: ignore[list-item]
    ("ask_digits.repeat", lambda call: call.ask_digits("?", stop_tones=["asterisk"], repeat="*")),
    ("ask_digits.person", lambda call: call.ask_digits("?", max_tones=1, repeat="*", person="*")),
    ("ask_digits", lambda call: call.ask_digits("?")),
    ("ask_digits.max_tones", lambda call: call.ask_digits("?", max_tones=0)),
    ("ask_digits.attempts", lambda call: call.ask_digits("?", max_tones=1, attempts=0)),
    ("ask_speech_or_digits.max_tones", lambda call: call.ask_speech_or_digits("?")),
    ("ask_speech.prompts", lambda call: call.ask_speech(None)),  # type: ignore[arg-type]
    ("ask_speech.reprompt", lambda call: call.ask_speech("?", reprompt=["a", 7])),  # type: ignore[list-item]
    ("play.prompts", lambda call: call.play(7)),  # type: ignore[arg-type]
    ("play.prompts", lambda call: call.play(["one", "two"])),  # type: ignore[arg-type]
    ("play.prompts", lambda call: call.play()),
    ("text", lambda call: call.play(" ")),
    ("hold.audio", lambda call: call.hold(audio=b"music")),  # type: ignore[arg-type]
    ("start_transcription.locale", lambda call: call.start_transcription(locale=7)),  # type: ignore[arg-type]
    ("update_transcription.locale", lambda call: call.update_transcription(locale=7)),  # type: ignore[arg-type]
    ("answer.transcription", lambda call: call.answer(transcription="en-US")),  # type: ignore[arg-type]
    ("connect.locator", lambda call: call.connect("room")),  # type: ignore[arg-type]
    ("transfer.sip_headers.X-A", lambda call: call.transfer("8:acs:a", sip_headers={"X-A": 7})),  # type: ignore[dict-item]
    ("add_participant.user_to_user", lambda call: call.add_participant("8:acs:a", user_to_user=7)),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("field", "wrong"), WRONG)
def test_what_is_wrong_is_said_with_its_field_where_the_method_is_called(
    field: str, wrong: Callable[[Call], Any]
) -> None:
    found: list[InvalidInput] = []

    async def function(call: Call) -> None:
        try:
            wrong(call)
        except InvalidInput as error:
            found.append(error)
        await call.ended()

    stage = Stage(function).connect()
    assert (stage.failures, stage.issued) == ([], ["answer"])
    assert [error.field for error in found] == [field]
    assert found[0].remedy


def test_a_string_is_a_text_wherever_a_prompt_is_taken() -> None:
    async def function(call: Call) -> None:
        call.play("one", text("two"), file("https://example.com/a.wav"), ssml("<speak>three</speak>"))
        call.hold(audio="four")
        await call.recognize("five", max_tones=1, attempts=2, reprompt="six")

    stage = Replayed(function).connect()
    played, held = stage.session.operation(1).action, stage.session.operation(2).action
    assert isinstance(played, actions.Play)
    assert isinstance(held, actions.Hold)
    assert [prompt.kind for prompt in played.prompts] == ["text", "text", "file", "ssml"]
    assert held.audio == text("four")
    silence(stage)
    assert stage.said == ["one", "two", "five", "six"]


def test_too_few_keys_are_asked_for_again_and_then_are_no_input() -> None:
    stage = asked(lambda call: call.ask_digits("Your card?", min_tones=4, max_tones=6, attempts=2))
    keys(stage, "one", "two", "three", sub_code=8532)
    keys(stage, "one", "two", "three", "four", sub_code=8532)
    assert stage.said[-1] == "Got '1234'."
    stage = asked(lambda call: call.ask_digits("Your card?", min_tones=4, max_tones=6))
    keys(stage, "one", "two", "three", sub_code=8532)
    assert stage.said[-1].startswith("No input")


@pytest.mark.parametrize("least", [0, 7, True, "4", None])
def test_no_more_keys_can_be_needed_than_are_collected(least: Any) -> None:
    async def function(call: Call) -> None:
        with pytest.raises(InvalidInput, match="min_tones"):
            call.ask_digits("Your card?", min_tones=least, max_tones=6)

    assert Stage(function).connect().failures == []
