"""The pages of the console: Today, the calls of a day, one call, actions, Status."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.errors import SettingsError
from tests.functional.api import OTHER_PHONE, PHONE, USER, commands, ended, get, journal, live, read, send
from tests.functional.app import App, running
from tests.functional.console.console import LOCAL, Browser
from tests.functional.test_recording_functions import Room

KEY = "a" * 32
HOSTILE = """<script>alert(1)</script>"'><img src=x onerror=alert(1)>{{7*7}}"""


def key_of(page: str) -> str:
    found = re.search(r'name="key" value="([0-9a-f]{32})"', page)
    assert found is not None
    return found[1]


def version_of(page: str) -> str:
    found = re.search(r"hx-headers='([^']+)'", page)
    assert found is not None
    return str(json.loads(found[1])["If-None-Match"])


# Every page


@pytest.mark.parametrize("path", ["", "/calls", "/calls/{call}", "/status", "/calls?flow=none"])
def test_a_page_asks_no_other_host_has_no_inline_script_and_is_not_kept(browser: Browser, path: str) -> None:
    call = live(browser.app)
    answer = browser.get(path.format(call=call))
    assert answer.status_code == 200
    page = answer.get_body().decode()
    assert re.findall(r'(?:src|href|action)="(?!/api/console|#|data:,"|")([^"]*)', page) == []
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", page) == []
    assert answer.headers["Content-Security-Policy"].startswith(
        "default-src 'none'; script-src 'self'; style-src 'self';"
    )
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin", "with no-referrer a form has no origin"
    assert "5550123" not in page
    assert page.count("<h1") == 1
    assert '<html lang="en">' in page


def test_style_and_scripts_are_kept_for_ever_under_the_mark_of_their_content(browser: Browser) -> None:
    page = browser.open()
    files = re.findall(r'(?:src|href)="/api/console(/static/[^"]+)"', page)
    assert [re.sub(r"\.[0-9a-f]{12}\.", ".", one) for one in files] == [
        "/static/console.css",
        "/static/htmx.min.js",
        "/static/console.js",
    ]
    for file in files:
        answer = browser.get(file)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.mimetype == ("text/css" if file.endswith("css") else "text/javascript")
    for name in ("console.css", "console.000000000000.css", "..%2Fsite.py", "htmx.LICENSE.txt"):
        assert browser.get(f"/static/{name}").status_code == 404


def test_an_error_is_a_page_with_a_way_back(browser: Browser) -> None:
    answer = browser.get("/calls/nope")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert b"Unknown call" in answer.get_body()
    assert b'href="/api/console"' in answer.get_body()
    assert browser.get("/calls?day=yesterday").status_code == 400


# Today


def test_today_without_a_call_says_what_to_do(browser: Browser) -> None:
    assert "No call yet today" in browser.open()


def test_a_call_is_live_on_today_and_then_is_not(browser: Browser) -> None:
    call = live(browser.app)
    page = browser.open()
    assert f'href="/api/console/calls/{call}"' in page
    assert "+18005550199 → +1 ••• 23" in page
    version = version_of(page)
    assert browser.get("/live", If_None_Match=version).status_code == 304
    browser.app.board.service.act(call, "hang_up", b"{}", None)
    browser.app.react()
    moved = browser.get("/live", If_None_Match=version)
    assert moved.status_code == 200
    assert "Nobody is on the line" in moved.get_body().decode()


def test_today_tells_what_is_off_and_who_failed(browser: Browser) -> None:
    send(browser.app, "", {"flow": "dialler", "input": {}})  # fails: it needs somebody to call
    browser.app.react()
    turn = {"by": "Bob", "why": "<b>complaints</b>", "outbound": "off", "flows": {"reception": {"reject": "busy"}}}
    browser.app.request("POST", "/api/switches", json.dumps(turn).encode())
    page = browser.open()
    assert re.search(r"Outbound calls are stopped since [0-9: -]+ UTC \(Bob, “&lt;b&gt;complaints&lt;/b&gt;”\)", page)
    assert "Calls for Front desk are rejected since" in page
    assert 'class="bad"><dt>failed</dt><dd>1</dd>' in page


# The list


def test_a_day_is_filtered_by_flow_end_and_result(browser: Browser) -> None:
    up, over = live(browser.app), ended(browser.app)
    both = browser.open("/calls")
    assert up in both
    assert over in both
    assert over not in browser.open("/calls?ended=connected")
    assert up not in browser.open("/calls?ended=hung_up")
    assert "No calls match." in browser.open("/calls?result=refund")
    assert "No calls on 2020-01-01" in browser.open("/calls?day=2020-01-01")


def test_a_number_is_found_by_a_form_and_stands_in_no_address(browser: Browser) -> None:
    call = live(browser.app)
    browser.open("/calls")
    found = browser.post("/calls/search", what=" +1 (425) 555-0123 ")
    assert call in found.get_body().decode()
    assert call in browser.post("/calls/search", of=call).get_body().decode()
    assert b"No call is known by this" in browser.post("/calls/search", what="+14255550188").get_body()
    view = read(get(browser.app, f"/{call}"), 200)
    for name in ("server_call_id", "call_connection_id"):
        assert call in browser.post("/calls/search", what=view[name]).get_body().decode(), name
    answer = browser.post("/calls/search", what=call)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/api/console/calls/{call}")
    assert browser.post("/calls/search", what="").status_code == 400


def test_csv_hides_numbers_unless_they_are_asked_for(browser: Browser) -> None:
    live(browser.app)
    browser.open("/calls")
    hidden = browser.post("/calls.csv")
    assert "5550123" not in hidden.get_body().decode()
    assert re.fullmatch(r'attachment; filename="calls-\d{4}-\d\d-\d\d\.csv"', hidden.headers["Content-Disposition"])
    assert ",+18005550199,+14255550123,connected," in browser.post("/calls.csv", numbers="1").get_body().decode()


# One call


def test_a_call_is_a_sentence_and_a_conversation(browser: Browser) -> None:
    call = live(browser.app)
    send(browser.app, f"/{call}/signals/say", {"data": "good day"})
    browser.app.react()
    page = browser.open(f"/calls/{call}")
    title = re.search(r"<h1>(.*?)</h1>", page)
    assert title is not None
    assert re.fullmatch(
        r"Switchboard called \+1 ••• 23 from \+18005550199 at \d\d:\d\d UTC on \d{4}-\d\d-\d\d for desk\. "
        r"It is on the line\.",
        title[1],
    )
    assert "<q>good day</q>" in page
    assert 'aria-label="App: speaks 0:00 to 0:00"' in page
    assert f'href="/api/console/calls/{call}?all=1">Show 2 technical entries</a>' in page
    assert "PlayStarted" not in page
    everything = browser.open(f"/calls/{call}?all=1")
    assert "PlayStarted" in everything
    assert f'href="/api/console/calls/{call}">Hide 2 technical entries</a>' in everything


def test_a_poll_of_a_call_is_one_read_and_304_until_something_moves(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = live(browser.app)
    version = version_of(browser.open(f"/calls/{call}"))
    reads: list[str] = []
    for name in ("peek", "load", "search", "listed", "peek_all", "is_open"):
        whole = getattr(browser.app.store, name)

        def counted(*args: Any, name: str = name, whole: Any = whole, **more: Any) -> Any:
            reads.append(name)
            return whole(*args, **more)

        monkeypatch.setattr(browser.app.store, name, counted)
    answer = browser.get(f"/calls/{call}/live", If_None_Match=version)
    assert (answer.status_code, answer.get_body(), answer.headers["ETag"]) == (304, b"", version)
    assert reads == ["peek"]
    send(browser.app, f"/{call}/signals/say", {"data": "good day"})
    browser.app.react()
    moved = browser.get(f"/calls/{call}/live", If_None_Match=version)
    assert moved.status_code == 200
    assert version_of(moved.get_body().decode()) != version
    assert "good day" in moved.get_body().decode()


def test_a_call_that_is_over_moves_no_more_and_offers_no_action(browser: Browser) -> None:
    page = browser.open(f"/calls/{ended(browser.app)}")
    assert "hx-get" not in page
    assert "Hang up…" not in page
    assert "hung up by an operator" in page


def test_numbers_are_shown_when_they_are_asked_for_and_the_page_stands_still(browser: Browser) -> None:
    call = live(browser.app)
    browser.open(f"/calls/{call}")
    shown = browser.post(f"/calls/{call}/numbers").get_body().decode()
    assert "+14255550123" in shown
    assert "hx-get" not in shown
    assert "Hide numbers" in shown


def test_an_entry_and_the_history_are_json_without_numbers(browser: Browser) -> None:
    call = live(browser.app)
    whole = json.loads(browser.get(f"/calls/{call}/history.json").get_body())
    assert [one["entry"] for one in whole] == [one["entry"] for one in journal(browser.app, call)]
    first = browser.get(f"/calls/{call}/entries/0")
    assert first.mimetype == "application/json"
    assert json.loads(first.get_body()) == whole[0]
    assert whole[0]["callee"] == "4:+1 ••• 23"
    for number in ("99", "-1", "x", "²", "9" * 30):
        assert browser.get(f"/calls/{call}/entries/{number}").status_code == 400


def test_support_gets_ids_times_and_codes_and_no_number(browser: Browser) -> None:
    call = ended(browser.app)
    found = re.search(r'<pre id="support-text"[^>]*>(.*?)</pre>', browser.open(f"/calls/{call}"), re.DOTALL)
    assert found is not None
    view = read(get(browser.app, f"/{call}"), 200)
    for name in ("id", "call_connection_id", "server_call_id", "outcome"):
        assert str(view[name]) in found[1], name
    assert "200/7000" in found[1]
    assert "555" not in found[1]


# Actions


def test_what_is_said_is_played_once_however_often_the_form_is_sent(browser: Browser) -> None:
    call = live(browser.app)
    key = key_of(browser.open(f"/calls/{call}"))
    for _ in range(2):
        answer = browser.post(f"/calls/{call}/actions/play", key=key, text="One moment.")
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/api/console/calls/{call}?did=play")
    (entry,) = commands(browser.app, call)
    assert entry["action"] == {"kind": "play", "prompts": [{"kind": "text", "text": "One moment."}]}
    assert entry["command"] == f"console-{key}"
    assert "Your text is being said." in browser.open(f"/calls/{call}?did=play")
    assert "<script" not in browser.open(f"/calls/{call}?did=<script>").replace("<script src", "")


def test_each_action_is_asked_of_the_service(browser: Browser) -> None:
    call = live(browser.app)
    page = browser.open(f"/calls/{call}")
    mark = re.search(r'name="participant" value="([^"]+)"', page)
    assert mark is not None
    assert "5550123" not in page

    def act(action: str, number: int, **form: str) -> None:
        answer = browser.post(f"/calls/{call}/actions/{action}", key=f"{number:032x}", **form)
        assert answer.status_code == 303, answer.get_body()
        browser.app.react()

    act("hold", 1, participant=mark[1])
    act("unhold", 2, participant=mark[1])
    act("add_participant", 3, target="+1 425 555 0177", caller_id="+18005550199")
    act("add_participant", 4, target=USER)
    act("signal", 5, name="say", data="hello")
    act("transfer", 6, target=OTHER_PHONE)
    asked = [entry["action"] for entry in commands(browser.app, call)]
    assert asked == [
        {"kind": "hold", "participant": f"4:{PHONE}"},
        {"kind": "unhold", "participant": f"4:{PHONE}"},
        {"kind": "add_participant", "target": f"4:{OTHER_PHONE}", "caller_id": "4:+18005550199"},
        {"kind": "add_participant", "target": USER},
        {"kind": "transfer", "target": f"4:{OTHER_PHONE}"},
    ]
    assert [one["data"] for one in journal(browser.app, call) if one["entry"] == "signal"] == ["hello"]


def test_a_phone_cannot_be_muted_and_the_page_says_why(browser: Browser) -> None:
    call = live(browser.app)
    page = browser.open(f"/calls/{call}")
    assert "Azure mutes app users only. Put them on hold instead." in page
    assert re.search(r'<button disabled aria-describedby="why-1">Mute</button>', page)
    mark = re.search(r'name="participant" value="([^"]+)"', page)
    assert mark is not None
    answer = browser.post(f"/calls/{call}/actions/mute", key=KEY, participant=mark[1])
    assert answer.status_code == 400
    assert b"mutes ACS users only" in answer.get_body()


@pytest.mark.parametrize(
    ("action", "form", "told"),
    [
        ("play", {"text": " "}, "text: is empty"),
        ("hold", {"participant": "somebody"}, "participant: is not on the call any more"),
        ("add_participant", {"target": "ada"}, "neither a raw id nor an E.164"),
        ("add_participant", {"target": "+14255550177", "caller_id": "+14255550100"}, "not a number of this app"),
        ("transfer", {}, "target: is empty"),
        ("signal", {"name": "no spaces"}, "not a valid name of a signal"),
        ("terminate", {}, "cannot be taken from here"),
        ("start_recording", {}, "cannot be taken from here"),
    ],
)
def test_a_form_that_lacks_something_does_nothing(
    browser: Browser, action: str, form: dict[str, str], told: str
) -> None:
    call = live(browser.app)
    browser.open(f"/calls/{call}")
    answer = browser.post(f"/calls/{call}/actions/{action}", key=KEY, **form)
    assert answer.status_code == 400
    assert told.encode() in answer.get_body().replace(b"&#39;", b"'")
    assert commands(browser.app, call) == []


def test_a_form_without_its_key_and_one_for_a_call_that_is_over_do_nothing(browser: Browser) -> None:
    call = live(browser.app)
    browser.open(f"/calls/{call}")
    assert browser.post(f"/calls/{call}/actions/hang_up", key="x").status_code == 400
    assert browser.post(f"/calls/{call}/actions/hang_up", key=KEY).status_code == 303
    browser.app.react()
    assert browser.post(f"/calls/{call}/actions/play", key="b" * 32, text="Hello").status_code == 409


# Hostile values


def test_hostile_words_do_nothing_on_any_page(browser: Browser) -> None:
    call = live(browser.app)
    send(browser.app, f"/{call}/signals/say", {"data": HOSTILE})
    browser.app.react()
    for path in (f"/calls/{call}", f"/calls/{call}/live", "/calls?result=" + "%3Cscript%3Ealert(1)", "", "/status"):
        page = browser.get(path).get_body().decode()
        assert "<script>alert" not in page, path
        assert "<img" not in page, path
        assert "49" not in re.findall(r"onerror=alert\(1\)&gt;(\S\S)", page), path


# Recordings


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room()
    with running(tmp_path, recordings=room.compose, **LOCAL) as room.app:
        yield room


def test_a_call_leads_to_its_recording_and_report_and_back(room: Room) -> None:
    call = room.call(recording="inactive", recording_ids=("eyJQbGF0Zm9ybSJ9",))
    recording = room.announce()
    browser = Browser(room.app)
    assert "Being fetched" in browser.open(f"/calls/{call}")
    room.run()
    assert f'href="/api/console/reports/{recording}"' in browser.open(f"/calls/{call}")
    report = browser.open(f"/reports/{recording}")
    assert "Call quality report" in report
    assert f'<a href="/api/console/calls/{call}">' in report


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "Not recorded: its flow did not ask for it."),
        ({"recording": "refused"}, "Not recorded: the service, or the do-not-record list, did not let it."),
        ({"recording": "inactive"}, "The files come some minutes after"),
    ],
)
def test_a_call_without_a_recording_says_why(room: Room, changes: dict[str, Any], told: str) -> None:
    assert told in Browser(room.app).open(f"/calls/{room.call(**changes)}")


# Status


def test_status_names_what_is_not_set_up_and_what_was_seen(browser: Browser) -> None:
    page = browser.open("/status")
    for id_ in ("settings.right", "storage.answers", "speech.none", "transcripts.none", "event-grid.silent"):
        assert f'id="{id_}"' in page, id_
    browser.app.ring()
    browser.app.react()
    assert 'id="event-grid.delivers"' in browser.open("/status")


def test_status_says_that_the_storage_is_silent(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.errors import StoreUnavailable

    def silent() -> None:
        raise StoreUnavailable("no")

    monkeypatch.setattr(browser.app.store, "healthy", silent)
    page = browser.open("/status")
    assert 'id="storage.silent"' in page
    assert "StoreUnavailable" in page


def test_status_and_sign_in_work_while_the_settings_are_wrong(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared import composition

    def wrong(settings: Any) -> None:
        raise SettingsError.of([("RING_SECONDS", "is <no> number"), ("ACS_ENDPOINT", "is missing")])

    monkeypatch.setattr("shared.composition.board.compose", wrong)
    for name, value in LOCAL.items():
        monkeypatch.setenv(name, value)
    composition.switchboard.cache_clear()
    browser = Browser(app)
    page = browser.open("/status")
    assert "RING_SECONDS: is &lt;no&gt; number" in page
    assert "ACS_ENDPOINT: is missing" in page
    answer = browser.get("/calls")
    assert answer.status_code == 503
    assert b"The page Status names them." in answer.get_body()
    monkeypatch.setenv("CALLBACK_BASE_URL", "https://app.example")
    assert browser.get("/status").status_code == 404, "others reach the app"


def test_status_has_messages_that_failed_and_a_way_on(browser: Browser) -> None:
    browser.app.poison.queues["switchboard-uses"] = 2
    page = browser.open("/status")
    assert 'id="queues.poison.uses"' in page
    assert "2 messages of the queue switchboard-uses failed five times." in page
    assert 'action="/api/console/status/queues/uses"' in page
    answer = browser.post("/status/queues/uses")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/api/console/status")
    assert 'id="queues.poison.uses"' not in browser.open("/status")
    assert browser.app.poison.queues["switchboard-uses"] == 0


def test_who_may_not_act_sees_the_messages_and_no_button(with_keys: App) -> None:
    with_keys.poison.queues["switchboard-uses"] = 2
    page = Browser(with_keys).sign_in("auditor").open("/status")
    assert 'id="queues.poison.uses"' in page
    assert "/status/queues/" not in page
