"""Every test but those in `tests/flows` runs the flows of `tests/fixtures/app`."""

from __future__ import annotations

from pathlib import Path

import pytest

import tests.fixtures.app

USERS = Path(__file__).parent / "flows"

tests.fixtures.app.use()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse to run the tests of both: a process has one package `flows`."""
    theirs = sum(item.path.is_relative_to(USERS) for item in items)
    if 0 < theirs < len(items):
        raise pytest.UsageError("tests/flows runs by itself: use `make test-flows`, and `make test` for the others.")
