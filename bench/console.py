"""What pages of the console cost the storage, after a quiet day and after a busy one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from azure.data.tables import TransactionOperation, UpdateMode

from bench.core import counted_requests
from bench.report import Row
from devstack.azurite import LOGS, Azurite
from shared.azure.call_store import TableStore
from shared.calls.record import CallRecord
from shared.calls.store.figures import counted, failed_row, mark_of, place_of
from shared.calls.store.index import day_row
from shared.storage_account import StorageAccount
from shared.web.console.call_list import PAGE, Filter, page_of
from shared.web.console.today import today

SIZES, QUICK = (100, 100_000), (100, 2_000)
"""Calls a day."""
DAY, AT = "2026-11-28", 1_795_860_000_000
FAILED = 50
"""Of so many calls one ends as nobody wished."""
AT_ONCE = 100
"""Rows of a transaction (docs: performing entity group transactions)."""


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests to the storage, and what a call that goes on costs those who look at it."""

    page: int
    last_page: int
    filtered: int
    today: int
    poll: int


def fill(store: TableStore, calls: int) -> None:
    """Leave in the index what so many closed calls leave there, in transactions, for that many would take an hour."""
    rows: dict[str, list[dict[str, str | int]]] = {}
    counters: dict[tuple[str, str], str] = {}
    for number in range(calls):
        outcome = "failed" if number % FAILED == 0 else "completed"
        record = CallRecord(f"c{number:06d}", "reception", "ended", started_at=AT + number * 800, outcome=outcome)
        place, mark = place_of(record), mark_of(record)
        for row in (day_row(record), *([failed_row(record)] if mark.failed else [])):
            rows.setdefault(row.partition, []).append({**row.columns, "PartitionKey": row.partition, "RowKey": row.key})
        marked = {**asdict(mark), "PartitionKey": place.partition, "RowKey": place.mark}
        rows.setdefault(place.partition, []).append(marked)
        key = place.partition, place.counter
        counters[key] = counted(counters.get(key, ""), mark, None) or ""
    for (partition, counter), counts in counters.items():
        rows[partition].append({"PartitionKey": partition, "RowKey": counter, "counts": counts})
    for several in rows.values():
        for at in range(0, len(several), AT_ONCE):
            some = several[at : at + AT_ONCE]
            replace = {"mode": UpdateMode.REPLACE}
            store._index.submit_transaction([(TransactionOperation.UPSERT, row, replace) for row in some])


def requests(store: TableStore) -> Requests:
    """What each page costs; a call goes on meanwhile."""
    live = CallRecord("live", "reception", "connected", started_at=AT - 1000)  # before all others of the day
    store.claim(live, [])
    store.index(live)

    def cost(look: Callable[[], object]) -> int:
        with counted_requests() as counts:
            look()
        return counts.total()

    oldest = f"{10**13 - AT - 40_000:013d}"  # behind it stand the first calls of the day
    return Requests(
        page=cost(lambda: page_of(store.listed(DAY, most=PAGE + 1), Filter(DAY))),
        last_page=cost(lambda: page_of(store.listed(DAY, after=oldest, most=PAGE + 1), Filter(DAY))),
        filtered=cost(lambda: page_of(store.listed(DAY), Filter(DAY, flow="none"))),
        today=cost(lambda: today(store, DAY, {})),
        poll=cost(lambda: store.peek(live.call_id)),
    )


def measure(quick: bool) -> Iterator[Row]:
    """The rows of a quiet and of a busy day."""
    with Azurite(log=LOGS / "bench-azurite.log") as azurite:
        few: Requests | None = None
        for calls in QUICK if quick else SIZES:
            store = TableStore(StorageAccount(azurite.connection_string), f"console{calls}x")
            store.prepare()
            fill(store, calls)
            took = time.perf_counter()
            found = requests(store)
            more = {"seconds": round(time.perf_counter() - took, 2)}
            few = few or found
            case = f"{calls:,} calls a day"
            yield Row("console", f"page of calls, {case}", found.page, "requests", few.page, more=more)
            yield Row("console", f"last page of calls, {case}", found.last_page, "requests", few.page)
            yield Row("console", f"filter that finds nothing, {case}", found.filtered, "requests", 5)
            yield Row("console", f"Today, {case}", found.today, "requests", few.today)
            yield Row("console", f"poll of a call that goes on, {case}", found.poll, "requests", 1)
