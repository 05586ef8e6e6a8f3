"""What the heart asks of a store: one call is a head and its journal, changed by one conditional commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from shared.calls.record import CallRecord


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
    status: str
    flow: str
    direction: str
    caller: str
    callee: str
    outcome: str

    @property
    def position(self) -> str:
        return f"{10**13 - self.started_at:013d} {self.call_id}"


class CallStore(Protocol):
    """Keeps call context.

    Every method may raise StoreUnavailable, which is retryable. Each method says what it costs in round trips
    on Azure Tables.
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

    def index(self, record: CallRecord) -> None:
        """Make the call findable: by day, by server call id, and among the open ones. May be repeated."""

    def close(self, record: CallRecord, document: dict[str, Any]) -> None:
        """Archive a finished call and take it from the open ones. May be repeated."""

    def open_calls(self) -> Iterator[str]:
        """Ids of the calls that are not closed yet."""

    def find(self, server_call_id: str) -> str | None:
        """The newest call with this server call id."""

    def listed(self, day: str, *, after: str = "") -> Iterable[Listed]:
        """The calls that started on a day (UTC, `2026-11-23`), newest first, from behind a position on."""

    def prepare(self) -> None:
        """Make the tables and containers that are missing."""

    def healthy(self) -> None:
        """Return if the storage answers; StoreUnavailable otherwise."""


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
    )
