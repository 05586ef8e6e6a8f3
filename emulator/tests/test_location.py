"""--location: recordings and topic events are there after a restart, and nobody else's emulator takes the folder."""

from __future__ import annotations

import asyncio
import json
import os
import urllib.request
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from acs_emulator.core.clock import Clock
from acs_emulator.core.config import ConfigError, parse_config
from acs_emulator.events.topic import Topic
from acs_emulator.recording import finishing
from acs_emulator.recording.archive import Archive
from acs_emulator.testing import AsyncControl, Control, Running, running, running_async
from emulator.tests.recording_support import active, channels_of, record, recorded
from emulator.tests.support import SPEED, Application, Desk, Wire, signed
from emulator.tests.test_fast_transcription import ask, wav

KEY_EVENT = [{"id": "1", "subject": "/reports/1", "eventType": "ReportReady", "eventTime": "x", "data": {"n": 1}}]
WORDS = "Good afternoon, my order has not come."


def publish(emulator: Running[Control], events: list[dict[str, Any]]) -> None:
    request = urllib.request.Request(
        f"{emulator.endpoint}/api/events?api-version=2018-01-01",
        json.dumps(events).encode(),
        {"aeg-sas-key": emulator.access_key, "Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=10).close()


async def one_recording(emulator: Running[AsyncControl], application: Application, session: Any) -> dict[str, Any]:
    """A call in which the caller says something, recorded: the chunk in its file event."""
    wire = Wire(emulator, session)
    call = await emulator.control.place_call("+14255550100", "+18005551212")
    context = (await application.incoming())["incomingCallContext"]
    body = {"incomingCallContext": context, "callbackUri": f"{application.base}/api/calls"}
    _, answer, _ = await wire.send("POST", "/calling/callConnections:answer", body)
    leg = answer["callConnectionId"]
    await application.event("CallConnected", leg)
    data = await recorded(Desk(wire, application, leg, call["id"], answer), WORDS)
    return dict(data["recordingStorageInfo"]["recordingChunks"][0])


async def fetched(emulator: Running[AsyncControl], path: str, method: str = "GET") -> tuple[int, bytes]:
    headers = signed(emulator.endpoint, emulator.access_key, method, path, b"")
    async with aiohttp.ClientSession() as session:
        async with session.request(method, f"{emulator.endpoint}{path}", headers=headers) as response:
            return response.status, await response.read()


async def test_a_recording_is_there_after_a_restart_with_all_that_belongs_to_it(
    application: Application, tmp_path: Path
) -> None:
    kept = {"speed": SPEED, "location": str(tmp_path / "kept"), "seed": None}
    async with running_async(**kept, event_grid=f"{application.base}/eventgrid") as first:
        async with aiohttp.ClientSession() as session:
            chunk = await one_recording(first, application, session)
        paths = [chunk[name].removeprefix(first.endpoint) for name in ("contentLocation", "metadataLocation")]
        before = [await fetched(first, path) for path in paths]
        described = await first.control.recordings()
    async with running_async(**kept) as second:
        assert [await fetched(second, path) for path in paths] == before
        assert before[0][1].startswith(b"RIFF")
        assert await second.control.recordings() == described
        status, heard = await ask(second, wav(channels_of(before[0][1])[:, 0]))
        assert (status, [phrase["text"] for phrase in heard["phrases"]]) == (200, [WORDS])
        delete = chunk["deleteLocation"].removeprefix(first.endpoint)
        assert (await fetched(second, delete, "DELETE"))[0] == 200
    async with running_async(**kept) as third:
        assert (await fetched(third, paths[0]))[0] == 404
        assert await third.control.recordings() == described
        await third.control.reset()
        assert await third.control.recordings() == []
    async with running_async(**kept) as fourth:
        assert await fourth.control.recordings() == []
        assert (await ask(fourth, wav(channels_of(before[0][1])[:, 0])))[1]["phrases"] == []
        assert list((tmp_path / "kept" / "recordings").iterdir()) == []


def test_topic_events_are_there_after_a_restart_and_their_numbers_go_on(tmp_path: Path) -> None:
    with running(location=str(tmp_path)) as first:
        publish(first, KEY_EVENT)
        publish(first, [{**KEY_EVENT[0], "id": "2"}])
        before = first.control.topic()
    with running(location=str(tmp_path)) as second:
        assert second.control.topic() == before
        publish(second, [{**KEY_EVENT[0], "id": "3"}])
        assert [(one["n"], one["event"]["id"]) for one in second.control.topic()] == [(1, "1"), (2, "2"), (3, "3")]
    with running(location=str(tmp_path)) as third:
        assert len(third.control.topic()) == 3
        third.control.reset()
    with running(location=str(tmp_path)) as fourth:
        assert fourth.control.topic() == []


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    with running(location=str(tmp_path)) as first:
        publish(first, KEY_EVENT)
        before = first.control.topic()
    file = tmp_path / "topic.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + b'{"n": 2, "at_')
    topic = Topic(first.service.event_grid, first.service.problems, file)
    assert [one.wire() for one in topic.published] == before
    assert file.read_bytes() == whole


@pytest.mark.parametrize("line", ["nonsense", '{"n": 1}', "7"])
def test_a_line_that_is_no_event_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "topic.jsonl").write_text(f"{line}\n")
    with pytest.raises(ConfigError, match=r"--location: line 1 of .*topic.jsonl is no event; remove it"):
        with running(location=str(tmp_path)):
            pass


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "a.document").write_text("{")
    with pytest.raises(ConfigError, match=r"--location: .*a.document cannot be read .*; remove it"):
        with running(location=str(tmp_path)):
            pass


def test_an_event_that_the_disk_has_no_room_for_is_delivered_and_told(tmp_path: Path) -> None:
    told: list[str] = []
    with running(location=str(tmp_path)) as emulator:
        emulator.service.problems.listeners.append(told.append)
        (tmp_path / "topic.jsonl").unlink()
        (tmp_path / "topic.jsonl").symlink_to("/dev/full")
        publish(emulator, KEY_EVENT)
        assert [one["event"]["id"] for one in emulator.control.topic()] == ["1"]
        assert emulator.control.health()["status"] == "ok"
    assert told == [
        f"An event of the topic was not kept: No space left on device ({tmp_path / 'topic.jsonl'}). "
        "It was delivered all the same; make room for --location."
    ]


async def test_a_recording_that_the_disk_has_no_room_for_is_told(
    emulator: Running[AsyncControl], answered: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, *_: Any) -> None:
        path.write_bytes(b"half")
        made.append(path)
        raise OSError(28, "No space left on device", str(path))

    made: list[Path] = []
    told: list[str] = []
    monkeypatch.setattr(finishing, "render", full)
    emulator.service.problems.listeners.append(told.append)
    desk = await answered()
    await record(desk)
    await active(desk)
    await emulator.control.hang_up(desk.call)
    async with asyncio.timeout(10):
        while not told:
            await asyncio.sleep(0.01)
    assert told[0].startswith("The file of a recording cannot be written: [Errno 28] No space left on device")
    assert "RecordingFileStatusUpdated does not come" in told[0]
    assert not made[0].exists()
    noted = [one["what"] for one in await emulator.control.timeline() if one["who"] == "service"]
    assert noted[-1] == "makes no file"


def test_nothing_is_kept_without_a_location(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with running() as emulator:
        publish(emulator, KEY_EVENT)
    with running() as emulator:
        assert emulator.control.topic() == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_serves_one_emulator(tmp_path: Path) -> None:
    with running(location=str(tmp_path)):
        with pytest.raises(ConfigError, match="--location: another emulator uses"), running(location=str(tmp_path)):
            pass
    with running(location=str(tmp_path)):
        pass


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"--location: .* cannot be used"), running(location=str(tmp_path / "file")):
        pass
    assert parse_config(["--location", "here"], {}).location == "here"
    assert parse_config([], {"EMULATOR_LOCATION": "there"}).location == "there"


def test_what_is_past_its_time_goes_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000_000.0]
    monkeypatch.setattr("acs_emulator.recording.archive.time.time", lambda: now[0])
    one = Archive(Clock(2.0), tmp_path)
    for name in ("young", "unfinished"):
        one.path(name).write_bytes(b"sound")
    one.add("young", "recording", 3, "audiowav", {})
    one.describe("recording", {"recordingId": "recording"})
    one.add_speech("hello", b"\0\1")
    for path in tmp_path.iterdir():
        os.utime(path, (now[0], now[0]))
    # 24 hours are 12 at speed 2.
    now[0] += 12 * 3600 - 10
    again = Archive(Clock(2.0), tmp_path)
    document = again.get("young")
    assert document is not None
    assert (document.recording_id, document.chunk, document.content_name) == ("recording", 3, "audiowav")
    assert (document.path.read_bytes(), document.metadata_path.read_text()) == (b"sound", "{}")
    assert again.get("unfinished") is None
    assert not again.path("unfinished").exists()
    assert again.descriptions() == [{"recordingId": "recording"}]
    assert list(again.speech()) == [("hello", b"\0\1")]
    now[0] += 20
    late = Archive(Clock(2.0), tmp_path)
    assert late.get("young") is None
    assert list(tmp_path.iterdir()) == []
