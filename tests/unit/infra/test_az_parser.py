"""Every az command of the pages and of tools/deployment goes through the CLI's own argument parser.

azure-cli is large (some 700 MB), so it gets an environment of its own, which stays in .switchboard. It comes without
hashes, and sees nothing but these commands.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.infra.programs import Programs
from tools.deployment import events, trial
from tools.deployment.__main__ import main
from tools.deployment.events import functions_expected
from tools.infra import pages
from tools.infra.bicep import ROOT

VERSION = "2.91.0"
FOLDER = ROOT / ".switchboard" / "environments" / f"azure-cli-{VERSION}"
UNREACHABLE = re.compile(r"No matching distribution|NewConnectionError|name resolution|timed out|Retrying")

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800), pytest.mark.xdist_group("az")]


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter that azure-cli is installed for."""
    found = FOLDER / "bin" / "python"
    done = FOLDER / "done"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", FOLDER], check=True)
        pip = [str(found), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1"]
        installed = subprocess.run([*pip, f"azure-cli=={VERSION}"], capture_output=True, text=True)
        if installed.returncode:
            assert UNREACHABLE.search(installed.stderr), installed.stderr[-2000:]
            pytest.skip(f"pip cannot reach azure-cli {VERSION}: {installed.stderr.strip().splitlines()[-1]}")
        done.touch()
    return found


def parsed(python: Path, commands: list[list[str]], tmp_path: Path) -> dict[str, str]:
    """What is wrong, by command."""
    environ = {**os.environ, "AZURE_CONFIG_DIR": str(tmp_path), "AZURE_CORE_COLLECT_TELEMETRY": "0", "PYTHONPATH": ""}
    script = Path(__file__).with_name("az_parser.py")
    ran = subprocess.run([python, script], input=json.dumps(commands), capture_output=True, text=True, env=environ)
    assert ran.returncode == 0, ran.stderr[-2000:]
    problems = json.loads(ran.stdout)
    return {" ".join(words): problem for words, problem in zip(commands, problems, strict=True) if problem}


def test_the_cli_takes_every_command_of_the_pages(python: Path, tmp_path: Path) -> None:
    commands = [words[1:] for page in pages.PAGES for _, words in pages.commands(page) if words[0] == "az"]
    commands += [
        words.split()[1:]
        for page in pages.PAGES
        for words in re.findall(r"`(az [a-z-]+ [^`]*?--[^`]+)`", (ROOT / page).read_text("utf-8"))
        if "…" not in words
    ]
    assert len(commands) > 20
    assert parsed(python, commands, tmp_path) == {}


def test_the_cli_takes_every_command_of_the_hook_and_the_trial(
    python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "EVERY_SECONDS", 0)
    for module in (events, trial):
        monkeypatch.setattr(module, "health", lambda address: "ok")
    programs = Programs(tmp_path, monkeypatch)
    programs.set(functions=sorted(functions_expected()))
    main(["trial", "--yes", "--report", str(tmp_path / "report.md")])
    main(["events", "--deployment", "switchboard", "--numbers", "+18005550199"])
    main(["keys"])
    asked = {tuple(words[1:]) for words in programs.asked("az")}
    assert len(asked) > 12
    assert parsed(python, [list(words) for words in sorted(asked)], tmp_path) == {}


def test_a_command_that_the_cli_does_not_have_is_found(python: Path, tmp_path: Path) -> None:
    wrong = [
        ["functionapp", "scale", "set", "--name", "x"],
        ["functionapp", "function", "list", "--resource-groups", "x", "--name", "y"],
        ["eventgrid", "system-topic", "list", "--resource-group"],
    ]
    assert len(parsed(python, wrong, tmp_path)) == 3
