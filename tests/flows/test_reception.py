"""The reception flow, rehearsed. Copy this file to test a flow of your own."""

from __future__ import annotations

import pytest

from flows.reception import reception
from shared.calls import actions
from shared.calls.rehearsal import Rehearsal


@pytest.fixture
def call() -> Rehearsal:
    call = Rehearsal(reception)
    call.connect()
    return call


def test_it_greets_and_offers_sales_and_support_by_key_and_by_voice(call: Rehearsal) -> None:
    question = call.expect(actions.Recognize)
    assert call.spoken[0].startswith("Welcome to Contoso")
    assert [(choice.label, choice.tone) for choice in question.choices] == [("sales", "one"), ("support", "two")]


@pytest.mark.parametrize(("key", "team"), [("1", "sales"), ("2", "support")])
def test_a_key_is_confirmed_and_the_call_ends(call: Rehearsal, key: str, team: str) -> None:
    call.press(key)
    assert f"{team} team" in call.spoken[-1]
    assert (call.result, call.details) == ("call_back", {"team": team})
    assert not call.hung_up()
    call.prompt_ends()
    assert call.hung_up()
    call.hang_up()
    assert call.outcome == "completed"


def test_a_spoken_choice_counts_like_a_key(call: Rehearsal) -> None:
    call.choose("support")
    assert "support team" in call.spoken[-1]


def test_silence_is_asked_again_and_after_three_times_the_call_ends(call: Rehearsal) -> None:
    call.stay_silent()
    assert call.spoken[-1].startswith("Sorry, I did not get that")
    call.press("7")
    assert len(call.spoken) == 3
    call.stay_silent()
    assert call.spoken[-1].startswith("We could not hear you")
    assert call.result == "no_answer"
    call.prompt_ends()
    assert call.hung_up()


def test_a_caller_who_hangs_up_in_the_question_ends_the_flow(call: Rehearsal) -> None:
    call.hang_up()
    assert call.outcome == "caller_left"
    assert not call.hung_up()


def test_it_speaks_german_where_the_routing_says_so() -> None:
    call = Rehearsal(reception, language="de")
    call.connect()
    assert call.spoken[0].startswith("Willkommen bei Contoso")
    assert call.expect(actions.Recognize).language == "de-DE"
    call.press("1")
    assert "Verkauf" in call.spoken[-1]
