"""Watches a flow for what no replay can repeat, while it runs: the clock, chance, the network, forgotten coroutines.

Rehearsals and the local host run flows under this watch. It looks at every C function that the flow calls, which makes
a step many times slower, so that production does without.
"""

from __future__ import annotations

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

from shared.calls.mistakes import is_authors, is_library, is_ours, place_at
from shared.errors import ForgottenAwait, NotDeterministic

_CLOCK = "Take the time from call.now."
_CHANCE = "Get it by call.run, whose result is journaled: number = await call.run(random.randint, 1, 6)."
_NETWORK = "Put the request into a function and call that by call.run: customer = await call.run(look_up, number)."
_WAIT = "Write: await call.sleep(seconds)."
_LOG = 'Write: call.log("message"), which is written once and not again at each replay.'

_FUNCTIONS: dict[Any, tuple[str, str]] = {
    time.sleep: ("blocks in time.sleep", _WAIT),
    **{
        function: (f"reads the clock by time.{function.__name__}", _CLOCK)
        for function in (time.time, time.time_ns, time.monotonic, time.monotonic_ns, time.perf_counter)
    },
    os.urandom: ("takes random bytes from the system (uuid4, secrets)", _CHANCE),
}
_CHANCES = ("random", "getrandbits")
_CLOCKS = ("now", "utcnow", "today")
_SOCKETS = ("connect", "connect_ex", "getaddrinfo", "gethostbyname", "create_connection")
_PROCESSES = ("fork_exec", "system", "popen")


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
    author, through_log = _author_of(frame)
    if author is None:
        return
    problem, remedy = ("writes to the log at each replay", _LOG) if through_log else forbidden
    raise NotDeterministic(f"the flow {problem}", remedy)


def _rule(function: Any) -> tuple[str, str] | None:
    """What is wrong with calling this in a flow, and the remedy; None: nothing."""
    if type(function) is not BuiltinFunctionType:
        return None
    known = _FUNCTIONS.get(function)
    if known is not None:
        return known
    name, owner = function.__name__, function.__self__
    if name in _CHANCES and isinstance(owner, random.Random):
        return "takes a random number", _CHANCE
    if name in _CLOCKS and isinstance(owner, type) and issubclass(owner, date):
        return f"reads the clock by {owner.__name__}.{name}", _CLOCK
    if name in _SOCKETS and type(owner).__name__ in ("socket", "module"):
        return "opens a connection", _NETWORK
    if name in _PROCESSES:
        return "starts a process", _NETWORK
    return None


def _author_of(frame: FrameType | None) -> tuple[FrameType | None, bool]:
    """The flow's own frame that called this through libraries at most, and whether a log was between.

    None where Switchboard itself called it, an import, a finalizer or the garbage collector: those repeat nothing of
    the flow.
    """
    through_log = False
    collecting = {getattr(callback, "__code__", None) for callback in gc.callbacks}
    while frame is not None:
        code = frame.f_code
        imports = code.co_filename.startswith("<frozen importlib")
        if is_ours(code) or imports or code.co_name == "__del__" or code in collecting:
            return None, through_log
        if is_authors(code):
            return frame, through_log
        through_log = through_log or (is_library(code) and frame.f_globals.get("__name__") == "logging")
        frame = frame.f_back
    return None, through_log


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
