"""The distribution as a stranger gets it: installed into an empty environment, then run."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import acs_emulator
from acs_emulator.core.config import DEVELOPMENT_ACCESS_KEY
from emulator.tests.support import signed

DISTRIBUTION = Path(__file__).parents[1]
LOCK = DISTRIBUTION.parent / "requirements-dev.txt"
MOST_BYTES = 150_000_000
"""What an installation may take, pip apart."""

pytestmark = [pytest.mark.long, pytest.mark.timeout(600), pytest.mark.xdist_group("emulator-install")]


def pip(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


def pins() -> list[str]:
    """What the lock has, as `name==version`."""
    return re.findall(r"^(\S+==\S+)", LOCK.read_text("utf-8"), re.MULTILINE)


def no_package_index(folder: Path) -> bool:
    """Whether not even a small package comes, and tests may be skipped for that: they may not in CI."""
    if os.environ.get("PACKAGE_INDEX") == "required":
        return False
    (smallest,) = (pin for pin in pins() if pin.startswith("flit-core=="))
    return bool(pip("download", "--no-cache-dir", "--no-deps", "--dest", str(folder), smallest).returncode)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with nothing in it but the emulator and what it pulls in, in the versions of the lock.

    Skipped where no package index can be reached, unless PACKAGE_INDEX is `required`, as it is in CI.
    """
    folder = tmp_path_factory.mktemp("installed")
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(pins()), "utf-8")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "environment"], check=True)
    python = folder / "environment" / "bin" / "python"
    run = pip("--python", str(python), "install", str(DISTRIBUTION), PIP_CONSTRAINT=str(constraints))
    if run.returncode and no_package_index(folder):
        pytest.skip("no package index can be reached")
    assert run.returncode == 0, run.stderr
    return folder / "environment"


@pytest.fixture(scope="module")
def endpoint(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the installed command listens; it ends well when it is told to."""
    command = [str(installed / "bin" / "acs-emulator"), "--port", "0"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "EMULATOR_"))}
    folder = tmp_path_factory.mktemp("anywhere")
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        try:
            yield first.removeprefix("Emulator listening on ").strip()
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def test_the_installed_command_serves(endpoint: str) -> None:
    with urllib.request.urlopen(f"{endpoint}/emulator/health", timeout=30) as response:
        assert json.load(response)["status"] == "ok"


def test_the_published_schemas_are_in_the_package(endpoint: str) -> None:
    path, body = "/calling/callConnections:answer?api-version=2026-03-12", b"{}"
    headers = signed(endpoint, DEVELOPMENT_ACCESS_KEY, "POST", path, body)
    request = urllib.request.Request(endpoint + path, body, {**headers, "Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)
    with refused.value as response:
        assert response.code == 400
        assert "callbackUri" in response.read().decode()


def test_a_prompt_is_spoken_with_what_is_installed(installed: Path) -> None:
    code = (
        "import asyncio; from acs_emulator.audio import Studio; studio = Studio();"
        "print(asyncio.run(studio.speak('hello', locale='en-US', voice=None)).duration > 0.2)"
    )
    run = subprocess.run([installed / "bin" / "python", "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "True\n"


def test_a_storage_of_ones_own_names_the_extra_that_it_needs(installed: Path) -> None:
    command = [str(installed / "bin" / "acs-emulator"), "--storage-connection-string", "UseDevelopmentStorage=true"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert run.returncode == 2
    assert run.stderr == ("acs-emulator: --storage-connection-string: needs pip install 'acs-emulator[storage]'.\n")


def test_the_version_is_that_of_the_package(installed: Path) -> None:
    run = subprocess.run([installed / "bin" / "acs-emulator", "--version"], capture_output=True, text=True, check=True)
    assert run.stdout == f"acs-emulator {acs_emulator.__version__}\n"
    (metadata,) = installed.glob("lib/python*/site-packages/acs_emulator-*.dist-info")
    assert metadata.name == f"acs_emulator-{acs_emulator.__version__}.dist-info"


def test_an_installation_is_small_and_brings_no_tests_and_no_app(installed: Path) -> None:
    (packages,) = installed.glob("lib/python*/site-packages")
    assert sum(path.stat().st_size for path in packages.rglob("*") if path.is_file()) < MOST_BYTES
    names = {path.name for path in packages.iterdir()}
    assert "acs_emulator" in names
    assert not names & {"pip", "tests", "emulator", "shared", "handlers", "lameenc", "pocketsphinx", "azure"}
