"""`make demo USE=reminders` and `USE=outreach`, as a newcomer runs them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from devstack.deployed import deployed
from tests.fixtures.app import FOLDER

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.node, pytest.mark.timeout(240)]
ROOT = Path(__file__).parents[2]


SHOWN = {
    "reminders": ("calls back", "A-01 has cancelled now", "wants_another_time", "The calendar has moved A-03 to"),
    "outreach": ("web form", "suppressed"),
}


@pytest.mark.parametrize(("use", "shown"), SHOWN.items())
def test_a_demo_shows_a_whole_campaign_and_ends_well(use: str, shown: tuple[str, ...], tmp_path: Path) -> None:
    app = deployed(tmp_path, {}, (FOLDER / "routing.yaml").read_text("utf-8"), own=FOLDER)
    done = subprocess.run(
        [sys.executable, "-m", "devstack", "demo", "--use", use, "--app-root", str(app)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for words in ("The file has", "Dry run: Today", "presses", "Progress:", "went as scripted", *shown):
        assert words in done.stdout
