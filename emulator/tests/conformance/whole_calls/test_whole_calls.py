"""Every released client that apps use carries a whole call, from the connection string that the start prints.

Over https, with the certificate that the emulator has made, trusted as the start says.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from acs_emulator.testing import Control, Running, running
from emulator.tests.conformance.openapi.published import ROOT

HERE = Path(__file__).parent
#: Environments with one version of the Python client each, kept from run to run; `make clean` removes them.
CACHE = ROOT / ".switchboard" / "clients"
#: Versions of azure-communication-callautomation beside the one that the lock has.
RELEASED = ("1.1.0", "1.3.0", "1.4.0", "1.5.0", "1.6.0")
NODE = shutil.which("node")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass(frozen=True)
class Place:
    """An emulator with https, and where an app must listen."""

    emulator: Running[Control]
    app_port: int
    data: Path

    def carry(self, command: Sequence[str]) -> None:
        """Run an app that carries one call; it trusts the certificate in the way that the start prints."""
        bundle, certificate = self.data / "ca-bundle.pem", self.data / "localhost.pem"
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        environment = {
            **kept,
            "CONNECTION_STRING": self.emulator.connection_string,
            "CONTROL": self.emulator.endpoint,
            "APP_PORT": str(self.app_port),
            "REQUESTS_CA_BUNDLE": str(bundle),
            "SSL_CERT_FILE": str(bundle),
            "NODE_EXTRA_CA_CERTS": str(certificate),
        }
        told: list[str] = []
        self.emulator.service.problems.listeners.append(told.append)
        run = subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False
        )
        assert run.stdout == "carried\n", run.stderr + run.stdout
        assert self.emulator.control.health()["crashes"] == []
        assert {request["status"] for request in self.emulator.control.requests()} <= {200, 201, 202, 204, None}
        assert [line for line in told if "401" in line or "certificate" in line] == []


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    app_port, https_port = free_port(), free_port()
    with running(
        speed=4,  # a phone rings for 30 s of its time, and a first request takes a while on a busy machine
        https_port=https_port,
        recording_host=f"https://emulator.asm.skype.com:{https_port}",
        event_grid=f"http://127.0.0.1:{app_port}/eventgrid",
    ) as emulator:
        assert emulator.connection_string.startswith(f"endpoint=https://127.0.0.1:{https_port}/;accesskey=")
        yield Place(emulator, app_port, tmp_path / "acs-emulator")


@pytest.mark.parametrize("kind", ["sync", "aio"])
def test_the_python_client_of_the_lock_carries_a_whole_call(place: Place, kind: str) -> None:
    place.carry([sys.executable, str(HERE / "whole_call.py"), kind])


@pytest.mark.node
@pytest.mark.skipif(NODE is None, reason="Node.js is not installed")
def test_the_javascript_client_carries_a_whole_call(place: Place) -> None:
    assert NODE is not None
    place.carry([NODE, str(HERE / "whole_call.mjs")])


def installed(version: str) -> Path:
    """The Python of an environment that has this version of the client.

    Skipped where no package index can be reached, unless PACKAGE_INDEX is `required`, as it is in CI.
    """
    folder = CACHE / version
    python = folder / "bin" / "python"
    if (folder / "complete").exists():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    wanted = f"azure-communication-callautomation=={version}"
    run = subprocess.run(
        [*pip, "--python", str(python), "install", wanted, "aiohttp"], capture_output=True, text=True, check=False
    )
    if run.returncode and os.environ.get("PACKAGE_INDEX") != "required":
        probe = [*pip, "download", "--no-cache-dir", "--no-deps", "--dest", str(folder), wanted]
        if subprocess.run(probe, capture_output=True, check=False).returncode:
            pytest.skip("no package index can be reached")
    assert run.returncode == 0, run.stderr
    (folder / "complete").touch()
    return python


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.xdist_group("released-clients")
@pytest.mark.parametrize("kind", ["sync", "aio"])
@pytest.mark.parametrize("version", RELEASED)
def test_every_released_python_client_carries_a_whole_call(place: Place, version: str, kind: str) -> None:
    place.carry([str(installed(version)), str(HERE / "whole_call.py"), kind])
