"""An application for the emulator to talk to, and the emulator itself, in the test's event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest

from acs_emulator.testing import AsyncControl, Running, running_async
from emulator.tests.support import CALLER, COGNITIVE, OWNED, SPEED, Application, Desk, Wire, listening


@pytest.fixture(scope="session", autouse=True)
def no_data_of_the_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Emulators that tests start keep their certificate elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture
async def application() -> AsyncIterator[Application]:
    async with listening() as one:
        yield one


@pytest.fixture
async def emulator(application: Application) -> AsyncIterator[Running[AsyncControl]]:
    async with running_async(speed=SPEED, event_grid=f"{application.base}/eventgrid") as one:
        yield one
        assert (await one.control.health())["crashes"] == []


@pytest.fixture
async def wire(emulator: Running[AsyncControl]) -> AsyncIterator[Wire]:
    async with aiohttp.ClientSession() as session:
        yield Wire(emulator, session)


@pytest.fixture
async def answered(emulator: Running[AsyncControl], application: Application, wire: Wire) -> Any:
    """A function that places a call with a script and answers it."""

    async def place(script: Any = (), *, cognitive: bool = True, caller: str = CALLER) -> Desk:
        call = await emulator.control.place_call(caller, OWNED, script)
        incoming = await application.incoming(len(application.grid_named("IncomingCall")) + 1)
        body = {
            "incomingCallContext": incoming["incomingCallContext"],
            "callbackUri": f"{application.base}/api/calls",
            "operationContext": "answer",
            **({"callIntelligenceOptions": COGNITIVE} if cognitive else {}),
        }
        status, answer, _ = await wire.send("POST", "/calling/callConnections:answer", body)
        assert status == 200, answer
        leg = answer["callConnectionId"]
        await application.event("CallConnected", leg)
        return Desk(wire, application, leg, call["id"], answer)

    return place
