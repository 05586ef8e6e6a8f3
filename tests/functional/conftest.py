"""The app as a host sees it, fresh for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.calls import FLOWS
from shared.composition import board
from tests.functional.api import TESTED
from tests.functional.app import App, running


@pytest.fixture(autouse=True)
def nothing_stays_patched() -> Iterator[None]:
    """What a test patches of the composition must not reach the next test: patches undone in a wrong order would."""
    before = board.compose
    yield
    assert board.compose is before


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with running(tmp_path) as one:
        yield one


@pytest.fixture
def keyless(tmp_path: Path) -> Iterator[App]:
    """The app without a key for hashes of numbers."""
    with running(tmp_path, NUMBER_HASH_KEY="") as one:
        yield one


@pytest.fixture
def tested_flows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The flows of these tests stand among those of the app."""
    for name, flow in TESTED.items():
        monkeypatch.setitem(FLOWS, name, flow)
