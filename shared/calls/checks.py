"""Watches a flow for what no replay can repeat, while it runs: the clock, chance, the network, forgotten coroutines.

Rehearsals and the local host run flows under this watch. It looks at every C function that the flow calls, which makes
a step many times slower, so that production does without.
"""

from __future__ import annotations

import _thread
import gc
import os
import random
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from types import BuiltinFunctionType, FrameType
from typing import Any

from shared.calls.mistakes import NO_ASYNCIO, is_authors, is_library, is_ours, place_at
from shared.errors import ForgottenAwait, NotDeterministic

_CLOCK = "Take the time from call.now."
_CHANCE = "Get it by call.run, whose result is journaled: number = await call.run(random.randint, 1, 6)."
_NETWORK = "Put the request into a function and call that by call.run: customer = await call.run(look_up, number)."
_WAIT = "Write: await call.sleep(seconds)."
_THREAD = "A flow runs in one thread at a time: do several things at once by call.gather, the rest by call.run."
_LOG = 'Write: call.log("message"), which is written once and not again at each replay.'

_FUNCTIONS: dict[Any, tuple[str, str]] = {
    time.sleep: ("blocks in time.sleep", _WAIT),
    **{
        function: (f"reads the clock by time.{function.__name__}", _CLOCK)
        for function in (
            time.time,
            time.time_ns,
            time.monotonic,
            time.monotonic_ns,
            time.perf_counter,
            time.process_time,
            time.thread_time,
        )
    },
    # From Python 3.13 on, `threading` starts them by the second.
    **{
        vars(_thread)[name]: ("starts a thread", _THREAD)
        for name in ("start_new_thread", "start_joinable_thread")
        if name in vars(_thread)
    },
    os.urandom: ("takes random bytes from the system (uuid4, secrets)", _CHANCE),
}
_CHANCES = ("random", "getrandbits")
_SHARED_CHANCE = getattr(random.random, "__self__", None)
"""What the functions of `random` draw from. A flow's own `random.Random(call.id)` draws the same in each replay."""
_CLOCKS = ("now", "utcnow", "today")
_SOCKETS = ("connect", "connect_ex", "getaddrinfo", "gethostbyname", "create_connection")
_PROCESSES = ("fork_exec", "system", "popen")


_BY_LIBRARY = {
    "logging": ("writes to the log at each replay", _LOG),
    "asyncio": ("runs a loop of asyncio", NO_ASYNCIO),
}
"""What a flow is about when it does any of this by one of these."""


class Watch:
    """The watch over one scheduler's steps.

    Attributes:
        found: what a step did that does not stop it: coroutines that it made and never awaited.
    """

    def __init__(self) -> None:
        self.found: list[ForgottenAwait] = []

    @contextmanager
    def over(self) -> Iterator[None]:
        """Watch this thread. What the flow must not do raises NotDeterministic at its line."""
        before, depth = sys.getprofile(), sys.get_coroutine_origin_tracking_depth()
        outer = getattr(_here, "watch", None)
        _here.watch = self
        sys.set_coroutine_origin_tracking_depth(1)
        sys.setprofile(_look)
        try:
            yield
        finally:
            sys.setprofile(before)
            sys.set_coroutine_origin_tracking_depth(depth)
            _here.watch = outer


_here = threading.local()


def _look(frame: FrameType, event: str, function: Any) -> None:
    if event != "c_call":
        return
    forbidden = _rule(function)
    if forbidden is None:
        return
    author, through = _author_of(frame)
    if author is None:
        return
    problem, remedy = _BY_LIBRARY.get(through, forbidden)
    raise NotDeterministic(f"the flow {problem}", remedy)


def _rule(function: Any) -> tuple[str, str] | None:
    """What is wrong with calling this in a flow, and the remedy; None: nothing."""
    if type(function) is not BuiltinFunctionType:
        return None
    known = _FUNCTIONS.get(function)
    if known is not None:
        return known
    name, owner = function.__name__, function.__self__
    if name in _CHANCES and owner is _SHARED_CHANCE:
        return "takes a random number", _CHANCE
    if name in _CLOCKS and isinstance(owner, type) and issubclass(owner, date):
        return f"reads the clock by {owner.__name__}.{name}", _CLOCK
    if name in _SOCKETS and type(owner).__name__ in ("socket", "module"):
        return "opens a connection", _NETWORK
    if name in _PROCESSES:
        return "starts a process", _NETWORK
    return None


def _author_of(frame: FrameType | None) -> tuple[FrameType | None, str]:
    """The flow's own frame that called this through libraries at most, and which of `_BY_LIBRARY` was between.

    None where Switchboard itself called it, an import, a finalizer or the garbage collector: those repeat nothing of
    the flow.
    """
    through = ""
    collecting = {getattr(callback, "__code__", None) for callback in gc.callbacks}
    while frame is not None:
        code = frame.f_code
        imports = code.co_filename.startswith("<frozen importlib")
        if is_ours(code) or imports or code.co_name == "__del__" or code in collecting:
            return None, through
        if is_authors(code):
            return frame, through
        package = str(frame.f_globals.get("__name__")).partition(".")[0]
        if package in _BY_LIBRARY and is_library(code):
            through = package
        frame = frame.f_back
    return None, through


def _forgotten(coroutine: Any) -> None:
    watch: Watch | None = getattr(_here, "watch", None)
    origin = getattr(coroutine, "cr_origin", None)
    if watch is None or not origin:
        _warn_unawaited(coroutine)
        return
    filename, number, _ = origin[0]
    place = place_at(filename, number)
    name = coroutine.__qualname__
    watch.found.append(
        ForgottenAwait(f"{name}() was called and never awaited", f"Write: await {place.line}", where=place.where,
                       line=place.line)
    )  # fmt: skip


# CPython calls this when a coroutine is dropped that nobody awaited; in a Python without it nothing is noticed.
_warn_unawaited = getattr(warnings, "_warn_unawaited_coroutine", lambda coroutine: None)
warnings._warn_unawaited_coroutine = _forgotten  # type: ignore[attr-defined]
