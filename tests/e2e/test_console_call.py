"""A call from a phone in the browser, as a supervisor follows it in the console, to its recording and report.

`CONSOLE_PICTURES=docs/images` draws pictures of the documentation while it goes.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from devstack.stack import INCOMING_CALL, RECORDING_FILE, Stack
from tests.browser import Page, chromium, executable
from tests.e2e.line import deployed, until
from tests.e2e.test_browser_phones import AGENT, SECONDS, STATE, SUPPORT, click, voice

PROGRAM = executable()
pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.node,
    pytest.mark.timeout(400),
    pytest.mark.xdist_group("e2e-console-call"),
    pytest.mark.skipif(PROGRAM is None, reason="needs Chromium on the path (Debian: apt-get install chromium)"),
]

LIVE = "document.querySelector('#live .rows a.whole')"
WITHIN_MS = 2000
"""In which a call appears under Today, from when the app learned of it."""
TRIES = 3
"""Calls that are placed for that: a busy machine may disturb one, hardly three."""


@dataclass(frozen=True)
class Site:
    """The phones of caller and agent, and the console, in one browser."""

    caller: Page
    agent: Page
    console: Page
    address: str

    def has(self, text: str) -> None:
        """Wait until the console shows this, whether or not its page is replaced meanwhile."""
        shown = ""

        def is_there() -> bool:
            nonlocal shown
            with suppress(AssertionError):  # the document went away under the question
                shown = self.console.get("document.body?.innerText ?? ''")
            return text in shown

        until(is_there, SECONDS, lambda: f"{text!r} is not on the page:\n{shown}")

    def picture(self, name: str, height: int, part: str = "h1") -> None:
        """Draw so much of the console, from this part on."""
        if folder := os.environ.get("CONSOLE_PICTURES"):
            self.console.resize(1280, height)
            self.console.get(f"document.querySelector({part!r}).scrollIntoView()")
            self.console.picture(Path(folder) / name, whole=False)
            self.console.resize(1280, 800)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    assert PROGRAM is not None
    folder = tmp_path_factory.mktemp("console")
    root = deployed(folder)
    (root / "routing.yaml").write_text(f'rules: [{{name: support line, to: "{SUPPORT}", answer: support}}]')
    with ExitStack() as stack:
        app = stack.enter_context(
            Stack(
                app_root=root,
                host="own",
                quiet=True,
                environment={"CONSOLE_AUTH": "local"},
                emulator=(sys.executable, "-m", "acs_emulator", "--number", SUPPORT),
                subscriptions=(INCOMING_CALL, RECORDING_FILE),
            )
        )
        flags = (
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-audio-capture={voice(folder, AGENT)}",
        )
        browser = stack.enter_context(chromium(PROGRAM, folder / "profile", *flags))
        caller, agent, console = (stack.enter_context(browser.page()) for _ in range(3))
        for page in (caller, agent, console):
            page.resize(1280, 800)
        caller.open(f"{app.emulator_url}/")
        caller.until(f"document.querySelector('[data-line=\"{SUPPORT}\"]')", SECONDS)
        agent.open(f"{app.emulator_url}/?as=%2B{AGENT[1:]}")
        agent.until(f"{STATE} === 'idle'", SECONDS)
        yield Site(caller, agent, console, f"{app.base_url}/api/console")


def appeared(site: Site) -> tuple[str, float]:
    """Call the support line: the call's page, and how long after the app learned of it Today showed it."""
    click(site.caller, f'[data-line="{SUPPORT}"]')
    site.console.until(f"{LIVE} && (window.shown ??= Date.now())", SECONDS)
    path = site.console.get(f"{LIVE}.getAttribute('href')")
    started = site.console.get(
        f"fetch({json.dumps(path)} + '/history.json').then((one) => one.json()).then((entries) => entries[0].at)"
    )
    return path, site.console.get("window.shown") - started


def test_a_call_is_followed_acted_on_and_ends_with_its_report(site: Site) -> None:
    site.console.open(site.address)
    site.has("No call yet today")
    for _ in range(TRIES):
        path, took = appeared(site)
        if took <= WITHIN_MS:
            break
        click(site.caller, "#hangup")
        site.caller.until(f"{STATE} === 'idle'", SECONDS)
        site.console.until(f"!{LIVE}", SECONDS)
        site.console.get("delete window.shown")
    assert took <= WITHIN_MS
    site.picture("console-today.png", 320)

    # Its page moves: prompts, the key, the agent.
    site.console.get(f"{LIVE}.click()")
    site.has("It is on the line.")
    site.console.get("window.stays = true")
    site.has("recorded")
    site.caller.until(f"{STATE} === 'connected'", SECONDS)
    site.caller.until("document.querySelectorAll('#options button').length === 2", SECONDS)
    click(site.caller, '[data-key="2"]')
    site.has("→ agent")
    site.agent.until(f"{STATE} === 'ringing'", SECONDS)
    click(site.agent, "#answer")
    site.agent.until(f"{STATE} === 'connected'", SECONDS)
    site.has("joined after")
    assert site.console.get("window.stays") is True, "without a reload"

    # A supervisor says something, which both hear.
    text = "This is the shift lead. I am on the line."
    site.console.get("document.getElementById('act-play').open = true")
    site.console.get(f"document.getElementById('say').value = {json.dumps(text)}")
    site.console.get("document.querySelector('#act-play form').requestSubmit()")
    site.has("Your text is being said.")
    for phone in (site.caller, site.agent):
        phone.until(f"document.getElementById('log').innerText.includes({json.dumps(text)})", SECONDS)
    site.has(text)

    # A telephone cannot be muted, and the page says why.
    site.console.get("document.getElementById('act-people').open = true")
    muting = "[...document.querySelectorAll('#act-people button')].filter((one) => one.textContent === 'Mute')"
    site.console.until(f"{muting}.length === 2 && {muting}.every((one) => one.disabled)", SECONDS)
    why = site.console.get(f"document.getElementById({muting}[0].getAttribute('aria-describedby')).innerText")
    assert why == "Azure mutes app users only. Put them on hold instead."
    site.picture("console-acts.png", 300, "#actions")

    site.console.get("document.querySelector('#act-hang form').requestSubmit()")
    site.has("hung up by an operator")
    click(site.caller, "#hangup")  # the app has left the call to the two
    for phone in (site.caller, site.agent):
        phone.until(f"{STATE} === 'idle'", SECONDS)

    # Recording and report appear, and lead to one another.
    link = "document.querySelector('a[href*=\"/reports/\"]')"

    def reported() -> bool:
        site.console.open(f"{site.address}{path.partition('/api/console')[2]}")
        return bool(site.console.get(f"{link} !== null"))

    until(reported, SECONDS, lambda: "no report")
    site.console.get(f"{link}.click()")
    site.has("Call quality report")
    site.console.until("document.getElementById('audio').readyState > 0", SECONDS)
    assert site.console.get("document.querySelectorAll('[data-lane] path.wave').length") >= 1
    said = site.console.get("document.getElementById('phrases').innerText")
    assert text in said, "what the app said stands in the transcript"
    assert "keyed" in said, "and what the caller chose by a key"
    site.console.get("[...document.querySelectorAll('nav a')].find((one) => one.textContent === 'The call').click()")
    site.has("hung up by an operator")
    site.console.open(f"{site.address}/quality")
    site.console.until(link, SECONDS)
    assert site.console.get(f"document.querySelectorAll('table.list a[href={json.dumps(path)}]').length") == 1
    for page in (site.console, site.caller, site.agent):
        assert page.complaints == []
