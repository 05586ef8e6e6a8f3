"""The rows of the bench: what instances, the storage's latency and its limits do to calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import mean

from bench.report import Row, percentile
from bench.scale.simulation import WATCH_EVERY, Load, Result, Simulation
from bench.scale.storage import PARTITION, constant, long_tail

INSTANCES = (1, 2, 5, 10, 20, 50)
LATENCIES: dict[str, Callable[[], float]] = {
    **{f"{ms} ms": constant(ms / 1000) for ms in (2, 5, 10, 20)},
    "5 ms, 1 % above 50": long_tail(0.005, 7),
}
SCALE = 0.02
"""Of the limits, where calls are to meet them: 40 entities a second of a partition, and 20 in a page."""
TABLE_PRICE, BLOB_PRICE = 0.00036, 0.05
"""US dollars for 10,000 requests; the second for writes to hot, locally redundant storage. List prices of US regions
(docs/adr/0010), not measured in Azure."""


def measure(quick: bool) -> Iterator[Row]:
    """Instances at one latency, latencies on ten instances, and a load that grows until the limits are met."""
    seconds = 5.0 if quick else 15.0
    for instances in INSTANCES[::5] if quick else INSTANCES:
        load = Load(instances, float(instances), seconds, constant(0.005))
        yield from _rows(f"{instances} instances, 5 ms", load)
    for name, latency in LATENCIES.items():
        if name != "5 ms" and not (quick and name != "20 ms"):
            yield from _rows(f"10 instances, {name}", Load(10, 10.0, seconds, latency))
    for calls in (2.0, 6.0) if quick else (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0):
        load = Load(10, calls, 60.0, constant(0.005), limits=SCALE)
        yield from _at_the_limit(f"{calls / SCALE:.0f} calls/s", load)


def _rows(case: str, load: Load) -> Iterator[Row]:
    result = Simulation(load).run()
    facts = {"calls": result.calls, "callbacks": result.callbacks, "outcomes": dict(result.outcomes)}
    wrong = result.calls - result.outcomes["ended completed"]
    yield Row("scale: calls that did not end right", case, wrong, "calls", 0, more=facts)
    yield Row("scale: round trips before the next action, mean", case, mean(result.trips), "requests", 2.0)
    yield Row("scale: prompt gap, p50", case, 1000 * percentile(result.gaps, 0.5), "ms")
    yield Row("scale: prompt gap, p99", case, 1000 * percentile(result.gaps, 0.99), "ms")
    yield Row("scale: run of the watchdog, longest", case, max(result.watches), "s", WATCH_EVERY)
    yield Row("scale: lost races of a call", case, result.account.lost / result.calls, "commits")
    yield Row("scale: requests to the storage of a call", case, requests_of_a_call(result), "requests",
              more={"requests": dict(result.account.requests)})  # fmt: skip
    yield Row("scale: price of these for 1,000 calls", case, 1000 * price_of_a_call(result), "US cents")


def _at_the_limit(case: str, load: Load) -> Iterator[Row]:
    """By a fiftieth of the load under a fiftieth of the limits: what meets them then, meets the published ones here."""
    result = Simulation(load).run()
    facts = {
        "busy": dict(result.account.busy),
        "refused": result.refused,
        "given_up": result.given_up,
        "entities_of_a_call": {name: round(count / result.calls, 2) for name, count in result.account.entities.items()},
    }
    yield Row("scale, limits: requests refused", case, result.account.busy.total(), "requests", more=facts)
    yield Row("scale, limits: callbacks refused", case, result.refused / result.callbacks * 100, "%")
    yield Row("scale, limits: the partition of open calls is full at", case, bends_at(result, "index: open"), "calls/s")
    yield Row("scale, limits: prompt gap, p99", case, 1000 * percentile(result.gaps, 0.99), "ms")


def requests_of_a_call(result: Result) -> float:
    """Those of the watchdog among them."""
    return result.account.requests.total() / result.calls


def price_of_a_call(result: Result) -> float:
    """In US cents: of its requests to tables and blobs."""
    blobs = sum(count for name, count in result.account.requests.items() if name.endswith(" blob"))
    tables = result.account.requests.total() - blobs
    return 100 * (tables * TABLE_PRICE + blobs * BLOB_PRICE) / 10_000 / result.calls


def bends_at(result: Result, partition: str) -> float:
    """Calls a second at which a partition of the index meets its limit, by the entities that each call costs it."""
    return PARTITION / (result.account.entities[partition] / result.calls)
