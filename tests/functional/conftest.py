"""The app as a host sees it, fresh for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.app import App, running


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with running(tmp_path) as one:
        yield one
