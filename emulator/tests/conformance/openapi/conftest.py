"""An emulator of its own for the fuzz, with an application that listens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from acs_emulator.testing import Control, Running, running
from emulator.tests.conformance.openapi.sink import Loop, Sink, listening


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    loop = Loop()
    with listening(loop) as one:
        yield one
    loop.close()


@pytest.fixture(scope="module")
def emulator(sink: Sink) -> Iterator[Running[Control]]:
    with running(speed=50, event_grid=f"{sink.base}/eventgrid") as one:
        sink.trust(one.endpoint, one.resource_id)
        yield one
