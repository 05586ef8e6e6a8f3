"""The official Python client against the emulator, both sides of a call in one application."""

from __future__ import annotations

from typing import Any

import pytest
from azure.communication.callautomation import (
    CommunicationUserIdentifier,
    DtmfTone,
    FileSource,
    PhoneNumberIdentifier,
    RecognitionChoice,
    RecognizeInputType,
    SsmlSource,
    TextSource,
)
from azure.communication.callautomation.aio import CallAutomationClient
from azure.communication.identity.aio import CommunicationIdentityClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError

from acs_emulator.testing import AsyncControl, Running
from emulator.tests.support import COGNITIVE, Application

_SPEECH = COGNITIVE["cognitiveServicesEndpoint"]


async def two_legs(emulator: Running[AsyncControl], application: Application) -> tuple[Any, Any, Any, Any]:
    """A call from one user to another, created and answered by the application."""
    credential = AzureKeyCredential(emulator.access_key)
    async with CommunicationIdentityClient(emulator.endpoint, credential) as identities:
        made = [await identities.create_user() for _ in range(2)]
    # The two packages have identifier classes of their own.
    caller, callee = (CommunicationUserIdentifier(one.properties["id"]) for one in made)
    client = CallAutomationClient(emulator.endpoint, credential, source=caller)
    created = await client.create_call(
        callee, f"{application.base}/api/a", operation_context="create", cognitive_services_endpoint=_SPEECH
    )
    incoming = await application.incoming()
    answered = await client.answer_call(
        incoming["incomingCallContext"], f"{application.base}/api/b", cognitive_services_endpoint=_SPEECH
    )
    return client, created, answered, callee


async def test_both_legs_of_a_call_share_its_server_call_id_and_connect(
    emulator: Running[AsyncControl], application: Application
) -> None:
    client, created, answered, callee = await two_legs(emulator, application)
    a, b = created.call_connection_id, answered.call_connection_id
    assert a != b
    for leg in (a, b):
        connected = await application.event("CallConnected", leg)
        updated = await application.event("ParticipantsUpdated", leg)
        assert connected["data"]["serverCallId"] == answered.server_call_id
        assert connected["data"]["correlationId"] == created.correlation_id
        assert updated["data"]["sequenceNumber"] == 1
        assert len(updated["data"]["participants"]) == 2
    connection = client.get_call_connection(a)
    assert (await connection.get_call_properties()).call_connection_state == "connected"
    assert [p.identifier.raw_id async for p in connection.list_participants()]
    assert (await connection.get_participant(callee)).identifier.raw_id == callee.raw_id
    await connection.hang_up(is_for_everyone=True)
    ended = [await application.event("CallDisconnected", leg) for leg in (a, b)]
    assert [event["data"]["resultInformation"]["subCode"] for event in ended] == [7000, 5001]
    with pytest.raises(ResourceNotFoundError, match="Call not found"):
        await connection.get_call_properties()
    await client.close()


async def test_media_operations_of_the_client_are_taken(
    emulator: Running[AsyncControl], application: Application
) -> None:
    client, created, _, callee = await two_legs(emulator, application)
    leg = created.call_connection_id
    await application.event("CallConnected", leg)
    connection = client.get_call_connection(leg)
    await connection.play_media(
        [TextSource(text="One", voice_name="en-US-JennyNeural"), SsmlSource(ssml_text="<speak>broken")],
        operation_context="p",
    )
    failed = await application.event("PlayFailed", leg)
    assert failed["data"]["failedPlaySourceIndex"] == 1
    assert failed["data"]["resultInformation"]["subCode"] == 8565
    await connection.start_recognizing_media(
        RecognizeInputType.CHOICES,
        callee,
        play_prompt=TextSource(text="Choose", voice_name="en-US-JennyNeural"),
        choices=[RecognitionChoice(label="yes", phrases=["yes"], tone=DtmfTone.ONE)],
        operation_context="r",
        operation_callback_url=f"{application.base}/api/recognize",
    )
    silence = await application.event("RecognizeFailed", leg)
    assert silence["data"]["resultInformation"] == {
        "code": 400,
        "subCode": 8510,
        "message": "Action failed, initial silence timeout reached.",
    }
    assert silence["path"] == "/api/recognize"
    await connection.play_media(FileSource(url=f"{application.base}/missing.wav"), [callee])
    unreachable = await application.event("PlayFailed", leg, 2)
    assert unreachable["data"]["resultInformation"]["subCode"] == 8536
    held = [event["data"]["participants"] for event in application.named("ParticipantsUpdated", leg)]
    assert [[p["isOnHold"] for p in participants] for participants in held][1] == [False, True]
    await connection.play_media(TextSource(text="Loop", voice_name="en-US-JennyNeural"), loop=True)
    await application.event("PlayStarted", leg, 2)
    await connection.cancel_all_media_operations()
    canceled = await application.event("PlayCanceled", leg)
    assert canceled["data"]["resultInformation"]["subCode"] == 8508
    await client.close()


async def test_reject_ends_the_callers_leg_with_both_events(
    emulator: Running[AsyncControl], application: Application
) -> None:
    credential = AzureKeyCredential(emulator.access_key)
    async with CallAutomationClient(emulator.endpoint + "/", credential) as client:
        target = CommunicationUserIdentifier(f"8:acs:{emulator.resource_id}_00000026-0000-0000-0000-000000000001")
        created = await client.create_call(target, f"{application.base}/api/a")
        context = (await application.incoming())["incomingCallContext"]
        assert 7000 <= len(context) <= 8300
        assert context.endswith(".")
        await client.reject_call(context)
        for name in ("CreateCallFailed", "CallDisconnected"):
            event = await application.event(name, created.call_connection_id)
            assert event["data"]["resultInformation"]["code"] == 200
            assert event["data"]["resultInformation"]["subCode"] == 5002
        with pytest.raises(ResourceNotFoundError):
            await client.answer_call(context, f"{application.base}/api/b")


async def test_a_wrong_key_is_refused(emulator: Running[AsyncControl]) -> None:
    async with CallAutomationClient(emulator.endpoint, AzureKeyCredential("d3Jvbmc=")) as client:
        with pytest.raises(ClientAuthenticationError, match="Denied"):
            await client.get_call_connection("x").get_call_properties()


async def test_a_number_needs_a_caller_id(emulator: Running[AsyncControl], application: Application) -> None:
    async with CallAutomationClient(emulator.endpoint, AzureKeyCredential(emulator.access_key)) as client:
        with pytest.raises(HttpResponseError, match="sourceCallerIdNumber"):
            await client.create_call(PhoneNumberIdentifier("+15550100001"), f"{application.base}/api/a")
        created = await client.create_call(
            PhoneNumberIdentifier("+15550100001"),
            f"{application.base}/api/a",
            source_caller_id_number=PhoneNumberIdentifier("+18005551212"),
        )
        await application.event("CallConnected", created.call_connection_id)
