"""The script of the call-me button in a browser, against the app's own routes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from shared.use_cases import service
from tests.browser import Browser, Page, chromium, executable
from tests.functional.app import App, running
from tests.unit.click.conftest import SITE

pytestmark = [
    pytest.mark.long,
    pytest.mark.xdist_group("chromium"),
    pytest.mark.skipif(executable() is None, reason="Chromium is not installed"),
]

ROOT = "document.querySelector('[data-switchboard-dialog]').shadowRoot"
SHOWN = f"{ROOT}.querySelector('dialog').innerText"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(str(executable()), tmp_path_factory.mktemp("profile")) as one:
        yield one


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[App, str]]:
    """The app behind a port, and its address."""
    with running(tmp_path, ALLOWED_PREFIXES="+1") as app:
        lock = threading.Lock()

        class Door(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with lock:
                    response = app.request(self.command, self.path, body, dict(self.headers))
                self.send_response(response.status_code)
                content = response.get_body()
                fields = {**response.headers, "Content-Type": response.mimetype, "Content-Length": str(len(content))}
                for name, value in fields.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_OPTIONS = _serve  # noqa: N815 (names of the standard library)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                yield app, f"http://127.0.0.1:{server.server_address[1]}"
            finally:
                server.shutdown()


def opened(page: Page, app: App, address: str, **changes: Any) -> None:
    """The demo page, with the form of a site open."""
    body = {**SITE, "origins": [address], **changes}
    site = json.loads(app.request("PUT", "/api/click/sites/shop", json.dumps(body).encode()).get_body())
    page.open(f"{address}/api/click/demo#{site['token']}")
    page.get("document.querySelector('[data-switchboard]').click()")


def fill(page: Page, number: str, *, agree: bool = True) -> None:
    page.until(f"{ROOT}.querySelector('#number')")
    page.get(f"{ROOT}.querySelector('#number').value = {json.dumps(number)}")
    page.get(f"{ROOT}.querySelector('#agree').checked = {json.dumps(agree)}")
    page.get(f"{ROOT}.querySelector('button.main').click()")


def test_a_visitor_is_called_and_sees_what_happens(browser: Browser, served: tuple[App, str]) -> None:
    app, address = served
    with browser.page() as page:
        opened(page, app, address)
        page.until(f"{SHOWN}.includes('Contoso may call me once')")
        assert "We call numbers in: United States." in page.get(SHOWN)
        fill(page, "425 555 0123", agree=False)
        page.until(f"{SHOWN}.includes('Please agree first')")
        assert app.gateway.sent == []
        fill(page, "030 901820")
        page.until(f"{SHOWN}.includes('Please check the number: United States only.')")
        fill(page, "425 555 0123")
        page.until(f"{SHOWN}.includes('We are calling a colleague.')")
        (request,) = service("click").store.of_day(f"{service('click')._clock():%Y-%m-%d}")
        assert (request.number, request.origin) == ("+14255550123", address)
        assert service("click").accept(request.id, 0)
        page.until(f"{SHOWN}.includes('Your telephone rings now.')")
        page.get(f"{ROOT}.querySelector('dialog').close()")
        service("click").joined(request.id)
        page.get("document.querySelector('[data-switchboard]').click()")
        page.until(f"{SHOWN}.includes('You are connected.')")
        service("click")._end(request.id, "completed")
        page.until(f"{SHOWN}.includes('Thank you for the call.')")
        refused = [one for one in page.complaints if "400" not in one]
        assert refused == []


def test_a_limit_and_a_closed_page_are_said(browser: Browser, served: tuple[App, str]) -> None:
    app, address = served
    with browser.page() as page:
        opened(page, app, address, limits={"site_hour": 1}, language="de")
        fill(page, "425 555 0123")
        page.until(f"{SHOWN}.includes('calling a colleague')")  # the page is English, whatever the flow speaks
        page.open(f"{address}/api/click/demo?again#" + page.get("location.hash.slice(1)"))
        page.get("document.querySelector('[data-switchboard]').click()")
        fill(page, "425 555 0177")
        page.until(f"/too many calls. Please try again in 6[01] min/.test({SHOWN})")
    with browser.page() as page:
        opened(page, app, address, enabled=False)
        page.until(f"{SHOWN}.includes('Nobody can be called from here')")
        assert not page.get(f"!!{ROOT}.querySelector('form')")


def test_a_call_later_can_be_taken_back(browser: Browser, served: tuple[App, str]) -> None:
    app, address = served
    with browser.page() as page:
        opened(page, app, address)
        page.until(f"{ROOT}.querySelector('[value=later]')")
        page.get(f"{ROOT}.querySelector('[value=later]').click()")
        fill(page, "425 555 0123")
        page.until(f"{SHOWN}.includes('We call you ')")
        assert app.gateway.sent == []
        page.get(f"{ROOT}.querySelector('section button').click()")
        page.until(f"{SHOWN}.includes('We will not call you.')")


def test_nothing_is_wider_than_a_phone(browser: Browser, served: tuple[App, str]) -> None:
    app, address = served
    with browser.page() as page:
        page.resize(390, 844, phone=True)
        opened(
            page, app, address, consent="word " * 150, company="A company with a rather long name in Kirchheimbolanden"
        )
        page.until(f"{ROOT}.querySelector('form')")
        assert page.get("document.documentElement.scrollWidth") <= 390
        assert page.get(f"{ROOT}.querySelector('dialog').scrollWidth <= {ROOT}.querySelector('dialog').clientWidth")
        assert page.get(f"{ROOT}.querySelector('dialog').getBoundingClientRect().bottom") <= 844
