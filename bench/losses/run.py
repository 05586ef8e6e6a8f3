"""Runs calls while responses get lost, hosts are killed and the storage stalls, and gathers what became of them."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests
from azure.data.tables import TableClient

from acs_emulator.testing import Control
from bench.losses.flows import OWN
from bench.losses.gathered import Gathered, Noted, Outage, Placed
from bench.losses.phones import AGENT_PHONE, LASTING, PATIENT, Kind, mixed
from bench.losses.scenario import EXCHANGE, KEY, Scenario, deployed_here, stack_behind_proxies
from devstack.azurite import ROOT, SERVICES
from devstack.proxy import Proxies
from devstack.stack import OWN_HOST, Stack
from tests.fixtures.app import FOLDER

LONGEST_CALL = 60.0
"""Emulated seconds that the longest of the calls takes when nothing is disturbed."""
ALLOWANCE = 45.0
"""Wall-clock seconds that calls may take on top: a silence as long as one may be, twice, and a slow machine."""
SETTLE = 30.0
"""Wall-clock seconds within which the app has closed every call after the last one ended."""
MOMENT = 3.0
"""Seconds in which both hosts live before the next dies, however long the dead one took to start."""
RINGING = 2
"""Calls that ring at the same time at the most, where each is to be answered whatever else the machine does."""
SLOW_IS_NOT_DEAD = {"DISPATCH_GRACE_SECONDS": "20"}
"""A setting of the app with which a busy machine does not make it send an action again."""
_numbers = itertools.count(1)


def run(
    scenario: Scenario,
    folder: Path,
    *,
    calls: int = 100,
    seed: int = 7,
    at_once: int = 60,
    environment: Mapping[str, str] | None = None,
) -> Gathered:
    """Run a scenario; `folder` is empty and takes the app.

    Raises:
        ChildDiedError, PortTakenError: the stack did not come up.
    """
    with stack_behind_proxies(scenario, deployed_here(folder), seed, environment or {}) as (stack, proxies):
        running = _Run(scenario, stack, proxies)
        with running:
            running.place_all(mixed(calls, seed), at_once)
            running.wait()
        running.settle()
        return running.gather()


def run_in_rounds(
    scenario: Scenario, folder: Path, *, calls: int, of: int, at_once: int, seed: int = 7
) -> Iterator[Gathered]:
    """Run a scenario of many calls on one stack, and give what became of them after every `of`.

    The emulator forgets a round when the next begins: its logs of ten thousand calls would fill the memory. Storage,
    hosts and streams go on.

    Raises:
        ChildDiedError, PortTakenError: the stack did not come up.
    """
    with stack_behind_proxies(scenario, deployed_here(folder), seed, {}) as (stack, proxies):
        for number in range(0, calls, of):
            running = _Run(scenario, stack, proxies)
            with running:
                running.place_all(mixed(min(of, calls - number), seed + number), at_once)
                running.wait()
            running.settle()
            yield running.gather()
            running.forget()


def run_over_exchange(folder: Path, before: Path = ROOT) -> Gathered:
    """Begin 40 calls on one version of the app; while all are up, exchange its hosts, one by one, for this one.

    Args:
        folder: is empty and takes both apps.
        before: the tree of the version on which the calls begin; its own host runs it, with its own flows beside ours.

    Raises:
        ChildDiedError, PortTakenError: the stack, or a host of this version, did not come up.
    """
    old = deployed_here(folder / "before", app=before, own=FOLDER if before == ROOT else before)
    new = deployed_here(folder / "after")
    kinds = [kind for kind in LASTING for _ in range(kind.share)]
    host = ("env", "-C", str(before), *OWN_HOST)
    with stack_behind_proxies(EXCHANGE, old, 7, SLOW_IS_NOT_DEAD, host) as (stack, proxies):
        running = _Run(EXCHANGE, stack, proxies)
        with running:
            running.place_in_turn(kinds)
            running.exchange(new)
            running.wait(PATIENT)
        running.settle()
        return running.gather()


class _Run:
    """One run; what disturbs the calls begins with the block and ends with it."""

    def __init__(self, scenario: Scenario, stack: Stack, proxies: Proxies) -> None:
        self._scenario = scenario
        self._stack = stack
        self._proxies = proxies
        self._control = Control(stack.emulator_url)
        self._placers = ThreadPoolExecutor(8, "placing")
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._listen, name="timeline", daemon=True)]
        self._gathered = Gathered(scenario, logs=stack.logs)
        self._answered: set[str] = set()
        self._ended: set[str] = set()
        self._origins: dict[str, float] = {}
        self._called: dict[str, str] = {}
        if scenario.kill_every:
            self._threads.append(threading.Thread(target=self._kill, name="killing", daemon=True))
        if scenario.stall:
            self._threads.append(threading.Thread(target=self._stall, name="stalling", daemon=True))

    def __enter__(self) -> _Run:
        self._control.register_phone(AGENT_PHONE["number"], script=AGENT_PHONE["script"])  # type: ignore[arg-type]
        self._warm_up()
        if self._scenario.events:
            self._control.add_faults(*map(dict, self._scenario.events))
        self._before = self._counts()
        for name in SERVICES:
            self._proxies[name].loss = self._scenario.storage
        self._proxies["emulator"].loss = self._scenario.service
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._gathered.seconds = time.monotonic() - self._began
        self._over.set()
        for thread in self._threads:
            thread.join(60)
        self._placers.shutdown()

    def place_all(self, kinds: Sequence[Kind], at_once: int) -> None:
        """Place the calls, so many at a time at most; on a machine that is too slow for the pace, at its own."""
        apart, due = 1 / self._scenario.pace, self._began
        for kind in kinds:
            late = time.monotonic() + ALLOWANCE
            while time.monotonic() < due or len(self._running()) >= at_once:
                if time.monotonic() > late:
                    break
                time.sleep(0.02)
            self._gathered.placed.append(self._place(kind))
            due = max(due + apart, time.monotonic() - apart)

    def place_in_turn(self, kinds: Sequence[Kind]) -> None:
        """Place each call when the app has answered all of those before it, but for a few; then wait for these."""
        for kind in kinds:
            self._let_ring(RINGING)
            self._gathered.placed.append(self._place(kind))
        self._let_ring(0)

    def _let_ring(self, most: int) -> None:
        deadline = time.monotonic() + ALLOWANCE
        while sum(placed.call not in self._answered for placed in self._gathered.placed) > most:
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)

    def exchange(self, app: Path) -> None:
        """Exchange each host for one that runs this app."""
        for host in range(self._scenario.hosts):
            up = sum(placed.call in self._answered - self._ended for placed in self._gathered.placed)
            outage = Outage(f"host {host + 1} exchanged", time.time(), up=up)
            self._stack.revive_host(host, app)
            outage.ended = time.time()
            self._gathered.outages.append(outage)

    def wait(self, longest: float = LONGEST_CALL) -> None:
        """Until every call has ended, or the time for that (`longest`: emulated seconds of a call) is over."""
        deadline = time.monotonic() + longest / self._scenario.speed + ALLOWANCE
        while self._running() and time.monotonic() < deadline:
            time.sleep(0.05)

    def settle(self) -> None:
        """Give the app time to close the calls, while responses still get lost; then lose no more."""
        found = self._gathered
        deadline = time.monotonic() + SETTLE
        while (self._left_open() or self._control.state()["calls"]) and time.monotonic() < deadline:
            time.sleep(0.25)
        found.left_open, found.left_up = self._left_open(), self._control.state()["calls"]
        found.counted = {name: count - self._before[name] for name, count in self._counts().items()}
        found.lost = {name: list(proxy.lost) for name, proxy in self._proxies.by_name.items()}
        for proxy in self._proxies.by_name.values():
            proxy.loss = 0.0
        self._control.clear_faults()

    def forget(self) -> None:
        """Let the emulator and the proxies forget these calls."""
        self._control.reset()
        for proxy in self._proxies.by_name.values():
            proxy.lost.clear()

    def gather(self) -> Gathered:
        """What became of the calls."""
        found = self._gathered
        for placed in found.placed:
            placed.call = placed.call or self._called.get(placed.phone, "")
        self._note(self._control.timeline(self._last))
        for note in found.notes:
            note.at += self._origins[note.call]
        found.deliveries, found.requests = self._control.deliveries(), self._control.requests()
        phones = {placed.phone for placed in found.placed}
        for listed in self._listed():
            phone = next((end for end in (listed["caller"], listed["callee"]) if end.removeprefix("4:") in phones), "")
            if phone:
                found.calls[phone.removeprefix("4:")] = self._ask("GET", f"calls/{listed['id']}").json()
                found.journals[listed["id"]] = self._ask("GET", f"calls/{listed['id']}/journal").json()["journal"]
        return found

    def _counts(self) -> dict[str, int]:
        return {name: proxy.counted.total() for name, proxy in self._proxies.by_name.items()}

    def _warm_up(self) -> None:
        """The hosts have made their tables and fetched their keys before anything is lost."""
        deadline = time.monotonic() + 20
        for _ in range(2 * self._scenario.hosts):
            self._control.place_call(f"+1425666{next(_numbers):04d}", "+18005550119", [])
        while self._control.state()["calls"] and time.monotonic() < deadline:
            time.sleep(0.05)
        self._last = self._control.timeline()[-1]["n"]

    # Calls

    def _place(self, kind: Kind) -> Placed:
        placed = Placed(kind, f"+1{4257770000 + next(_numbers)}")
        script = kind.script(self._scenario.speed)
        if kind.to:
            made = self._control.place_call(placed.phone, kind.to, script)
            placed.call, placed.correlation_id = made["id"], made["correlationId"]
        else:
            self._control.register_phone(placed.phone, behaviour=kind.behaviour, script=script)
            placed.placing = self._placers.submit(self._have_called, placed)
        return placed

    def _have_called(self, placed: Placed) -> None:
        """Ask the app for a call as its documentation says: with a key, until it answers."""
        body = {"flow": "short survey", "targets": [placed.phone], "caller_id": OWN}
        headers = {"Idempotency-Key": placed.phone.strip("+")}
        deadline = time.monotonic() + 30
        while True:
            answer = None
            try:
                answer = self._ask("POST", "calls", body, headers)
            except requests.RequestException as error:
                placed.refused = f"{type(error).__name__}"
            if answer is not None and answer.status_code in (200, 201):
                placed.app_id, placed.refused = answer.json()["id"], ""
                return
            if answer is not None:
                placed.refused = f"{answer.status_code}: {answer.text}"
                if answer.status_code < 500:
                    return
            if time.monotonic() > deadline:
                return
            time.sleep(0.5)

    def _running(self) -> list[Placed]:
        return [placed for placed in self._gathered.placed if not self._is_over(placed)]

    def _is_over(self, placed: Placed) -> bool:
        call = placed.call or self._called.get(placed.phone, "")
        if call:
            return call in self._ended and (placed.placing is None or placed.placing.done())
        return placed.placing is not None and placed.placing.done() and bool(placed.refused)

    # What happens meanwhile

    def _listen(self) -> None:
        while not self._over.is_set():
            self._note(self._control.timeline(self._last, wait=0.5))

    def _note(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Keep entries; `at` is from the start of the call until the origin of all calls is known."""
        now = time.time()
        for entry in entries:
            at = entry["at"] / self._scenario.speed
            call = str(entry["call"])
            # The entry that came soonest says best when the call began.
            self._origins[call] = min(self._origins.get(call, now), now - at)
            self._gathered.notes.append(Noted(at, call, entry["who"], entry["what"], entry["text"]))
            if (entry["who"], entry["what"]) == ("service", "ends"):
                self._ended.add(call)
            elif (entry["who"], entry["what"]) == ("app", "answers"):
                self._answered.add(call)
            elif (entry["who"], entry["what"]) == ("app", "calls"):
                self._called.setdefault(entry["text"], call)
        if entries:
            self._last = entries[-1]["n"]

    def _kill(self) -> None:
        for turn in itertools.count():
            due = self._began + (turn + 1) * self._scenario.kill_every
            # On a slow machine less often: a host that has come back has a moment before the other dies.
            if self._over.wait(max(due - time.monotonic(), MOMENT if turn else 0.0)):
                return
            host = turn % self._scenario.hosts
            outage = Outage(f"host {host + 1} dead", time.time())
            self._stack.kill_host(host)
            self._stack.revive_host(host)
            outage.ended = time.time()
            self._gathered.outages.append(outage)

    def _stall(self) -> None:
        """Between two deaths, with calls at every point."""
        if self._over.wait(1.4 * (self._scenario.kill_every or 6.0)):
            return
        began = time.time()
        self._proxies.stall(*SERVICES, seconds=self._scenario.stall)
        self._gathered.outages.append(Outage("storage stalled", began, began + self._scenario.stall))

    # What is left

    def _ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        url = f"{self._stack.base_url}/api/{path}"
        return requests.request(method, url, json=body, headers={"x-functions-key": KEY, **(headers or {})}, timeout=30)

    def _listed(self) -> Iterator[dict[str, Any]]:
        after = ""
        while True:
            page = self._ask("GET", f"calls?limit=500&after={after}").json()
            yield from page["calls"]
            after = page["next"]
            if not after:
                return

    def _left_open(self) -> list[str]:
        with TableClient.from_connection_string(self._stack.connection_string, "switchboardindex") as table:
            return [str(row["RowKey"]) for row in table.query_entities("PartitionKey eq 'open'")]
