"""Settings of the app that are wrong end the host on a developer's machine before it serves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("host", ["devstack.host", "tests.conformance.host.oracle"])
def test_the_host_says_a_line_for_each_wrong_setting_and_ends(host: str) -> None:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", host, "--port", "0", "--settings", "none.json"],
        cwd=ROOT,
        env={**kept, "FUNCTIONS_WORKER_RUNTIME": "python", "ACS_RESOURCE_ID": "contoso"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "Listening" not in done.stdout
    assert done.stderr.splitlines() == [
        "error: the settings are wrong.",
        "AzureWebJobsStorage: is missing",
        "ACS_ENDPOINT: is missing",
        "ACS_RESOURCE_ID: must be a GUID: `az communication show --query immutableResourceId` prints it",
        "CALLBACK_BASE_URL: is missing",
        "CALLBACK_SIGNING_KEY: is missing",
        "See docs/settings.md.",
    ]
