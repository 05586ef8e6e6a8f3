"""`make up`: ten lines, the conversation as it happens, a host that dies and comes again, and what --verbose adds."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from devstack.deployed import deployed
from tests.e2e.upped import ROOT, Upped
from tests.fixtures.app import FOLDER

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.node, pytest.mark.xdist_group("e2e-up")]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("app")
    return deployed(folder, {}, (FOLDER / "routing.yaml").read_text("utf-8"), own=FOLDER)


@pytest.fixture(scope="module")
def up(app: Path) -> Iterator[Upped]:
    with Upped(app) as running:
        yield running
    assert running.code == 0


def place(up: Upped, *script: dict[str, Any]) -> None:
    """A phone calls the front desk."""
    body = {"from": "+14255550123", "to": "+18005550199", "script": script}
    requests.post(f"http://127.0.0.1:{up.emulator_port}/emulator/calls", json=body, timeout=10).raise_for_status()


def host_of(up: Upped) -> int:
    """The process of the host."""
    found = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, timeout=10, check=True).stdout
    (line,) = [one for one in found.splitlines() if f"devstack.host --port {up.host_port} " in one]
    return int(line.split()[0])


def test_ten_lines_say_where_everything_is_and_what_to_try(up: Upped) -> None:
    text = up.printed()
    told = text[text.index("Switchboard is up") :].splitlines()[:10]
    shown = "\n".join(told)
    host, emulator = f"http://127.0.0.1:{up.host_port}", f"http://127.0.0.1:{up.emulator_port}"
    for where in (f"{emulator}/ ", f"{host}/api/console ", f"{host}/api ", f"{host}/api/console/api", "Logs", "curl"):
        assert where in shown
    assert "\x1b[" not in text, "no colour where there is no terminal"
    assert len(text[: text.index("Switchboard is up")].splitlines()) <= 2
    for path in ("/api/console", "/api/console/api", "/api/openapi.json"):
        assert requests.get(host + path, timeout=10).status_code == 200
    (command,) = re.findall(r"^  (curl .*)$", shown, re.MULTILINE)
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=20, check=True)
    assert "correlationId" in done.stdout
    up.until(r"see +http")


def test_a_call_is_told_as_it_happens_and_ends_with_where_its_page_is(up: Upped) -> None:
    place(up, {"when": "asked", "after": 0.5, "press": "1"})
    told = up.until(rf"see +http://127\.0\.0\.1:{up.host_port}/api/console/calls/\w+")
    lines = [re.sub(r"^\d\d:\d\d:\d\d +\d+ +", "", line) for line in told.splitlines()]
    for wanted in (
        "+14255550123  calls      +14255550123 calls +18005550199",
        "app           answers",
        "app           asks       Welcome to Contoso.",
        "+14255550123  presses    1",
        "app           plays      Thank you.",
        "service       ends",
    ):
        assert any(line.startswith(wanted) for line in lines), f"{wanted} is not in\n{told}"
    assert "Executing 'Functions" not in up.printed()
    up.until(r"host \| .*closed call=\w+ outcome=completed result=call_back")


def test_a_host_that_is_killed_in_a_call_comes_again_and_the_call_goes_on(up: Upped) -> None:
    place(up, {"when": "asked", "after": 4, "press": "2"})
    up.until("app +asks")
    os.kill(host_of(up), signal.SIGKILL)
    up.until(r"host ended by itself \(exit code -9\)\. It starts again")
    up.until("It is up again, and the storage has stayed")
    page = up.until(r"see +http\S+/api/console/calls/\w+")
    assert "plays      Thank you. Our support team" in page
    up.until(r"closed call=\w+ outcome=completed result=call_back")
    calls = requests.get(f"{up.base_url}/api/calls", timeout=10).json()["calls"]
    assert calls[0]["result"] == "call_back"
    assert len(calls) > 1, "those of before are still there"


def test_verbose_tells_each_run_of_a_function_and_every_address(app: Path) -> None:
    with Upped(app, ["--verbose", "--no-streams"]) as up:
        place(up, {"when": "asked", "press": "1"})
        up.until(r"Executed 'Functions\.incoming_call' \(Succeeded")
        text = up.printed()
    for shown in ("Access key", "Certificate", "incoming_call: eventGridTrigger"):
        assert shown in text


def test_the_demo_of_crashes_goes_on_as_if_nothing_had_happened() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "devstack", "demo", "--use", "crash"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for shown in ("Host 2 is killed", "Host 3 is killed as well", "nothing twice", "went as scripted", "USE=reminders"):
        assert shown in done.stdout
