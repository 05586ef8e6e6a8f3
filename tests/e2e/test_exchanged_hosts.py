"""Forty calls that are up while the hosts are exchanged, one after the other, as a deployment does."""

from __future__ import annotations

import subprocess
import tarfile
from collections import Counter
from pathlib import Path

import pytest

from bench.losses.judge import judge
from bench.losses.run import run_over_exchange
from bench.losses.told import told
from devstack.azurite import ROOT

pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.node,
    pytest.mark.xdist_group("e2e-losses"),
    pytest.mark.timeout(480),
]

CALLS = 40
AS_0_2_0_WROTE = "b4e673abd01cbddad9160fd7c1570b03176922a1"
"""The commit whose app wrote tests/fixtures/as_written/0_2_0."""


@pytest.fixture(params=["this version", "0.2.0"])
def before(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The tree on which the calls begin."""
    if request.param == "this version":
        return ROOT
    packed, tree = tmp_path / "before.tar", tmp_path / "tree"
    made = subprocess.run(
        ["git", "archive", "--output", packed, AS_0_2_0_WROTE], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"this clone has no {AS_0_2_0_WROTE[:7]} (git fetch --unshallow brings it): {made.stderr.strip()}")
    with tarfile.open(packed) as archive:
        archive.extractall(tree, filter="data")
    return tree


def test_forty_calls_that_are_up_while_the_hosts_are_exchanged_end_as_their_phones_expect(
    before: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "apps"
    folder.mkdir()
    judgement = judge(run_over_exchange(folder, before))
    found = judgement.gathered
    assert len(judgement.verdicts) == CALLS
    # How long somebody heard nothing depends on the machine; `python -m bench.losses` measures it.
    assert (judgement.wrong, found.left_up, found.left_open) == ([], [], []), told(judgement)
    assert [one.turn for verdict in judgement.verdicts for one in verdict.twice if not one.why] == [], told(judgement)
    assert [(outage.what, outage.up) for outage in found.outages][:1] == [("host 1 exchanged", CALLS)]
    assert [outage.what for outage in found.outages[1:]] == ["host 2 exchanged"]
    assert found.outages[1].up >= CALLS / 2, "the calls were over before the second host was exchanged"
    # A request that is sent again under its id is answered as before.
    carried_out = Counter(
        request["operationId"]
        for request in found.requests
        if request["status"] < 300 and not (request["note"] or "").startswith("repeated")
    )
    assert carried_out["CallRecording_StartRecording"] == carried_out["CallRecording_StopRecording"] == 7
    assert carried_out["CallConnection_TransferToParticipant"] == 7
