"""What every operation refuses, as the official Python clients see it."""

from __future__ import annotations

from typing import Any

import pytest
from azure.communication.callautomation import (
    CallConnectionClient,
    CommunicationUserIdentifier,
    DtmfTone,
    FileSource,
    PhoneNumberIdentifier,
    RecognitionChoice,
    RecognizeInputType,
    SsmlSource,
    TextSource,
)
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError

from emulator.tests.conformance.openapi.published import derived
from emulator.tests.conformance.python_sdk.operations import ON_A_CALL, OTHERS
from emulator.tests.conformance.python_sdk.world import (
    ANSWERS,
    OWN,
    VOICE,
    Clients,
    World,
    needs,
    new_number,
)

WHO = PhoneNumberIdentifier(ANSWERS)
WRONG_KEY = "d3Jvbmcta2V5"
NO_CALL = "02004780-0000-4000-8000-000000000000"
on_a_call = pytest.mark.parametrize("operation", [pytest.param(name, marks=needs(name)) for name in ON_A_CALL])


def test_these_are_all_published_operations() -> None:
    assert {*ON_A_CALL, *OTHERS} == set(derived()["operations"])


@on_a_call
def test_an_unknown_call_is_not_found(world: World, operation: str) -> None:
    connection = world.client.get_call_connection(NO_CALL)
    with pytest.raises(ResourceNotFoundError) as refused:
        ON_A_CALL[operation](connection, WHO, world.sink.base)
    assert refused.value.error is not None
    assert (refused.value.error.code, refused.value.error.message) == ("8522", "Call not found.")


def test_an_ended_call_is_not_found_by_any_operation(world: World) -> None:
    leg, phone = world.caller()
    leg.connection.hang_up(True)
    leg.event("CallDisconnected")
    for name, operation in ON_A_CALL.items():
        if needs(name).args[0]:
            continue
        with pytest.raises(ResourceNotFoundError, match="Call not found"):
            operation(leg.connection, phone, world.sink.base)
    assert leg.names()[-1] == "CallDisconnected"


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param(name, marks=needs(name))
        for name in OTHERS
        if name not in ("CreateCall", "Connect", "CallRecording_StartRecording")
    ],
)
def test_an_unknown_context_or_recording_is_not_found(world: World, operation: str) -> None:
    with pytest.raises(ResourceNotFoundError) as refused:
        OTHERS[operation](world.client, WHO, world)
    assert refused.value.error is not None
    assert refused.value.error.code == "8522"


def test_every_operation_refuses_a_wrong_key(clients: Clients, world: World) -> None:
    """Also those that are not emulated: the signature is checked first."""
    stranger = clients.calls(key=WRONG_KEY)
    connection = stranger.get_call_connection(NO_CALL)
    for operation in ON_A_CALL.values():
        with pytest.raises(ClientAuthenticationError, match="Denied") as refused:
            operation(connection, WHO, world.sink.base)
        assert refused.value.status_code == 401
    for other in OTHERS.values():
        with pytest.raises(ClientAuthenticationError, match="Denied"):
            other(stranger, WHO, world)


def test_every_operation_takes_a_signature_with_a_trailing_slash_in_the_host(clients: Clients, world: World) -> None:
    """Refused for what they are, not for their signature."""
    client = clients.calls(endpoint=world.emulator.endpoint + "/")
    connection = client.get_call_connection(NO_CALL)
    for name, operation in ON_A_CALL.items():
        with pytest.raises(HttpResponseError) as refused:
            operation(connection, WHO, world.sink.base)
        assert refused.value.status_code == (501 if needs(name).args[0] else 404), name


def test_a_connection_client_of_its_own_works_as_well(world: World) -> None:
    leg, phone = world.caller()
    alone = CallConnectionClient(world.emulator.endpoint, AzureKeyCredential(world.emulator.access_key), leg.id)
    found = alone.get_participant(phone).identifier
    assert found is not None
    assert found.raw_id == phone.raw_id
    alone._client.close()


@pytest.mark.parametrize("version", ["2023-10-15", "2024-04-15", "2025-05-15", "2026-03-12"])
def test_older_versions_of_the_api_are_answered(clients: Clients, world: World, version: str) -> None:
    client = clients.calls(api_version=version)
    created = client.create_call(WHO, world.url(), source_caller_id_number=OWN)
    assert created.call_connection_state == "connecting"


def test_an_unknown_version_of_the_api_is_refused(clients: Clients) -> None:
    client = clients.calls(api_version="1999-01-01")
    with pytest.raises(HttpResponseError, match="api-version") as refused:
        client.get_call_connection(NO_CALL).get_call_properties()
    assert refused.value.status_code == 400


class TestBadRequests:
    """Requests that break the published schema or a documented rule: 400 with the field's name."""

    def refused(self, request: Any, *arguments: Any, **options: Any) -> Any:
        with pytest.raises(HttpResponseError) as refused:
            request(*arguments, **options)
        assert refused.value.status_code == 400
        assert refused.value.error is not None
        assert refused.value.error.code == "8523"
        return refused.value.error.target

    def test_create_call(self, world: World) -> None:
        create = world.client.create_call
        user = CommunicationUserIdentifier("8:acs:somebody")
        assert self.refused(create, WHO, world.url()) == "sourceCallerIdNumber"
        assert self.refused(create, user, "not an address") == "callbackUri"
        assert self.refused(create, PhoneNumberIdentifier("12"), world.url(), source_caller_id_number=OWN)
        assert self.refused(create, [user, user], world.url()) == "targets"
        assert self.refused(create, [user, WHO], world.url()) == "sourceCallerIdNumber"
        assert self.refused(create, [], world.url()) == "targets"

    def test_answer_and_reject(self, world: World) -> None:
        owned = new_number()
        world.emulator.control.place_call(new_number(), owned)
        context = world.sink.incoming(f"4:{owned}")["incomingCallContext"]
        assert self.refused(world.client.answer_call, context, "ftp://files") == "callbackUri"
        assert self.refused(world.client.reject_call, context, call_reject_reason="rude") == "callRejectReason"
        # The context is still good.
        world.client.reject_call(context)

    def test_participants(self, world: World) -> None:
        leg, phone = world.caller()
        connection = leg.connection
        stranger = PhoneNumberIdentifier(new_number())
        assert self.refused(connection.add_participant, stranger) == "sourceCallerIdNumber"
        assert (
            self.refused(connection.add_participant, stranger, source_caller_id_number=OWN, invitation_timeout=181)
            == "invitationTimeoutInSeconds"
        )
        assert self.refused(connection.add_participant, phone, source_caller_id_number=OWN) == "participantToAdd"
        assert self.refused(connection.remove_participant, stranger) == "participantToRemove"
        assert self.refused(connection.mute_participant, phone) == "targetParticipants[0]"
        assert self.refused(connection.mute_participant, stranger) == "targetParticipants[0]"
        assert self.refused(connection.transfer_call_to_participant, phone) == "targetParticipant"
        for request in (connection.hold, connection.unhold):
            assert self.refused(request, stranger) == "targetParticipant"
        with pytest.raises(ResourceNotFoundError):
            connection.get_participant(stranger)

    def test_play(self, world: World) -> None:
        leg, _ = world.caller()
        play = leg.connection.play_media
        assert self.refused(play, []) == "playSources"
        assert self.refused(play, TextSource(text="No voice")) == "playSources[0].text.voiceName"
        assert self.refused(play, TextSource(text="", voice_name=VOICE)) == "playSources[0].text.text"
        assert self.refused(play, TextSource(text="a" * 4001, voice_name=VOICE)) == "playSources[0].text.text"
        assert self.refused(play, FileSource(url="")) == "playSources[0].file.uri"
        assert self.refused(play, SsmlSource(ssml_text=" ")) == "playSources[0].ssml.ssmlText"
        stranger = [PhoneNumberIdentifier(new_number())]
        assert self.refused(play, FileSource(url=f"{world.sink.base}/prompt.wav"), stranger) == "playTo[0]"

    def test_recognize(self, world: World) -> None:
        leg, phone = world.caller()
        recognize = leg.connection.start_recognizing_media
        where = "recognizeOptions"
        dtmf, choices = RecognizeInputType.DTMF, RecognizeInputType.CHOICES
        assert (
            self.refused(recognize, dtmf, phone, initial_silence_timeout=301)
            == f"{where}.initialSilenceTimeoutInSeconds"
        )
        assert (
            self.refused(recognize, dtmf, phone, dtmf_inter_tone_timeout=61)
            == f"{where}.dtmfOptions.interToneTimeoutInSeconds"
        )
        assert (
            self.refused(recognize, dtmf, phone, dtmf_max_tones_to_collect=-1)
            == f"{where}.dtmfOptions.maxTonesToCollect"
        )
        assert self.refused(recognize, dtmf, PhoneNumberIdentifier(new_number())) == f"{where}.targetParticipant"
        assert self.refused(recognize, choices, phone) == f"{where}.choices"
        some = [
            RecognitionChoice(label="yes", phrases=["yes"], tone=DtmfTone.ONE),
            RecognitionChoice(label="no", phrases=["no"]),
        ]
        assert self.refused(recognize, choices, phone, choices=some) == f"{where}.choices"

    def test_tones(self, world: World) -> None:
        leg, phone = world.caller()
        send = leg.connection.send_dtmf_tones
        assert self.refused(send, ["eleven"], phone) == "tones[0]"
        assert self.refused(send, [DtmfTone.ONE] * 19, phone) == "tones"
        assert self.refused(send, [], phone) == "tones"
        stranger = PhoneNumberIdentifier(new_number())
        assert self.refused(send, [DtmfTone.ONE], stranger) == "targetParticipant"
        for request in (
            leg.connection.start_continuous_dtmf_recognition,
            leg.connection.stop_continuous_dtmf_recognition,
        ):
            assert self.refused(request, stranger) == "targetParticipant"

    def test_media_before_the_call_is_established(self, world: World) -> None:
        created = world.client.create_call(world.phone(afterSeconds=20), world.url(), source_caller_id_number=OWN)
        connection = world.leg(created).connection
        with pytest.raises(HttpResponseError) as refused:
            connection.play_media(FileSource(url=f"{world.sink.base}/prompt.wav"))
        assert refused.value.error is not None
        assert (refused.value.status_code, refused.value.error.code) == (400, "8501")


def test_speech_needs_cognitive_services(world: World) -> None:
    leg, phone = world.caller(speech=False)
    choices = [RecognitionChoice(label="yes", phrases=["yes"])]
    text = TextSource(text="Hello", voice_name=VOICE)
    for request, arguments, options in (
        (leg.connection.play_media, (text,), {}),
        (leg.connection.play_media, (SsmlSource(ssml_text="<speak>Hello</speak>"), [phone]), {}),
        (leg.connection.start_recognizing_media, (RecognizeInputType.SPEECH, phone), {}),
        (leg.connection.start_recognizing_media, (RecognizeInputType.SPEECH_OR_DTMF, phone), {}),
        (leg.connection.start_recognizing_media, (RecognizeInputType.CHOICES, phone), {"choices": choices}),
        (leg.connection.start_recognizing_media, (RecognizeInputType.DTMF, phone), {"play_prompt": text}),
        (leg.connection.hold, (phone,), {"play_source": text}),
    ):
        with pytest.raises(HttpResponseError) as refused:
            request(*arguments, **options)
        assert refused.value.error is not None
        assert (refused.value.status_code, refused.value.error.code) == (405, "8522")
    # A file needs none.
    leg.connection.play_media(FileSource(url=f"{world.sink.base}/prompt.wav"))
    leg.event("PlayCompleted")


def test_media_to_one_refuses_a_second_of_its_kind(world: World) -> None:
    leg, phone = world.caller()
    file = FileSource(url=f"{world.sink.base}/prompt.wav")
    leg.connection.play_media(file, [phone], loop=True)
    leg.event("PlayStarted")
    for request, arguments, options in (
        (leg.connection.play_media, (file, [phone]), {}),
        (leg.connection.send_dtmf_tones, ([DtmfTone.ONE], phone), {}),
    ):
        with pytest.raises(HttpResponseError) as refused:
            request(*arguments, **options)
        assert refused.value.error is not None
        assert (refused.value.status_code, refused.value.error.code) == (412, "8583")
    # Media to all, and recognize in a call of two, are on the main leg.
    leg.connection.play_media(file)
    leg.event("PlayCompleted")


def test_a_voip_call_cannot_be_redirected_to_a_number(world: World) -> None:
    callee = world.user()
    world.client.create_call(callee, world.url())
    context = world.sink.incoming(callee.raw_id)["incomingCallContext"]
    with pytest.raises(HttpResponseError) as refused:
        world.client.redirect_call(context, WHO)
    assert refused.value.error is not None
    assert (refused.value.status_code, refused.value.error.code) == (405, "8520")
