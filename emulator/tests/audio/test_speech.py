from __future__ import annotations

import asyncio
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from acs_emulator.audio import SAMPLE_RATE, Clip, SpeechError, Studio
from acs_emulator.audio.frames import Request
from acs_emulator.audio.speech import _resample


def _child_of(studio: Studio) -> int:
    pid = studio._speaker.pid
    assert pid is not None
    return pid


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def _until(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        await asyncio.sleep(0.005)


def _loudness(clip: Clip) -> float:
    samples = struct.unpack(f"<{len(clip.samples) // 2}h", clip.samples)
    return float((sum(sample * sample for sample in samples) / len(samples)) ** 0.5)


def _pitch(clip: Clip) -> float:
    """The fundamental frequency in hertz, where the clip is loudest."""
    import numpy as np

    samples = np.frombuffer(clip.samples, "<i2").astype(float)
    start = max(range(0, len(samples) - 2048, 256), key=lambda n: float(np.abs(samples[n : n + 1024]).sum()))
    here = samples[start : start + 1024]

    def likeness(lag: int) -> float:
        there = samples[start + lag : start + lag + 1024]
        return float(here @ there / (np.linalg.norm(here) * np.linalg.norm(there)))

    return SAMPLE_RATE / max(range(SAMPLE_RATE // 400, SAMPLE_RATE // 60), key=likeness)


def _count_requests(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    asked: list[Request] = []
    ask = studio._speaker._ask

    async def counting(request: Request) -> bytes:
        asked.append(request)
        return await ask(request)

    monkeypatch.setattr(studio._speaker, "_ask", counting)
    return asked


async def test_a_prompt_lasts_about_as_long_as_a_person_would_take(studio: Studio) -> None:
    clip = await studio.speak("Hello, welcome to the bank. Please hold.")

    assert 2 < clip.duration < 4
    assert _loudness(clip) > 500


async def test_longer_texts_last_longer(studio: Studio) -> None:
    lengths = [(await studio.speak("please hold the line " * n)).duration for n in (1, 2, 4, 8)]

    assert lengths == sorted(lengths)
    assert lengths[-1] > 4 * lengths[0]


async def test_a_woman_speaks_higher_than_a_man(studio: Studio) -> None:
    woman = await studio.speak("aaah", voice="en-US-JennyNeural")
    man = await studio.speak("aaah", voice="en-US-GuyNeural")

    assert 60 < _pitch(man) < 150 < _pitch(woman) < 300


def test_resampling_keeps_pitch_and_length() -> None:
    import numpy as np

    wave = np.sin(2 * np.pi * 200 * np.arange(22_050) / 22_050) * 10_000
    clip = _resample(wave.astype("<i2").tobytes(), 22_050)

    assert clip.duration == pytest.approx(1, abs=0.001)
    assert _pitch(clip) == pytest.approx(200, rel=0.01)
    assert _loudness(clip) == pytest.approx(10_000 / 2**0.5, rel=0.02)


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("ko-KR", "안녕하세요, 잠시만 기다려 주세요."),
        ("zh-CN", "您好。请稍候。"),
        ("de-DE", "Grüße aus Köln 🙂"),
    ],
)
async def test_text_beyond_ascii_is_spoken(studio: Studio, locale: str, text: str) -> None:
    assert (await studio.speak(text, locale=locale)).duration > 1


async def test_a_text_with_characters_that_no_text_should_have_is_spoken(studio: Studio) -> None:
    assert (await studio.speak("before \0 after \ud800 all")).duration > (await studio.speak("before")).duration


@pytest.mark.parametrize("text", ["", "  \n"])
async def test_empty_text_is_refused(studio: Studio, text: str) -> None:
    with pytest.raises(SpeechError, match="empty"):
        await studio.speak(text)


async def test_a_prompt_asked_for_fifty_times_at_once_is_spoken_once(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _count_requests(studio, monkeypatch)

    clips = await asyncio.gather(*(studio.speak("Please hold.") for _ in range(50)))
    clips.append(await studio.speak("Please hold."))

    assert len(asked) == 1
    assert all(clip is clips[0] for clip in clips)


async def test_different_prompts_asked_for_at_once_keep_to_their_askers(studio: Studio) -> None:
    texts = ["yes", "press one for sales", "press one for sales and two for support, or hold the line"] * 5
    clips = await asyncio.gather(*(studio.speak(f"{text} {n}") for n, text in enumerate(texts)))

    for n in range(0, len(clips), 3):
        assert clips[n].duration < clips[n + 1].duration < clips[n + 2].duration


async def test_prompts_used_least_recently_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def say(request: Request) -> Clip:
        asked.append(request.text)
        return Clip(bytes(1000))

    studio = Studio(cache_bytes=3000)
    monkeypatch.setattr(studio._speaker, "say", say)
    for text in ("one", "two", "one", "three", "four", "one", "two"):
        await studio.speak(text)
    await studio.close()

    assert asked == ["one", "two", "three", "four", "two"]


async def test_a_caller_that_gives_up_does_not_take_the_prompt_from_the_others(studio: Studio) -> None:
    first = asyncio.create_task(studio.speak("Please hold."))
    second = asyncio.create_task(studio.speak("Please hold."))
    await asyncio.sleep(0)
    first.cancel()

    assert (await second).duration > 0.5
    assert first.cancelled()


async def test_a_killed_speech_process_is_replaced(studio: Studio) -> None:
    await studio.speak("before")
    killed = _child_of(studio)
    os.kill(killed, signal.SIGKILL)

    assert (await studio.speak("after")).duration > 0.3
    assert _child_of(studio) != killed


async def test_closing_leaves_no_process(studio: Studio) -> None:
    await studio.speak("hello")
    child = _child_of(studio)
    assert _is_running(child)

    await studio.close()

    assert not _is_running(child)
    with pytest.raises(RuntimeError, match="closed"):
        await studio.speak("hello again")


async def test_closing_while_a_prompt_is_spoken_tells_its_caller(studio: Studio) -> None:
    speaking = asyncio.create_task(studio.speak("this takes a while " * 500))
    await _until(lambda: studio._speaker.pid is not None)
    child = _child_of(studio)

    await studio.close()

    with pytest.raises(SpeechError, match="closed"):
        await speaking
    assert not _is_running(child)


async def test_the_speech_process_ends_when_its_parent_is_killed() -> None:
    parent = """
import asyncio
from acs_emulator.audio import Studio
async def main():
    studio = Studio()
    await studio.speak("hello")
    print(studio._speaker.pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", parent, stdout=subprocess.PIPE)
    assert process.stdout is not None
    child = int(await process.stdout.readline())
    assert _is_running(child)

    process.kill()
    await process.communicate()

    # An orphan may stay in the table as a zombie where nothing reaps orphans.
    stat = Path(f"/proc/{child}/stat")
    await _until(lambda: not _is_running(child) or (stat.exists() and ") Z " in stat.read_text()))


async def test_espeak_never_enters_this_process(studio: Studio) -> None:
    await studio.speak("hello")

    assert "espeakng_loader" not in sys.modules
    assert "acs_emulator.audio.espeak" not in sys.modules


async def test_without_espeak_the_remedy_is_named(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "espeakng_loader.py").write_text("raise ImportError('not here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    for _ in range(2):
        with pytest.raises(SpeechError, match=r"not here.*pip install espeakng-loader"):
            await studio.speak("hello")


async def test_a_speech_process_that_keeps_dying_is_given_up(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "espeakng_loader.py").write_text("import os; os._exit(3)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    with pytest.raises(SpeechError, match="died while speaking, twice"):
        await studio.speak("hello")

    assert studio._speaker.pid is None


def test_importing_the_package_imports_nothing_heavy() -> None:
    heavy = "{'aiohttp', 'miniaudio', 'numpy'}"
    code = f"import sys, acs_emulator.audio; print(sorted({heavy} & sys.modules.keys()))"

    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
