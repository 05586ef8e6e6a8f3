"""Export and erasure of what is kept of a person.

Both work in pieces that end within seconds: a response says from where the next request goes on. Nothing of it is
kept between two requests, so an erasure that broke off is asked for again, from there or from the beginning.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.calls.record import CallRecord
from shared.calls.sealing import shown
from shared.calls.store.base import DoNotRecord, Found
from shared.errors import InvalidInput, UnknownCall, UnknownRecording
from shared.identifiers import Identifier, key_of
from shared.kept.calls import KeptCalls
from shared.recordings.record import RecordingRecord
from shared.use_cases.all import UseCases
from shared.web.models import read
from shared.web.people import (
    ErasedCall,
    ExportedCall,
    ExportedRecording,
    PersonAsked,
    PersonErased,
    PersonExported,
    Searched,
)
from shared.web.reports import ReportService

SECONDS = 20.0
"""How long one request works at most, but for its last call (our choice)."""
QUIET = 60_000
"""Milliseconds for which a closed call must have been idle (our choice): an instance may be about to write what it
still knows of it."""

LISTED = "the hash of the number on the do-not-record list, which keeps the number from being recorded"
ELSEWHERE = "what has left the app: events that topic or hook took, log lines, backups, files with the service"
SWITCHED_OFF = "the number is switched off; POST /api/switches turns it on, and forgets it"
NOT_SEARCHED = "calls from before there was a hash key: nobody looked for them; give `days`"


class People:
    """Finds what belongs to a number, exports it and erases it.

    Args:
        hashes: whether numbers are hashed, so that calls are found by them.
        days: for which calls are kept; 0: for ever.
        is_off: whether a number is switched off, and so named among the switches.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        calls: KeptCalls,
        reports: Callable[[], ReportService],
        do_not_record: DoNotRecord | None,
        *,
        hashes: bool,
        days: int,
        link_seconds: float,
        use_cases: UseCases,
        is_off: Callable[[Identifier], bool] = lambda number: False,
        clock: Callable[[], float] = time.time,
        seconds: float = SECONDS,
    ) -> None:
        self._calls = calls
        self._reports = reports
        self._do_not_record = do_not_record
        self._hashes = hashes
        self._days = days
        self._link_seconds = link_seconds
        self._use_cases = use_cases
        self._is_off = is_off
        self._clock = clock
        self._seconds = seconds

    def export(self, body: bytes) -> PersonExported:
        """A piece of all that is kept of a number."""
        asked = read(PersonAsked, body)
        exported: list[ExportedCall] = []
        after = self._work(asked, lambda found: exported.append(self._export(found)))
        listed = None if self._do_not_record is None else self._do_not_record.holds_any([asked.number.raw_id])
        return PersonExported(
            calls=tuple(exported),
            do_not_record=listed,
            use_cases={} if asked.after else self._use_cases.export(asked.number),
            searched=self._searched(asked),
            next=after,
        )

    def erase(self, body: bytes) -> PersonErased:
        """Erase a piece of all that is kept of a number; the receipt."""
        asked = read(PersonAsked, body)
        erased: list[ErasedCall] = []
        after = self._work(asked, lambda found: erased.append(self._erase(found)))
        used = {} if after else self._use_cases.erase(asked.number)
        searched, stays = self._searched(asked), [ELSEWHERE]
        if not searched.days:
            stays.append(NOT_SEARCHED)
        if self._do_not_record is not None and self._do_not_record.holds_any([asked.number.raw_id]):
            stays.append(LISTED)
        if self._is_off(asked.number):
            stays.append(SWITCHED_OFF)
        stays += [f"{name}: {one.stays}" for name, one in used.items() if one.stays]
        complete = after is None and all(call.erased for call in erased)
        return PersonErased(
            calls=tuple(erased),
            use_cases={name: one.rows for name, one in used.items()},
            searched=searched,
            stays=tuple(stays),
            complete=complete,
            next=after,
        )

    def _work(self, asked: PersonAsked, step: Callable[[Found], None]) -> str | None:
        """Do a step with each call of a number, until the time is over; where the next request goes on."""
        until, done = self._clock() + self._seconds, set[str]()
        for place, found in self._found(asked):
            if self._clock() >= until:
                return place
            if found is not None and found.call_id not in done:
                done.add(found.call_id)
                step(found)
        return None

    def _found(self, asked: PersonAsked) -> Iterator[tuple[str, Found | None]]:
        """The calls of a number: those that its hash finds, then those in the lists of days. Each with the place from
        which a request goes on that begins with it; a place without a call where a day begins."""
        part, _, rest = asked.after.partition(" ")
        if part not in ("", "hash", "day"):
            raise InvalidInput("after", "is not the `next` of a response.", "Leave it out to start again.")
        last = rest if part == "hash" else ""
        if self._hashes and part != "day":
            for found in self._calls.store.search("number", asked.number.raw_id, after=last):
                yield f"hash {last}", found
                last = found.position
        day, _, last = rest.partition(" ") if part == "day" else ("", "", "")
        for one in self._days_of(asked):
            if day and one > day:
                continue  # done before: the newest day comes first
            last = last if one == day else ""
            yield f"day {one} {last}", None
            for row in self._calls.store.listed(one, after=last):
                if asked.number.key in (key_of(row.caller), key_of(row.callee)):
                    yield f"day {one} {last}", Found(row.call_id, row.position)
                last = row.position

    def _days_of(self, asked: PersonAsked) -> list[str]:
        """The UTC days whose lists are looked through, the newest first."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        return [f"{now - timedelta(days=number):%Y-%m-%d}" for number in range(self._searched(asked).days)]

    def _searched(self, asked: PersonAsked) -> Searched:
        # One day more than they are kept: the sweep comes after midnight.
        days = asked.days if asked.days is not None else 0 if self._hashes else (self._days or 364) + 2
        return Searched(by_hash=self._hashes, days=days)

    def _erase(self, found: Found) -> ErasedCall:
        record = self._calls.head(found)
        if record is not None and self._is_new(record):
            stays = "the call ended a moment ago; erase again in a minute"
            return self._receipt(found, False, stays)
        removed = self._calls.remove(found, with_recordings=True)
        return self._receipt(
            found, removed.removed, removed.stays, removed.recordings, removed.streams, removed.letters
        )

    def _is_new(self, record: CallRecord) -> bool:
        newest = max(record.ended_at, record.updated_at, record.written_at)
        return record.status == "ended" and self._clock() * 1000 - newest < QUIET

    def _receipt(
        self, found: Found, erased: bool, stays: str, recordings: int = 0, streams: int = 0, letters: int = 0
    ) -> ErasedCall:
        return ErasedCall(
            call_id=found.call_id,
            started_at=found.started_at,
            erased=erased,
            recordings=recordings,
            streams=streams,
            letters=letters,
            stays=stays,
        )

    def _export(self, found: Found) -> ExportedCall:
        record = self._calls.head(found)
        call, journal = None, list[dict[str, Any]]()
        try:
            stored = self._calls.store.load(found.call_id)
        except UnknownCall:
            pass  # it was deleted, and its recordings were not
        else:
            call = {**asdict(stored.record), "ring": "", "secrets": ""}
            journal = list(map(shown, stored.journal))
        streams = [name for folder in self._calls.folders(found, record) for name in self._calls.streams.names(folder)]
        return ExportedCall(
            call_id=found.call_id,
            started_at=found.started_at,
            call=call,
            journal=tuple(journal),
            recordings=tuple(map(self._recording, self._calls.recordings(found, record))),
            streams={name: self._calls.streams.link(name, self._link_seconds) for name in streams},
        )

    def _recording(self, record: RecordingRecord) -> ExportedRecording:
        reports = self._reports()
        try:
            report = json.loads(reports.report(record.id))
        except UnknownRecording:
            report = None
        return ExportedRecording(record=asdict(record), report=report, files=reports.links(record))
