"""`make demo USE=masking`, as a newcomer runs it: all calls come out as scripted, no real number is in the log."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.node, pytest.mark.timeout(180)]
ROOT = Path(__file__).parents[2]


def test_the_demo_of_masked_numbers_goes_as_scripted() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "devstack", "demo", "--use", "masking"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for shown in ("joined", "closed", "that have a real number: 0.", "All calls went as scripted."):
        assert shown in done.stdout
