"""Pause and resume in every order, also before a recording has begun."""

from __future__ import annotations

import json
from typing import Any

import pytest

from acs_emulator.testing import AsyncControl, Running
from emulator.tests.recording_support import active, download, record
from emulator.tests.support import Application, Desk, Wire


def states(desk: Desk) -> list[str]:
    return [event["data"]["state"] for event in desk.application.named("RecordingStateChanged")]


async def do(desk: Desk, path: str, *actions: str) -> None:
    for action in actions:
        assert (await desk.wire.send("POST", f"{path}:{action}"))[0] == 202


async def spoken(emulator: Running[AsyncControl]) -> list[str]:
    [described] = await emulator.control.recordings()
    return [span["text"] for participant in described["participants"] for span in participant["spans"]]


@pytest.fixture
def slow_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording that takes so long to begin that every request of the test comes before."""
    monkeypatch.setattr("acs_emulator.recording.session.START_DELAY", 3600.0)


@pytest.mark.usefixtures("slow_start")
async def test_a_pause_before_the_beginning_holds_until_the_recording_is_resumed(
    emulator: Running[AsyncControl], answered: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await answered()
    path = f"/calling/recordings/{await record(desk)}"
    await do(desk, path, "pause")
    emulator.service.clock.speed *= 1000  # the hour of the beginning passes
    await emulator.service.clock.sleep(4000)
    assert (await desk.wire.send("GET", path))[1]["recordingState"] == "inactive"
    emulator.service.clock.speed /= 1000
    await emulator.control.say(desk.call, "nobody records this")
    await do(desk, path, "resume")
    await emulator.control.say(desk.call, "this is recorded")
    await desk.wire.send("DELETE", path)
    await desk.application.grid_event("RecordingFileStatusUpdated")
    assert await spoken(emulator) == ["this is recorded"]
    assert states(desk) == ["inactive", "active", "inactive"]


@pytest.mark.usefixtures("slow_start")
async def test_a_pause_right_after_an_early_resume_is_not_undone_by_the_beginning(
    emulator: Running[AsyncControl], answered: Any
) -> None:
    desk = await answered()
    path = f"/calling/recordings/{await record(desk)}"
    await do(desk, path, "resume", "pause")
    emulator.service.clock.speed *= 1000
    await emulator.service.clock.sleep(4000)
    assert (await desk.wire.send("GET", path))[1]["recordingState"] == "inactive"
    await active(desk, 3)
    assert states(desk) == ["inactive", "active", "inactive"]


@pytest.mark.usefixtures("slow_start")
async def test_a_recording_stopped_before_its_beginning_has_no_file(
    emulator: Running[AsyncControl], answered: Any
) -> None:
    desk = await answered()
    path = f"/calling/recordings/{await record(desk)}"
    assert (await desk.wire.send("DELETE", path))[0] == 204
    emulator.service.clock.speed *= 1000
    await emulator.service.clock.sleep(4000)
    [described] = await emulator.control.recordings()
    assert (described["state"], described["chunks"], described["seconds"]) == ("stopped", [], 0)
    assert set(states(desk)) == {"inactive"}


async def test_pauses_in_turn_are_each_left_out_and_a_stop_while_paused_ends_the_file_there(
    emulator: Running[AsyncControl], application: Application, wire: Wire, answered: Any
) -> None:
    desk = await answered()
    path = f"/calling/recordings/{await record(desk)}"
    await active(desk)
    for text in ("one", "two", "three"):
        await emulator.control.say(desk.call, f"recorded {text}")
        await do(desk, path, "pause", "pause")
        await emulator.control.say(desk.call, f"secret {text}")
        if text != "three":
            await do(desk, path, "resume", "resume")
    await desk.wire.send("DELETE", path)
    data = (await application.grid_event("RecordingFileStatusUpdated"))["data"]
    assert await spoken(emulator) == ["recorded one", "recorded two", "recorded three"]
    [chunk] = data["recordingStorageInfo"]["recordingChunks"]
    metadata = json.loads((await download(wire, chunk["metadataLocation"]))[1])
    assert len(metadata["pauseResumeIntervals"]) == 2
    assert all(pause["duration"] > 500 for pause in metadata["pauseResumeIntervals"])


async def test_a_recording_paused_from_its_start_has_what_came_after_the_resume(
    emulator: Running[AsyncControl], application: Application, answered: Any
) -> None:
    desk = await answered()
    path = f"/calling/recordings/{await record(desk, pauseOnStart=True)}"
    await emulator.control.say(desk.call, "before")
    await do(desk, path, "resume")
    await emulator.control.say(desk.call, "after")
    await desk.act(":terminate")
    data = (await application.grid_event("RecordingFileStatusUpdated"))["data"]
    assert await spoken(emulator) == ["after"]
    [chunk] = data["recordingStorageInfo"]["recordingChunks"]
    assert chunk["endReason"] == "SessionEnded"


async def test_a_pause_at_the_end_of_a_chunk_is_in_the_metadata_of_that_chunk(
    emulator: Running[AsyncControl], application: Application, wire: Wire, answered: Any
) -> None:
    desk = await answered()
    recording_id = await record(desk)
    await active(desk)
    await emulator.control.say(desk.call, "a few words")
    await do(desk, f"/calling/recordings/{recording_id}", "pause")
    recording = emulator.service.recordings.running[recording_id]
    [(low, high)] = recording.pieces
    object.__setattr__(emulator.service.config, "recording_chunk_seconds", (high - low) / 16000)
    await do(desk, f"/calling/recordings/{recording_id}", "resume")
    await emulator.control.say(desk.call, "more")
    await desk.wire.send("DELETE", f"/calling/recordings/{recording_id}")
    data = (await application.grid_event("RecordingFileStatusUpdated"))["data"]
    chunks = data["recordingStorageInfo"]["recordingChunks"]
    pauses = [
        len(json.loads((await download(wire, chunk["metadataLocation"]))[1])["pauseResumeIntervals"])
        for chunk in chunks
    ]
    assert (len(chunks) > 1, pauses[0], sum(pauses)) == (True, 1, 1)
