"""One stack for the calls that can share it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from devstack.stack import OWN_HOST
from tests.e2e.line import Line, line


@pytest.fixture(scope="module")
def own_host() -> Sequence[str]:
    """The command of the host; a module may say otherwise."""
    return OWN_HOST


@pytest.fixture(scope="module")
def phone_line(tmp_path_factory: pytest.TempPathFactory, own_host: Sequence[str]) -> Iterator[Line]:
    with line(tmp_path_factory.mktemp("app"), own_host=own_host) as one:
        yield one
