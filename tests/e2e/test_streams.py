"""Live audio and words of whole calls: emulator, Functions host, streams service and Azurite."""

from __future__ import annotations

import io
import json
import time
import wave
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import requests
from azure.storage.blob import ContainerClient

from devstack.stack import Stack
from shared.security import StreamUrls
from streams.urls import PLAY
from tests.e2e.line import Line, deployed, until, words

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.node, pytest.mark.xdist_group("e2e-streams")]

STREAMED, LISTENING, COUNTED = "+18005550111", "+18005550112", "+18005550113"

ROUTES = f"""
rules:
  - {{name: streamed, to: "{STREAMED}", answer: streamed}}
  - {{name: counted, to: "{COUNTED}", answer: counted}}
  - {{name: the rest, answer: listening}}
"""

FLOWS = '''
"""Flows whose calls are streamed."""

from shared.calls import Call, flow, text
from shared.calls.actions import MediaStreaming, Transcription


@flow("streamed", opens=True)
async def streamed(call: Call) -> None:
    """Repeats what was said and pressed, as the streams service heard it."""
    await call.answer(
        media_streaming=MediaStreaming(channel="unmixed", start=True, bidirectional=True, dtmf_tones=True),
        transcription=Transcription(locale="en-US", start=True),
    )
    said = await call.signal("transcript")
    tones = [(await call.signal("dtmf"))["tone"] for _ in range(3)]
    await call.play(text(f"You said {said['text']} and pressed {' '.join(tones)}."))
    await call.hang_up()


@flow("counted", opens=True)
async def counted(call: Call) -> None:
    """Takes twelve keys, and says them."""
    await call.answer(media_streaming=MediaStreaming(channel="mixed", start=True, dtmf_tones=True))
    keys = [(await call.signal("dtmf"))["tone"] for _ in range(12)]
    await call.play(text(" ".join(keys)))
    await call.hang_up()


@flow("listening", opens=True)
async def listening(call: Call) -> None:
    """Streams until the caller leaves."""
    await call.answer(media_streaming=MediaStreaming(channel="unmixed", start=True, bidirectional=True))
    await call.ended()
'''


@pytest.fixture(scope="module")
def streaming(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    folder = deployed(tmp_path_factory.mktemp("app"))
    (folder / "flows" / "streaming_trials.py").write_text(FLOWS)
    (folder / "routing.yaml").write_text(ROUTES)
    with Stack(app_root=folder, host="own", speed=2, seed=7, quiet=True, streams=True) as stack:
        yield Line(stack)


class Archive:
    """What the streams service kept."""

    def __init__(self, stack: Stack) -> None:
        self._container = ContainerClient.from_connection_string(stack.connection_string, "switchboard-streams")

    def names(self, call_id: str) -> list[str]:
        return [blob.name for blob in self._container.list_blobs() if f"/{call_id}/" in blob.name]

    def read(self, call_id: str, ending: str) -> bytes:
        (name,) = [name for name in self.names(call_id) if name.endswith(ending)]
        return self._container.download_blob(name).readall()

    def files(self, call_id: str) -> list[dict[str, Any]]:
        """The audio files of a call, once all of them are complete."""
        found: list[dict[str, Any]] = []

        def complete() -> bool:
            if not any(name.endswith("/audio.json") for name in self.names(call_id)):
                return False
            found[:] = json.loads(self.read(call_id, "/audio.json"))["files"]
            return all(file["complete"] for file in found)

        until(complete, 20, lambda: f"not complete: {found} {self.names(call_id)}")
        return found

    def sound(self, call_id: str, name: str) -> tuple[float, bytes]:
        """Seconds and samples."""
        with wave.open(io.BytesIO(self.read(call_id, "/" + name))) as file:
            pcm = file.readframes(file.getnframes())
            return file.getnframes() / file.getframerate(), pcm


def test_a_flow_hears_words_and_keys_and_the_archive_keeps_the_sound(streaming: Line) -> None:
    script = [{"after": 1, "say": "sales please"}, {"after": 3, "press": "12#"}]
    document = streaming.end(streaming.call(STREAMED, script))
    assert document["outcome"] == "completed"
    assert words(document) == ["You said sales please and pressed 1 2 #."]

    archive, call_id = Archive(streaming.stack), document["call_id"]
    (entry,) = archive.files(call_id)
    seconds, pcm = archive.sound(call_id, entry["name"])
    assert seconds == entry["seconds"] > 4
    assert loudest(pcm) > 1000
    assert entry["participant"] not in str(archive.names(call_id))
    (line,) = [json.loads(text) for text in archive.read(call_id, "transcript.jsonl").splitlines()]
    assert (line["text"], line["status"], line["participant"]) == ("sales please", "final", entry["participant"])
    log = (streaming.stack.logs / "streams.log").read_text()
    assert "sales please" not in log
    assert entry["participant"] not in log


def test_keys_pressed_while_the_app_is_away_reach_the_flow_in_order_each_once(streaming: Line) -> None:
    """The only host is killed for as long as a restart takes; the streams service and the call go on."""
    stack = streaming.stack
    correlation_id = streaming.call(COUNTED)
    until(lambda: open_sockets(streaming)["audio"] == 1, 15, lambda: str(open_sockets(streaming)))
    connection = streaming.control.state()["calls"][0]["legs"][0]["callConnectionId"]
    log = stack.logs / "streams.log"
    streaming.control.press(connection, "11")
    until(lambda: log.read_text().count("outcome=advanced") >= 2, 15, log.read_text)
    stack.kill_host(0)
    streaming.control.press(connection, "22335#")
    time.sleep(10)
    streaming.control.press(connection, "*008")
    assert "signals wait call=" in log.read_text()
    stack.revive_host(0)
    document = streaming.end(correlation_id)
    assert document["outcome"] == "completed"
    assert words(document) == ["1 1 2 2 3 3 5 # * 0 0 8"]
    signals = [entry for entry in document["journal"] if entry["entry"] == "signal"]
    assert [int(entry["id"].rpartition("-")[2]) for entry in signals] == list(range(1, 13))
    assert "outcome=failed" not in log.read_text()


def test_sound_that_an_operator_sends_is_heard_in_the_call(streaming: Line) -> None:
    correlation_id = streaming.call(LISTENING, [{"when": "prompted", "after": 1, "hangUp": True}])
    url = play_url(streaming, call_id_of(streaming, correlation_id))
    until(lambda: requests.post(url, data=tone(1.0), timeout=10).status_code == 202, 15, lambda: "never taken")
    # The phone hangs up because something was played to it.
    document = streaming.end(correlation_id)
    assert document["outcome"] == "completed"
    assert requests.post(url, data=tone(1.0), timeout=10).status_code == 404


def test_a_connection_that_breaks_off_in_a_frame_is_continued_in_a_further_file(streaming: Line) -> None:
    correlation_id = streaming.call(LISTENING, [{"after": 16, "hangUp": True}])
    call_id = call_id_of(streaming, correlation_id)
    archive = Archive(streaming.stack)
    until(lambda: open_sockets(streaming)["audio"] == 1, 10, lambda: str(open_sockets(streaming)))
    connection = streaming.control.state()["calls"][0]["legs"][0]["callConnectionId"]
    until(lambda: archive.names(call_id) != [], 15, lambda: "nothing is written while the call goes on")
    drop(streaming, connection)
    streaming.end(correlation_id)
    files = archive.files(call_id)
    assert [file["name"].count(".") for file in files] == [1, 2]
    for file in files:
        assert archive.sound(call_id, file["name"])[0] == file["seconds"] > 0


def test_twenty_calls_at_once_keep_pace_and_no_frame_is_lost(streaming: Line) -> None:
    """The emulator runs at twice the speed: 100 frames a second of each call."""
    calls = [streaming.call(LISTENING, [{"after": 12, "hangUp": True}]) for _ in range(20)]
    archive = Archive(streaming.stack)
    for document in streaming.ended(*calls, within=60):
        (file,) = archive.files(document["call_id"])
        span = datetime.fromisoformat(file["lastFrameAt"]) - datetime.fromisoformat(file["startedAt"])
        assert file["seconds"] == pytest.approx(span.total_seconds() + 0.02, abs=0.0015)
        assert file["seconds"] > 11
        assert (file["silenceFilledSeconds"], file["lostSeconds"]) == (0.0, 0.0)
        assert archive.sound(document["call_id"], file["name"])[0] == file["seconds"]


def play_url(line: Line, call_id: str) -> str:
    signature = StreamUrls("ws://x", line.stack.signing_key).url(call_id, PLAY).rpartition("sig=")[2]
    return f"{web(line)}/streams/{call_id}/audio/play?sig={signature}"


def call_id_of(line: Line, correlation_id: str) -> str:
    """Switchboard's id of a call that is up, from the callback address that it was answered with."""
    found: list[str] = []

    def known() -> bool:
        for call in line.control.state()["calls"]:
            if call["correlationId"] == correlation_id and call["legs"]:
                found.append(call["legs"][0]["callbackUri"].partition("?")[0].rpartition("/")[2])
        return bool(found)

    until(known, 15, lambda: str(line.control.state()["calls"])[:500])
    return found[0]


def open_sockets(line: Line) -> Any:
    return requests.get(f"{web(line)}/health", timeout=10).json()


def web(line: Line) -> str:
    return line.stack.streams_url.replace("ws", "http", 1)


def drop(line: Line, connection: str) -> None:
    """Break the sockets of a call off in the middle of a frame."""
    answer = requests.post(f"{line.stack.emulator_url}/emulator/calls/{connection}/drop-streams", json={}, timeout=10)
    assert answer.ok, answer.text


def tone(seconds: float) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((b"\x00\x20" * 20 + b"\x00\xe0" * 20) * round(seconds * 400))
    return out.getvalue()


def loudest(pcm: bytes) -> int:
    return max(abs(sample) for sample in memoryview(pcm).cast("h"))
