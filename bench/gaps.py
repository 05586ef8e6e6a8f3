"""Time to answer and prompt gap of Switchboard and of the stateless app, in turns, and one bare commit between."""

from __future__ import annotations

import itertools
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from azure.core import MatchConditions
from azure.data.tables import TableClient, UpdateMode

from bench.callers import AT_ONCE, Emulated, running
from bench.machine import Usage
from bench.report import Row, percentile
from devstack.azurite import ROOT
from shared.azure.clients import pooled_transport

STATELESS = Path(__file__).parent / "stateless"
NEXT = {"CallConnected": "Recognize", "RecognizeCompleted": "Play", "PlayCompleted": "HangupCall"}
"""Which request each event brings about, in both apps."""

BARE_AT_A_TIME = 5
"""Bare replaces between two calls."""


@dataclass(frozen=True, slots=True)
class Level:
    """So many calls at once: how many in all, and how fast the emulated time runs.

    The more calls, the slower, so that the machine is not what is measured.
    """

    at_once: int
    calls: int
    speed: float


FULL = (Level(1, 20, 6), Level(10, 60, 8), Level(50, 140, 2.5))
QUICK = (Level(1, 6, 10),)


@dataclass(slots=True)
class Gaps:
    """Milliseconds between the service's message and the app's request."""

    answer: list[float] = field(default_factory=list)
    prompt: list[float] = field(default_factory=list)

    def add(self, emulated: Emulated) -> None:
        """Read the emulator's logs."""
        asked: dict[tuple[str, str], float] = {}
        for request in emulated.get("/emulator/requests")["requests"]:
            operation = request["operationId"].rpartition("_")[2]
            key = request["body"]["incomingCallContext"] if operation == "AnswerCall" else request["callConnectionId"]
            asked.setdefault((operation, key), request["at_ms"])
        for delivery in emulated.get("/emulator/deliveries")["deliveries"]:
            if not delivery["attempts"]:
                continue
            name, begun = delivery["type"].rpartition(".")[2], delivery["attempts"][0]["at_ms"]
            if name == "IncomingCall":
                at = asked.get(("AnswerCall", delivery["body"][0]["data"]["incomingCallContext"]))
                self.answer += [] if at is None else [at - begun]
            elif name in NEXT:
                at = asked.get((NEXT[name], delivery["callConnectionId"]))
                self.prompt += [] if at is None else [at - begun]


class BareReplace:
    """One conditional replace of an entity as large as the heads that the calls write."""

    def __init__(self, connection_string: str) -> None:
        self._calls = TableClient.from_connection_string(connection_string, "switchboardcalls")
        self._table = TableClient.from_connection_string(
            connection_string, "benchbare", transport=pooled_transport(), retry_total=0
        )
        self._entity: dict[str, Any] = {}
        self._etag = ""
        self.size = 0
        self.taken: list[float] = []

    def prepare(self) -> None:
        """Make an entity like the head of a call that has ended, with a journal of the mean length."""
        head = dict(next(iter(self._calls.query_entities("RowKey eq 'head' and status eq 'ended'"))))
        entries = [len(entry) + 1 for entry in str(head["tail"]).split("\n")]
        sums = list(itertools.accumulate(entries))
        # What the four commits before an action hold: the claim (with the ring), and three callbacks.
        claim = sums[1] + RING_CHARACTERS
        self.size = int(fmean((claim, sums[3], sums[6], sums[-2])))
        head["tail"] = (str(head["tail"]) * 4)[: self.size]
        self._entity = {**head, "PartitionKey": "bench"}
        self._table.create_table()
        self._etag = str(self._table.create_entity(self._entity)["etag"])

    def take(self, count: int) -> None:
        """Replace so many times."""
        for _ in range(count):
            began = time.perf_counter()
            done = self._table.update_entity(
                self._entity,
                mode=UpdateMode.REPLACE,
                etag=self._etag,
                match_condition=MatchConditions.IfNotModified,
            )
            self.taken.append((time.perf_counter() - began) * 1000)
            self._etag = str(done["etag"])


THREADS = {"PYTHON_THREADPOOL_THREAD_COUNT": "32"}
"""For both apps: a callback waits for storage and service, and the default on two cores is six."""

RING_CHARACTERS = 7400
"""Length of an incomingCallContext, as the emulator makes it and as recorded (7 to 8 KB)."""


def measure(quick: bool) -> Iterator[Row]:
    """The rows of measurements 1 and 2."""
    for level in QUICK if quick else FULL:
        yield from _level(level)


def _level(level: Level) -> Iterator[Row]:
    alone = level.at_once == 1
    with ExitStack() as opened:
        switchboard = opened.enter_context(running(app_root=ROOT, speed=level.speed, environment=THREADS))
        stateless = opened.enter_context(running(app_root=STATELESS, speed=level.speed, environment=THREADS))
        apps = {"switchboard": Emulated(switchboard), "stateless": Emulated(stateless)}
        cold = _cold(apps) if alone else []
        bare = BareReplace(switchboard.connection_string)
        if alone:
            _until_ended(bare)
            bare.take(30)
            bare.taken.clear()
        for emulated in apps.values():
            # The bodies of every prompt are made once; the pools of threads and connections are filled.
            emulated.run(max(3, level.at_once), level.at_once)
            emulated.forget()
        gaps, busy = {name: Gaps() for name in apps}, defaultdict[str, list[str]](list)
        turns = level.calls if alone else 2
        for _ in range(turns):
            for name, emulated in apps.items():
                if alone:
                    time.sleep(0.05)  # background work of the call before
                    bare.take(BARE_AT_A_TIME)
                usage = Usage(emulated.stack)
                # Spread over one call's length, as callers are: they do not ring in the same instant.
                length = 9.5 / level.speed
                watched = emulated.run(level.calls // turns, level.at_once, apart=length / level.at_once)
                busy[name].append(usage.told())
                gaps[name].add(emulated)
                emulated.forget()
                if watched.missing:
                    yield Row("calls not ended", f"{name}, {level.at_once} at once", watched.missing, "calls", 0)
    yield from cold
    yield from _rows(level, gaps, {name: told[-1] for name, told in busy.items()})
    if alone:
        yield from _ratios(gaps, bare)


def _cold(apps: dict[str, Emulated]) -> list[Row]:
    """The first call of a fresh host: everything is built, fetched and connected at its first use."""
    rows = []
    for name, emulated in apps.items():
        gaps = Gaps()
        emulated.run(1, 1, script=lambda number: AT_ONCE)
        gaps.add(emulated)
        rows.append(Row("first call, time to answer", name, percentile(gaps.answer, 1.0), "ms"))
        rows.append(Row("first call, first prompt gap", name, gaps.prompt[0] if gaps.prompt else float("nan"), "ms"))
    return rows


def _until_ended(bare: BareReplace) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            return bare.prepare()
        except StopIteration:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _rows(level: Level, gaps: dict[str, Gaps], busy: dict[str, str]) -> Iterator[Row]:
    for measure, kind in (("time to answer", "answer"), ("prompt gap", "prompt")):
        for name, gap in gaps.items():
            values: Sequence[float] = getattr(gap, kind)
            for share in (0.5, 0.99):
                case = f"{name}, {level.at_once} at once, p{share * 100:.0f}"
                more = {"samples": len(values), "speed": level.speed, "machine": busy[name]}
                yield Row(measure, case, percentile(values, share), "ms", more=more)


def _ratios(gaps: dict[str, Gaps], bare: BareReplace) -> Iterator[Row]:
    replace = percentile(bare.taken, 0.5)
    facts = {"samples": len(bare.taken), "entity_characters": bare.size}
    yield Row("bare conditional replace", "one at a time, p50", replace, "ms", more=facts)
    yield Row("bare conditional replace", "one at a time, p99", percentile(bare.taken, 0.99), "ms", more=facts)
    for measure, kind in (("added time to answer", "answer"), ("added prompt gap", "prompt")):
        ours, theirs = (percentile(getattr(gaps[name], kind), 0.5) for name in ("switchboard", "stateless"))
        yield Row(measure, "one at a time, p50", ours - theirs, "ms")
        yield Row(f"{measure} ÷ bare replace", "one at a time, p50", (ours - theirs) / replace, "times", 2.0)
