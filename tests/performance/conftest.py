"""Azurite for the budgets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.azurite import Azurite


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The connection string of an Azurite of this module's own."""
    logs: Path = tmp_path_factory.mktemp("azurite")
    with Azurite(log=logs / "azurite.log") as azurite:
        yield azurite.connection_string
