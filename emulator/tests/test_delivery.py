"""In which order events go out, and what holds them up: apps that do not respond, faults, handshakes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
from aiohttp import web

from acs_emulator.calls.ring import INCOMING_DELAY
from acs_emulator.core.clock import Clock
from acs_emulator.core.tasks import Tasks
from acs_emulator.events import callbacks
from acs_emulator.events.callbacks import HELD_UP, CallbackLane, CallbackSender
from acs_emulator.events.faults import Faults, parse_faults
from acs_emulator.events.log import Attempt, Delivery, Log
from acs_emulator.testing import running_async
from emulator.tests.support import OWNED, SPEED, Application, Wire


@asynccontextmanager
async def serving(handler: Callable[[web.Request], Any]) -> AsyncIterator[str]:
    """The base address of a server that answers every POST by the handler."""
    app = web.Application()
    app.router.add_post("/{rest:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


class Slow(CallbackSender):
    """Takes its time for each attempt and writes down what it has sent."""

    def __init__(self, speed: float = 1.0, seconds: float = 0.05) -> None:
        self.clock = Clock(speed)
        self.log = Log()
        self.faults = Faults(1)
        self.tasks = Tasks()
        self.sent: list[str] = []
        self._seconds = seconds

    async def attempt(self, delivery: Delivery, *, pretend: Any = None) -> bool:
        self.sent.append(delivery.id)
        await asyncio.sleep(self._seconds)
        delivery.attempts.append(Attempt(0, status=200))
        return True


def event(number: int, kind: str = "PlayCompleted") -> dict[str, Any]:
    return {"id": str(number), "type": f"Microsoft.Communication.{kind}"}


async def sent(sender: Slow, count: int) -> list[str]:
    async with asyncio.timeout(5):
        while len(sender.sent) < count:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.15)
    return sender.sent


async def test_events_are_sent_in_order_one_after_the_other() -> None:
    sender = Slow()
    lane = CallbackLane(sender, "leg")
    for number in range(6):
        lane.put(event(number), "http://app")
    assert await sent(sender, 6) == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize("seconds", [0.05, 0.08, 0.1, 0.12, 0.15])
async def test_what_is_held_back_goes_out_once_though_its_time_is_up_while_another_is_sent(seconds: float) -> None:
    sender = Slow()
    sender.faults.rules += parse_faults({"kind": "reorder", "seconds": seconds, "match": {"type": "CallConnected"}}, ())
    lane = CallbackLane(sender, "leg")
    for number in range(4):
        lane.put(event(number, "CallConnected"), "http://app")
    lane.put(event(4), "http://app")
    lane.put(event(5), "http://app")
    assert sorted(await sent(sender, 6)) == ["0", "1", "2", "3", "4", "5"]
    assert sender.sent[0] == "4"
    assert sender.tasks.crashes == []
    lane.put(event(6), "http://app")
    assert (await sent(sender, 7))[-1] == "6", "the lane still hears"


async def test_what_is_held_back_and_followed_by_nothing_goes_out_when_its_time_is_up() -> None:
    sender = Slow(speed=20)
    sender.faults.rules += parse_faults({"kind": "reorder", "seconds": 2}, ())
    lane = CallbackLane(sender, "leg")
    lane.put(event(0), "http://app")
    lane.close()
    assert await sent(sender, 1) == ["0"]


async def test_an_app_that_does_not_respond_gets_the_next_event_within_two_seconds(wire: Wire) -> None:
    arrived: list[tuple[str, float]] = []

    async def never(request: web.Request) -> web.Response:
        for one in await request.json():
            arrived.append((one["type"].rpartition(".")[2], time.monotonic()))
        await asyncio.sleep(60)
        return web.Response()

    async with serving(never) as base:
        body = {
            "targets": [{"phoneNumber": {"value": "+12065550107"}}],
            "sourceCallerIdNumber": {"value": OWNED},
            "callbackUri": f"{base}/api",
        }
        await wire.send("POST", "/calling/callConnections", body)
        async with asyncio.timeout(10):
            while len(arrived) < 3:
                await asyncio.sleep(0.02)
    names = [name for name, _ in arrived]
    assert names == ["CallConnected", "ParticipantsUpdated", "CallDisconnected"]
    waits = [later - earlier for (_, earlier), (_, later) in pairwise(arrived)]
    assert all(1.0 < wait < 3.0 for wait in waits), waits
    assert HELD_UP == 1.5


async def test_an_event_that_was_taken_without_a_response_is_not_sent_again(
    monkeypatch: pytest.MonkeyPatch, wire: Wire
) -> None:
    monkeypatch.setattr(callbacks, "ATTEMPT_TIMEOUT", 1.0)
    arrived: list[str] = []

    async def never(request: web.Request) -> web.Response:
        arrived.extend(one["id"] for one in await request.json())
        await asyncio.sleep(60)
        return web.Response()

    async with serving(never) as base:
        body = {
            "targets": [{"phoneNumber": {"value": "+12065550101"}}],
            "sourceCallerIdNumber": {"value": OWNED},
            "callbackUri": f"{base}/api",
        }
        await wire.send("POST", "/calling/callConnections", body)
        await wire.emulator.control.wait_for_deliveries(3)
        await asyncio.sleep(0.5)
        deliveries = await wire.emulator.control.deliveries()
    assert len(arrived) == len(set(arrived)) == 2
    errors = [attempt["error"] for one in deliveries[-2:] for attempt in one["attempts"]]
    assert errors == ["TimeoutError: no response within 1 s"] * 2


async def test_an_event_that_nobody_could_take_is_sent_again(application: Application, wire: Wire) -> None:
    body = {
        "targets": [{"phoneNumber": {"value": "+12065550101"}}],
        "sourceCallerIdNumber": {"value": OWNED},
        "callbackUri": "http://127.0.0.1:9/nobody",
    }
    await wire.send("POST", "/calling/callConnections", body)
    async with asyncio.timeout(10):
        while not [one for one in await wire.emulator.control.deliveries() if len(one["attempts"]) == 4]:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("text", "validated"),
    [
        ('{{"validationResponse": "{code}"}}', True),
        ("{{'validationResponse': '{code}'}}", True),
        ('{{ "ValidationResponse" : "{code}" }}', True),
        ("{{'validationResponse': 'another'}}", False),
        ("{code}", False),
        ("", False),
    ],
)
async def test_a_handshake_is_read_leniently(text: str, validated: bool) -> None:
    asked = asyncio.Event()

    async def shake(request: web.Request) -> web.Response:
        [one] = await request.json()
        asked.set()
        return web.Response(text=text.format(code=one["data"]["validationCode"]))

    async with serving(shake) as base, running_async(speed=SPEED, event_grid=f"{base}/grid") as emulator:
        await asked.wait()
        await emulator.control.wait_for_deliveries(1)
        await asyncio.sleep(0.05)
        [subscription] = (await emulator.control.state())["subscriptions"]
    assert subscription["validated"] is validated


async def test_an_incoming_call_comes_tens_of_milliseconds_after_the_response_to_who_caused_it(
    wire: Wire, application: Application
) -> None:
    user = "8:acs:00000000-0000-4000-8000-000000000000_00000026-0000-0000-0000-000000000001"
    body = {"targets": [{"communicationUser": {"id": user}}], "callbackUri": f"{application.base}/api"}
    await wire.send("POST", "/calling/callConnections", body)
    await application.incoming()
    [asked] = await wire.emulator.control.requests(operation="CreateCall")
    [told] = await wire.emulator.control.deliveries(type="IncomingCall")
    after = told["attempts"][0]["at_ms"] - (asked["at_ms"] + asked["ms"])
    assert after >= 30, "whatever the speed"
    assert INCOMING_DELAY == 0.04
