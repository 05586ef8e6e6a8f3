"""Ends a flow that runs and runs without waiting for anything, such as one in a loop over its own errors.

Nothing else could: it holds its call, and each event of that call would hold one more thread of the app.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

LONGEST_STEP = 5.0
"""Seconds of processor time that a flow may take between two waits (our choice; usual are milliseconds). Not of the
clock on the wall, so that an instance that is frozen or short of processors ends none."""
TURN = 0.5
"""Seconds between two looks (our choice)."""
INSISTENCE = 0.01
"""Seconds between two looks at a flow that has caught its end (our choice): most loops have a place outside of their
`try`, at which it must come."""


class Endless(BaseException):
    """Ends a flow in an endless loop. No Exception, so that few loops catch it."""


@dataclass(slots=True, eq=False)
class Step:
    """A step of a flow that is under way.

    Attributes:
        thread: the one that runs it.
        until: processor time of its thread at which it has taken too long, in seconds; None: nobody has looked yet.
        told: whether Endless was raised in it.
    """

    thread: int
    until: float | None = None
    told: bool = False


class Patience:
    """Looks at the steps that are under way, in a thread of its own; where one takes too long, Endless is raised in it,
    and at the next look again if it goes on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._steps: list[Step] = []
        self._some = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> Step:
        """A step begins in this thread."""
        step = Step(threading.get_ident())
        with self._lock:
            self._steps.append(step)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="switchboard-patience", daemon=True)
                self._thread.start()
            self._some.set()
        return step

    def end(self, step: Step) -> None:
        """The step is over: nothing is raised in its thread from here on."""
        try:
            self._forget(step)
        except Endless:  # it came just now; the next would come at the next look
            self._forget(step)
        if step.told:
            _let_it_come(step)

    def _forget(self, step: Step) -> None:
        with self._lock:
            if step in self._steps:
                self._steps.remove(step)

    def _look(self) -> None:
        while True:
            self._some.wait()
            time.sleep(INSISTENCE if any(step.told for step in tuple(self._steps)) else TURN)
            with self._lock:
                if not self._steps:
                    self._some.clear()
                for step in self._steps:
                    _look_at(step)


def _look_at(step: Step) -> None:
    taken = time.clock_gettime(time.pthread_getcpuclockid(step.thread))
    if step.until is None:
        step.until = taken + LONGEST_STEP
    elif taken > step.until:
        step.told = True
        _raise_in(step)


def _raise_in(step: Step) -> None:
    """Have Endless raised in the thread of a step, at one of its next instructions."""
    import ctypes  # some milliseconds, which the start of an instance is spared: hardly any flow needs it

    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(step.thread), ctypes.py_object(Endless))


def _let_it_come(step: Step) -> None:
    """Have what may still be raised in this thread raised here. To take it back would not do: the interpreter then
    believes for ever that something is to be raised (CPython 3.11), and a thread that is profiled never goes on."""
    try:
        _raise_in(step)
        while True:
            pass
    except Endless:
        return


PATIENCE = Patience()
