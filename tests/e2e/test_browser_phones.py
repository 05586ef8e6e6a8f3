"""Two people with phones in the browser: one calls the support line, the agent's phone rings, both talk.

`PHONE_PICTURES=docs/images` draws the pictures of the documentation while it goes.
"""

from __future__ import annotations

import asyncio
import io
import os
import sys
import wave
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from acs_emulator.audio import Studio
from acs_emulator.testing import Control
from devstack.stack import INCOMING_CALL, RECORDING_FILE, Stack
from tests.browser import Page, chromium, executable
from tests.e2e.line import deployed, until

PROGRAM = executable()
pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.node,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("e2e-browser-phones"),
    pytest.mark.skipif(PROGRAM is None, reason="needs Chromium on the path (Debian: apt-get install chromium)"),
]

SUPPORT, CALLER, AGENT = "+18005550177", "+14255550123", "+14255550142"
STATE = "document.body.dataset.state"
VOICES = {
    CALLER: ("en-us", "My invoice is wrong and I have called three times before."),
    AGENT: ("en-us+f4", "Contoso support, this is Ada speaking, how can I help?"),
}
SECONDS = 40.0
"""What a step of the call may take on a busy machine."""


@dataclass(frozen=True)
class Call:
    """What came of it: the report, its page in a browser, the archived sound, and what the emulator heard."""

    report: dict[str, Any]
    lanes: list[int]
    sound: Any
    spoken: dict[str, Any]
    complaints: list[str]


def voice(folder: Path, number: str) -> Path:
    """What somebody says, as a file that Chromium plays into its microphone again and again."""

    async def spoken() -> bytes:
        studio = Studio()
        try:
            return (await studio.speak_as(VOICES[number][1], VOICES[number][0])).samples
        finally:
            await studio.close()

    path = folder / f"{number}.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(asyncio.run(spoken()) + bytes(3 * 32000))
    return path


def click(page: Page, selector: str) -> None:
    x, y = page.get(f"""(() => {{
      const box = document.querySelector({selector!r}).getBoundingClientRect();
      return [box.left + box.width / 2, box.top + box.height / 2];
    }})()""")
    page.click(x, y)


def picture(page: Page, name: str) -> None:
    if folder := os.environ.get("PHONE_PICTURES"):
        page.picture(Path(folder) / name, whole=False)


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Call]:
    assert PROGRAM is not None
    folder = tmp_path_factory.mktemp("phones")
    root = deployed(folder)
    (root / "routing.yaml").write_text(f'rules: [{{name: support line, to: "{SUPPORT}", answer: support}}]')
    with ExitStack() as stack:
        app = stack.enter_context(
            Stack(
                app_root=root,
                host="own",
                quiet=True,
                emulator=(sys.executable, "-m", "acs_emulator", "--number", SUPPORT),
                subscriptions=(INCOMING_CALL, RECORDING_FILE),
            )
        )
        pages = {}
        for number in VOICES:
            flags = (
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                f"--use-file-for-fake-audio-capture={voice(folder, number)}",
            )
            browser = stack.enter_context(chromium(PROGRAM, folder / f"profile {number}", *flags))
            pages[number] = stack.enter_context(browser.page())
            pages[number].resize(1280, 800)
        caller, agent = pages[CALLER], pages[AGENT]
        caller.open(f"{app.emulator_url}/")
        caller.until(f"document.querySelector('[data-line=\"{SUPPORT}\"]')", SECONDS)
        agent.open(f"{app.emulator_url}/?as=%2B{AGENT[1:]}")
        agent.until(f"{STATE} === 'idle'", SECONDS)

        click(caller, f'[data-line="{SUPPORT}"]')
        caller.until(f"{STATE} === 'connected'", SECONDS)
        # Where phrases are recognised, what the caller says would answer the question.
        click(caller, "#mute")
        caller.until("document.querySelectorAll('#options button').length === 2", SECONDS)
        picture(caller, "phone-asked.png")
        click(caller, '[data-key="2"]')
        agent.until(f"{STATE} === 'ringing'", SECONDS)
        picture(agent, "phone-rings.png")
        click(agent, "#answer")
        for page in pages.values():
            page.until(f"{STATE} === 'connected'", SECONDS)
        click(caller, "#mute")
        caller.until("document.querySelectorAll('#log .other-did').length >= 2", SECONDS)
        picture(caller, "phone-talks.png")
        caller.until("[...document.querySelectorAll('#with li')].length === 3", SECONDS)
        click(caller, "#hangup")
        for page in pages.values():
            page.until(f"{STATE} === 'idle'", SECONDS)
        yield followed(app, agent, [*caller.complaints, *agent.complaints])


def followed(app: Stack, page: Page, complaints: list[str]) -> Call:
    """What the app makes of the recording."""
    control = Control(app.emulator_url)
    until(lambda: bool(control.topic(type="QualityReportReady")), SECONDS, lambda: f"no report; {app.logs}")
    ready = control.topic(type="QualityReportReady")[0]["event"]["data"]["id"]
    report = requests.get(f"{app.base_url}/api/reports/{ready}", timeout=30).json()
    page.open(f"{app.base_url}/api/reports/{ready}/page")
    lanes = page.get("""[...document.querySelectorAll("[data-lane]")]
      .map((lane) => (lane.querySelector("path.speech")?.getAttribute("d").match(/h/g) ?? []).length)""")
    link = page.get("document.getElementById('audio').src")
    with wave.open(io.BytesIO(requests.get(link, timeout=30).content)) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
    (described,) = control.recordings()
    return Call(report, lanes, sound, {one["id"]: one for one in described["participants"]}, complaints)


def spectrum(pcm: Any) -> Any:
    """The mean spectrum of what is loud in a sound, as a voice is known by it."""
    frames = pcm[: len(pcm) // 1024 * 1024].reshape(-1, 1024).astype(float)
    loud = frames[np.sqrt((frames**2).mean(axis=1)) > 400]
    bands = np.abs(np.fft.rfft(loud * np.hanning(1024))).mean(axis=0)[4:240]
    return np.log(bands) - np.log(bands).mean()


def likeness(pcm: Any, number: str, folder: Path) -> float:
    """How alike a channel and somebody's voice are: 1 is the same."""
    with wave.open(str(voice(folder, number))) as file:
        said = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return float(np.corrcoef(spectrum(pcm), spectrum(said))[0, 1])


def test_each_voice_is_on_its_own_channel_of_the_recording(call: Call, tmp_path: Path) -> None:
    assert call.sound.shape[1] == 2
    for channel, (mine, other) in enumerate([(CALLER, AGENT), (AGENT, CALLER)]):
        pcm = call.sound[:, channel]
        assert likeness(pcm, mine, tmp_path) > likeness(pcm, other, tmp_path) + 0.1
        assert call.spoken[f"4:{mine}"]["channel"] == channel
        assert any(span["kind"] == "speech" for span in call.spoken[f"4:{mine}"]["spans"])


def test_the_report_shows_both_who_spoke_and_what_was_pressed(call: Call) -> None:
    roles = {one["channel"]: (one["role"], bool(one["speech"])) for one in call.report["channels"]}
    assert roles == {0: ("customer", True), 1: ("agent", True)}
    assert call.report["call"]["flow"] == "support"
    assert len(call.lanes) == 3
    assert all(count > 0 for count in call.lanes[1:])


def test_no_page_had_anything_to_complain_about(call: Call) -> None:
    assert call.complaints == []
