"""What unit tests of several packages need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from azure.core.pipeline.transport import HttpTransport

from devstack.azurite import Azurite


@pytest.fixture(scope="session")
def living_azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Azurite]]:
    """Gives the one of this worker; a new one when a test of the devstack has ended all its child processes."""
    started: list[Azurite] = []
    with ExitStack() as stack:

        def living() -> Azurite:
            if not started or not started[-1].process.alive:
                log = tmp_path_factory.mktemp("azurite") / "azurite.log"
                started.append(stack.enter_context(Azurite(log=log)))
            return started[-1]

        yield living


@pytest.fixture(scope="module")
def azurite(living_azurite: Callable[[], Azurite]) -> Azurite:
    """A storage that other modules use, too: whoever writes takes a prefix of its own."""
    return living_azurite()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds for which a client of an Azure SDK meant to wait between its tries. It does not."""
    meant: list[float] = []

    def sleep(_: object, duration: float) -> None:
        meant.append(duration)

    monkeypatch.setattr(HttpTransport, "sleep", sleep)
    return meant
