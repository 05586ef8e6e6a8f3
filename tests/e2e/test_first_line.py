"""docs/first-line.md, followed word for word: its files, its commands, and what it says that one sees."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from devstack.deployed import deployed
from tests.e2e.upped import Upped
from tests.fixtures.app import FOLDER

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.node, pytest.mark.xdist_group("e2e-first-line")]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "first-line.md").read_text("utf-8")
"""The page, as its reader has it."""


def block(language: str, containing: str) -> str:
    """The block of the page that has these words."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (one,) = [text for text in found if containing in text]
    return str(one)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one has after the third step."""
    routes = (FOLDER / "routing.yaml").read_text("utf-8")
    rule = block("yaml", "the bakery")
    assert routes.count("rules:\n") == 1
    folder = tmp_path_factory.mktemp("app")
    deployed(folder, {"bakery": block("python", '@flow("bakery"')}, routes.replace("rules:\n", rule), own=FOLDER)
    return folder


@pytest.fixture(scope="module")
def up(app: Path) -> Iterator[Upped]:
    with Upped(app) as running:
        yield running


def test_the_rehearsal_of_the_page_passes(app: Path) -> None:
    tests = app / "rehearsals"
    tests.mkdir()
    (tests / "test_bakery.py").write_text(block("python", "def test_a_bread"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(app), str(tests)]
    done = subprocess.run(
        [*command, "-k", "bakery"],
        cwd=app,
        env={"PYTHONPATH": str(app), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_the_call_of_the_page_is_told_kept_recorded_and_reported(up: Upped) -> None:
    asked = command_of("/emulator/calls")
    subprocess.run(["bash", "-c", up.at_its_ports(asked)], check=True, capture_output=True, timeout=20)
    said = up.until(r"app +plays +One rye bread is yours at five")
    assert "presses    1" in said
    page = up.until(r"see +(http://127\.0\.0\.1:\d+/api/console/calls/\w+)")
    link = re.search(r"http://\S+/api/console/calls/\w+", page)
    assert link is not None
    assert "One rye bread" in requests.get(link[0], timeout=10).text

    (call,) = shell(up, "/api/calls?limit=1")["calls"]
    assert (call["flow"], call["result"]) == ("bakery", "ordered")
    reports = wait_for(lambda: shell(up, "/api/reports?limit=1")["reports"], 60)
    assert reports[0]["call_id"] == call["id"]
    assert requests.get(up.base_url + reports[0]["links"]["page"], timeout=10).status_code == 200


def test_a_text_that_is_changed_is_heard_in_the_next_call_and_a_mistake_is_told_by_its_line(
    up: Upped, app: Path
) -> None:
    flow = app / "flows" / "bakery.py"
    text = flow.read_text("utf-8")
    flow.write_text(text.replace("at five", "at six"))
    up.until(r"bakery\.py changed: the host starts again")
    up.until("The host is up again")
    asked = command_of("/emulator/calls")
    subprocess.run(["bash", "-c", up.at_its_ports(asked)], check=True, capture_output=True, timeout=20)
    up.until(r"app +plays +One rye bread is yours at six")
    seen = len(up.printed())
    flow.write_text(text.replace("BREADS = [", "BREADS = BREAD + ["))
    up.until(r"flows/bakery\.py:7: NameError: name 'BREAD' is not defined")
    told = up.printed()[seen:]
    assert "importlib" not in told
    assert "Traceback" not in told
    flow.write_text(text)
    up.until("The host is up again")


def command_of(words: str) -> str:
    return block("sh", words)


def shell(up: Upped, words: str) -> Any:
    """What a command of the page prints, as JSON."""
    command = up.at_its_ports(command_of(words))
    done = subprocess.run(["bash", "-c", command], check=True, capture_output=True, text=True, timeout=20)
    return json.loads(done.stdout)


def wait_for(found: Callable[[], Any], seconds: float) -> Any:
    end = time.monotonic() + seconds
    while not (one := found()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.2)
    return one
