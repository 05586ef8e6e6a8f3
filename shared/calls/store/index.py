"""The rows that find a call: by day, among the open ones, by the service's ids, by a number's hash.

Each row is written when what it is found by becomes known: a placed call learns its server call id only from
CallConnected. The head names the rows that stand (`CallRecord.indexed`), so that none is written twice for nothing,
and whoever reads the head sees what a dead instance did not write.

A row is merged into what stands there, and what it says only ever grows (a call that was connected stays so; one that
its flow places has been placed so often, and waits again since so many attempts). So it does not matter which of two
instances writes last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

from shared.calls.record import CallRecord, Status
from shared.calls.store.base import By, Listed, OpenCall, day_of, listed_row
from shared.errors import InvalidInput
from shared.privacy import NumberHashes

OPEN = "open"
"""The partition of the calls that are not closed yet."""
CONNECTION = "connection"
"""The column of such a call's connection."""
LEAVING = "leaving"
"""The column that names, before a call is removed, all the partitions that its rows lie in."""
YES = "yes"
END = "~"
"""Behind every position."""
_NAMES: dict[By, str] = {
    "server_call_id": "server",
    "correlation_id": "correlation",
    "connection_id": "connection",
    "recording_id": "recording",
    "number": "number",
}


NUMBERS = f"{_NAMES['number']} "
"""Begins the partitions of numbers."""


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One row of the index.

    Attributes:
        mark: what the head names it by once it stands.
        columns: what it says, all of it text.
    """

    mark: str
    partition: str
    key: str
    columns: Mapping[str, str] = field(default_factory=dict)


def index_rows(record: CallRecord, numbers: NumberHashes | None) -> list[IndexRow]:
    """Every row that should find this call by now, those first that are needed first: the watchdog looks for open
    calls, and lifecycle events come with an id of the service."""
    position = listed_row(record).position
    rows = [] if record.status == "ended" else [_open_row(record)]
    found = {"call_id": record.call_id}
    rows += [IndexRow(_mark(partition), partition, position, found) for partition in _partitions(record, numbers)]
    return [*rows, day_row(record)]


def _open_row(record: CallRecord) -> IndexRow:
    """The row among the open calls. It says the connection before the head does, for other instances; and what counts
    calls that go on."""
    known = {"direction": record.direction, "started_at": str(record.started_at)}
    if record.call_connection_id:
        known[CONNECTION] = record.call_connection_id
    return IndexRow(_mark(_open(record)), OPEN, record.call_id, known)


def day_row(record: CallRecord) -> IndexRow:
    """The row of the day's list: what is known by now, and nothing that a later one would have to take back."""
    columns = {name: getattr(record, name) for name in ("call_id", "flow", "direction", "caller", "callee")}
    columns |= {"started_at": str(record.started_at), "connected": YES if _is_up(record) else ""}
    if record.status == "waiting":
        columns["waits"] = str(record.attempts)
    elif record.attempts:
        columns["placed"] = str(record.attempts)
    if record.status == "ended":
        columns |= {"ended": YES, "outcome": record.outcome, "result": record.result}
    known = {name: value for name, value in columns.items() if value}
    partition = day_partition(day_of(record.started_at))
    return IndexRow(_mark(_stage(record)), partition, listed_row(record).position, known)


def gone_partition(day: str) -> str:
    """Where the removed calls of a day are, whose numbers are still needed to find their recordings."""
    return f"gone {day}"


def ended_partition(day: str) -> str:
    """Where the calls of a day are counted that have ended."""
    return f"ended {day}"


def failed_partition(day: str) -> str:
    """Where those of them are listed that somebody should look at."""
    return f"failed {day}"


def every_partition(record: CallRecord, numbers: NumberHashes | None) -> list[str]:
    """Every partition that a row of this call may lie in, under whichever known key; the day's list left out."""
    found = [_partition(by, value) for by, value in _ids(record) if by != "number"]
    if numbers is not None:
        hashed = {one for by, value in _ids(record) if by == "number" for one in numbers.candidates(value)}
        found += [_partition("number", one) for one in sorted(hashed)]
    if record.status == "ended":
        day = day_of(record.started_at)
        found += [ended_partition(day), failed_partition(day)]
    return list(dict.fromkeys(found))


def number_rows(record: CallRecord, numbers: NumberHashes) -> list[IndexRow]:
    """The rows by which this call is found by number, under the current key."""
    position, found = listed_row(record).position, {"call_id": record.call_id}
    hashed = {numbers.of(value) for by, value in _ids(record) if by == "number"}
    return [
        IndexRow(_mark(partition), partition, position, found)
        for partition in (_partition("number", one) for one in sorted(hashed))
    ]


def is_number(partition: str) -> bool:
    """Whether a partition holds the calls of a number."""
    return partition.startswith(NUMBERS)


def key_id_of(partition: str) -> str:
    """The id of the key that the number of a partition was hashed with."""
    return partition.removeprefix(NUMBERS).partition(".")[0]


def gaps(start: str, key_ids: Sequence[str]) -> list[tuple[str, str]]:
    """The ranges of hashes behind `start` that are under none of these keys, their ends left out.

    The ids have one length, and `.` ends each: from there to `/`, the next character, lies all that is under it.
    """
    edges = [
        start,
        *(edge for one in sorted(key_ids) for edge in (f"{start}{one}.", f"{start}{one}/")),
        f"{start}{END}",
    ]
    return list(zip(edges[::2], edges[1::2], strict=True))


def all_stand(record: CallRecord, numbers: NumberHashes | None) -> bool:
    """Whether the head names every row of `index_rows`; asked at each callback, so no row is made for it."""
    stand = record.indexed
    return (
        _mark(_stage(record)) in stand
        and (record.status == "ended" or _mark(_open(record)) in stand)
        and all(_mark(partition) in stand for partition in _partitions(record, numbers))
    )


def _open(record: CallRecord) -> str:
    return f"{OPEN} {record.call_connection_id}"


def _stage(record: CallRecord) -> str:
    """What the day's list shows of a call before it ends; its end is written when the call is closed."""
    stage = f"{record.started_at} {_is_up(record)} {record.caller} {record.callee}"
    if record.attempts or record.status == "waiting":
        stage += f" {record.attempts} {record.status == 'waiting'}"
    return stage


def _is_up(record: CallRecord) -> bool:
    """Whether it is connected, or was."""
    return record.status == "connected" or record.connected_at > 0


def partitions(by: By, value: str, numbers: NumberHashes | None) -> list[str]:
    """Where calls are found by this; InvalidInput for a number while there is no key to hash it with."""
    if by != "number":
        return [_partition(by, value)]
    if numbers is None:
        raise InvalidInput(
            "number",
            "cannot be searched for: the app has no key that numbers are hashed with in its index.",
            "Set NUMBER_HASH_KEY (make one with: openssl rand -base64 32); calls that come from then on are found.",
        )
    return [_partition(by, hashed) for hashed in numbers.candidates(value)]


def day_partition(day: str) -> str:
    """Where the calls of a day are listed."""
    return f"day {day}"


def positions(*, since: int | None = None, until: int | None = None, after: str = "") -> tuple[str, str]:
    """The positions between which calls started from `since` on and before `until` (Unix milliseconds; None: open)."""
    return max("" if until is None else _place(until), after), END if since is None else _place(since)


def open_call(call_id: str, columns: Mapping[str, Any]) -> OpenCall:
    """A row among the open calls, as it was read; one of an earlier version says less."""
    return OpenCall(call_id, int(columns.get("started_at", 0)), columns.get("direction", ""))


def listed_of(day: str, columns: Mapping[str, Any]) -> Listed:
    """A row of the day's list, as it was read."""
    direction = columns["direction"]
    status: Status = columns.get("status") or ("ringing" if direction == "inbound" else "connecting")
    if "waits" in columns and int(columns["waits"]) >= int(columns.get("placed", 0)):
        status = "waiting"  # since the attempt of this number, and no later one is known
    if columns.get("connected") and status != "ended":  # rows of earlier versions name their status
        status = "connected"
    if columns.get("ended"):
        status = "ended"
    return Listed(
        call_id=columns["call_id"],
        day=day,
        started_at=int(columns["started_at"]),
        status=status,
        flow=columns.get("flow", ""),
        direction=direction,
        caller=columns.get("caller", ""),
        callee=columns.get("callee", ""),
        outcome=columns.get("outcome", ""),
        result=columns.get("result", ""),
    )


def _partitions(record: CallRecord, numbers: NumberHashes | None) -> list[str]:
    known = _ids(record)
    found = [_partition(by, value) for by, value in known if by != "number"]
    if numbers is not None:
        hashed = {numbers.of(value) for by, value in known if by == "number"}
        found += [_partition("number", one) for one in sorted(hashed)]
    return found


def _ids(record: CallRecord) -> list[tuple[By, str]]:
    """All that a call is found by, also what was true of an earlier attempt."""
    known: list[tuple[By, str]] = [
        ("server_call_id", record.server_call_id),
        ("correlation_id", record.correlation_id),
        ("connection_id", record.call_connection_id),
        *(("recording_id", one) for one in record.recording_ids),
        *((cast(By, by), value) for by, _, value in (one.partition(" ") for one in record.earlier)),
        ("number", record.caller),
        ("number", record.callee),
        *(("number", one) for one in record.others),
    ]
    return [(by, value) for by, value in known if value]


def _place(at: int) -> str:
    """Stands behind the positions of calls that started at this moment or later, and before those of earlier ones."""
    return f"{10**13 - min(max(at, 2), 10**13) + 1:013d}"


@lru_cache(maxsize=4096)
def _partition(by: By, value: str) -> str:
    """The service's ids are hashed too: they may be long, or hold what a key may not (`/` in base64)."""
    if by != "number":
        value = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{_NAMES[by]} {value}"


@lru_cache(maxsize=4096)
def _mark(what: str) -> str:
    return hashlib.sha256(what.encode("utf-8", "surrogatepass")).hexdigest()[:8]
