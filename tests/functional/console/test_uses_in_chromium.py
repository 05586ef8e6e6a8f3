"""Campaigns, masked numbers, messages and switches as a browser shows them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.outreach.service import Outreach
from shared.use_cases import service
from tests.browser import Page, serious
from tests.functional.app import App
from tests.functional.console.test_console_campaigns import talked
from tests.functional.console.test_console_in_chromium import (
    DESKTOP,
    NO_OVERFLOW,
    PHONE,
    PICTURES,
    chrome,
    has,
    page,
    pytestmark,
    until_on_the_next_page,
)
from tests.functional.console.uses import VISITS, campaign, filled, message, session
from tests.functional.console.web import serving
from tests.functional.test_outreach import work

__all__ = ["chrome", "page", "pytestmark"]

FILE = """id;Telefon;Name;Arzt
A-1;425 555 0123;Ada Lovelace;Summer
A-2;4.25556E+09;Bob;Winter
A-3;(425) 555-0142;Cleo Adams;Summer
A-4;+1 425 555 0155;Dora Miles;Winter
A-5;+1 425 555 0166;Eve Stone;Summer
A-6;+1 425 555 0177;Finn Hall;Winter
"""


@pytest.fixture
def site(uses: App) -> Iterator[str]:
    with serving(uses) as address:
        yield address


def click(page: Page, selector: str) -> None:
    assert page.get(f"document.querySelector({json.dumps(selector)}) !== null"), selector
    page.get(f"document.querySelector({json.dumps(selector)}).click(); 0")


def choose_file(page: Page, path: Path, selector: str = "input[type=file]") -> None:
    found = page.send("Runtime.evaluate", expression=f"document.querySelector({json.dumps(selector)})")
    page.send("DOM.setFileInputFiles", files=[str(path)], objectId=found["result"]["objectId"])


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.picture(Path(PICTURES, f"{name}.png"))


def test_a_campaign_is_uploaded_checked_started_paused_resumed_and_finished_from_the_page(
    uses: App, site: str, page: Page, tmp_path: Path
) -> None:
    page.open(f"{site}/campaigns")
    page.get("document.querySelector('input[name=name]').value = 'March visits'; 0")
    page.get("document.querySelector('input[name=purpose][value=service]').checked = true; 0")
    assert page.get(f"document.querySelector('input[value={json.dumps(VISITS)}]').checked"), "the first is chosen"
    page.get("document.querySelector('select[name=flow]').value = 'visits'; 0")
    page.get("document.querySelector('input[name=opens]').value = '00:00'; 0")
    page.get("document.querySelector('input[name=closes]').value = '23:59'; 0")
    page.get("document.querySelectorAll('.days input').forEach((one) => { one.checked = true; })")
    click(page, "#new button.main")
    until_on_the_next_page(page, has("Now send a file with people."))
    file = tmp_path / "people.csv"
    file.write_text(FILE, encoding="utf-8")
    choose_file(page, file)
    click(page, "#file button")
    page.until(has("5 rows can be imported"))
    assert page.get(has("its last digits are lost"))
    assert page.get(has("+1 ••• 42"))
    picture(page, "docs-file")
    page.get("window.stays = true")
    page.get("document.querySelector('input[name=keep-501]').checked = true; 0")
    click(page, "#preview button:not(.main)")
    page.until(has("Arzt: Summer"))
    assert page.get("window.stays") is True
    click(page, "#do-import")
    until_on_the_next_page(page, has("The file waits to be read"))
    work(uses)
    until_on_the_next_page(page, has("6 rows: 5 new, 1 bad."))
    until_on_the_next_page(page, "document.querySelector('#check .big')?.textContent === '5'")
    assert uses.kinds == []
    click(page, "#do-start")
    until_on_the_next_page(page, has("Started."))
    work(uses)
    page.until(has("0 done · 2 on the phone now · 3 to go"))
    click(page, "#do-pause")
    until_on_the_next_page(page, has("Paused: no further call"))
    click(page, "#do-resume")
    until_on_the_next_page(page, has("Goes on."))
    talked(uses)
    page.until(has("2 done · 2 on the phone now · 1 to go"))
    picture(page, "docs-campaign")
    talked(uses)
    talked(uses)
    until_on_the_next_page(page, has("finished") + " && " + has("5 done"))
    assert page.get(has("confirmed"))
    page.open(page.get("document.querySelector('a[href$=\"/people\"]').href"))
    assert page.get("document.querySelectorAll('tbody tr').length") == 5
    assert page.complaints == []


def everything(app: App) -> dict[str, str]:
    """Something on every page."""
    filled(app, FILE, files={"country": "US"})
    draft = campaign(app, id="winter", name="A campaign whose name is long enough to be wrapped on a telephone")
    app.request("POST", "/api/campaigns/spring/commands/start")
    work(app)
    app.react()
    app.request("PUT", "/api/do-not-call/lists/us-national?source=FTC&as_of=2026-01-02", b"+14255550188\n")
    made = session(app)
    session(app, b="+14255550155", label="a delivery to the other end of the town, and back")
    case = message(app, "I want to know where my order is, it should have been here on Monday")
    message(app, "", "call-2")
    switch = {"by": "Ada", "why": "complaints", "numbers": {"+14255550166": "off"}, "outbound": "off"}
    app.request("POST", "/api/switches", json.dumps(switch).encode())
    outreach: Outreach = service("outreach")
    called = next(one.wanted.number for one in outreach.state.people.all("spring") if one.begun)
    return {"draft": draft, "session": made, "message": case, "called": called}


PAGES = (
    "",
    "/campaigns",
    "/campaigns/spring",
    "/campaigns/{draft}",
    "/campaigns/spring/people",
    "/campaigns/spring/people?state=dead",
    "/do-not-call",
    "/evidence",
    "/masked-numbers",
    "/masked-numbers?status=closed",
    "/masked-numbers/{session}",
    "/messages",
    "/messages/{message}",
)
EMPTY = ("/campaigns", "/masked-numbers", "/messages")
FORMS = {
    "preview": ("/campaigns/{draft}", "#file button", "document.getElementById('do-import') !== null"),
    "listed": ("/do-not-call", "form[action$=check] button", has("on no list")),
    "evidence": ("/evidence", "main form button", has("in America/Los_Angeles")),
}
"""Pages that a form opens: where it stands, its button, and what says that it is there."""


def check(page: Page, name: str) -> None:
    """That a page fits, and that everybody can use it."""
    page.get("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.get(NO_OVERFLOW), name
    picture(page, name)
    assert serious(page) == [], name


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_everybody_can_use_every_page_of_a_use(
    uses: App, site: str, page: Page, tmp_path: Path, dark: bool, phone: bool
) -> None:
    page.resize(*(PHONE if phone else DESKTOP), dark=dark, phone=phone)
    kind = f"{'phone' if phone else 'desktop'}-{'dark' if dark else 'light'}"
    for path in EMPTY:
        page.open(site + path)
        check(page, f"empty{path.replace('/', '-')}-{kind}")
    known = everything(uses)
    for path in PAGES:
        page.open(site + path.format(**known))
        name = path.strip("/").replace("/", "-").replace("?", "-").replace("{", "").replace("}", "") or "today"
        check(page, f"{name}-{kind}")
    file = tmp_path / "people.csv"
    file.write_text(FILE, encoding="utf-8")
    for name, (path, button, there) in FORMS.items():
        page.open(site + path.format(**known))
        if name == "preview":
            choose_file(page, file)
        else:
            page.get(f"document.querySelector('main input[type=tel]').value = {json.dumps(known['called'])}; 0")
        click(page, button)
        until_on_the_next_page(page, there)
        check(page, f"{name}-{kind}")
    assert page.complaints == []


def test_pages_of_uses_read_and_act_without_javascript(uses: App, site: str, page: Page, tmp_path: Path) -> None:
    known = everything(uses)
    file = tmp_path / "people.csv"
    file.write_text(FILE, encoding="utf-8")
    page.send("Emulation.setScriptExecutionDisabled", value=True)
    for path, text in (
        ("", "Wait for a call"),
        ("/campaigns", "March visits"),
        ("/campaigns/spring", "on the phone now"),
        ("/campaigns/spring/people", "Ada Lovelace"),
        ("/campaigns/spring?check=1", "not at all"),
        ("/do-not-call", "us-national"),
        ("/masked-numbers", "order 4711"),
        ("/messages", "left a message"),
    ):
        page.send("Page.navigate", url=site + path)
        until_on_the_next_page(page, f"location.href === {json.dumps(site + path)} && {has(text)}")
    page.send("Page.navigate", url=f"{site}/campaigns/{known['draft']}")
    until_on_the_next_page(page, "document.querySelector('#file input[type=file]') !== null")
    for button, text in (("#file button", "Choose the file again"), ("#do-import", "The file waits to be read")):
        choose_file(page, file)
        click(page, button)
        until_on_the_next_page(page, has(text))


def test_a_campaign_is_stopped_by_the_keyboard_alone(uses: App, site: str, page: Page) -> None:
    filled(uses, FILE, files={"country": "US"})
    page.open(f"{site}/campaigns/spring")

    def press(key: str, code: int, text: str = "") -> None:
        for kind in ("keyDown", "keyUp"):
            page.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, text=text)

    for wanted in ("Stop…", "Stop for good"):
        for _ in range(40):
            if page.get("document.activeElement.textContent") == wanted:
                break
            press("Tab", 9)
        assert page.get("document.activeElement.textContent") == wanted
        press("Enter", 13, "\r")
    until_on_the_next_page(page, has("Stopped for good."))
