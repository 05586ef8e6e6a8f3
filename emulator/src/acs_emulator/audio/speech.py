"""The speech child process, seen from the emulator."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from acs_emulator.audio.clip import SAMPLE_RATE, Clip
from acs_emulator.audio.errors import SpeechError
from acs_emulator.audio.frames import AUDIO, LENGTH, Request

# The longest speech (ten minutes) takes under two seconds to make; this is for a process that hangs.
_TIMEOUT = 60.0
_ROOT = Path(__file__).resolve().parents[2]


class _ChildDied(Exception):
    """The process ended before it answered."""


class Speaker:
    """Owns one process running `acs_emulator.audio.espeak`: started at first use, again if it dies."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The process id of the child, while there is one."""
        return None if self._process is None else self._process.pid

    async def say(self, request: Request) -> Clip:
        """Raises SpeechError."""
        async with self._lock:
            try:
                answer = await self._ask(request)
            except _ChildDied:
                # It may have died long ago. A second death is about this request.
                try:
                    answer = await self._ask(request)
                except _ChildDied:
                    raise SpeechError("the speech process died while speaking, twice") from None
        rate = LENGTH.unpack_from(answer)[0]
        return await asyncio.to_thread(_resample, answer[LENGTH.size :], rate)

    async def close(self) -> None:
        """End the process and wait until it is gone."""
        async with self._lock:
            await self._end()

    async def _ask(self, request: Request) -> bytes:
        try:
            async with asyncio.timeout(_TIMEOUT):
                process = self._process or await self._start()
                assert process.stdin is not None
                process.stdin.write(request.pack())
                await process.stdin.drain()
                kind, body = await _answer(process)
        except TimeoutError:
            await self._end()
            raise SpeechError(f"the speech process did not answer within {_TIMEOUT:.0f} seconds") from None
        except (ConnectionError, asyncio.IncompleteReadError):
            await self._end()
            raise _ChildDied from None
        except asyncio.CancelledError:
            # An answer that nobody reads would be taken for the answer to the next request.
            await self._end()
            raise
        if kind != AUDIO:
            raise SpeechError(body.decode())
        return body

    async def _start(self) -> asyncio.subprocess.Process:
        # The working directory is how `-m` finds this package when the emulator runs somewhere else.
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "acs_emulator.audio.espeak",
            cwd=_ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        kind, body = await _answer(process)
        if kind != AUDIO:
            await self._end()
            raise SpeechError(
                f"espeak-ng, which speaks prompts locally, could not be loaded ({body.decode()}): "
                "run pip install espeakng-loader"
            )
        return process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()  # it holds nothing that needs saving
        # Wait for both pipes too, so that they close in this event loop and not when they are collected.
        with suppress(ConnectionError):
            await process.stdin.wait_closed()
        await process.stdout.read()
        await process.wait()


async def _answer(process: asyncio.subprocess.Process) -> tuple[bytes, bytes]:
    assert process.stdout is not None
    length = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))[0]
    answer = await process.stdout.readexactly(length)
    return answer[:1], answer[1:]


def _resample(pcm: bytes, rate: int) -> Clip:
    import miniaudio

    if not pcm or rate == SAMPLE_RATE:
        return Clip(pcm)
    signed16 = miniaudio.SampleFormat.SIGNED16
    return Clip(bytes(miniaudio.convert_frames(signed16, 1, rate, pcm, signed16, 1, SAMPLE_RATE)))
