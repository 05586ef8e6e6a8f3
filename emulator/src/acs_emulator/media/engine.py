"""The queue of media operations of one leg (docs: control mid-call media actions).

Operations to everyone, and recognize in a two-party call, are on the main lane: they queue up. Play to
one participant, and recognize in a group call, are on the side lane: they queue behind a main operation,
run beside a later one, and refuse a second of their kind.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from typing import Any

from acs_emulator.calls.leg_observer import LegObserver
from acs_emulator.calls.reply import ReplyTo
from acs_emulator.core import outcomes
from acs_emulator.core.errors import MediaConflict
from acs_emulator.core.outcomes import Outcome
from acs_emulator.core.tasks import Tasks


class MediaOperation(ABC):
    """One play or recognize. It ends with exactly one event."""

    name = ""

    def __init__(self, reply: ReplyTo, *, main: bool) -> None:
        self.leg = reply.leg
        self.reply = reply
        self.main = main
        self.finished = False

    @abstractmethod
    async def run(self) -> None:
        """Carry the operation out; ends with ``finish`` and undoes what it changed, also when canceled."""

    def finish(self, suffix: str, outcome: Outcome, specific: dict[str, Any] | None = None) -> None:
        """Emit the last event, once."""
        if not self.finished:
            self.finished = True
            self.reply.emit(f"{self.name}{suffix}", specific, outcome)

    def describe(self) -> dict[str, Any]:
        return {"operation": self.name, "operationContext": self.reply.context, "lane": "main" if self.main else "side"}


class MediaEngine(LegObserver):
    """Runs the operations of one leg."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._queue: deque[MediaOperation] = deque()
        self._running: dict[MediaOperation, asyncio.Task[None]] = {}

    def submit(self, operation: MediaOperation, *, interrupt: bool) -> None:
        """Run or queue. ``interrupt`` cancels what runs and waits. Raises MediaConflict (412/8583)."""
        if interrupt:
            self.cancel_all()
        if not operation.main and any(not running.main for running in self._running):
            raise MediaConflict
        if operation.main or self._main_busy():
            self._queue.append(operation)
            self._advance()
        else:
            self._start(operation)

    def cancel_all(self) -> None:
        """Cancel what runs, then what waits; each ends with its Canceled event."""
        affected = [*self._running, *self._queue]
        self.stop()
        for operation in affected:
            operation.finish("Canceled", outcomes.CANCELED)

    def stop(self) -> None:
        """End everything without events."""
        for task in self._running.values():
            task.cancel()
        self._running.clear()
        self._queue.clear()

    def dropped(self) -> None:
        self.stop()

    def key_pressed(self, raw_id: str, key: str) -> None:
        for listener in self._listeners():
            listener.key_pressed(raw_id, key)

    def speech_began(self, raw_id: str, text: str, seconds: float) -> None:
        for listener in self._listeners():
            listener.speech_began(raw_id, text, seconds)

    def speech_ended(self, raw_id: str, text: str) -> None:
        for listener in self._listeners():
            listener.speech_ended(raw_id, text)

    def _listeners(self) -> list[LegObserver]:
        """The running operations that hear what participants do; recognize does."""
        return [operation for operation in self._running if isinstance(operation, LegObserver)]

    def state(self) -> dict[str, Any]:
        return {
            "running": [operation.describe() for operation in self._running],
            "queued": [operation.describe() for operation in self._queue],
        }

    def _main_busy(self) -> bool:
        return bool(self._queue) or any(running.main for running in self._running)

    def _start(self, operation: MediaOperation) -> None:
        task = self._tasks.start(self._run(operation), f"{operation.name} on {operation.leg.id}")
        self._running[operation] = task

    async def _run(self, operation: MediaOperation) -> None:
        try:
            await operation.run()
        finally:
            if self._running.pop(operation, None) is not None:
                self._advance()

    def _advance(self) -> None:
        if self._queue and not any(running.main for running in self._running):
            following = self._queue[0]
            if not following.main and self._running:
                return
            self._queue.popleft()
            self._start(following)
            # A side operation that has begun does not hold up the main lane.
            if not following.main:
                self._advance()
