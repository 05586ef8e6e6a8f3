"""Participants added, listed, held, muted, removed and transferred."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from azure.communication.callautomation import (
    CommunicationUserIdentifier,
    FileSource,
    PhoneNumberIdentifier,
)
from azure.core.exceptions import HttpResponseError

from emulator.tests.conformance.python_sdk.world import BUSY, DECLINES, OWN, UNREACHABLE, Leg, World, needs


def present(leg: Leg) -> dict[str, Any]:
    return {one.identifier.raw_id: one for one in leg.connection.list_participants()}


def test_participants_are_listed_and_read_one_by_one(world: World) -> None:
    leg, phone = world.caller()
    assert world.answer_headers(":answer")["x-microsoft-skype-chain-id"] == leg.properties.correlation_id
    listed = present(leg)
    assert len(listed) == 2
    kinds = sorted(type(one.identifier).__name__ for one in listed.values())
    assert kinds == [CommunicationUserIdentifier.__name__, PhoneNumberIdentifier.__name__]
    one = leg.connection.get_participant(phone)
    assert isinstance(one.identifier, PhoneNumberIdentifier)
    assert one.identifier.properties["value"] == phone.properties["value"]
    assert (one.is_muted, one.is_on_hold) == (False, False)


def test_a_user_is_read_by_the_colons_in_its_id(world: World) -> None:
    a, b, caller, callee = world.two_legs()
    for who in (caller, callee):
        for leg in (a, b):
            assert leg.connection.get_participant(who).identifier.raw_id == who.raw_id


def test_a_number_is_added(world: World) -> None:
    leg, _ = world.caller()
    target = world.phone()
    added = leg.connection.add_participant(
        target,
        source_caller_id_number=OWN,
        source_display_name="Switchboard",
        operation_context="add",
        operation_callback_url=world.url("add"),
        sip_headers={"User-To-User": "616d617a;encoding=hex"},
    )
    assert world.status("participants:add") == 202
    assert world.answer_headers("participants:add")["repeatability-result"] == "accepted"
    assert added.invitation_id
    assert added.operation_context == "add"
    assert isinstance(added.participant.identifier, PhoneNumberIdentifier)
    assert added.participant.identifier.raw_id == target.raw_id
    succeeded = leg.event("AddParticipantSucceeded")
    assert succeeded["path"] == "/api/add"
    assert succeeded["data"]["operationContext"] == "add"
    assert succeeded["data"]["participant"]["rawId"] == target.raw_id
    leg.event("ParticipantsUpdated", 2)
    assert target.raw_id in present(leg)


def test_a_user_is_added_and_answered_by_the_application(world: World) -> None:
    leg, _ = world.caller()
    user = world.user()
    leg.connection.add_participant(user, voip_headers={"case": "42"})
    incoming = world.sink.incoming(user.raw_id)
    assert incoming["customContext"]["voipHeaders"] == {"case": "42"}
    assert incoming["serverCallId"] == leg.properties.server_call_id
    other = world.leg(world.client.answer_call(incoming["incomingCallContext"], world.url("b")))
    leg.event("AddParticipantSucceeded")
    other.event("CallConnected")
    assert other.properties.server_call_id == leg.properties.server_call_id
    assert len(present(leg)) == 3


@pytest.mark.parametrize(("number", "sub_code"), [(DECLINES, 8538), (BUSY, 8539), (UNREACHABLE, 8544)])
def test_an_invitation_that_is_not_taken_fails(world: World, number: str, sub_code: int) -> None:
    leg, _ = world.caller()
    target = PhoneNumberIdentifier(number)
    leg.connection.add_participant(target, source_caller_id_number=OWN, operation_context="add")
    failed = leg.data("AddParticipantFailed")
    assert failed["operationContext"] == "add"
    assert failed["participant"]["rawId"] == target.raw_id
    assert failed["resultInformation"]["subCode"] == sub_code
    assert target.raw_id not in present(leg)


def test_an_invitation_runs_out(world: World) -> None:
    leg, _ = world.caller()
    target = world.phone(behaviour="noAnswer")
    leg.connection.add_participant(target, source_caller_id_number=OWN, invitation_timeout=2)
    assert leg.result("AddParticipantFailed")[1] == 8587


def test_an_invitation_is_cancelled(world: World) -> None:
    leg, _ = world.caller()
    target = world.phone(behaviour="noAnswer")
    added = leg.connection.add_participant(target, source_caller_id_number=OWN)
    cancelled = leg.connection.cancel_add_participant_operation(
        added.invitation_id, operation_context="cancel", operation_callback_url=world.url("cancel")
    )
    assert world.status("participants:cancelAddParticipant") == 202
    assert (cancelled.invitation_id, cancelled.operation_context) == (added.invitation_id, "cancel")
    event = leg.event("CancelAddParticipantSucceeded")
    assert event["path"] == "/api/cancel"
    assert event["data"]["invitationId"] == added.invitation_id
    assert leg.result("CancelAddParticipantSucceeded") == (200, 5300)
    assert "AddParticipantFailed" not in leg.names()


def test_an_unknown_invitation_cannot_be_cancelled(world: World) -> None:
    leg, _ = world.caller()
    leg.connection.cancel_add_participant_operation("no-such-invitation", operation_context="cancel")
    failed = leg.data("CancelAddParticipantFailed")
    assert (failed["invitationId"], failed["operationContext"]) == ("no-such-invitation", "cancel")


def test_a_third_is_removed_and_the_call_goes_on(world: World) -> None:
    leg, phone = world.caller()
    third = world.third(leg)
    removed = leg.connection.remove_participant(
        third, operation_context="remove", operation_callback_url=world.url("remove")
    )
    assert world.status("participants:remove") == 202
    assert removed.operation_context == "remove"
    event = leg.event("RemoveParticipantSucceeded")
    assert (event["path"], event["data"]["participant"]["rawId"]) == ("/api/remove", third.raw_id)
    leg.event("ParticipantsUpdated", 3)
    assert phone.raw_id in present(leg)
    assert third.raw_id not in present(leg)


def test_the_only_other_is_removed_and_the_call_ends(world: World) -> None:
    leg, phone = world.caller()
    leg.connection.remove_participant(phone)
    assert leg.result("CallDisconnected") == (200, 5002)
    assert leg.names() == ["CallConnected", "RemoveParticipantSucceeded", "CallDisconnected"]


def test_a_user_is_muted(world: World) -> None:
    a, b, _, callee = world.two_legs()
    muted = a.connection.mute_participant(callee, operation_context="mute")
    assert world.status("participants:mute") == 200
    assert muted.operation_context == "mute"
    for leg in (a, b):
        updated = leg.data("ParticipantsUpdated", 2)
        assert {one["identifier"]["rawId"]: one["isMuted"] for one in updated["participants"]}[callee.raw_id]
    assert a.connection.get_participant(callee).is_muted


def test_a_participant_is_held_and_taken_back(world: World) -> None:
    leg, phone = world.caller()
    leg.connection.hold(phone, operation_context="hold")
    assert world.status(":hold") == 200
    assert leg.connection.get_participant(phone).is_on_hold
    leg.connection.unhold(phone, operation_context="unhold")
    assert world.status(":unhold") == 200
    assert not leg.connection.get_participant(phone).is_on_hold
    leg.event("ParticipantsUpdated", 3)
    # Nothing but ParticipantsUpdated tells of a hold without audio.
    assert leg.names() == ["CallConnected"]


def test_hold_with_audio_tells_of_the_audio(world: World) -> None:
    leg, phone = world.caller()
    music = FileSource(url=f"{world.sink.base}/prompt.wav")
    leg.connection.hold(phone, play_source=music, operation_context="hold", operation_callback_url=world.url("hold"))
    started = leg.event("HoldAudioStarted")
    assert (started["path"], started["data"]["operationContext"]) == ("/api/hold", "hold")
    leg.connection.unhold(phone)
    assert leg.result("HoldAudioCompleted") == (400, 8508)


def test_hold_with_audio_that_cannot_be_played_fails(world: World) -> None:
    leg, phone = world.caller()
    leg.connection.hold(phone, play_source=FileSource(url=f"{world.sink.base}/missing.wav"), operation_context="hold")
    assert leg.data("HoldFailed")["operationContext"] == "hold"
    assert leg.connection.get_participant(phone).is_on_hold


def test_a_call_of_two_is_transferred_and_the_application_leaves(world: World) -> None:
    leg, phone = world.caller()
    target = world.phone()
    transferred = leg.connection.transfer_call_to_participant(
        target,
        operation_context="transfer",
        operation_callback_url=world.url("transfer"),
        sip_headers={"X-MS-Custom-case": "42"},
        source_caller_id_number=OWN,
    )
    assert world.status(":transferToParticipant") == 202
    assert transferred.operation_context == "transfer"
    accepted = leg.event("CallTransferAccepted")
    assert (accepted["path"], accepted["data"]["operationContext"]) == ("/api/transfer", "transfer")
    assert accepted["data"]["transferTarget"]["rawId"] == target.raw_id
    assert accepted["data"]["transferee"]["rawId"] == phone.raw_id
    leg.event("CallDisconnected")
    assert leg.names() == ["CallConnected", "CallTransferAccepted", "CallDisconnected"]


def test_a_declined_transfer_leaves_the_call_as_it_was(world: World) -> None:
    leg, phone = world.caller()
    leg.connection.transfer_call_to_participant(PhoneNumberIdentifier(DECLINES), operation_context="transfer")
    assert leg.data("CallTransferFailed")["operationContext"] == "transfer"
    assert leg.connection.get_call_properties().call_connection_state == "connected"
    leg.connection.play_media(FileSource(url=f"{world.sink.base}/prompt.wav"), [phone])
    leg.event("PlayCompleted")


def test_one_of_a_group_is_transferred_and_the_application_stays(world: World) -> None:
    leg, phone = world.caller()
    third, target = world.third(leg), world.phone()
    leg.connection.transfer_call_to_participant(target, transferee=third, source_caller_id_number=OWN)
    assert leg.data("CallTransferAccepted")["transferee"]["rawId"] == third.raw_id
    leg.event("ParticipantsUpdated", 3)
    assert phone.raw_id in present(leg)
    assert third.raw_id not in present(leg)
    assert "CallDisconnected" not in leg.names()


@needs("CallConnection_MoveParticipants")
def test_a_participant_is_moved_from_another_call(world: World) -> None:
    source, phone = world.caller()
    target, other = world.caller()
    moved = target.connection.move_participants(
        [phone], source.id, operation_context="move", operation_callback_url=world.url("move")
    )
    assert world.status("participants:moveHere") == 202
    assert moved.operation_context == "move"
    assert moved.from_call == source.id
    assert [one.identifier.raw_id for one in moved.participants] == [phone.raw_id]
    succeeded = target.event("MoveParticipantSucceeded")
    assert (succeeded["path"], succeeded["data"]["operationContext"]) == ("/api/move", "move")
    assert succeeded["data"]["participant"]["rawId"] == phone.raw_id
    assert succeeded["data"]["fromCall"] == source.id
    target.event("ParticipantsUpdated", 2)
    assert {phone.raw_id, other.raw_id} <= set(present(target))


@needs("CallConnection_MoveParticipants")
def test_somebody_who_is_not_in_the_other_call_cannot_be_moved(world: World) -> None:
    source, _ = world.caller()
    target, other = world.caller()
    stranger = world.phone()
    with contextlib.suppress(HttpResponseError):
        target.connection.move_participants([stranger], source.id, operation_context="move")
        assert target.data("MoveParticipantFailed")["operationContext"] == "move"
    assert world.status("participants:moveHere") in (202, 400, 404)
    assert stranger.raw_id not in present(target)
    assert other.raw_id in present(target)
