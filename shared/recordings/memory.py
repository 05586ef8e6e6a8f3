"""The archive, the ledger and the queue in memory: for tests, with the rules of the real ones."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import cast

from shared.errors import LostRace, UnknownRecording
from shared.recordings.base import ReportRow, Version
from shared.recordings.record import RecordingRecord, day_of_id

BLOCK = 64 * 1024
UNSETTLED = ("unclaimed", "waiting", "archived")


class MemoryArchive:
    """Keeps files in a dict: name → bytes. `types` has the content type of each that a writer wrote."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.types: dict[str, str] = {}
        self._versions: Counter[str] = Counter()
        self._generations: dict[str, int] = {}
        self._lock = Lock()

    def writer(self, name: str, content_type: str) -> MemoryWriter:
        return MemoryWriter(self, name, content_type)

    def read(self, name: str, start: int = 0) -> Iterator[bytes]:
        body = self.files[name]
        return (body[at : at + BLOCK] for at in range(start, len(body), BLOCK))

    def length(self, name: str) -> int | None:
        return len(self.files[name]) if name in self.files else None

    def put_text(self, name: str, text: str) -> None:
        self._put(name, text.encode())

    def get_text(self, name: str) -> str:
        return self.files[name].decode()

    def put_newest(self, name: str, text: str, generation: int) -> bool:
        with self._lock:
            if name in self.files and self._generations.get(name, 0) > generation:
                return False
            self._put(name, text.encode())
            self._generations[name] = generation
            return True

    def link(self, name: str, seconds: float) -> str:
        return f"https://archive.invalid/{name}?seconds={seconds:g}"

    def names(self, folder: str) -> list[str]:
        return sorted(name for name in self.files if name.startswith(f"{folder}/"))

    def remove(self, folder: str) -> None:
        for name in [one for one in self.files if one.startswith(f"{folder}/")]:
            del self.files[name]
            self._versions[name] += 1

    def version(self, name: str) -> int:
        """How often the file was written or removed."""
        return self._versions[name]

    def replace(self, name: str, version: int, body: bytes, content_type: str) -> None:
        """Write a file that is still at a version; LostRace otherwise."""
        with self._lock:
            if self._versions[name] != version:
                raise LostRace("the file was committed by somebody else")
            self._put(name, body)
            self.types[name] = content_type

    def _put(self, name: str, body: bytes) -> None:
        self.files[name] = body
        self._versions[name] += 1


class MemoryWriter:
    """Holds what is written until it is committed."""

    def __init__(self, archive: MemoryArchive, name: str, content_type: str) -> None:
        self._archive = archive
        self._name = name
        self._content_type = content_type
        self._version = archive.version(name)
        self._written = bytearray()

    def write(self, block: bytes) -> None:
        self._written += block

    def commit(self) -> int:
        self._archive.replace(self._name, self._version, bytes(self._written), self._content_type)
        return len(self._written)


class MemoryLedger:
    """Keeps records and rows in dicts by id."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = Lock()
        self._records: dict[str, tuple[RecordingRecord, int]] = {}
        self._reports: dict[str, ReportRow] = {}

    def register(self, record: RecordingRecord) -> bool:
        with self._lock:
            if record.id in self._records:
                return False
            self._records[record.id] = deepcopy(record), 0
            return True

    def load(self, recording: str) -> tuple[RecordingRecord, Version]:
        with self._lock:
            if recording not in self._records:
                raise UnknownRecording(recording)
            return deepcopy(self._records[recording])

    def save(self, record: RecordingRecord, version: Version) -> Version:
        with self._lock:
            _, current = self._records.get(record.id, (None, -1))
            if current != cast(int, version):
                raise LostRace(record.id)
            self._records[record.id] = deepcopy(record), current + 1
            return current + 1

    def listed(self, day: str, *, status: str = "", after: str = "") -> Iterator[RecordingRecord]:
        return (
            record
            for record in self._sorted()
            if record.day == day and record.id > after and status in ("", record.status)
        )

    def unsettled(self) -> Iterator[RecordingRecord]:
        first = f"{datetime.fromtimestamp(self._clock(), UTC) - timedelta(days=8):%Y-%m-%d}"
        return (record for record in self._sorted() if record.day >= first and record.status in UNSETTLED)

    def of_call(self, day: str, call_id: str, server_call_id: str) -> Iterator[RecordingRecord]:
        return (
            record
            for record in self._sorted()
            if record.day == day and (record.call_id == call_id or record.server_call_id == (server_call_id or call_id))
        )

    def older(self, day: str) -> Iterator[str]:
        return (record.id for record in self._sorted() if record.day < day)

    def remove(self, recording: str) -> None:
        with self._lock:
            self._records.pop(recording, None)
            self._reports.pop(recording, None)

    def put_report(self, row: ReportRow) -> bool:
        with self._lock:
            if row.id in self._reports and self._reports[row.id].generation > row.generation:
                return False
            self._reports[row.id] = row
            return True

    def reports(self, day: str, *, after: str = "") -> Iterable[ReportRow]:
        with self._lock:
            return [row for _, row in sorted(self._reports.items()) if day_of_id(row.id) == day and row.id > after]

    def _sorted(self) -> list[RecordingRecord]:
        with self._lock:
            return [deepcopy(record) for _, (record, _) in sorted(self._records.items())]


class MemoryRecordingQueue:
    """Keeps what was sent: recording, chunk and delay, in order."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int | None, float]] = []

    def send(self, recording: str, chunk: int | None, *, delay: float = 0.0) -> None:
        self.sent.append((recording, chunk, delay))
