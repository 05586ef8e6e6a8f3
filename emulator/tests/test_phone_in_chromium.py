"""The phone as a browser shows it, and what pages of other origins can do to it: nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from acs_emulator.testing import Control, Running, running
from tests.browser import Browser, Page, chromium, executable

PROGRAM = executable()
pytestmark = [
    pytest.mark.xdist_group("chromium"),
    pytest.mark.skipif(PROGRAM is None, reason="needs Chromium on the path (Debian: apt-get install chromium)"),
]

DESKTOP, PHONE = (1280, 800), (390, 844)
STATE = "document.body.dataset.state"
NO_OVERFLOW = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
FAKE_MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
ATTACKER = "--host-resolver-rules=MAP attacker.example 127.0.0.1"
#: Seconds in which the first words are spoken: the speech process starts with them.
SPOKEN = 30.0
ME, OTHER = "+14255550123", "+14255550142"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert PROGRAM is not None
    with chromium(PROGRAM, tmp_path_factory.mktemp("chromium"), *FAKE_MICROPHONE, ATTACKER) as one:
        yield one


@pytest.fixture
def emulator() -> Iterator[Running[Control]]:
    with running() as one:
        yield one
        assert one.control.health()["crashes"] == []


@contextmanager
def phone(browser: Browser, emulator: Running[Control], query: str = "") -> Iterator[Page]:
    """A tab with a phone."""
    with browser.page() as page:
        page.resize(*DESKTOP)
        opened(page, emulator, query)
        yield page


def opened(page: Page, emulator: Running[Control], query: str = "") -> None:
    page.open(f"{emulator.endpoint}/{query}")
    page.until(f"{STATE} === 'idle'")


def click(page: Page, selector: str) -> None:
    x, y = page.get(f"""(() => {{
      const element = document.querySelector({selector!r});
      element.scrollIntoView({{ block: "center" }});
      const box = element.getBoundingClientRect();
      return [box.left + box.width / 2, box.top + box.height / 2];
    }})()""")
    page.click(x, y)


def key(page: Page, name: str, text: str = "") -> None:
    """A key of the keyboard, where the focus is."""
    more = {"text": text} if text else {}
    page.send("Input.dispatchKeyEvent", type="keyDown", key=name, **more)
    page.send("Input.dispatchKeyEvent", type="keyUp", key=name)


def text_of(page: Page, selector: str) -> Any:
    return page.get(f"document.querySelector({selector!r}).innerText")


def call(me: Page, other: Page) -> None:
    """One tab calls the other, which answers."""
    me.get(f"document.getElementById('number').value = '{OTHER}'")
    click(me, "#dial button")
    other.until(f"{STATE} === 'ringing'")
    click(other, "#answer")
    for page in (me, other):
        page.until(f"{STATE} === 'connected'")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_opens_ready_and_fits_the_window(
    browser: Browser, emulator: Running[Control], size: tuple[int, int], dark: bool
) -> None:
    with browser.page() as page:
        page.resize(*size, dark=dark, phone=size == PHONE)
        opened(page, emulator)
        assert text_of(page, "#role option:checked") == "+1 425 555 0123"
        assert text_of(page, "#lines button .number") == "+1 800 555 0100"
        assert "start the emulator with --event-grid" in text_of(page, "#hint").replace("Start", "start")
        assert "nothing leaves it" in text_of(page, "#promise")
        assert page.get(NO_OVERFLOW), "the page scrolls sideways"
        small = "[...document.querySelectorAll('button')].filter((one) => one.offsetHeight && one.offsetHeight < 30)"
        assert page.get(f"{small}.length") == 0
        dim = page.get(_CONTRASTS)
        assert dim == [], "contrast below 4.5"
        if size == PHONE:
            assert page.get("document.getElementById('lab').offsetHeight") == 0
            click(page, "[data-show=lab]")
            assert page.get("document.getElementById('lab').offsetHeight") > 0
            assert page.get("document.getElementById('phone').offsetHeight") == 0
        assert page.complaints == []


#: Texts whose colour is too near to that of what is behind them (WCAG AA: 4.5).
_CONTRASTS = """(() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const [r, g, b] = channels(color).map((one) => one / 255)
      .map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = getComputedStyle(one).backgroundColor;
      if (channels(color)[3] !== 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const own = (one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  return [...document.querySelectorAll("body *")]
    .filter((one) => one.offsetHeight && !one.disabled && own(one) && one.tagName !== "OPTION")
    .filter((one) => {
      const [a, b] = [light(getComputedStyle(one).color), light(behind(one))].sort();
      return (b + 0.05) / (a + 0.05) < 4.5;
    })
    .map((one) => one.outerHTML.slice(0, 80));
})()"""


def test_one_tab_calls_another_they_speak_and_one_hangs_up(browser: Browser, emulator: Running[Control]) -> None:
    with phone(browser, emulator) as me, phone(browser, emulator, "?as=%2B14255550142") as other:
        me.get("document.getElementById('number').value = '+1 (425) 555-0142'")
        click(me, "#dial button")
        me.until(f"{STATE} === 'dialling'")
        assert text_of(me, "#status") == "Calling +1 425 555 0142 …"
        other.until(f"{STATE} === 'ringing'")
        assert text_of(other, "#ringing-who") == "+1 425 555 0123"
        assert other.get("document.activeElement.id") == "answer"
        assert other.get("document.title") == "☎ +1 425 555 0123 is calling"
        key(other, "Enter", "\r")
        for page in (me, other):
            page.until(f"{STATE} === 'connected'")
        me.until("document.getElementById('mic-state').innerText === 'microphone on'")
        assert text_of(me, "#with") == "you\n+1 425 555 0142"
        people = emulator.service.phones.people
        spoken = "[...document.querySelectorAll('#log .you-did')].length"
        me.get("document.getElementById('words').value = 'good morning'")
        click(me, "#say button")
        me.until(f"{spoken} >= 2", SPOKEN)
        other.until("[...document.querySelectorAll('#log q')].some((one) => one.innerText === 'good morning')", SPOKEN)
        click(me, "[data-key='5']")
        other.until("[...document.querySelectorAll('#log kbd')].some((one) => one.innerText === '5')")
        assert {raw_id for raw_id, one in people.items() if one.line} == {f"4:{ME}", f"4:{OTHER}"}
        click(other, "#hangup")
        for page in (me, other):
            page.until(f"{STATE} === 'idle'")
            assert text_of(page, "#hint") == "The call has ended."
            assert page.complaints == []


def test_everything_can_be_done_by_keyboard(browser: Browser, emulator: Running[Control]) -> None:
    with phone(browser, emulator) as me, phone(browser, emulator, "?as=%2B14255550142") as other:
        me.get("document.getElementById('number').focus()")
        for digit in OTHER:
            key(me, digit, digit)
        key(me, "Enter", "\r")
        other.until(f"{STATE} === 'ringing'")
        key(other, "Enter", "\r")
        me.until(f"{STATE} === 'connected'")
        assert me.get("document.activeElement.id") == "words"
        key(me, "7", "7")
        me.until("[...document.querySelectorAll('#log kbd')].some((one) => one.innerText === '7')")
        for letter in "yes":
            key(me, letter, letter)
        key(me, "Enter", "\r")
        me.until("[...document.querySelectorAll('#log q')].some((one) => one.innerText === 'yes')", SPOKEN)


def test_a_declined_call_is_told(browser: Browser, emulator: Running[Control]) -> None:
    with phone(browser, emulator) as me, phone(browser, emulator, "?as=%2B14255550142") as other:
        me.get(f"document.getElementById('number').value = '{OTHER}'")
        click(me, "#dial button")
        other.until(f"{STATE} === 'ringing'")
        click(other, "#decline")
        me.until(f"{STATE} === 'idle'")
        assert text_of(me, "#hint") == "They declined your call."


def test_a_busy_line_is_told(browser: Browser, emulator: Running[Control]) -> None:
    emulator.control.register_phone(OTHER, behaviour="busy")
    with phone(browser, emulator) as me:
        me.get(f"document.getElementById('number').value = '{OTHER}'")
        click(me, "#dial button")
        me.until("document.getElementById('hint').innerText === 'The line is busy.'")


def test_one_becomes_another_number_and_a_mailbox(browser: Browser, emulator: Running[Control]) -> None:
    choose = """((value) => {
      const role = document.getElementById("role");
      role.value = value;
      role.dispatchEvent(new Event("change"));
    })"""
    with phone(browser, emulator) as me:
        me.get(f"{choose}('other')")
        assert me.get("document.activeElement.id") == "be-number"
        me.get("document.getElementById('be-number').value = '+1 425 555 0142'")
        click(me, "#be button")
        me.until("document.querySelector('#role option').innerText === '+1 425 555 0142'")
        me.get(f"{choose}('mailbox')")
        me.until("document.querySelector('#role option').innerText === '+1 425 555 0142, a mailbox'")
        me.get(f"{choose}('withheld')")
        me.until("document.querySelector('#role option').innerText === 'somebody who withholds their number'")
        opened(me, emulator)
        assert text_of(me, "#role option:checked") == "somebody who withholds their number", "a reload keeps it"


def test_faults_and_speed_are_set_and_speed_is_explained(browser: Browser, emulator: Running[Control]) -> None:
    with phone(browser, emulator) as me, phone(browser, emulator, "?as=%2B14255550142") as other:
        click(me, "#faults summary")
        click(me, "[data-fault=twice]")
        me.until("document.getElementById('faults-on').innerText === '1 on'")
        other.until("document.querySelector('[data-fault=twice]').checked")
        assert [rule["kind"] for rule in emulator.control.request("GET", "/emulator/faults")["faults"]] == ["duplicate"]
        me.get("""(() => {
          const speed = document.getElementById("speed");
          speed.value = "5";
          speed.dispatchEvent(new Event("change"));
        })()""")
        other.until("document.getElementById('speed').value === '5'")
        call(me, other)
        assert text_of(me, "#hint").startswith("Speed 5×: calls run faster than people talk, so there is no sound")


def test_markup_in_what_is_said_is_shown_as_text(browser: Browser, emulator: Running[Control]) -> None:
    said = "a < b <img src=x onerror=alert(1)>"
    with phone(browser, emulator) as me, phone(browser, emulator, "?as=%2B14255550142") as other:
        call(me, other)
        me.get(f"document.getElementById('words').value = {json.dumps(said)}")
        click(me, "#say button")
        other.until("document.querySelector('#log q')", SPOKEN)
        assert other.get("document.querySelectorAll('#log img').length") == 0
        assert text_of(other, "#log q") == said


def test_a_denied_microphone_is_no_dead_end(emulator: Running[Control], tmp_path: Path) -> None:
    assert PROGRAM is not None
    with chromium(PROGRAM, tmp_path, "--deny-permission-prompts") as browser:
        with phone(browser, emulator) as me, phone(browser, emulator, "?as=%2B14255550142") as other:
            call(me, other)
            me.until("document.getElementById('mic-state').innerText.includes('type your words')")
            assert me.get("document.getElementById('mic-state').innerText").startswith(
                ("The microphone is denied", "No microphone was found")
            )
            me.get("document.getElementById('words').value = 'hello'")
            click(me, "#say button")
            other.until("document.querySelector('#log q')?.innerText === 'hello'", SPOKEN)


def test_a_lost_emulator_is_told_and_found_again(browser: Browser) -> None:
    with browser.page() as me:
        me.resize(*DESKTOP)
        with running() as first:
            port = int(first.endpoint.rpartition(":")[2])
            with phone(browser, first, "?as=%2B14255550142") as other:
                opened(me, first)
                call(me, other)
                first.control.register_phone("+14255550199")
        me.until("document.getElementById('problem').innerText.startsWith('The emulator is gone')")
        assert me.get(STATE) == "idle"
        with running(port=port):
            me.until(
                "document.getElementById('problem').hidden && document.querySelectorAll('#lines button').length", 15
            )
            assert text_of(me, "#role option:checked") == "+1 425 555 0123"


@contextmanager
def attacker(emulator: Running[Control]) -> Iterator[str]:
    """A page of another origin; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>attacker</title>")

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://attacker.example:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


READ = """((url, options) => fetch(url, options).then(
  (response) => response.text().then((text) => `${response.status} ${text}`), (error) => `refused: ${error.name}`))"""
OPEN = """((url) => new Promise((done) => {
  const socket = new WebSocket(url);
  socket.onopen = () => done("open");
  socket.onerror = () => done("refused");
}))"""


def test_a_page_of_another_origin_reads_nothing_drives_nothing_and_opens_no_socket(
    browser: Browser, emulator: Running[Control]
) -> None:
    emulator.control.add_faults({"kind": "drop"})
    with attacker(emulator) as address, browser.page() as page:
        page.open(address)
        for path in ("/", "/phone/phone.js", "/emulator/state", "/emulator/timeline", "/emulator/recordings"):
            assert page.get(f"{READ}('{emulator.endpoint}{path}')") == "refused: TypeError"
        # What needs no permission of the other side is sent, and refused there.
        for path, body in (
            ("/emulator/reset", "{}"),
            ("/emulator/calls", '{"from": "+14255550100", "to": "+18005550100"}'),
            ("/emulator/phones", '{"number": "+14255550100"}'),
        ):
            options = json.dumps({"method": "POST", "body": body, "mode": "no-cors"})
            assert page.get(f"{READ}('{emulator.endpoint}{path}', {options})").strip() == "0"
        socket = emulator.endpoint.replace("http", "ws", 1)
        assert page.get(f"{OPEN}('{socket}/emulator/phone')") == "refused"
        page.get(
            f"document.body.append(Object.assign(document.createElement('iframe'), {{src: '{emulator.endpoint}/'}}))"
        )
    state = emulator.control.state()
    assert (state["calls"], state["phones"]) == ([], [])
    assert emulator.control.timeline() == []
    assert len(emulator.control.request("GET", "/emulator/faults")["faults"]) == 1
    assert emulator.service.phones.people == {}


def test_a_name_that_is_led_to_this_machine_gets_nothing(browser: Browser, emulator: Running[Control]) -> None:
    port = emulator.endpoint.rpartition(":")[2]
    with browser.page() as page:
        page.open(f"http://attacker.example:{port}/")
        assert "The Host header names another host" in page.get("document.body.innerText")
        assert page.get(f"{READ}('/emulator/state')").startswith("403 ")
        assert page.get(f"{READ}('/emulator/reset', {{method: 'POST'}})").startswith("403 ")
        assert page.get(f"{OPEN}('ws://attacker.example:{port}/emulator/phone')") == "refused"
    assert emulator.service.phones.people == {}
