"""Sound back: by request and by a handler, in real time."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from typing import Any

import pytest

from shared.errors import SettingsError
from streams.frames import AudioFrame
from streams.handlers import AudioStream, Echo, load_handler
from streams.limits import Budget
from streams.playback import Playback
from streams.settings import load_stream_settings
from tests.unit.streams.memory import CALL, Bench, Socket, Time, audio, key, metadata, post, sound, wav


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.service.close()


def play_path(bench: Bench, action: str = "play") -> str:
    return f"/streams/{CALL}/audio/{action}?sig=" + bench.path("audio-play").rpartition("sig=")[2]


async def streaming(bench: Bench, rate: int = 16_000) -> Socket:
    """A socket whose metadata has arrived."""
    socket = await bench.opened("audio")
    socket.send(metadata(rate))
    while CALL not in bench.service.open or bench.service.open[CALL].playback is None:
        await asyncio.sleep(0)
    return socket


async def until_received(socket: Socket, count: int) -> None:
    async with asyncio.timeout(10):
        while len(socket.received) < count:
            await asyncio.sleep(0)


@pytest.mark.parametrize("rate", [16_000, 24_000])
async def test_a_wav_file_is_sent_as_frames_of_20_ms(bench: Bench, rate: int) -> None:
    socket = await streaming(bench, rate)
    status, answer = await post(bench.app, play_path(bench), wav(0.51, rate))
    assert (status, answer["seconds"]) == (202, 0.51)
    await until_received(socket, 26)
    await socket.close()
    assert set(socket.received[0]) == {"Kind", "AudioData", "StopAudio"}
    assert socket.received[0]["Kind"] == "AudioData"
    assert socket.received[0]["StopAudio"] is None
    pieces = [base64.b64decode(frame["AudioData"]["Data"]) for frame in socket.received]
    assert {len(piece) for piece in pieces} == {rate // 50 * 2}
    assert b"".join(pieces) == b"\7\0" * round(0.51 * rate) + bytes(rate // 50)


async def test_frames_leave_as_fast_as_they_are_heard() -> None:
    time, sent = Time(), list[float]()

    async def send(text: str) -> None:
        sent.append(time.now)
        time.now += 0.003  # sending takes time too, and must not add up

    playback = Playback(send, 16_000, Budget("socket", 10**8), clock=time, sleep=time.sleep)
    playback.play(bytes(640 * 500))
    task = asyncio.create_task(playback.keep_sending())
    while len(sent) < 500:
        await asyncio.sleep(0)
    task.cancel()
    assert [round(at - sent[0], 6) for at in sent] == [pytest.approx(n * 0.02, abs=1e-6) for n in range(500)]


async def test_what_is_played_next_does_not_overtake_what_is_heard() -> None:
    time, sent = Time(), list[float]()

    async def send(text: str) -> None:
        sent.append(time.now)
        if len(sent) < 100:
            playback.play(bytes(640))  # as a bot does, frame by frame

    playback = Playback(send, 16_000, Budget("socket", 10**8), clock=time, sleep=time.sleep)
    playback.play(bytes(640))
    task = asyncio.create_task(playback.keep_sending())
    while len(sent) < 100:
        await asyncio.sleep(0)
    task.cancel()
    assert sent[-1] - sent[0] == pytest.approx(99 * 0.02)


async def test_a_sender_that_was_held_up_does_not_send_all_at_once() -> None:
    time, sent = Time(), list[float]()

    async def send(text: str) -> None:
        sent.append(time.now)
        if len(sent) == 10:
            time.now += 30.0

    playback = Playback(send, 16_000, Budget("socket", 10**8), clock=time, sleep=time.sleep)
    playback.play(bytes(640 * 30))
    task = asyncio.create_task(playback.keep_sending())
    while len(sent) < 30:
        await asyncio.sleep(0)
    task.cancel()
    assert sent[-1] - sent[10] == pytest.approx(19 * 0.02)


async def test_stop_forgets_what_waits_and_tells_the_service(bench: Bench) -> None:
    socket = await streaming(bench)
    session = bench.service.open[CALL]
    session.send(bytes(640 * 10_000))
    await until_received(socket, 3)
    status, _ = await post(bench.app, play_path(bench, "stop"))
    assert status == 204
    assert session.playback is not None
    assert session.playback.waiting_seconds == 0
    await socket.close()
    assert socket.received[-1] == {"Kind": "StopAudio", "AudioData": None, "StopAudio": {}}
    assert len(socket.received) < 100


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not a WAV file"),
        (b"RIFF....WAVE", "not a WAV file"),
        (wav(1, 8_000), "16-bit mono at 16000 Hz"),
        (wav(1, 24_000), "16-bit mono at 16000 Hz"),
        (wav(1, channels=2), "16-bit mono at 16000 Hz"),
        (wav(601), "more than 600 s"),
    ],
)
async def test_sound_that_does_not_fit_is_refused_with_the_reason(bench: Bench, body: bytes, words: str) -> None:
    socket = await streaming(bench)
    status, problem = await post(bench.app, play_path(bench), body)
    assert (status, problem["status"]) == (400, 400)
    assert words in problem["detail"]
    await socket.close()


async def test_a_body_beyond_the_limit_is_refused(bench: Bench) -> None:
    socket = await streaming(bench)
    status, _ = await post(bench.app, play_path(bench), bytes(32 * 1024 * 1024 + 1))
    assert status == 413
    await socket.close()


async def test_without_an_open_stream_nothing_can_be_played(bench: Bench) -> None:
    assert (await post(bench.app, play_path(bench), wav(1)))[0] == 404
    socket = await streaming(bench)
    await socket.close()
    assert (await post(bench.app, play_path(bench), wav(1)))[0] == 404
    assert (await post(bench.app, play_path(bench, "stop")))[0] == 404


@pytest.mark.parametrize("action", ["play", "stop"])
async def test_nobody_speaks_without_the_signature_for_it(bench: Bench, action: str) -> None:
    socket = await streaming(bench)
    for kind in ("audio", "transcript"):
        signature = bench.path(kind).rpartition("sig=")[2]
        status, _ = await post(bench.app, f"/streams/{CALL}/audio/{action}?sig={signature}", wav(1))
        assert status == 403
    assert (await post(bench.app, f"/streams/{CALL}/audio/{action}", wav(1)))[0] == 403
    await socket.close()
    assert socket.received == []


async def test_a_handler_hears_the_call_and_answers(bench: Bench) -> None:
    bench.service.handler = Echo
    socket = await streaming(bench)
    socket.send(*(audio(n * 0.02, n) for n in range(5)))
    await until_received(socket, 5)
    socket.send(key("5"))
    await until_received(socket, 6)
    await socket.close()
    pieces = [base64.b64decode(frame["AudioData"]["Data"]) for frame in socket.received[:5]]
    assert pieces == [n.to_bytes(2, "little") * 320 for n in range(5)]
    assert socket.received[5]["Kind"] == "StopAudio"


class Broken(Echo):
    async def on_audio(self, frame: AudioFrame) -> None:
        raise RuntimeError("a bug, with +14255550123 in it")


class Stuck(Echo):
    async def on_start(self, stream: AudioStream) -> None:
        await asyncio.Event().wait()


async def test_a_handler_that_fails_or_hangs_costs_no_sound(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.handlers.HandlerRunner.end.__defaults__", (0.05,))
    for factory in (Broken, Stuck):
        bench.service.handler = factory
        socket = await streaming(bench)
        socket.send(*(audio(n * 0.02, 1) for n in range(700)))
        await socket.close()
    assert [len(sound(bench.store.blobs[name])[1]) for name in bench.store.ending(".wav")] == [448_000, 448_000]
    assert "the handler failed" in caplog.text
    assert "the handler is too slow" in caplog.text
    assert "4255550123" not in caplog.text


async def test_a_handler_may_tell_the_flow(bench: Bench) -> None:
    class Telling(Echo):
        async def on_start(self, stream: AudioStream) -> None:
            stream.signal("intent", {"name": "sales"}, "intent-1")
            stream.signal("intent", {"name": "sales"}, "intent-1")

    bench.service.handler = Telling
    socket = await streaming(bench)
    await socket.close()
    assert bench.told.signals == [(CALL, "intent", {"name": "sales"})]


@pytest.mark.parametrize(
    "name", ["streams.handlers:Nobody", "nowhere:Echo", "streams.handlers", "streams.playback:time"]
)
def test_a_handler_that_does_not_exist_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match="STREAMS_HANDLER"):
        load_handler(name)


def test_a_handler_is_found_by_its_name() -> None:
    assert load_handler("streams.handlers:Echo") is Echo
    assert load_handler("") is None


def test_settings_are_read_from_the_environment_and_wrong_ones_are_named() -> None:
    read: Any = load_stream_settings({"STREAMS_KEEP_INTERMEDIATE": "true", "STREAMS_URL": "wss://x", "PATH": "/"})
    assert read.keep_intermediate is True
    with pytest.raises(SettingsError, match="STREAMS_FLUSH_SECONDS"):
        load_stream_settings({"STREAMS_FLUSH_SECONDS": "0"})
