"""The audio socket: frames, formats, tones, sound back, failures."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import jwt
import numpy as np
import pytest
from aiohttp import WSMsgType, web

from acs_emulator.testing import AsyncControl, Running
from emulator.tests.support import CALLER, COGNITIVE, OWNED, PATIENCE, Application, Desk, Wire


@dataclass
class Connection:
    """One web socket that the emulator opened."""

    headers: dict[str, str]
    socket: web.WebSocketResponse
    frames: list[dict[str, Any]] = field(default_factory=list)
    ended: bool = False
    code: int | None = None


@dataclass
class Ear:
    """Accepts the sockets of the service."""

    url: str = ""
    connections: list[Connection] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def accept(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        connection = Connection(dict(request.headers), socket)
        self.connections.append(connection)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                connection.frames.append(json.loads(message.data))
            self._pulse()
        connection.ended, connection.code = True, socket.close_code
        self._pulse()
        return socket

    def _pulse(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, ready: Any) -> None:
        async with asyncio.timeout(PATIENCE):
            while not ready():
                await self._changed.wait()

    async def frames(self, kind: str, count: int = 1, connection: int = 0) -> list[dict[str, Any]]:
        """The first frames of a kind, once there are so many."""
        await self.until(lambda: len(self.connections) > connection)
        one = self.connections[connection]
        await self.until(lambda: len([frame for frame in one.frames if frame["kind"] == kind]) >= count)
        return [frame[kind[0].lower() + kind[1:]] for frame in one.frames if frame["kind"] == kind]


@asynccontextmanager
async def ear_listening() -> AsyncIterator[Ear]:
    ear = Ear()
    app = web.Application()
    app.router.add_get("/socket", ear.accept)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    ear.url = f"ws://127.0.0.1:{runner.addresses[0][1]}/socket"
    yield ear
    await runner.cleanup()


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    async with ear_listening() as one:
        yield one


def streaming(ear: Ear, **more: Any) -> dict[str, Any]:
    return {
        "mediaStreamingOptions": {
            "transportType": "websocket",
            "transportUrl": ear.url,
            "contentType": "audio",
            "audioChannelType": "mixed",
            **more,
        }
    }


async def answer(
    emulator: Running[AsyncControl],
    application: Application,
    wire: Wire,
    options: dict[str, Any],
    script: Any = (),
) -> Desk:
    call = await emulator.control.place_call(CALLER, OWNED, script)
    incoming = await application.incoming(len(application.grid_named("IncomingCall")) + 1)
    body = {
        "incomingCallContext": incoming["incomingCallContext"],
        "callbackUri": f"{application.base}/api/calls",
        "operationContext": "answer",
        "callIntelligenceOptions": COGNITIVE,
        **options,
    }
    status, made, _ = await wire.send("POST", "/calling/callConnections:answer", body)
    assert status == 200, made
    await application.event("CallConnected", made["callConnectionId"])
    return Desk(wire, application, made["callConnectionId"], call["id"], made)


def samples(frames: list[dict[str, Any]]) -> Any:
    return np.frombuffer(b"".join(base64.b64decode(frame["data"]) for frame in frames), "<i2")


async def test_a_stream_that_starts_with_the_call_brings_metadata_then_frames_of_twenty_milliseconds(
    emulator: Running[AsyncControl], application: Application, wire: Wire, ear: Ear
) -> None:
    options = streaming(ear, startMediaStreaming=True)
    desk = await answer(emulator, application, wire, options, [{"say": "Hello, this is the caller speaking."}])
    subscription = desk.answer["mediaStreamingSubscription"]
    assert subscription["state"] == "inactive"
    started = await application.event("MediaStreamingStarted", desk.leg)
    assert started["data"]["operationContext"] == "answer"
    assert started["data"]["mediaStreamingUpdate"] == {
        "contentType": "Audio",
        "mediaStreamingStatus": "mediaStreamingStarted",
        "mediaStreamingStatusDetails": "subscriptionStarted",
    }
    await ear.frames("AudioData")
    one = ear.connections[0].frames
    await ear.until(lambda: len([frame for frame in one[1:] if not frame["audioData"]["silent"]]) > 60)
    frames = await ear.frames("AudioData")
    [metadata] = await ear.frames("AudioMetadata")
    assert metadata == {
        "subscriptionId": subscription["id"], "encoding": "PCM", "sampleRate": 16000, "channels": 1, "length": 640,
    }  # fmt: skip
    assert ear.connections[0].frames[0]["kind"] == "AudioMetadata"
    assert list(frames[0]) == ["timestamp", "data", "silent"]
    assert {len(base64.b64decode(frame["data"])) for frame in frames} == {640}
    heard = [frame for frame in frames if not frame["silent"]]
    assert len(heard) > 50
    assert np.abs(samples(heard).astype(int)).max() > 8000
    assert all(not samples([frame]).any() for frame in frames if frame["silent"])
    # Nothing is lost and nothing drifts, however late a beat comes.
    stamps = [datetime.fromisoformat(frame["timestamp"]) for frame in frames]
    assert {b - a for a, b in pairwise(stamps)} == {timedelta(milliseconds=20)}
    got = await wire.send("GET", f"/calling/callConnections/{desk.leg}")
    assert got[1]["mediaStreamingSubscription"] == {
        "id": subscription["id"], "state": "active", "subscribedContentTypes": ["audio"],
    }  # fmt: skip


async def test_the_socket_is_opened_with_a_day_long_token_and_the_ids_of_the_call(
    emulator: Running[AsyncControl], application: Application, wire: Wire, ear: Ear
) -> None:
    desk = await answer(emulator, application, wire, streaming(ear, startMediaStreaming=True))
    await ear.frames("AudioMetadata")
    headers = ear.connections[0].headers
    assert headers["x-ms-call-connection-id"] == desk.leg
    assert headers["x-ms-call-correlation-id"] == desk.answer["correlationId"]
    token = headers["Authorization"].removeprefix("Bearer ")
    async with wire.session.get(f"{emulator.endpoint}/calling/keys") as keys:
        key = jwt.PyJWKSet.from_dict(await keys.json()).keys[0]
    claims = jwt.decode(token, key, algorithms=["RS256"], audience=emulator.resource_id)
    assert claims["iss"] == "https://acscallautomation.communication.azure.com"
    assert claims["exp"] - claims["iat"] == 86_400


async def test_a_stream_is_started_and_stopped_by_request_with_events_at_its_own_address(
    emulator: Running[AsyncControl], application: Application, wire: Wire, ear: Ear
) -> None:
    desk = await answer(emulator, application, wire, streaming(ear))
    path = f"/calling/callConnections/{desk.leg}"
    assert (await wire.send("GET", path))[1]["mediaStreamingSubscription"]["state"] == "inactive"
    body = {"operationContext": "s", "operationCallbackUri": f"{application.base}/api/streaming"}
    assert (await desk.act(":startMediaStreaming", body))[:2] == (202, None)
    started = await application.event("MediaStreamingStarted", desk.leg)
    assert (started["path"], started["data"]["operationContext"]) == ("/api/streaming", "s")
    status, refused, _ = await desk.act(":startMediaStreaming", {})
    assert (status, refused["error"]["code"]) == (409, "8519")
    assert (await desk.act(":stopMediaStreaming", {}))[0] == 202
    stopped = await application.event("MediaStreamingStopped", desk.leg)
    assert stopped["data"]["operationContext"] == "s"
    assert stopped["data"]["mediaStreamingUpdate"]["mediaStreamingStatusDetails"] == "subscriptionStopped"
    await ear.until(lambda: ear.connections[0].ended)
    assert ear.connections[0].code == 1000
    assert (await wire.send("GET", path))[1]["mediaStreamingSubscription"]["state"] == "inactive"
    assert (await desk.act(":stopMediaStreaming", {}))[0] == 409


async def test_without_options_at_set_up_a_stream_cannot_be_stopped_or_changed(answered: Any) -> None:
    desk = await answered()
    for action in (":stopMediaStreaming", ":stopTranscription", ":updateTranscription"):
        status, refused, _ = await desk.act(action, {})
        assert (status, refused["error"]["code"]) == (405, "8522")


@pytest.mark.parametrize(("name", "start"), [("MediaStreaming", "media"), ("Transcription", "transcription")])
async def test_a_stream_that_is_started_without_an_address_fails_by_its_event(
    application: Application, answered: Any, name: str, start: str
) -> None:
    desk = await answered()
    own = f"{application.base}/api/own"
    body = {"operationContext": "start", "operationCallbackUri": own}
    assert (await desk.act(f":start{name}", body))[0] == 202
    failed = await application.event(f"{name}Failed", desk.leg)
    assert (failed["data"]["operationContext"], failed["path"]) == ("start", "/api/own")
    told = failed["data"][f"{start}StreamingUpdate" if start == "media" else "transcriptionUpdate"]
    prefix = "mediaStreaming" if start == "media" else "transcription"
    assert told[f"{prefix}Status"] == f"{prefix}Failed"
    assert told[f"{prefix}StatusDetails"] == "streamUrlMissing"
    result = failed["data"]["resultInformation"]
    assert (result["code"], result["subCode"]) == (400, 8581)


async def test_streams_that_are_to_start_with_the_call_and_have_no_address_fail_once_it_is_up(
    emulator: Running[AsyncControl], application: Application, wire: Wire
) -> None:
    audio = {"transportType": "websocket", "audioChannelType": "mixed", "startMediaStreaming": True}
    words = {"transportType": "websocket", "locale": "en-US", "startTranscription": True}
    desk = await answer(emulator, application, wire, {"mediaStreamingOptions": audio, "transcriptionOptions": words})
    for name in ("MediaStreamingFailed", "TranscriptionFailed"):
        failed = await application.event(name, desk.leg)
        assert failed["data"]["operationContext"] == "answer"
        assert failed["data"]["resultInformation"]["subCode"] == 8581


async def test_an_unmixed_stream_names_each_participant_at_twenty_four_kilohertz(
    emulator: Running[AsyncControl], application: Application, wire: Wire, ear: Ear
) -> None:
    options = streaming(ear, audioChannelType="unmixed", audioFormat="pcm24KMono", startMediaStreaming=True)
    desk = await answer(emulator, application, wire, options)
    await emulator.control.register_phone("+15550109999")
    add = {
        "participantToAdd": {"phoneNumber": {"value": "+15550109999"}},
        "sourceCallerIdNumber": {"value": OWNED},
    }
    await desk.act("/participants:add", add)
    await application.event("AddParticipantSucceeded", desk.leg)
    [metadata] = await ear.frames("AudioMetadata")
    assert (metadata["sampleRate"], metadata["length"]) == (24000, 960)
    one = ear.connections[0]
    for phone in (CALLER, "+15550109999"):
        said = {"text": "One two three four five six seven", "phone": phone}
        await emulator.control.request("POST", f"/emulator/calls/{desk.call}/say", said)

    def heard(raw_id: str) -> list[dict[str, Any]]:
        data = [frame["audioData"] for frame in one.frames if frame["kind"] == "AudioData"]
        return [frame for frame in data if frame["participantRawID"] == raw_id and not frame["silent"]]

    await ear.until(lambda: len(heard("4:+15550109999")) > 50)
    assert list(heard("4:+15550109999")[0]) == ["timestamp", "participantRawID", "data", "silent"]
    assert {len(base64.b64decode(frame["data"])) for frame in heard("4:+15550109999")} == {960}
    assert len(heard(f"4:{CALLER}")) > 50


async def test_keys_come_as_frames_only_when_they_were_asked_for(
    emulator: Running[AsyncControl], application: Application, wire: Wire, ear: Ear
) -> None:
    options = streaming(ear, enableDtmfTones=True, startMediaStreaming=True)
    desk = await answer(emulator, application, wire, options)
    await ear.frames("AudioMetadata")
    await emulator.control.press(desk.call, "3#")
    assert await ear.frames("DtmfData", 2) == [{"data": "3"}, {"data": "#"}]


async def test_sound_that_is_sent_back_prompts_the_phone_until_it_is_stopped(
    emulator: Running[AsyncControl], application: Application, wire: Wire, ear: Ear
) -> None:
    options = streaming(ear, enableBidirectional=True, startMediaStreaming=True)
    script = [{"when": "prompted", "press": "1"}, {"when": "prompt ended", "press": "2"}]
    desk = await answer(emulator, application, wire, options, script)
    await ear.frames("AudioMetadata")
    socket = ear.connections[0].socket
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(16000 * 60) / 16000)).astype("<i2").tobytes()
    data = base64.b64encode(tone).decode()
    await socket.send_str(json.dumps({"Kind": "AudioData", "AudioData": {"Data": data}, "StopAudio": None}))
    entries: list[str] = []
    while "presses" not in entries:
        entries = [entry["what"] for entry in await emulator.control.timeline(wait=1)]
    await socket.send_str("{not json")
    await socket.send_str(json.dumps({"Kind": "StopAudio", "AudioData": None, "StopAudio": {}}))
    while entries.count("presses") < 2:
        entries = [entry["what"] for entry in await emulator.control.timeline(wait=1)]
    [call] = (await emulator.control.state())["calls"]
    assert call["id"] == desk.call
    assert call["legs"][0]["mediaStreaming"]["unreadable"] == 1


async def test_a_socket_that_cannot_be_opened_fails_the_stream(
    emulator: Running[AsyncControl], application: Application, wire: Wire, ear: Ear
) -> None:
    options = streaming(ear, transportUrl=ear.url + "/nowhere", startMediaStreaming=True)
    desk = await answer(emulator, application, wire, options)
    failed = await application.event("MediaStreamingFailed", desk.leg)
    # As a public log has it.
    assert failed["data"]["resultInformation"] == {
        "code": 400,
        "subCode": 8581,
        "message": "Action failed, Transport url is not valid or web socket server is not operational.",
    }
    assert failed["data"]["mediaStreamingUpdate"]["mediaStreamingStatus"] == "mediaStreamingFailed"
    assert failed["data"]["mediaStreamingUpdate"]["mediaStreamingStatusDetails"] == "initialWebSocketConnectionFailed"


@pytest.mark.parametrize("url", ["http://127.0.0.1/x", "ws://", "not a url", "wss://h:99999/x"])
async def test_an_address_that_is_no_web_socket_is_refused_by_field(wire: Wire, ear: Ear, url: str) -> None:
    body = {
        "targets": [{"phoneNumber": {"value": CALLER}}],
        "sourceCallerIdNumber": {"value": OWNED},
        "callbackUri": "http://127.0.0.1:9/api",
        **streaming(ear, transportUrl=url),
    }
    status, refused, _ = await wire.send("POST", "/calling/callConnections", body)
    assert (status, refused["error"]["target"]) == (400, "mediaStreamingOptions.transportUrl")


async def test_a_connection_that_breaks_off_is_opened_again_once(
    emulator: Running[AsyncControl], application: Application, wire: Wire, ear: Ear
) -> None:
    desk = await answer(emulator, application, wire, streaming(ear, startMediaStreaming=True))
    await ear.frames("AudioData", 5)
    await emulator.control.drop_streams(desk.call)
    again = await application.event("MediaStreamingStarted", desk.leg, 2)
    assert again["data"]["mediaStreamingUpdate"]["mediaStreamingStatusDetails"] == "streamConnectionReestablished"
    await ear.frames("AudioData", 5, connection=1)
    first, second = ear.connections
    assert first.ended
    assert first.frames[0]["audioMetadata"] == second.frames[0]["audioMetadata"]
    await second.socket.close(code=1008)
    failed = await application.event("MediaStreamingFailed", desk.leg)
    assert failed["data"]["mediaStreamingUpdate"]["mediaStreamingStatusDetails"] == "streamConnectionInterrupted"


async def test_a_stream_that_runs_stops_before_the_call_is_disconnected(
    emulator: Running[AsyncControl], application: Application, wire: Wire, ear: Ear
) -> None:
    desk = await answer(emulator, application, wire, streaming(ear, startMediaStreaming=True))
    await application.event("MediaStreamingStarted", desk.leg)
    await wire.send("DELETE", f"/calling/callConnections/{desk.leg}")
    await application.event("CallDisconnected", desk.leg)
    names = [event["type"].rpartition(".")[2] for event in application.events[-2:]]
    assert names == ["MediaStreamingStopped", "CallDisconnected"]


async def test_a_reset_lets_go_of_the_sockets(
    emulator: Running[AsyncControl], application: Application, wire: Wire, ear: Ear
) -> None:
    await answer(emulator, application, wire, streaming(ear, startMediaStreaming=True))
    await ear.frames("AudioData")
    await emulator.control.reset()
    await ear.until(lambda: ear.connections[0].ended)


async def test_the_app_does_not_hear_itself(
    emulator: Running[AsyncControl], application: Application, wire: Wire, ear: Ear
) -> None:
    desk = await answer(emulator, application, wire, streaming(ear, startMediaStreaming=True))
    prompt = {
        "kind": "text",
        "text": {"text": "A prompt of some length to listen to", "voiceName": "en-US-JennyNeural"},
    }
    await desk.act(":play", {"playSources": [prompt]})
    await application.event("PlayCompleted", desk.leg)
    sent = len(ear.connections[0].frames)
    frames = await ear.frames("AudioData", sent + 2)
    assert all(frame["silent"] for frame in frames)


async def test_a_muted_user_is_not_heard(
    emulator: Running[AsyncControl], application: Application, wire: Wire, ear: Ear
) -> None:
    user = "8:acs:00000000-0000-4000-8000-000000000000_00000026-0000-0000-0000-00000000000b"
    await emulator.control.register_phone(user, voice="female", locale="en-GB")
    who = {"communicationUser": {"id": user}}
    body = {"targets": [who], "callbackUri": f"{application.base}/api/c", **streaming(ear, startMediaStreaming=True)}
    _, made, _ = await wire.send("POST", "/calling/callConnections", body)
    leg = made["callConnectionId"]
    await application.event("MediaStreamingStarted", leg)
    await ear.frames("AudioData")
    frames = ear.connections[0].frames

    def loud() -> int:
        return len([frame for frame in frames[1:] if not frame["audioData"]["silent"]])

    await emulator.control.say(leg, "You can hear me now")
    await ear.until(lambda: loud() > 30)
    await ear.until(lambda: frames[-1]["audioData"]["silent"])
    muted = {"targetParticipants": [who]}
    assert (await wire.send("POST", f"/calling/callConnections/{leg}/participants:mute", muted))[0] == 200
    before, sent = loud(), len(frames)
    await emulator.control.say(leg, "And now you can not")
    await ear.until(lambda: len(frames) > sent + 50)
    assert loud() == before


TRANSCRIPTION = {"transportType": "websocket", "locale": "en-US"}


async def test_transcription_brings_metadata_intermediate_and_final_results_with_words(
    emulator: Running[AsyncControl], application: Application, wire: Wire, ear: Ear
) -> None:
    options = {
        "transcriptionOptions": {
            **TRANSCRIPTION, "transportUrl": ear.url, "startTranscription": True, "enableIntermediateResults": True,
        }
    }  # fmt: skip
    desk = await answer(emulator, application, wire, options)
    started = await application.event("TranscriptionStarted", desk.leg)
    assert started["data"]["transcriptionUpdate"] == {
        "transcriptionStatus": "transcriptionStarted", "transcriptionStatusDetails": "subscriptionStarted",
    }  # fmt: skip
    await emulator.control.say(desk.call, "I would like to know more about my last invoice, please.")
    [metadata] = await ear.frames("TranscriptionMetadata")
    assert list(metadata) == ["subscriptionId", "locale", "callConnectionId", "correlationId"]
    assert metadata["callConnectionId"] == desk.leg
    while (frames := await ear.frames("TranscriptionData"))[-1]["resultStatus"] != "Final":
        await ear.frames("TranscriptionData", len(frames) + 1)
    assert {frame["resultStatus"] for frame in frames[:-1]} == {"Intermediate"}
    final = frames[-1]
    assert list(final) == [
        "text", "format", "confidence", "offset", "duration", "words", "participantRawID", "resultStatus",
    ]  # fmt: skip
    assert final["text"] == "I would like to know more about my last invoice, please."
    assert (final["format"], final["participantRawID"]) == ("display", f"4:{CALLER}")
    assert [word["text"] for word in final["words"]][-2:] == ["invoice,", "please."]
    assert final["words"][0]["offset"] == final["offset"]
    last = final["words"][-1]
    assert abs(last["offset"] + last["duration"] - final["offset"] - final["duration"]) <= 2
    assert 15_000_000 < final["duration"] < 60_000_000
    got = await wire.send("GET", f"/calling/callConnections/{desk.leg}")
    assert got[1]["transcriptionSubscription"] == {
        "id": metadata["subscriptionId"], "state": "active", "subscribedResultTypes": ["intermediate", "final"],
        "locale": "en-US",
    }  # fmt: skip


async def test_the_locale_of_a_transcription_can_be_changed_while_it_runs(
    emulator: Running[AsyncControl], application: Application, wire: Wire, ear: Ear
) -> None:
    options = {"transcriptionOptions": {**TRANSCRIPTION, "transportUrl": ear.url}}
    desk = await answer(emulator, application, wire, options)
    assert (await desk.act(":updateTranscription", {"locale": "de-DE"}))[0] == 409
    status, refused, _ = await desk.act(":startTranscription", {"locale": "german"})
    assert (status, refused["error"]["target"]) == (400, "locale")
    assert (await desk.act(":startTranscription", {"locale": "en-CA", "operationContext": "t"}))[:2] == (202, None)
    await application.event("TranscriptionStarted", desk.leg)
    assert (await desk.act(":updateTranscription", {"locale": "fr-FR"}))[0] == 202
    updated = await application.event("TranscriptionUpdated", desk.leg)
    assert updated["data"]["operationContext"] == "t"
    assert updated["data"]["transcriptionUpdate"]["transcriptionStatusDetails"] == "transcriptionLocaleUpdated"
    got = await wire.send("GET", f"/calling/callConnections/{desk.leg}")
    assert got[1]["transcriptionSubscription"]["locale"] == "fr-FR"
    assert (await desk.act(":stopTranscription", {"operationContext": "stop"}))[0] == 202
    stopped = await application.event("TranscriptionStopped", desk.leg)
    assert stopped["data"]["operationContext"] == "stop"
    await ear.until(lambda: ear.connections[0].ended)


async def test_transcription_needs_a_speech_service(
    emulator: Running[AsyncControl], application: Application, wire: Wire, ear: Ear
) -> None:
    call = await emulator.control.place_call(CALLER, OWNED)
    incoming = await application.incoming()
    options = {**TRANSCRIPTION, "transportUrl": ear.url, "startTranscription": True}
    body = {
        "incomingCallContext": incoming["incomingCallContext"],
        "callbackUri": f"{application.base}/api/calls",
        "transcriptionOptions": options,
    }
    status, refused, _ = await wire.send("POST", "/calling/callConnections:answer", body)
    assert (status, refused["error"]["code"]) == (405, "8522")
    body["transcriptionOptions"] = {**options, "startTranscription": False}
    assert (await wire.send("POST", "/calling/callConnections:answer", body))[0] == 200
    await emulator.control.hang_up(call["id"])


async def test_a_summary_is_taken_and_its_event_says_that_there_is_none(
    emulator: Running[AsyncControl], application: Application, wire: Wire, ear: Ear
) -> None:
    options = {"transportUrl": ear.url, "transportType": "websocket", "locales": ["en-US"], "startTranscription": True}
    desk = await answer(emulator, application, wire, {"transcriptionOptions": options})
    await application.event("TranscriptionStarted", desk.leg)
    assert (await desk.act(":summarizeCall", {"operationContext": "s"}))[0] == 202
    told = (await application.event("TranscriptionCallSummaryUpdated", desk.leg))["data"]
    assert told["operationContext"] == "s"
    assert told["transcriptionUpdate"] == {
        "transcriptionStatus": "callSummaryUpdated",
        "transcriptionStatusDetails": "callSummaryFailure",
    }
    assert (told["resultInformation"]["code"], told["resultInformation"]["subCode"]) == (500, 9999)
