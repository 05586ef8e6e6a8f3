"""Flows: named coroutines that say what happens on a call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.errors import InvalidInput

if TYPE_CHECKING:
    from shared.calls.call import Call

FlowFunction = Callable[["Call"], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Flow:
    """A registered flow.

    Attributes:
        opens: True: the flow gets the call while it rings and answers, rejects or redirects it (or places it)
            by itself; False: it gets a connected call.
    """

    name: str
    function: FlowFunction
    opens: bool = False

    def __call__(self, call: Call) -> Coroutine[Any, Any, None]:
        return self.function(call)


FLOWS: dict[str, Flow] = {}
"""Every flow of the app by name."""


def flow(name: str, *, opens: bool = False) -> Callable[[FlowFunction], Flow]:
    """Register a coroutine function as the flow of this name.

    A flow gets one argument, the Call. It must be deterministic: what it does may depend on the call and on
    what it awaits, not on the clock, chance or the network; those go through `call.now` and `call.run`.
    """

    def register(function: FlowFunction) -> Flow:
        if not inspect.iscoroutinefunction(function):
            raise InvalidInput(f"flow {name!r}", "is not an async def function.", "Write: async def f(call): …")
        if name in FLOWS and FLOWS[name].function.__module__ != function.__module__:
            other = FLOWS[name].function.__module__
            raise InvalidInput(f"flow {name!r}", f"is registered in {other} already.", "Give it another name.")
        FLOWS[name] = Flow(name, function, opens)
        return FLOWS[name]

    return register
