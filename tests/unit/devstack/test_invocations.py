"""What the host prints of the runs of functions."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest
from azure.functions.meta import Datum

from devstack.host.backend import Invocation, Outcome
from devstack.host.console import Console
from devstack.host.functions import FunctionMetadata
from devstack.host.invoker import Invoker

SPOILT = Outcome(ok=False, error="ValueError('no')", traceback="Traceback: handlers/x.py")
UNSET = Outcome(ok=False, error="Misconfigured('its log says which')", traceback="Traceback: handlers/timers.py")


class Backend:
    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    async def invoke(self, invocation: Invocation) -> Outcome:
        return self._outcome


def printed(outcome: Outcome, **console: Any) -> str:
    stream = io.StringIO()
    told = Console(stream, **console)
    function = FunctionMetadata("watchdog", "watchdog", {"type": "timerTrigger", "name": "timer"}, (), Path())
    invoker = Invoker(Backend(outcome), told, {})  # type: ignore[arg-type]
    asyncio.run(invoker.invoke(Invocation(function, Datum("", "string"), {}), "Timer"))
    told.flush()
    return stream.getvalue()


@pytest.mark.parametrize(
    ("outcome", "console", "words"),
    [
        (Outcome(ok=True), {}, ["Executing 'Functions.watchdog'", "(Succeeded"]),
        (Outcome(ok=True), {"invocations": False}, []),
        (Outcome(ok=True), {"quiet": True}, []),
        (SPOILT, {"invocations": False}, ["(Failed", "ValueError('no')", "handlers/x.py"]),
        (SPOILT, {"quiet": True}, ["(Failed", "ValueError('no')", "handlers/x.py"]),
        (UNSET, {}, ["(Failed", "Misconfigured", "handlers/timers.py"]),
        (UNSET, {"invocations": False}, []),
    ],
)
def test_runs_are_told_where_they_are_wanted_and_failures_always_but_what_the_app_has_told(
    outcome: Outcome, console: dict[str, Any], words: list[str]
) -> None:
    text = printed(outcome, **console)
    assert [word for word in words if word not in text] == []
    assert bool(text) is bool(words)
