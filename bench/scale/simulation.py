"""One run: calls come to instances of the app, whose callbacks go to any of them, as the service's do."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import shared.azure.call_store
import shared.calls.afterwards
import shared.calls.call_cache
import shared.calls.turns
import shared.calls.watchdog
from bench.core import CALLEE, CALLER, connection_of, event
from bench.scale.storage import Account, Clients, Container, trips
from bench.scale.virtual_time import START, Lock, Pool, VirtualTime
from shared.azure import clients
from shared.azure.call_store import TableStore
from shared.calls import Call, Flow, actions, text
from shared.calls.background import Background
from shared.calls.claims import Ring
from shared.calls.conductor import Conductor
from shared.calls.gateway.base import Request
from shared.calls.watchdog import Watchdog
from shared.errors import StoreError

PROMPTS = 6
"""Prompts of each call; with what is around them it lasts some 30 s."""
PROMPT_SECONDS, BETWEEN, SERVICE = 4.5, 0.1, 0.05
"""Of a prompt; from a request to the event that follows at once; of a request to the service (our choice)."""
DUPLICATES = 0.02
"""Share of the callbacks that come twice, the second to another instance at the same time."""
AGAIN, TIMES = 1.0, 5
"""After how long, and how often, a callback comes again that was refused (the service's own rule is not published)."""
EVENT_GRID_AGAIN = 10.0
"""Seconds after which Event Grid sends again what was refused (docs: delivery and retry)."""
CPU_DELIVERY, CPU_REQUEST, CPU_LOAD = 0.0011, 0.001, 0.0022
"""Seconds of an instance's one core: of a delivery, of each request to the storage, and of what a load reads besides:
so that a warm callback costs 2.1 ms and a cold one 5.3, as `python -m bench --only growth` measured."""
WATCH_EVERY = 5.0
CALLS_OF_AN_INSTANCE = 5
"""Instances of callbacks for each that takes IncomingCall, which on Flex Consumption are others."""


WHO = {
    "sequenceNumber": 1,
    "participants": [
        {"identifier": {"rawId": CALLER.raw_id, "kind": "phoneNumber", "phoneNumber": {"value": "+14255550100"}},
         "isMuted": False}
    ],
}  # fmt: skip


async def six_prompts(call: Call) -> None:
    """Says what it has to say, and hangs up."""
    for _ in range(PROMPTS):
        await call.play(text("Thank you. Our sales team will call you back within the hour."))
    await call.hang_up()


FLOW = Flow("six prompts", six_prompts)


@dataclass(frozen=True, slots=True)
class Load:
    """What comes, and on what.

    Attributes:
        calls: in a second, at random.
        seconds: for which they come; the run ends when the last is over.
        latency: seconds of one request to the storage, drawn for each.
        limits: of the storage, as a share of the published ones.
    """

    instances: int
    calls: float
    seconds: float
    latency: Callable[[], float]
    limits: float = 1.0
    seed: int = 7


@dataclass(slots=True)
class Result:
    """What came of it.

    Attributes:
        gaps: seconds from a prompt's end, or the connection, to the request of what follows.
        trips: requests to the storage that the caller waited for, of each callback that led to a request.
        refused: callbacks that were refused because the storage was busy; `given_up`: of these, for good.
        watches: seconds that each run of the watchdog took.
    """

    account: Account
    calls: int = 0
    callbacks: int = 0
    gaps: list[float] = field(default_factory=list)
    trips: list[int] = field(default_factory=list)
    refused: int = 0
    given_up: int = 0
    watches: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)


class VirtualBackground(Background):
    """Background work by virtual time: a newer job in place of one of its key that waits."""

    def __init__(self, time: VirtualTime) -> None:
        super().__init__()
        self._time = time
        self._newest: dict[str, Callable[[], None]] = {}

    def soon(self, key: str, job: Callable[[], None], delay: float = 0.0) -> None:
        self._newest[key] = job

        def run() -> None:
            if self._newest.get(key) is job:
                del self._newest[key]
                try:
                    job()
                except StoreError:
                    return  # the watchdog does it

        self._time.after(delay, run)


class Instance:
    """One instance of the app, with one core."""

    def __init__(self, simulation: Simulation) -> None:
        self._time = simulation.time
        self._core_free = 0.0
        self.store = TableStore(Clients(simulation.result.account, self._compute), "sim")  # type: ignore[arg-type]
        self.gateway = Service(simulation)
        self.board = Conductor(
            store=self.store,
            gateway=self.gateway,
            timers=SimpleNamespace(schedule=None),
            flows={FLOW.name: FLOW},
            callback_url=lambda call_id, family: f"https://app.example/api/callbacks/{call_id}/{family}",
            clock=self._time.milliseconds,
            later=VirtualBackground(self._time),
        )

    def compute(self, seconds: float) -> None:
        """Take the core, when it is free."""
        self._core_free = max(self._core_free, self._time.now) + seconds
        self._time.sleep(self._core_free - self._time.now)

    def _compute(self, operation: str) -> None:
        self.compute(CPU_REQUEST + (CPU_LOAD if operation == "query" else 0.0))


class Service:
    """Call Automation: takes the actions of an instance, and sends what follows to any."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def perform(self, request: Request) -> Mapping[str, Any]:
        simulation, call_id = self._simulation, request.call_id
        simulation.acted(call_id)
        simulation.time.sleep(SERVICE)
        connection = connection_of(call_id)
        if isinstance(request.action, actions.Answer):
            simulation.send(BETWEEN, call_id, event("CallConnected", connection, request.operation_context))
            simulation.send(BETWEEN, call_id, event("ParticipantsUpdated", connection, None, **WHO))
            return {"callConnectionId": connection, "serverCallId": f"server-{call_id}"}
        if isinstance(request.action, actions.Play):
            simulation.send(BETWEEN, call_id, event("PlayStarted", connection, request.operation_context))
            simulation.send(PROMPT_SECONDS, call_id, event("PlayCompleted", connection, request.operation_context))
        else:
            simulation.hung_up.add(connection)
            simulation.send(BETWEEN, call_id, event("CallDisconnected", connection, None))
        return {}

    def connection_state(self, connection_id: str) -> str | None:
        return None if connection_id in self._simulation.hung_up else "connected"


class Simulation:
    """A run."""

    def __init__(self, load: Load) -> None:
        self.time = VirtualTime()
        self._load = load
        self._chance = random.Random(load.seed)
        self.result = Result(Account(self.time, load.latency, load.limits))
        self._asked: dict[str, float] = {}
        self.hung_up: set[str] = set()

    def run(self) -> Result:
        """Until every call is over, and what is done afterwards, too."""
        with _by(self.time), _quiet():
            self._instances = [Instance(self) for _ in range(self._load.instances)]
            takers = max(1, self._load.instances // CALLS_OF_AN_INSTANCE)
            self._takers = [Instance(self) for _ in range(takers)]
            at = 0.0
            while (at := at + self._chance.expovariate(self._load.calls)) < self._load.seconds:
                self.time.after(at, self._ring(self.result.calls))
                self.result.calls += 1
            self.time.after(WATCH_EVERY, self._watch(Instance(self)))
            self.time.run()
        heads = [rows["head"] for rows in self.result.account.rows["simcalls"].values()]
        self.result.outcomes = Counter(f"{head['status']} {head['outcome']}" for head in heads)
        return self.result

    def send(self, seconds: float, call_id: str, what: list[Any]) -> None:
        """An event goes to an instance, sometimes to two."""
        for _ in range(2 if self._chance.random() < DUPLICATES else 1):
            self.time.after(seconds, self._deliver(call_id, what, TIMES))

    def acted(self, call_id: str) -> None:
        """A request leaves for a call, from the delivery of what it follows."""
        if (since := self._asked.pop(call_id, None)) is not None:
            self.result.gaps.append(self.time.now - since)
            self.result.trips.append(trips.count)

    def _ring(self, number: int) -> Callable[[], None]:
        def ring() -> None:
            instance = self._chance.choice(self._takers)
            instance.compute(CPU_DELIVERY)
            incoming = Ring(
                correlation_id=f"correlation-{number}",
                server_call_id=f"server-{number}",
                caller=CALLER,
                callee=CALLEE,
                incoming_call_context="x" * 7400,
                at=self.time.milliseconds(),
            )
            try:
                instance.board.ring(incoming, actions.Answer(), FLOW.name)
            except StoreError:  # Event Grid sends it again
                self.result.refused += 1
                self.time.after(EVENT_GRID_AGAIN, ring)

        return ring

    def _deliver(self, call_id: str, what: list[Any], times: int) -> Callable[[], None]:
        def deliver() -> None:
            instance, name = self._chance.choice(self._instances), what[0].name
            self.result.callbacks += 1
            trips.count = 0
            if name in ("PlayCompleted", "CallConnected"):
                self._asked.setdefault(call_id, self.time.now)
            instance.compute(CPU_DELIVERY)
            try:
                instance.board.deliver(call_id, what)
            except StoreError:
                self.result.refused += 1
                if times > 1:
                    self.time.after(AGAIN, self._deliver(call_id, what, times - 1))
                    return
                self.result.given_up += 1

        return deliver

    def _watch(self, instance: Instance) -> Callable[[], None]:
        watchdog = Watchdog(instance.board, instance.store, instance.gateway)

        def watch() -> None:
            began = self.time.now
            try:
                watchdog.watch()
            except StoreError:
                self.result.refused += 1
            self.result.watches.append(self.time.now - began)
            if self.result.account.rows["simindex"]["open"] or self.time.now < START + self._load.seconds:
                self.time.after(max(0.0, WATCH_EVERY - (self.time.now - began)), watch)

        return watch


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing is logged: a simulation refuses thousands of requests."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


@contextmanager
def _by(time: VirtualTime) -> Iterator[None]:
    """Clients, locks, pauses and threads of the core by virtual time."""
    locks = SimpleNamespace(Lock=lambda: Lock(time))
    with ExitStack() as stack:
        for where, name, what in (
            (clients, "tables", lambda made: made),
            (clients, "container", lambda made, *_, **__: Container(made)),
            (shared.calls.call_cache, "threading", locks),
            (shared.calls.afterwards, "threading", locks),
            (shared.calls.turns, "time", SimpleNamespace(sleep=time.sleep)),
            (shared.calls.watchdog, "ThreadPoolExecutor", lambda most, *_: Pool(time, most)),
            (shared.azure.call_store, "ThreadPoolExecutor", lambda most, **_: Pool(time, most)),
        ):
            stack.enter_context(patch.object(where, name, what))
        yield
