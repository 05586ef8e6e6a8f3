"""Runs invocations: the Executing and Executed lines, the output bindings, and the wait at the end."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from azure.functions.meta import Datum

from devstack.host.backend import Backend, Invocation, Outcome
from devstack.host.console import Console
from devstack.host.functions import Binding

_TOLD_BY_THE_APP = "Misconfigured("
"""An app whose settings, routing or flows are wrong says so once; each of its functions fails then, timers every few
seconds."""


class OutputWriter(Protocol):
    """Writes the value of one output binding to where the binding points."""

    async def write(self, binding: Binding, value: Datum) -> None: ...


class Invoker:
    """The one way in which every trigger reaches the app."""

    def __init__(self, backend: Backend, console: Console, writers: dict[str, OutputWriter]) -> None:
        self._backend = backend
        self._console = console
        self._writers = writers
        self._running = 0

    @property
    def running(self) -> int:
        """Invocations under way."""
        return self._running

    async def invoke(self, invocation: Invocation, reason: str) -> Outcome:
        """Run one invocation and write its outputs; a failure of either is a failed Outcome."""
        name, identifier = invocation.function.name, invocation.invocation_id
        talk = self._console.invocations
        if talk:
            self._console.line(f"Executing 'Functions.{name}' (Reason='{reason}', Id={identifier})")
        started = time.perf_counter()
        self._running += 1
        try:
            outcome = await self._backend.invoke(invocation)
            if outcome.ok and invocation.function.outputs:
                outcome = await self._write_outputs(invocation, outcome)
        finally:
            self._running -= 1
        if not outcome.ok and outcome.error.startswith(_TOLD_BY_THE_APP) and not talk:
            return outcome
        if talk or not outcome.ok:
            word = "Succeeded" if outcome.ok else "Failed"
            duration = int((time.perf_counter() - started) * 1000)
            self._console.line(f"Executed 'Functions.{name}' ({word}, Id={identifier}, Duration={duration}ms)")
        if not outcome.ok:
            self._console.line(
                f"Exception while executing function: Functions.{name}. Result: Failure\n"
                f"Exception: {outcome.error}\nStack: {outcome.traceback.rstrip()}"
            )
        return outcome

    async def drain(self, seconds: float) -> bool:
        """Wait until nothing runs, at most `seconds`; whether that came true."""
        deadline = time.monotonic() + seconds
        while self._running and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        return not self._running

    async def _write_outputs(self, invocation: Invocation, outcome: Outcome) -> Outcome:
        values = dict(outcome.outputs)
        if outcome.returned is not None:
            values["$return"] = outcome.returned
        for binding in invocation.function.outputs:
            writer, value = self._writers.get(str(binding["type"])), values.get(str(binding["name"]))
            if writer is None or value is None or value.type is None:
                continue
            try:
                await writer.write(binding, value)
            except Exception as error:
                return Outcome(ok=False, error=f"the output '{binding['name']}' was not written: {error!r}")
        return outcome
