"""What is done to calls, and a stack that it can be done to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.losses.phones import ROUTES
from devstack.azurite import ACCOUNT, ACCOUNT_KEY, ROOT, SERVICES
from devstack.deployed import deployed
from devstack.errors import ChildDiedError, PortTakenError
from devstack.ports import LOOPBACK, free_port
from devstack.proxy import Proxies, Proxy
from devstack.stack import OWN_HOST, Ports, Stack
from tests.fixtures.app import FOLDER

KEY = "a-function-key"
_EVENTS = ({"kind": "duplicate", "probability": 0.2}, {"kind": "reorder", "probability": 0.1, "seconds": 1})


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is done to the calls.

    Attributes:
        storage, service: shares of responses that are lost on the way back from there.
        speed: the emulator's factor.
        pace: calls placed in a second; where the storage stalls, fewer, so that it meets less than half of them.
        kill_every: seconds after which a host is killed, in turn; 0: never.
        stall: seconds for which the storage stalls, once.
        events: the emulator's faults.
        timers: whether the watchdog and the other timers run.
    """

    name: str
    storage: float = 0.0
    service: float = 0.0
    speed: float = 4.0
    pace: float = 4.0
    hosts: int = 1
    kill_every: float = 0.0
    stall: float = 0.0
    events: tuple[Mapping[str, Any], ...] = ()
    timers: bool = True


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("none"),
        Scenario("storage", storage=0.03),
        Scenario("service", service=0.03),
        Scenario(
            "all",
            storage=0.02,
            service=0.02,
            speed=2.0,
            pace=2.0,
            hosts=2,
            kill_every=6.0,
            stall=5.0,
            events=_EVENTS,
        ),
        Scenario(
            "marathon",
            storage=0.01,
            service=0.01,
            speed=3.0,
            pace=12.0,
            hosts=3,
            kill_every=10.0,
            stall=3.0,
            events=_EVENTS,
        ),
    )
}

EXCHANGE = Scenario("exchange", speed=1.0, hosts=2)
"""Of calls whose hosts are exchanged; nothing else is done to them."""


def deployed_here(folder: Path, *, app: Path = ROOT, own: Path = FOLDER) -> Path:
    """The app with the flows and routes of this package; `folder` is empty. See `devstack.deployed`."""
    folder.mkdir(exist_ok=True)
    flows = {name: Path(__file__).with_name(f"{name}.py").read_text() for name in ("flows", "lasting")}
    return deployed(folder, flows, ROUTES, own=own, app=app)


@contextmanager
def stack_behind_proxies(
    scenario: Scenario, root: Path, seed: int, environment: Mapping[str, str], own_host: Sequence[str] = OWN_HOST
) -> Iterator[tuple[Stack, Proxies]]:
    """A stack whose hosts reach storage and service through proxies that lose nothing yet.

    Args:
        root: the app.
        own_host: the command of the host.
    """
    for attempt in range(3):
        ports = {name: free_port() for name in (*SERVICES, "emulator")}
        upstreams = {name: Proxy(port, seed=seed * 10 + n) for n, (name, port) in enumerate(ports.items())}
        with Proxies(**upstreams) as proxies:
            stack = Stack(
                app_root=root,
                ports=Ports(**ports),
                hosts=scenario.hosts,
                host="own",
                own_host=own_host,
                quiet=True,
                failover=True,
                timers=scenario.timers,
                speed=scenario.speed,
                seed=seed,
                environment={**_environment(scenario, proxies), **environment},
            )
            try:
                stack.start()
            except (ChildDiedError, PortTakenError) as error:
                taken = isinstance(error, PortTakenError) or "Address already in use" in str(error)
                if attempt == 2 or not taken:
                    raise
                continue
            try:
                yield stack, proxies
            finally:
                stack.stop()
        return


def _environment(scenario: Scenario, proxies: Proxies) -> dict[str, str]:
    storage = [f"{name.capitalize()}Endpoint=http://{LOOPBACK}:{proxies[name].port}/{ACCOUNT}" for name in SERVICES]
    account = ["DefaultEndpointsProtocol=http", f"AccountName={ACCOUNT}", f"AccountKey={ACCOUNT_KEY}"]
    service = f"http://{LOOPBACK}:{proxies['emulator'].port}"
    return {
        "AzureWebJobsStorage": ";".join([*account, *storage]) + ";",
        "ACS_ENDPOINT": service,
        "ACS_OPENID_CONFIGURATION_URL": f"{service}/calling/.well-known/acsopenidconfiguration",
        "DEVSTACK_FUNCTION_KEY": KEY,
        "EVENTS_TOPIC_ENDPOINT": "",
        # The emulator's phones ring for 30 of its own seconds.
        "RING_SECONDS": f"{30 / scenario.speed:g}",
    }
