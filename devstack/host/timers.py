"""Timer triggers. Each timer runs in its own task, never twice at once, as in Azure."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime

from azure.functions.meta import Datum

from devstack.host.backend import Invocation, Outcome
from devstack.host.functions import FunctionMetadata
from devstack.host.invoker import Invoker
from devstack.host.schedules import Schedule, parse_schedule
from devstack.host.settings import resolve_setting_names


class Timer:
    """One timer-triggered function and its schedule (in UTC)."""

    def __init__(self, function: FunctionMetadata, invoker: Invoker) -> None:
        text = resolve_setting_names(str(function.trigger["schedule"]), function.where)
        self.function = function
        self.schedule: Schedule = parse_schedule(text, function.where)
        self._invoker = invoker
        self._last: datetime | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Fire at each time of the schedule until told to stop; at once first when `runOnStartup` is set."""
        due = datetime.now(UTC)
        if self.function.trigger.get("runOnStartup"):
            await self.fire("Timer fired at startup")
        while not stopping.is_set():
            due = self.schedule.next_after(max(due, datetime.now(UTC)))
            delay = (due - datetime.now(UTC)).total_seconds()
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), max(delay, 0))
                return
            await self.fire(f"Timer fired at {datetime.now(UTC).isoformat()}")

    async def fire(self, reason: str) -> Outcome:
        """Invoke the function now."""
        now = datetime.now(UTC)
        status = {
            "Last": (self._last or now).isoformat(),
            "Next": self.schedule.next_after(now).isoformat(),
            "LastUpdated": (self._last or now).isoformat(),
        }
        document = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": False}
        self._last = now
        return await self._invoker.invoke(Invocation(self.function, Datum(json.dumps(document), "json")), reason)


class Timers:
    """All timers of the app."""

    def __init__(self, functions: Iterable[FunctionMetadata], invoker: Invoker) -> None:
        self._timers = {function.name: Timer(function, invoker) for function in functions}
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start the schedules."""
        self._tasks = [asyncio.create_task(timer.run(self._stopping)) for timer in self._timers.values()]

    async def fire(self, name: str) -> Outcome:
        """Invoke a timer now, outside of its schedule."""
        return await self._timers[name].fire("This function was programmatically called via the host APIs.")

    async def stop(self, seconds: float) -> None:
        """Stop the schedules; runs that are under way get `seconds` to finish."""
        self._stopping.set()
        if self._tasks:
            _, pending = await asyncio.wait(self._tasks, timeout=seconds)
            for task in pending:
                task.cancel()
