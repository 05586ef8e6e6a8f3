"""Call context in memory: for tests and properties, with the rules of the real one."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from shared.calls.record import CallRecord
from shared.calls.store.base import By, Found, Listed, OpenCall, Stored, Version
from shared.calls.store.figures import COUNTER, Mark, counted, failed_row, mark_of, place_of, summed
from shared.calls.store.index import (
    CONNECTION,
    LEAVING,
    OPEN,
    IndexRow,
    all_stand,
    day_partition,
    day_row,
    ended_partition,
    every_partition,
    failed_partition,
    gone_partition,
    index_rows,
    is_number,
    key_id_of,
    listed_of,
    number_rows,
    open_call,
    partitions,
    positions,
)
from shared.calls.store.limits import check_row
from shared.errors import AlreadyClaimed, LostRace, UnknownCall
from shared.privacy import NumberHashes


@dataclass
class _Kept:
    record: CallRecord
    journal: list[str]
    version: int = 0


class MemoryStore:
    """Keeps calls in a dict and their index in another, by the rows that Azure Tables would hold.

    One lock makes each method atomic, as one entity's update is in a table.

    Args:
        numbers: hashes the numbers that calls are found by; None: none is kept.
    """

    def __init__(self, numbers: NumberHashes | None = None) -> None:
        self._numbers = numbers
        self._lock = threading.Lock()
        self._calls: dict[str, _Kept] = {}
        self._rows: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
        self._archived: dict[str, int] = {}
        self.archive: dict[str, dict[str, Any]] = {}

    def claim(self, record: CallRecord, journal: Sequence[str]) -> Version:
        check_row(record.call_id, asdict(record))
        with self._lock:
            if record.call_id in self._calls:
                raise AlreadyClaimed(record.call_id)
            self._calls[record.call_id] = _Kept(_written(record), list(journal))
            return 0

    def load(self, call_id: str) -> Stored:
        with self._lock:
            kept = self._kept(call_id)
            return Stored(deepcopy(kept.record), list(kept.journal), kept.version)

    def peek(self, call_id: str) -> CallRecord:
        with self._lock:
            return deepcopy(self._kept(call_id).record)

    def commit(self, record: CallRecord, appended: Sequence[str], version: Version) -> Version:
        check_row(record.call_id, asdict(record))
        with self._lock:
            kept = self._kept(record.call_id)
            if kept.version != cast(int, version):
                raise LostRace(record.call_id)
            kept.record = _written(record)
            kept.journal.extend(appended)
            kept.version += 1
            return kept.version

    def peek_all(self, call_ids: Sequence[str]) -> list[CallRecord]:
        with self._lock:
            return [replace(self._calls[one].record, ring="", secrets="") for one in call_ids if one in self._calls]

    def indexed(self, record: CallRecord) -> bool:
        return all_stand(record, self._numbers)

    def index(self, record: CallRecord) -> tuple[str, ...]:
        rows = index_rows(record, self._numbers)
        with self._lock:
            for row in rows:
                if row.mark not in record.indexed:
                    self._merge(row)
        return tuple(row.mark for row in rows)

    def close(self, record: CallRecord, document: dict[str, Any]) -> None:
        with self._lock:
            if self._archived.get(record.call_id, 0) <= record.entries:
                self.archive[record.call_id] = deepcopy(document)
                self._archived[record.call_id] = record.entries
                self._merge(day_row(record))
                self._count(record)
            self._rows[OPEN].pop(record.call_id, None)

    def is_closed(self, record: CallRecord) -> bool:
        with self._lock:
            return record.call_id in self._archived

    def open_calls(self) -> Iterator[str]:
        return (one.call_id for one in self.going_on())

    def going_on(self) -> Iterator[OpenCall]:
        with self._lock:
            return iter([open_call(call_id, row) for call_id, row in sorted(self._rows[OPEN].items())])

    def ended(self, day: str) -> Mapping[tuple[str, str], int]:
        with self._lock:
            rows = self._rows.get(ended_partition(day), {})
            return summed(row["counts"] for key, row in rows.items() if key.startswith(COUNTER))

    def failed(self, day: str, most: int) -> list[Listed]:
        with self._lock:
            rows = sorted(self._rows.get(failed_partition(day), {}).items())
        return [listed_of(day, columns) for _, columns in rows[:most]]

    def drop_figures(self, day: str) -> None:
        with self._lock:
            for partition, rows in self._rows.items():
                if ended_partition("") <= partition < ended_partition(day):
                    for key in [key for key in rows if key.startswith(COUNTER)]:
                        del rows[key]

    def connection_of(self, call_id: str) -> str:
        with self._lock:
            return self._rows[OPEN].get(call_id, {}).get(CONNECTION, "")

    def search(
        self, by: By, value: str, *, since: int | None = None, until: int | None = None, after: str = ""
    ) -> Iterator[Found]:
        low, high = positions(since=since, until=until, after=after)
        with self._lock:
            found = {
                key: row["call_id"]
                for partition in partitions(by, value, self._numbers)
                for key, row in self._rows.get(partition, {}).items()
                if low < key < high
            }
        return iter([Found(found[position], position) for position in sorted(found)])

    def listed(self, day: str, *, after: str = "", most: int | None = None) -> Iterable[Listed]:
        with self._lock:
            rows = sorted(self._rows.get(day_partition(day), {}).items())
        return [listed_of(day, columns) for position, columns in rows if position > after]

    def is_open(self, call_id: str) -> bool:
        with self._lock:
            return call_id in self._rows[OPEN] and call_id in self._calls

    def older(self, day: str) -> Iterator[Found]:
        return self._found(day_partition(""), day_partition(day))

    def remove(self, found: Found, *, keep_numbers: bool = False) -> bool:
        if self.is_open(found.call_id):
            return False
        day, gone = day_partition(found.day), gone_partition(found.day)
        with self._lock:
            kept = self._calls.pop(found.call_id, None)
            left = self._rows[day].get(found.position) or self._rows[gone].get(found.position, {})
            partitions = json.loads(left.get(LEAVING, "[]"))
            if kept is not None:
                partitions = every_partition(kept.record, self._numbers)
            numbers = [one for one in partitions if is_number(one)]
            keep = keep_numbers and bool(numbers)
            for partition in (*partitions, day, gone):
                if not (keep and is_number(partition)):
                    self._rows[partition].pop(found.position, None)
            self._rows[OPEN].pop(found.call_id, None)
            if keep:
                columns = {"call_id": found.call_id, LEAVING: json.dumps(numbers)}
                self._merge(IndexRow("", gone, found.position, columns))
            self.archive.pop(found.call_id, None)
            self._archived.pop(found.call_id, None)
        return True

    def forgettable(self, day: str) -> Iterator[Found]:
        return self._found(gone_partition(""), gone_partition(day))

    def rehash(self) -> int:
        count = 0
        if self._numbers is None:
            return count
        with self._lock:
            for partition, position, call_id in self._foreign(self._numbers.key_ids[:1]):
                if call_id in self._calls:
                    for row in number_rows(self._calls[call_id].record, self._numbers):
                        self._merge(row)
                elif position in self._rows[gone_partition(Found(call_id, position).day)]:
                    continue
                del self._rows[partition][position]
                count += 1
        return count

    def unknown_keys(self) -> set[str]:
        with self._lock:
            return {key_id_of(one) for one, *_ in self._foreign(self._numbers.key_ids if self._numbers else ())}

    def _foreign(self, known: Sequence[str]) -> list[tuple[str, str, str]]:
        """Partition, position and call of the rows of numbers under none of these keys."""
        return [
            (partition, position, row["call_id"])
            for partition, rows in self._rows.items()
            if is_number(partition) and key_id_of(partition) not in known
            for position, row in rows.items()
        ]

    def _found(self, first: str, last: str) -> Iterator[Found]:
        """The calls in the lists between two names, the first included."""
        with self._lock:
            names = sorted(name for name in self._rows if first <= name < last)
            rows = [(row["call_id"], position) for name in names for position, row in sorted(self._rows[name].items())]
        return iter([Found(*row) for row in rows])

    def prepare(self) -> None:
        """Nothing to make."""

    def healthy(self) -> None:
        """Memory always answers."""

    def _count(self, record: CallRecord) -> None:
        place, mark, failed = place_of(record), mark_of(record), failed_row(record)
        rows = self._rows[place.partition]
        row = rows.get(place.mark)
        counts = counted(
            rows.get(place.counter, {}).get("counts", ""), mark, Mark(row["kind"], int(row["entries"])) if row else None
        )
        if counts is None:
            return
        rows[place.mark] = {"kind": mark.kind, "entries": str(mark.entries)}
        rows[place.counter] = {"counts": counts}
        if mark.failed:
            self._merge(failed)
        else:
            self._rows[failed.partition].pop(failed.key, None)

    def _merge(self, row: IndexRow) -> None:
        self._rows[row.partition].setdefault(row.key, {}).update(row.columns)

    def _kept(self, call_id: str) -> _Kept:
        try:
            return self._calls[call_id]
        except KeyError:
            raise UnknownCall(call_id) from None


class MemoryDoNotRecord:
    """A do-not-record list for tests and rehearsals, with the rules of the real one."""

    def __init__(self, numbers: NumberHashes) -> None:
        self._numbers = numbers
        self.rows: set[str] = set()

    def add(self, raw_id: str) -> None:
        self.rows.add(self._numbers.of(raw_id))

    def remove(self, raw_id: str) -> None:
        self.rows.difference_update(self._numbers.candidates(raw_id))

    def holds_any(self, raw_ids: Collection[str]) -> bool:
        candidates = {one: self._numbers.candidates(one) for one in raw_ids}
        held = self.rows.intersection(hashed for several in candidates.values() for hashed in several)
        for one, (current, *earlier) in candidates.items():
            if current not in held and held.intersection(earlier):
                self.add(one)
        return bool(held)

    def unknown_keys(self) -> set[str]:
        return {hashed.partition(".")[0] for hashed in self.rows} - {*self._numbers.key_ids}


def _written(record: CallRecord) -> CallRecord:
    """A record as it is kept; memory takes no time, so that its newest entry says when."""
    kept = deepcopy(record)
    kept.written_at = record.updated_at
    return kept
