"""What the core asks of a store: one call is a head and its journal, changed by one conditional commit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from shared.calls.record import CallRecord, Status

By = Literal["server_call_id", "correlation_id", "connection_id", "recording_id", "number"]
"""What a call is found by; a number stands for anybody on the call, and may be any raw id."""

RACES = 50
"""Tries of one change while others change the same thing (our choice)."""


class Version(Protocol):
    """The state of a call that a commit builds on; opaque to everybody but the store that made it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A call as it stands in the store: its head, its journal as JSON texts, and its version."""

    record: CallRecord
    journal: list[str]
    version: Version


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of a list of calls.

    Attributes:
        position: where the row stands in the list of its day; give it as `after` to read on.
    """

    call_id: str
    day: str
    started_at: int
    status: Status
    flow: str
    direction: str
    caller: str
    callee: str
    outcome: str
    result: str = ""

    @property
    def position(self) -> str:
        return f"{10**13 - self.started_at:013d} {self.call_id}"


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call that is not closed yet.

    Attributes:
        started_at: Unix time in milliseconds; 0: not known.
        direction: empty: not known.
    """

    call_id: str
    started_at: int
    direction: str


@dataclass(frozen=True, slots=True)
class Found:
    """A call that was searched for; `position` as in a list."""

    call_id: str
    position: str

    @property
    def started_at(self) -> int:
        """When the call started, Unix time in milliseconds."""
        return 10**13 - int(self.position.partition(" ")[0])

    @property
    def day(self) -> str:
        """The UTC day on which it did."""
        return day_of(self.started_at)


class CallStore(Protocol):
    """Keeps call context.

    Every method may raise StoreUnavailable, which is retryable, and StoreRefused, which is not. Each method says
    what it costs in round trips on Azure Tables.
    """

    def claim(self, record: CallRecord, journal: Sequence[str]) -> Version:
        """Make the call, if nobody has: AlreadyClaimed otherwise. One round trip.

        AlreadyClaimed can also mean this very write, carried out and its response lost: see `CallRecord.marks`.
        """

    def load(self, call_id: str) -> Stored:
        """Everything of a call; UnknownCall. One round trip (more only past 1,000 segments)."""

    def peek(self, call_id: str) -> CallRecord:
        """The head alone; UnknownCall. One round trip."""

    def commit(self, record: CallRecord, appended: Sequence[str], version: Version) -> Version:
        """Replace the head and append to the journal, if the call is still at `version`: LostRace otherwise.
        One round trip.

        LostRace can also mean this very write, carried out and its response lost: see `CallRecord.marks`.
        """

    def peek_all(self, call_ids: Sequence[str]) -> list[CallRecord]:
        """The heads of these calls, in their order, without those that are not there (any more). One round trip
        each, several at a time. What only a conductor needs (`ring`) is left out."""

    def indexed(self, record: CallRecord) -> bool:
        """Whether `record.indexed` names every row that should find the call by now. No round trip."""

    def index(self, record: CallRecord) -> tuple[str, ...]:
        """Make the call findable by what is known of it: by day, by the service's ids, by number, and among the open
        ones. May be repeated, also by an instance that knows less than another.

        Rows that `record.indexed` names are not written again. One round trip for each of the others.

        Returns:
            what `record.indexed` is from now on; the caller sees to it that the next commit carries it.
        """

    def close(self, record: CallRecord, document: dict[str, Any]) -> None:
        """Archive a finished call, say in the list how it ended, count it, and take it from the open ones. May be
        repeated; an archive with more entries stays, and so does what the list says of it, and a call is counted once.
        Five round trips, some more where there is an archive or others are counted at the same moment, one more for a
        call that failed."""

    def is_closed(self, record: CallRecord) -> bool:
        """Whether the call was closed before: its archive is there. One round trip."""

    def open_calls(self) -> Iterator[str]:
        """Ids of the calls that are not closed yet."""

    def going_on(self) -> Iterator[OpenCall]:
        """The same, with what is known of them there. One round trip for a thousand."""

    def ended(self, day: str) -> Mapping[tuple[str, str], int]:
        """How many of the calls that started on a day were closed, by direction and outcome. One round trip, however
        many calls there are."""

    def failed(self, day: str, most: int) -> list[Listed]:
        """The newest calls of a day whose end somebody should look at, at most so many. One round trip."""

    def drop_figures(self, day: str) -> None:
        """Forget how many calls of the days before this one ended. One round trip, and one for each counter."""

    def connection_of(self, call_id: str) -> str:
        """The newest connection that `index` knew of an open call; empty if it knew none. One round trip."""

    def search(
        self, by: By, value: str, *, since: int | None = None, until: int | None = None, after: str = ""
    ) -> Iterator[Found]:
        """Calls by one of the ids or numbers that `index` knew, newest first; InvalidInput for a number if the store
        has no key to hash it with.

        Args:
            since, until: Unix milliseconds between which the call started, `until` excluded; None: any time.
            after: a position to read on from.
        """

    def listed(self, day: str, *, after: str = "", most: int | None = None) -> Iterable[Listed]:
        """The calls that started on a day (UTC, `2026-11-23`), newest first, from behind a position on. One round trip
        for a thousand; how far each call has come is as of the newest `index` or `close`.

        Args:
            most: how many are wanted, so that no more are sent; None: all.
        """

    def is_open(self, call_id: str) -> bool:
        """Whether the call goes on, or is still to be closed. Two round trips at most."""

    def older(self, day: str) -> Iterator[Found]:
        """The calls of the days before this one, the oldest day first. One round trip for a thousand."""

    def remove(self, found: Found, *, keep_numbers: bool = False) -> bool:
        """Remove a call that is closed: journal, archive, and every row that finds it, that of the day's list last.
        May be repeated: a removal that broke off goes on. Some seventeen round trips.

        Args:
            keep_numbers: leave the hashes by which it is found by number; `forgettable` names such calls.

        Returns:
            False if the call is open; then nothing is removed.
        """

    def forgettable(self, day: str) -> Iterator[Found]:
        """The removed calls of the days before this one whose numbers were kept; `remove` takes these, too."""

    def rehash(self) -> int:
        """Put the rows of numbers that are under another key under the current one, and drop those of calls that are
        gone; how many. One round trip if there are none, some four for each."""

    def unknown_keys(self) -> set[str]:
        """The ids of keys under which numbers are kept and that this app does not have. Some two round trips, two
        more for each of them."""

    def prepare(self) -> None:
        """Make the tables and containers that are missing."""

    def healthy(self) -> None:
        """Return if the storage answers; StoreUnavailable otherwise."""


class DoNotRecord(Protocol):
    """The numbers that are never recorded, kept as keyed hashes.

    Numbers are given as raw ids; however one is written, it is the same. Every method may raise StoreUnavailable,
    which is retryable, and StoreRefused, which is not.
    """

    def add(self, raw_id: str) -> None:
        """Put a number on the list. May be repeated. One round trip."""

    def remove(self, raw_id: str) -> None:
        """Take a number off the list, under whichever key it is kept. May be repeated. One round trip for each key."""

    def holds_any(self, raw_ids: Collection[str]) -> bool:
        """Whether one of these is on the list, under whichever key. One round trip for each number and key, several at
        a time. One that is listed under the key before alone is listed under the current one, too: one more."""

    def unknown_keys(self) -> set[str]:
        """The ids of keys that numbers are listed under and that this app does not have. Two round trips, one more for
        each of them."""


def day_of(at: int) -> str:
    """The UTC day of a Unix time in milliseconds: `2026-11-23`."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d")


def listed_row(record: CallRecord) -> Listed:
    """What a list of calls shows of one."""
    return Listed(
        call_id=record.call_id,
        day=day_of(record.started_at),
        started_at=record.started_at,
        status=record.status,
        flow=record.flow,
        direction=record.direction,
        caller=record.caller,
        callee=record.callee,
        outcome=record.outcome,
        result=record.result,
    )
