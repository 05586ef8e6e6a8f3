"""Every test but those in `tests/flows` runs the flows of `tests/fixtures/app`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import tests.fixtures.app
from devstack.azurite import Azurite

USERS = Path(__file__).parent / "flows"

tests.fixtures.app.use()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse to run the tests of both: a process has one package `flows`."""
    theirs = sum(item.path.is_relative_to(USERS) for item in items)
    if 0 < theirs < len(items):
        raise pytest.UsageError("tests/flows runs by itself: use `make test-flows`, and `make test` for the others.")


@pytest.fixture(scope="module")
def azurite_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """For a module that looks at everything that is stored."""
    with Azurite(log=tmp_path_factory.mktemp("azurite") / "azurite.log") as one:
        yield one
