"""The hand-off over the HTTP API and at the end of calls, each response held against the OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.calls import FLOWS, Call, Flow
from shared.errors import SettingsError, UnknownRecording
from shared.handoff.service import Handoff
from shared.recordings.record import kept_as
from shared.use_cases import service
from shared.web.handoff import CaseService
from tests.functional.api import assert_refused, read
from tests.functional.app import CALLER, NUMBER, App, problem, running

ADA, LINE = f"4:{CALLER}", f"4:{NUMBER}"


async def front(call: Call) -> None:
    """Makes a case, and hangs up."""
    await call.run(service("handoff").begin, call.id, ADA, LINE, "en", dict(call.context))


async def calls_back(call: Call) -> None:
    """Asks whom to call, and does not."""
    await call.run(service("handoff").calling, call.input["case"], call.id)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    with running(tmp_path, HANDOFF_NUMBER="+12065550113", HANDOFF_CALENDAR="office") as app:
        monkeypatch.setitem(FLOWS, "reception", Flow("reception", front, use="handoff"))
        monkeypatch.setitem(FLOWS, "handoff-call-back", Flow("x", calls_back, opens=True, use="handoff"))
        yield app


def desk() -> Handoff:
    found: Handoff = service("handoff")
    return found


def begin(call: str = "call-1") -> str:
    return desk().begin(call, ADA, LINE, "de", {"X-MS-Custom-Branch": "north"})["case"]


def get(app: App, path: str) -> dict[str, Any]:
    return read(app.request("GET", f"/api{path}"), 200)


def mark(app: App, case: str, by: str = "Ada") -> Any:
    return app.request("POST", f"/api/cases/{case}/called-back", json.dumps({"by": by}).encode())


def test_a_call_leaves_a_case_that_says_how_it_ended(app: App) -> None:
    app.ring()
    app.run()
    (listed,) = get(app, "/cases")["cases"]
    assert listed["state"] == "left"
    case = get(app, f"/cases/{listed['id']}")
    assert (case["caller"], case["line"], case["call_id"]) == (CALLER, NUMBER, app.call_ids[0])
    assert case["context"] == {"X-MS-Custom-Secret": "the caller's own words"}


def test_a_case_says_what_the_caller_said_and_keyed(app: App) -> None:
    case = begin()
    desk().tell(case, "an invoice", "4711", "en")
    desk().not_taken(case, 1, "not_answered")
    found = get(app, f"/cases/{case}")
    assert (found["said"], found["keyed"], found["not_taken"]) == ("an invoice", "4711", {"1": "not_answered"})
    assert found["context"] == {"X-MS-Custom-Branch": "north"}
    assert CALLER not in json.dumps(get(app, "/cases"))


class Recorded:
    """Recordings, as the API has them."""

    def __init__(self, **files: dict[str, str]) -> None:
        self._files = files

    def file_links(self, recording: str) -> dict[str, str]:
        if recording not in self._files:
            raise UnknownRecording(recording)
        return self._files[recording]


def test_a_case_has_links_to_the_files_of_its_message_once_they_were_fetched(app: App) -> None:
    case = begin()
    desk().message_begins(case, "r-1")
    recording = kept_as("r-1", datetime.now(UTC))
    fetched = Recorded(**{recording: {"b.wav": "https://b", "a.json": "https://a"}})
    assert CaseService(desk(), Recorded).get(case).files == ()
    found = CaseService(desk(), lambda: fetched).get(case)
    assert [(one.name, one.url) for one in found.files] == [("a.json", "https://a"), ("b.wav", "https://b")]
    assert found.recording == recording


class Unsigned:
    """Recordings in a storage that has no key to sign links with."""

    def file_links(self, recording: str) -> dict[str, str]:
        raise SettingsError("AzureWebJobsStorage", "holds no AccountKey, which links to recordings are signed with.")


def test_a_case_is_read_where_nothing_signs_links(app: App) -> None:
    case = begin()
    desk().message_begins(case, "r-1")
    found = CaseService(desk(), Unsigned).get(case)
    assert (found.files, found.recording) == ((), kept_as("r-1", datetime.now(UTC)))


def test_cases_are_listed_in_pages_and_by_state(app: App) -> None:
    cases = [begin(f"call-{number}") for number in range(3)]
    desk().message_begins(cases[1], "r-1")
    first = get(app, "/cases?limit=2")
    second = get(app, f"/cases?limit=2&after={first['next']}")
    assert {one["id"] for page in (first, second) for one in page["cases"]} == set(cases)
    assert (len(first["cases"]), second["next"]) == (2, None)
    (message,) = get(app, "/cases?state=message")["cases"]
    assert message["id"] == cases[1]
    assert message["recording"] == kept_as("r-1", datetime.now(UTC))
    desk().call_back(cases[2], CALLER, "2026-12-01T09:00:00+00:00")
    assert {one["id"] for one in get(app, "/cases?state=waiting")["cases"]} == {cases[1], cases[2]}
    assert_refused(app.request("GET", "/api/cases?state=lost"), 400, "state")
    assert_refused(app.request("GET", "/api/cases?limit=0"), 400, "limit")


def test_who_waits_is_looked_for_among_so_many_and_then_on(app: App) -> None:
    cases = sorted(begin(f"call-{number}") for number in range(6))
    for case in (cases[1], cases[2], cases[5]):
        desk().message_begins(case, "r-1")
    service_of = CaseService(desk(), Recorded)

    def found(after: str, size: int, most: int) -> tuple[list[str], str | None]:
        cases, on = service_of.brief(after, size, most, waiting=True)
        return [one.case.id for one in cases], on

    assert found("", 9, 9) == ([cases[1], cases[2], cases[5]], None)
    assert found("", 2, 9) == ([cases[1], cases[2]], cases[2])
    assert found(cases[2], 2, 9) == ([cases[5]], None)
    assert found("", 9, 2) == ([cases[1]], cases[1])
    assert found(cases[2], 9, 2) == ([], cases[4])
    assert found(cases[4], 9, 2) == ([cases[5]], None)
    everybody, on = service_of.brief("", 2, 9, waiting=False)
    assert ([one.case.id for one in everybody], on) == (cases[:2], cases[1])
    assert (everybody[0].caller, everybody[0].said) == (ADA, "")


def test_a_case_is_marked_as_called_back_once(app: App) -> None:
    case = begin()
    assert problem(mark(app, case))["detail"].startswith("Nobody waits for a call: the case is 'open'.")
    assert mark(app, case).status_code == 409
    desk().call_back(case, CALLER, "2026-12-01T09:00:00+00:00")
    marked = read(mark(app, case), 200)
    assert (marked["state"], marked["done_by"]) == ("called_back", "Ada")
    assert read(mark(app, case, "Eve"), 200) == marked
    assert_refused(mark(app, case, "E" * 101), 400, "by")


@pytest.mark.parametrize("case", ["0" * 40, "x", "of%20call-1"])
def test_a_case_that_is_none_is_not_found(app: App, case: str) -> None:
    begin()
    assert_refused(app.request("GET", f"/api/cases/{case}"), 404, "case_id")
    assert_refused(mark(app, case), 404, "case_id")


def test_figures_count_the_calls_of_days_and_who_waits_at_all(app: App) -> None:
    cases = [begin(f"call-{number}") for number in range(5)]
    desk().message_begins(cases[0], "r-1")
    desk().not_taken(cases[0], 1, "not_answered")
    desk().not_taken(cases[0], 2, "closed")
    desk().call_back(cases[1], CALLER, "2026-12-01T09:00:00+00:00")
    desk().message_begins(cases[2], "r-2")
    desk().called_back(cases[2], "Ada")
    assert get(app, "/handoff/figures") == {
        "calls": 5,
        "handed_off": 0,
        "not_answered": 1,
        "closed": 1,
        "messages": 2,
        "call_backs": 1,
        "called_back": 1,
        "not_reached": 0,
        "replaced": 0,
        "left": 0,
        "messages_waiting": 1,
        "call_backs_waiting": 1,
    }
    past = get(app, "/handoff/figures?since=2020-01-01&until=2020-01-31")
    assert (past["calls"], past["messages_waiting"], past["call_backs_waiting"]) == (0, 1, 1)
    assert_refused(app.request("GET", "/api/handoff/figures?since=2026-02-02&until=2026-02-01"), 400, "until")
    assert_refused(app.request("GET", "/api/handoff/figures?since=yesterday"), 400, "day")
    assert get(app, "/handoff/figures?since=0001-01-01&until=9999-12-31")["calls"] == 5


def test_what_is_due_is_called_once_and_its_end_is_told(app: App) -> None:
    case = begin()
    desk().call_back(case, CALLER, datetime.now(UTC).isoformat())
    for _ in range(3):
        app.tick("use_case_times")
    app.later.flush()
    found = get(app, f"/cases/{case}")
    assert [one["ended"] for one in found["calls_back"]] == ["completed"]
    assert found["state"] == "call_back"


def test_a_closed_calendar_keeps_the_app_from_calling(app: App) -> None:
    app.request("PUT", "/api/calendars/office", json.dumps({"zone": "UTC"}).encode())
    case = begin()
    desk().call_back(case, CALLER, datetime.now(UTC).isoformat())
    app.tick("use_case_times")
    found = get(app, f"/cases/{case}")
    assert (found["calls_back"], found["state"]) == ([], "not_reached")
    assert desk().way() == {"why": "closed"}


def test_what_is_kept_of_a_caller_is_exported_and_erased(app: App) -> None:
    case = begin()
    body = json.dumps({"number": CALLER}).encode()
    exported = read(app.request("POST", "/api/people/export", body), 200)["use_cases"]["handoff"]["cases"]
    assert [one["id"] for one in exported] == [case]
    assert read(app.request("POST", "/api/people/erase", body), 200)["use_cases"] == {"handoff": 1}
    assert get(app, "/cases")["cases"] == []


def test_only_numbers_that_may_be_called_are_called_back(app: App) -> None:
    assert desk().can_call(ADA, LINE)
    assert not desk().can_call("+882161234567", LINE), "a satellite phone"
