"""From a key that a caller presses to the flow that waits for it, by way of the streams service; and by a queue.

A phone of the emulator presses keys, one every half second. Of each the flow notes the time when it has heard it, and
once more after a sleep: a sleep ends by a message of the app's queue that becomes visible, so what it takes longer is
what a queue would add.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests

from acs_emulator.testing import Control
from bench.callers import NUMBER, running
from bench.report import Row, percentile
from devstack.deployed import deployed
from devstack.stack import Stack

CALLER = "+14255550187"
SLEEP_SECONDS = 0.2
FLOW = f'''
"""A flow that notes when it hears a key."""

import time

from shared.calls import Call, flow
from shared.calls.actions import MediaStreaming


@flow("timed", opens=True)
async def timed(call: Call) -> None:
    """Notes the time of each key, and of the end of a sleep after it."""
    await call.answer(media_streaming=MediaStreaming(channel="mixed", start=True, dtmf_tones=True))
    while True:
        await call.signal("dtmf")
        await call.run(time.time)
        await call.sleep({SLEEP_SECONDS})
        await call.run(time.time)
'''
ROUTES = "rules:\n  - {name: all, answer: timed}\n"


def measure(quick: bool) -> Iterator[Row]:
    """The rows of this measurement."""
    with TemporaryDirectory() as folder:
        root = deployed(Path(folder), {"timed": FLOW}, ROUTES)
        with running(app_root=root, streams=True, seed=7) as stack:
            pressed, noted = _press(stack, 20 if quick else 100)
    heard = [(at - since) * 1000 for since, at in zip(pressed, noted[::2], strict=True)]
    queued = [(woken - at - SLEEP_SECONDS) * 1000 for at, woken in zip(noted[::2], noted[1::2], strict=True)]
    for name, values in (("key → flow", heard), ("queue message → flow", queued)):
        for share in (0.5, 0.95):
            yield Row("streams", f"{name}, p{round(share * 100)}", percentile(values, share), "ms")


def _press(stack: Stack, count: int) -> tuple[list[float], list[float]]:
    """When each key was pressed, and what the flow noted, without those that warm everything up."""
    control, warm = Control(stack.emulator_url), 5
    call = control.place_call(CALLER, NUMBER)
    _until(lambda: _sockets(stack) == 1)
    pressed = []
    phone = _until(lambda: _phone(control, call["correlationId"]))
    for _ in range(count + warm):
        pressed.append(time.time())
        control.press(phone, "5")
        time.sleep(0.5)
    time.sleep(1.0)
    listed = requests.get(f"{stack.base_url}/api/calls", timeout=30).json()["calls"]
    journal = requests.get(f"{stack.base_url}/api/calls/{listed[0]['id']}/journal", timeout=30).json()["journal"]
    noted = [float(entry["value"]) for entry in journal if entry["entry"] == "answered"]
    return pressed[warm:], noted[2 * warm :]


def _phone(control: Control, correlation_id: str) -> str:
    calls = [one for one in control.state()["calls"] if one["correlationId"] == correlation_id and one["legs"]]
    return str(calls[0]["legs"][0]["callConnectionId"]) if calls else ""


def _sockets(stack: Stack) -> int:
    address = stack.streams_url.replace("ws", "http", 1)
    return int(requests.get(f"{address}/health", timeout=10).json()["audio"])


def _until(look: Any) -> Any:
    deadline = time.monotonic() + 30
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError("the call does not stream")
        time.sleep(0.05)
    return found
