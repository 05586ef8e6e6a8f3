"""A storage account in memory: what the app's stores ask of the SDK's clients, at a price in time and under the
published limits.

A request is under way for half of its latency, is carried out, and its response is under way for the other half. Above
the limits (https://learn.microsoft.com/azure/storage/tables/scalability-targets) the account responds 503, and the
client tries again as the app's does: at once, then after 0.4 s, then it gives up.
"""

from __future__ import annotations

import random
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, TypeVar

from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import TransactionOperation

from bench.scale.virtual_time import VirtualTime

T = TypeVar("T")

PARTITION, ACCOUNT = 2_000.0, 20_000.0
"""Entities a second (docs: scalability targets for Table storage)."""
PAGE = 1_000
"""Entities of one response to a query, at most (docs: query timeout and pagination)."""
RETRIES = (0.0, 0.4)
"""Seconds before each further try: `shared.azure.clients.tables`, by azure-core's rule for a back-off."""


@dataclass
class Limit:
    """A bucket of so many entities a second; what a second gives may come at once.

    A limit takes what was not used in the second before, and nothing of earlier ones.
    """

    rate: float
    left: float = field(init=False)
    at: float = 0.0

    def __post_init__(self) -> None:
        self.left = self.rate

    def take(self, now: float, entities: int) -> bool:
        """Whether they fit."""
        self.left = min(self.rate, self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left < entities:
            return False
        self.left -= entities
        return True


class Account:
    """The account, and what was asked of it.

    Args:
        latency: seconds that one request takes, drawn for each.
        scale: of the limits; a tenth of them bends at a tenth of the calls.

    Attributes:
        requests: by operation and table; of blobs, `blob`.
        entities: read or written, by partition: of calls, each of which has its own, by the table alone.
        busy: requests that were refused because of a limit, by partition.
        lost: replaces that lost a race.
    """

    def __init__(self, time: VirtualTime, latency: Callable[[], float], scale: float = 1.0) -> None:
        self.time = time
        self.latency = latency
        self.requests: Counter[str] = Counter()
        self.busy: Counter[str] = Counter()
        self.entities: Counter[str] = Counter()
        self.lost = 0
        self.rows: dict[str, dict[str, dict[str, _Row]]] = defaultdict(lambda: defaultdict(dict))
        self.blobs: dict[str, bytes] = {}
        self.versions = 0
        self._scale = scale
        self.page = max(1, round(PAGE * scale))
        self._whole = Limit(ACCOUNT * scale)
        self._partitions: dict[str, Limit] = {}

    def carry_out(self, name: str, table: str, partition: str, entities: int, work: Callable[[], T]) -> T:
        """One operation with all its tries."""
        for pause in (*RETRIES, None):
            latency = self.latency()
            self.requests[f"{name} {table}"] += 1
            self.time.sleep(latency / 2)
            fits = self._fits(table, partition, entities)
            result = None
            try:
                result = work() if fits else None
            finally:
                self.time.sleep(latency / 2)
            if fits:
                return result  # type: ignore[return-value]
            self.busy[shown(table, partition)] += 1
            if pause is None:
                break
            self.time.sleep(pause)
        raise _error(HttpResponseError, 503, "Server Busy")

    def _fits(self, table: str, partition: str, entities: int) -> bool:
        now, key = self.time.now, f"{table} {partition}"
        self.entities[shown(table, partition)] += entities
        one = self._partitions.setdefault(key, Limit(PARTITION * self._scale))
        return one.take(now, entities) and self._whole.take(now, entities)


trips = threading.local()
"""Counts the operations of a task (`count`)."""


class Clients:
    """The clients that one instance of the app has of the account.

    Args:
        compute: what an operation costs the instance itself.
    """

    def __init__(self, account: Account, compute: Callable[[str], None]) -> None:
        self.account = account
        self._compute = compute

    def carry_out(self, name: str, table: str, partition: str, entities: int, work: Callable[[], T]) -> T:
        """One operation."""
        self._compute(name)
        trips.count = getattr(trips, "count", 0) + 1
        return self.account.carry_out(name, table, partition, entities, work)

    def get_table_client(self, name: str) -> Table:
        """As `TableServiceClient` has it."""
        return Table(self, name)

    def create_table_if_not_exists(self, name: str) -> None:
        """Nothing to do: every table is there."""


def shown(table: str, partition: str) -> str:
    """A partition, or for those of which each call has its own the kind of them."""
    first = partition.partition(" ")[0]
    if table.endswith("index"):
        return f"index: {first}"
    return table


class _Row(dict[str, Any]):
    """A row with the metadata that the SDK gives it."""

    def __init__(self, values: Mapping[str, Any], etag: str, at: float) -> None:
        super().__init__(values)
        self.metadata = {"etag": etag, "timestamp": datetime.fromtimestamp(at, UTC)}


class Table:
    """One table, as `TableClient` has it."""

    def __init__(self, clients: Clients, name: str) -> None:
        self._clients = clients
        self._account = clients.account
        self.table_name = name

    def create_entity(self, entity: Mapping[str, Any], **_: Any) -> dict[str, str]:
        return self._do("insert", entity["PartitionKey"], 1, lambda: self._insert(entity))

    def update_entity(self, entity: Mapping[str, Any], *, etag: str, **_: Any) -> dict[str, str]:
        return self._do("replace", entity["PartitionKey"], 1, lambda: self._replace(entity, etag))

    def upsert_entity(self, entity: Mapping[str, Any], **_: Any) -> dict[str, str]:
        return self._do("merge", entity["PartitionKey"], 1, lambda: self._merge(entity))

    def delete_entity(self, partition: str, key: str) -> None:
        self._do("delete", partition, 1, lambda: self._rows(partition).pop(key, None))

    def get_entity(self, partition: str, key: str, **_: Any) -> Mapping[str, Any]:
        return self._do("get", partition, 1, lambda: self._get(partition, key))

    def query_entities(
        self, query: str, *, parameters: Mapping[str, str] | None = None, **_: Any
    ) -> Iterator[Mapping[str, Any]]:
        """All rows of one partition; no other query comes up on the way of a call."""
        name, equals, value = query.partition(" eq ")
        assert name + equals == "PartitionKey eq ", query
        assert " and " not in value, query
        partition, last = (parameters or {}).get(value.removeprefix("@"), value.strip("'")), ""
        while True:
            keys = sorted(key for key in self._rows(partition) if key > last)[: self._account.page]
            rows = self._do("query", partition, max(1, len(keys)), lambda: self._found(partition, keys))  # noqa: B023
            yield from rows
            if len(keys) < self._account.page:
                return
            last = keys[-1]

    def submit_transaction(self, steps: Sequence[tuple[Any, Mapping[str, Any], Any]], **_: Any) -> list[dict[str, str]]:
        """New rows, replaces under a condition, and rows that are merged; all or none."""

        def work() -> list[dict[str, str]]:
            partition = self._rows(steps[0][1]["PartitionKey"])
            before = dict(partition)
            try:
                return [self._step(*step) for step in steps]
            except Exception:
                partition.clear()
                partition.update(before)
                raise

        return self._do("transaction", steps[0][1]["PartitionKey"], len(steps), work)

    def _step(self, kind: TransactionOperation, row: Mapping[str, Any], how: Mapping[str, Any]) -> dict[str, str]:
        if kind is TransactionOperation.CREATE:
            return self._insert(row)
        return self._replace(row, how["etag"]) if kind is TransactionOperation.UPDATE else self._merge(row)

    def _do(self, operation: str, partition: str, entities: int, work: Callable[[], T]) -> T:
        return self._clients.carry_out(operation, self.table_name, partition, entities, work)

    def _rows(self, partition: str) -> dict[str, _Row]:
        return self._account.rows[self.table_name][partition]

    def _found(self, partition: str, keys: Sequence[str]) -> list[_Row]:
        rows = self._rows(partition)
        return [rows[key] for key in keys if key in rows]

    def _insert(self, entity: Mapping[str, Any]) -> dict[str, str]:
        if entity["RowKey"] in self._rows(entity["PartitionKey"]):
            raise _error(ResourceExistsError, 409, "Conflict")
        return self._put(entity)

    def _replace(self, entity: Mapping[str, Any], etag: str) -> dict[str, str]:
        if self._get(entity["PartitionKey"], entity["RowKey"]).metadata["etag"] != etag:
            self._account.lost += 1
            raise _error(ResourceModifiedError, 412, "Precondition Failed")
        return self._put(entity)

    def _merge(self, entity: Mapping[str, Any]) -> dict[str, str]:
        known = self._rows(entity["PartitionKey"]).get(entity["RowKey"])
        return self._put({**(known or {}), **entity})

    def _get(self, partition: str, key: str) -> _Row:
        try:
            return self._rows(partition)[key]
        except KeyError:
            raise _error(ResourceNotFoundError, 404, "Not Found") from None

    def _put(self, entity: Mapping[str, Any]) -> dict[str, str]:
        account = self._account
        account.versions += 1
        etag = f"v{account.versions}"
        self._rows(entity["PartitionKey"])[entity["RowKey"]] = _Row(entity, etag, account.time.now)
        return {"etag": etag}


class Container:
    """A container of blobs, as far as calls are archived: each is put once."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._blobs = clients.account.blobs

    def upload_blob(self, name: str, data: bytes, *, overwrite: bool = False, **_: Any) -> None:
        self._clients.carry_out("put", "blob", name, 0, lambda: self._put(name, data, overwrite=overwrite))

    def get_blob_client(self, name: str) -> SimpleNamespace:
        def exists() -> bool:
            return self._clients.carry_out("head", "blob", name, 0, lambda: name in self._blobs)

        def properties() -> SimpleNamespace:
            return self._clients.carry_out("head", "blob", name, 0, lambda: SimpleNamespace(metadata={}, etag=""))

        return SimpleNamespace(exists=exists, get_blob_properties=properties)

    def _put(self, name: str, data: bytes, *, overwrite: bool) -> None:
        if name in self._blobs and not overwrite:
            raise _error(ResourceExistsError, 409, "Conflict")
        self._blobs[name] = data


def constant(seconds: float) -> Callable[[], float]:
    """A latency that is always the same."""
    return lambda: seconds


def long_tail(median: float, seed: int, sigma: float = 1.0) -> Callable[[], float]:
    """A lognormal latency: with a sigma of 1 one request in a hundred takes ten times the median."""
    chance = random.Random(seed)
    return lambda: median * chance.lognormvariate(0.0, sigma)


def _error(kind: type[HttpResponseError], status: int, reason: str) -> HttpResponseError:
    error = kind(reason)
    error.status_code, error.reason = status, reason
    return error
