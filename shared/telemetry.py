"""One JSON line for each delivery and each call: what dashboards and alerts count. docs/telemetry.md has every field.

Application Insights gets the text of a Python log record, its level and its category, and none of its extra fields.
So the JSON is the text, behind `switchboard `. Nothing about a person is in it: no number, no name, no word of a call.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from shared.errors import (
    InvalidInput,
    KeysUnavailable,
    MalformedEvent,
    Misconfigured,
    Refused,
    StoreUnavailable,
    UnknownCall,
    UnknownRecording,
)
from shared.logs import logger

PREFIX = "switchboard "

log = logger("switchboard.telemetry")
log.setLevel(logging.INFO)  # whatever LOG_LEVEL says: what is counted is not cut down with what is read

RAISED = (
    (Refused, "refused"),
    (UnknownCall, "unknown"),
    (UnknownRecording, "unknown"),
    (MalformedEvent, "malformed"),
    (InvalidInput, "invalid"),
    (Misconfigured, "misconfigured"),
    (KeysUnavailable, "unavailable"),
    (StoreUnavailable, "unavailable"),
)
"""Outcomes of deliveries that raise, by the first class that fits; anything else is `failed`."""

_WORD = re.compile(r"[A-Za-z][A-Za-z_]{0,63}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DIGITS = re.compile(r"\d{4,}")
"""What might be part of a telephone number in a name that a team gave."""
MOST_TYPES = 8
"""Types of events that a line names (our choice); it counts them all."""


class Timed(Protocol):
    """An event, as far as a line tells of it."""

    @property
    def name(self) -> str:
        """Its short type."""

    @property
    def time(self) -> datetime | None:
        """When the service made it."""


def write(event: str, **fields: object) -> None:
    """Write a line. A field that is None is left out."""
    given = {name: value for name, value in fields.items() if value is not None}
    log.info("%s%s", PREFIX, json.dumps({"event": event, **given}, separators=(",", ":")))


@dataclass(frozen=True, slots=True)
class Seen:
    """What came to one function of this instance. Times are Unix time in seconds; 0: never.

    Attributes:
        taken, refused: how many deliveries were taken, and how many met a 401 or 403.
        status, reason: of the newest refusal.
    """

    taken: int = 0
    refused: int = 0
    last_taken: float = 0.0
    last_refused: float = 0.0
    status: int = 0
    reason: str = ""


class Tally:
    """What came to this instance since it started; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, Seen] = {}
        self._begun = False

    def begin(self) -> bool:
        """Whether a delivery is the first of all."""
        with self._lock:
            first, self._begun = not self._begun, True
            return first

    def add(self, function: str, refused: str | None = None, status: int | None = None) -> None:
        """Count a delivery; with a reason it was refused."""
        with self._lock:
            one, now = self._seen.get(function, Seen()), time.time()
            self._seen[function] = (
                replace(one, taken=one.taken + 1, last_taken=now)
                if refused is None
                else replace(one, refused=one.refused + 1, last_refused=now, status=status or 403, reason=refused)
            )

    def seen(self) -> dict[str, Seen]:
        """By function."""
        with self._lock:
            return dict(self._seen)

    def clear(self) -> None:
        """Forget it; for tests."""
        with self._lock:
            self._seen.clear()
            self._begun = False


tally = Tally()
"""The process's own."""


@dataclass(slots=True)
class Delivery:
    """A delivery while it is worked on.

    Attributes:
        outcome: what became of it, in one word.
        call: the id of the call, once it is known to be one of ours.
        action, rule: of an incoming call.
        counted: it could be the service's, so Status tells of it.
    """

    function: str
    outcome: str = ""
    call: str | None = None
    action: str | None = None
    rule: str | None = None
    reason: str | None = None
    status: int | None = None
    counted: bool = True
    events: Sequence[Timed] = ()
    began: float = field(default_factory=time.perf_counter)
    at: float = field(default_factory=time.time)

    def failed(self, error: Exception) -> None:
        """What it raised is its outcome."""
        self.outcome = next((word for kind, word in RAISED if isinstance(error, kind)), "failed")
        if isinstance(error, Refused):
            self.status, self.reason = error.status, error.reason

    def write(self) -> None:
        """Write its line."""
        times = [event.time for event in self.events if event.time is not None]
        types = dict.fromkeys(_word(event.name) for event in self.events)
        write(
            "delivery",
            function=self.function,
            outcome=_word(self.outcome),
            type=",".join(list(types)[:MOST_TYPES]) or None,
            events=len(self.events) or None,
            call=self.call if self.call and _ID.fullmatch(self.call) else None,
            action=self.action,
            rule=None if self.rule is None else _DIGITS.sub("…", self.rule)[:64],
            status=self.status,
            ms=round((time.perf_counter() - self.began) * 1000, 1),
            lag_ms=max(0, round((self.at - min(times).astimezone(UTC).timestamp()) * 1000)) if times else None,
            cold=tally.begin(),
        )
        if self.counted:
            tally.add(self.function, self.reason, self.status)


@contextmanager
def delivery(function: str) -> Iterator[Delivery]:
    """Tell of a delivery once it has been worked on, whatever became of it."""
    one = Delivery(function)
    try:
        yield one
    except Exception as error:
        one.failed(error)
        raise
    finally:
        one.write()


def _word(text: str) -> str:
    """A word as a line may have it; what comes from outside could be anything."""
    return text if _WORD.fullmatch(text) else "other"
