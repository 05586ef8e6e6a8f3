"""The page to click on for the HTTP API: what it shows, what it asks, and that it works in a browser."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.web.console.rendering import POLICY
from tests.browser import Page, chromium, executable
from tests.functional.app import App, running
from tests.functional.console.console import Browser
from tests.functional.console.web import serving

STATIC = Path(__file__).parents[3] / "shared" / "web" / "console" / "static"
PUBLISHED = {
    "swagger-ui-bundle.js": "e6a898692f2d768e807c3ba4626068a69a2c5dd960dd6c76f3e4d3a3de180af2",
    "swagger-ui.css": "5ed08757e53da3e026d6cbecc61fe5d43585c9560b302d534ad56692519a273d",
}
"""SHA-256 of the files of npm's swagger-ui-dist 5.35.0."""
MOST_BYTES = 2_000_000


def test_the_page_asks_no_other_host_and_has_no_inline_script(browser: Browser) -> None:
    answer = browser.get("/api")
    page = answer.get_body().decode()
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert re.findall(r'(?:src|href|action|data-document)="(?!/api/console|data:,")([^"]*)', page) == []
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", page) == []
    for file in re.findall(r'(?:src|href)="/api/console(/static/[^"]+)"', page):
        assert browser.get(file).headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_what_it_shows_is_the_document_of_this_app(browser: Browser) -> None:
    shown = json.loads(browser.get("/api/openapi.json").get_body())
    assert shown == json.loads(browser.app.request("GET", "/api/openapi.json").get_body())
    assert "/calls/{call_id}/actions/{action}".replace("{action}", "play") in shown["paths"]
    assert browser.get("/api/openapi.json").headers["Cache-Control"] == "no-store"


def test_status_leads_there(browser: Browser) -> None:
    assert 'href="/api/console/api"' in browser.open("/status")


def test_nobody_is_shown_it_where_there_is_no_console(tmp_path: Path) -> None:
    with running(tmp_path) as app:
        for path in ("/api", "/api/openapi.json"):
            assert Browser(app).get(path).status_code == 404


def test_what_is_vendored_is_as_published_small_enough_and_keeps_its_licences() -> None:
    assert {name: hashlib.sha256((STATIC / name).read_bytes()).hexdigest() for name in PUBLISHED} == PUBLISHED
    assert sum((STATIC / name).stat().st_size for name in PUBLISHED) < MOST_BYTES
    licence = (STATIC / "swagger-ui.LICENSE.txt").read_text("utf-8")
    assert "swagger-ui-dist 5.35.0" in licence
    assert "Apache License" in licence
    assert "SmartBear Software" in licence, "its NOTICE"
    assert "@license" in (STATIC / "swagger-ui-bundle.js.LICENSE.txt").read_text("utf-8")


# In a browser


@pytest.fixture
def page(app: App, tmp_path: Path) -> Iterator[Page]:
    program = executable()
    if program is None:
        pytest.skip("needs Chromium on the path (Debian: apt-get install chromium)")
    with serving(app) as site, chromium(program, tmp_path / "chromium") as chrome, chrome.page() as tab:
        tab.resize(1280, 900)
        tab.open(f"{site}/api")
        yield tab


@pytest.mark.long
@pytest.mark.xdist_group("chromium")
def test_in_a_browser_routes_unfold_and_a_request_is_tried_out_under_the_policy(page: Page) -> None:
    page.until("document.querySelectorAll('.opblock-tag').length > 10")
    page.get("document.querySelector('#operations-tag-Flows').click()")
    flows = "#operations-Flows-listFlows"
    page.until(f"document.querySelector('{flows}') !== null")
    page.get(f"document.querySelector('{flows} .opblock-summary-control').click()")
    page.until(f"document.querySelector('{flows} .try-out__btn') !== null")
    page.get(f"document.querySelector('{flows} .try-out__btn').click()")
    page.until(f"document.querySelector('{flows} .execute') !== null")
    page.get(f"document.querySelector('{flows} .execute').click()")
    page.until(f"document.querySelector('{flows} .live-responses-table .response-col_status') !== null")
    shown = page.get(f"document.querySelector('{flows} .live-responses-table').innerText")
    assert "200" in shown
    assert "Front desk" in shown
    assert page.complaints == [], "the page's policy forbids nothing that it needs"
