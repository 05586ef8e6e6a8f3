"""The flow of the call-me button, rehearsed: nobody but the agent is called before the agent has pressed 1."""

from __future__ import annotations

from typing import Any

import pytest

from flows.click import click
from shared.calls import Braked, actions
from shared.calls.rehearsal import Rehearsal
from shared.use_cases import provide

AGENT, CUSTOMER, OURS = "4:+14255550142", "+14255550123", "4:+18005550199"


class Button:
    """The use case, as the flow meets it."""

    def __init__(self) -> None:
        self.plan_is: dict[str, Any] | None = {
            "agent": AGENT,
            "caller_number": OURS,
            "company": "Contoso",
            "customer": CUSTOMER,
            "name": "Ada Lovelace",
            "ring": 25,
        }
        self.accepts = True

    def plan(self, request: str, attempt: int) -> dict[str, Any] | None:
        assert (request, attempt) == ("r-1", 1)
        return self.plan_is

    def accept(self, request: str, attempt: int) -> bool:
        assert (request, attempt) == ("r-1", 1)
        return self.accepts

    def joined(self, request: str) -> None:
        assert request == "r-1"


@pytest.fixture
def button() -> Button:
    found = Button()
    provide("click", lambda: found)
    return found


def rehearsed(**more: Any) -> Rehearsal:
    return Rehearsal(click, placed_to=[], data={"request": "r-1", "attempt": 1, **more})


def kinds(call: Rehearsal) -> list[str]:
    return [action.kind for action in call.actions if action.kind not in ("run", "sleep")]


def test_the_agent_hears_who_it_is_and_presses_1_before_the_customer_is_called(button: Button) -> None:
    call = rehearsed()
    placed = call.expect(actions.CreateCall)
    assert ([one.raw_id for one in placed.targets], placed.caller_id and placed.caller_id.raw_id) == ([AGENT], OURS)
    call.connect()
    assert call.spoken[-1].startswith(
        "This is the call-me button of Contoso. Ada Lovelace would like to be called, at 1 4 2 5 5 5 5 0 1 2 3. "
        "To be connected, press 1."
    )
    assert kinds(call) == ["create_call", "recognize"]
    call.press("1")
    call.prompt_ends()
    added = call.expect(actions.AddParticipant)
    assert (added.target.phone_number, added.invitation_timeout) == (CUSTOMER, 25)
    call.present(AGENT, CUSTOMER)
    call.done(actions.AddParticipant)
    assert (call.result, call.details) == ("connected", {"request": "r-1", "attempt": 1})
    assert call.spoken[-1] == "This is Contoso, with the call that you asked for. You are connected now."
    call.prompt_ends()
    call.present(AGENT)
    assert kinds(call)[-1] == "terminate"


@pytest.mark.parametrize("keys", [["0"], ["5", "0"], ["5", "7"], ["*", "0"]])
def test_an_agent_who_does_not_press_1_leaves_the_customer_alone(button: Button, keys: list[str]) -> None:
    call = rehearsed()
    call.connect()
    for key in keys:
        call.press(key)
    assert call.hung_up()
    assert set(kinds(call)) == {"create_call", "recognize", "hang_up"}
    assert (call.result, call.details["attempt"]) == ("calling_agent", 1)


def test_a_mailbox_that_only_talks_is_no_agent(button: Button) -> None:
    call = rehearsed()
    call.connect()
    call.stay_silent()
    assert call.spoken[-1].startswith("To be connected, press 1.")
    call.stay_silent()
    assert call.hung_up()
    assert call.result == "calling_agent"


def test_an_agent_who_is_busy_ends_the_turn(button: Button) -> None:
    call = rehearsed()
    call.fail(actions.CreateCall, code=486, sub_code=8539)
    assert (call.outcome, call.result) == ("busy", "calling_agent")


def test_a_request_that_is_withdrawn_meanwhile_calls_nobody(button: Button) -> None:
    button.accepts = False
    call = rehearsed()
    call.connect()
    call.press("1")
    assert call.spoken[-1] == "This request is no longer open. Goodbye."
    call.prompt_ends()
    assert call.hung_up()
    assert "add_participant" not in kinds(call)
    assert call.result == "withdrawn"
    button.plan_is = None
    call = rehearsed()
    assert (kinds(call), call.result) == ([], "withdrawn")


def test_a_customer_who_does_not_answer_is_told_to_the_agent(button: Button) -> None:
    call = rehearsed(language="de")
    call.connect()
    assert call.spoken[-1].startswith("Hier ist der Rückrufknopf von Contoso. Ada Lovelace möchte")
    call.press("1")
    call.prompt_ends()
    call.fail(actions.AddParticipant, code=480, sub_code=8587)
    assert (call.spoken[-1], call.result) == ("Wir erreichen dort niemanden. Auf Wiederhören.", "not_reached")
    call.prompt_ends()
    assert kinds(call)[-1] == "terminate"


def test_where_no_line_is_free_for_the_customer_the_agent_is_told_and_it_is_tried_again(button: Button) -> None:
    call = rehearsed()
    call.connect()
    call.press("1")
    call._refusals[actions.AddParticipant] = Braked("add_participant", "no_free_slot", "taken", transient=True)
    call.prompt_ends()
    assert call.spoken[-1].startswith("All our lines are busy.")
    call.prompt_ends()
    assert call.expect(actions.Sleep).seconds == 10
    call.wait()
    assert call.expect(actions.AddParticipant).target.phone_number == CUSTOMER
    call.present(AGENT, CUSTOMER)
    call.done(actions.AddParticipant)
    assert call.result == "connected"


def test_a_visitor_who_rings_off_during_the_greeting_was_connected_and_leaves_no_apology(button: Button) -> None:
    call = rehearsed()
    call.connect()
    call.press("1")
    call.prompt_ends()
    call.present(AGENT, CUSTOMER)
    call.done(actions.AddParticipant)
    call.present(AGENT)
    assert (kinds(call)[-1], call.result) == ("terminate", "connected")
    assert call.spoken[-1] == "This is Contoso, with the call that you asked for. You are connected now."


def test_a_greeting_that_fails_leaves_the_two_to_talk(button: Button) -> None:
    call = rehearsed()
    call.connect()
    call.press("1")
    call.prompt_ends()
    call.present(AGENT, CUSTOMER)
    call.done(actions.AddParticipant)
    call.fail(actions.Play)
    assert not call.hung_up()
    assert (call.spoken[-1].startswith("This is Contoso"), call.result) == (True, "connected")


def test_a_visitor_of_whom_nothing_is_heard_was_not_reached(button: Button) -> None:
    call = rehearsed()
    call.connect()
    call.press("1")
    call.prompt_ends()
    call.times_out(actions.AddParticipant)
    assert (call.spoken[-1], call.result) == ("We cannot reach them. Goodbye.", "not_reached")


def test_a_request_without_a_name_is_said_so(button: Button) -> None:
    assert button.plan_is is not None
    button.plan_is["name"] = ""
    call = rehearsed()
    call.connect()
    assert "Somebody would like to be called, at 1 4 2 5" in call.spoken[-1]
