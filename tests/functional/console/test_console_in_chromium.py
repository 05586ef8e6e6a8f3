"""The console as a browser shows it: it moves, acts, can be used by everybody, and fits a phone."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from shared.recordings.record import ChunkRecord, RecordingRecord
from tests.browser import Browser, Page, chromium, executable, serious
from tests.functional.api import OTHER_PHONE, ended, live, send
from tests.functional.app import App
from tests.functional.console.console import KEYS
from tests.functional.console.test_quality_pages import a_row
from tests.functional.console.web import serving

PROGRAM = executable()
pytestmark = [
    pytest.mark.long,
    pytest.mark.xdist_group("chromium"),
    pytest.mark.skipif(PROGRAM is None, reason="needs Chromium on the path (Debian: apt-get install chromium)"),
]

DESKTOP, PHONE = (1280, 900), (390, 844)
NO_OVERFLOW = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
PAGES = (
    "",
    "/calls",
    "/calls?flow=none",
    "/calls/{live}",
    "/calls/{over}",
    "/calls/nope",
    "/quality?day=2026-11-23",
    "/quality?day=2020-01-01",
    "/status",
)
PICTURES = os.environ.get("CONSOLE_PICTURES", "")
"""A folder for pictures of every page; empty: none is taken."""


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert PROGRAM is not None
    with chromium(PROGRAM, tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture
def page(chrome: Browser) -> Iterator[Page]:
    with chrome.page() as tab:
        tab.resize(*DESKTOP)
        yield tab


@pytest.fixture
def site(app: App) -> Iterator[str]:
    with serving(app) as address:
        yield address


def has(text: str) -> str:
    return f"document.body.innerText.includes({json.dumps(text)})"


def until_on_the_next_page(page: Page, expression: str, seconds: float = 10.0) -> None:
    """Wait until an expression holds, while the page may be replaced by another, or has no scripts."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer: dict[str, Any] = {}
        with suppress(AssertionError):  # the document went away under the question
            answer = page.send("Runtime.evaluate", expression=expression, returnByValue=True)
        if answer.get("result", {}).get("value") is True:
            return
    raise AssertionError(f"not within {seconds} s: {expression}")


def conversation(app: App) -> dict[str, str]:
    """A call that goes on and one that is over, each with something in it."""
    app.ring()
    app.react()
    call = live(app)
    send(app, f"/{call}/signals/say", {"data": "Thank you for calling Contoso. One moment, please."})
    app.react()
    send(app, f"/{call}/actions/hold")
    send(app, f"/{call}/actions/add_participant", {"target": OTHER_PHONE, "caller_id": "+18005550199"})
    send(app, "", {"flow": "dialler", "input": {}})
    app.react()
    ledger = app.board.recordings().service._ledger
    for number, flags in enumerate((("dead_air", "silence"), (), ("one_way_audio",))):
        ledger.put_report(
            a_row(number, flags=flags, passed=(True, False, None)[number], score=(82.0, 61.0, None)[number])
        )
    reason = "the link has expired"
    files = [ChunkRecord(0, "document", "https://us.asm.skype.com/0", "https://us.asm.skype.com/m", "", "failed")]
    given_up = RecordingRecord("20261123-failed", "1", "", call, "failed", reason, chunks=files)
    ledger.register(given_up)
    ledger.register(RecordingRecord("20261123-waiting", "2", "", call, "waiting"))
    return {"live": call, "over": ended(app)}


def test_a_call_appears_moves_is_acted_on_and_ends_without_a_reload(app: App, site: str, page: Page) -> None:
    page.open(site)
    assert page.get(has("No call yet today"))
    call = live(app)
    page.until(f"document.querySelector('a[href$={json.dumps(call)}]') !== null")
    page.open(f"{site}/calls/{call}")
    page.get("window.stays = true")
    send(app, f"/{call}/signals/say", {"data": "Good day."})
    app.react()
    page.until(has("Good day."))
    assert page.get("document.getElementById('newest').textContent.includes('Good day.')")
    page.get("document.getElementById('act-play').open = true")
    page.get("document.getElementById('say').value = 'One moment.'")
    send(app, f"/{call}/signals/say", {"data": "Still here."})
    app.react()
    page.until(has("Still here."))
    assert page.get("document.getElementById('say').value") == "One moment.", "what is typed stays"
    assert page.get("window.stays") is True
    page.get("document.querySelector('#act-play form').requestSubmit()")
    until_on_the_next_page(page, has("Your text is being said."))
    app.react()
    page.until("[...document.querySelectorAll('.line q')].some((one) => one.textContent === 'One moment.')")
    page.get("document.getElementById('act-people').open = true")
    assert page.get("document.querySelector('#act-people button[disabled]').textContent") == "Mute"
    assert page.get(has("Azure mutes app users only."))
    page.get("document.querySelector('#act-hang form').requestSubmit()")
    until_on_the_next_page(page, has("Hanging up."))
    app.react()
    page.until(has("hung up by an operator"))
    page.until("document.getElementById('actions').hidden")
    page.until("document.querySelector('#live').getAttribute('hx-get') === null")
    assert page.complaints == []


def test_technical_entries_that_are_shown_stay_so_when_the_page_moves(app: App, site: str, page: Page) -> None:
    call = live(app)
    page.open(f"{site}/calls/{call}?all=1")
    assert page.get(has("CallConnected") + " || " + has("ParticipantsUpdated"))
    send(app, f"/{call}/signals/say", {"data": "Still here."})
    app.react()
    page.until(has("Still here."))
    assert page.get(has("PlayStarted"))
    page.get("document.getElementById('all').focus()")
    send(app, f"/{call}/signals/say", {"data": "And now."})
    app.react()
    page.until(has("And now."))
    page.until("document.activeElement.id === 'all'")


def test_a_page_whose_console_is_gone_says_so(app: App, site: str, page: Page) -> None:
    page.open(f"{site}/calls/{live(app)}")
    assert page.get("document.getElementById('gone').hidden")
    page.get("document.getElementById('live').setAttribute('hx-get', '/api/console/calls/nope/live')")
    page.get("htmx.process(document.getElementById('live'))")
    page.until("!document.getElementById('gone').hidden")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_everybody_can_use_every_page(app: App, site: str, page: Page, path: str, dark: bool, phone: bool) -> None:
    page.resize(*(PHONE if phone else DESKTOP), dark=dark, phone=phone)
    page.open(site + path.format(**conversation(app)))
    page.get("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.get(NO_OVERFLOW)
    if PICTURES:
        name = path.strip("/").replace("/", "-").replace("?", "-").replace("{", "").replace("}", "") or "today"
        page.picture(Path(PICTURES, f"{name}-{'phone' if phone else 'desktop'}-{'dark' if dark else 'light'}.png"))
    assert serious(page) == []


def test_a_recording_that_was_given_up_is_done_again_from_quality(app: App, site: str, page: Page) -> None:
    conversation(app)
    page.open(f"{site}/quality?day=2026-11-23")
    assert page.get("document.querySelectorAll('table.list tbody tr').length") == 3
    page.get("document.querySelector('.left-over form').requestSubmit()")
    until_on_the_next_page(page, has("It is done again"))
    assert page.get("document.querySelector('.left-over form')") is None
    page.get("document.querySelector('[name=verdict]').value = 'failed'")
    page.get("document.querySelector('form.filters').requestSubmit()")
    until_on_the_next_page(page, "document.querySelectorAll('table.list tbody tr').length === 1")
    assert page.complaints == []


def test_a_page_reads_and_acts_by_the_keyboard_alone(app: App, site: str, page: Page) -> None:
    call = live(app)
    page.open(f"{site}/calls/{call}")

    def press(key: str, code: int, text: str = "") -> None:
        for kind in ("keyDown", "keyUp"):
            page.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, text=text)

    press("Tab", 9)
    assert page.get("document.activeElement.className") == "skip"
    for _ in range(60):
        if page.get("document.activeElement.textContent") == "Say something…":
            break
        press("Tab", 9)
    press("Enter", 13, "\r")
    page.until("document.getElementById('act-play').open")
    press("Tab", 9)
    assert page.get("document.activeElement.id") == "say"


def test_a_key_signs_its_owner_in_and_out(with_keys: App, page: Page) -> None:
    with serving(with_keys) as site:
        page.open(site)
        page.get(f"document.getElementById('key').value = {json.dumps(KEYS['supervisor'])}")
        page.get("document.querySelector('main form').requestSubmit()")
        until_on_the_next_page(page, has("Ada the supervisor") + " && " + has("No call yet today"))
        assert page.get("document.cookie") == "", "no script reads it"
        page.get("document.querySelector('.who form').requestSubmit()")
        until_on_the_next_page(page, has("Your console key"))
        page.open(f"{site}/calls")
        assert page.get(has("Your console key"))


def test_pages_read_without_javascript(app: App, site: str, page: Page) -> None:
    call = live(app)
    send(app, f"/{call}/signals/say", {"data": "Good day."})
    app.react()
    page.send("Emulation.setScriptExecutionDisabled", value=True)
    for path, text in (("", "Live"), ("/calls", "Show"), (f"/calls/{call}", "Good day."), ("/status", "Facts")):
        page.send("Page.navigate", url=site + path)
        until_on_the_next_page(page, f"location.href === {json.dumps(site + path)} && {has(text)}")
