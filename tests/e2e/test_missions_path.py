"""What the app is for, in the form in which it is deployed: only what `.funcignore` lets through, installed from the
lock in an environment of its own, with an identity and without a key, storage and service over https."""

from __future__ import annotations

import io
import json
import subprocess
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pathspec
import pytest
import requests
from azure.data.tables import TableClient
from azure.storage.blob import ContainerClient

from devstack.azurite import ROOT
from devstack.deployed import deployed
from devstack.stack import CALL_LIFECYCLE, EVENT_GRID_PATH, RECORDING_FILE, Stack
from tests.e2e.deployed_form import DeployedForm, deployed_form, keys_in, trusting
from tests.e2e.line import WATCHFUL, Line, asked, until
from tests.environments import pins
from tests.fixtures.app import FOLDER

pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.node,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("e2e-deployed"),
]
SCHEMAS = {"EventGridSchema": "1", "CloudEventSchemaV1_0": "2"}
"""The delivery schemas of Event Grid, and the digit that the numbers of each begin with."""
ANSWERED, REJECTED, REDIRECTED, RECORDED = (f"+1800555{{}}{number}" for number in ("101", "102", "103", "104"))
TARGET, AGENT = "+15550100001", "+14255550142"
ROUTES = "rules:\n" + "".join(
    f'  - {{name: {what} {digit}, to: "{number.format(digit)}", {does}}}\n'
    for digit in SCHEMAS.values()
    for what, number, does in (
        ("answered", ANSWERED, "answer: reception"),
        ("rejected", REJECTED, "reject: forbidden"),
        ("redirected", REDIRECTED, f'redirect: "{TARGET}"'),
        ("recorded", RECORDED, "answer: support"),
    )
)
schemas = pytest.mark.parametrize("schema", SCHEMAS)


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> DeployedForm:
    return deployed_form(tmp_path_factory.mktemp("host"))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return deployed(tmp_path_factory.mktemp("app"), {}, ROUTES, own=FOLDER)


@pytest.fixture(scope="module")
def line(form: DeployedForm, app: Path) -> Iterator[Line]:
    with Stack(
        app_root=app,
        host="own",
        own_host=form.command,
        environment={**form.environment, **WATCHFUL},
        speed=4,
        seed=7,
        quiet=True,
        identity=True,
        subscriptions=(CALL_LIFECYCLE, RECORDING_FILE),
    ) as stack:
        with trusting(stack):
            one = Line(stack)
            for schema, digit in SCHEMAS.items():
                one.control.subscribe(
                    endpointUrl=f"{stack.base_url}{EVENT_GRID_PATH}incoming_call",
                    includedEventTypes=["Microsoft.Communication.IncomingCall"],
                    eventDeliverySchema=schema,
                    advancedFilters=[
                        {"operatorType": "StringBeginsWith", "key": "data.to.phoneNumber.value",
                         "values": [f"+1800555{digit}"]}
                    ],
                )  # fmt: skip
            yield one


def rung(line: Line, schema: str, number: str, script: list[dict[str, Any]], within: float = 30) -> dict[str, Any]:
    """The archived document of a call whose IncomingCall came in this schema, once."""
    correlation_id = line.call(number.format(SCHEMAS[schema]), script)
    document = line.end(correlation_id, within=within)
    bodies = [one["body"] for one in line.control.deliveries(type="IncomingCall")]
    events = [one[0] if isinstance(one, list) else one for one in bodies]
    (event,) = [one for one in events if one["data"]["correlationId"] == correlation_id]
    assert ("specversion" in event) is (schema == "CloudEventSchemaV1_0"), event.keys()
    return document


# What is deployed


def test_the_folder_holds_what_funcignore_lets_through(app: Path) -> None:
    """But for the flows, scorecards and routes, which are those of the tests."""
    ignored = pathspec.PathSpec.from_lines("gitignore", (ROOT / ".funcignore").read_text().splitlines())
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    theirs = ("flows/", "scorecards/")
    expected = {path for path in tracked if path and not ignored.match_file(path) and not path.startswith(theirs)}
    found = {path.relative_to(app).as_posix() for path in app.rglob("*") if path.is_file()}
    assert {path for path in found if "__pycache__" not in path and not path.startswith(theirs)} == expected


def test_the_environment_holds_the_lock_and_nothing_else(form: DeployedForm) -> None:
    listed = subprocess.run([form.python, "-m", "pip", "list", "--format", "json"], capture_output=True, check=True)
    installed = {one["name"].lower().replace("_", "-"): one["version"] for one in json.loads(listed.stdout)}
    locked = {entry.partition("==")[0].lower() for entry in pins("requirements.txt").splitlines() if "==" in entry}
    assert {name for name in installed if name not in ("pip", "setuptools")} <= locked
    assert {"azure-functions", "azure-communication-callautomation", "azure-identity", "numpy"} <= set(installed)


def test_the_app_has_no_key_and_runs_on_its_own_environment(line: Line, form: DeployedForm) -> None:
    assert keys_in(line.stack) == []
    (host,) = line.stack.hosts
    assert Path(f"/proc/{host.pid}/cmdline").read_bytes().split(b"\0")[0] == str(form.python).encode()
    health = requests.get(f"{line.stack.base_url}/api/health", timeout=10)
    assert (health.status_code, health.json()) == (200, {"status": "ok"})


# IncomingCall


@schemas
def test_a_call_is_answered_and_its_context_is_in_table_and_blob(line: Line, schema: str) -> None:
    document = rung(line, schema, ANSWERED, [{"when": "asked", "after": 1, "press": "1"}])
    assert (document["outcome"], asked(document)) == ("completed", ["answer", "recognize", "play", "hang_up"])
    with TableClient.from_connection_string(line.stack.connection_string, "switchboardcalls") as table:
        head = table.get_entity(document["call_id"], "head")
    assert (head["status"], head["flow"], head["outcome"]) == ("ended", "reception", "completed")
    with ContainerClient.from_connection_string(line.stack.connection_string, "switchboard-calls") as blobs:
        (name,) = [blob.name for blob in blobs.list_blobs() if blob.name.endswith(f"{document['call_id']}.json")]
        archived = json.loads(blobs.download_blob(name).readall())
    assert (archived["correlation_id"], archived["outcome"]) == (head["correlation_id"], "completed")


@schemas
def test_a_call_is_rejected(line: Line, schema: str) -> None:
    document = rung(line, schema, REJECTED, [])
    assert (document["outcome"], asked(document)) == ("rejected", ["reject"])
    request = line.control.requests(operation="RejectCall")[-1]
    assert (request["status"], request["body"]["callRejectReason"]) == (204, "forbidden")


@schemas
def test_a_call_is_redirected(line: Line, schema: str) -> None:
    document = rung(line, schema, REDIRECTED, [{"when": "connected", "after": 2, "hangUp": True}])
    assert (document["outcome"], asked(document)) == ("redirected", ["redirect"])
    request = line.control.requests(operation="RedirectCall")[-1]
    assert (request["status"], request["body"]["target"]["rawId"]) == (204, f"4:{TARGET}")


# Recording


@schemas
def test_the_unmixed_audio_of_a_recorded_call_is_fetched_and_its_report_is_out(line: Line, schema: str) -> None:
    line.control.register_phone(AGENT, afterSeconds=1, script=[{"at": 1.0, "say": "Contoso support"}])
    script: list[dict[str, Any]] = [
        {"when": "asked", "after": 0.5, "press": "2"},
        {"when": "joined"},
        {"at": 3.0, "say": "My invoice is wrong"},
        {"at": 8.0, "hangUp": True},
    ]
    call_id = rung(line, schema, RECORDED, script, within=60)["call_id"]
    reports: list[dict[str, Any]] = []

    def reported() -> bool:
        told = [one["event"]["data"] for one in line.control.topic(type="QualityReportReady")]
        documents = [requests.get(f"{line.stack.base_url}/api/reports/{one['id']}", timeout=30).json() for one in told]
        reports[:] = [one for one in documents if one["call"]["id"] == call_id]
        return bool(reports)

    until(reported, 90, lambda: requests.get(f"{line.stack.base_url}/api/recordings", timeout=10).text)
    file_events = line.control.deliveries(type="RecordingFileStatusUpdated")
    assert file_events
    assert all(one["attempts"][-1]["status"] in (200, 202) for one in file_events)
    (chunk,) = reports[0]["recording"]["chunks"]
    with ContainerClient.from_connection_string(line.stack.connection_string, "switchboard-recordings") as blobs:
        audio = blobs.download_blob(chunk["blob"]).readall()
    with wave.open(io.BytesIO(audio)) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 16_000)
    assert [phrase["text"] for phrase in reports[0]["transcript"]["phrases"]] != []
