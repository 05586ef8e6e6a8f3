"""What is known of calls after a run: as they were placed, as the emulator saw them, as the app has them."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.losses.phones import Kind
from bench.losses.scenario import Scenario
from devstack.proxy import Lost


@dataclass(slots=True)
class Placed:
    """One call. `phone` is the number of the phone; `call` the emulator's id, once it has one."""

    kind: Kind
    phone: str
    call: str = ""
    correlation_id: str = ""
    app_id: str = ""
    refused: str = ""
    placing: Future[None] | None = None


@dataclass(slots=True)
class Noted:
    """An entry of the emulator's timeline, with the Unix time at which it was made."""

    at: float
    call: str
    who: str
    what: str
    text: str


@dataclass(slots=True)
class Outage:
    """Something that the harness took away, in Unix time; `up`: the calls that were up when it did, if counted."""

    what: str
    began: float
    ended: float = 0.0
    up: int = 0

    @property
    def seconds(self) -> float:
        return self.ended - self.began


@dataclass(slots=True)
class Gathered:
    """Everything that is known afterwards.

    Attributes:
        notes: the emulator's timeline.
        deliveries, requests: its logs.
        calls: the calls as the app's API has them, by the number of the phone.
        journals: of every call, by the app's id.
        left_up: what the emulator still has. left_open: ids that the app has not closed.
        counted: requests, by proxy (`queue` has the polling of the hosts).
    """

    scenario: Scenario
    placed: list[Placed] = field(default_factory=list)
    notes: list[Noted] = field(default_factory=list)
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    calls: dict[str, dict[str, Any]] = field(default_factory=dict)
    journals: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    left_up: list[dict[str, Any]] = field(default_factory=list)
    left_open: list[str] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    lost: dict[str, list[Lost]] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    logs: Path = Path()
