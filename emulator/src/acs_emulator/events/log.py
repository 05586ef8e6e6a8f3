"""Everything that was delivered or asked for, kept in bounded rings for tests and for people."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

#: Entries kept of each kind.
RING_SIZE = 20_000


@dataclass
class Attempt:
    """One try: ``at_ms`` since start, ``ms`` it took; ``status`` or ``error`` or the fault that ate it.

    ``unanswered``: it was sent, and no response came in the time allowed.
    """

    at_ms: float
    ms: float = 0.0
    status: int | None = None
    error: str | None = None
    fault: str | None = None
    unanswered: bool = False

    @property
    def delivered(self) -> bool:
        """Whether the app took it."""
        return self.status is not None and 200 <= self.status < 300

    def wire(self) -> dict[str, Any]:
        fields = {"at_ms": self.at_ms, "ms": self.ms}
        return fields | {
            name: value for name in ("status", "error", "fault") if (value := getattr(self, name)) is not None
        }


class LogObserver:
    """Is told what happens between the emulator and the app as it happens; what it does not care for it leaves out."""

    def attempted(self, delivery: Delivery, attempt: Attempt) -> None:
        """An attempt to deliver an event has ended."""

    def unanswered(self, delivery: Delivery, seconds: float) -> None:
        """An attempt has waited so many seconds for a response, and goes on waiting."""

    def answered(self, request: RequestRecord) -> None:
        """A request of the data plane has been answered."""


@dataclass
class Delivery:
    """One event on its way to one URL, with all attempts."""

    n: int
    kind: str
    url: str
    type: str
    id: str
    call_connection_id: str | None
    body: list[dict[str, Any]]
    attempts: list[Attempt] = field(default_factory=list)
    duplicate: bool = False
    observers: Sequence[LogObserver] = field(default=(), repr=False)

    def attempted(self, attempt: Attempt) -> None:
        """Add an attempt that was made."""
        self.attempts.append(attempt)
        for observer in self.observers:
            observer.attempted(self, attempt)

    def unanswered(self, seconds: float) -> None:
        """The attempt that is being made has had no response for so long."""
        for observer in self.observers:
            observer.unanswered(self, seconds)

    def wire(self) -> dict[str, Any]:
        return {
            "n": self.n,
            "kind": self.kind,
            "url": self.url,
            "type": self.type,
            "id": self.id,
            "callConnectionId": self.call_connection_id,
            "duplicate": self.duplicate,
            "attempts": [attempt.wire() for attempt in self.attempts],
            "body": self.body,
        }


@dataclass
class RequestRecord:
    """One data-plane request as it was received and answered."""

    n: int
    at_ms: float
    method: str
    path: str
    operation_id: str | None
    call_connection_id: str | None
    body: Any = None
    answer: Any = None
    status: int | None = None
    ms: float = 0.0
    note: str | None = None

    def wire(self) -> dict[str, Any]:
        return {
            "n": self.n,
            "at_ms": self.at_ms,
            "ms": self.ms,
            "method": self.method,
            "path": self.path,
            "operationId": self.operation_id,
            "status": self.status,
            "callConnectionId": self.call_connection_id,
            "body": self.body,
            "answer": self.answer,
            "note": self.note,
        }


class Log:
    """The rings. Numbers go on after ``clear`` so that a poller never sees one twice."""

    def __init__(self) -> None:
        self.deliveries: deque[Delivery] = deque(maxlen=RING_SIZE)
        self.requests: deque[RequestRecord] = deque(maxlen=RING_SIZE)
        self.observers: list[LogObserver] = []
        self._delivered = 0
        self._requested = 0

    def delivery(
        self,
        kind: str,
        url: str,
        event: dict[str, Any],
        call_connection_id: str | None = None,
        *,
        duplicate: bool = False,
    ) -> Delivery:
        self._delivered += 1
        event_type = event.get("type") or event.get("eventType") or ""
        entry = Delivery(
            self._delivered,
            kind,
            url,
            event_type,
            event["id"],
            call_connection_id,
            [event],
            duplicate=duplicate,
            observers=self.observers,
        )
        self.deliveries.append(entry)
        return entry

    def request(
        self, at_ms: float, method: str, path: str, operation_id: str | None, call_connection_id: str | None
    ) -> RequestRecord:
        self._requested += 1
        entry = RequestRecord(self._requested, at_ms, method, path, operation_id, call_connection_id)
        self.requests.append(entry)
        return entry

    def answered(self, request: RequestRecord) -> None:
        """A request has been answered: tell it."""
        for observer in self.observers:
            observer.answered(request)

    def clear(self) -> None:
        self.deliveries.clear()
        self.requests.clear()
