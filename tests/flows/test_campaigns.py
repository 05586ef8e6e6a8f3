"""The flows of campaigns, rehearsed: what a caller hears in each case, in each language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from flows.outreach import outreach
from flows.reminders import reminders
from shared.calls import Flow, actions
from shared.calls.prompts import SsmlPrompt, TextPrompt, prompts_of
from shared.calls.rehearsal import Rehearsal
from shared.use_cases.services import _MADE, provide

PERSON = "+14255550123"
ABOUT: dict[str, Any] = {
    "attempt": "spring:a:1",
    "campaign": "spring",
    "person": "a",
    "company": "Contoso",
    "message": True,
    "appointment": "2026-12-03T14:30:00-05:00",
}


class Desk:
    """The campaigns, as flows ask them."""

    def __init__(self) -> None:
        self.known: dict[str, Any] = ABOUT
        self.counts = True
        self.times: list[dict[str, str]] = []
        self.is_free = True
        self.said: list[tuple[Any, ...]] = []

    @property
    def on_call(self) -> Desk:
        return self

    def still_counts(self, campaign: str, person: str, appointment: str | None) -> bool:
        self.said.append((campaign, person, appointment))
        return self.counts

    def who_calls_back(self, raw_id: str) -> dict[str, Any]:
        return self.known

    def other_times(self, offer: str, campaign: str, person: str) -> list[dict[str, str]]:
        return self.times

    def book(self, offer: str, campaign: str, person: str, appointment: str, time: dict[str, str]) -> bool:
        self.said.append(("book", campaign, person, appointment, time["id"]))
        return self.is_free

    def release(self, offer: str) -> None:
        self.said.append(("release",))

    def answer(self, campaign: str, person: str, result: str) -> bool:
        self.said.append((campaign, person, result))
        return True

    def no_more_calls(self, raw_id: str, about: dict[str, Any]) -> bool:
        self.said.append((raw_id, about))
        return True


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    desk, before = Desk(), dict(_MADE)
    provide("outreach", lambda: desk)
    yield desk
    _MADE.clear()
    _MADE.update(before)


def called(flow: Flow, language: str = "", **more: Any) -> Rehearsal:
    call = Rehearsal(flow, placed_to=[PERSON], data={**ABOUT, **more}, language=language)
    call.connect()
    return call


def heard(call: Rehearsal) -> str:
    """The newest that was played, whichever kind it is."""
    newest = [one for one in call.actions if prompts_of(one)][-1]
    return " ".join(
        one.text if isinstance(one, TextPrompt) else one.ssml if isinstance(one, SsmlPrompt) else one.url
        for one in prompts_of(newest)
    )


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("flow", [reminders, outreach])
@pytest.mark.parametrize("language", ["en", "de"])
def test_it_says_first_who_calls_and_offers_the_keys(flow: Flow, language: str) -> None:
    call = called(flow, language)
    assert call.spoken[0].startswith(("This is Contoso", "Hier ist Contoso"))
    question = call.expect(actions.Recognize)
    assert (question.input, question.max_tones, question.initial_silence) == ("dtmf", 1, 8)
    call.press("*")
    assert len(call.spoken) == 2
    assert call.spoken[0] == call.spoken[1]


@pytest.mark.parametrize(
    ("key", "result", "words"),
    [("1", "confirmed", "see you"), ("2", "cancelled", "cancelled"), ("3", "wants_another_time", "another time")],
)
def test_a_reminder_is_confirmed_cancelled_or_moved(desk: Desk, key: str, result: str, words: str) -> None:
    call = called(reminders)
    call.press("1")
    assert '<say-as interpret-as="date" format="ymd">2026-12-03</say-as>' in heard(call)
    assert '<say-as interpret-as="time" format="hms24">14:30</say-as>' in heard(call)
    assert '<voice name="en-US-JennyNeural">' in heard(call)
    call.press(key)
    assert (call.result, desk.said) == (result, [("spring", "a", ABOUT["appointment"])])
    assert words in heard(call)
    call.prompt_ends()
    assert call.hung_up()


TIMES = [{"id": "x", "at": "2026-12-04T09:00:00-05:00"}, {"id": "y", "at": "2026-12-07T11:15:00-05:00"}]


def at_other_times(desk: Desk, key: str) -> Rehearsal:
    """A call in which they have heard other times, and pressed a key."""
    desk.times = TIMES
    call = called(reminders)
    for pressed in ("1", "3"):
        call.press(pressed)
    words = heard(call)
    assert words.index("2026-12-04") < words.index("press 1") < words.index("2026-12-07") < words.index("press 2")
    assert "press 3" not in words
    call.press(key)
    return call


def test_another_time_is_chosen_from_the_calendar_and_read_back(desk: Desk) -> None:
    call = at_other_times(desk, "2")
    assert call.result == "rescheduled"
    assert desk.said[1:] == [("book", "spring", "a", ABOUT["appointment"], "y")]
    assert "2026-12-07" in heard(call)
    assert "11:15" in heard(call)
    call.prompt_ends()
    assert call.hung_up()


def test_where_no_time_suits_they_are_let_go_and_a_person_calls(desk: Desk) -> None:
    call = at_other_times(desk, "4")
    assert (call.result, desk.said[1:]) == ("wants_another_time", [("release",)])
    assert "call you about another time" in heard(call)


def test_a_time_that_somebody_else_took_is_not_promised(desk: Desk) -> None:
    desk.is_free = False
    call = at_other_times(desk, "1")
    assert call.result == "wants_another_time"
    assert "call you about another time" in heard(call)


def test_who_asks_for_a_person_among_the_times_gets_one(desk: Desk) -> None:
    assert at_other_times(desk, "0").result == "wants_person"


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(("key", "result"), [("1", "interested"), ("2", "not_interested")])
def test_a_campaign_asks_who_is_interested(key: str, result: str) -> None:
    call = called(outreach)
    call.press("1")
    assert "winter sale" in heard(call)
    call.press(key)
    assert call.result == result


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("flow", [reminders, outreach])
@pytest.mark.parametrize("before", ["", "1"])
def test_nine_is_against_further_calls_from_the_first_question_on(flow: Flow, before: str) -> None:
    call = called(flow)
    if before:
        call.press(before)
    call.press("9")
    assert call.result == "opted_out"
    assert "not call you any more" in heard(call)
    call.prompt_ends()
    assert call.hung_up()


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("flow", [reminders, outreach])
def test_a_mailbox_gets_one_message_without_personal_details(flow: Flow) -> None:
    call = called(flow)
    call.stay_silent()
    assert heard(call) == "This is Contoso. Please call us back at the number that you see. Thank you."
    call.prompt_ends()
    assert call.hung_up()
    assert call.result == ""
    again = called(flow, message=False)
    again.stay_silent()
    assert again.hung_up()
    assert len(again.spoken) == 1


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("flow", [reminders, outreach])
def test_zero_is_put_through_and_called_back_where_nobody_takes_it(flow: Flow) -> None:
    call = called(flow, agent="+14255550142")
    call.press("0")
    assert call.result == "wants_person"
    call.prompt_ends()
    assert call.expect(actions.Transfer).target.raw_id == "4:+14255550142"
    call.fail(actions.Transfer, code=603, sub_code=8538)
    assert "We will call you back" in heard(call)
    without = called(flow)
    without.press("1")
    without.press("0")
    assert (without.result, "call you back" in heard(without)) == ("wants_person", True)


def test_an_appointment_that_is_no_more_is_not_spoken(desk: Desk) -> None:
    desk.counts = False
    call = called(reminders)
    call.press("1")
    assert call.result == "too_late"
    assert "changed" in heard(call)


def test_who_calls_back_gets_the_menu_and_is_heard_at_once(desk: Desk) -> None:
    call = Rehearsal(reminders, caller=PERSON)
    call.connect()
    assert "2026-12-03" in heard(call)
    call.press("2")
    assert ("spring", "a", "cancelled") in desk.said
    call = Rehearsal(outreach, caller=PERSON)
    call.connect()
    call.press("9")
    assert desk.said[-1] == (f"4:{PERSON}", {"campaign": "spring", "person": "a"})


def test_who_calls_back_in_another_language_hears_theirs(desk: Desk) -> None:
    desk.known = {**ABOUT, "language": "de"}
    call = Rehearsal(reminders, caller=PERSON)
    call.connect()
    assert "Sie haben bei uns einen Termin" in heard(call)


def test_a_stranger_who_calls_hears_that_there_is_nothing_and_may_want_no_calls(desk: Desk) -> None:
    desk.known = {"company": "Contoso"}
    call = Rehearsal(reminders, caller=PERSON)
    call.connect()
    assert heard(call).startswith("This is Contoso. There is no reminder")
    call.press("9")
    assert desk.said == [(f"4:{PERSON}", {})]
    assert "not call you any more" in heard(call)


@pytest.mark.parametrize("flow", [reminders, outreach])
def test_texts_put_the_choice_before_the_key_and_never_say_now(flow: Flow) -> None:
    for language in flow.texts.languages:
        for name, words in language.texts.items():
            assert "press now" not in words.lower(), name
            for sentence in words.split("."):
                assert not sentence.strip().lower().startswith(("press ", "drücken sie")), (name, sentence)
