"""What the HTTP API does for whoever meets it for the first time: readable times, links, and names that are meant."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.calls import FLOWS
from shared.errors import SettingsError
from shared.web.openapi import openapi
from tests.functional.api import OTHER_PHONE, TESTED, assert_refused, ended, get, live, placed, read, send
from tests.functional.app import App, problem, running
from tests.functional.test_recording_functions import DAY, RECORDING, Room

CORRELATION = "5d1f3a52-0000-4000-8000-000000000001"
STARTED, STARTED_ISO = 1_764_324_000_123, "2025-11-28T10:00:00.123Z"
LISTS = {
    path: [one["name"] for one in operations["get"]["parameters"]]
    for path, operations in openapi()["paths"].items()
    if "get" in operations and "{" not in path
    for names in ([one["in"] for one in operations["get"]["parameters"]],)
    if "query" in names
}
"""Lists of the API, with the parameters that the document gives each."""
NOT_SET_UP = {"/masking/sessions"}
"""What is refused before its query is looked at, where `lines.yaml` gives it no number (test_masking.py)."""


@pytest.fixture(autouse=True)
def flows(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, flow in TESTED.items():
        monkeypatch.setitem(FLOWS, name, flow)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room()
    with running(tmp_path, recordings=room.compose) as app:
        room.app = app
        yield room


# Times


def test_a_call_shows_its_times_as_iso_8601_beside_the_milliseconds(app: App) -> None:
    call_id = placed(app)
    record = app.store.load(call_id).record
    record.started_at = STARTED
    app.store.commit(record, [], app.store.load(call_id).version)
    view = read(get(app, f"/{call_id}"), 200)
    assert (view["started_at"], view["started_at_iso"]) == (STARTED, STARTED_ISO)
    assert (view["ended_at"], view["ended_at_iso"]) == (0, None)
    (row,) = read(get(app), 200)["calls"]
    assert row["started_at_iso"].endswith("Z")


def test_recordings_and_reports_show_theirs(room: Room) -> None:
    recording = room.announce()
    room.run()
    shown = room.json(f"/recordings/{recording}")
    for name in ("started_at", "announced_at", "deadline", "reported_at"):
        assert shown[name] > 0
        assert shown[f"{name}_iso"].startswith("20")
    (row,) = room.json(f"/reports?day={DAY}")["reports"]
    assert row["started_at_iso"].startswith(DAY)


# Links


def test_from_a_call_one_comes_to_its_recording_its_report_its_audio_and_back(room: Room) -> None:
    call = room.call(recording_ids=(RECORDING,))
    recording = room.announce()
    room.run()
    room.call("call-9")
    links = room.json(f"/calls/{call}")["links"]
    assert links == {
        "self": f"/api/calls/{call}",
        "journal": f"/api/calls/{call}/journal",
        "participants": f"/api/calls/{call}/participants",
        "recordings": f"/api/recordings?call={call}",
        "reports": f"/api/reports?call={call}",
    }
    # The call was up on another day than today.
    (row,) = room.json(links["recordings"].removeprefix("/api"))["recordings"]
    assert row["links"] == {
        "recording": f"/api/recordings/{recording}",
        "call": f"/api/calls/{call}",
        "report": f"/api/reports/{recording}",
        "page": f"/api/reports/{recording}/page",
        "audio": [],  # a list would sign a link for each file of each row
    }
    one = room.json(row["links"]["recording"].removeprefix("/api"))
    assert one["links"]["audio"] == [f"https://archive.invalid/{DAY}/{recording}/0.wav?seconds=60"]
    (report,) = room.json(links["reports"].removeprefix("/api"))["reports"]
    assert report["links"] == row["links"]
    assert room.json(report["links"]["report"].removeprefix("/api"))["call"]["id"] == call
    assert room.json("/recordings?call=call-9") == {"recordings": [], "next": None}
    assert room.json(f"/recordings?call={call}&day=2020-01-01") == {"recordings": [], "next": None}
    assert room.json("/reports?call=never") == {"reports": [], "next": None}


def test_links_to_audio_are_for_nobody_else_and_missing_where_nothing_signs_them(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = room.announce()
    room.run()
    assert room.get(f"/recordings/{recording}").headers["Cache-Control"] == "no-store"

    def link(name: str, seconds: float) -> str:
        raise SettingsError("AzureWebJobsStorage", "holds no AccountKey")

    monkeypatch.setattr(room.world.archive, "link", link)
    shown = room.json(f"/recordings/{recording}")
    assert (shown["status"], shown["links"]["audio"]) == ("reported", [None])


def test_a_recording_without_a_report_or_a_call_has_no_link_to_one(room: Room) -> None:
    recording = room.announce()
    shown = room.json(f"/recordings/{recording}")
    assert (shown["links"]["call"], shown["links"]["report"], shown["links"]["page"]) == (None, None, None)
    assert shown["links"]["audio"] == [None]


# Lists


def test_calls_are_listed_by_the_id_that_the_service_s_logs_show(app: App) -> None:
    call_id = live(app)
    correlation_id = read(get(app, f"/{call_id}"), 200)["correlation_id"]
    (row,) = read(get(app, f"?correlation_id={correlation_id}"), 200)["calls"]
    assert (row["id"], row["status"]) == (call_id, "connected")
    day = row["day"]
    for query, count in ((f"day={day}", 1), ("day=2020-01-01", 0), ("status=connected", 1), ("status=ended", 0)):
        assert len(read(get(app, f"?correlation_id={correlation_id}&{query}"), 200)["calls"]) == count, query
    assert read(get(app, "?correlation_id=other"), 200) == {"calls": [], "next": None}


@pytest.mark.parametrize("path", sorted(LISTS.keys() - NOT_SET_UP))
def test_a_parameter_that_a_list_does_not_take_is_refused_with_those_that_it_does(room: Room, path: str) -> None:
    name = LISTS[path][0]
    refused = problem(room.get(f"{path}?{name}x=1"))
    assert (refused["status"], refused["field"]) == (400, f"{name}x")
    assert refused["remedy"] == f"Did you mean {name}? Known: {', '.join(sorted(LISTS[path]))}."


def test_a_number_in_the_query_of_a_list_is_not_repeated_in_the_log(app: App, caplog: pytest.LogCaptureFixture) -> None:
    assert_refused(get(app, f"?{OTHER_PHONE.replace('+', '%2B')}=1"), 400, OTHER_PHONE)
    assert OTHER_PHONE not in caplog.text


@pytest.mark.parametrize("query", ["code=key", "clientId=default", "subscription-key=x"])
def test_what_the_host_and_gateways_add_to_a_query_is_no_mistake(app: App, query: str) -> None:
    assert read(get(app, f"?{query}"), 200) == {"calls": [], "next": None}


# Bodies


@pytest.mark.parametrize(
    ("path", "body", "field", "remedy"),
    [
        ("", {"flow": "desk", "target": ["+1"]}, "target", "Did you mean targets?"),
        ("", {"flow": "desk", "connect": {"kind": "room", "idd": "r"}}, "connect.idd", "Did you mean id?"),
        ("/search", {"correlation": "c"}, "correlation", "Did you mean correlation_id?"),
        ("/{}/actions/play", {"promts": []}, "promts", "Did you mean prompts?"),
        (
            "/{}/actions/play",
            {"prompts": [{"kind": "text", "text": "a", "voice": "b"}]},
            "prompts.0.text.voice",
            "Did you mean voice_name?",
        ),
        ("/{}/signals/go", {"date": 1}, "date", "Did you mean data?"),
        ("/{}/actions/hang_up", {"now": True}, "now", "Known: kind."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_field_that_a_request_does_not_have_is_refused_with_the_one_that_may_be_meant(
    app: App, path: str, body: Any, field: str, remedy: str
) -> None:
    answer = send(app, path.format(ended(app) if "{}" in path else ""), body)
    refused = json.loads(answer.get_body())
    assert (answer.status_code, refused["field"], refused["detail"]) == (400, field, "is not a field of this request.")
    assert remedy in refused["remedy"]
