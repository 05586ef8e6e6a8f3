"""Campaigns in the console: made, given a file, checked, started, paused, stopped; results, lists, evidence."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from tests.functional.api import PHONE
from tests.functional.app import App
from tests.functional.console.console import Browser
from tests.functional.console.test_console_pages import HOSTILE, key_of, version_of
from tests.functional.console.uses import ALWAYS, PEOPLE, VISITS, campaign, filled, send_by_script, send_file
from tests.functional.test_outreach import work

FORM = {
    "name": "March visits",
    "flow": "visits",
    "purpose": "service",
    "caller-001": VISITS,
    "zone": "America/New_York",
    "country": "us",
    "at_once": "",
    "agent": "",
    "date_format": "",
    "calendar": "",
}


@pytest.fixture
def browser(uses: App) -> Browser:
    return Browser(uses)


def command(browser: Browser, what: str) -> int:
    browser.open("/campaigns/spring")
    answer = browser.post(f"/campaigns/spring/commands/{what}")
    work(browser.app)
    return int(answer.status_code)


def text_of(page: str) -> str:
    """What a page says, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def talked(app: App, heard: str = "sales") -> None:
    """Whoever is called says this."""
    app.run(heard)
    app.later.flush()
    work(app)


# The list


def test_without_a_campaign_the_page_says_how_to_make_one(browser: Browser) -> None:
    page = browser.open("/campaigns")
    assert "No campaign yet" in page
    assert '<details class="card fold" id="new" open>' in page
    assert f'value="{VISITS}" checked' in page
    assert '<option value="recalls">Recalls: before an appointment</option>' in page


def test_a_form_makes_one_campaign_however_often_it_is_sent(browser: Browser) -> None:
    key = key_of(browser.open("/campaigns"))
    sent = [browser.post("/campaigns", key=key, **FORM) for _ in range(2)]
    assert [one.status_code for one in sent] == [303, 303]
    assert sent[0].headers["Location"] == sent[1].headers["Location"]
    page = browser.open(sent[0].headers["Location"].removeprefix("/api/console").partition("?")[0])
    assert "<h1>March visits</h1>" in page
    assert "Mon–Sat 9:00–20:00, where people live" in page
    assert "numbers of US" in page
    assert "developer: made it" in page
    listed = browser.open("/campaigns")
    assert listed.count("March visits") == 1
    assert "nobody in it yet" in listed


def test_a_reminder_has_appointments_by_its_flow(browser: Browser) -> None:
    key = key_of(browser.open("/campaigns"))
    sent = browser.post("/campaigns", key=key, **{**FORM, "flow": "recalls"})
    page = browser.open(sent.headers["Location"].removeprefix("/api/console"))
    assert "key of person or appointment, phone number, appointment, in any order" in page
    assert "The campaign is there. Now send a file with people." in page


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": " "}, "name: is empty"),
        ({"flow": "masking"}, "flow: is missing or not made for campaigns"),
        ({"caller-001": ""}, "callers: are missing"),
        ({"caller-001": "+18005550199"}, "is not one of your numbers"),
        ({"purpose": ""}, "rules.purpose"),
        ({"zone": "Berlin"}, "zone"),
        ({"country": "Texas"}, "files.country"),
        ({"at_once": "many"}, "at_once"),
        ({"agent": "Bob"}, "agent"),
        ({"opens": "20:00", "closes": "09:00", "day-0": "1"}, "opens: is not before closes"),
        ({"opens": "nine", "closes": "20:00", "day-0": "1"}, "rules.opens"),
        ({"opens": "09:00", "closes": "20:00"}, "days: are no days of the week"),
        ({"key": "x"}, "key: is not the one of a form"),
    ],
)
def test_what_is_wrong_with_a_new_campaign_is_said_and_what_was_typed_stays(
    browser: Browser, changes: dict[str, str], told: str
) -> None:
    key = key_of(browser.open("/campaigns"))
    answer = browser.post("/campaigns", **{"key": key, **FORM, "calendar": "typed", **changes})
    page = answer.get_body().decode().replace("&#39;", "'")
    assert answer.status_code == 400
    assert told in page
    assert "/api/" not in re.sub(r'"[^"]*"', "", page), "no route of the HTTP API is a remedy here"
    assert 'value="typed"' in page
    assert "No campaign yet" in page


def test_hours_are_chosen(browser: Browser) -> None:
    page = browser.open("/campaigns")
    assert 'name="opens" required value="09:00"' in page
    assert 'name="closes" required value="20:00"' in page
    assert re.findall(r'name="day-(\d)" value="1" checked', page) == ["0", "1", "2", "3", "4", "5"]
    given = {"opens": "10:30", "closes": "18:00", "day-0": "1", "day-2": "1"}
    sent = browser.post("/campaigns", key=key_of(page), **FORM, **given)
    page = browser.open(sent.headers["Location"].removeprefix("/api/console"))
    assert "Mon, Wed 10:30–18:00, where people live" in page


def test_campaigns_are_listed_in_pages(browser: Browser) -> None:
    for number in range(51):
        campaign(browser.app, id=f"c-{number:03d}", name=f"Wave {number}")
    first = browser.open("/campaigns")
    assert first.count("Wave ") == 50
    assert "Wave 50" in browser.open("/campaigns?after=c-049")
    assert 'href="/api/console/campaigns?after=c-049"' in first


# The file


def test_a_file_is_shown_as_it_is_read_and_nothing_is_kept(browser: Browser) -> None:
    campaign(browser.app)
    page = browser.open("/campaigns/spring")
    assert "Nobody is called before you press Start." in page
    answer = send_file(browser, "/campaigns/spring/preview", PEOPLE.encode(), key=key_of(page))
    told = answer.get_body().decode()
    assert answer.status_code == 200
    assert "1 row can be imported" in text_of(told)
    assert "1 cannot" in text_of(told)
    assert "A-1 +1 ••• 23 Ada" in text_of(told)
    assert "shortened by a spreadsheet" in told
    assert '<option value="">phone</option>' in told, "the guess"
    assert 'name="keep-501" value="seen by"' in told
    assert "Import 1 person" in told
    assert "5550123" not in told
    assert "nobody in it yet" in browser.open("/campaigns")


def test_a_part_alone_is_given_to_a_page_that_asks_by_script(browser: Browser) -> None:
    campaign(browser.app)
    browser.open("/campaigns/spring")
    part = send_by_script(browser, "/campaigns/spring/preview", PEOPLE.encode()).get_body().decode()
    assert part.startswith('<div id="preview"')
    assert "1 row can be imported" in text_of(part)
    shown = send_by_script(browser, "/campaigns/spring/preview", PEOPLE.encode(), numbers="1")
    assert "+14255550123" in shown.get_body().decode()


def test_columns_that_cannot_be_guessed_are_chosen_and_then_imported_so(browser: Browser) -> None:
    campaign(browser.app)
    page = browser.open("/campaigns/spring")
    strange = b"key;tel privat;Arzt\nA-1;0171 2345678;Sommer\n"
    told = send_file(browser, "/campaigns/spring/preview", strange).get_body().decode()
    assert "Phone number: is none of the columns" in told
    assert "Say below which column it is." in told
    assert '<option value="tel privat">tel privat</option>' in told
    assert "Import" not in re.findall(r"<button[^>]*>([A-Z]\w+)", told)
    chosen = {"date_format": "", "country": "de", "language": "", "column-number": "tel privat", "keep-501": "Arzt"}
    told = send_file(browser, "/campaigns/spring/preview", strange, **chosen).get_body().decode()
    assert "A-1 +49 ••• 78" in text_of(told)
    assert "Arzt: Sommer" in told
    sent = send_file(browser, "/campaigns/spring/uploads", strange, key=key_of(page), **chosen)
    assert (sent.status_code, sent.headers["Location"]) == (303, "/api/console/campaigns/spring?did=uploaded")
    assert "The file waits to be read" in browser.open("/campaigns/spring?did=uploaded")
    work(browser.app)
    page = browser.open("/campaigns/spring?did=uploaded")
    assert "1 row: 1 new." in page
    assert "The file is being read." not in page, "it was"
    assert "developer: changed how files are read" in page


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (b"", "file: is missing. Choose a CSV file."),
        (b"PK\x03\x04rest", "file: is a workbook or another packed file."),
        (b"id,phone\n", "file: has no rows under its header."),
        (b"+14255550123,Ada,2026-04-03\n+14255550124,Bob,x\n", "file: begins with a person"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(browser: Browser, file: bytes, told: str) -> None:
    campaign(browser.app)
    browser.open("/campaigns/spring")
    for send in (send_file, send_by_script):
        answer = send(browser, "/campaigns/spring/preview", file)
        assert answer.status_code == 200
        assert told in answer.get_body().decode()


def test_the_same_form_imports_a_file_once_and_a_second_file_needs_a_form_of_its_own(browser: Browser) -> None:
    campaign(browser.app)
    key = key_of(browser.open("/campaigns/spring"))
    for _ in range(2):
        assert send_file(browser, "/campaigns/spring/uploads", PEOPLE.encode(), key=key).status_code == 303
    work(browser.app)
    other = send_file(browser, "/campaigns/spring/uploads", b"id,phone\nB-1,+14255550177\n", key=key)
    assert other.status_code == 400
    assert "1 new" in browser.open("/campaigns/spring")


def test_bad_rows_are_named_with_line_and_reason_and_are_a_file(browser: Browser) -> None:
    upload = filled(browser.app)
    page = browser.open("/campaigns/spring")
    assert "2 rows: 1 new, 1 bad ." in text_of(page)
    assert "Line 3 Phone number was shortened by a spreadsheet" in text_of(page)
    path = f"/campaigns/spring/uploads/{upload}/bad-rows.csv"
    assert f'href="/api/console{path}"' in page
    answer = browser.get(path)
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="bad-rows-spring.csv"'
    assert answer.get_body().decode("utf-8-sig").splitlines()[1].startswith("3,number,was shortened by a spreadsheet")


def test_the_first_twenty_bad_rows_are_on_the_page_and_all_in_the_file(browser: Browser) -> None:
    upload = filled(browser.app, "id,phone\nA-1,+14255550123\n" + "B,12\n" * 25)
    page = browser.open("/campaigns/spring")
    assert page.count('class="line-of"') == 20
    assert "The first 20 of 25." in page
    told = browser.get(f"/campaigns/spring/uploads/{upload}/bad-rows.csv").get_body().decode("utf-8-sig")
    assert len(told.splitlines()) == 26
    browser.open("/campaigns/spring")
    preview = send_file(browser, "/campaigns/spring/preview", ("id,phone\n" + "B,12\n" * 21).encode())
    assert "The first 20 of 21." in preview.get_body().decode()


@pytest.mark.parametrize(
    ("dates", "told"),
    [
        (("2026-12-03 14:30", "2026-12-04 14:30"), ""),
        (("03/12/2026 14:30", "31/12/2026 14:30"), "are written as DD/MM/YYYY: choose below."),
        (("03/12/2026", "12/31/2026", "31/12/2026"), "in no way that can be read"),
    ],
)
def test_dates_that_need_a_format_are_pointed_at(browser: Browser, dates: tuple[str, ...], told: str) -> None:
    campaign(browser.app, flow="recalls", rules={**ALWAYS, "reminders": True})
    browser.open("/campaigns/spring")
    file = "id,phone,appointment\n" + "".join(f"A-{at},+1425555012{at},{one}\n" for at, one in enumerate(dates))
    page = send_file(browser, "/campaigns/spring/preview", file.encode()).get_body().decode()
    assert told in page
    assert ("The dates of this file" in page) is bool(told)


# From the check to the results


def test_who_would_be_called_is_worked_out_before_anybody_is(browser: Browser) -> None:
    filled(browser.app, PEOPLE.partition("A-2")[0] + "A-3,+14255550177,Eve,\nA-4,+14255550178,Old,\n")
    browser.open("/do-not-call")
    browser.post("/do-not-call/add", number="+14255550177", purposes="all")
    page = browser.open("/campaigns/spring")
    assert 'hx-get="/api/console/campaigns/spring?check=1" hx-trigger="load"' in page
    told = text_of(browser.open("/campaigns/spring?check=1"))
    assert "2 today" in told
    assert "0 later" in told
    assert "1 not at all 1 are on a do-not-call list" in told
    assert browser.app.kinds == []


def test_a_large_campaign_is_checked_when_somebody_asks(browser: Browser) -> None:
    filled(browser.app, "id,phone\n" + "".join(f"A-{at},+1425555{at:04d}\n" for at in range(1, 1002)))
    page = browser.open("/campaigns/spring")
    assert "1,001 people" in page
    assert 'hx-trigger="load"' not in page
    assert 'href="/api/console/campaigns/spring?check=1#check"' in page


def test_a_campaign_is_started_paused_resumed_and_finished(browser: Browser) -> None:
    filled(browser.app)
    assert command(browser, "start") == 303
    page = browser.open("/campaigns/spring?did=start")
    assert "Started." in page
    assert 'hx-trigger="every 2s"' in page
    assert "0 done · 1 on the phone now · 0 to go" in text_of(page)
    assert command(browser, "pause") == 303
    assert "Paused: no further call" in browser.open("/campaigns/spring?did=pause")
    assert command(browser, "resume") == 303
    talked(browser.app)
    page = browser.open("/campaigns/spring")
    assert "finished" in page
    assert "confirmed 1" in text_of(page)
    assert "hx-get" not in page.replace("/preview", "")[: page.index('id="file"')]
    assert "developer: resumed it" in page
    people = browser.open("/campaigns/spring/people")
    assert "A-1 +1 ••• 23 Ada done confirmed 1 call" in text_of(people)
    call = re.search(r'href="/api/console(/calls/[0-9a-f]+)"', people)
    assert call is not None
    assert "for Visits" in browser.open(call[1])
    assert 'href="/api/console/campaigns/spring">Campaign</a>' in browser.text


def test_a_stopped_campaign_stays_so(browser: Browser) -> None:
    filled(browser.app)
    assert command(browser, "stop") == 303
    page = browser.open("/campaigns/spring?did=stop")
    assert "Stopped for good." in page
    assert 'id="file"' not in page
    browser.open("/campaigns")
    answer = browser.post("/campaigns/spring/commands/start")
    assert answer.status_code == 409
    assert b"The campaign is stopped and cannot start." in answer.get_body()
    assert send_file(browser, "/campaigns/spring/uploads", PEOPLE.encode(), key="a" * 32).status_code == 409


def test_a_campaign_that_may_not_start_says_why_on_its_page(browser: Browser) -> None:
    filled(browser.app, callers=["+18005550199"])
    browser.open("/campaigns/spring")
    answer = browser.post("/campaigns/spring/commands/start")
    assert answer.status_code == 409
    assert "nobody answers who calls &#39;main&#39; back" in answer.get_body().decode()


def test_what_moves_is_asked_for_and_304_until_it_does(browser: Browser) -> None:
    filled(browser.app)
    command(browser, "start")
    version = version_of(browser.open("/campaigns/spring"))
    assert browser.get("/campaigns/spring/live?state=running", If_None_Match=version).status_code == 304
    talked(browser.app)
    over = browser.get("/campaigns/spring/live?state=running", If_None_Match=version)
    assert (over.status_code, over.headers["HX-Refresh"]) == (204, "true"), "another state is another page"
    assert "confirmed" in browser.get("/campaigns/spring/live").get_body().decode()


def test_a_page_that_a_form_has_opened_stands_still(browser: Browser) -> None:
    filled(browser.app)
    command(browser, "start")
    assert "every 2s" in browser.open("/campaigns/spring")
    told = send_file(browser, "/campaigns/spring/preview", PEOPLE.encode()).get_body().decode()
    assert "every 2s" not in told


@pytest.mark.parametrize(("people", "seconds"), [(0, 2), (1000, 2), (1001, 15), (10_000, 15), (10_001, 60)])
def test_the_more_people_the_rarer_they_are_read(people: int, seconds: int) -> None:
    from shared.web.console.campaigns import period

    assert period(people) == seconds


# People and results


def test_people_are_listed_in_pages_by_state_with_their_numbers_if_asked_for(browser: Browser) -> None:
    filled(browser.app, "id,phone\n" + "".join(f"A-{at},+1425555{at:04d}\n" for at in range(1000, 1060)))
    page = browser.open("/campaigns/spring/people")
    found = re.findall(r"<td>(A-\d+)</td>", page)
    following = re.search(r"after=([0-9a-f]{32})", page)
    assert following is not None
    found += re.findall(r"<td>(A-\d+)</td>", browser.open(f"/campaigns/spring/people?after={following[1]}"))
    assert len(found) == 60
    assert len(set(found)) == 60
    assert "Nobody is in this state." in browser.open("/campaigns/spring/people?state=done")
    assert browser.get("/campaigns/spring/people?state=lost").status_code == 400
    browser.open("/campaigns/spring/people")
    shown = browser.post("/campaigns/spring/people", state="", after="").get_body().decode()
    assert len(re.findall(r"\+1425555\d{4}", shown)) == 50
    assert "Hide numbers" in shown


def test_a_key_or_a_name_that_is_a_number_is_hidden_too(browser: Browser) -> None:
    filled(browser.app, "id,phone,name\n425-555-0123,+14255550123,Ada 4255550123\n20261128,+14255550177,Bob\n")
    page = browser.open("/campaigns/spring/people")
    assert "5550123" not in page
    assert "555-0123" not in page
    assert "20261128" in page, "a key that is not their number"
    hidden = browser.post("/campaigns/spring/results.csv").get_body().decode("utf-8-sig")
    assert "0123" not in hidden
    assert "20261128,1 ••• 77,Bob,waiting," in hidden, "what is no formula for a spreadsheet"
    assert "+14255550123" in browser.post("/campaigns/spring/results.csv", numbers="1").get_body().decode()


# Do-not-call lists and evidence


def test_a_number_is_put_on_the_own_list_and_found_there(browser: Browser) -> None:
    assert "None. Where the law knows" in text_of(browser.open("/do-not-call"))
    assert b"on no list" in browser.post("/do-not-call/check", number="+1 425 555 0123").get_body()
    added = browser.post("/do-not-call/add", number="(425) 555", purposes="all")
    assert added.status_code == 400
    assert b"This is no number with its country code." in added.get_body()
    added = browser.post("/do-not-call/add", number="+1 (425) 555-0123", purposes="marketing", reason="wrote to us")
    assert b"The number is on your own list." in added.get_body()
    told = text_of(browser.post("/do-not-call/check", number=PHONE).get_body().decode())
    assert "listed on your own list" in told
    assert "no marketing calls wrote to us" in told
    assert browser.post("/do-not-call/add", number=PHONE, purposes="none").status_code == 400


def test_a_list_is_imported_with_source_and_date(browser: Browser) -> None:
    browser.open("/do-not-call")
    old = f"{datetime.now(UTC) - timedelta(days=40):%Y-%m-%d}"
    form = {"name": "us-national", "source": "FTC", "as_of": old, "purposes": "marketing", "country": "us"}
    answer = send_file(browser, "/do-not-call/import", b"425 555 0123\nnobody\n", **form)
    page = text_of(answer.get_body().decode())
    assert "1 number of us-national count from now on. 1 line has no number: 2." in page
    assert "us-national FTC" in page
    assert "40 days old" in page
    told = text_of(browser.post("/do-not-call/check", number=PHONE).get_body().decode())
    assert "listed on us-national since" in told


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"source": ""}, "source: is empty."),
        ({"as_of": "03.04.2026"}, "as of: is no date."),
        ({"as_of": "2126-01-02"}, "as of: is in the future."),
        ({"name": "own"}, "name: is empty or that of the company"),
        ({"country": "Texas"}, "country"),
        ({"purposes": ""}, "purposes"),
    ],
)
def test_what_is_wrong_with_a_list_is_said(browser: Browser, changes: dict[str, str], told: str) -> None:
    browser.open("/do-not-call")
    form = {"name": "us", "source": "FTC", "as_of": "2026-01-02", "purposes": "all", "country": "", **changes}
    answer = send_file(browser, "/do-not-call/import", f"{PHONE}\n".encode(), **form)
    assert answer.status_code == 400
    assert told in answer.get_body().decode()


def test_why_somebody_was_called_is_found_by_a_form(browser: Browser) -> None:
    filled(browser.app)
    command(browser, "start")
    talked(browser.app)
    browser.open("/evidence")
    found = text_of(browser.post("/evidence", number="+1 425 555 0123").get_body().decode())
    for told in (
        "talked Result: confirmed",
        "Campaign spring , service",
        "none is needed for a service call",
        "in America/Los_Angeles",
        "0 in 24 hours, 0 in 7 days",
        "On none of these lists your own",
    ):
        assert told in found, told
    assert "No campaign has called this number" in browser.post("/evidence", number="+14255550188").get_body().decode()
    assert browser.post("/evidence", number="nobody").status_code == 400


# Every page


def test_pages_of_uses_that_are_not_set_up_are_absent(app: App) -> None:
    browser = Browser(app)
    page = browser.open()
    for path, name in (("/campaigns", "Campaigns"), ("/masked-numbers", "Masked numbers"), ("/messages", "Messages")):
        assert f">{name}</a>" not in page
        assert browser.get(path).status_code == 404, path
    for path in ("/do-not-call", "/campaigns/spring", "/masked-numbers/x", "/messages/x", "/evidence"):
        assert browser.get(path).status_code == 404, path


def test_a_campaign_that_is_none_is_a_page_with_a_way_back(browser: Browser) -> None:
    answer = browser.get("/campaigns/nope")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    browser.open("/campaigns")
    assert browser.post("/campaigns/nope/commands/start").status_code == 404
    filled(browser.app)
    assert browser.post("/campaigns/spring/commands/dance").status_code == 400


HOSTILE_FILE = (
    f'id,phone,name,=cmd\nA-1,+14255550123,"{HOSTILE.replace(chr(34), chr(34) * 2)}",x\n-9,+14255550177,@y,z\n'
)


def test_hostile_names_words_and_cells_do_nothing_on_any_page(browser: Browser) -> None:
    filled(browser.app, HOSTILE_FILE, name=HOSTILE, files={"country": "US", "keep": ["=cmd"]})
    browser.open("/do-not-call")
    list_form = {"name": "us", "source": HOSTILE, "as_of": "2026-01-02", "purposes": "all", "country": ""}
    send_file(browser, "/do-not-call/import", b"+14255550188\n", **list_form)
    browser.post("/do-not-call/add", number=PHONE, purposes="marketing", reason=HOSTILE)
    pages = {path: browser.open(path) for path in ("/campaigns", "/campaigns/spring", "/campaigns/spring/people",
                                                   "/do-not-call", "/campaigns/spring?check=1")}  # fmt: skip
    pages["check"] = browser.post("/do-not-call/check", number=PHONE).get_body().decode()
    pages["wrong"] = browser.post("/do-not-call/check", number=HOSTILE).get_body().decode()
    pages["make"] = browser.post("/campaigns", **{**FORM, "name": HOSTILE, "zone": HOSTILE}).get_body().decode()
    pages["preview"] = send_file(browser, "/campaigns/spring/preview", HOSTILE_FILE.encode()).get_body().decode()
    strange = f"{HOSTILE.replace(',', '')};b\nx;y\n".encode()
    pages["header"] = send_file(browser, "/campaigns/spring/preview", strange).get_body().decode()
    for name, page in pages.items():
        assert "<script>alert" not in page, name
        assert "<img" not in page, name
        assert "49" not in re.findall(r"onerror=alert\(1\)&gt;(\S\S)", page), name
    browser.open("/campaigns")
    csv = browser.post("/campaigns/spring/results.csv", numbers="1").get_body().decode("utf-8-sig")
    assert sorted(line.split(",")[0] for line in csv.splitlines()[1:]) == ["'-9", "A-1"]
    assert ",'@y," in csv


def test_what_people_do_is_logged_with_their_name_and_never_a_number(
    with_keys: App, caplog: pytest.LogCaptureFixture
) -> None:
    filled(with_keys)
    caplog.set_level(logging.INFO, "switchboard.console")
    browser = Browser(with_keys).sign_in("supervisor")
    browser.post("/campaigns/spring/commands/start")
    browser.post("/campaigns/spring/people", state="", after="")
    browser.post("/campaigns/spring/results.csv", numbers="1")
    browser.post("/do-not-call/check", number=PHONE)
    browser.post("/do-not-call/add", number=PHONE, purposes="all")
    browser.post("/evidence", number=PHONE)
    browser.post("/switches", what="number", to="off", number=PHONE, why="nuisance")
    told = [record.getMessage() for record in caplog.records if record.name == "switchboard.console"]
    assert told[1:] == [
        "console start campaign=spring by=Ada the supervisor",
        "console showed numbers campaign=spring by=Ada the supervisor",
        "console took the results with numbers campaign=spring by=Ada the supervisor",
        "console looked a number up campaign=- by=Ada the supervisor",
        "console put a number on the do-not-call list campaign=- by=Ada the supervisor",
        "console searched the evidence by number campaign=- by=Ada the supervisor",
        "console turned a switch: number off call=- by=Ada the supervisor",
    ]
    assert "5550123" not in caplog.text
    audit = Browser(with_keys).app.request("GET", "/api/campaigns/spring/audit").get_body().decode()
    assert '"what": "start", "by": "Ada the supervisor"' in audit


def test_who_may_not_act_or_see_numbers_is_offered_neither(with_keys: App) -> None:
    filled(with_keys)
    browser = Browser(with_keys).sign_in("viewer")
    page = browser.open("/campaigns/spring")
    assert "<form" not in page.replace('action="/api/console/sign-out"', "").partition("<main")[2]
    assert "Why somebody was called" not in browser.open("/campaigns")
    assert "<form" not in browser.open("/do-not-call").partition("<main")[2]
    assert "Show numbers" not in browser.open("/campaigns/spring/people")
    assert browser.post("/campaigns/spring/results.csv", numbers="1").status_code == 403
    assert "5550123" not in browser.post("/campaigns/spring/results.csv").get_body().decode()


def test_no_address_has_a_number(browser: Browser) -> None:
    filled(browser.app, rules=ALWAYS)
    pages = [browser.open(path) for path in ("/campaigns", "/campaigns/spring", "/campaigns/spring/people")]
    assert urlencode({"number": PHONE}) not in "".join(pages)
    assert not re.findall(r'href="[^"]*(?:5550123|%2B)', "".join(pages))
