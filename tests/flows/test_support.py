"""The support flow, rehearsed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flows.support import AGENT, support
from shared.calls import actions
from shared.calls.rehearsal import Rehearsal

CALLER = "4:+14255550100"


@pytest.fixture
def call() -> Rehearsal:
    call = Rehearsal(support)
    call.connect()
    call.prompt_ends()
    return call


def invited(call: Rehearsal) -> Rehearsal:
    """The caller wanted an agent, who is called now."""
    call.press("2")
    call.prompt_ends()
    assert call.expect(actions.AddParticipant).target.raw_id == f"4:{AGENT}"
    return call


def test_it_records_caller_and_agent_on_a_channel_each(call: Rehearsal) -> None:
    recording = next(action for action in call.actions if isinstance(action, actions.StartRecording))
    assert (recording.channel, recording.format) == ("unmixed", "wav")
    assert [(one.participant.raw_id, one.channel) for one in recording.affinity] == [(CALLER, 0), (f"4:{AGENT}", 1)]


def test_it_records_only_after_it_has_said_so() -> None:
    call = Rehearsal(support)
    call.connect()
    assert call.spoken == ["This call is recorded."]
    assert "start_recording" not in [action.kind for action in call.actions]
    call.prompt_ends()
    assert [action.kind for action in call.actions] == ["answer", "may_record", "play", "start_recording", "recognize"]


@pytest.mark.parametrize("listed", ["+14255550100", AGENT])
def test_it_neither_records_nor_says_so_where_somebody_may_not_be_recorded(listed: str) -> None:
    call = Rehearsal(support, do_not_record=[listed])
    call.connect()
    assert [action.kind for action in call.actions] == ["answer", "may_record", "recognize"]
    assert "Contoso support" in call.spoken[0]


def test_the_hours_are_told_without_an_agent(call: Rehearsal) -> None:
    call.press("1")
    assert "nine to five" in call.spoken[-1]
    assert call.result == "hours"
    call.prompt_ends()
    assert call.actions[-1].kind == "terminate"


@pytest.mark.parametrize(
    "answer",
    [lambda call: call.press("2"), lambda call: call.choose("agent"), lambda call: call.stay_silent()],
    ids=["key", "voice", "silence"],
)
def test_an_agent_is_called_for_who_wants_one_or_says_nothing(
    call: Rehearsal, answer: Callable[[Rehearsal], None]
) -> None:
    answer(call)
    if call.spoken[-1].startswith("Sorry"):
        answer(call)
    call.prompt_ends()
    assert call.expect(actions.AddParticipant).target.raw_id == f"4:{AGENT}"


@pytest.mark.parametrize("stays", [CALLER, f"4:{AGENT}"])
def test_the_call_ends_for_everybody_when_one_of_the_two_leaves(call: Rehearsal, stays: str) -> None:
    invited(call).done(actions.AddParticipant)
    call.present(CALLER, f"4:{AGENT}")
    assert call.actions[-1].kind != "terminate"
    call.present(stays)
    assert call.actions[-1].kind == "terminate"
    assert call.result == "agent"


def test_a_caller_whom_nobody_takes_hears_so(call: Rehearsal) -> None:
    invited(call).fail(actions.AddParticipant, code=408, sub_code=8587)
    assert "busy" in call.spoken[-1]
    assert call.result == "no_agent"
    call.prompt_ends()
    assert call.actions[-1].kind == "terminate"


def test_a_call_that_the_service_will_not_record_goes_on() -> None:
    call = Rehearsal(support)
    call.refuse(actions.StartRecording, status=400, code="8553")
    call.connect()
    call.prompt_ends()
    assert "Contoso support" in call.spoken[-1]


def test_it_speaks_german_where_the_routing_says_so() -> None:
    call = Rehearsal(support, language="de")
    call.connect()
    assert "aufgezeichnet" in call.spoken[0]
    call.prompt_ends()
    call.press("1")
    assert "von Montag bis Freitag" in call.spoken[-1]
