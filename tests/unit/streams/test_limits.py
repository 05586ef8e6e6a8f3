"""What one peer, however odd, can make this process hold, write and keep open; and that what is left out is told."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import LimitReached
from streams.archive import AudioArchive
from streams.frames import AudioFrame, moment
from streams.limits import Budget, Sockets
from streams.track import BLOCK_BYTES
from streams.urls import Kind
from tests.examples import examples
from tests.unit.streams.memory import (
    CALL,
    HEADERS,
    START,
    Bench,
    MemoryStore,
    Socket,
    audio,
    key,
    metadata,
    phrase,
    post,
    sound,
    transcription_metadata,
    wav,
)
from tests.unit.streams.memory import track as new_track
from tests.unit.streams.test_play_audio import play_path, streaming
from tests.unit.streams.test_server import serving

MEGABYTE = 1024 * 1024
YEAR = 365.25 * 86_400
FRAME = b"\1\0" * 320
JUMPS = (
    st.floats(-10_000 * YEAR, 8_000 * YEAR)
    | st.floats(-200, 200)
    | st.sampled_from([0.0, 0.02, 0.04, 59.9, 60.1, -0.9, -1.1, 1e-9, YEAR, -YEAR])
)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.service.close()


def size(value: object) -> int:
    """Bytes of a value with everything in it, as Python counts them."""
    seen: set[int] = set()

    def of(item: object) -> int:
        if id(item) in seen or isinstance(item, type | MemoryStore | Budget | asyncio.Task) or callable(item):
            return 0
        seen.add(id(item))
        total = sys.getsizeof(item)
        if isinstance(item, dict):
            return total + sum(of(name) + of(each) for name, each in item.items())
        if isinstance(item, str | bytes | bytearray):
            return total
        if hasattr(item, "__iter__"):
            total += sum(map(of, list(item)))
        names = [*getattr(item, "__dict__", {}), *getattr(type(item), "__slots__", ())]
        return total + sum(of(getattr(item, name, None)) for name in names)

    return of(value)


def an_archive(held: Budget, **given: Any) -> tuple[AudioArchive, MemoryStore]:
    """The archive of a socket, and the storage under it."""

    async def here(function: Any) -> Any:
        return function()

    async def no_sleep(seconds: float) -> None:
        pass

    store = MemoryStore()
    limits = {"most_bytes": 10**12, "most_files": 10**6, "unwritten_seconds": 120, **given}
    archive = AudioArchive(
        store, "x", CALL, 16_000, bytes(32), here, held=held, flush_seconds=5, part_seconds=3600, sleep=no_sleep,
        **limits,
    )  # fmt: skip
    return archive, store


# Memory, counted


@settings(max_examples=examples(40))
@given(
    st.lists(
        st.tuples(st.integers(0, 40), JUMPS, st.sampled_from([2, 640, 640, 960, 60_000])), min_size=1, max_size=300
    ),
    st.booleans(),
)
def test_whatever_the_timestamps_and_however_many_participants_a_process_holds_no_more_than_its_limit(
    frames: list[tuple[int, float, int]], away: bool
) -> None:
    process = Budget("process", 2 * MEGABYTE)
    archives = [an_archive(process.share("socket", MEGABYTE), most_bytes=8 * MEGABYTE) for _ in range(3)]
    empty = size([archive for archive, _ in archives])
    at, sent = START, 0
    for count, (who, jump, length) in enumerate(frames):
        at += jump
        archive, store = archives[count % 3]
        store.failing = away
        duplicates = archive.duplicates
        archive.add(AudioFrame(f"8:acs:{who}", at, b"\1\0" * (length // 2), False))
        sent += length * (archive.duplicates == duplicates)
        assert process.used <= process.limit
    held = size([archive for archive, _ in archives]) - empty
    # A bytearray that grows keeps an eighth in reserve.
    assert held <= process.used * 1.25
    for _, store in archives:
        store.failing = False
    lost = sum(asyncio.run(archive.close()) for archive, _ in archives)
    kept = sum(sound(blob)[1].count(b"\1\0") * 2 for _, store in archives for name, blob in store.blobs.items()
               if name.endswith(".wav"))  # fmt: skip
    assert kept + lost * 32_000 == pytest.approx(sent)
    assert process.used == 0 or process.used % 8192 == 0  # of the participants, which leave with their socket


def test_an_hour_of_silence_that_waits_takes_no_memory() -> None:
    track = new_track()
    for minute in range(60):
        track.add(FRAME, START + minute * 59.9)
    assert size(track) < 100_000
    store = MemoryStore()
    (entry,) = track.write(store, closing=True)
    assert entry["seconds"] == pytest.approx(59 * 59.9 + 0.02, abs=0.02)
    assert sound(store.blobs["audio-x.wav"])[1].count(b"\1\0") == 60 * 320
    assert max(map(len, store.staged.values())) <= BLOCK_BYTES


def test_sound_and_silence_stand_where_they_belong_whatever_the_length_of_a_block() -> None:
    track, store = new_track(), MemoryStore()
    starts = [0, 0.02, 40.0, 40.02, 95.5, 95.52]
    for value, start in enumerate(starts, 1):
        track.add(value.to_bytes(2, "little") * 320, START + start)
    track.write(store, closing=True)
    _, pcm = sound(store.blobs["audio-x.wav"])
    for value, start in enumerate(starts, 1):
        position = round(start * 32_000)
        assert pcm[position : position + 640] == value.to_bytes(2, "little") * 320
    assert len(pcm) == round(95.54 * 32_000)
    assert sum(map(bool, pcm)) == len(starts) * 320


def test_sound_that_waits_is_bounded_over_all_files_of_a_participant() -> None:
    track = new_track(held=100_000)
    lost = [track.add(FRAME, START + 100.0 * n) for n in range(1000)]
    assert lost[0] is None
    assert lost[-1] is not None
    assert lost[-1].name == "participant"
    assert size(track) < 110_000
    assert track.lost == 640 * sum(limit is not None for limit in lost)
    store = MemoryStore()
    entries = track.write(store, closing=True)
    assert len(entries) == len(store.blobs) == 1000 - track.lost // 640
    assert sum(entry["lostSeconds"] for entry in entries) == pytest.approx(track.lost / 32_000, abs=0.001)


def test_frames_that_come_while_others_are_written_are_neither_lost_nor_doubled() -> None:
    count = 1

    class Slow(MemoryStore):
        """Takes frames in the middle of a write, as the loop does."""

        def stage(self, name: str, block_id: str, data: bytes) -> None:
            nonlocal count
            super().stage(name, block_id, data)
            if count < 200:
                track.add(count.to_bytes(2, "little") * 320, START + count * 0.02)
                count += 1

    track, store = new_track(), Slow()
    track.add(bytes(2) * 320, START)
    while count < 200:
        track.write(store)
    track.write(store, closing=True)
    assert sound(store.blobs["audio-x.wav"])[1] == b"".join(n.to_bytes(2, "little") * 320 for n in range(200))
    assert track.unwritten == 0


def test_a_participant_who_jumps_begins_no_more_files_than_the_limit(caplog: pytest.LogCaptureFixture) -> None:
    archive, store = an_archive(Budget("process", 8 * MEGABYTE), most_files=5)
    for n in range(20):
        archive.add(AudioFrame("8:acs:x", START + 100.0 * n, FRAME, False))
        asyncio.run(archive.flush())
    lost = asyncio.run(archive.close())
    assert len(store.ending(".wav")) == 5
    assert lost == pytest.approx(15 * 0.02)
    assert store.index()["files"][-1]["lostSeconds"] == pytest.approx(15 * 0.02)
    assert caplog.text.count("limit=files") == 1


def test_silence_counts_against_what_a_socket_may_bring_to_the_storage() -> None:
    archive, store = an_archive(Budget("process", 8 * MEGABYTE), most_bytes=10 * MEGABYTE)
    for n in range(100):
        archive.add(AudioFrame("8:acs:x", START + 50.0 * n, FRAME, False))
    asyncio.run(archive.close())
    assert sum(map(len, store.blobs.values())) <= 10 * MEGABYTE + 10_000


async def test_a_socket_cannot_take_the_place_of_the_others(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(most_held_megabytes=16)
    bench.store.failing = True
    greedy, quiet = await bench.opened("audio"), await bench.opened("audio")
    quiet.send(metadata(), audio(0, 1))
    greedy.send(metadata(), *(audio(n * 0.02, 1, who=f"8:acs:{n % 8}") for n in range(10_000)))
    async with asyncio.timeout(10):
        while "limit=socket" not in caplog.text:
            await asyncio.sleep(0.01)
    assert bench.service.held.used <= 4 * MEGABYTE + 20_000
    quiet.send(audio(0.02, 1))
    bench.store.failing = False
    await quiet.close()
    assert any(sound(blob)[1] == FRAME * 2 for name, blob in bench.store.blobs.items() if name.endswith(".wav"))
    await greedy.close()
    assert caplog.text.count("audio is lost") == 1
    assert bench.service.held.used == 0
    bench.service.close()


async def test_many_sockets_together_hold_no_more_than_the_process_may_and_leave_nothing_behind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench(most_held_megabytes=16, most_sockets_of_a_call=100)
    bench.store.failing = True
    sockets = [await bench.opened("audio") for _ in range(20)]
    for socket in sockets:
        socket.send(metadata(), *(audio(n * 59.0, 1, who=f"8:acs:{n % 2}") for n in range(2_000)))
    async with asyncio.timeout(20):
        while "limit=process" not in caplog.text:
            assert bench.service.held.used <= 16 * MEGABYTE
            await asyncio.sleep(0.005)
    await asyncio.gather(*(socket.close() for socket in sockets))
    assert bench.service.held.used == 0
    assert caplog.text.count("lost_seconds=40.00") == 20
    bench.service.close()


async def test_a_raw_id_beyond_measure_costs_its_frame_alone(bench: Bench) -> None:
    socket = await bench.opened("audio")
    socket.send(metadata(), audio(0, 1), audio(0.02, 2, who="8:" + "x" * 2000), audio(0.02, 3))
    await socket.close()
    assert len(bench.store.ending(".wav")) == 1


# Times


@pytest.mark.parametrize(
    "written",
    ["9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "0001-01-01", "NaN",
     "Infinity", "", "-1", "1e999", "2024-11-15T25:00:00Z", "\uff12\uff10\uff12\uff14-11-15",
     None, 5, 1e308, 10**400, True, [], {}],
)  # fmt: skip
async def test_a_timestamp_that_cannot_be_used_is_no_timestamp_and_the_sound_is_kept(
    bench: Bench, written: object
) -> None:
    odd = audio(0.04, 2)
    odd["audioData"]["timestamp"] = written
    socket = await bench.opened("audio")
    socket.send(metadata(), audio(0, 1), odd, audio(0.04, 3))
    await socket.close()
    (name,) = bench.store.ending(".wav")
    assert sound(bench.store.blobs[name])[1] == b"".join(n.to_bytes(2, "little") * 320 for n in (1, 2, 3))
    assert bench.store.index()["files"][0]["complete"] is True


@given(st.datetimes() | st.datetimes(timezones=st.timezones()))
def test_a_timestamp_that_is_read_can_be_written_into_the_index(at: datetime) -> None:
    read = moment(at.isoformat())
    if read is not None:
        track = new_track()
        track.add(FRAME, read)
        (entry,) = track.write(MemoryStore(), closing=True)
        assert datetime.fromisoformat(entry["startedAt"]).timestamp() == pytest.approx(read, abs=0.002)
    else:
        assert not 3 <= at.year <= 9997


# Phrases


HUGE = 10**400


def with_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """A phrase with these numbers."""
    frame = phrase("yes", 10_000_000)
    frame["transcriptionData"] |= fields
    return frame


NUMBERS = [HUGE, -HUGE, 10**19, -(10**19), 1e308, float("inf"), float("nan"), "x", [1], {"a": 1}]


@pytest.mark.parametrize("number", NUMBERS, ids=[str(number)[:6] for number in NUMBERS])
@pytest.mark.parametrize("field", ["offset", "duration", "confidence"])
async def test_a_number_beyond_measure_costs_neither_the_phrase_nor_the_socket(
    bench: Bench, field: str, number: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "switchboard.streams")
    socket = await bench.opened("transcript")
    socket.send(transcription_metadata(), with_fields({field: number}), phrase("no", 20_000_000))
    await socket.close()
    assert [data["text"] for _, _, data in bench.told.signals] == ["yes", "no"]
    assert bench.told.signals[0][2][field] == 0
    assert [line["text"] for line in bench.store.lines()] == ["yes", "no"]
    assert "unread=1" in caplog.text


@pytest.mark.parametrize(
    "words",
    [5, "x", {"text": "a"}, [1], [None, {"text": "yes", "offset": 1, "duration": 2}], [{"offset": HUGE}],
     [{"text": "yes", "offset": "x"}]],
)  # fmt: skip
async def test_words_that_cannot_be_read_cost_the_phrase_nothing(
    bench: Bench, words: object, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "switchboard.streams")
    socket = await bench.opened("transcript")
    socket.send(phrase("yes", 10_000_000, words=words))
    await socket.close()
    assert [data["text"] for _, _, data in bench.told.signals] == ["yes"]
    assert "unread=1" in caplog.text


@settings(max_examples=examples(60))
@given(st.integers() | st.integers(-(2**70), 2**70) | st.floats(), st.integers() | st.floats() | st.none())
def test_no_number_in_a_phrase_ends_its_socket(offset: float, duration: float | None) -> None:
    async def said() -> list[Any]:
        bench = Bench()
        socket = await bench.opened("transcript")
        socket.send(with_fields({"offset": offset, "duration": duration}), phrase("no", 1))
        await socket.close()
        bench.service.close()
        return bench.told.signals

    signals = asyncio.run(said())
    assert [data["text"] for _, _, data in signals] == ["yes", "no"]
    assert 0 <= signals[0][2]["offset"] < float("inf")
    json.dumps(signals, allow_nan=False)


async def test_phrases_that_wait_for_a_storage_that_is_away_are_bounded_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "switchboard.streams")
    bench = Bench(most_held_megabytes=16)
    bench.store.failing = True
    socket = await bench.opened("transcript")
    socket.send(*(phrase("x" * 50_000, n, "Intermediate" if n else "Final") for n in range(3)))
    socket.send(*(phrase("y" * 50_000, n) for n in range(100)))
    async with asyncio.timeout(10):
        while "phrases are lost" not in caplog.text:
            await asyncio.sleep(0.01)
    assert bench.service.held.used <= 4 * MEGABYTE
    bench.store.failing = False
    await socket.close()
    kept = len(bench.store.lines())
    assert 0 < kept < 101
    assert f"lines={kept} " in caplog.text
    assert f"lost_lines={101 - kept}" in caplog.text
    assert bench.service.held.used == 0
    bench.service.close()


async def test_lines_that_waited_long_are_appended_in_pieces_that_the_storage_takes() -> None:
    class Strict(MemoryStore):
        def append(self, name: str, data: bytes, content_type: str) -> bool:
            assert len(data) <= 4 * MEGABYTE
            return super().append(name, data, content_type)

    bench = Bench(most_held_megabytes=64)
    bench.store = bench.service.store = Strict()
    bench.store.failing = True
    socket = await bench.opened("transcript")
    socket.send(*(phrase("y" * 50_000, n) for n in range(60)))
    async with asyncio.timeout(10):
        while len(bench.told.signals) < 60:
            await asyncio.sleep(0.01)
    bench.store.failing = False
    await socket.close()
    assert len(bench.store.lines()) == 60
    bench.service.close()


async def test_signals_that_wait_for_the_app_are_bounded_and_each_one_lost_is_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "switchboard.streams")
    bench, gate = Bench(most_held_megabytes=16, archive_audio=False), threading.Event()
    told = bench.told
    bench.service.deliver = lambda *given: told(*given) if gate.wait(10) else ""
    socket = await bench.opened("transcript")
    socket.send(*(phrase("y" * 50_000, n) for n in range(100)))
    async with asyncio.timeout(10):
        while "reason=too many wait" not in caplog.text:
            await asyncio.sleep(0.01)
    assert bench.service.held.used <= 4 * MEGABYTE
    gate.set()
    await socket.close()
    assert 0 < len(told.signals) < 100
    assert f"signals_failed={100 - len(told.signals)} " in caplog.text
    bench.service.close()


async def test_signals_given_up_when_a_socket_closes_are_all_counted(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "switchboard.streams")
    monkeypatch.setattr("streams.signals.LAST_SECONDS", 0.05)
    gate = threading.Event()
    bench.service.deliver = lambda *given: str(gate.wait(10))
    socket = await bench.opened("audio")
    socket.send(metadata(), *(key("5") for _ in range(7)))
    await socket.close(1012)
    gate.set()
    assert "7 still waited at the end" in caplog.text
    assert "signals_failed=7 " in caplog.text


# Sound back


async def test_sound_to_play_is_refused_while_the_process_holds_as_much_as_it_may() -> None:
    bench = Bench(most_held_megabytes=16)
    socket = await streaming(bench)
    assert bench.service.held.take(16 * MEGABYTE - 100_000) is None
    status, problem = await post(bench.app, play_path(bench), wav(10))
    assert (status, problem["title"]) == (503, "Too much audio waits")
    assert "process" in problem["detail"]
    bench.service.held.give(16 * MEGABYTE - 100_000)
    assert (await post(bench.app, play_path(bench), wav(10)))[0] == 202
    await socket.close()
    assert bench.service.held.used == 0
    bench.service.close()


async def test_sound_that_was_played_or_stopped_is_held_no_longer(bench: Bench) -> None:
    socket = await streaming(bench)
    before = bench.service.held.used
    session = bench.service.open[CALL]
    session.send(bytes(6400))
    session.send(bytes(100))
    async with asyncio.timeout(10):
        while bench.service.held.used > before:
            await asyncio.sleep(0)
    session.send(bytes(640 * 500))
    await session.stop()
    assert bench.service.held.used == before
    await socket.close()


# Sockets


def test_places_are_given_back_and_nothing_is_kept_of_a_call_that_left() -> None:
    sockets = Sockets(2, 1)
    with sockets.one_more("audio", "a"):
        with pytest.raises(LimitReached) as refusal, sockets.one_more("transcript", "a"):
            pass
        assert refusal.value.status == 429
        with sockets.one_more("transcript", "b"):
            assert sockets.by_kind == {"audio": 1, "transcript": 1}
            with pytest.raises(LimitReached) as refusal, sockets.one_more("audio", "c"):
                pass
            assert refusal.value.status == 503
    assert sockets.by_kind == {"audio": 0, "transcript": 0}
    assert sockets._calls == {}


@pytest.mark.parametrize(
    ("limits", "status", "says"),
    [
        ({"most_sockets_of_a_call": 2}, 429, "2 sockets of this call are open; try again later"),
        ({"most_sockets": 2}, 503, "2 sockets are open; try again later"),
    ],
)
async def test_a_socket_beyond_a_limit_is_refused_with_the_reason_and_may_come_again(
    limits: dict[str, int], status: int, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(**limits)
    first, _second = await bench.opened("audio"), await bench.opened("transcript")
    refused = bench.socket(bench.path("audio"))
    assert await refused.connect() == status
    assert refused.refusal == says
    assert f"socket refused kind=audio call={CALL} status={status}" in caplog.text
    old = Socket(bench.app, bench.path("audio"), HEADERS, extension=False)
    assert await old.connect() == 403
    assert (old.close_code, old.refusal) == (1013, says)
    await first.close()
    third = await bench.opened("audio")
    await third.close()
    await _second.close()
    bench.service.close()


async def test_a_peer_without_the_right_learns_nothing_of_the_limits_and_takes_no_place() -> None:
    bench = Bench(most_sockets=1)
    for _ in range(3):
        assert await bench.socket(bench.path("audio"), {}).connect() == 401
    socket = await bench.opened("audio")
    assert await bench.socket(bench.path("audio"), {}).connect() == 401
    await socket.close()
    bench.service.close()


@pytest.fixture
async def full() -> AsyncIterator[tuple[Bench, str, aiohttp.ClientSession]]:
    bench = Bench(most_sockets=1)
    async with serving(bench) as (address, _), aiohttp.ClientSession() as session:
        yield bench, address, session


@pytest.mark.parametrize("kind", ["audio", "transcript"])
async def test_the_server_answers_a_socket_too_many_with_503(
    full: tuple[Bench, str, aiohttp.ClientSession], kind: Kind
) -> None:
    bench, address, session = full
    socket = await session.ws_connect(address + bench.path("audio"), headers=HEADERS)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await session.ws_connect(address + bench.path(kind), headers=HEADERS)
    assert refusal.value.status == 503
    await socket.close()


# The budget


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 60)), max_size=60))
def test_a_budget_and_its_shares_never_hold_more_than_their_limits(steps: list[tuple[int, int]]) -> None:
    process = Budget("process", 100)
    shares = [process.share("socket", 50) for _ in range(3)]
    for which, count in steps:
        before = [budget.used for budget in (process, *shares)]
        full = shares[which].take(count)
        if full is not None:
            assert full.used + count > full.limit
            assert [budget.used for budget in (process, *shares)] == before
        assert process.used == sum(share.used for share in shares) <= 100
        assert all(share.used <= 50 for share in shares)
    for share in shares:
        share.close()
    assert process.used == 0
    assert shares[0].take(1) is shares[0]


def test_threads_that_take_and_give_at_once_leave_a_budget_as_it_was() -> None:
    process = Budget("process", 10**9)
    share = process.share("socket", 10**9)

    def work(_: int) -> None:
        for _ in range(2_000):
            assert share.take(3) is None
            share.give(3)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert (process.used, share.used) == (0, 0)
