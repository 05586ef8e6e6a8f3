"""What an event of the service makes of a call: its ids, where it is, and what comes of its actions."""

from __future__ import annotations

from typing import Any

import pytest

from shared.calls import ActionFailed, Call, actions, text
from shared.calls.journal import EventReceived, Resent, Settled, Started
from shared.calls.operation_context import operation_context
from shared.calls.replay import Session
from tests.unit.calls.outbound import Outbound
from tests.unit.calls.test_replay import WIRE, Stage
from tests.unit.calls.world import CALLEE, CALLER, START

SERVER_CALL, CORRELATION = "c2VydmVy", "5d1f3a52-0000-4000-8000-000000000001"
"""What every event on this wire says of its conversation."""


async def listens(call: Call) -> None:
    """Waits for something that never comes."""
    await call.signal("never")


async def speaks(call: Call) -> None:
    """Says one thing."""
    await call.play(text("one"))


async def holds(call: Call) -> None:
    """Puts the other side on hold."""
    await call.hold(audio=text("a moment"))


async def asks(call: Call) -> None:
    """Waits for a key."""
    await call.recognize(text("a key?"), max_tones=1)


async def hands_over(call: Call) -> None:
    """Transfers its caller."""
    await call.transfer("+14255550177")


async def hands_over_somebody(call: Call) -> None:
    """Transfers one of a group, and stays."""
    await call.transfer("+14255550177", transferee="8:acs:ada")
    await call.signal("never")


async def hands_over_both(call: Call) -> None:
    """Transfers its caller and somebody else, at once."""
    await call.gather(call.transfer("+14255550177"), call.transfer("+14255550178", transferee="8:acs:ada"))
    await call.signal("never")


async def calls_again(call: Call) -> None:
    """Calls, and a quarter of an hour later again."""
    try:
        await call.create_call(CALLER, caller_id=CALLEE)
    except ActionFailed:
        await call.sleep(900)
        await call.create_call(CALLER, caller_id=CALLEE)


def placing(function: Any) -> Stage:
    """A call that its flow places, of which no response has come yet."""
    stage = Stage(function, opens=True)
    stage.session, stage.journal = Session(stage.flow, "stage"), []
    stage.feed(Started(at=START, flow="stage", direction="outbound", placed_by_flow=True))
    return stage


def of(stage: Stage, name: str, seq: int, **data: Any) -> None:
    """An event that names this action, with other data than the wire gives."""
    body = WIRE.event(name, operation_context("stage", stage.session.operation(seq)))
    stage.feed(EventReceived(at=START, event={**body, "data": {**body["data"], **data}}))


# The conversation


def test_a_call_learns_its_conversation_from_its_first_event() -> None:
    stage = Stage(listens)
    assert (stage.session.record.server_call_id, stage.session.record.correlation_id) == ("", "")
    stage.connect()
    assert (stage.session.record.server_call_id, stage.session.record.correlation_id) == (SERVER_CALL, CORRELATION)


def test_a_call_keeps_the_ids_of_its_conversation_though_a_later_event_says_others() -> None:
    stage = Stage(speaks).connect()
    of(stage, "PlayStarted", 1, serverCallId="another", correlationId="another")
    assert (stage.session.record.server_call_id, stage.session.record.correlation_id) == (SERVER_CALL, CORRELATION)


def test_an_event_without_ids_takes_none_from_the_call() -> None:
    stage = Stage(speaks).connect()
    of(stage, "PlayStarted", 1, serverCallId="", correlationId="")
    assert (stage.session.record.server_call_id, stage.session.record.correlation_id) == (SERVER_CALL, CORRELATION)


def test_a_failure_shows_that_the_action_has_left_whatever_its_outcome_is_otherwise() -> None:
    stage = Stage(holds).connect()
    assert stage.session.record.unconfirmed == [1]
    of(stage, "HoldFailed", 1)
    assert stage.session.record.unconfirmed == [2], "the hang-up that follows"


# The end, as the service reports it


@pytest.mark.parametrize(
    ("code", "status", "outcome"),
    [(200, "ended", "caller_left"), (299, "ended", "caller_left"), (300, "waiting", ""), (486, "waiting", "")],
)
def test_an_attempt_has_failed_from_code_300_on_and_below_somebody_took_it_and_left(
    code: int, status: str, outcome: str
) -> None:
    stage = placing(calls_again)
    stage.event("CallDisconnected", None, (code, 0, ""))
    assert (stage.session.record.status, stage.session.record.outcome) == (status, outcome)
    assert stage.issued == (["create_call"] if status == "ended" else ["create_call", "sleep"])


def test_an_attempt_that_ended_before_its_response_came_has_been_sent() -> None:
    stage = placing(calls_again)
    assert stage.session.record.unconfirmed == [0]
    stage.event("CallDisconnected", None, (486, 8539, "busy"))
    assert stage.session.record.unconfirmed == [1], "the sleep after it"


def test_an_attempt_that_failed_is_told_once_for_the_log() -> None:
    stage = placing(calls_again)
    stage.event("CallDisconnected", None, (486, 8539, "busy"))
    assert [failed.sub_code for failed in stage.session.take_failed()] == [8539]
    assert stage.session.take_failed() == []


def test_the_end_of_an_attempt_is_the_end_of_the_call_only_if_somebody_had_hung_up() -> None:
    waiting = placing(calls_again)
    waiting.event("CallDisconnected", None, (487, 0, "cancelled"))
    assert waiting.session.disconnected is False
    call = Outbound("calls_twice")
    call.wake()
    call.conductor.act(call.call_id, actions.HangUp(), "k")
    call.hear("CallDisconnected", 1, (487, 487, "cancelled"))
    call.hear("CallConnected", 1)
    assert call.world.kinds() == ["create_call", "hang_up"], "what is known to be over is not hung up again"


@pytest.mark.parametrize(
    ("code", "outcome"),
    [(200, "caller_left"), (299, "caller_left"), (300, "unknown"), (486, "busy"), (500, "service_error")],
)
def test_a_call_that_never_connected_says_from_code_300_on_why(code: int, outcome: str) -> None:
    stage = Stage(listens)
    stage.event("CallDisconnected", None, (code, 0, ""))
    assert stage.session.record.outcome == outcome


@pytest.mark.parametrize("code", [200, 300, 486, 500])
def test_whatever_the_code_a_call_that_was_up_ended_because_its_caller_left(code: int) -> None:
    stage = Stage(listens).connect()
    stage.event("CallDisconnected", None, (code, 0, ""))
    assert (stage.session.record.outcome, stage.session.record.code) == ("caller_left", code)


def test_the_end_is_known_for_certain_once_the_service_has_reported_it() -> None:
    stage = Stage(listens).connect()
    stage.feed(Settled(at=START, reason="nobody knows it"))
    assert (stage.session.disconnected, stage.session.record.outcome, stage.session.record.code) == (
        False, "settled", 404
    )  # fmt: skip
    stage.event("CallDisconnected", None, (200, 7000, "left"))
    assert (stage.session.disconnected, stage.session.record.outcome, stage.session.record.code) == (
        True, "caller_left", 200
    )  # fmt: skip


def test_a_connection_that_is_reported_after_the_end_does_not_bring_the_call_back() -> None:
    stage = Stage(listens)
    stage.event("CallDisconnected", None, (486, 8539, "busy"))
    stage.event("CallConnected", 0)
    record = stage.session.record
    assert (record.status, record.outcome, record.connected_at) == ("ended", "busy", 0)


def test_no_event_but_its_own_connects_a_call() -> None:
    stage = Stage(listens)
    stage.event("ParticipantsUpdated", participants=[], sequenceNumber=1)
    assert (stage.session.record.status, stage.session.record.connected_at) == ("ringing", 0)
    stage.connect()
    assert (stage.session.record.status, stage.session.record.connected_at) == ("connected", START)


# Transfers


@pytest.mark.parametrize(
    ("function", "accepted", "result", "outcome"),
    [
        (hands_over, (1,), (200, 7000, "over"), "transferred"),
        (hands_over, (1,), (200, 7015, "transferred"), "transferred"),
        (hands_over, (), (200, 7015, "transferred"), "transferred"),
        (hands_over, (), (200, 7000, "over"), "caller_left"),
        (listens, (), (200, 7015, "transferred"), "caller_left"),
        (hands_over_somebody, (1,), (200, 7000, "over"), "caller_left"),
        (hands_over_somebody, (), (200, 7015, "transferred"), "caller_left"),
        (hands_over_both, (1, 2), (200, 7000, "over"), "transferred"),
        (hands_over_both, (2,), (200, 7000, "over"), "caller_left"),
    ],
    ids=[
        "accepted",
        "accepted, and its end says so",
        "only its end says so",
        "the caller left before it was accepted",
        "there was no transfer",
        "somebody else was transferred",
        "somebody else is being transferred",
        "the caller, and then somebody else",
        "somebody else, and not yet the caller",
    ],
)
def test_a_call_was_transferred_if_its_own_transfer_was_accepted_or_its_end_says_so(
    function: Any, accepted: tuple[int, ...], result: Any, outcome: str
) -> None:
    stage = Stage(function).connect()
    for seq in accepted:
        stage.event("CallTransferAccepted", seq)
    stage.event("CallDisconnected", None, result)
    assert stage.session.record.outcome == outcome


# What comes of an action


@pytest.mark.parametrize("name", ["PlayPaused", "RecognizeCompleted", "TranscriptionStopped", "ParticipantsUpdated"])
def test_an_event_that_is_none_of_an_action_s_own_ends_nothing_though_it_names_it(name: str) -> None:
    stage = Stage(speaks).connect()
    stage.event(name, 1, participants=[], sequenceNumber=1)
    assert stage.issued == ["answer", "play"]
    assert stage.session.record.unconfirmed == [1], "nor does it show that the action was sent"


def test_the_start_of_an_action_shows_that_it_was_sent_and_does_not_end_it() -> None:
    stage = Stage(speaks).connect()
    assert stage.session.record.unconfirmed == [1]
    stage.event("PlayStarted", 1)
    assert stage.session.record.unconfirmed == []
    assert stage.issued == ["answer", "play"]
    stage.event("PlayCompleted", 1)
    assert stage.issued == ["answer", "play", "hang_up"]


@pytest.mark.parametrize("first", ["the first sending", "the second"])
def test_the_end_of_the_other_sending_is_not_told_again(first: str) -> None:
    stage = Stage(asks).connect()
    contexts = ["stage:1:0", "stage:1:1"]
    stage.feed(Resent(at=START, seq=1, attempt=1))
    for context in contexts if first == "the first sending" else contexts[::-1]:
        event = WIRE.event("RecognizeCompleted", context, recognitionType="dtmf", dtmfResult={"tones": ["one"]})
        stage.feed(EventReceived(at=START, event=event))
    assert [operation.seq for operation in stage.session.take_other_sendings()] == [1]


def test_a_move_of_two_is_done_when_both_are_here() -> None:
    async def moves(call: Call) -> None:
        await call.move_participants(["8:acs:ada", "8:acs:bob"], from_call="another")
        await call.play(text("welcome"))

    stage = Stage(moves).connect()
    for raw_id in ("8:acs:ada", "8:acs:ada"):
        stage.event("MoveParticipantSucceeded", 1, participant={"rawId": raw_id})
    assert stage.issued == ["answer", "move_participants"]
    stage.event("MoveParticipantSucceeded", 1, participant={"rawId": "8:acs:bob"})
    assert stage.issued == ["answer", "move_participants", "play"]
