"""Everything that calls leave, in memory: calls, recordings, streams, events that were given up, and a clock."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from shared.calls.record import CallRecord
from shared.calls.store.base import Found, listed_row
from shared.calls.store.memory import MemoryDoNotRecord, MemoryStore
from shared.kept.calls import KeptCalls
from shared.kept.retention import Retention
from shared.notifications.base import DeadLetter
from shared.notifications.event import call_finished
from shared.notifications.memory import MemoryDeadLetters, MemoryNotificationQueue
from shared.notifications.notifier import Notifier
from shared.privacy import NumberHashes
from shared.recordings.memory import MemoryArchive
from shared.rows import MemoryRows
from shared.use_cases.all import UseCases
from shared.use_cases.base import Agenda, UseCase
from shared.web.people_service import People
from shared.web.reports import ReportService
from tests.unit.recordings.world import BEGAN, SERVER_CALL
from tests.unit.recordings.world import World as Recordings

KEY, EARLIER = (base64.b64encode(letter * 32).decode() for letter in (b"k", b"e"))
ADA, BOB, OFFICE = "4:+14255550100", "4:+14255550101", "4:+18005550199"
START = int(BEGAN * 1000)
DAY = 86_400.0


class Kept:
    """The parts, and what puts things into them. Times are Unix time in seconds."""

    def __init__(self, key: str = KEY, *, days: int = 30, recording_days: int = 90, seconds: float = 100.0) -> None:
        numbers = NumberHashes(key) if key else None
        self.store = MemoryStore(numbers)
        self.recordings = Recordings(retention_days=recording_days)
        self.streams = MemoryArchive()
        self.letters = MemoryDeadLetters()
        self.do_not_record = MemoryDoNotRecord(numbers) if numbers else None
        self.calls = KeptCalls(
            self.store, lambda: self.recordings.pipeline, lambda: self.notifier, self.streams, lambda: self.now
        )
        self.notifier = Notifier(
            targets={},
            store=self.store,
            queue=MemoryNotificationQueue(),
            letters=self.letters,
            event_of=lambda record: call_finished(record, personal=False),
            clock=lambda: self.now,
        )
        self.cases: dict[str, Callable[[], UseCase]] = {}
        self.use_cases = UseCases(self.cases, Agenda(MemoryRows()), lambda flow: flow)
        self.people = People(
            self.calls,
            lambda: ReportService(
                self.recordings.pipeline, self.recordings.ledger, self.recordings.archive, link_seconds=60
            ),
            self.do_not_record,
            use_cases=self.use_cases,
            hashes=numbers is not None,
            days=days,
            link_seconds=60,
            clock=lambda: self.now,
            seconds=seconds,
        )
        self.retention = Retention(
            self.calls,
            days=days,
            recording_days=recording_days,
            use_cases=self.use_cases.expire,
            clock=lambda: self.now,
            seconds=seconds,
        )

    @property
    def now(self) -> float:
        return self.recordings.now

    def pass_days(self, days: float) -> None:
        self.recordings.now += days * DAY

    def call(self, call_id: str = "call-1", *, open_: bool = False, indexed: bool = True, **values: Any) -> CallRecord:
        """A call of Ada's that was closed, unless it is open."""
        ended = {} if open_ else {"status": "ended", "ended_at": START + 9000, "outcome": "completed"}
        record = CallRecord(
            call_id,
            **{
                "status": "connected",
                "started_at": START,
                "updated_at": START + 9000,
                "caller": ADA,
                "callee": OFFICE,
                **ended,
                **values,
            },
        )
        self.store.claim(record, [json.dumps({"kind": "made_up", "said": f"I am {record.caller}"})])
        if indexed:
            self.store.index(record)
        if not open_:
            self.store.close(record, {"caller": record.caller})
        return record

    def record(self) -> str:
        """A recording of the call with that server call id, and its report; its id."""
        recording = self.recordings.announce()
        self.recordings.run()
        return recording

    def stream(self, call_id: str = "call-1", at: float = BEGAN) -> None:
        day = f"{datetime.fromtimestamp(at, UTC):%Y/%m/%d}"
        for name in ("audio-0123.wav", "transcript.jsonl"):
            self.streams.put_text(f"{day}/{call_id}/{name}", "Hello, this is Ada.")

    def give_up(self, record: CallRecord) -> None:
        """An event of this call was given up."""
        day = listed_row(record).day
        self.letters.put(DeadLetter(day, record.call_id, "hook", "the hook responded 503", 9, 0, 0))

    def everything(self, call_id: str = "call-1") -> str:
        """A call that has left something everywhere; its recording's id."""
        record = self.call(call_id, server_call_id=SERVER_CALL, correlation_id="c", call_connection_id="n")
        self.stream(call_id)
        self.give_up(record)
        return self.record()


def found(record: CallRecord) -> Found:
    return Found(record.call_id, listed_row(record).position)
