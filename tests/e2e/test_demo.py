"""`make demo`, as a newcomer runs it: the call and its report come out as scripted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.deployed import deployed
from tests.fixtures.app import FOLDER

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.node, pytest.mark.timeout(180)]
ROOT = Path(__file__).parents[2]


def test_the_demo_shows_a_whole_call_and_ends_well(tmp_path: Path) -> None:
    app = deployed(tmp_path, {}, (FOLDER / "routing.yaml").read_text("utf-8"), own=FOLDER)
    done = subprocess.run(
        [sys.executable, "-m", "devstack", "demo", "--app-root", str(app)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for shown in (" s  ", "presses", "plays", "hangs up", "journal.json", "went as scripted", "report.html"):
        assert shown in done.stdout
    assert json.loads((ROOT / ".switchboard" / "demo" / "journal.json").read_text("utf-8"))["flow"] == "support"
    assert "make demo USE=crash" in done.stdout
