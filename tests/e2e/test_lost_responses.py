"""Three hundred calls whose requests are carried out while the responses get lost, on hosts that die."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.losses.judge import judge
from bench.losses.run import run
from bench.losses.scenario import SCENARIOS
from bench.losses.told import told

pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.node,
    pytest.mark.xdist_group("e2e-losses"),
    pytest.mark.timeout(240),
]


@pytest.mark.parametrize("scenario", ["storage", "service", "all"])
def test_every_call_ends_as_its_phone_expects_and_nobody_sits_in_silence(scenario: str, tmp_path: Path) -> None:
    judgement = judge(run(SCENARIOS[scenario], tmp_path, calls=100, seed=7))
    assert not judgement.problems(), told(judgement)

    # What was to disturb the calls did.
    lost, wanted = judgement.gathered.lost, SCENARIOS[scenario]
    assert len(lost["table"]) >= 1000 * wanted.storage
    assert len(lost["emulator"]) >= 200 * wanted.service
    assert any(request.method == "POST" for request in lost["emulator"]) or not wanted.service
    outages = [outage.what for outage in judgement.gathered.outages]
    assert {"host 1 dead", "host 2 dead"} <= set(outages) or not wanted.kill_every
    assert outages.count("storage stalled") == (1 if wanted.stall else 0)
