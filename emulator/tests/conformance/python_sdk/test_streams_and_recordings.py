"""Media streaming, transcription and recording: each runs as soon as the emulator carries it out."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import WSMsgType, web
from azure.communication.callautomation import (
    AudioFormat,
    ChannelAffinity,
    MediaStreamingAudioChannelType,
    MediaStreamingContentType,
    MediaStreamingOptions,
    RecordingChannel,
    RecordingContent,
    RecordingFormat,
    StreamingTransportType,
    TranscriptionOptions,
)
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from emulator.tests.conformance.openapi.sink import Loop
from emulator.tests.conformance.python_sdk.world import SPEECH, Leg, World, needs, new_number


@pytest.fixture
def transport(loop: Loop) -> Iterator[str]:
    """A web socket server that takes everything."""

    async def accept(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                break
        return socket

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/socket", accept)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    runner = loop.run(start())
    yield f"ws://127.0.0.1:{runner.addresses[0][1]}/socket"
    loop.run(runner.cleanup())


def answered(world: World, **options: Any) -> Leg:
    owned = new_number()
    world.emulator.control.place_call(new_number(), owned)
    context = world.sink.incoming(f"4:{owned}")["incomingCallContext"]
    properties = world.client.answer_call(context, world.url(), cognitive_services_endpoint=SPEECH, **options)
    leg = world.leg(properties)
    leg.event("CallConnected")
    return leg


def streaming(transport: str, *, start: bool = False) -> MediaStreamingOptions:
    return MediaStreamingOptions(
        transport_url=transport,
        transport_type=StreamingTransportType.WEBSOCKET,
        content_type=MediaStreamingContentType.AUDIO,
        audio_channel_type=MediaStreamingAudioChannelType.MIXED,
        start_media_streaming=start,
        enable_bidirectional=True,
        audio_format=AudioFormat.PCM16_K_MONO,
    )


def transcription(transport: str, *, start: bool = False) -> TranscriptionOptions:
    return TranscriptionOptions(
        transport_url=transport,
        transport_type=StreamingTransportType.WEBSOCKET,
        locale="en-US",
        start_transcription=start,
    )


def test_the_options_of_both_streams_are_taken_when_a_call_is_answered(world: World, transport: str) -> None:
    leg = answered(world, media_streaming=streaming(transport), transcription=transcription(transport))
    assert leg.connection.get_call_properties().call_connection_state == "connected"


@needs("CallMedia_StartMediaStreaming")
@needs("CallMedia_StopMediaStreaming")
class TestMediaStreaming:
    def test_it_starts_and_stops(self, world: World, transport: str) -> None:
        leg = answered(world, media_streaming=streaming(transport))
        assert leg.properties.media_streaming_subscription.state == "inactive"
        leg.connection.start_media_streaming(operation_context="start", operation_callback_url=world.url("stream"))
        assert world.status(":startMediaStreaming") == 202
        started = leg.event("MediaStreamingStarted")
        assert (started["path"], started["data"]["operationContext"]) == ("/api/stream", "start")
        update = started["data"]["mediaStreamingUpdate"]
        assert update["mediaStreamingStatus"] == "mediaStreamingStarted"
        assert update["mediaStreamingStatusDetails"] == "subscriptionStarted"
        live = leg.connection.get_call_properties().media_streaming_subscription
        assert live.state == "active"
        assert live.subscribed_content_types == ["audio"]
        leg.connection.stop_media_streaming()
        assert world.status(":stopMediaStreaming") == 202
        stopped = leg.data("MediaStreamingStopped")["mediaStreamingUpdate"]
        assert stopped["mediaStreamingStatus"] == "mediaStreamingStopped"
        assert leg.connection.get_call_properties().media_streaming_subscription.state == "inactive"

    def test_it_starts_with_the_call(self, world: World, transport: str) -> None:
        leg = answered(world, media_streaming=streaming(transport, start=True))
        assert leg.result("MediaStreamingStarted") == (200, 0)

    def test_a_socket_that_nobody_listens_on_is_a_failure(self, world: World) -> None:
        leg = answered(world, media_streaming=streaming("ws://127.0.0.1:9/socket"))
        leg.connection.start_media_streaming(operation_context="start")
        leg.event("MediaStreamingFailed")

    def test_a_call_without_streaming_is_told_that_the_address_is_missing(self, world: World) -> None:
        leg, _ = world.caller()
        leg.connection.start_media_streaming()
        failed = leg.data("MediaStreamingFailed")
        assert failed["resultInformation"]["subCode"] == 8581
        assert failed["mediaStreamingUpdate"]["mediaStreamingStatusDetails"] == "streamUrlMissing"


@needs("CallMedia_StartTranscription")
@needs("CallMedia_StopTranscription")
@needs("CallMedia_UpdateTranscription")
class TestTranscription:
    def test_it_starts_changes_its_language_and_stops(self, world: World, transport: str) -> None:
        leg = answered(world, transcription=transcription(transport))
        leg.connection.start_transcription(
            locale="en-CA", operation_context="start", operation_callback_url=world.url("transcript")
        )
        assert world.status(":startTranscription") == 202
        started = leg.event("TranscriptionStarted")
        assert (started["path"], started["data"]["operationContext"]) == ("/api/transcript", "start")
        assert started["data"]["transcriptionUpdate"] == {
            "transcriptionStatus": "transcriptionStarted",
            "transcriptionStatusDetails": "subscriptionStarted",
        }
        live = leg.connection.get_call_properties().transcription_subscription
        assert (live.state, live.locale) == ("active", "en-CA")
        leg.connection.update_transcription(locale="de-DE")
        assert world.status(":updateTranscription") == 202
        assert leg.data("TranscriptionUpdated")["transcriptionUpdate"] == {
            "transcriptionStatus": "transcriptionUpdated",
            "transcriptionStatusDetails": "transcriptionLocaleUpdated",
        }
        assert leg.connection.get_call_properties().transcription_subscription.locale == "de-DE"
        leg.connection.stop_transcription(operation_context="stop")
        assert world.status(":stopTranscription") == 202
        stopped = leg.data("TranscriptionStopped")["transcriptionUpdate"]
        assert stopped["transcriptionStatus"] == "transcriptionStopped"
        assert leg.connection.get_call_properties().transcription_subscription.state == "inactive"

    def test_it_starts_with_the_call(self, world: World, transport: str) -> None:
        leg = answered(world, transcription=transcription(transport, start=True))
        assert leg.result("TranscriptionStarted") == (200, 0)

    def test_a_call_without_transcription_is_told_that_the_address_is_missing(self, world: World) -> None:
        """As a public log of the service has it."""
        leg, _ = world.caller()
        leg.connection.start_transcription(locale="en-US")
        failed = leg.data("TranscriptionFailed")
        assert failed["resultInformation"]["subCode"] == 8581
        assert failed["transcriptionUpdate"]["transcriptionStatusDetails"] == "streamUrlMissing"


@needs("CallRecording_StartRecording")
@needs("CallRecording_GetRecordingProperties")
@needs("CallRecording_PauseRecording")
@needs("CallRecording_ResumeRecording")
@needs("CallRecording_StopRecording")
class TestRecording:
    @pytest.mark.parametrize("by", ["server_call_id", "call_connection_id"])
    def test_it_starts_pauses_resumes_and_stops(self, world: World, by: str) -> None:
        leg, _ = world.caller()
        place = {"server_call_id": leg.properties.server_call_id, "call_connection_id": leg.id}
        started = world.client.start_recording(
            **{by: place[by]},
            recording_state_callback_url=world.url("recording"),
            recording_content_type=RecordingContent.AUDIO,
            recording_channel_type=RecordingChannel.MIXED,
            recording_format_type=RecordingFormat.WAV,
        )
        assert world.status("/recordings") in (200, 202)
        assert world.answer_headers("/recordings")["repeatability-result"] == "accepted"
        recording = started.recording_id
        decoded = json.loads(base64.urlsafe_b64decode(recording + "=" * (-len(recording) % 4)))
        assert set(decoded) == {"PlatformEndpointId", "ResourceSpecificId"}
        assert started.recording_state in ("inactive", "active")
        event = world.sink.recording_state(recording, "active")
        assert event["path"] == "/api/recording"
        assert "operationContext" not in event["data"]
        client = world.client
        assert client.get_recording_properties(recording).recording_state == "active"
        client.pause_recording(recording)
        assert client.get_recording_properties(recording).recording_state == "inactive"
        client.resume_recording(recording)
        assert client.get_recording_properties(recording).recording_state == "active"
        client.stop_recording(recording)
        for request in (
            client.get_recording_properties,
            client.pause_recording,
            client.resume_recording,
            client.stop_recording,
        ):
            with pytest.raises(ResourceNotFoundError, match="Recording not found"):
                request(recording)

    def test_an_unmixed_recording_ties_channels_to_participants(self, world: World) -> None:
        leg, phone = world.caller()
        started = world.client.start_recording(
            server_call_id=leg.properties.server_call_id,
            recording_state_callback_url=world.url("recording"),
            recording_content_type=RecordingContent.AUDIO,
            recording_channel_type=RecordingChannel.UNMIXED,
            recording_format_type=RecordingFormat.WAV,
            channel_affinity=[ChannelAffinity(target_participant=phone, channel=0)],
            audio_channel_participant_ordering=[phone],
        )
        # One that was never active has no file.
        world.sink.recording_state(started.recording_id, "active")
        world.client.stop_recording(started.recording_id)
        file = world.sink.recording_file(started.recording_id)
        assert file["data"]["recordingChannelType"].lower() == "unmixed"

    def test_a_recording_that_begins_paused_is_inactive_until_it_is_resumed(self, world: World) -> None:
        leg, _ = world.caller()
        started = world.client.start_recording(call_connection_id=leg.id, pause_on_start=True)
        assert world.client.get_recording_properties(started.recording_id).recording_state == "inactive"
        world.client.resume_recording(started.recording_id)
        assert world.client.get_recording_properties(started.recording_id).recording_state == "active"

    def test_a_second_recording_of_the_call_is_refused(self, world: World) -> None:
        leg, _ = world.caller()
        world.client.start_recording(call_connection_id=leg.id)
        with pytest.raises(HttpResponseError) as refused:
            world.client.start_recording(call_connection_id=leg.id)
        assert refused.value.status_code in (400, 409)

    def test_an_unknown_call_cannot_be_recorded(self, world: World) -> None:
        with pytest.raises(HttpResponseError) as refused:
            world.client.start_recording(server_call_id="bm8gc3VjaCBjYWxs")
        assert refused.value.status_code in (400, 404)

    def test_a_combination_that_does_not_exist_is_refused(self, world: World) -> None:
        leg, _ = world.caller()
        with pytest.raises(HttpResponseError) as refused:
            world.client.start_recording(
                call_connection_id=leg.id,
                recording_content_type=RecordingContent.AUDIO,
                recording_channel_type=RecordingChannel.UNMIXED,
                recording_format_type=RecordingFormat.MP3,
            )
        assert refused.value.status_code == 400
