"""The level `local`: each pain that a repository can have, staged, is found with its remedy."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from devstack.deployed import deployed
from shared.diagnostics import Finding
from tests.functional.app import functions
from tests.setting_samples import REQUIRED
from tools.doctor import app, flow_lint, repository
from tools.doctor.app import ROOT, Inside, inside_findings, look_inside
from tools.doctor.running import Answer, clock_findings, health_findings, own_findings

RIGHT: dict[str, Any] = {
    "settings": "",
    "misspelled": {},
    "flows": "",
    "routing": "",
    "lines": "",
    "scorecards": "",
    "numbers": [],
}


def ids(found: list[Finding], level: str = "") -> list[str]:
    """The ids, or those of one level; whatever is not fine has a reason and a remedy."""
    assert all(one.why and one.remedy for one in found if one.level != "fine")
    return [one.id for one in found if not level or one.level == level]


def bad(found: list[Finding]) -> list[str]:
    return [one.id for one in found if one.level != "fine"]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return deployed(tmp_path_factory.mktemp("app"), {}, (ROOT / "routing.yaml").read_text("utf-8"))


# The app, from inside


def test_microsofts_worker_finds_the_functions_that_there_are(copy: Path) -> None:
    found = look_inside(copy, {"PATH": "", **REQUIRED})
    assert set(found.functions) == set(functions())
    assert bad(inside_findings(found, has_settings=True)) == []
    assert "+18005550177" in found.numbers


def test_an_import_that_raises_is_found_where_azure_says_success(copy: Path) -> None:
    """Pain 1: 0 functions, and no trace anywhere."""
    module = copy / "handlers" / "timers.py"
    text = module.read_text()
    module.write_text(text + "\nimport azure.functions\nazure.functions.NoSuchName\n")
    try:
        found = inside_findings(look_inside(copy, {"PATH": ""}), has_settings=False)
    finally:
        module.write_text(text)
    (one,) = [one for one in found if one.id == "functions.none"]
    assert one.level == "wrong"
    assert "NoSuchName" in one.seen
    assert "make doctor" in one.remedy


def test_what_is_wrong_with_settings_flows_and_files_is_named() -> None:
    wrong = {
        **RIGHT,
        "settings": "ACS_RESOURCE_ID: must be a GUID\nSee docs/settings.md.",
        "misspelled": {"ACS_ENDPIONT": "ACS_ENDPOINT"},
        "routing": "routing.yaml:3: rules[0].to: is no number.\nrouting.yaml:4: x",
        "scorecards": "support.yaml:1: x",
        "lines": "lines.yaml:2: x",
    }
    found = inside_findings(Inside(wrong, ("health",)), has_settings=True)
    assert bad(found) == ["settings.wrong", "settings.misspelled", "routing.wrong", "lines.wrong", "scorecards.wrong"]
    assert "routing.yaml:3: rules[0].to: is no number. (1 lines more)" in next(
        one.seen for one in found if one.id == "routing.wrong"
    )
    assert bad(inside_findings(Inside({**RIGHT, "flows": "flows/a.py:1: x"}, ("health",)), has_settings=False)) == [
        "flows.wrong"
    ]


def test_an_app_that_cannot_be_looked_at_says_why() -> None:
    assert ids(inside_findings(Inside(None, (), "No module named 'shared'"), has_settings=True)) == ["functions.none"]


def test_local_settings_are_read_and_a_broken_file_has_none(tmp_path: Path) -> None:
    assert app.local_settings(tmp_path) == {}
    (tmp_path / "local.settings.json").write_text('{"Values": {"RING_SECONDS": 30}}')
    assert app.local_settings(tmp_path) == {"RING_SECONDS": "30"}
    (tmp_path / "local.settings.json").write_text("{")
    assert app.local_settings(tmp_path) == {}


# Flows


FLOW = """
import random, time
from datetime import datetime
import requests

def outside():
    return requests.get("https://example.com")

@flow("a")
async def a(call):
    now = datetime.now()
    time.sleep(1)
    random.choice([1])
    await call.run(lambda: time.time())
    await call.run(outside)
    def inner():
        return time.time()
    later = call.now
"""


def test_a_flow_that_reads_a_clock_or_throws_dice_is_found_with_what_to_write_instead() -> None:
    assert list(flow_lint.mistakes(FLOW)) == [
        (11, "datetime.now", "call.now"),
        (12, "time.sleep", "await call.sleep(seconds)"),
        (13, "random.choice", "call.run"),
    ]


def test_the_shipped_flows_leave_clock_and_network_alone(tmp_path: Path) -> None:
    assert ids(flow_lint.flow_findings(ROOT)) == ["flows.deterministic"]
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "a.py").write_text(FLOW)
    (tmp_path / "flows" / "b.py").write_text("def (")
    found = flow_lint.flow_findings(tmp_path)
    assert ids(found, "wrong") == ["flows.not-deterministic"] * 3
    assert found[0].seen == "flows/a.py:11 calls datetime.now."


# The repository


@pytest.mark.parametrize(
    ("today", "running", "expected"),
    [
        (date(2026, 11, 28), (3, 10), "python.unsupported"),
        (date(2026, 11, 28), (3, 11), "python.supported"),
        (date(2027, 5, 3), (3, 11), "python.supported"),
        (date(2027, 5, 5), (3, 11), "python.ends"),
        (date(2027, 10, 31), (3, 11), "python.unsupported"),
        (date(2026, 11, 28), (3, 15), "python.unsupported"),
    ],
)
def test_a_python_that_azure_does_not_run_is_found(today: date, running: tuple[int, int], expected: str) -> None:
    assert ids(repository.python_findings(today, running)) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "requirements.missing"),
        ("requests\n", "requirements.open"),
        ("requests>=2\n", "requirements.open"),
        ("# one\nrequests==2.34.2 \\\n    --hash=sha256:ab\nPyJWT[crypto]==2.15.1\n", "requirements.pinned"),
        ("azure-communication-callautomation==1.7.0b1\n", "requirements.preview"),
        ("azure-functions==2.3.0; python_version >= '3.13'\n", "requirements.pinned"),
    ],
)
def test_packages_that_are_not_pinned_and_previews_are_found(tmp_path: Path, text: str | None, expected: str) -> None:
    """Preview versions of an API vanish."""
    if text is not None:
        (tmp_path / "requirements.txt").write_text(text)
    assert ids(repository.lock_findings(tmp_path)) == [expected]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ["host.right"]),
        ({"extensions": {"http": {"routePrefix": ""}}}, ["host.prefix"]),
        ({"extensionBundle": {}}, ["host.bundle"]),
        ({"extensionBundle": {"version": "[3.*, 4.0.0)"}}, ["host.bundle"]),
        ({"telemetryMode": "OpenTelemetry"}, ["host.telemetry-mode"]),
        (
            {
                "logging": {
                    "applicationInsights": {
                        "samplingSettings": {"isEnabled": True, "excludedTypes": "Request;Exception"}
                    }
                }
            },
            ["host.sampling"],
        ),
        ({"logging": {"applicationInsights": {"samplingSettings": {"isEnabled": False}}}}, ["host.right"]),
    ],
)
def test_what_host_json_must_have_is_looked_at(tmp_path: Path, change: dict[str, Any], expected: list[str]) -> None:
    """Lines that do not reach Application Insights."""
    right = json.loads((ROOT / "host.json").read_text())
    (tmp_path / "host.json").write_text(json.dumps({**right, **change}))
    assert ids(repository.host_findings(tmp_path)) == expected
    (tmp_path / "host.json").write_text("{")
    assert ids(repository.host_findings(tmp_path)) == ["host.unreadable"]


def test_a_file_of_secrets_in_git_is_found(tmp_path: Path) -> None:
    assert repository.git_findings(tmp_path) == []
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "local.settings.json").write_text("{}")
    assert repository.git_findings(tmp_path) == []
    subprocess.run(["git", "-C", str(tmp_path), "add", "local.settings.json"], check=True)
    assert ids(repository.git_findings(tmp_path)) == ["git.secrets"]


def test_what_slipped_into_the_package_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ids(repository.package_findings(tmp_path)) == ["package.ignore"]
    (tmp_path / ".funcignore").write_text("docs\n")
    for folder in ("docs", "shared"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.bin").write_bytes(b"x" * 1_500_000)
    assert ids(repository.package_findings(tmp_path)) == ["package.size"]
    assert repository.MOST_MEGABYTES == 50
    monkeypatch.setattr(repository, "MOST_MEGABYTES", 1)
    assert ids(repository.package_findings(tmp_path)) == ["package.large"]


def test_an_azurite_of_another_version_is_found(tmp_path: Path) -> None:
    assert repository.azurite_findings(tmp_path) == []
    (tmp_path / "package.json").write_text('{"dependencies": {"azurite": "3.35.0"}}')
    assert ids(repository.azurite_findings(tmp_path)) == ["azurite.version"]
    (tmp_path / "node_modules" / "azurite").mkdir(parents=True)
    for version, expected in (("3.36.0", "azurite.version"), ("3.35.0", "azurite.installed")):
        (tmp_path / "node_modules" / "azurite" / "package.json").write_text(json.dumps({"version": version}))
        assert ids(repository.azurite_findings(tmp_path)) == [expected]


def test_a_port_that_another_program_has_is_found() -> None:
    taken = [("--host-port", 7071)]
    (one,) = repository.port_findings(taken, app_runs=False)
    assert (one.id, one.remedy) == ("ports.taken", 'End it, or: make up ARGS="--host-port 0"')
    assert bad(repository.port_findings(taken, app_runs=True)) == []
    assert bad(repository.port_findings([], app_runs=False)) == []


# The running app


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(200, {"status": "ok"}), "app.well"),
        (Answer(0, error="SSLError"), "app.unreachable"),
        (Answer(302, location="https://login.example"), "app.redirects"),
        (Answer(401), "app.closed"),
        (Answer(403), "app.closed"),
        (Answer(404), "functions.none"),
        (Answer(503, {"status": "misconfigured"}), "app.misconfigured"),
        (Answer(503, {"status": "degraded"}), "storage.silent"),
        (Answer(502), "app.ill"),
        (Answer(200, None), "app.ill"),
    ],
)
def test_the_health_of_an_app_tells_of_the_way_to_it(answer: Answer, expected: str) -> None:
    found = health_findings("https://app.example", answer)
    assert ids(found) == [expected]
    assert found[0].level == ("fine" if expected == "app.well" else "wrong")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, ""), (-30, ""), (31, "look"), (-31, "look"), (899, "look"), (900, "wrong"), (None, "")],
)
def test_a_clock_that_differs_from_that_of_the_storage_is_found(seconds: int | None, expected: str) -> None:
    now = datetime(2026, 11, 28, 10, tzinfo=UTC)
    theirs = None if seconds is None else now + timedelta(seconds=seconds)
    found = clock_findings(theirs, now)
    assert [one.level for one in found if one.level != "fine"] == ([expected] if expected else [])
    assert bool(found) == (theirs is not None)


def test_the_apps_own_findings_are_taken_over() -> None:
    one = {"id": "queues.poison.timers", "level": "look", "seen": "s", "why": "w", "remedy": "r"}
    assert own_findings(Answer(200, {"findings": [one]})) == [Finding(**one)]  # type: ignore[arg-type]
    assert ids(own_findings(Answer(401))) == ["app.key"]
    assert ids(own_findings(Answer(404))) == ["app.diagnostics"]
