"""Audio in: what is archived, whatever comes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import pytest

from streams.frames import MOST_CHARACTERS
from tests.unit.streams.memory import CALL, CALLER, START, Bench, MemoryStore, audio, key, metadata, sound
from tests.unit.streams.memory import track as new_track

FRAME = 640


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.service.close()


async def heard(bench: Bench, *frames: Any, code: int = 1000) -> None:
    """One connection that brings these frames."""
    socket = await bench.opened("audio")
    socket.send(*frames)
    await socket.close(code)


async def test_a_participants_sound_becomes_a_wav_file_of_the_right_length(bench: Bench) -> None:
    await heard(bench, metadata(), *(audio(n * 0.02, n) for n in range(500)))
    (name,) = bench.store.ending(".wav")
    assert name.startswith(f"2024/11/15/{CALL}/audio-")
    rate, pcm = sound(bench.store.blobs[name])
    assert rate == 16_000
    assert pcm == b"".join(n.to_bytes(2, "little") * 320 for n in range(500))
    (entry,) = bench.store.index()["files"]
    assert entry | {"name": ""} == {
        "name": "",
        "participant": CALLER,
        "sampleRate": 16_000,
        "startedAt": "2024-11-15T19:16:12.925+00:00",
        "lastFrameAt": "2024-11-15T19:16:22.905+00:00",
        "seconds": 10.0,
        "bytes": 320_044,
        "silenceFilledSeconds": 0.0,
        "lostSeconds": 0.0,
        "complete": True,
    }


async def test_24_khz_is_kept_as_it_came(bench: Bench) -> None:
    await heard(bench, metadata(24_000), *(audio(n * 0.02, rate=24_000) for n in range(50)))
    (name,) = bench.store.ending(".wav")
    rate, pcm = sound(bench.store.blobs[name])
    assert (rate, len(pcm)) == (24_000, 48_000)


async def test_each_participant_has_a_file_and_no_name_holds_a_number(bench: Bench) -> None:
    await heard(bench, metadata(), audio(0, 1), audio(0, 2, who="8:acs:x_y"), audio(0.02, 1), audio(0, 3, who=None))
    names = bench.store.ending(".wav")
    assert len(names) == 3
    assert sum(name.endswith("/audio-mixed.wav") for name in names) == 1
    assert not any("4255550123" in name for name in bench.store.blobs)
    assert {entry["participant"] for entry in bench.store.index()["files"]} == {CALLER, "8:acs:x_y", None}


async def test_property_names_are_read_in_any_case(bench: Bench) -> None:
    pascal = {
        "Kind": "AudioData",
        "AudioData": {"Timestamp": "2024-11-15T19:16:12.925Z", "ParticipantRawId": CALLER, "Data": "AQABAA=="},
    }
    shouted = {"KIND": "AudioMetadata", "AUDIOMETADATA": {"ENCODING": "pcm", "SAMPLERATE": 16000, "CHANNELS": 1}}
    mixed = audio(0.02)
    mixed["audioData"]["participantRawId"] = mixed["audioData"].pop("participantRawID")
    await heard(bench, shouted, pascal, mixed)
    assert [entry["participant"] for entry in bench.store.index()["files"]] == [CALLER]


async def test_a_gap_in_the_timestamps_is_silence_in_the_file(bench: Bench) -> None:
    await heard(bench, metadata(), audio(0, 1), audio(0.02, 1), audio(1.0, 2), audio(1.02, 2))
    _, pcm = sound(bench.store.blobs[bench.store.ending(".wav")[0]])
    assert len(pcm) == 1.04 * 32_000
    assert pcm[: 2 * FRAME] == b"\1\0" * FRAME
    assert pcm[2 * FRAME : 32_000] == bytes(32_000 - 2 * FRAME)
    assert pcm[32_000:] == b"\2\0" * FRAME
    assert bench.store.index()["files"][0]["silenceFilledSeconds"] == 0.96


async def test_jitter_of_a_frame_adds_nothing(bench: Bench) -> None:
    await heard(bench, metadata(), *(audio(n * 0.02 + (0.015 if n % 3 else 0)) for n in range(100)))
    _, pcm = sound(bench.store.blobs[bench.store.ending(".wav")[0]])
    assert len(pcm) == 100 * FRAME


async def test_frames_lost_one_by_one_are_made_up_for(bench: Bench) -> None:
    await heard(bench, metadata(), *(audio(n * 0.02) for n in range(1000) if n % 10 != 5))
    _, pcm = sound(bench.store.blobs[bench.store.ending(".wav")[0]])
    assert abs(len(pcm) / 32_000 - 20.0) <= 0.04


async def test_a_frame_that_comes_twice_is_kept_once(bench: Bench) -> None:
    await heard(bench, metadata(), audio(0, 1), audio(0, 1), audio(0.02, 2))
    assert sound(bench.store.blobs[bench.store.ending(".wav")[0]])[1] == b"\1\0" * 320 + b"\2\0" * 320


@pytest.mark.parametrize("later", [61.5, -5.0])
async def test_a_long_gap_or_a_clock_put_back_begins_a_further_file(bench: Bench, later: float) -> None:
    await heard(bench, metadata(), audio(0, 1), audio(0.02, 1), audio(later, 2))
    first, second = sorted(bench.store.ending(".wav"), key=len)
    assert second == first.removesuffix(".wav") + ".2.wav"
    assert sound(bench.store.blobs[first])[1] == b"\1\0" * 640
    assert sound(bench.store.blobs[second])[1] == b"\2\0" * 320


async def test_a_wild_timestamp_costs_neither_memory_nor_the_socket(bench: Bench) -> None:
    wild = audio(0, 9)
    wild["audioData"]["timestamp"] = "9999-12-31T23:59:59Z"
    none = audio(0, 9)
    none["audioData"]["timestamp"] = "yesterday"
    await heard(bench, metadata(), audio(0, 1), wild, none, audio(0.04, 2))
    assert sum(len(blob) for blob in bench.store.blobs.values()) < 10_000


async def test_a_long_stream_is_cut_into_parts() -> None:
    bench = Bench(part_seconds=60, most_unwritten_seconds=150)
    await heard(bench, metadata(), *(audio(n * 0.02) for n in range(130 * 50)))
    lengths = [entry["seconds"] for entry in bench.store.index()["files"]]
    assert lengths == [60.0, 60.0, 10.0]
    bench.service.close()


async def test_a_connection_after_a_drop_continues_in_a_further_file(bench: Bench) -> None:
    await heard(bench, metadata(), audio(0, 1), '{"kind":"AudioData","audioData":{"timest', code=1006)
    before = dict(bench.store.blobs)
    await heard(bench, metadata(), audio(3, 2))
    first, second = sorted(bench.store.ending(".wav"), key=len)
    assert bench.store.blobs[first] == before[first]
    assert sound(bench.store.blobs[second])[1] == b"\2\0" * 320
    entries = bench.store.index()["files"]
    assert [entry["startedAt"][17:23] for entry in entries] == ["12.925", "15.925"]
    assert all(entry["complete"] for entry in entries)


async def test_two_connections_at_once_write_to_different_files(bench: Bench) -> None:
    one, two = await bench.opened("audio"), await bench.opened("audio")
    for number in range(300):
        one.send(*([] if number else [metadata()]), audio(number * 0.02, 1))
        two.send(*([] if number else [metadata()]), audio(number * 0.02, 2))
    await asyncio.gather(one.close(), two.close())
    contents = {sound(bench.store.blobs[name])[1] for name in bench.store.ending(".wav")}
    assert contents == {b"\1\0" * 96_000, b"\2\0" * 96_000}


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "{",
        "[]",
        "null",
        '"AudioData"',
        "[" * 100_000,
        "\udcff",
        '{"kind":"AudioData"}',
        '{"kind":"AudioData","audioData":null}',
        '{"kind":"AudioData","audioData":{}}',
        '{"kind":"AudioData","audioData":{"timestamp":1,"data":7}}',
        '{"kind":"AudioData","audioData":{"timestamp":"x","data":"not base64!"}}',
        '{"kind":"AudioData","audioData":{"timestamp":"x","data":"AAA="}}x',
        '{"kind":"AudioData","audioData":{"timestamp":"x","data":"AAAA"}}',
        '{"kind":"AudioData","audioData":{"timestamp":"x","data":"AAA=","participantRawID":5}}',
        '{"kind":"DtmfData","dtmfData":{"data":"12"}}',
        '{"kind":"DtmfData","dtmfData":{"data":7}}',
        '{"kind":"SomethingNew","somethingNew":{}}',
        '{"kind":{"a":1}}',
        '{"kind":"AudioMetadata","audioMetadata":{"sampleRate":8000}}',
        '{"kind":"AudioMetadata","audioMetadata":{"sampleRate":16000,"channels":2}}',
        '{"kind":"AudioMetadata","audioMetadata":{"sampleRate":' + "9" * 5000 + "}}",
        "x" * (MOST_CHARACTERS + 1),
    ],
)
async def test_a_frame_that_cannot_be_read_is_left_out_and_counted(
    bench: Bench, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "switchboard.streams")
    await heard(bench, metadata(), audio(0, 1), broken, broken, audio(0.02, 2), key("5"))
    assert sound(bench.store.blobs[bench.store.ending(".wav")[0]])[1] == b"\1\0" * 320 + b"\2\0" * 320
    assert len(bench.told.signals) == 1
    assert sum("frame skipped" in line for line in caplog.messages) == 1
    assert ":2 tones=1 " in caplog.text


async def test_audio_before_its_metadata_is_left_out(bench: Bench) -> None:
    await heard(bench, audio(0, 1), metadata(), audio(0.02, 2))
    assert sound(bench.store.blobs[bench.store.ending(".wav")[0]])[1] == b"\2\0" * 320


async def test_no_log_line_names_a_participant(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "switchboard")
    await heard(bench, metadata(), audio(0), "{", key("5"))
    assert "audio socket closed" in caplog.text
    assert "4255550123" not in caplog.text


async def test_what_was_flushed_is_a_whole_file_while_the_call_goes_on(bench: Bench) -> None:
    socket = await bench.opened("audio")
    socket.send(metadata(), *(audio(n * 0.02) for n in range(6 * 50)))
    async with asyncio.timeout(10):
        while not bench.store.ending("audio.json"):
            await asyncio.sleep(0.01)
    # Nobody closes anything: this is what is left after a crash.
    assert len(sound(bench.store.blobs[bench.store.ending(".wav")[0]])[1]) >= 5 * 32_000
    assert bench.store.index()["files"][0]["complete"] is False
    await socket.close()
    assert bench.store.index()["files"][0] | {"name": ""} | {"seconds": 6.0, "complete": True} == (
        bench.store.index()["files"][0] | {"name": ""}
    )


async def test_sound_waits_for_a_storage_that_is_away_and_nothing_is_lost(bench: Bench) -> None:
    socket = await bench.opened("audio")
    bench.store.failing = True
    socket.send(metadata(), *(audio(n * 0.02, 1) for n in range(400)))
    for _ in range(5):
        await asyncio.sleep(0.01)
    bench.store.failing = False
    await socket.close()
    assert len(sound(bench.store.blobs[bench.store.ending(".wav")[0]])[1]) == 400 * FRAME


def test_a_write_that_fails_half_way_is_made_good_by_the_next_one() -> None:
    class Failing(MemoryStore):
        left = 4

        def commit(self, name: str, block_ids: Sequence[str], content_type: str) -> None:
            self.left -= 1
            if self.left in (0, 2):
                raise OSError("the storage is away")
            super().commit(name, block_ids, content_type)

    store, track = Failing(), new_track()
    entries: dict[str, bool] = {}
    for start in (0.0, 100.0, 200.0):
        track.add(b"\1\0" * 320, START + start)
    for _ in range(5):
        with suppress(OSError):
            entries |= {entry["name"]: entry["complete"] for entry in track.write(store, closing=True)}
    assert entries == {"audio-x.wav": True, "audio-x.2.wav": True, "audio-x.3.wav": True}
    assert {sound(blob)[1] for blob in store.blobs.values()} == {b"\1\0" * 320}


async def test_a_storage_that_stays_away_costs_bounded_memory_and_is_reported(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    socket = await bench.opened("audio")
    bench.store.failing = True
    socket.send(metadata(), *(audio(n * 0.02, 1) for n in range(140 * 50)))
    await socket.close()
    assert bench.store.blobs == {}
    assert "lost_seconds=140.00" in caplog.text


async def test_a_socket_brings_no_more_than_its_limit(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(most_megabytes=1)
    await heard(bench, metadata(), *(audio(n * 0.02, 1) for n in range(2000)))
    assert abs(len(sound(bench.store.blobs[bench.store.ending(".wav")[0]])[1]) - 1024 * 1024) <= FRAME
    assert caplog.text.count(f"audio is lost call={CALL} limit=archive") == 1
    lost = 40.0 - 1024 * 1024 / 32_000
    assert bench.store.index()["files"][0]["lostSeconds"] == pytest.approx(lost, abs=0.02)
    assert f"lost_seconds={bench.store.index()['files'][0]['lostSeconds']:.2f}" in caplog.text
    bench.service.close()


async def test_nothing_is_kept_when_the_setting_says_so() -> None:
    bench = Bench(archive_audio=False)
    await heard(bench, metadata(), audio(0), key("1"))
    assert bench.store.blobs == {}
    assert len(bench.told.signals) == 1
    bench.service.close()
