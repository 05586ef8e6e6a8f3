"""An app with every use case that has pages: campaigns, masked numbers, messages; and something in each of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from shared.calls import FLOWS, Call, Choice, Flow
from shared.handoff.service import Handoff
from shared.use_cases import service
from tests.functional.api import OURS, PHONE, read
from tests.functional.app import CALLER, NUMBER, App
from tests.functional.console.console import BOUNDARY, ROOT, Browser, multipart
from tests.functional.test_outreach import work

VISITS, MASK_ONE, MASK_TWO = "+18005550144", "+18005550171", "+18005550172"
LINES = f"""
company: Contoso
country: US
zone: America/New_York
numbers:
  - {{number: "{VISITS}", label: visits, uses: [outreach, reminders], called_back: visits, concurrent_out: 3}}
  - {{number: "{MASK_ONE}", label: one, uses: [masking]}}
  - {{number: "{MASK_TWO}", label: two, uses: [masking]}}
  - {{number: "{OURS}", label: main}}
"""
ALWAYS = {"purpose": "service", "opens": 0, "closes": 1440, "days": [0, 1, 2, 3, 4, 5, 6], "zone": "America/New_York"}
PEOPLE = "id,phone,name,seen by\nA-1,425 555 0123,Ada,Dr Summer\nA-2,4.25556E+09,Bob,Dr Winter\n"
BOB = "+14255550142"


async def visits(call: Call) -> None:
    """Asks who is there, and what they want."""
    said = await call.ask_choice(
        "This is Contoso. Press 1 to confirm, or 9.",
        choices=[Choice("sales", tone="one"), Choice("opted_out", tone="nine")],
    )
    call.result("confirmed" if said == "sales" else said)


USES = {
    "visits": Flow("visits", visits, use="outreach", title="Visits"),
    "recalls": Flow("recalls", visits, use="reminders", title="Recalls"),
}


@contextmanager
def flows_of_uses() -> Iterator[None]:
    """The flows, while the app runs. No slot is read from a storage."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.azure.text_rows.TableTextRows.read", lambda self: {})
        for name, flow in USES.items():
            patch.setitem(FLOWS, name, flow)
        yield


def settings(folder: Path) -> dict[str, Any]:
    """What sets all of them up."""
    lines = folder / "lines.yaml"
    lines.write_text(LINES)
    return {"LINES_FILE": str(lines), "HANDOFF_NUMBER": "+12065550113"}


def campaign(app: App, **changes: Any) -> str:
    """A campaign without anybody."""
    asked = {"id": "spring", "name": "March visits", "flow": "visits", "callers": [VISITS], "rules": ALWAYS}
    body = {**asked, "files": {"country": "US"}, **changes}
    return str(read(app.request("POST", "/api/campaigns", json.dumps(body).encode()), 201)["id"])


def filled(app: App, people: str = PEOPLE, **changes: Any) -> str:
    """A campaign with people; its upload."""
    made = campaign(app, **changes)
    sent = read(app.request("POST", f"/api/campaigns/{made}/uploads", people.encode()), 202)
    work(app)
    return str(sent["report"]["upload"])


def session(app: App, **more: Any) -> str:
    """An open connection of two people."""
    body = {"a": PHONE, "b": BOB, "label": "order 4711", **more}
    return str(read(app.request("POST", "/api/masking/sessions", json.dumps(body).encode()), 201)["id"])


def message(app: App, said: str = "an invoice", call: str = "call-1") -> str:
    """A caller who left a message."""
    desk: Handoff = service("handoff")
    case = desk.begin(call, f"4:{CALLER}", f"4:{NUMBER}", "en", {})["case"]
    desk.tell(case, said, "4711", "en")
    desk.not_taken(case, 1, "closed")
    desk.message_begins(case, "r-1")
    return case


def send_file(browser: Browser, path: str, file: bytes, **fields: str) -> func.HttpResponse:
    """A form of the page that was opened last, with a file."""
    return _sent(browser, path, file, fields, {})


def send_by_script(browser: Browser, path: str, file: bytes, **fields: str) -> func.HttpResponse:
    """The same, as htmx sends it."""
    return _sent(browser, path, file, fields, {"HX-Request": "true"})


def _sent(
    browser: Browser, path: str, file: bytes, fields: Mapping[str, str], more: Mapping[str, str]
) -> func.HttpResponse:
    content_type = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    headers = {"Host": browser.host, **content_type, **browser.headers, **more}
    if browser.cookie:
        headers["Cookie"] = browser.cookie
    body = multipart({"token": browser.token, **fields}, {"file": file})
    return browser.app.request("POST", f"{ROOT}{path}", body, headers)
