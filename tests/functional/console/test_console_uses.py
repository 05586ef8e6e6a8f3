"""Masked numbers, messages and switches in the console."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, get_args

import pytest

from shared.errors import UnknownRecording
from shared.handoff.service import Handoff
from shared.use_cases import service
from tests.functional.api import PHONE
from tests.functional.app import CALLER, App
from tests.functional.console.console import Browser
from tests.functional.console.test_console_campaigns import text_of
from tests.functional.console.test_console_pages import HOSTILE
from tests.functional.console.uses import BOB, MASK_ONE, MASK_TWO, message, session


@pytest.fixture
def browser(uses: App) -> Browser:
    return Browser(uses)


# Masked numbers


def test_without_a_connection_the_page_says_how_there_is_one(browser: Browser) -> None:
    page = browser.open("/masked-numbers")
    assert "No open connection" in page
    assert MASK_ONE in page
    assert "2; 1 would do" in page


def test_connections_and_the_size_that_would_do_are_shown_without_anybodys_number(browser: Browser) -> None:
    made = session(browser.app)
    session(browser.app, b="+14255550155")
    page = browser.open("/masked-numbers")
    assert "US +18005550171 one +18005550172 two 2 open 2 of one person at most" in text_of(page)
    assert "2, all in use by one person: add one" in page
    assert "order 4711" in page
    one = browser.open(f"/masked-numbers/{made}")
    assert re.search(rf"Calls and sees (?:{re.escape(MASK_ONE)}|{re.escape(MASK_TWO)})", text_of(one))
    assert "Nobody has called yet." in one
    for number in (PHONE, BOB):
        assert number[-7:] not in page + one


def test_a_pin_is_shown_when_it_is_asked_for(browser: Browser) -> None:
    made = session(browser.app)
    page = browser.open(f"/masked-numbers/{made}")
    pin = browser.app.request("GET", f"/api/masking/sessions/{made}").get_body().decode()
    found = re.search(r'"pin_for_a": "(\d{6})"', pin)
    assert found is not None
    assert found[1] not in page
    assert found[1] in browser.post(f"/masked-numbers/{made}/pins").get_body().decode()


def test_a_connection_is_extended_and_closed(browser: Browser) -> None:
    made = session(browser.app, expires_in=3600)
    path = f"/masked-numbers/{made}"
    until = re.search(r"until (\S+ \S+) UTC", browser.open(path))
    answer = browser.post(f"{path}/actions/extend", by="week")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/api/console{path}?did=extend")
    later = re.search(r"until (\S+ \S+) UTC", browser.open(f"{path}?did=extend"))
    assert until is not None
    assert later is not None
    assert datetime.fromisoformat(later[1]) - datetime.fromisoformat(until[1]) >= timedelta(days=6, hours=22)
    assert "Extended." in browser.text
    assert browser.post(f"{path}/actions/extend", by="age").status_code == 400
    assert browser.post(f"{path}/actions/dance").status_code == 400
    assert browser.post(f"{path}/actions/close").status_code == 303
    page = browser.open(f"{path}?did=close")
    assert "Closed. Whoever calls hears so" in page
    assert "act-close" not in page
    answer = browser.post(f"{path}/actions/extend", by="day")
    assert answer.status_code == 409
    assert 'role="alert"' in answer.get_body().decode()
    assert made not in browser.open("/masked-numbers")
    assert made in browser.open("/masked-numbers?status=closed")
    assert browser.get("/masked-numbers?status=gone").status_code == 400
    assert browser.get("/masked-numbers/nope").status_code == 404


# Messages


def test_without_a_message_nobody_waits(browser: Browser) -> None:
    assert "Nobody waits for a call" in browser.open("/messages")
    assert "Wait for a call" not in browser.open()


def test_a_message_waits_on_today_until_somebody_has_called(browser: Browser) -> None:
    case = message(browser.app)
    for path in ("", "/messages"):
        page = browser.open(path)
        assert f'href="/api/console/messages/{case}"' in page, path
        assert "+1 ••• 23 left a message an invoice" in text_of(page)
    page = browser.open(f"/messages/{case}")
    assert "+1 ••• 23 called +18005550199" in page
    assert "an invoice" in page
    assert "Customer number 4711" in text_of(page)
    assert "The contact centre was closed" in text_of(page)
    assert "5550123" not in page
    shown = browser.post(f"/messages/{case}/numbers").get_body().decode()
    assert f"Call back {CALLER}" in text_of(shown)
    answer = browser.post(f"/messages/{case}/called-back")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/api/console/messages/{case}?did=called-back")
    assert "Marked as called back." in browser.open(f"/messages/{case}?did=called-back")
    assert re.search(r"Called back \S+ \S+ UTC, developer", text_of(browser.text))
    assert case not in browser.open("/messages") + browser.open()
    assert case in browser.open("/messages?who=all")


def test_today_names_eight_who_wait_and_the_page_fifty(browser: Browser) -> None:
    for number in range(8):
        message(browser.app, call=f"call-{number}")
    page = browser.open()
    assert page.count("left a message") == 8
    assert '<a href="/api/console/messages">Messages</a></div>' in page
    for number in range(8, 51):
        message(browser.app, call=f"call-{number}")
    page = browser.open()
    assert page.count("left a message") == 8
    assert '<a href="/api/console/messages">More</a></div>' in page
    page = browser.open("/messages")
    assert page.count("left a message") == 50
    on = re.search(r'href="/api/console(/messages\?after=[0-9a-f]+)"', page)
    assert on is not None
    assert browser.open(on[1]).count("left a message") == 1


def test_who_waits_is_looked_for_among_so_many(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.web.console import message_pages

    assert (message_pages.MOST_LOOKED_AT, message_pages.LOOKED_AT_ON_TODAY) == (5000, 1000)
    desk: Handoff = service("handoff")
    for number in range(3):
        desk.begin(f"call-{number}", f"4:{CALLER}", "4:+18005550199", "en", {})
    monkeypatch.setattr(message_pages, "MOST_LOOKED_AT", 2)
    page = browser.open("/messages")
    assert "Nobody among the 5,000 callers that were looked at waits for a call." in page
    assert ">Look on</a>" in page


def test_somebody_who_waits_for_no_call_cannot_be_marked(browser: Browser) -> None:
    desk: Handoff = service("handoff")
    case = desk.begin("call-2", f"4:{CALLER}", "4:+18005550199", "en", {})["case"]
    page = browser.open(f"/messages/{case}")
    assert "They said nothing, and left no message." in page
    assert "I have called them back" not in page
    answer = browser.post(f"/messages/{case}/called-back")
    assert answer.status_code == 409
    assert b"Nobody waits for a call" in answer.get_body()
    assert browser.get(f"/messages/{'0' * 40}").status_code == 404


def test_a_call_back_that_a_newer_call_has_replaced_leads_to_it(browser: Browser) -> None:
    older, newer = message(browser.app), message(browser.app, call="call-2")
    desk: Handoff = service("handoff")
    desk.cases.change(older, lambda one: one.model_copy(update={"state": "replaced", "replaced_by": newer}))
    assert "has called again" in browser.open("/messages?who=all")
    page = browser.open(f"/messages/{older}")
    assert f'<a href="/api/console/messages/{newer}">a newer call</a>' in page
    assert "I have called them back" not in page


class Fetched:
    """Recordings that have been fetched."""

    def file_links(self, recording: str) -> dict[str, str]:
        return {"a/0.wav": "https://store.example/a/0.wav?sig=x", "a/report.json": "https://store.example/a/r.json"}


class NotFetched:
    """Recordings that have not been."""

    def file_links(self, recording: str) -> dict[str, str]:
        raise UnknownRecording(recording)


@pytest.mark.parametrize(("role", "hears"), [("reviewer", True), ("viewer", False)])
def test_a_message_is_played_by_those_who_may_hear_recordings(
    with_keys: App, monkeypatch: pytest.MonkeyPatch, role: str, hears: bool
) -> None:
    case = message(with_keys)
    desk: Handoff = service("handoff")
    desk.message_ends(case)
    rested: Any = desk.cases.change(
        case, lambda one: one.model_copy(update={"message_seconds": 12.5, "state": "message"})
    )
    assert rested.message_seconds == 12.5
    monkeypatch.setattr("shared.web.reports.ReportService.file_links", Fetched.file_links)
    answer = Browser(with_keys).sign_in(role).get(f"/messages/{case}")
    page, policy = answer.get_body().decode(), answer.headers["Content-Security-Policy"]
    assert (
        '<audio class="after" controls preload="metadata" src="https://store.example/a/0.wav?sig=x"' in page
    ) is hears
    assert policy.endswith("; media-src https://store.example") is hears
    assert ("Your role may not hear recordings." in page) is not hears
    monkeypatch.setattr("shared.web.reports.ReportService.file_links", NotFetched.file_links)
    page = Browser(with_keys).sign_in(role).open(f"/messages/{case}")
    assert "A message of 0:12." in page
    assert ("some minutes after the call" in page) is hears


def test_every_state_of_a_caller_and_of_a_call_has_words() -> None:
    from shared.handoff.case import NotTaken, State
    from shared.masking.session import Reason
    from shared.masking.sessions import Outcome
    from shared.web.console import masked_pages, message_pages

    assert set(message_pages.STATE) == set(get_args(State))
    assert set(message_pages.NOT_TAKEN) == set(get_args(NotTaken))
    assert set(masked_pages.OUTCOME) == set(get_args(Outcome))
    assert set(masked_pages.REASON) == set(get_args(Reason)) - {"", "abandoned"}


# Switches


def lifts(page: str) -> list[dict[str, str]]:
    """The fields of the forms that lift what is off."""
    forms = re.findall(r'<form method="post" action="/api/console/switches">(.*?)</form>', page)
    return [dict(re.findall(r'name="(\w+)" value="([^"]*)"', form)) for form in forms]


def test_what_is_switched_off_stands_on_today_and_is_lifted_there(browser: Browser) -> None:
    browser.open()
    forms = (
        {"what": "outbound", "to": "off", "why": "complaints"},
        {"what": "number", "to": "off", "number": "+1 425 555 0123", "why": ""},
        {"what": "flow", "flow": "reception", "to": "reject:busy", "number": "", "why": ""},
    )
    for form in forms:
        answer = browser.post("/switches", **form)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/api/console?did=switched")
    page = browser.open("?did=switched")
    assert re.search(r"Outbound calls are stopped since \S+ \S+ UTC \(developer, “complaints”\)\.", page)
    assert re.search(r"The number \+1 ••• 23 is switched off since", page)
    assert re.search(r"Calls for Front desk are rejected since", page)
    assert "Stop outbound calls…" not in page
    assert "5550123" not in page
    found = lifts(page)
    assert len(found) == 3
    for form in found:
        assert browser.send("POST", "/switches", form).status_code == 303
    assert lifts(browser.open()) == []
    assert "Stop outbound calls…" in browser.text


def test_a_switch_that_is_none_is_refused(browser: Browser) -> None:
    browser.open()
    for form in (
        {"what": "flow", "flow": "nothing", "to": "reject:busy"},
        {"what": "number", "to": "off", "number": "ada"},
    ):
        assert browser.post("/switches", **form).status_code == 400
    assert lifts(browser.open()) == []


def test_who_may_not_act_sees_what_is_off_and_no_form(with_keys: App) -> None:
    Browser(with_keys).sign_in("supervisor").post("/switches", what="outbound", to="off", why="")
    page = Browser(with_keys).sign_in("viewer").open()
    assert "Outbound calls are stopped" in page
    assert "Ada the supervisor" in page
    assert lifts(page) == []
    assert 'id="switches"' not in page


# Hostile values


def test_hostile_words_do_nothing_on_any_page(browser: Browser) -> None:
    case = message(browser.app, said=HOSTILE)
    made = session(browser.app, label="&lt; {{7*7}} 'x'")
    browser.open()
    browser.post("/switches", what="outbound", to="off", why=HOSTILE)
    for path in ("", "/messages", f"/messages/{case}", "/masked-numbers", f"/masked-numbers/{made}"):
        page = browser.open(path)
        assert "<script>alert" not in page, path
        assert "<img" not in page, path
        assert "{{7*7}}" in page or path in ("", "/messages"), path
