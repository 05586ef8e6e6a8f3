"""A flow while it runs: how its call is opened and ended around it, how it fails, and what takes over then.

Deterministic and without I/O, like all of replay.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from shared.calls.actions import Action, Opening
from shared.calls.call import Call
from shared.calls.fallback import apologise, leave
from shared.calls.flow import Fallback, Flow
from shared.calls.flow_host import FlowHost
from shared.calls.free_text import SECRET
from shared.calls.journal import Failed, Started
from shared.calls.json_values import end_of_text
from shared.calls.mistakes import diagnose, place_of
from shared.calls.operation import Task
from shared.calls.secrecy import Secrecy
from shared.errors import CallEnded, CallError, EndlessLoop, FlowChanged

if TYPE_CHECKING:
    from shared.calls.checks import Watch

MAX_TRACE = 4000
MAX_REFUSED = 25
"""Requests in a row that may be refused at once before a flow that goes on asking is ended (our choice)."""


class FlowRun(FlowHost):
    """Runs a flow, and its fallback once it has failed.

    Args:
        fallback: what a caller hears when the flow fails and says nothing else.
        watch: looks for what no replay can repeat, while the flow runs.
        secrets: the app has a key to encrypt what is secret.
    """

    def __init__(
        self, flow: Flow, call_id: str, fallback: Fallback, watch: Watch | None = None, *, secrets: bool = True
    ) -> None:
        super().__init__(call_id, watch)
        self.secrecy = Secrecy(secrets)
        self.texts, self.language, self.input_model = flow.texts, "", flow.input
        self._flow, self._fallback = flow, fallback
        self._main: Task[None] | None = None
        self._failures = 0
        self._changed: FlowChanged | None = None
        self._refused_in_a_row = 0

    def _start(self, entry: Started) -> None:
        self.started = entry
        self.language = self.texts.opening(entry.language or "")
        record = self.record
        record.flow, record.direction = entry.flow, entry.direction
        record.caller = entry.caller.raw_id if entry.caller else ""
        record.callee = entry.callee.raw_id if entry.callee else ""
        record.correlation_id, record.server_call_id = entry.correlation_id, entry.server_call_id
        record.meet(entry.on_behalf_of)
        record.started_at = entry.at
        record.status = "ringing" if entry.direction == "inbound" else "connecting"
        if entry.placed_by_flow:
            self.placed_by_flow, record.status = True, "waiting"
        running = _nothing() if self.secrecy.unattended else _drive(self, self._flow, entry.opening)
        self._main = self.spawn("flow", running)

    def report(self, error: BaseException) -> None:
        """Journal that the flow failed, and take over."""
        trace = end_of_text("".join(traceback.format_exception(error)), MAX_TRACE)
        found, shown = diagnose(error), self.secrecy.shown
        failed = Failed(
            at=self.now,
            error=found.error if shown(found.error) == found.error else f"{type(error).__name__}: {SECRET}",
            trace=shown(trace),
            where=found.where or None,
            line=shown(found.line) or None,
            remedy=shown(found.remedy) or None,
        )
        self._outbox.append(failed)
        self._take_over(failed)

    def _run(self) -> None:
        """Run what is ready, and see to what went wrong where no `await` of the flow meets it."""
        self._scheduler.run()
        if self._changed is not None or self._main is None or self.secrecy.unattended:
            return
        error = self._unmet()
        if error is not None:
            self.report(error)
            self._scheduler.run()

    def _unmet(self) -> BaseException | None:
        """An error that the flow has not met."""
        watch = self._scheduler.watch
        if watch is not None and watch.found:
            found = watch.found[0]
            watch.found.clear()
            if not self._failures:  # what a flow that has failed left unawaited is no failure of its own
                return found
        if self._refused_in_a_row > MAX_REFUSED:
            self._refused_in_a_row = 0
            return EndlessLoop(
                f"{MAX_REFUSED} requests in a row were refused, and the flow goes on asking",
                "End the loop after some tries, or wait in it: await call.sleep(seconds).",
                **place_of(self._main.coroutine)._asdict() if self._main else {},
            )
        for task in self._tasks:
            if task.error is not None and not isinstance(task.error, CallError | CallEnded) and not task.awaited:
                task.awaited = True
                return task.error
        return None

    def _stop_tasks(self) -> None:
        """Stop what the flow left running; what its `finally` blocks ask for is not issued."""
        self._silenced = True
        for task in self._tasks:
            task.abandon()
        self._tasks.clear()
        self._silenced = False

    def _take_over(self, failed: Failed) -> None:
        self._stop_tasks()
        self.secrecy.gone = True
        self._scheduler.begin_anew()
        self._refused_in_a_row = 0
        self._failures += 1
        self.record.outcome = "failed"
        told = {"error": failed.error, "where": failed.where, "line": failed.line, "remedy": failed.remedy}
        self.record.failure = {name: value for name, value in told.items() if value}
        help_once = self._flow.fallback_in(self.language, self._fallback) if self._failures == 1 else Fallback()
        self._main = self.spawn("fallback", apologise(self, help_once))


async def _nothing() -> None:
    """Runs in place of the flow of a call that is over."""


async def _drive(run: FlowRun, flow: Flow, opening: Action | None) -> None:
    """Open the call, run its flow, and see to it that the call ends."""
    call = Call(run)
    try:
        if opening is not None and not await _open(run, opening):
            return
        await flow(call)
        run.check_end()
        if run.end_unplaced():
            return
        run.outcome("transferred" if run.transferred else "completed")
        if run.transferred:
            await call.ended()  # the service takes the app out of a call that it transferred
        elif call.status == "ringing":
            await call.reject()
        elif call.status != "ended":
            await leave(call)
    except CallEnded as end:
        if call.status != "ended":
            run.report(end)  # the flow's own: nobody would end the call
            return
        run.outcome("caller_left")
    except (Exception, SystemExit) as error:
        if not run.end_unplaced(error):
            run.report(error)


async def _open(run: FlowRun, opening: Action) -> bool:
    """True once the call stands and the flow can have it."""
    try:
        await run.issue(opening)
    except CallError:
        return False  # what it ended with stands in the record
    return isinstance(opening, Opening)
