"""From a key that a caller presses to the flow that waits for it, by way of the streams service; and by a queue.

A phone of the emulator presses keys, one every half second. Of each the flow notes the time when it has heard it. In a
second call it then sleeps for a millisecond and notes the time once more: a sleep ends by a message of the app's queue,
so that is what a queue would take for each key.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests

from acs_emulator.testing import Control
from bench.callers import running
from bench.report import Row, percentile
from devstack.deployed import deployed
from devstack.stack import Stack

CALLER = "+14255550187"
KEYS, QUEUE = "+18005550121", "+18005550122"
FLOWS = '''
"""Flows that note when they hear a key."""

import time

from shared.calls import Call, flow
from shared.calls.actions import MediaStreaming

STREAMED = MediaStreaming(channel="mixed", start=True, dtmf_tones=True)


@flow("timed_keys", opens=True)
async def timed_keys(call: Call) -> None:
    """Notes the time of each key."""
    await call.answer(media_streaming=STREAMED)
    while True:
        await call.signal("dtmf")
        await call.run(time.time)


@flow("timed_queue", opens=True)
async def timed_queue(call: Call) -> None:
    """Notes the time of each key, and that at which a message of the queue has come."""
    await call.answer(media_streaming=STREAMED)
    while True:
        await call.signal("dtmf")
        await call.run(time.time)
        await call.sleep(0.001)
        await call.run(time.time)
'''
ROUTES = f"""
rules:
  - {{name: keys, to: "{KEYS}", answer: timed_keys}}
  - {{name: queue, to: "{QUEUE}", answer: timed_queue}}
"""
WARM = 5
"""Keys that are left out: they make connections."""


def measure(quick: bool) -> Iterator[Row]:
    """The rows of this measurement."""
    count = 20 if quick else 100
    with TemporaryDirectory() as folder:
        root = deployed(Path(folder), {"timed": FLOWS}, ROUTES)
        with running(app_root=root, streams=True, seed=7) as stack:
            pressed, noted = _press(stack, KEYS, count + WARM)
            _, queued = _press(stack, QUEUE, count + WARM)
    heard = [(at - since) * 1000 for since, at in zip(pressed, noted, strict=True)]
    woken = [(after - before) * 1000 for before, after in zip(queued[::2], queued[1::2], strict=True)]
    for name, values in (("key → flow", heard), ("queue message → flow", woken)):
        for share in (0.5, 0.95):
            yield Row("streams", f"{name}, p{round(share * 100)}", percentile(values[WARM:], share), "ms")


def _press(stack: Stack, number: str, count: int) -> tuple[list[float], list[float]]:
    """When each key of a call was pressed, and what the flow noted."""
    control = Control(stack.emulator_url)
    call = control.place_call(CALLER, number)
    _until(lambda: _sockets(stack) == 1)
    phone = _until(lambda: _phone(control, call["correlationId"]))
    pressed = []
    for _ in range(count):
        pressed.append(time.time())
        control.press(phone, "5")
        time.sleep(0.5)
    time.sleep(1.0)
    listed = requests.get(f"{stack.base_url}/api/calls", timeout=30).json()["calls"]
    call_id = max(listed, key=lambda one: one["started_at"])["id"]
    journal = requests.get(f"{stack.base_url}/api/calls/{call_id}/journal", timeout=30).json()["journal"]
    control.hang_up(phone)
    _until(lambda: not _sockets(stack))
    return pressed, [float(entry["value"]) for entry in journal if entry["entry"] == "answered" and entry["value"]]


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
