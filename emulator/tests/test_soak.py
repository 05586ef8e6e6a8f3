"""Two thousand calls while every fault of events strikes: nothing may break in the emulator."""

from __future__ import annotations

import asyncio
import gc
import logging
import tracemalloc
from typing import Any

import aiohttp
import pytest

from acs_emulator.testing import running_async
from emulator.tests.support import Application, Wire, listening

CALLS, AT_ONCE = 2000, 40
OWN = "+18005550199"
PEOPLE = [f"+120655501{number:02}" for number in (1, 2, 3, 5, 7, 8, 9, 10, 12, 13)]
FAULTS: list[dict[str, Any]] = [
    {"kind": kind, "probability": 0.15, "seconds": seconds, "match": {"channel": channel}}
    for channel in ("callbacks", "eventgrid")
    for kind, seconds in (("duplicate", 0), ("delay", 0.5), ("reorder", 0.5), ("drop", 0), ("status", 0))
]
#: Bytes that may be held more after the second half of the calls than after the first.
GROWTH = 6_000_000


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_two_thousand_calls_with_every_fault_of_events_leave_no_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    async with listening() as application:
        async with running_async(speed=200, event_grid=f"{application.base}/eventgrid") as emulator:
            async with aiohttp.ClientSession() as session:
                wire = Wire(emulator, session)
                await emulator.control.add_faults(*FAULTS)
                sizes = []
                tracemalloc.start()
                for half in range(2):
                    await many(wire, application, half * CALLS // 2, CALLS // 2)
                    await quiet(wire)
                    application.events.clear()
                    application.grid.clear()
                    application.tokens.clear()
                    application.grid_headers.clear()
                    emulator.service.log.clear()
                    emulator.service.timeline.clear()
                    gc.collect()
                    sizes.append(tracemalloc.get_traced_memory()[0])
                tracemalloc.stop()
                health = await emulator.control.health()
                state = await emulator.control.state()
                faults = (await emulator.control.request("GET", "/emulator/faults"))["faults"]
    assert health["crashes"] == []
    assert [record.getMessage() for record in caplog.records] == []
    assert (state["calls"], state["endedCalls"]) == ([], CALLS)
    assert all(fault["applied"] > 100 for fault in faults), "each fault has struck often"
    assert sizes[1] - sizes[0] < GROWTH


async def many(wire: Wire, application: Application, first: int, count: int) -> None:
    """Place calls, in and out, so many at a time."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with turn:
            await (outbound if number % 2 else inbound)(wire, application, number)

    async with asyncio.timeout(800):
        await asyncio.gather(*(one(number) for number in range(first, first + count)))


async def outbound(wire: Wire, application: Application, number: int) -> None:
    """The app calls somebody, plays something if they come, and hangs up."""
    who = {"phoneNumber": {"value": PEOPLE[number // 2 % len(PEOPLE)]}}
    body = {
        "targets": [who],
        "sourceCallerIdNumber": {"value": OWN},
        "callbackUri": f"{application.base}/api/calls",
        "callIntelligenceOptions": {"cognitiveServicesEndpoint": "https://speech.example.com"},
    }
    status, call, _ = await wire.send("POST", "/calling/callConnections", body)
    assert status == 201, call
    path = f"/calling/callConnections/{call['callConnectionId']}"
    while (looked := await wire.send("GET", path))[0] == 200 and looked[1]["callConnectionState"] == "connecting":
        await asyncio.sleep(0.02)
    ask = {
        "recognizeInputType": "dtmf",
        "playPrompt": {"kind": "text", "text": {"text": "Press one.", "voiceName": "en-US-JennyNeural"}},
        "recognizeOptions": {"targetParticipant": who, "dtmfOptions": {"maxTonesToCollect": 1}},
    }
    await wire.send("POST", f"{path}:recognize", ask)
    await asyncio.sleep(0.05)
    await wire.send("POST", f"{path}:terminate")


async def inbound(wire: Wire, application: Application, number: int) -> None:
    """Somebody calls, with a number of their own, and hangs up; the app rejects or answers if it hears of it."""
    caller = f"+1425555{number:04}"
    script = [{"after": 4, "press": "12#"}, {"after": 2, "hangUp": True}]
    call = await wire.emulator.control.place_call(caller, OWN, script)
    for _ in range(10):
        await asyncio.sleep(0.02)
        contexts = [
            event["data"]["incomingCallContext"]
            for event in application.grid_named("IncomingCall")[-3 * AT_ONCE :]
            if event["data"]["from"]["rawId"] == f"4:{caller}"
        ]
        if contexts:
            body = {"incomingCallContext": contexts[0], "callbackUri": f"{application.base}/api/calls"}
            await wire.send("POST", "/calling/callConnections:answer", body)
            return
    assert call["id"]


async def quiet(wire: Wire) -> None:
    """Wait until every call has ended and everything has been delivered or given up."""
    service = wire.emulator.service
    async with asyncio.timeout(300):
        while service.registry.calls or any(not one.attempts for one in service.log.deliveries):
            await asyncio.sleep(0.1)
