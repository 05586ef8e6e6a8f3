"""Events that do not say what they seem to say: recorders, gaps, repeated numbers, one event for each of several."""

from __future__ import annotations

from typing import Any

import pytest

from shared.calls import ActionCanceled, ActionFailed, Call, text
from shared.calls.journal import Accepted, EventReceived, Responded, Signalled
from shared.calls.tones import ToneOrder
from tests.unit.calls.test_replay import Stage
from tests.unit.calls.world import START, Wire

WIRE = Wire()
OWN = "02004780-0000-4000-8000-000000000001"
ADA, BOB = "8:acs:ada", "8:acs:bob"


def who(raw_id: str) -> dict[str, Any]:
    return {"rawId": raw_id, "kind": "communicationUser", "communicationUser": {"id": raw_id}}


async def waits(call: Call) -> None:
    await call.ended()


@pytest.mark.parametrize("name", ["RecordingStateChanged", "StartRecordingFailed"])
def test_the_connection_of_a_recorder_is_not_taken_for_the_calls_own(name: str) -> None:
    stage = Stage(waits)
    body = WIRE.event(name, recordingId="r", state="active")
    body["data"]["callConnectionId"] = "the-recorder"
    stage.feed(EventReceived(at=START, event=body))
    assert stage.session.record.call_connection_id == ""
    stage.connect()
    assert stage.session.record.call_connection_id == OWN
    stage.feed(EventReceived(at=START, event={**body, "id": "again"}))
    assert stage.session.record.call_connection_id == OWN


def test_a_recording_that_failed_after_all_shows_in_the_record() -> None:
    stage = Stage(waits).connect()
    stage.event("StartRecordingFailed", recordingId="r")
    assert stage.session.record.recording == "refused"


def test_a_move_of_several_is_over_when_the_last_one_is_here() -> None:
    done: list[str] = []

    async def function(call: Call) -> None:
        event = await call.move_participants([ADA, BOB], from_call="other")
        done.append(event.name)

    stage = Stage(function).connect()
    stage.event("MoveParticipantSucceeded", 1, participant=who(BOB), fromCall="other")
    stage.event("MoveParticipantSucceeded", 1, participant=who(BOB), fromCall="other")
    assert done == []
    stage.event("MoveParticipantSucceeded", 1, participant=who(ADA), fromCall="other")
    assert done == ["MoveParticipantSucceeded"]


def test_a_move_fails_when_one_of_them_cannot_be_moved() -> None:
    errors: list[ActionFailed] = []

    async def function(call: Call) -> None:
        try:
            await call.move_participants([ADA, BOB], from_call="other")
        except ActionFailed as error:
            errors.append(error)

    stage = Stage(function).connect()
    stage.event("MoveParticipantSucceeded", 1, participant=who(ADA), fromCall="other")
    stage.event("MoveParticipantFailed", 1, (404, 8522, ""), participant=who(BOB), fromCall="other")
    assert [error.sub_code for error in errors] == [8522]


def pressing(stage: Stage, *keys: tuple[int, str]) -> None:
    for number, tone in keys:
        stage.event("ContinuousDtmfRecognitionToneReceived", 1, sequenceId=number, tone=tone)


def test_keys_that_are_here_are_read_in_the_order_in_which_they_were_pressed_over_gaps() -> None:
    keys: list[str] = []

    async def function(call: Call) -> None:
        await call.start_continuous_dtmf()
        while True:
            await call.signal("read")
            while len(keys) < 5:
                keys.append(await call.next_tone())

    stage = Stage(function).connect()
    stage.feed(Responded(at=START, seq=1))
    pressing(stage, (2, "two"), (1, "one"), (1, "one"), (6, "six"), (5, "five"))
    assert keys == []
    stage.feed(Signalled(at=START, id="s", name="read"))
    assert keys == ["1", "2", "5", "6"]
    pressing(stage, (8, "pound"))
    assert keys == ["1", "2", "5", "6", "#"]


def test_no_key_waits_for_a_number_that_is_missing_and_one_that_comes_late_is_not_lost() -> None:
    order = ToneOrder()
    for number in (1, 3, 3, 2):
        order.add(number, str(number))
        if number != 2:
            assert order.next() in ("1", "3", None)
    assert [order.next(), order.next()] == ["2", None]
    order.add(2, "2")
    assert order.next() is None


def test_a_key_after_a_skipped_number_is_heard_at_once() -> None:
    order = ToneOrder()
    order.add(1, "1")
    assert order.next() == "1"
    order.add(3, "5")
    assert order.next() == "5"


def test_keys_whose_numbers_begin_again_with_a_new_start_are_not_lost() -> None:
    order = ToneOrder()
    for number in (1, 2, 3):
        order.add(number, str(number))
    assert [order.next() for _ in range(4)] == ["1", "2", "3", None]
    order.start()
    order.add(1, "a")
    assert order.next() == "a"
    order.start()
    order.add(2, "b")
    assert order.next() == "b"


def test_keys_that_were_not_read_before_a_new_start_come_before_those_after_it() -> None:
    order = ToneOrder()
    for number in (1, 2):
        order.add(number, f"old {number}")
    order.start()
    for number in (2, 1):
        order.add(number, f"new {number}")
    order.add(1, "new 1 once more")
    assert [order.next() for _ in range(5)] == ["old 1", "old 2", "new 1", "new 2", None]


def test_keys_whose_numbers_go_on_after_a_new_start_stay_in_order() -> None:
    order = ToneOrder()
    for number in (1, 3):
        order.add(number, str(number))
    order.start()
    for number in (4, 2):
        order.add(number, str(number))
    assert [order.next() for _ in range(5)] == ["1", "2", "3", "4", None]


@pytest.mark.parametrize("waits_already", [True, False])
def test_a_flow_that_waits_for_a_key_learns_that_listening_failed(waits_already: bool) -> None:
    errors: list[ActionFailed] = []

    async def function(call: Call) -> None:
        await call.start_continuous_dtmf()
        if not waits_already:
            await call.signal("go-on")
        try:
            await call.next_tone()
        except ActionFailed as error:
            errors.append(error)
        await call.play(text("Please hold the line."))

    stage = Stage(function).connect()
    stage.feed(Responded(at=START, seq=1))
    stage.event("ContinuousDtmfRecognitionToneFailed", 1, (500, 9999, "no"))
    if not waits_already:
        stage.feed(Signalled(at=START, id="s", name="go-on"))
    assert [(error.action, error.sub_code) for error in errors] == [("start_continuous_dtmf", 9999)]
    assert stage.issued == ["answer", "start_continuous_dtmf", "play"]


def test_a_cancelled_invitation_is_known_by_its_id() -> None:
    ends: list[BaseException] = []

    async def function(call: Call) -> None:
        invitations = [call.add_participant(ADA), call.add_participant(BOB)]
        call.cancel_add_participant(invitations[1])
        try:
            await invitations[1]
        except ActionCanceled as error:
            ends.append(error)

    stage = Stage(function).connect()
    for seq, invitation in ((1, "for ada"), (2, "for bob")):
        stage.feed(Accepted(at=START, seq=seq, value={"invitationId": invitation}))
    stage.event("CancelAddParticipantSucceeded", None, (200, 5300, ""), invitationId="somebody else's")
    assert ends == []
    stage.event("CancelAddParticipantSucceeded", 3, (200, 5300, ""), invitationId="for bob")
    assert len(ends) == 1


def test_a_hold_that_fails_after_it_was_taken_is_journaled_and_stops_nothing() -> None:
    async def function(call: Call) -> None:
        await call.hold()
        await call.play(text("Still here."), to=ADA)

    stage = Stage(function).connect()
    stage.feed(Responded(at=START, seq=1))
    stage.event("HoldFailed", 1, (400, 8535, ""))
    assert stage.issued == ["answer", "hold", "play"]
    assert stage.failures == []


def test_a_transferred_call_is_not_hung_up() -> None:
    async def function(call: Call) -> None:
        await call.transfer(ADA)

    stage = Stage(function).connect()
    stage.event("CallTransferAccepted", 1)
    assert stage.issued == ["answer", "transfer"]
    stage.event("CallDisconnected", None, (200, 7015, ""))
    assert stage.issued == ["answer", "transfer"]
    assert stage.session.record.status == "ended"
