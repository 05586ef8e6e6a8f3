"""One emulator and one listening application for all tests of a worker; a client of each kind for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from acs_emulator.testing import Control, Running, running
from emulator.tests.conformance.openapi.published import log_complaints
from emulator.tests.conformance.openapi.sink import Loop, Sink, listening
from emulator.tests.conformance.python_sdk.world import SPEED, Clients, World


@pytest.fixture(scope="session")
def loop() -> Iterator[Loop]:
    one = Loop()
    yield one
    one.close()


@pytest.fixture(scope="session")
def sink(loop: Loop) -> Iterator[Sink]:
    with listening(loop) as one:
        yield one


@pytest.fixture(scope="session")
def emulator(sink: Sink) -> Iterator[Running[Control]]:
    with running(speed=SPEED, event_grid=f"{sink.base}/eventgrid") as one:
        sink.trust(one.endpoint, one.resource_id)
        yield one


@pytest.fixture(params=["sync", "async"])
def clients(request: pytest.FixtureRequest, emulator: Running[Control], sink: Sink, loop: Loop) -> Iterator[Clients]:
    """After each test: all answers and events as published, all tokens good, nothing crashed, no call left."""
    emulator.control.reset()
    sink.callbacks.clear()
    sink.grid.clear()
    made = Clients(request.param, emulator, loop)
    yield made
    made.close()
    requests, deliveries = emulator.control.requests(), emulator.control.deliveries()
    assert log_complaints(requests, deliveries) == []
    assert sink.refused == []
    assert emulator.control.health()["crashes"] == []


@pytest.fixture
def world(clients: Clients, emulator: Running[Control], sink: Sink) -> World:
    return World(clients, clients.calls(), emulator, sink)
