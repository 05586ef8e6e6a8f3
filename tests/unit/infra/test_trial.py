"""The trial that somebody with a subscription runs, against stand-ins of az and azd."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.infra.programs import Programs
from tools.deployment import events, trial
from tools.deployment.__main__ import main
from tools.deployment.events import functions_expected

STEPS = [
    "versions",
    "infra/main.bicep compiles",
    "infra/events.bicep compiles",
    "environment switchboard-trial",
    "everything is made and deployed (azd up)",
    "functions",
    "HTTP concurrency and always-ready instances",
    "settings from Key Vault",
    "subscriptions",
    "roles of the app",
    "health",
    "versions of the keys",
    "subscriptions once more, which changes nothing",
    "lines of the app in the log",
    "a second provisioning (azd provision)",
    "the keys are the same as before",
    "HTTP concurrency is still set",
    "everything is deleted (azd down)",
]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    monkeypatch.setattr(events, "EVERY_SECONDS", 0)
    for module in (events, trial):
        monkeypatch.setattr(module, "health", lambda address: "ok")
    made = Programs(tmp_path, monkeypatch)
    made.set(functions=sorted(functions_expected()))
    return made


def rows(report: Path) -> dict[str, str]:
    """The steps of a report, each with what it came to."""
    lines = [line.split(" | ") for line in report.read_text("utf-8").splitlines() if line.startswith("| ")]
    return {cells[0].removeprefix("| "): cells[1] for cells in lines[1:]}


def test_each_step_is_tried_and_the_report_says_what_it_came_to(programs: Programs, tmp_path: Path) -> None:
    report = tmp_path / "report.md"
    assert main(["trial", "--yes", "--report", str(report)]) == 0
    assert rows(report) == dict.fromkeys(STEPS, "ok")
    assert programs.state["asked"][-1] == ["azd", "down", "--force", "--purge"]
    text = report.read_text("utf-8")
    assert "azd up: SUCCESS for (mail) (number)" in text
    assert "8b3b2565" not in text


def test_keys_that_were_replaced_and_concurrency_that_was_reset_fail(programs: Programs, tmp_path: Path) -> None:
    programs.set(replaces_keys=True, at_once=1)
    report = tmp_path / "report.md"
    assert main(["trial", "--yes", "--keep", "--report", str(report)]) == 1
    assert programs.asked("azd", "down") == []
    failed = {step for step, state in rows(report).items() if state == "failed"}
    assert failed == {
        "the keys are the same as before",
        "HTTP concurrency and always-ready instances",
        "HTTP concurrency is still set",
    }
    assert "a second provisioning has replaced keys" in report.read_text("utf-8")


def test_what_fails_is_told_and_everything_is_deleted_all_the_same(programs: Programs, tmp_path: Path) -> None:
    programs.set(azd_fails={"up": "InvalidTemplateDeployment: the quota is used up"})
    report = tmp_path / "report.md"
    assert main(["trial", "--yes", "--report", str(report)]) == 1
    assert rows(report)["everything is made and deployed (azd up)"] == "failed"
    assert "InvalidTemplateDeployment: the quota is used up" in report.read_text("utf-8")
    assert programs.asked("azd", "down")


def test_it_asks_before_it_spends_money(programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda question: "")
    assert main(["trial", "--report", str(tmp_path / "report.md")]) == 1
    assert programs.state["asked"] == []
