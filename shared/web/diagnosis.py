"""What is wrong with the app, and what runs: looked up for the page Status and for `GET /api/diagnostics`."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from shared.calls.store.base import CallStore, Listed
from shared.diagnostics import (
    Calls,
    Finding,
    Level,
    all_findings,
    calls_findings,
    left_over_findings,
    poison_findings,
    refused_findings,
    storage_findings,
)
from shared.diagnostics.checks import WAITS_FOR_CALLBACK_MS
from shared.errors import InvalidInput, Misconfigured, SwitchboardError
from shared.logs import logger
from shared.telemetry import Seen

log = logger("switchboard.diagnostics")

DAYS = 7
"""Days that are looked at for the newest call (our choice): a request to the storage each, until one is found."""
ROWS = 1000
"""Calls of each day that are looked at, the newest: one request."""

PACKAGES = ("azure-functions", "azure-communication-callautomation", "azure-data-tables", "azure-storage-blob")


class PoisonQueues(Protocol):
    """The queues of what failed five times."""

    def counts(self) -> Mapping[str, int]:
        """About how many messages each has, by the name of the queue that they come from. StoreUnavailable."""

    def put_back(self, queue: str) -> int:
        """Have messages worked on once more; how many. StoreUnavailable."""


class FindingView(BaseModel):
    """One thing that was looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(description="of the check, the same in every version")
    level: Level = Field(description="`wrong`: it does not work; `look`: it may be meant so; `fine`")
    seen: str = Field(description="what is so, in one sentence")
    why: str = Field(description="why it matters; empty for what is fine")
    remedy: str = Field(description="what to do; empty for what is fine")


class DiagnosisView(BaseModel):
    """What is wrong with the app, first, and what runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    findings: tuple[FindingView, ...]
    facts: dict[str, str] = Field(description="times and versions, by name")


class PutBack(BaseModel):
    """Messages that are worked on once more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    queue: str
    messages: int = Field(ge=0, description="how many were put back; there may be more")


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found."""

    findings: Sequence[Finding]
    facts: Sequence[tuple[str, str]]
    poison: Mapping[str, int]

    def view(self) -> DiagnosisView:
        """As the HTTP API has it."""
        views = (FindingView(id=f.id, level=f.level, seen=f.seen, why=f.why, remedy=f.remedy) for f in self.findings)
        return DiagnosisView(findings=tuple(views), facts=dict(self.facts))


class Diagnosis:
    """Looks at the app.

    Args:
        known: what is known of the settings already.
        store: None while the settings are wrong, and then the others are not used.
        left_over: how many dead letters and failed recordings there are.
        seen: what came to this instance, by function.
        local: the app runs on a developer's machine.
    """

    def __init__(
        self,
        known: Sequence[Finding],
        store: CallStore | None = None,
        left_over: Callable[[], Mapping[str, int]] = dict,
        poison: Callable[[], PoisonQueues] | None = None,
        seen: Callable[[], Mapping[str, Seen]] = dict,
        *,
        local: bool = False,
    ) -> None:
        self._known = known
        self._store = store
        self._left_over = left_over
        self._poison = poison
        self._seen = seen
        self._local = local

    def look(self) -> Looked:
        """Everything. Some fifteen requests to the storage at most."""
        groups: list[Iterable[Finding]] = [self._known]
        facts: list[tuple[str, str]] = []
        poison: dict[str, int] = {}
        if self._store is not None:
            began = time.perf_counter()
            error = _error_of(self._store.healthy)
            took = round((time.perf_counter() - began) * 1000)
            groups.append(storage_findings(error, took))
            facts.append(("The storage answered in", f"{took} ms"))
            if not error:
                calls = self._calls(self._store)
                groups.append(calls_findings(calls, local=self._local))
                left: dict[str, int] = {}
                if _error_of(lambda: left.update(self._left_over())) == "":
                    groups.append(left_over_findings(**left))
                if self._poison is not None:
                    queues = self._poison
                    _error_of(lambda: poison.update(queues().counts()))
                    groups.append(poison_findings(poison))
                facts += [
                    ("Newest call that came in", _moment(calls.last_inbound / 1000)),
                    ("Newest call that connected", _moment(calls.last_connected / 1000)),
                ]
            incoming, callbacks = _joined(self._seen())
            groups.append(
                refused_findings(
                    callbacks.refused,
                    status=callbacks.status,
                    reason=callbacks.reason,
                    taken_since=callbacks.last_taken > callbacks.last_refused,
                )
            )
            facts += [
                ("Newest IncomingCall taken by this instance", _moment(incoming.last_taken, "none")),
                ("Newest callback taken by this instance", _moment(callbacks.last_taken, "none")),
                ("Newest callback refused by this instance", _moment(callbacks.last_refused, "none")),
            ]
        facts += [("Python", platform.python_version()), *((name, _version(name)) for name in PACKAGES)]
        return Looked(all_findings(*groups), facts, poison)

    def put_back(self, queue: str) -> PutBack:
        """Have messages that failed worked on once more. InvalidInput for a queue of others, Misconfigured."""
        if self._poison is None:
            raise Misconfigured
        queues = self._poison()
        known = {name.rpartition("-")[2]: name for name in queues.counts()}
        if queue not in known:
            raise InvalidInput("queue", "is none of this app.", f"Known: {', '.join(sorted(known))}.")
        messages = queues.put_back(known[queue])
        log.info("%d messages of %s are worked on once more", messages, known[queue])
        return PutBack(queue=queue, messages=messages)

    def _calls(self, store: CallStore) -> Calls:
        now = datetime.now(UTC)
        days = (f"{now - timedelta(days=ago):%Y-%m-%d}" for ago in range(DAYS))
        return calls_seen((list(islice(store.listed(day), ROWS)) for day in days), int(now.timestamp() * 1000))


def calls_seen(days: Iterable[Sequence[Listed]], now: int) -> Calls:
    """What the newest calls tell.

    Args:
        days: the calls of today, yesterday and so on, newest first; no more are taken than needed.
        now: Unix time in milliseconds.
    """
    looked = inbound = connected = unconnected = 0
    for rows in days:
        looked += 1
        inbound = inbound or next((row.started_at for row in rows if row.direction == "inbound"), 0)
        over = ("connected", "ended")
        connected = connected or next((one.started_at for one in rows if _connected(one)), 0)
        if looked == 1:
            old = (row for row in rows if row.started_at < now - WAITS_FOR_CALLBACK_MS and row.status != "waiting")
            unconnected = sum(row.status not in over for row in old)
        if inbound and connected:
            break
    return Calls(looked, inbound, connected, unconnected)


def _connected(row: Listed) -> bool:
    return row.status == "connected" or row.outcome in ("completed", "caller_left", "hung_up", "transferred")


def _joined(seen: Mapping[str, Seen]) -> tuple[Seen, Seen]:
    """IncomingCall, and all callbacks together with the newest refusal."""
    callbacks = [one for function, one in seen.items() if function.endswith("_events")]
    newest = max(callbacks, key=lambda one: one.last_refused, default=Seen())
    return seen.get("incoming_call", Seen()), Seen(
        sum(one.taken for one in callbacks),
        sum(one.refused for one in callbacks),
        max((one.last_taken for one in callbacks), default=0.0),
        newest.last_refused,
        newest.status,
        newest.reason,
    )


def _error_of(look: Callable[[], None]) -> str:
    try:
        look()
    except SwitchboardError as error:
        log.warning("diagnostics: %s", type(error).__name__)
        return type(error).__name__
    return ""


def _moment(at: float, never: str = f"none within {DAYS} days") -> str:
    """Unix time in seconds as people read it."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC" if at else never


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
