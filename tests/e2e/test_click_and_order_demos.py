"""`make demo USE=click` and `USE=order`, as a newcomer runs them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.node, pytest.mark.timeout(240)]
ROOT = Path(__file__).parents[2]

SHOWN = {
    "click": ("data-token=", "presses", "completed", "no_agent", "from another page: 403", "Figures of the day"),
    "order": ("presses", "3 roses, 5 tulips", "20.50", "stands 0 times", "'person'"),
}


@pytest.mark.parametrize(("use", "shown"), SHOWN.items())
def test_a_demo_shows_the_use_case_and_ends_well(use: str, shown: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "devstack", "demo", "--use", use],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for words in (*shown, "went as scripted"):
        assert words in done.stdout
