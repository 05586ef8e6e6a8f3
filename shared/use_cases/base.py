"""What a use case gives the app, and what it is given: a queue for work that takes long, an agenda for what is due."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any, NamedTuple, Protocol

from shared.calls.record import CallRecord
from shared.errors import InvalidInput
from shared.identifiers import Identifier
from shared.rows import Row, Rows

AGENDA = "agenda"
"""The table of the agenda, and its one partition."""
MOST_DUE = 100
"""Things that one look at the agenda finds (our choice); the next look finds the rest."""


class Task(NamedTuple):
    """A piece of work on the queue. It may come more than once, and after what came later.

    Attributes:
        use: the use case.
        what: the name of the work.
        given: what it is about: ids, no numbers and no names.
    """

    use: str
    what: str
    given: Mapping[str, str] = {}

    def as_json(self) -> dict[str, Any]:
        """As it stands on the queue."""
        return {"use": self.use, "what": self.what, "given": dict(self.given)}

    @classmethod
    def read(cls, body: bytes) -> Task:
        """A message of the queue. InvalidInput."""
        try:
            found = json.loads(body)
            return cls(str(found["use"]), str(found["what"]), {str(k): str(v) for k, v in found["given"].items()})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidInput("message", "is no work of a use case.", f"Remove it: {type(error).__name__}.") from None


class Queue(Protocol):
    """Keeps work until somebody does it."""

    def send(self, task: Task, *, delay: float = 0.0) -> None:
        """Have work done in so many seconds. StoreUnavailable, StoreRefused."""


class Erased(NamedTuple):
    """What a use case erased of a person.

    Attributes:
        rows: how many things went.
        stays: what is still there, and why; empty: nothing is.
    """

    rows: int = 0
    stays: str = ""


class UseCase(Protocol):
    """A use case, as the app sees it. Every method may raise StoreUnavailable, and is then asked again."""

    def work(self, task: Task) -> str:
        """Do a piece of work; what came of it, for the log. InvalidInput drops it."""

    def due(self, item: str) -> None:
        """Something of the agenda is due; it is off the agenda when this returns."""

    def closing(self, record: CallRecord) -> None:
        """A call of one of its flows is over. May be told again; raising keeps the call open, and it is told later."""

    def may_place(self, record: CallRecord) -> bool:
        """Whether somebody may still be called for a call of one of its flows. Asked where the request may never have
        left: an instance died over it, and it is minutes late."""

    def export(self, number: Identifier) -> Mapping[str, Any]:
        """All that is kept of a number, as JSON; empty: nothing."""

    def erase(self, number: Identifier) -> Erased:
        """Erase what is kept of a number, but for what keeps them from being called."""

    def expire(self, now: datetime) -> int:
        """Remove what has been kept for long enough; how many things."""


class Agenda:
    """What use cases have to do at a time: one query a minute finds what is due, however much there is."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def put(self, use: str, item: str, at: datetime) -> None:
        """Have something looked at, at the end of that minute or soon after it. One round trip.

        Args:
            item: an id without a full stop. It may stand there for several times.
        """
        minute = f"{int(at.timestamp() // 60):010d}"
        # A text of its own, so that it is not taken off by whoever has read it as it was before.
        self._rows.put(AGENDA, AGENDA, {f"{minute}.{use}.{item}": f"{at.astimezone(UTC).isoformat()} {token_hex(8)}"})

    def due(self, now: datetime) -> list[tuple[str, str, Row]]:
        """What is due, the earliest first: use case, item, and what `done` takes. One round trip."""
        before = f"{int((now + timedelta(minutes=1)).timestamp() // 60):010d}"
        found = self._rows.first(AGENDA, AGENDA, f"{AGENDA}~", MOST_DUE, before)
        parts = [(row.key.split(".", 2), row) for row in found]
        return [(use, item, row) for (_, use, item), row in parts]

    def done(self, row: Row) -> None:
        """Take something off the agenda, unless it was put there again since it was read. Two round trips."""
        self._rows.change(AGENDA, AGENDA, {row.key: lambda text: None if text == row.text else text})
