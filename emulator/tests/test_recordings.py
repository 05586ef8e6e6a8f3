"""Recordings: states and events, the files and what is in them, downloads."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import numpy as np
import pytest
from azure.communication.callautomation.aio import CallAutomationClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ResourceNotFoundError

from acs_emulator.audio.track import Track
from acs_emulator.recording.options import RecordingOptions, assign_channels
from acs_emulator.recording.render import split
from acs_emulator.testing import AsyncControl, Running, running_async
from emulator.tests.recording_support import UNMIXED, WHO, active, channels_of, download, heard, record, told
from emulator.tests.support import CALLER, OWNED, SPEED, Application, Wire, signed


@pytest.fixture
async def emulator(application: Application, request: pytest.FixtureRequest) -> AsyncIterator[Running[AsyncControl]]:
    settings = {"speed": SPEED, "event_grid": f"{application.base}/eventgrid", "recording_chunk_seconds": 600}
    async with running_async(**settings, **getattr(request, "param", {})) as one:
        yield one
        assert (await one.control.health())["crashes"] == []


async def test_a_recording_is_inactive_then_active_and_says_so_as_recorded(answered: Any) -> None:
    desk = await answered()
    recording_id = await record(desk)
    decoded = json.loads(base64.urlsafe_b64decode(recording_id + "=="))
    assert decoded["PlatformEndpointId"] == desk.leg
    event = await active(desk)
    first = desk.application.named("RecordingStateChanged")[0]
    assert first["data"]["state"] == "inactive"
    assert first["data"]["startDateTime"] == "0001-01-01T00:00:00+00:00"
    assert event["path"] == "/api/recording"
    assert list(event["data"]) == [
        "eventSource", "recordingId", "state", "startDateTime", "recordingKind", "resultInformation", "version",
        "callConnectionId", "serverCallId", "correlationId", "publicEventType",
    ]  # fmt: skip
    server_call_id = desk.answer["serverCallId"]
    source = f"calling/recordings/{server_call_id}/{recording_id}/RecordingStateChanged"
    assert event["source"] == event["subject"] == event["data"]["eventSource"] == source
    assert event["data"]["callConnectionId"] == desk.leg
    status, answer, _ = await desk.wire.send("GET", f"/calling/recordings/{recording_id}")
    assert (status, answer["recordingState"]) == (200, "active")
    assert list(answer) == ["recordingId", "recordingState", "recordingKind"]


async def test_started_by_server_call_id_it_has_a_connection_id_of_its_own(answered: Any) -> None:
    desk = await answered()
    locator = {"kind": "serverCallLocator", "serverCallId": desk.answer["serverCallId"]}
    body = {
        "callLocator": locator,
        "recordingStateCallbackUri": f"{desk.application.base}/api/r",
        "channelAffinity": [],
    }
    status, answer, _ = await desk.wire.send("POST", "/calling/recordings", body)
    assert status == 200
    event = await active(desk)
    assert event["data"]["callConnectionId"] != desk.leg
    decoded = json.loads(base64.urlsafe_b64decode(answer["recordingId"] + "=="))
    assert decoded["PlatformEndpointId"] == event["data"]["callConnectionId"]


async def test_pause_resume_and_stop_are_inactive_active_and_gone(answered: Any) -> None:
    desk = await answered()
    path = f"/calling/recordings/{await record(desk)}"
    await active(desk)
    assert (await desk.wire.send("POST", f"{path}:pause"))[:2] == (202, None)
    assert (await desk.wire.send("GET", path))[1]["recordingState"] == "inactive"
    assert (await desk.wire.send("POST", f"{path}:resume"))[:2] == (202, None)
    assert (await desk.wire.send("GET", path))[1]["recordingState"] == "active"
    assert (await desk.wire.send("DELETE", path))[:2] == (204, None)
    status, answer, _ = await desk.wire.send("GET", path)
    assert (status, answer["error"]["code"], answer["error"]["message"]) == (404, "8522", "Recording not found.")
    await active(desk, 5)
    states = [event["data"]["state"] for event in desk.application.named("RecordingStateChanged")]
    assert states == ["inactive", "active", "inactive", "active", "inactive"]


async def test_a_second_start_on_the_same_call_is_refused(answered: Any) -> None:
    desk = await answered()
    await record(desk)
    body = {"callConnectionId": desk.leg, **UNMIXED}
    status, answer, _ = await desk.wire.send("POST", "/calling/recordings", body)
    assert (status, answer["error"]["code"]) == (400, "8559")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"recordingFormatType": "mp3"}, "recordingFormatType"),
        ({"recordingFormatType": "mp4"}, "recordingFormatType"),
        ({"recordingContentType": "audioVideo"}, "recordingFormatType"),
        ({"channelAffinity": [{"channel": 5, "participant": WHO}]}, "channelAffinity[0].channel"),
        ({"channelAffinity": [{"channel": 1, "participant": WHO}] * 2}, "channelAffinity[1]"),
        ({"callLocator": {"serverCallId": "x"}}, "callLocator"),
        ({"recordingStateCallbackUri": "nowhere"}, "recordingStateCallbackUri"),
    ],
)
async def test_a_recording_that_is_not_offered_is_refused_by_field(
    answered: Any, change: dict[str, Any], field: str
) -> None:
    desk = await answered()
    body = {"callConnectionId": desk.leg, **UNMIXED, **change}
    status, answer, _ = await desk.wire.send("POST", "/calling/recordings", body)
    assert (status, answer["error"]["target"]) == (400, field)


async def test_the_file_of_an_ended_call_has_a_channel_for_each_who_spoke_in_their_order(
    emulator: Running[AsyncControl], application: Application, wire: Wire, answered: Any
) -> None:
    desk = await answered([{"when": "tones", "say": "It is the caller who comes second."}])
    await emulator.control.register_phone("+15550109999", script=[{"after": 1, "say": "The agent was the first."}])
    add = {"participantToAdd": {"phoneNumber": {"value": "+15550109999"}}, "sourceCallerIdNumber": {"value": OWNED}}
    await record(desk)
    await active(desk)
    await desk.act("/participants:add", add)
    await told(emulator, "says", 1)
    await desk.act(":sendDtmfTones", {"targetParticipant": WHO, "tones": ["one"]})
    await told(emulator, "says", 2)
    await heard(emulator, 2)
    await desk.act(":terminate")
    event = await application.grid_event("RecordingFileStatusUpdated")
    correlation_id, server_call_id = desk.answer["correlationId"], desk.answer["serverCallId"]
    data = event["data"]
    ids = f"serverCallId/{server_call_id}/recordingId/{data['recordingId']}"
    assert event["subject"] == f"/recording/call/{correlation_id}/{ids}"
    # In the order of a public report.
    assert list(data) == [
        "recordingStorageInfo", "recordingStartTime", "recordingDurationMs", "recordingId", "storageType",
        "sessionEndReason", "recordingContentType", "recordingChannelType", "recordingFormatType",
    ]  # fmt: skip
    assert data["storageType"] == "ACS"
    assert data["sessionEndReason"] == "CallEnded"
    assert [data[f"recording{name}Type"] for name in ("Content", "Channel", "Format")] == ["Audio", "Unmixed", "Wav"]
    [chunk] = data["recordingStorageInfo"]["recordingChunks"]
    assert (chunk["index"], chunk["endReason"]) == (0, "SessionEnded")
    assert chunk["contentLocation"] == f"{chunk['deleteLocation']}/content/audiowavmultichannel"
    status, body, headers = await download(wire, chunk["contentLocation"])
    assert (status, headers["Content-Type"]) == (200, "application/octet-stream")
    sound = channels_of(body)
    assert sound.shape[1] == 2
    assert abs(len(sound) / 16 - data["recordingDurationMs"]) <= 1
    # What the control API says was heard is what the file holds.
    [described] = await emulator.control.recordings()
    by_channel = {one["channel"]: one for one in described["participants"]}
    assert (by_channel[0]["id"], by_channel[1]["id"]) == ("4:+15550109999", f"4:{CALLER}")
    for number in (0, 1):
        [span] = [span for span in by_channel[number]["spans"] if span["kind"] == "speech"]
        loud = np.nonzero(np.abs(sound[:, number].astype(int)) > 300)[0]
        assert abs(loud[0] / 16000 - span["start"]) < 0.1
        assert abs(loud[-1] / 16000 - span["end"]) < 0.1
    status, body, _ = await download(wire, chunk["metadataLocation"])
    metadata = json.loads(body)
    assert list(metadata) == [
        "resourceId", "callId", "chunkDocumentId", "chunkIndex", "chunkStartTime", "chunkDuration",
        "pauseResumeIntervals", "recordingInfo", "participants",
    ]  # fmt: skip
    assert metadata["callId"] == correlation_id
    assert metadata["recordingInfo"] == {
        "contentType": "unmixed", "channelType": "audio", "format": "wav",
        "audioConfiguration": {"sampleRate": 16000, "bitRate": 512000, "channels": 2},
    }  # fmt: skip
    assert {one["participantId"]: one["channel"] for one in metadata["participants"]} == {
        "4:+15550109999": 0, f"4:{CALLER}": 1,
    }  # fmt: skip


async def test_a_pause_is_left_out_of_the_file_and_kept_in_the_metadata(
    emulator: Running[AsyncControl], application: Application, wire: Wire, answered: Any
) -> None:
    desk = await answered()
    path = f"/calling/recordings/{await record(desk)}"
    await active(desk)
    await emulator.control.say(desk.call, "before the pause")
    await desk.wire.send("POST", f"{path}:pause")
    await emulator.control.say(desk.call, "this is my card number")
    await desk.wire.send("POST", f"{path}:resume")
    await emulator.control.say(desk.call, "after the pause")
    await desk.wire.send("DELETE", path)
    data = (await application.grid_event("RecordingFileStatusUpdated"))["data"]
    assert data["sessionEndReason"] == "InitiatorLeft"
    [chunk] = data["recordingStorageInfo"]["recordingChunks"]
    metadata = json.loads((await download(wire, chunk["metadataLocation"]))[1])
    [pause] = metadata["pauseResumeIntervals"]
    assert pause["duration"] > 1000
    assert metadata["chunkDuration"] == data["recordingDurationMs"]
    [described] = await emulator.control.recordings()
    assert [span["text"] for span in described["participants"][0]["spans"]] == ["before the pause", "after the pause"]
    sound = channels_of((await download(wire, chunk["contentLocation"]))[1])
    assert abs(len(sound) / 16 - data["recordingDurationMs"]) <= 1


async def test_a_long_recording_comes_in_chunks_that_join_without_a_gap(
    application: Application, wire: Wire, answered: Any, emulator: Running[AsyncControl]
) -> None:
    object.__setattr__(emulator.service.config, "recording_chunk_seconds", 1.0)
    desk = await answered()
    more = {"recordingChannelType": "mixed"}
    path = f"/calling/recordings/{await record(desk, **more)}"
    await active(desk)
    await emulator.control.say(desk.call, "These are a good many words that take a few seconds to say aloud.")
    await desk.wire.send("DELETE", path)
    data = (await application.grid_event("RecordingFileStatusUpdated"))["data"]
    chunks = data["recordingStorageInfo"]["recordingChunks"]
    assert [chunk["index"] for chunk in chunks] == list(range(len(chunks)))
    assert {chunk["endReason"] for chunk in chunks[:-1]} == {"ChunkMaximumSizeExceeded"}
    assert chunks[-1]["endReason"] == "SessionEnded"
    sounds = [channels_of((await download(wire, chunk["contentLocation"]))[1]) for chunk in chunks]
    assert {len(sound) for sound in sounds[:-1]} == {16000}
    assert len(sounds) > 2
    assert abs(sum(map(len, sounds)) // 16 - data["recordingDurationMs"]) <= 1


async def test_downloads_are_signed_take_ranges_and_end_with_delete(
    application: Application, wire: Wire, answered: Any, emulator: Running[AsyncControl]
) -> None:
    desk = await answered()
    path = f"/calling/recordings/{await record(desk)}"
    await active(desk)
    await emulator.control.say(desk.call, "hello")
    await desk.wire.send("DELETE", path)
    data = (await application.grid_event("RecordingFileStatusUpdated"))["data"]
    [chunk] = data["recordingStorageInfo"]["recordingChunks"]
    content = chunk["contentLocation"]
    async with wire.session.get(content) as answer:
        assert (answer.status, await answer.read()) == (401, b"")
    _, whole, _ = await download(wire, content)
    assert whole[:4] == b"RIFF"
    status, part, headers = await download(wire, content, Range="bytes=2-5")
    assert (status, part, headers["Content-Range"]) == (206, whole[2:6], f"bytes 2-5/{len(whole)}")
    status, part, _ = await download(wire, content, Range=f"bytes={len(whole) - 10}-")
    assert (status, part) == (206, whole[-10:])
    assert (await download(wire, content, Range=f"bytes={len(whole)}-"))[0] == 416
    # What cannot be read is left out of account: the Python SDKs up to 1.5 send the first.
    for unreadable in ("bytes=None", "bytes=5", "bytes=-", "lines=1-2"):
        assert (await download(wire, content, Range=unreadable))[:2] == (200, whole)
    _, metadata, _ = await download(wire, chunk["metadataLocation"])
    status, part, headers = await download(wire, chunk["metadataLocation"], Range="bytes=0-")
    assert (status, part) == (206, metadata)
    assert headers["Content-Range"] == f"bytes 0-{len(metadata) - 1}/{len(metadata)}"
    assert (await download(wire, content.replace("audiowav", "video")))[:2] == (404, b"")
    match = {"operation": "CallRecording_Download"}
    await emulator.control.add_faults({"kind": "status", "count": 1, "status": 503, "match": match})
    assert (await download(wire, content))[:2] == (503, b"")
    await emulator.control.add_faults({"kind": "empty", "count": 1, "match": match})
    assert (await download(wire, content))[:2] == (200, b"")
    await emulator.control.add_faults({"kind": "short", "count": 1, "match": match})
    assert (await download(wire, content))[:2] == (200, whole[: len(whole) // 2])
    await emulator.control.add_faults({"kind": "truncate", "count": 1, "match": match})
    with pytest.raises(aiohttp.ClientPayloadError):
        await download(wire, content)
    assert (await download(wire, content))[1] == whole
    assert (await download(wire, chunk["deleteLocation"], "DELETE"))[:2] == (200, b"")
    assert (await download(wire, content))[:2] == (404, b"")
    assert (await download(wire, chunk["deleteLocation"], "DELETE"))[0] == 404


@pytest.mark.parametrize("emulator", [{"recording_host": "https://emulator.asm.skype.com:18443"}], indirect=True)
async def test_the_official_client_downloads_and_deletes_from_the_storage_host(
    application: Application, answered: Any, emulator: Running[AsyncControl]
) -> None:
    desk = await answered()
    path = f"/calling/recordings/{await record(desk)}"
    await active(desk)
    await emulator.control.say(desk.call, "hello")
    await desk.wire.send("DELETE", path)
    data = (await application.grid_event("RecordingFileStatusUpdated"))["data"]
    [chunk] = data["recordingStorageInfo"]["recordingChunks"]
    assert chunk["contentLocation"].startswith("https://emulator.asm.skype.com:18443/v1/objects/0-")

    def to_the_emulator(request: Any) -> None:
        # The client has signed by now; a hosts file and a certificate would do the same.
        url = request.http_request.url
        request.http_request.url = url.replace("https://emulator.asm.skype.com:18443", emulator.endpoint)
        request.http_request.headers["Host"] = "emulator.asm.skype.com:18443"

    async def read(stream: Any) -> bytes:
        return b"".join([part async for part in stream.iter_bytes()])

    endpoint = emulator.endpoint.replace("127.0.0.1", "localhost")
    credential = AzureKeyCredential(emulator.access_key)
    async with CallAutomationClient(endpoint, credential, raw_request_hook=to_the_emulator) as client:
        body = await read(await client.download_recording(chunk["contentLocation"]))
        assert channels_of(body).shape[1] == 1
        part = await client.download_recording(chunk["contentLocation"], offset=4, length=8)
        assert await read(part) == body[4:12]
        await client.delete_recording(chunk["deleteLocation"])
        with pytest.raises(ResourceNotFoundError):
            await client.download_recording(chunk["metadataLocation"])


async def test_a_file_expires_after_a_day(
    application: Application, wire: Wire, answered: Any, emulator: Running[AsyncControl]
) -> None:
    desk = await answered()
    path = f"/calling/recordings/{await record(desk)}"
    await active(desk)
    await desk.wire.send("DELETE", path)
    data = (await application.grid_event("RecordingFileStatusUpdated"))["data"]
    [chunk] = data["recordingStorageInfo"]["recordingChunks"]
    assert (await download(wire, chunk["contentLocation"]))[0] == 200
    emulator.service.clock.speed *= 1e9
    assert (await download(wire, chunk["contentLocation"]))[0] == 404


async def test_a_recording_paused_from_its_start_has_no_file(
    application: Application, answered: Any, emulator: Running[AsyncControl]
) -> None:
    desk = await answered()
    await record(desk, pauseOnStart=True)
    await active(desk, 1)
    await desk.act(":terminate")
    await active(desk, 2)
    assert {event["data"]["state"] for event in application.named("RecordingStateChanged")} == {"inactive"}
    [described] = await emulator.control.recordings()
    assert (described["state"], described["chunks"]) == ("stopped", [])


async def test_mp3_is_real_mp3(application: Application, wire: Wire, answered: Any, emulator: Any) -> None:
    import miniaudio

    desk = await answered()
    path = f"/calling/recordings/{await record(desk, recordingChannelType='mixed', recordingFormatType='mp3')}"
    await active(desk)
    await emulator.control.say(desk.call, "good afternoon")
    await desk.wire.send("DELETE", path)
    data = (await application.grid_event("RecordingFileStatusUpdated"))["data"]
    [chunk] = data["recordingStorageInfo"]["recordingChunks"]
    assert chunk["contentLocation"].endswith("/content/audiomp3")
    _, body, _ = await download(wire, chunk["contentLocation"])
    sound = miniaudio.decode(body, output_format=miniaudio.SampleFormat.SIGNED16, nchannels=1, sample_rate=16000)
    assert abs(len(sound.samples) / 16 - data["recordingDurationMs"]) < 200
    assert max(map(abs, sound.samples)) > 5000


async def test_prompts_are_recorded_only_when_that_is_asked_for(
    application: Application, answered: Any, emulator: Running[AsyncControl], wire: Wire
) -> None:
    object.__setattr__(emulator.service.config, "record_prompts", True)
    desk = await answered()
    path = f"/calling/recordings/{await record(desk)}"
    await active(desk)
    prompt = {"kind": "text", "text": {"text": "Welcome to Contoso", "voiceName": "en-US-JennyNeural"}}
    await desk.act(":play", {"playSources": [prompt]})
    await application.event("PlayCompleted", desk.leg)
    await desk.wire.send("DELETE", path)
    await application.grid_event("RecordingFileStatusUpdated")
    [described] = await emulator.control.recordings()
    [app] = [one for one in described["participants"] if one["spans"]]
    assert app["channel"] == 0
    assert [(span["kind"], span["text"]) for span in app["spans"]] == [("prompt", "Welcome to Contoso")]


async def test_a_start_that_fails_after_it_was_accepted_says_so(
    answered: Any, application: Application, emulator: Running[AsyncControl]
) -> None:
    desk = await answered()
    await emulator.control.add_faults({"kind": "fail", "subCode": 9999, "match": {"operation": "StartRecording"}})
    body = {"callConnectionId": desk.leg, "recordingStateCallbackUri": f"{application.base}/api/r", **UNMIXED}
    assert (await desk.wire.send("POST", "/calling/recordings", body))[0] == 202
    failed = await application.event("StartRecordingFailed")
    assert failed["data"]["resultInformation"]["subCode"] == 9999


def test_channels_go_to_the_pinned_then_the_ordered_then_the_speakers() -> None:
    speakers = ["a", "b", "c", "d", "e", "f"]
    assert assign_channels(RecordingOptions(), speakers) == {"a": 0, "b": 1, "c": 2, "d": 3, "e": 4}
    pinned = RecordingOptions(pinned={"c": 0, "x": 1}, ordering=("d",))
    assert assign_channels(pinned, speakers) == {"c": 0, "d": 2, "a": 3, "b": 4}


def test_pieces_are_split_at_the_longest_chunk_across_pauses() -> None:
    assert split([(0, 10), (20, 25)], 6) == [[(0, 6)], [(6, 10), (20, 22)], [(22, 25)]]


def test_what_nobody_hears_is_silent_in_a_track() -> None:
    from acs_emulator.audio import Clip

    now = 0
    track = Track(lambda: now)
    track.pin()
    track.add(Clip(b"\x01\x00" * 100), "speech")
    now = 20
    track.close()
    now = 50
    track.open()
    assert [(offset, len(part) // 2) for offset, part in track.pieces(0, 100)] == [(0, 20), (50, 50)]
    now = 80
    track.cut()
    assert [(offset, len(part) // 2) for offset, part in track.pieces(60, 100)] == [(0, 20)]


def test_the_truth_has_what_everyone_hears_alone() -> None:
    from acs_emulator.audio import Clip

    now = 0
    track = Track(lambda: now)
    track.add(Clip(b"\x01\x00" * 16000), "prompt", "for one alone", audience=["4:+14255550100"])
    now = 16000
    track.add(Clip(b"\x01\x00" * 64000), "speech", "for all")
    now = 32000
    track.close()
    now = 48000
    track.open()
    assert track.first_heard(0, 96000) == 16000
    heard = [(one["start"], one["end"], one["text"]) for one in track.wire(8000, 96000, 8000)]
    assert heard == [(1, 2, "for all"), (3, 5, "for all")]


async def test_a_download_and_a_delete_are_logged_with_the_status_that_they_got(
    emulator: Running[AsyncControl], application: Application, wire: Wire, answered: Any
) -> None:
    desk = await answered()
    await record(desk)
    await active(desk)
    await emulator.control.say(desk.call, "some words")
    await desk.act(":terminate")
    data = (await application.grid_event("RecordingFileStatusUpdated"))["data"]
    [chunk] = data["recordingStorageInfo"]["recordingChunks"]
    place = chunk["contentLocation"]
    for ranged in ({}, {"Range": "bytes=2-5"}, {"Range": "bytes=999999999-"}):
        path = place.removeprefix(emulator.endpoint)
        made = signed(emulator.endpoint, emulator.access_key, "GET", path, b"")
        async with wire.session.get(place, headers={**made, **ranged}) as response:
            await response.read()
    await download(wire, place + "x")
    for _ in range(2):
        path = chunk["deleteLocation"].removeprefix(emulator.endpoint)
        made = signed(emulator.endpoint, emulator.access_key, "DELETE", path, b"")
        async with wire.session.delete(chunk["deleteLocation"], headers=made) as response:
            await response.read()
    logged = await emulator.control.requests(operation="Download")
    assert [entry["status"] for entry in logged] == [200, 206, 416, 404]
    logged = await emulator.control.requests(operation="Delete")
    assert [entry["status"] for entry in logged] == [200, 404]
    assert all(entry["ms"] > 0 for entry in logged)


@pytest.mark.parametrize(
    "more",
    [
        {"recordingChannelType": "mixed", "channelAffinity": [{"channel": 0, "participant": WHO}]},
        {"recordingChannelType": "mixed", "audioChannelParticipantOrdering": [WHO]},
        {"channelAffinity": [{"channel": 0, "participant": {"communicationUser": {"id": "somebody"}}}]},
        {"audioChannelParticipantOrdering": [{"communicationUser": {"id": "somebody"}}]},
    ],
)
async def test_channels_for_nobody_or_in_a_mixed_recording_are_taken_without_effect(
    emulator: Running[AsyncControl], application: Application, answered: Any, more: dict[str, Any]
) -> None:
    desk = await answered()
    await record(desk, **more)
    await active(desk)
    await emulator.control.say(desk.call, "some words")
    await desk.act(":terminate")
    await application.grid_event("RecordingFileStatusUpdated")
    [described] = await emulator.control.recordings()
    [one] = described["participants"]
    assert (one["id"], [span["text"] for span in one["spans"]]) == (f"4:{CALLER}", ["some words"])
