"""One class declares an operation: what the app makes of it is derived from there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_an_operation_that_is_declared_once_is_in_openapi_functions_rehearsal_and_calls() -> None:
    """In a process of its own, for by now this one has derived everything from what the service has."""
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.functional.whisper"]
    run = subprocess.run(
        [sys.executable, *command, "tests/functional/whisper_checks.py"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "16 passed" in run.stdout
