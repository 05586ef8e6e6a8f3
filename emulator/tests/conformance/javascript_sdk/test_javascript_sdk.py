"""The official JavaScript client, by Node's own test runner."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from acs_emulator.core.config import DEVELOPMENT_ACCESS_KEY
from emulator.tests.conformance.openapi.published import NOT_EMULATED, ROOT, log_complaints

TESTS = Path(__file__).with_name("operations.test.mjs")
PACKAGES = ROOT / "node_modules" / "@azure" / "communication-call-automation"
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.long,
    pytest.mark.node,
    pytest.mark.xdist_group("javascript-sdk"),
    pytest.mark.skipif(NODE is None, reason="Node.js is not installed"),
]


@dataclass(frozen=True)
class Outcome:
    """What the run printed, and what its emulator had in its logs."""

    code: int
    report: str
    captured: dict[str, Any]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    assert PACKAGES.is_dir(), "node_modules has no @azure/communication-call-automation: run npm ci"
    capture = tmp_path_factory.mktemp("javascript") / "capture.json"
    command = [sys.executable, "-m", "acs_emulator", "--port", "0", "--speed", "20", "--seed", "1"]
    environment = {
        **os.environ,
        "EMULATOR_COMMAND": json.dumps(command),
        "ACCESS_KEY": DEVELOPMENT_ACCESS_KEY,
        "NOT_EMULATED": json.dumps(sorted(NOT_EMULATED)),
        "CAPTURE": str(capture),
    }
    assert NODE is not None
    run = subprocess.run(
        # Each test has its own limit, so that one that hangs is named.
        [NODE, "--test", "--test-timeout=30000", "--test-reporter=spec", str(TESTS)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    captured = json.loads(capture.read_text("utf-8")) if capture.exists() else {}
    return Outcome(run.returncode, run.stdout + run.stderr, captured)


def test_every_operation_works_with_the_javascript_client(outcome: Outcome) -> None:
    assert outcome.code == 0, outcome.report


def test_every_answer_and_event_of_that_run_is_as_published(outcome: Outcome) -> None:
    assert outcome.captured["crashes"] == []
    assert len(outcome.captured["requests"]) > 200
    assert log_complaints(outcome.captured["requests"], outcome.captured["deliveries"]) == []
