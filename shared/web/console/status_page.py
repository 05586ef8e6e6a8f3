"""Status: what the checks found, and which versions run."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from itertools import islice

from shared.calls.store.base import CallStore, Listed
from shared.diagnostics import Calls, Finding, all_findings, calls_findings, left_over_findings, storage_findings
from shared.diagnostics.checks import WAITS_FOR_CALLBACK_MS
from shared.errors import SwitchboardError
from shared.logs import logger
from shared.web.console.exchange import Reply
from shared.web.console.gate import Gate, Visit
from shared.web.console.words import moment

log = logger("switchboard.console")

DAYS = 7
"""Days that are looked at for the newest call (our choice): a request to the storage each, until one is found."""
ROWS = 1000
"""Calls of each day that are looked at, the newest: one request."""

PACKAGES = ("azure-functions", "azure-communication-callautomation", "azure-data-tables", "azure-storage-blob")


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


class StatusPage:
    """The page Status.

    Args:
        settings: what is known of the settings already.
        setup: what is left out.
        store: None while the settings are wrong.
        left_over: how many dead letters and failed recordings there are.
    """

    def __init__(
        self,
        gate: Gate,
        settings: Sequence[Finding],
        setup: Sequence[Finding] = (),
        store: CallStore | None = None,
        left_over: Callable[[], Mapping[str, int]] = dict,
    ) -> None:
        self._gate = gate
        self._settings = settings
        self._setup = setup
        self._store = store
        self._left_over = left_over

    def show(self, visit: Visit) -> Reply:
        """The page. Some ten requests to the storage at most."""
        groups: list[Iterable[Finding]] = [self._settings, self._setup]
        facts: list[tuple[str, str]] = []
        if self._store is not None:
            error = self._error_of(self._store.healthy)
            groups.append(storage_findings(error))
            if not error:
                found = self._calls(self._store)
                groups.append(calls_findings(found))
                left: dict[str, int] = {}
                if self._error_of(lambda: left.update(self._left_over())) == "":
                    groups.append(left_over_findings(**left))
                facts = [
                    ("Newest call that came in", _time(found.last_inbound)),
                    ("Newest call that connected", _time(found.last_connected)),
                ]
        facts += [("Python", platform.python_version()), *((name, _version(name)) for name in PACKAGES)]
        return self._gate.page("status.html", visit, "Status", findings=all_findings(*groups), facts=facts)

    def _calls(self, store: CallStore) -> Calls:
        now = datetime.now(UTC)
        days = (f"{now - timedelta(days=ago):%Y-%m-%d}" for ago in range(DAYS))
        return calls_seen((list(islice(store.listed(day), ROWS)) for day in days), int(now.timestamp() * 1000))

    def _error_of(self, look: Callable[[], None]) -> str:
        try:
            look()
        except SwitchboardError as error:
            log.warning("status: %s", type(error).__name__)
            return type(error).__name__
        return ""


def _time(at: int) -> str:
    return f"{moment(at)} UTC" if at else f"none within {DAYS} days"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
