"""`make demo USE=handoff`: a caller by direct routing, a message, and a call back, all as scripted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.node, pytest.mark.timeout(240)]
ROOT = Path(__file__).parents[2]


def test_the_demo_of_the_hand_off_goes_as_scripted() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "devstack", "demo", "--use", "handoff"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for shown in (
        "X-MS-Custom-Case: ",
        '"said": "my invoice is wrong"',
        "called_back, by Ada",
        "called back          2",
    ):
        assert shown in done.stdout
