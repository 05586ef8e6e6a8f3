"""What 0.2.0 wrote is read by the app of today: rows, journals, archives, recordings, messages, settings, names.

The files were made once, by tests/fixtures/as_written/record.py, and stay as they are.
"""

from __future__ import annotations

import json
import re
import sys
import zlib
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any, cast

import pytest

from devstack.azurite import ROOT, Azurite
from shared.calls.flow import Flow, flow_of
from shared.calls.journal import Entry, Issued, Note, Started
from shared.calls.prompts import text
from shared.calls.replay import replay
from shared.calls.replay_check import replay_check
from shared.calls.timers import read_wake_up
from shared.composition.board import compose
from shared.notifications.message import Message, read_message
from shared.recordings.base import read_work
from shared.settings import load_settings
from tests.fixtures.as_written.interface import interface, missing
from tests.fixtures.as_written.reading import STEPS, fill, flows_of, rehearsed
from tests.fixtures.as_written.record import masked
from tests.found_calls import decode_all
from tests.functional.app import ROUTES, App, serving

pytestmark = pytest.mark.xdist_group("as-written")

FOLDER = Path(__file__).parents[1] / "fixtures" / "as_written" / "0_2_0"
APOLOGY = (text("We are sorry."),)
"""The setting FALLBACK_PROMPT of the calls that were written down."""

CHANGED = frozenset({"/functions/watchdog/runOnStartup: False is True", "/settings/AzureWebJobsStorage: None is ''"})
"""Names that are others by now; CHANGELOG says which the old one became, and for how long that is still taken."""


def written(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


TABLES, DOCUMENTS, SHOWN, MODULES = map(written, ("tables", "documents", "shown", "flows"))
SUITES = [suite for suite in TABLES if TABLES[suite]]


def as_stored(suite: str) -> dict[str, list[str]]:
    """The journals by call, read from the rows as 0.2.0 laid them out."""
    found: dict[str, list[str]] = {}
    rows = sorted(TABLES[suite]["switchboardcalls"], key=lambda row: (row["RowKey"] == "head", row["RowKey"]))
    for row in rows:
        entries = found.setdefault(row["PartitionKey"], [])
        for part in sorted(name for name in row if re.fullmatch(r"p\d{6}", name)):
            entries += zlib.decompress(b64decode(row[part]["binary"])).decode().split("\n")
        entries += row["tail"].split("\n") if row.get("tail") else []
    return found


CALLS = [(suite, call_id) for suite in SUITES for call_id in as_stored(suite)]
each_call = pytest.mark.parametrize(("suite", "call_id"), CALLS, ids=[f"{suite}-{one[:6]}" for suite, one in CALLS])


# Names


def test_functions_routes_settings_and_wire_fields_stay() -> None:
    now = json.loads(json.dumps(interface()))
    assert [name for name in missing(written("interface"), now) if name not in CHANGED] == []


def test_what_is_gone_or_changed_is_found() -> None:
    before = {"functions": {"openapi": {"route": "openapi.json", "methods": ["GET", "POST"]}}, "settings": {"A": 1}}
    now = {"functions": {"openapi": {"route": "openapi", "methods": ["GET"], "more": 1}}, "settings": {}}
    assert missing([{"a": 1}, {"a": 2}], [{"a": 1, "b": 3}]) == ["/{'a': 2}"]
    assert missing(before, now) == [
        "/functions/openapi/route: 'openapi.json' is 'openapi'",
        "/functions/openapi/methods/POST",
        "/settings/A",
    ]


def test_the_settings_file_is_taken() -> None:
    settings = load_settings(written("settings")["Values"])
    assert (settings.store_prefix, settings.flow_checks) == ("switchboard", True)
    assert settings.acs_resource_id == "8b3b2565-9105-49f4-9b61-081357959c70"


def test_messages_that_wait_in_the_queues_are_taken() -> None:
    queues = {name: [message.encode() for message in messages] for name, messages in written("queues").items()}
    assert list(map(read_wake_up, queues.pop("-timers"))) == [("c-20261127-1", 3, 1_790_000_005_000)]
    assert list(map(read_work, queues.pop("-recordings"))) == [
        ("20261127T100000-abc", 0),
        ("20261127T100000-abc", None),
    ]
    assert list(map(read_message, queues.pop("-notifications"))) == [Message("c-20261127-1", "topic", 2, 0)]
    assert queues == {}


# Flows


@pytest.fixture
def flows(suite: str, tmp_path: Path) -> Iterator[Mapping[str, Flow]]:
    """The flows of the calls of a suite, as they were."""
    with flows_of({**MODULES["app"], **MODULES[suite]}, tmp_path) as found:
        yield found


@pytest.mark.parametrize("suite", ["app"])
@pytest.mark.parametrize("name", STEPS)
def test_a_rehearsal_shows_what_it_showed(suite: str, flows: Mapping[str, Flow], name: str) -> None:
    assert json.loads(json.dumps(rehearsed(flows[name], STEPS[name]))) == written("rehearsals")[name]


def test_the_journals_hold_every_operation_and_event() -> None:
    entries = [json.loads(one) for suite in SUITES for journal in as_stored(suite).values() for one in journal]
    names = written("interface")
    assert {entry["action"]["kind"] for entry in entries if "action" in entry} == set(names["actions"])
    events = {(one["event"].get("type") or one["event"]["eventType"]) for one in entries if "event" in one}
    of_no_journal = {"IncomingCall", "RecordingFileStatusUpdated"}
    known = {*names["callbacks"], *names["event_grid"]}
    assert known - {name.removeprefix("Microsoft.Communication.") for name in events} == of_no_journal


@each_call
def test_a_journal_asks_for_the_same_operations(flows: Mapping[str, Flow], suite: str, call_id: str) -> None:
    journal = decode_all(as_stored(suite)[call_id])
    started = journal[0]
    assert isinstance(started, Started)
    flow = flow_of(flows, started.flow)
    assert flow is not None
    assert replay(flow, call_id, journal, apology=APOLOGY) == []
    for place in range(1, len(journal)):
        run = list(takewhile(by_flow, journal[place:]))
        if issued(run) and not by_flow(journal[place - 1]):
            # A mark that stands before it says that the step was there already.
            noted = sum(1 for _ in takewhile(lambda entry: isinstance(entry, Note), run))
            again = issued(replay(flow, call_id, journal[: place + noted], apology=APOLOGY))
            assert again[: len(issued(run))] == issued(run), f"entry {place + 1}"


def issued(entries: Iterable[Entry]) -> list[Issued]:
    return [entry for entry in entries if isinstance(entry, Issued)]


def by_flow(entry: Entry) -> bool:
    """Whether it is the flow's, not an operator's."""
    return isinstance(entry, Note) or (isinstance(entry, Issued) and entry.command is None)


# Rows and documents, through the HTTP API


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    with Azurite(log=tmp_path_factory.mktemp("azurite") / "azurite.log") as one:
        tables: dict[str, list[Any]] = {}
        for suite in SUITES:
            for name, rows in TABLES[suite].items():
                tables.setdefault(name, []).extend(rows)
        fill(one.connection_string, tables, {name: text for suite in SUITES for name, text in DOCUMENTS[suite].items()})
        yield one


@pytest.fixture(scope="module")
def app(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app over a storage that 0.2.0 wrote; nothing of it is in memory."""
    routes = tmp_path_factory.mktemp("app") / "routing.yaml"
    routes.write_text(ROUTES)
    values = written("settings")["Values"]
    values |= {"AzureWebJobsStorage": azurite.connection_string, "ROUTING_FILE": str(routes)}
    board, nothing = compose(load_settings(values)), cast(Any, None)
    with serving(board):
        yield App(board, nothing, nothing, nothing, nothing, nothing)


def got(app: App, path: str) -> Any:
    response = app.request("GET", f"https://app.example/api/{path}")
    assert response.status_code == 200, response.get_body()
    return json.loads(response.get_body())


@pytest.mark.node
@each_call
def test_a_call_is_shown_as_it_was(app: App, suite: str, call_id: str) -> None:
    for path, before in SHOWN[suite].items():
        if path.startswith(f"calls/{call_id}"):
            assert missing(before, got(app, path)) == []
    journal = got(app, f"calls/{call_id}/journal")["journal"]
    assert journal == [json.loads(entry) for entry in as_stored(suite)[call_id]]


@pytest.mark.node
@each_call
def test_a_call_is_found_as_it_was(app: App, suite: str, call_id: str) -> None:
    view = SHOWN[suite][f"calls/{call_id}"]
    for name in ("caller", "callee", "server_call_id", "correlation_id", "call_connection_id"):
        if view[name]:
            key = {"caller": "number", "callee": "number", "call_connection_id": "connection_id"}.get(name, name)
            body = json.dumps({key: view[name], "limit": 100}).encode()
            response = app.request("POST", "https://app.example/api/calls/search", body)
            assert call_id in [one["id"] for one in json.loads(response.get_body())["calls"]], name
    listed = got(app, "calls?day=2026-11-27&limit=100")["calls"]
    (row,) = [one for one in listed if one["id"] == call_id]
    assert missing({name: value for name, value in view.items() if name in row}, row) == []


@pytest.mark.node
def test_a_recording_and_its_report_are_shown_as_they_were(app: App) -> None:
    for path, before in SHOWN["recordings"].items():
        if not path.startswith("calls"):
            assert missing(before, got(app, path)) == []
    (recording,) = [path.removeprefix("reports/") for path in SHOWN["recordings"] if path.startswith("reports/")]
    (row,) = got(app, "reports?day=2026-11-27")["reports"]
    assert (row["id"], row["flow"], row["scorecard"]) == (recording, "support", "support")
    page = app.request("GET", f"https://app.example/api/reports/{recording}/page")
    assert (page.status_code, page.mimetype) == (200, "text/html")


@pytest.mark.node
def test_an_archived_call_is_read_by_the_replay_check(tmp_path: Path) -> None:
    read = []
    for suite in SUITES:
        archived = [
            json.loads(text) for name, text in DOCUMENTS[suite].items() if name.startswith("switchboard-calls/")
        ]
        with flows_of({**MODULES["app"], **MODULES[suite]}, tmp_path) as flows:
            read += [checked.problem for checked in replay_check(archived, flows)]
    assert read == ["", "", ""]


@pytest.mark.node
def test_a_number_that_was_not_to_be_recorded_still_is_not(app: App) -> None:
    (row,) = [row for suite in SUITES for row in TABLES[suite].get("switchboarddonotrecord", ())]
    assert row["RowKey"].startswith("b8553b14.")
    body = json.dumps({"number": "+14255560074"}).encode()
    response = app.request("POST", "https://app.example/api/do-not-record/check", body)
    assert json.loads(response.get_body()) == {"listed": True}


def test_what_is_recorded_has_no_path_of_this_machine() -> None:
    trace = f'File "/scratch/app/flows/desk.py" File "{ROOT}/shared/calls/driver.py" File "{sys.base_prefix}/lib/x.py"'
    assert masked({"trace": trace}, Path("/scratch/app")) == {
        "trace": 'File "/home/site/wwwroot/flows/desk.py" File "/home/site/wwwroot/shared/calls/driver.py" '
        'File "/usr/lib/x.py"'
    }


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.json")), ids=lambda file: file.stem)
def test_the_files_have_no_path_of_a_machine(file: Path) -> None:
    assert re.findall(r'File \\+"(?!/home/site/wwwroot/|/usr/lib/)[^"]*', file.read_text("utf-8")) == []
