from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

import lameenc  # type: ignore[import-not-found]
import pytest
from aiohttp import web

from acs_emulator.audio import (
    SAMPLE_RATE,
    Clip,
    PromptError,
    PromptFormatError,
    PromptUnreachable,
    Studio,
    key_tones,
)
from acs_emulator.audio import fetching as fetching_module

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Server = Callable[[Handler], str]  # gives the URL where a handler answers
Serve = Callable[[bytes], str]  # gives the URL of a body


def wav(
    samples: bytes,
    *,
    tag: int = 1,
    channels: int = 1,
    rate: int = SAMPLE_RATE,
    bits: int = 16,
    extra: bytes = b"",
) -> bytes:
    frame = channels * bits // 8
    layout = struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits) + extra
    body = b"WAVEfmt " + struct.pack("<I", len(layout)) + layout
    body += b"LIST" + struct.pack("<I", 3) + b"odd\0" + b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body


def mp3(clip: Clip, *, rate: int, channels: int = 1) -> bytes:
    """Encoded as if the samples were at `rate`, so a clip at 16,000 Hz gets shorter at a higher one."""
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_bit_rate(64)
    encoder.set_in_sample_rate(rate)
    encoder.set_channels(channels)
    return bytes(encoder.encode(clip.samples) + encoder.flush())


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    handlers: list[Handler] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        return await handlers[int(request.match_info["number"])](request)

    app = web.Application()
    app.router.add_get("/{number}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]

    def serve(handler: Handler) -> str:
        handlers.append(handler)
        return f"http://127.0.0.1:{port}/{len(handlers) - 1}"

    yield serve
    await runner.cleanup()


@pytest.fixture
def serve(server: Server) -> Serve:
    def serve(body: bytes) -> str:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(body=body)

        return server(answer)

    return serve


async def test_a_wav_file_comes_back_sample_by_sample(studio: Studio, serve: Serve) -> None:
    tones = key_tones("1234")

    assert await studio.fetch(serve(wav(tones.samples))) == tones


async def test_a_wav_file_may_say_pcm_in_the_extensible_way(studio: Studio, serve: Serve) -> None:
    tones = key_tones("1")
    guid = b"\x01\x00\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
    extra = struct.pack("<HHI", 22, 16, 4) + guid

    assert await studio.fetch(serve(wav(tones.samples, tag=0xFFFE, extra=extra))) == tones


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (32_000, 1), (24_000, 2)])
async def test_an_mp3_is_decoded_to_16_khz_mono(studio: Studio, serve: Serve, rate: int, channels: int) -> None:
    tones = key_tones("1234567890" * 2)
    expected = tones.duration * SAMPLE_RATE / rate / channels

    clip = await studio.fetch(serve(mp3(tones, rate=rate, channels=channels)))

    # An encoder adds up to three frames of padding.
    assert expected <= clip.duration < expected + 3 * 1152 / 16_000 + 0.05
    assert max(struct.unpack(f"<{len(clip.samples) // 2}h", clip.samples)) > 5_000


async def test_an_mp3_may_have_an_id3_tag(studio: Studio, serve: Serve) -> None:
    tag = b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10)

    assert (await studio.fetch(serve(tag + mp3(key_tones("12345"), rate=SAMPLE_RATE)))).duration >= 1


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (wav(bytes(1000), rate=8_000), "WAV 16-bit PCM mono 8000 Hz"),
        (wav(bytes(1000), channels=2), "WAV 16-bit PCM stereo 16000 Hz"),
        (wav(bytes(1000), channels=5), "WAV 16-bit PCM 5 channels 16000 Hz"),
        (wav(bytes(1000), bits=8), "WAV 8-bit PCM mono 16000 Hz"),
        (wav(bytes(1000), tag=7, rate=8_000, bits=8), "WAV 8-bit mu-law mono 8000 Hz"),
        (wav(b""), "without any sound"),
        (wav(bytes(1000))[:-10], "cut short: 990 of 1000 bytes"),
        (wav(bytes(1000))[:30], "damaged fmt part"),
        (wav(b"")[:40], "without a data part"),
        (b"<!DOCTYPE html><html></html>", "an HTML page"),
        (b"", "an empty file"),
        (b"OggS" + bytes(100), "an Ogg file"),
        (bytes(1000), "neither WAV nor MP3"),
        (b"ID3" + bytes(1000), "begins like an MP3"),
        (b"\xff\xfb\x90\x00" + bytes(1000), "begins like an MP3"),
    ],
)
async def test_other_formats_are_refused_with_what_was_found(
    studio: Studio, serve: Serve, body: bytes, found: str
) -> None:
    url = serve(body)

    with pytest.raises(PromptFormatError) as error:
        await studio.fetch(url)

    assert error.value.url == url
    assert found in error.value.reason
    assert isinstance(error.value, PromptError)


@pytest.mark.parametrize("with_length", [True, False])
async def test_a_file_that_is_too_large_is_refused(server: Server, with_length: bool) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if with_length:
            return web.Response(body=bytes(20_000))
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:  # without end: only a limit gets the caller out of here
                await response.write(bytes(10_000))
        except ConnectionError:
            return response

    studio = Studio(max_file_bytes=15_000)
    try:
        with pytest.raises(PromptFormatError, match="larger than 15000 bytes"):
            await studio.fetch(server(answer))
    finally:
        await studio.close()


async def test_a_missing_file_is_unreachable(studio: Studio, serve: Serve) -> None:
    base = serve(b"").rpartition("/")[0]

    with pytest.raises(PromptUnreachable, match="404 Not Found"):
        await studio.fetch(f"{base}/a/b")


async def test_a_refused_connection_is_unreachable(studio: Studio) -> None:
    with socket.socket() as taken:  # bound and not listening
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(PromptUnreachable, match=f"127.0.0.1:{port} refused the connection"):
            await studio.fetch(f"http://127.0.0.1:{port}/prompt.wav")


async def test_a_server_that_never_answers_is_unreachable(
    monkeypatch: pytest.MonkeyPatch,
    server: Server,
) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(fetching_module, "TOTAL_TIMEOUT", 0.1)
    studio = Studio()
    try:
        with pytest.raises(PromptUnreachable, match="in time"):
            await studio.fetch(server(answer))
    finally:
        await studio.close()


async def test_an_unknown_host_is_unreachable(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)

    with pytest.raises(PromptUnreachable, match=r"'prompts\.invalid' is unknown"):
        await studio.fetch("http://prompts.invalid/a.wav")


async def test_a_download_that_breaks_off_is_unreachable(studio: Studio, server: Server) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"RIFF")
        assert request.transport is not None
        request.transport.close()
        return response

    with pytest.raises(PromptUnreachable, match="the download failed"):
        await studio.fetch(server(answer))


@pytest.mark.parametrize("url", ["file:///etc/hostname", "prompt.wav", "ftp://127.0.0.1/a", "http://", "http://[::1"])
async def test_only_web_addresses_are_fetched(studio: Studio, url: str) -> None:
    with pytest.raises(PromptUnreachable):
        await studio.fetch(url)


async def test_messages_leave_out_the_signature_of_a_url(studio: Studio, serve: Serve) -> None:
    with pytest.raises(PromptFormatError) as error:
        await studio.fetch(serve(b"x") + "?sig=secret")

    assert "secret" not in str(error.value)
    assert error.value.url.endswith("?sig=secret")


async def test_a_closed_studio_fetches_nothing(studio: Studio, serve: Serve) -> None:
    await studio.fetch(serve(wav(bytes(1000))))
    await studio.close()

    with pytest.raises(RuntimeError, match="closed"):
        await studio.fetch(serve(wav(bytes(1000))))
