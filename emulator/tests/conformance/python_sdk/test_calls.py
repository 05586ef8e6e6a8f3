"""Calls placed, answered, sent on, refused and ended."""

from __future__ import annotations

import contextlib
import uuid
from email.utils import formatdate
from typing import Any

import pytest
from azure.communication.callautomation import (
    CallRejectReason,
    CommunicationUserIdentifier,
    PhoneNumberIdentifier,
    TextSource,
)
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from emulator.tests.conformance.python_sdk.world import (
    ANSWERS,
    BUSY,
    DECLINES,
    OWN,
    SPEECH,
    UNREACHABLE,
    VOICE,
    Clients,
    World,
    needs,
    new_number,
)

GUID = r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}"


def place(world: World, number: str, **options: Any) -> Any:
    options.setdefault("source_caller_id_number", OWN)
    return world.client.create_call(PhoneNumberIdentifier(number), world.url(), **options)


def test_a_call_to_a_number_is_created_and_connects(world: World) -> None:
    created = place(world, ANSWERS, operation_context="out", source_display_name="Reception")
    assert world.status("/callConnections") == 201
    assert created.call_connection_state == "connecting"
    assert uuid.UUID(created.call_connection_id)
    assert created.server_call_id is None
    assert [type(target) for target in created.targets] == [PhoneNumberIdentifier]
    assert created.targets[0].raw_id == f"4:{ANSWERS}"
    assert created.source_caller_id_number.properties["value"] == OWN.properties["value"]
    assert created.source_display_name == "Reception"
    assert isinstance(created.source, CommunicationUserIdentifier)
    assert created.callback_url == world.url()
    leg = world.leg(created)
    connected = leg.data("CallConnected")
    assert connected["operationContext"] == "out"
    assert connected["correlationId"] == created.correlation_id
    live = leg.connection.get_call_properties()
    assert live.call_connection_state == "connected"
    assert live.server_call_id == connected["serverCallId"]
    assert live.media_streaming_subscription.state == "disabled"
    assert live.transcription_subscription.state == "disabled"


def test_answers_carry_the_headers_of_the_service(world: World) -> None:
    created = place(world, ANSWERS)
    headers = world.answer_headers("/callConnections")
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert headers["x-microsoft-skype-chain-id"] == created.correlation_id
    assert headers["x-microsoft-skype-client"].startswith("azsdk-python-communication-callautomation/1.6.0")
    assert headers["x-ms-client-request-id"] == world.clients.answers[-1]["sent"]["x-ms-client-request-id"]
    assert "2026-03-12" in headers["api-supported-versions"]
    assert headers["x-azure-ref"]
    assert "date" in headers
    # Recorded on terminate, not on create.
    assert "repeatability-result" not in headers
    leg = world.leg(created)
    leg.event("CallConnected")
    leg.connection.hang_up(True)
    assert world.status(":terminate") == 204
    assert world.answer_headers(":terminate")["repeatability-result"] == "accepted"


@pytest.mark.parametrize(("number", "sub_code"), [(DECLINES, 8538), (BUSY, 8539), (UNREACHABLE, 8544)])
def test_a_call_that_nobody_takes_fails_and_is_gone(world: World, number: str, sub_code: int) -> None:
    leg = world.leg(place(world, number, operation_context="out"))
    leg.event("CallDisconnected")
    assert leg.names() == ["CreateCallFailed", "CallDisconnected"]
    failed = leg.data("CreateCallFailed")
    assert failed["operationContext"] == "out"
    assert failed["resultInformation"]["subCode"] == sub_code
    with pytest.raises(ResourceNotFoundError):
        leg.connection.get_call_properties()


def test_a_call_to_several_connects_with_the_first_who_answers(world: World) -> None:
    targets = [world.phone(behaviour="decline"), world.phone(), world.user()]
    created = world.client.create_call(targets, world.url(), source_caller_id_number=OWN)
    assert {target.raw_id for target in created.targets} == {target.raw_id for target in targets}
    leg = world.leg(created)
    leg.event("CallConnected")
    leg.event("ParticipantsUpdated")
    present = [one.identifier.raw_id for one in leg.connection.list_participants()]
    assert targets[1].raw_id in present


def test_a_phone_call_is_answered(world: World) -> None:
    number = new_number()
    leg, phone = world.caller(number=number)
    answered = leg.properties
    assert world.status(":answer") == 200
    assert answered.call_connection_state == "connecting"
    assert isinstance(answered.source, PhoneNumberIdentifier)
    assert answered.source.raw_id == f"4:{number}"
    assert isinstance(answered.answered_for, PhoneNumberIdentifier)
    assert answered.server_call_id
    connected = leg.data("CallConnected")
    assert connected["operationContext"] == "answer"
    assert connected["serverCallId"] == answered.server_call_id
    updated = leg.data("ParticipantsUpdated")
    assert updated["sequenceNumber"] == 1
    assert "operationContext" not in updated
    assert phone.raw_id in [one["identifier"]["rawId"] for one in updated["participants"]]


def test_a_context_is_good_for_one_answer(world: World) -> None:
    owned = new_number()
    world.emulator.control.place_call(new_number(), owned)
    context = world.sink.incoming(f"4:{owned}")["incomingCallContext"]
    world.client.answer_call(context, world.url())
    with pytest.raises(ResourceNotFoundError):
        world.client.answer_call(context, world.url())
    with pytest.raises(ResourceNotFoundError):
        world.client.redirect_call(context, OWN)
    with pytest.raises(ResourceNotFoundError):
        world.client.reject_call(context)


def test_both_legs_of_a_call_belong_to_the_application(world: World) -> None:
    a, b, caller, callee = world.two_legs()
    assert a.id != b.id
    assert a.data("CallConnected")["serverCallId"] == b.properties.server_call_id
    assert a.data("CallConnected")["operationContext"] == "create"
    assert b.data("CallConnected")["operationContext"] == "answer"
    assert (a.event("CallConnected")["path"], b.event("CallConnected")["path"]) == ("/api/a", "/api/b")
    assert a.properties.correlation_id == b.properties.correlation_id
    for leg in (a, b):
        present = list(leg.connection.list_participants())
        assert {one.identifier.raw_id for one in present} == {caller.raw_id, callee.raw_id}
        assert all(isinstance(one.identifier, CommunicationUserIdentifier) for one in present)
    assert b.properties.source.raw_id == caller.raw_id


def test_hang_up_for_everyone_ends_both_legs(world: World) -> None:
    a, b, _, _ = world.two_legs()
    a.connection.hang_up(True)
    assert a.result("CallDisconnected") == (200, 7000)
    assert b.result("CallDisconnected")[0] == 200
    for leg in (a, b):
        assert leg.names()[-1] == "CallDisconnected"
        with pytest.raises(ResourceNotFoundError):
            leg.connection.hang_up(True)


def test_hang_up_of_one_leg_of_two_ends_the_call(world: World) -> None:
    a, b, _, _ = world.two_legs()
    a.connection.hang_up(False)
    assert world.status(a.id) == 204
    assert a.result("CallDisconnected") == (200, 7000)
    assert b.result("CallDisconnected")[0] == 200


def test_hang_up_of_one_leg_of_three_leaves_the_others(world: World) -> None:
    a, b, _, callee = world.two_legs()
    third = world.third(a)
    a.connection.hang_up(False)
    a.event("CallDisconnected")
    present = {one.identifier.raw_id for one in b.connection.list_participants()}
    assert present == {callee.raw_id, third.raw_id}
    assert b.connection.get_call_properties().call_connection_state == "connected"


def test_the_callers_hang_up_ends_the_call(world: World) -> None:
    leg, _ = world.caller([{"when": "prompted", "hangUp": True}])
    leg.connection.play_media(TextSource(text="One moment please, do stay on the line", voice_name=VOICE))
    assert leg.result("CallDisconnected") == (200, 5002)
    assert leg.names() == ["CallConnected", "PlayStarted", "CallDisconnected"]


@pytest.mark.parametrize("reason", [None, *CallRejectReason])
def test_a_rejected_call_fails_on_the_callers_leg(world: World, reason: CallRejectReason | None) -> None:
    callee = world.user()
    leg = world.leg(world.client.create_call(callee, world.url(), operation_context="out"))
    context = world.sink.incoming(callee.raw_id)["incomingCallContext"]
    world.client.reject_call(context, **({} if reason is None else {"call_reject_reason": reason}))
    assert world.status(":reject") == 204
    assert leg.result("CreateCallFailed") == leg.result("CallDisconnected") == (200, 5002)
    assert leg.names() == ["CreateCallFailed", "CallDisconnected"]


def test_a_redirected_call_rings_the_other_user(world: World) -> None:
    first, second = world.user(), world.user()
    leg = world.leg(world.client.create_call(first, world.url()))
    world.client.redirect_call(world.sink.incoming(first.raw_id)["incomingCallContext"], second)
    assert world.status(":redirect") == 204
    incoming = world.sink.incoming(second.raw_id)
    answered = world.client.answer_call(incoming["incomingCallContext"], world.url("b"))
    leg.event("CallConnected")
    world.leg(answered).event("CallConnected")
    assert second.raw_id in [one.identifier.raw_id for one in leg.connection.list_participants()]


def test_a_phone_call_is_redirected_to_a_number(world: World) -> None:
    owned, target = new_number(), world.phone()
    call = world.emulator.control.place_call(new_number(), owned)
    world.client.redirect_call(world.sink.incoming(f"4:{owned}")["incomingCallContext"], target)
    known = {one["id"]: one for one in world.emulator.control.state()["calls"]}
    assert known[call["id"]]["legs"] == []


def test_an_incoming_call_tells_who_calls(world: World) -> None:
    caller, callee = world.user(), world.user()
    client = world.clients.calls(source=caller)
    created = client.create_call(callee, world.url(), source_display_name="Alex")
    incoming = world.sink.incoming(callee.raw_id)
    assert list(incoming["from"]) == ["kind", "rawId", "communicationUser"]
    assert incoming["from"]["rawId"] == caller.raw_id
    assert incoming["to"]["rawId"] == callee.raw_id
    assert incoming["callerDisplayName"] == "Alex"
    assert incoming["correlationId"] == created.correlation_id
    assert incoming["incomingCallContext"].endswith(".")
    assert created.source.raw_id == caller.raw_id


def test_event_grid_tells_of_a_call_between_users(world: World) -> None:
    a, b, caller, _callee = world.two_legs()
    server_call = b.properties.server_call_id
    started = world.sink.grid_event("CallStarted", server_call)
    assert started["data"]["startedBy"]["communicationIdentifier"]["rawId"] == caller.raw_id
    a.connection.hang_up(True)
    world.sink.grid_event("CallEnded", server_call)
    world.sink.grid_event("CallParticipantRemoved", server_call)
    added = [
        event["data"]["user"]["communicationIdentifier"]["rawId"]
        for event in world.sink.grid
        if event["eventType"].endswith("CallParticipantAdded") and event["data"]["serverCallId"] == server_call
    ]
    assert caller.raw_id in added


def test_a_repeated_create_is_carried_out_once(world: World) -> None:
    headers = {"Repeatability-Request-ID": str(uuid.uuid4()), "Repeatability-First-Sent": formatdate(usegmt=True)}
    once, again = (place(world, ANSWERS, headers=headers) for _ in range(2))
    assert once.call_connection_id == again.call_connection_id
    world.leg(once).event("CallConnected")
    assert len(world.emulator.control.state()["calls"]) == 1
    other = place(world, ANSWERS)
    assert other.call_connection_id != once.call_connection_id


def test_repeated_requests_on_a_call_are_carried_out_once(world: World) -> None:
    leg, _ = world.caller()
    headers = {"Repeatability-Request-ID": str(uuid.uuid4()), "Repeatability-First-Sent": formatdate(usegmt=True)}
    target = world.phone(behaviour="noAnswer")
    invited = [
        leg.connection.add_participant(target, source_caller_id_number=OWN, headers=dict(headers)) for _ in range(2)
    ]
    assert invited[0].invitation_id == invited[1].invitation_id
    for _ in range(2):
        leg.connection.cancel_add_participant_operation(invited[0].invitation_id, headers=dict(headers))
        leg.connection.hang_up(True, headers=dict(headers))
    leg.event("CallDisconnected")
    assert leg.names() == ["CallConnected", "CancelAddParticipantSucceeded", "CallDisconnected"]


def test_a_repeatability_id_needs_its_date(world: World) -> None:
    with pytest.raises(HttpResponseError) as refused:
        place(
            world, ANSWERS, headers={"Repeatability-Request-ID": str(uuid.uuid4()), "Repeatability-First-Sent": "soon"}
        )
    assert refused.value.status_code == 400


def test_the_clients_own_retry_repeats_the_request_id(world: World) -> None:
    world.emulator.control.add_faults(
        {"kind": "status", "match": {"operation": "CreateCall"}, "status": 503, "count": 1}
    )
    client = world.clients.calls(retry_backoff_factor=0.001)
    created = client.create_call(PhoneNumberIdentifier(ANSWERS), world.url(), source_caller_id_number=OWN)
    world.leg(created).event("CallConnected")
    first, second = world.clients.answers
    assert (first["status"], second["status"]) == (503, 201)
    assert first["sent"]["repeatability-request-id"] == second["sent"]["repeatability-request-id"]
    # The refusal above is a fault of this test, not an answer of the emulator.
    world.emulator.control.reset()


def test_a_trailing_slash_in_the_endpoint_carries_a_whole_call(clients: Clients, world: World) -> None:
    world.client = clients.calls(endpoint=world.emulator.endpoint + "/")
    leg, phone = world.caller()
    assert leg.connection.get_participant(phone).identifier.raw_id == phone.raw_id
    leg.connection.play_media(TextSource(text="Hello", voice_name=VOICE))
    leg.event("PlayCompleted")
    leg.connection.hang_up(False)
    leg.event("CallDisconnected")


@needs("Connect")
def test_a_call_is_connected_to_by_its_server_call_id(world: World) -> None:
    leg, phone = world.caller()
    server_call = leg.properties.server_call_id
    connected = world.client.connect_call(
        world.url("observer"),
        server_call_id=server_call,
        operation_context="connect",
        cognitive_services_endpoint=SPEECH,
    )
    assert world.status(":connect") == 200
    assert connected.call_connection_id != leg.id
    observer = world.leg(connected)
    event = observer.event("CallConnected")
    assert event["path"] == "/api/observer"
    assert event["data"]["operationContext"] == "connect"
    assert event["data"]["serverCallId"] == server_call
    assert phone.raw_id in [one.identifier.raw_id for one in observer.connection.list_participants()]
    observer.connection.hang_up(False)
    observer.event("CallDisconnected")


@needs("Connect")
def test_a_connection_to_no_call_fails_at_once_or_by_its_event(world: World) -> None:
    with contextlib.suppress(HttpResponseError):
        connected = world.client.connect_call(world.url(), server_call_id="bm8gc3VjaCBjYWxs", operation_context="c")
        assert world.leg(connected).data("ConnectFailed")["operationContext"] == "c"
    assert world.status(":connect") in (200, 400, 404)
