"""The unit and functional tests on the other versions of Python that Azure Functions runs, where they are installed."""

from __future__ import annotations

import os
import subprocess

import pytest

from devstack.azurite import ROOT
from tests.environments import Unavailable, development_environment, python_of

MINUTES = 40
pytestmark = [pytest.mark.long, pytest.mark.node, pytest.mark.timeout(MINUTES * 60)]


@pytest.mark.parametrize("version", ["3.12", "3.13"])
@pytest.mark.xdist_group("other-pythons")
def test_the_unit_and_functional_tests_pass_on(version: str) -> None:
    if (base := python_of(version)) is None:
        pytest.skip(f"there is no Python {version} on this machine")
    try:
        python = development_environment(base)
    except Unavailable as error:
        pytest.skip(str(error))
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHONPATH"))}
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "2", "--dist", "loadgroup", "-m", "not long",
         "tests/unit", "tests/functional"],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-2000:]}"
