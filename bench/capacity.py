"""Calls held at once, every one of them ending right."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from azure.data.tables import TableClient, TableServiceClient

from bench.callers import Emulated, running
from bench.machine import Usage
from bench.report import Row
from devstack.azurite import ROOT
from devstack.stack import Stack

FAULTS = [
    {"kind": "duplicate", "probability": 0.2},
    {"kind": "reorder", "probability": 0.1, "seconds": 1.0, "match": {"channel": "callbacks"}},
]
ACTIONS = ("AnswerCall", "CallMedia_Recognize", "CallMedia_Play", "CallConnection_HangupCall")
LONG: list[dict[str, Any]] = [{"when": "asked"}, {"when": "asked", "after": 8, "press": "1"}]
"""Says nothing to the first question and presses a key at the second: some 24 emulated seconds in all."""
LONG_SECONDS = 24.0
SETTLE_SECONDS = 40.0
PER_SECOND = 18.0
"""Calls placed in a second: what two cores can carry along with the emulator and Azurite."""


@dataclass(slots=True)
class CachedCall:
    """What became of so many calls at once.

    Attributes:
        at_once: the most in flight at one time, as the emulator saw it.
        wrong: calls that did not end right, by what was wrong.
        repeated: actions that were carried out more than once, or not at all.
        open: rows left in the index of open calls.
    """

    placed: int
    at_once: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    open: int = 0
    duplicates: int = 0
    machine: str = ""

    @property
    def right(self) -> bool:
        """Every call ended right, each action was carried out once, nothing is left open."""
        return not self.wrong and not self.repeated and not self.open


def hold(calls: int, hosts: int, faults: Sequence[dict[str, Any]] = ()) -> CachedCall:
    """Have so many calls in flight at once, see all of them end, and look at what is left of each."""
    # All are placed within three quarters of one call's length, so that for a while all are in flight.
    speed = min(2.5, PER_SECOND * LONG_SECONDS * 0.75 / calls)
    # The watchdog comes often and settles soon, so that what it must do shows while somebody looks.
    environment = {"WATCHDOG_SCHEDULE": "*/5 * * * * *", "PYTHON_THREADPOOL_THREAD_COUNT": "32"}
    with running(app_root=ROOT, hosts=hosts, speed=speed, seed=7, environment=environment) as stack:
        emulated = Emulated(stack)
        emulated.run(2 * hosts, hosts)  # the hosts have made their tables and fetched their keys
        emulated.forget()
        if faults:
            emulated.post("/emulator/faults", list(faults))
        held, usage = CachedCall(calls), Usage(stack)
        watched = emulated.run(calls, calls, script=lambda number: LONG, apart=1 / PER_SECOND)
        held.at_once, held.machine = watched.peak, usage.told()
        if watched.missing:
            held.wrong["not ended at the emulator"] = watched.missing
        _check_journals(stack, held, calls + 2 * hosts)
        _check_requests(emulated, held)
        held.duplicates = sum(entry["duplicate"] for entry in emulated.get("/emulator/deliveries")["deliveries"])
    return held


def _check_journals(stack: Stack, held: CachedCall, expected: int) -> None:
    """Wait until the app has ended and closed every call, then count what is not as it should be."""
    service = TableServiceClient.from_connection_string(stack.connection_string)
    heads, index = service.get_table_client("switchboardcalls"), service.get_table_client("switchboardindex")
    deadline = time.monotonic() + SETTLE_SECONDS
    while (held_open := _open(index)) and time.monotonic() < deadline:
        time.sleep(0.25)
    held.open = held_open
    wrong: Counter[str] = Counter()
    rows = list(heads.query_entities("RowKey eq 'head'", select=["status", "outcome", "unconfirmed"]))
    for row in rows:
        if (row["status"], row["outcome"]) != ("ended", "completed"):
            wrong[f"{row['status']} {row['outcome']}"] += 1
    if len(rows) != expected:
        wrong["calls missing or doubled in the store"] = abs(expected - len(rows))
    held.wrong += wrong


def _open(index: TableClient) -> int:
    return sum(1 for _ in index.query_entities("PartitionKey eq 'open'", select=["RowKey"]))


def _check_requests(emulated: Emulated, held: CachedCall) -> None:
    """Each action that a flow asked for must have reached the service once."""
    asked: Counter[tuple[str, str]] = Counter()
    kinds: Counter[str] = Counter()
    for request in emulated.get("/emulator/requests")["requests"]:
        operation, body = request["operationId"], request["body"] or {}
        if operation not in ACTIONS:
            continue
        kinds[operation] += 1
        asked[operation, body.get("operationContext") or request["callConnectionId"]] += 1
        if not 200 <= (request["status"] or 0) < 300:
            held.wrong[f"{operation} answered {request['status']}"] += 1
    held.repeated = sum(count - 1 for count in asked.values())
    wanted = dict(zip(ACTIONS, (1, 2, 1, 1), strict=True))
    held.repeated += sum(abs(held.placed * times - kinds[operation]) for operation, times in wanted.items())


def measure(quick: bool) -> Iterator[Row]:
    """The rows of measurement 6."""
    if quick:
        yield from _disturbed(40)
        return
    yield from _disturbed(200)
    for hosts in (1, 2):
        best = 0
        for calls in (400, 200):  # the smaller number only if the larger is too much
            held = hold(calls, hosts)
            facts = {"placed": calls, "wrong": dict(held.wrong), "machine": held.machine}
            yield Row("calls at once", f"{hosts} host(s), {calls} placed: in flight", held.at_once, "calls", more=facts)
            if held.right:
                best = held.at_once
                break
        yield Row("calls at once, every one ending right", f"{hosts} host(s), up to 400 tried", best, "calls")


def _disturbed(calls: int) -> Iterator[Row]:
    name = f"{calls} calls, 2 hosts, 20 % duplicated, 10 % reordered"
    held = hold(calls, 2, FAULTS)
    more = {"machine": held.machine, "duplicates": held.duplicates}
    yield Row(name, "in flight at once", held.at_once, "calls", calls, at_least=True, more=more)
    yield Row(name, "calls that did not end right", held.wrong.total(), "calls", 0, more={"wrong": dict(held.wrong)})
    yield Row(name, "actions not requested exactly once", held.repeated, "requests", 0)
    yield Row(name, "rows left open", held.open, "rows", 0)
