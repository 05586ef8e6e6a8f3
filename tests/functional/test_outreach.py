"""Campaigns over the HTTP API, from the file to the results. Every response is held against the OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import azure.functions as func
import pytest

from shared.calls import FLOWS, Call, Choice, Flow
from shared.notifications.errors import NotDelivered
from shared.notifications.event import Event
from shared.outreach.ports import DroppedFile
from shared.outreach.service import Outreach
from shared.recordings.memory import MemoryArchive
from shared.use_cases import Task, service
from shared.web.openapi import openapi
from tests.functional.api import OURS, PHONE, assert_refused, read
from tests.functional.app import App, problem, running
from tests.functional.test_people import Room

LINES = f"""
company: Contoso
numbers:
  - {{number: "{OURS}", label: visits, called_back: visits, concurrent_out: 3}}
  - {{number: "+18005550144", label: silent}}
"""
ALWAYS = {"purpose": "service", "opens": 0, "closes": 1440, "days": [0, 1, 2, 3, 4, 5, 6]}
MAKE = {"id": "spring", "flow": "visits", "callers": [OURS], "rules": ALWAYS, "files": {"country": "US"}}
PEOPLE = "id,phone\nA-1,425 555 0123\nA-2,4.25556E+09\n"


async def visits(call: Call) -> None:
    """Asks who is there, and what they want."""
    said = await call.ask_choice(
        "This is Contoso. Press 1 to confirm, or 9.",
        choices=[Choice("sales", tone="one"), Choice("opted_out", tone="nine")],
    )
    call.result("confirmed" if said == "sales" else said)


async def rude(call: Call) -> None:
    """Does not say who it is."""
    await call.ask_choice("Press 1.", choices=[Choice("sales", tone="one"), Choice("no", tone="nine")])


async def pushy(call: Call) -> None:
    """Has no 9."""
    await call.ask_choice("Contoso here.", choices=[Choice("sales", tone="one")])


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def app(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    for function in (visits, rude, pushy):
        monkeypatch.setitem(FLOWS, function.__name__, Flow(function.__name__, function, use="reminders"))
    file = tmp_path / "lines.yaml"
    file.write_text(LINES)
    parts = {"recordings": room.recordings, "notifications": room.notifications, "streams": MemoryArchive()}
    with running(tmp_path, **parts, LINES_FILE=str(file)) as room.app:  # type: ignore[arg-type]
        yield room.app


def post(app: App, path: str, body: Any = b"", **headers: str) -> func.HttpResponse:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return app.request("POST", f"/api{path}", content, {key.replace("_", "-"): one for key, one in headers.items()})


def get(app: App, path: str) -> func.HttpResponse:
    return app.request("GET", f"/api{path}")


def work(app: App) -> None:
    """The queue does what is on it."""
    outreach: Outreach = service("outreach")
    queue: Any = outreach._queue
    while queue.sent:
        task: Task = queue.sent.pop(0)[0]
        app.queue(json.dumps(task.as_json()), "use_case_work")


def imported(app: App, **changes: Any) -> str:
    read(post(app, "/campaigns", {**MAKE, **changes}), 201)
    sent = read(post(app, "/campaigns/spring/uploads", PEOPLE.encode(), Idempotency_Key="one"), 202)
    work(app)
    return str(sent["href"])


def test_from_the_file_to_the_results(app: App) -> None:
    href = imported(app)
    report = read(app.request("GET", href), 200)["report"]
    assert (report["state"], report["new"], report["bad"]) == ("whole", 1, 1)
    (bad,) = report["problems"]
    assert (bad["line"], bad["field"]) == (3, "number")
    assert "shortened by a spreadsheet" in bad["problem"]
    dry = read(post(app, "/campaigns/spring/dry-run"), 200)
    assert (dry["called"], dry["text"]) == (1, "Today 1 would be called.")
    started = read(post(app, "/campaigns/spring/commands/start", X_Operator="Ada"), 200)
    assert started["state"] == "running"
    work(app)
    assert read(get(app, "/campaigns/spring/progress"), 200)["states"] == {"calling": 1}
    app.run()
    app.later.flush()
    work(app)
    progress = read(get(app, "/campaigns/spring/progress"), 200)
    assert progress == {
        "state": "finished",
        "people": 1,
        "states": {"done": 1},
        "results": {"confirmed": 1},
        "next_due": None,
    }
    results = get(app, "/campaigns/spring/results")
    assert results.mimetype == "text/csv"
    lines = results.get_body().decode("utf-8-sig").splitlines()
    assert lines[1].startswith(f"A-1,{PHONE},,done,confirmed,,1,")
    audit = read(get(app, "/campaigns/spring/audit"), 200)["audit"]
    assert [(one["what"], one["by"]) for one in audit] == [
        ("made", "unknown"),
        ("uploaded", "unknown"),
        ("start", "Ada"),
    ]
    (evidence,) = read(post(app, "/evidence/search", {"number": PHONE}), 200)["evidence"]
    assert (evidence["campaign"], evidence["outcome"]) == ("spring", "done")
    call = read(get(app, f"/calls/{evidence['call_id']}"), 200)
    assert (call["callee"], call["result"]) == (f"4:{PHONE}", "confirmed")


def test_a_file_that_is_dropped_counts_as_an_upload(app: App) -> None:
    read(post(app, "/campaigns", MAKE), 201)
    outreach: Outreach = service("outreach")
    files: Any = outreach._files
    files.inbox[DroppedFile("spring/monday.csv", "1", datetime(2026, 1, 2, tzinfo=UTC))] = PEOPLE.encode()
    outreach.due("_inbox")
    work(app)
    audit = read(get(app, "/campaigns/spring/audit"), 200)["audit"]
    assert [(one["what"], one["by"]) for one in audit] == [("made", "unknown"), ("uploaded", "outreach-in")]
    report = read(get(app, f"/campaigns/spring/uploads/{audit[1]['more']}"), 200)["report"]
    assert (report["state"], report["new"], report["bad"]) == ("whole", 1, 1)


def test_the_end_of_a_campaign_that_nobody_took_is_a_dead_letter_that_is_listed_and_replayed(
    app: App, room: Room
) -> None:
    class Target:
        events: ClassVar[list[Event]] = []
        takes = False

        def deliver(self, event: Event) -> None:
            if not self.takes:
                raise NotDelivered("the hook responded 410", lasting=True)
            self.events.append(event)

    target, announcer = Target(), service("outreach")._announcer
    announcer._targets, announcer._letters = lambda: {"hook": target}, lambda: room.kept.letters
    imported(app)
    read(post(app, "/campaigns/spring/commands/start"), 200)
    work(app)
    app.run()
    app.later.flush()
    work(app)
    path = "/notifications/dead-letters"
    (letter,) = read(get(app, path), 200)["dead_letters"]
    assert (letter["call_id"], letter["target"], letter["reason"]) == (
        "campaign-spring",
        "hook",
        "the hook responded 410",
    )
    target.takes = True
    replayed = read(post(app, f"{path}/{letter['call_id']}/replay"), 202)
    assert replayed == {"call_id": "campaign-spring", "targets": ["hook"]}
    work(app)
    assert [one.data["states"] for one in target.events] == [{"done": 1}]
    assert read(get(app, path), 200)["dead_letters"] == []
    assert problem(post(app, f"{path}/campaign-spring/replay"))["title"] == "Unknown dead letter"
    assert post(app, f"{path}/campaign-winter/replay").status_code == 404


def test_placing_that_is_gone_on_with_calls_nobody_twice(app: App) -> None:
    imported(app)
    read(post(app, "/campaigns/spring/commands/start"), 200)
    work(app)
    outreach: Outreach = service("outreach")
    (person,) = outreach.state.people.all("spring")
    assert person.open_attempt is not None
    calls: Any = outreach.dialer._calls
    calls.resume(person.open_attempt.id)
    assert app.kinds.count("create_call") == 1
    app.run()
    assert not calls.broke_off(person.open_attempt.id)


def test_who_opts_out_is_on_the_own_list(app: App) -> None:
    imported(app)
    read(post(app, "/campaigns/spring/commands/start"), 200)
    work(app)
    app.run("opted_out")
    app.later.flush()
    (listed,) = read(post(app, "/do-not-call/check", {"number": PHONE}), 200)["listed"]
    assert (listed["list"], sorted(listed["purposes"])) == ("own", ["marketing", "service"])
    assert read(post(app, "/do-not-call/remove", {"number": PHONE}), 200) == {"listed": []}


def test_the_same_request_makes_one_campaign_and_another_is_refused(app: App) -> None:
    first = read(post(app, "/campaigns", MAKE), 201)
    assert read(post(app, "/campaigns", MAKE), 200) == first
    assert_refused(post(app, "/campaigns", {**MAKE, "at_once": 3}), 409, "Idempotency-Key")
    unnamed = {key: one for key, one in MAKE.items() if key != "id"}
    made = read(post(app, "/campaigns", unnamed, Idempotency_Key="k"), 201)
    assert read(post(app, "/campaigns", unnamed, Idempotency_Key="k"), 200)["id"] == made["id"]
    assert [one["id"] for one in read(get(app, "/campaigns"), 200)["campaigns"]] == [made["id"], "spring"]
    page = read(get(app, "/campaigns?limit=1"), 200)
    assert [one["id"] for one in read(get(app, f"/campaigns?after={page['next']}"), 200)["campaigns"]] == ["spring"]


def test_the_same_file_is_imported_once_and_another_under_its_key_is_refused(app: App) -> None:
    href = imported(app)
    again = read(post(app, "/campaigns/spring/uploads", PEOPLE.encode(), Idempotency_Key="one"), 202)
    assert (again["href"], again["report"]["state"]) == (href, "whole")
    other = post(app, "/campaigns/spring/uploads", b"id,phone\n", Idempotency_Key="one")
    assert_refused(other, 409, "Idempotency-Key")


def test_people_may_come_as_json_and_a_second_time_are_updated(app: App) -> None:
    read(post(app, "/campaigns", MAKE), 201)
    people = [{"id": "A-1", "number": PHONE}, {"id": "A-2", "number": "+14255550177"}]
    for expected in ({"new": 2, "same": 0}, {"new": 0, "same": 2}):
        sent = read(post(app, "/campaigns/spring/people", {"people": people}), 202)
        work(app)
        report = read(app.request("GET", sent["href"]), 200)["report"]
        assert {key: report[key] for key in expected} == expected
    assert read(get(app, "/campaigns/spring"), 200)["people"] == 2
    unknown = post(app, "/campaigns/spring/people", {"people": [{"id": "A-1", "phone": PHONE}]})
    assert_refused(unknown, 400, "people.0.phone")


def test_a_file_with_too_many_rows_is_refused_before_its_first(tmp_path: Path, app: App) -> None:
    service("outreach").sending._most_rows = 1
    href = imported(app)
    report = read(app.request("GET", href), 200)["report"]
    assert (report["state"], report["new"], report["problem"]) == ("refused", 0, "file has more than 1 rows.")
    assert read(get(app, "/campaigns/spring"), 200)["state"] == "draft"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"callers": ["+18005550100"]}, "callers.0 is not one of the numbers in lines.yaml"),
        ({"callers": ["+18005550144"]}, "nobody answers who calls 'silent' back"),
        ({"flow": "nothing"}, "its flow is missing or not made for campaigns. Name a flow that has use='outreach'"),
        ({"flow": "reception"}, "its flow is missing or not made for campaigns"),
        ({"flow": "rude"}, "does not first say who calls: Contoso"),
        ({"flow": "pushy"}, "does not offer 9"),
        ({"rules": {**ALWAYS, "calendar": "holidays"}}, "'holidays' is no calendar"),
    ],
)
def test_a_campaign_that_may_not_start_says_why(app: App, changes: dict[str, Any], words: str) -> None:
    imported(app, **changes)
    refused = post(app, "/campaigns/spring/commands/start")
    assert refused.status_code == 409
    assert words in problem(refused)["detail"]
    assert read(get(app, "/campaigns/spring"), 200)["state"] == "ready"


def test_marketing_does_not_start_while_a_list_is_too_old(app: App) -> None:
    imported(app, rules={**ALWAYS, "purpose": "marketing"})
    old = app.request("PUT", "/api/do-not-call/lists/us?source=ftc&as_of=2026-01-02", f"{PHONE}\nnone\n".encode())
    imported_list = read(old, 200)
    assert (imported_list["list"]["numbers"], imported_list["bad"], imported_list["bad_lines"]) == (1, 1, [2])
    assert [one["name"] for one in read(get(app, "/do-not-call"), 200)["lists"]] == ["us"]


@pytest.mark.parametrize(
    ("name", "query", "field"),
    [
        ("us", "as_of=2026-01-02", "source"),
        ("us", "source=ftc", "as_of"),
        ("us", "source=ftc&as_of=02.01.2026", "as_of"),
        ("us", "source=ftc&as_of=2126-01-02", "as_of"),
        ("own", "source=ftc&as_of=2026-01-02", "name"),
        ("us", "source=ftc&as_of=2026-01-02&purposes=all", "purposes"),
        ("us", "source=ftc&as_of=2026-01-02&country=Texas", "country"),
        ("us", "source=ftc&as_of=2026-01-02", "body"),
    ],
)
def test_a_list_says_where_it_is_from_and_of_when(app: App, name: str, query: str, field: str) -> None:
    assert_refused(app.request("PUT", f"/api/do-not-call/lists/{name}?{query}", b"none"), 400, field)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": "Spring"}, "id"),
        ({"callers": []}, "callers"),
        ({"callers": ["425 555 0123"]}, "callers.0"),
        ({"at_once": 401}, "at_once"),
        ({"agent": "ada"}, "agent"),
        ({"rules": {}}, "rules.purpose"),
        ({"rules": {"purpose": "service", "zone": "Berlin"}}, "zone"),
        ({"files": {"country": "Texas"}}, "files.country"),
        ({"files": {"date_format": "DDMMYY"}}, "date_format"),
        ({"secret": "x"}, "secret"),
    ],
)
def test_what_is_wrong_with_a_campaign_is_named(app: App, changes: dict[str, Any], field: str) -> None:
    refused = problem(post(app, "/campaigns", {**MAKE, **changes}))
    assert (refused["status"], refused["field"].startswith(field)) == (400, True), refused
    assert read(get(app, "/campaigns"), 200)["campaigns"] == []


def test_states_are_kept_to_and_a_running_campaign_is_not_removed(app: App) -> None:
    read(post(app, "/campaigns", MAKE), 201)
    assert post(app, "/campaigns/spring/commands/start").status_code == 409
    assert_refused(post(app, "/campaigns/spring/commands/dance"), 400, "command")
    assert app.request("DELETE", "/api/campaigns/spring").status_code == 204
    assert_refused(get(app, "/campaigns/spring"), 404, "id")
    imported(app)
    read(post(app, "/campaigns/spring/commands/start"), 200)
    assert app.request("DELETE", "/api/campaigns/spring").status_code == 409
    assert read(post(app, "/campaigns/spring/pace", {"at_once": 1}), 200)["at_once"] == 1
    assert read(post(app, "/campaigns/spring/commands/stop"), 200)["state"] == "stopped"
    assert app.request("DELETE", "/api/campaigns/spring").status_code == 204
    assert read(get(app, "/campaigns"), 200)["campaigns"] == []


def test_a_preview_keeps_nothing(app: App) -> None:
    read(post(app, "/campaigns", MAKE), 201)
    seen = read(post(app, "/campaigns/spring/preview", PEOPLE.encode()), 200)
    assert (seen["good"], seen["bad"], seen["columns"]) == (1, 1, {"id": "id", "number": "phone"})
    assert seen["first"]["number"] == PHONE
    assert (seen["header"], [one["id"] for one in seen["people"]]) == (["id", "phone"], ["A-1"])
    assert read(get(app, "/campaigns/spring"), 200)["state"] == "draft"


def test_how_the_next_file_is_read_can_be_changed_and_is_noted(app: App) -> None:
    read(post(app, "/campaigns", MAKE), 201)
    strange = b"key,tel privat\nA-1,0171 2345678\n"
    assert_refused(post(app, "/campaigns/spring/preview", strange), 400, "columns.number")
    given = {"country": "DE", "columns": {"number": "tel privat"}}
    changed = read(post(app, "/campaigns/spring/files", given, X_Operator="Ada"), 200)["files"]
    assert (changed["country"], changed["columns"]) == ("DE", {"number": "tel privat"})
    assert read(post(app, "/campaigns/spring/preview", strange), 200)["first"]["number"] == "+491712345678"
    read(post(app, "/campaigns/spring/files", given, X_Operator="Bob"), 200)
    audit = read(get(app, "/campaigns/spring/audit"), 200)["audit"]
    assert [(one["what"], one["by"]) for one in audit] == [("made", "unknown"), ("files", "Ada")]
    assert_refused(post(app, "/campaigns/spring/files", {"date_format": "DDMMYY"}), 400, "date_format")
    read(post(app, "/campaigns/spring/uploads", strange), 202)
    assert post(app, "/campaigns/spring/files", {"country": "US"}).status_code == 409
    work(app)
    assert len(read(get(app, "/campaigns/spring"), 200)["imported"]) == 1


def test_what_is_kept_of_a_number_is_exported_and_erased(app: App) -> None:
    imported(app)
    read(post(app, "/campaigns/spring/commands/start"), 200)
    work(app)
    app.run()
    app.later.flush()
    kept = read(post(app, "/people/export", {"number": PHONE}), 200)["use_cases"]["outreach"]
    assert set(kept) == {"people", "calls", "evidence"}
    erased = read(post(app, "/people/erase", {"number": PHONE}), 200)
    assert erased["use_cases"] == {"outreach": 2}
    assert any("so that nobody calls again" in one for one in erased["stays"])
    assert set(read(post(app, "/people/export", {"number": PHONE}), 200)["use_cases"]["outreach"]) == {"calls"}


def test_without_a_key_for_hashes_it_is_said_and_nothing_else_breaks(tmp_path: Path) -> None:
    with running(tmp_path, NUMBER_HASH_KEY="", streams=MemoryArchive()) as one:
        assert get(one, "/campaigns").status_code == 503
        assert read(post(one, "/people/export", {"number": PHONE}), 200)["use_cases"] == {}


def test_no_route_has_a_number_in_its_path_or_query() -> None:
    for path, operations in openapi()["paths"].items():
        for operation in operations.values():
            names = {one["name"] for one in operation["parameters"] if one["in"] in ("path", "query")}
            assert not names & {"number", "phone", "caller", "callee"}, path
