"""Storage round trips, and what a callback costs as the journal grows."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median

from bench.core import BenchCall, conductor, counted_requests
from bench.report import Row
from devstack.azurite import LOGS, Azurite
from shared.azure.call_store import TableStore
from shared.calls.conductor import Conductor
from shared.calls.store.base import CallStore
from shared.storage_account import StorageAccount

JOURNALS = (10, 100, 1000)
"""Entries at which a callback is measured."""
SHORT, LONG = 30, 1030
"""Entries at which a cold callback is measured against a warm one, and what each entry more costs."""
COLD = 3.0
"""Times what a warm callback costs: two requests instead of one, and a replay."""
FURTHER = 10.0
"""Microseconds of processor time that a cold callback may cost for each entry more."""
CALLBACKS = 32
"""Callbacks in one measurement: two entries each, so that every one holds as many seals of the tail."""
FLAT = 1.5
FURTHER_PARSES = 4.5
"""The same in times of what `json.loads` takes for the entry, which is 3.6 µs on an idle core of the machine above: 2.2
there, and 3.7 to 4.1 on a machine with slower memory, where it takes 11 µs."""


@dataclass(slots=True)
class RoundTrips:
    """Requests to the storage, by what caused them; each list has one number per occurrence."""

    incoming: list[int] = field(default_factory=list)
    after_incoming: list[int] = field(default_factory=list)
    warm: list[int] = field(default_factory=list)
    cold: list[int] = field(default_factory=list)
    cold_after: list[int] = field(default_factory=list)
    after_connected: list[int] = field(default_factory=list)
    duplicate_warm: list[int] = field(default_factory=list)
    after_end: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Costs:
    """Milliseconds of callbacks at one length of the journal."""

    processor: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)


def round_trips(store: CallStore, callbacks: int) -> RoundTrips:
    """Count the requests of one call: its incoming call, warm and cold callbacks, and its end."""
    trips = RoundTrips()
    BenchCall(conductor(store)).connected()  # makes the tables
    with counted_requests() as counts:

        def counted(work: Callable[[], object]) -> int:
            before = counts.total()
            work()
            return counts.total() - before

        at_answer: list[int] = []
        board = conductor(store, lambda request: at_answer.append(counts.total()))
        calls: list[BenchCall] = []
        in_all = counted(lambda: calls.append(BenchCall(board)))
        call = calls[0]
        trips.incoming.append(at_answer[0])
        trips.after_incoming.append(in_all - at_answer[0])
        board.later.flush()
        for number in range(callbacks):
            events = call.played() if number else call.connected()
            trips.warm.append(counted(lambda events=events: board.deliver(call.call_id, events)))  # type: ignore[misc]
            if not number:
                trips.after_connected.append(counted(board.later.flush))
            trips.duplicate_warm.append(
                counted(lambda events=events: board.deliver(call.call_id, events))  # type: ignore[misc]
            )
        for _ in range(callbacks):
            events, fresh = call.played(), conductor(store)
            trips.cold.append(
                counted(lambda events=events, fresh=fresh: fresh.deliver(call.call_id, events))  # type: ignore[misc]
            )
            trips.cold_after.append(counted(fresh.later.flush))
        last = conductor(store)
        last.deliver(call.call_id, call.disconnected())
        trips.after_end.append(counted(last.later.flush))
    return trips


def growth(
    store: CallStore, journals: tuple[int, ...] = JOURNALS, callbacks: int = CALLBACKS
) -> dict[str, list[Costs]]:
    """What a warm and a cold callback cost at each length of the journal.

    One call is grown to each length; then the calls take turns, so that what disturbs one disturbs all.
    """
    board = conductor(store)
    calls = [_grown(board, entries) for entries in journals]
    warm, cold = ([Costs() for _ in journals] for _ in range(2))
    for _ in range(callbacks):
        for call, costs in zip(calls, warm, strict=True):
            _timed(board, call, costs)
    for _ in range(max(5, callbacks // 3)):
        for call, costs in zip(calls, cold, strict=True):
            _timed(conductor(store), call, costs)
    return {"warm": warm, "cold": cold}


@dataclass(slots=True)
class ColdCosts:
    """What callbacks cost whose call the instance does not hold, against those whose call it holds.

    Each list has one number for each sample; a sample of every list is taken in each turn.

    Attributes:
        warm, cold: milliseconds of processor time of a callback, at a journal of SHORT entries, two less if warm.
        load_short, load_long: milliseconds of taking up a call of SHORT and of LONG entries.
        parse: microseconds of reading the JSON text of one entry (the mean of a journal) as `json.loads` does:
            how quick the machine is, for whoever must compare two.
    """

    warm: list[float] = field(default_factory=list)
    cold: list[float] = field(default_factory=list)
    load_short: list[float] = field(default_factory=list)
    load_long: list[float] = field(default_factory=list)
    parse: list[float] = field(default_factory=list)

    @property
    def times_warm(self) -> float:
        """How often the cost of a warm callback a cold one costs."""
        return min(self.cold) / min(self.warm)

    @property
    def further(self) -> float:
        """Microseconds for each further entry."""
        return (min(self.load_long) - min(self.load_short)) * 1000 / (LONG - SHORT)


def cold_costs(store: CallStore, samples: int) -> ColdCosts:
    """Measure, in turns; the least of each counts, for whatever else the machine does only adds to it."""
    costs = ColdCosts()
    board = conductor(store)
    long = _grown(board, LONG)
    texts = store.load(long.call_id).journal
    for _ in range(samples):
        call = _grown(board, SHORT - 2)  # one more callback, and none of the two seals the journal's tail
        for one, taken in ((board, costs.warm), (conductor(store), costs.cold)):
            events = call.played()
            taken.append(_processor(lambda: one.deliver(call.call_id, events)))  # noqa: B023
        for loads, loaded in ((costs.load_short, call), (costs.load_long, long)):
            loads.append(_processor(lambda: conductor(store).participants(loaded.call_id)))  # noqa: B023
        costs.parse.append(_processor(lambda: [json.loads(text) for text in texts]) * 1000 / len(texts))
    return costs


def _grown(board: Conductor, entries: int) -> BenchCall:
    """A call with a journal of so many entries."""
    call = BenchCall(board)
    board.deliver(call.call_id, call.connected())
    for _ in range((entries - 4) // 2):
        board.deliver(call.call_id, call.played())
    return call


def _processor(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return (time.thread_time() - began) * 1000


def _timed(board: Conductor, call: BenchCall, costs: Costs) -> None:
    events = call.played()
    processor, wall = time.thread_time(), time.perf_counter()
    board.deliver(call.call_id, events)
    costs.wall.append((time.perf_counter() - wall) * 1000)
    costs.processor.append((time.thread_time() - processor) * 1000)


def measure_round_trips(quick: bool) -> Iterator[Row]:
    """The rows of measurement 3."""
    with Azurite(log=LOGS / "bench-azurite.log") as azurite:
        trips = round_trips(TableStore(StorageAccount(azurite.connection_string), "benchtrips"), 20 if quick else 60)
    name = "storage round trips"
    most = {"samples": len(trips.warm)}
    yield Row(name, "callback, warm, most", max(trips.warm), "requests", 1, more=most)
    yield Row(name, "callback, cold, most", max(trips.cold), "requests", 2, more=most)
    yield Row(name, "duplicate callback, warm, most", max(trips.duplicate_warm), "requests", more=most)
    yield Row(name, "incoming call, before the answer", max(trips.incoming), "requests", 1)
    yield Row(name, "incoming call, after the answer", max(trips.after_incoming), "requests")
    yield Row(name, "call that comes up, after its first callback", max(trips.after_connected), "requests")
    unconfirmed = Counter(trips.cold_after).most_common(1)[0][0]
    yield Row(name, "callback whose action no event confirms, after 3 s", unconfirmed, "requests")
    yield Row(name, "end of the call, after the answer", max(trips.after_end), "requests")


def measure_growth(quick: bool) -> Iterator[Row]:
    """The rows of measurement 4."""
    with Azurite(log=LOGS / "bench-azurite.log") as azurite:
        costs = growth(
            TableStore(StorageAccount(azurite.connection_string), "benchgrowth"), callbacks=16 if quick else 64
        )
        cold = cold_costs(TableStore(StorageAccount(azurite.connection_string), "benchcold"), 12 if quick else 40)
    for kind, by_length in costs.items():
        for entries, cost in zip(JOURNALS, by_length, strict=True):
            for what, values in (("CPU", cost.processor), ("wall", cost.wall)):
                more = {"samples": len(values)}
                yield Row("callback cost", f"{kind}, {entries} entries, {what} p50", median(values), "ms", more=more)
        for what in ("processor", "wall"):
            medians = [median(getattr(cost, what)) for cost in by_length]
            ratio = medians[-1] / medians[0] if medians[0] else math.nan
            case = f"{kind}, {JOURNALS[-1]} ÷ {JOURNALS[0]} entries, {'CPU' if what == 'processor' else what} p50"
            yield Row("callback cost", case, ratio, "times", FLAT if kind == "warm" else None)
    name, more = "cold callback", {"samples": len(cold.cold)}
    yield Row(name, f"warm, {SHORT} entries, CPU, least", min(cold.warm), "ms", more=more)
    yield Row(name, f"cold, {SHORT} entries, CPU, least", min(cold.cold), "ms", more=more)
    yield Row(name, f"cold ÷ warm, {SHORT} entries, CPU", cold.times_warm, "times", COLD, more=more)
    yield Row(name, f"each further entry, {SHORT} to {LONG}, CPU", cold.further, "µs", FURTHER, more=more)
    parses = cold.further / min(cold.parse)
    yield Row(name, "each further entry ÷ json.loads of it, CPU", parses, "times", FURTHER_PARSES, more=more)
