"""What tests of recordings share: start one, wait for its states, fetch its files."""

from __future__ import annotations

import io
import wave
from typing import Any

import numpy as np
from yarl import URL

from acs_emulator.testing import AsyncControl, Running
from emulator.tests.support import CALLER, Desk, Wire, signed

UNMIXED = {"recordingContentType": "audio", "recordingChannelType": "unmixed", "recordingFormatType": "wav"}
WHO = {"phoneNumber": {"value": CALLER}}


async def record(desk: Desk, **more: Any) -> str:
    body = {
        "callConnectionId": desk.leg,
        "recordingStateCallbackUri": f"{desk.application.base}/api/recording",
        **UNMIXED,
        **more,
    }
    status, answer, headers = await desk.wire.send("POST", "/calling/recordings", body)
    assert status == 200, answer
    assert headers["Repeatability-Result"] == "accepted"
    assert answer["recordingState"] == "inactive"
    return str(answer["recordingId"])


async def active(desk: Desk, count: int = 2) -> dict[str, Any]:
    return await desk.application.event("RecordingStateChanged", count=count)


async def download(wire: Wire, location: str, method: str = "GET", **headers: str) -> tuple[int, bytes, dict[str, str]]:
    path = location.removeprefix(wire.emulator.endpoint)
    made = signed(wire.emulator.endpoint, wire.emulator.access_key, method, path, b"")
    async with wire.session.request(method, URL(location, encoded=True), headers={**made, **headers}) as answer:
        return answer.status, await answer.read(), dict(answer.headers)


def channels_of(body: bytes) -> Any:
    with wave.open(io.BytesIO(body)) as file:
        assert (file.getframerate(), file.getsampwidth()) == (16000, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())


async def told(emulator: Running[AsyncControl], what: str, count: int) -> None:
    """Wait until the timeline has told something so many times."""
    entries: list[Any] = []
    while len([entry for entry in entries if entry["what"] == what]) < count:
        entries = await emulator.control.timeline(wait=1)


async def heard(emulator: Running[AsyncControl], count: int) -> None:
    """Wait until so many stretches of speech have ended in the recording that goes on."""
    clock = emulator.service.clock
    [recording] = emulator.service.recordings.running.values()
    spans = [span for tracks in recording.tracks.values() for track in tracks for span in track.spans(0, 1 << 62)]
    spoken = [span.end for span in spans if span.kind == "speech"]
    assert len(spoken) == count
    await clock.sleep((max(spoken) - clock.samples()) / 16000 + 0.5)


async def recorded(desk: Desk, *texts: str, **more: Any) -> dict[str, Any]:
    """Record the caller saying these; the data of the file event."""
    path = f"/calling/recordings/{await record(desk, **more)}"
    await active(desk)
    for text in texts:
        await desk.wire.emulator.control.say(desk.call, text)
    await desk.wire.send("DELETE", path)
    return dict((await desk.application.grid_event("RecordingFileStatusUpdated"))["data"])
