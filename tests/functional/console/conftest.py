"""The app with a console, on a developer's machine and where five people have keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.calls import FLOWS
from tests.functional.api import TESTED
from tests.functional.app import App, running
from tests.functional.console.console import LOCAL, WITH_KEYS, Browser
from tests.functional.console.uses import flows_of_uses, settings
from tests.functional.test_recording_functions import Room


@pytest.fixture(autouse=True)
def flows() -> Iterator[None]:
    """In a context of its own: the test's `monkeypatch` would be undone after `app`, and put back its fakes."""
    with pytest.MonkeyPatch.context() as patch:
        for name, flow in TESTED.items():
            patch.setitem(FLOWS, name, flow)
        yield


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with running(tmp_path, recordings=Room().compose, **LOCAL) as one:
        yield one


@pytest.fixture
def browser(app: App) -> Browser:
    return Browser(app)


@pytest.fixture
def with_keys(tmp_path: Path) -> Iterator[App]:
    with flows_of_uses(), running(tmp_path, recordings=Room().compose, **WITH_KEYS, **settings(tmp_path)) as one:
        yield one


@pytest.fixture
def uses(tmp_path: Path) -> Iterator[App]:
    """The app with every use case that has pages."""
    with flows_of_uses(), running(tmp_path, recordings=Room().compose, **LOCAL, **settings(tmp_path)) as one:
        yield one
