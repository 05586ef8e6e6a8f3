"""A running stack, and what a test does with it: call, wait for the end, read what was archived and asked for."""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableClient
from azure.storage.blob import ContainerClient

import devstack.deployed
from acs_emulator.testing import Control
from devstack.stack import Stack
from tests.fixtures.app import FOLDER

RECEPTION, BROKEN, NAPPING, LOOPING = "+18005550101", "+18005550102", "+18005550103", "+18005550104"
REJECTED, REDIRECTED, SENT_TO = "+18005550105", "+18005550106", "+15550100001"
LOST_REDIRECT = "+18005550107"

ROUTES = f"""
rules:
  - name: very important people
    context: {{X-MS-Custom-Tier: gold}}
    answer: napping
  - {{name: broken, to: "{BROKEN}", answer: broken}}
  - {{name: napping, to: "{NAPPING}", answer: napping}}
  - {{name: looping, to: "{LOOPING}", answer: looping}}
  - {{name: refused, to: "{REJECTED}", reject: busy}}
  - {{name: sent on, to: "{REDIRECTED}", redirect: "{SENT_TO}"}}
  - {{name: all the rest, answer: reception}}
"""

FLOWS = '''
"""Flows for the tests."""

from shared.calls import Call, flow, text


@flow("broken")
async def broken(call: Call) -> None:
    """Fails after its first words."""
    await call.play(text("One moment."))
    raise RuntimeError("a bug in the flow")


@flow("napping")
async def napping(call: Call) -> None:
    """Sleeps on the queue, then speaks."""
    await call.sleep(1)
    await call.play(text("Good morning."))


@flow("looping")
async def looping(call: Call) -> None:
    """Plays until the caller leaves."""
    await call.play(text("Please hold."), loop=True)
'''

APOLOGY = "We are sorry."
WATCHFUL = {"DISPATCH_GRACE_SECONDS": "2", "QUIET_SECONDS": "2", "WATCHDOG_SCHEDULE": "*/1 * * * * *"}
"""A watchdog that looks every second and soon."""

_callers = itertools.count(1)


def deployed(folder: Path) -> Path:
    """What is deployed, and nothing else, with one more module of flows and a routing file for the tests."""
    return devstack.deployed.deployed(folder, {"trials": FLOWS}, ROUTES, own=FOLDER)


class Line:
    """A stack with virtual phones."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.control = Control(stack.emulator_url)
        self._read: dict[str, dict[str, Any]] = {}

    def call(self, to: str = RECEPTION, script: Sequence[Mapping[str, Any]] = (), **more: Any) -> str:
        """A phone calls; gives the correlation id, by which the archive is found."""
        caller = f"+1425555{next(_callers):04d}"
        return self.control.place_call(caller, to, [dict(step) for step in script], **more)["correlationId"]

    def ended(self, *correlation_ids: str, within: float = 30) -> list[dict[str, Any]]:
        """The archived documents of these calls, once all are there."""
        with self._archive() as container:
            until(lambda: self._fetch(container, correlation_ids), within, lambda: self._missing(correlation_ids))
        return [self._read[correlation_id] for correlation_id in correlation_ids]

    def end(self, correlation_id: str, within: float = 30) -> dict[str, Any]:
        """The archived document of one call."""
        return self.ended(correlation_id, within=within)[0]

    def _archive(self) -> ContainerClient:
        return ContainerClient.from_connection_string(self.stack.connection_string, "switchboard-calls")

    def _fetch(self, container: ContainerClient, wanted: Sequence[str]) -> bool:
        known = {document["call_id"] for document in self._read.values()}
        try:
            names = [blob.name for blob in container.list_blobs() if not blob.name.startswith("entries/")]
        except ResourceNotFoundError:
            return False  # the container is made with the first archive
        for name in names:
            if Path(name).stem not in known:
                document = json.loads(container.download_blob(name, encoding="utf-8").readall())
                self._read[document["correlation_id"]] = document
        return all(correlation_id in self._read for correlation_id in wanted)

    def _missing(self, wanted: Sequence[str]) -> str:
        missing = [correlation_id for correlation_id in wanted if correlation_id not in self._read]
        return f"{len(missing)} of {len(wanted)} calls were not archived: {missing[:3]}; logs in {self.stack.logs}"

    def open_calls(self) -> list[str]:
        """What the watchdog has still to look after."""
        with TableClient.from_connection_string(self.stack.connection_string, "switchboardindex") as table:
            return [str(row["RowKey"]) for row in table.query_entities("PartitionKey eq 'open'")]

    def nothing_is_left_open(self, within: float = 10) -> None:
        """The index of open calls runs empty, and the service has no call any more."""
        until(lambda: not self.open_calls(), within, lambda: f"still open: {self.open_calls()[:3]}")
        until(lambda: not self.control.state()["calls"], within, lambda: str(self.control.state()["calls"])[:500])

    def watch(self, host: int = 0) -> None:
        """Run the watchdog now."""
        url = f"{self.stack.host_urls[host]}/admin/functions/watchdog"
        assert requests.post(url, json={"input": ""}, timeout=60).status_code == 202

    def asked_twice(self) -> dict[str, int]:
        """Actions that the emulator was asked for more than once: by operation context, else by connection."""
        counted: Counter[str] = Counter()
        for request in self.control.requests():
            body = request.get("body")
            if request["operationId"] in ("CallConnection_GetCall", "EventGrid_PublishEvents", None):
                continue
            context = body.get("operationContext") if isinstance(body, dict) else None
            counted[f"{request['operationId']} {context or request['callConnectionId']}"] += 1
        return {what: count for what, count in counted.items() if count > 1}


def until(condition: Callable[[], bool], seconds: float, why: Callable[[], str]) -> None:
    """Wait for a condition, looking often."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, why()
        time.sleep(0.05)


@contextmanager
def line(folder: Path, *, speed: float = 10, environment: Mapping[str, str] = WATCHFUL, **more: Any) -> Iterator[Line]:
    """A stack that runs what is deployed, and the flows for the tests."""
    given = {"FALLBACK_PROMPT": APOLOGY, **environment}
    with Stack(
        app_root=deployed(folder), host="own", speed=speed, seed=7, quiet=True, environment=given, **more
    ) as stack:
        yield Line(stack)


def asked(document: Mapping[str, Any]) -> list[str]:
    """What the flow asked for, in order."""
    return [entry["action"]["kind"] for entry in document["journal"] if entry["entry"] == "issued"]


def words(document: Mapping[str, Any]) -> list[str]:
    """What the caller was to hear, in order."""
    issued = [entry["action"] for entry in document["journal"] if entry["entry"] == "issued"]
    return [source["text"] for action in issued for source in action.get("sources", action.get("prompts", ()))]
