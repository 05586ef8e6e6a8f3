"""Callers: calls placed at the emulator, so many at once, and what the emulator saw of them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from devstack.errors import ChildDiedError
from devstack.stack import Stack

NUMBER = "+18005550199"
FIRST_CALLER = 14255550100
AT_ONCE: list[dict[str, Any]] = [{"when": "asked", "press": "1"}]
"""The script of a caller who presses a key as soon as there is a question."""

_PATIENCE = 90.0
_callers = itertools.count(FIRST_CALLER)


@contextmanager
def running(**options: Any) -> Iterator[Stack]:
    """A stack, with our own host and quiet; started again where somebody took a port that was free a moment ago."""
    # As deployed: nobody learns of finished calls, unless a setting names them.
    environment = {"EVENTS_TOPIC_ENDPOINT": "", **options.pop("environment", {})}
    for _ in range(3):
        stack = Stack(quiet=True, host="own", environment=environment, **options)
        try:
            stack.start()
        except ChildDiedError as error:
            if "Address already in use" not in str(error):
                raise
            continue
        try:
            yield stack
        finally:
            stack.stop()
        return
    raise ChildDiedError("No stack could be started: its ports were taken three times.")


@dataclass
class Watched:
    """What became of the calls that were placed.

    Attributes:
        peak: the most calls that were in flight at once, as the emulator's timeline has it.
        missing: calls that had not ended in time.
    """

    placed: list[str] = field(default_factory=list)
    peak: int = 0
    missing: int = 0
    seconds: float = 0.0


class Emulated:
    """The emulator of a stack, as the measurements use it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._session = requests.Session()
        self._session.trust_env = False
        self._seen = 0
        self._placed = 0

    def get(self, path: str, timeout: float = 90.0) -> dict[str, Any]:
        """A document of the control API."""
        response = self._session.get(self.stack.emulator_url + path, timeout=timeout)
        response.raise_for_status()
        return dict(response.json())

    def post(self, path: str, body: Any) -> dict[str, Any]:
        """Tell the emulator something."""
        response = self._session.post(self.stack.emulator_url + path, json=body, timeout=30)
        response.raise_for_status()
        return dict(response.json())

    def forget(self) -> None:
        """Clear calls, faults and logs."""
        self.post("/emulator/reset", {})
        self._placed = 0

    def place(self, script: Sequence[dict[str, Any]]) -> str:
        """Place a call from a number that has not called yet; the call's id."""
        call = {"from": f"+{next(_callers)}", "to": NUMBER, "script": list(script)}
        placed = str(self.post("/emulator/calls", call)["id"])
        self._placed += 1
        return placed

    def run(
        self,
        count: int,
        at_once: int,
        *,
        script: Callable[[int], Sequence[dict[str, Any]]] = lambda number: AT_ONCE,
        apart: float = 0.0,
    ) -> Watched:
        """Place `count` calls, `at_once` in flight at a time, at least `apart` seconds apart, and see them end."""
        watched, running, due = Watched(), set[str](), time.monotonic()
        began = deadline = due
        while len(watched.placed) < count or running:
            now = time.monotonic()
            if len(watched.placed) < count and len(running) < at_once and now >= due:
                call = self.place(script(len(watched.placed)))
                watched.placed.append(call)
                running.add(call)
                watched.peak = max(watched.peak, len(running))
                due = max(due + apart, now - apart)
                deadline = now + _PATIENCE
                if now < due:
                    running -= self._ended(0)
                continue
            if now > deadline:
                watched.missing = len(running)
                break
            more = len(watched.placed) < count and len(running) < at_once
            running -= self._ended(max(0.0, min(due - now, 1.0)) if more else 1.0)
        watched.seconds = time.monotonic() - began
        self._until_told(watched.missing)
        return watched

    def _until_told(self, missing: int) -> None:
        """Wait until the app knows of every end: the last callback goes out after the call is over."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            told = self.get("/emulator/deliveries?type=CallDisconnected")["deliveries"]
            ended = {one["id"] for one in told if any(map(_taken, one["attempts"]))}
            if len(ended) >= self._placed - missing:
                return
            time.sleep(0.05)

    def _ended(self, wait: float) -> set[str]:
        """The calls that ended since the last look."""
        entries = self.get(f"/emulator/timeline?after={self._seen}&wait={wait:.3f}")["entries"]
        if entries:
            self._seen = entries[-1]["n"]
        return {entry["call"] for entry in entries if (entry["who"], entry["what"]) == ("service", "ends")}


def _taken(attempt: dict[str, Any]) -> bool:
    status: int = attempt.get("status", 0)
    return 200 <= status < 300
