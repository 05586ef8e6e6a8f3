"""One stack for the calls that can share it, on the host's own back end and on Microsoft's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.line import Line, line


@pytest.fixture(scope="module")
def backend() -> str:
    """Which back end the host uses; a module may say otherwise."""
    return "native"


@pytest.fixture(scope="module")
def phone_line(tmp_path_factory: pytest.TempPathFactory, backend: str) -> Iterator[Line]:
    with line(tmp_path_factory.mktemp("app"), backend=backend) as one:
        yield one
