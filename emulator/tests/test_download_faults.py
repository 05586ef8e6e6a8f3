"""Downloads that go wrong in every way that the app must survive."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
from yarl import URL

from acs_emulator.testing import AsyncControl, ControlError, Running
from emulator.tests.recording_support import download, recorded
from emulator.tests.support import Wire, signed

MATCH = {"operation": "CallRecording_Download"}


@pytest.fixture
async def chunk(emulator: Running[AsyncControl], answered: Any) -> dict[str, Any]:
    """A recording of one chunk, whole."""
    data = await recorded(await answered(), "Good afternoon, this is a recording.")
    [one] = data["recordingStorageInfo"]["recordingChunks"]
    return dict(one)


async def partial(wire: Wire, location: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """What came before the answer broke off."""
    path = location.removeprefix(wire.emulator.endpoint)
    made = signed(wire.emulator.endpoint, wire.emulator.access_key, "GET", path, b"")
    got = b""
    async with wire.session.get(URL(location, encoded=True), headers={**made, **headers}) as answer:
        try:
            async for part in answer.content.iter_any():
                got += part
        except aiohttp.ClientPayloadError:
            return answer.status, got, dict(answer.headers)
    pytest.fail("the answer did not break off")


def tag(headers: dict[str, str]) -> str:
    """The ETag, whatever the case of its name."""
    return next(value for name, value in headers.items() if name.lower() == "etag")


async def test_a_truncated_answer_is_completed_by_a_range_of_the_same_file(
    emulator: Running[AsyncControl], wire: Wire, chunk: dict[str, Any]
) -> None:
    content = chunk["contentLocation"]
    _, whole, plain = await download(wire, content)
    await emulator.control.add_faults({"kind": "truncate", "count": 2, "match": MATCH})
    status, first, headers = await partial(wire, content)
    assert (status, first, headers["Content-Length"]) == (200, whole[: len(whole) // 2], str(len(whole)))
    assert (tag(headers), headers["Accept-Ranges"]) == (tag(plain), "bytes")
    rest = {"Range": f"bytes={len(first)}-", "If-Range": tag(headers)}
    status, second, headers = await partial(wire, content, **rest)
    assert (status, headers["Content-Range"]) == (206, f"bytes {len(first)}-{len(whole) - 1}/{len(whole)}")
    assert whole.startswith(first + second)
    status, third, _ = await download(wire, content, Range=f"bytes={len(first + second)}-")
    assert (status, first + second + third) == (206, whole)


async def test_a_wrong_length_is_the_same_at_every_try(
    emulator: Running[AsyncControl], wire: Wire, chunk: dict[str, Any]
) -> None:
    content = chunk["contentLocation"]
    whole = (await download(wire, content))[1]
    await emulator.control.add_faults({"kind": "wrong length", "bytes": 100, "match": MATCH})
    for _ in range(2):
        status, got, headers = await partial(wire, content)
        assert (status, got, headers["Content-Length"]) == (200, whole, str(len(whole) + 100))
    status, got, headers = await partial(wire, content, Range=f"bytes={len(whole) - 4}-")
    assert (status, got) == (206, whole[-4:])
    assert headers["Content-Range"] == f"bytes {len(whole) - 4}-{len(whole) + 99}/{len(whole) + 100}"
    assert (await partial(wire, content, Range=f"bytes={len(whole)}-"))[:2] == (206, b"")
    assert (await download(wire, content, Range=f"bytes={len(whole) + 100}-"))[0] == 416


async def test_a_wrong_header_promises_more_sound_than_the_file_has(
    emulator: Running[AsyncControl], wire: Wire, chunk: dict[str, Any]
) -> None:
    content = chunk["contentLocation"]
    whole = (await download(wire, content))[1]
    await emulator.control.add_faults({"kind": "wrong header", "bytes": 3200, "match": MATCH})
    spoiled = (await download(wire, content))[1]
    assert (len(spoiled), spoiled[44:]) == (len(whole), whole[44:])
    for place in (4, 40):
        promised, true = (int.from_bytes(body[place : place + 4], "little") for body in (spoiled, whole))
        assert promised == true + 3200
    assert (await download(wire, content, Range="bytes=38-49"))[1] == spoiled[38:50]
    assert (await download(wire, content, Range="bytes=None"))[:2] == (200, spoiled)


async def test_a_redirect_leads_where_the_fault_says(
    emulator: Running[AsyncControl], wire: Wire, chunk: dict[str, Any]
) -> None:
    rule = {"kind": "redirect", "location": "https://elsewhere.example/file", "status": 307, "match": MATCH}
    await emulator.control.add_faults(rule)
    location = chunk["contentLocation"]
    made = signed(emulator.endpoint, emulator.access_key, "GET", location.removeprefix(emulator.endpoint), b"")
    async with wire.session.get(URL(location, encoded=True), headers=made, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (307, "https://elsewhere.example/file")


@pytest.mark.parametrize("kind", ["truncate", "wrong length", "wrong header", "short", "empty"])
async def test_a_fault_leaves_the_metadata_alone_unless_it_names_it(
    emulator: Running[AsyncControl], wire: Wire, chunk: dict[str, Any], kind: str
) -> None:
    await emulator.control.add_faults({"kind": kind, "match": MATCH})
    status, body, headers = await download(wire, chunk["metadataLocation"])
    assert (status, json.loads(body)["chunkIndex"]) == (200, 0)
    assert headers["Accept-Ranges"] == "bytes"
    await emulator.control.clear_faults()
    await emulator.control.add_faults({"kind": "short", "match": {**MATCH, "content": "metadata"}})
    assert (await download(wire, chunk["metadataLocation"]))[1] == body[: len(body) // 2]
    assert (await download(wire, chunk["contentLocation"]))[1][:4] == b"RIFF"


async def test_a_fault_may_be_for_one_chunk_of_one_recording_and_for_so_many_requests(
    emulator: Running[AsyncControl], wire: Wire, answered: Any
) -> None:
    object.__setattr__(emulator.service.config, "recording_chunk_seconds", 1.0)
    data = await recorded(await answered(), "This takes a good deal longer than one second to say.")
    chunks = data["recordingStorageInfo"]["recordingChunks"]
    [described] = await emulator.control.recordings()
    match = {**MATCH, "chunk": 1, "recording": described["recordingId"]}
    await emulator.control.add_faults(
        {"kind": "status", "status": 404, "count": 2, "match": match},
        {"kind": "empty", "match": {**MATCH, "document": chunks[0]["documentId"]}},
        {"kind": "empty", "match": {**MATCH, "recording": "another"}},
    )
    tries = [(await download(wire, chunks[1]["contentLocation"]))[0] for _ in range(3)]
    assert tries == [404, 404, 200]
    assert [len((await download(wire, one["contentLocation"]))[1]) > 0 for one in chunks[:2]] == [False, True]


async def test_a_late_file_event_is_held_for_as_long_as_the_fault_says(
    emulator: Running[AsyncControl], answered: Any
) -> None:
    match = {"type": "RecordingFileStatusUpdated", "channel": "eventgrid"}
    await emulator.control.add_faults({"kind": "delay", "seconds": 30, "match": match})
    data = await recorded(await answered(), "hello")
    [delivery] = await emulator.control.deliveries(type="RecordingFileStatusUpdated")
    [document] = [emulator.service.recordings.archive.get(one["documentId"]) for one in _chunks(data)]
    assert document is not None
    made = document.expires - 24 * 3600
    sent = delivery["attempts"][0]["at_ms"] / 1000 * emulator.service.config.speed
    assert sent - made > 29


def _chunks(data: dict[str, Any]) -> list[dict[str, Any]]:
    return list(data["recordingStorageInfo"]["recordingChunks"])


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"kind": "redirect"}, "[0].location"),
        ({"kind": "empty", "match": {"content": "video"}}, "[0].match.content"),
        ({"kind": "wrong length", "bytes": 0}, "[0].bytes"),
    ],
)
async def test_a_download_fault_that_says_too_little_is_refused(
    emulator: Running[AsyncControl], rule: dict[str, Any], field: str
) -> None:
    with pytest.raises(ControlError) as refused:
        await emulator.control.add_faults(rule)
    assert (refused.value.status, refused.value.body["error"]["target"]) == (400, field)
