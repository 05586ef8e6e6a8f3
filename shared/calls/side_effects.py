"""Side effects: the functions that flows give to `call.run`.

They run outside of their call's lock, after the actions of the same commit have been sent: a function may take its
time while the call goes on, and may itself signal the call. Each result is a commit of its own.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from shared.calls import actions
from shared.calls.afterwards import Afterwards
from shared.calls.dispatcher import to_send
from shared.calls.journal import Entry
from shared.calls.replay import Session
from shared.calls.returned import outcome_of


@dataclass(frozen=True, slots=True)
class SideEffect:
    """A function that is to run for a call.

    Attributes:
        is_secret: whether the log must not have a text.
    """

    call_id: str
    seq: int
    name: str
    function: Callable[[], Any]
    is_secret: Callable[[str], bool] = lambda text: False


class SideEffects:
    """Runs functions, and has their calls seen to be alive meanwhile.

    Args:
        clock: Unix time in milliseconds.
        grace: seconds, as the conductor's.
    """

    def __init__(self, afterwards: Afterwards, clock: Callable[[], int], grace: float) -> None:
        self._afterwards = afterwards
        self._clock = clock
        self._grace = grace
        self._lock = threading.Lock()
        self._running: dict[str, set[int]] = {}

    def running(self, call_id: str) -> frozenset[int]:
        """The operations of a call whose functions run in this process, or are about to."""
        with self._lock:
            return frozenset(self._running.get(call_id, ()))

    def start(self, effect: SideEffect) -> None:
        """From now on no other instance takes it for lost."""
        with self._lock:
            first = effect.call_id not in self._running
            self._running.setdefault(effect.call_id, set()).add(effect.seq)
        if first:
            self._keep_alive(effect.call_id)

    def stop(self, effect: SideEffect) -> None:
        """It is over, or will not run here."""
        with self._lock:
            running = self._running.get(effect.call_id, set())
            running.discard(effect.seq)
            if not running:
                self._running.pop(effect.call_id, None)

    def run(self, effect: SideEffect) -> Entry:
        """Run a function: its result, or why there is none. What ends the process is raised."""
        return outcome_of(
            effect.function,
            effect.name,
            call_id=effect.call_id,
            seq=effect.seq,
            clock=self._clock,
            is_secret=effect.is_secret,
        )

    def _keep_alive(self, call_id: str, *, write: bool = False) -> None:
        """Have the head written now and then: another instance that finds the call idle for the grace period would
        take this one for dead, and run the function as well."""
        if not self.running(call_id):
            return
        # First: a write that fails must not be the last one.
        self._afterwards.later.soon(f"alive {call_id}", partial(self._keep_alive, call_id, write=True), self._grace / 3)
        if write:
            self._afterwards.keep_alive(call_id)


class DueEffects:
    """The side effects that one delivery has brought up. A context: those that did not run are let go of at its end,
    and run when the grace period is over."""

    def __init__(self, effects: SideEffects) -> None:
        self._effects = effects
        self._due: deque[SideEffect] = deque()

    def __enter__(self) -> DueEffects:
        return self

    def __exit__(self, *_: object) -> None:
        for effect in self._due:
            self._effects.stop(effect)
        self._due.clear()

    def __bool__(self) -> bool:
        return bool(self._due)

    def take(self, session: Session, entries: Iterable[Entry]) -> None:
        """Note the functions that these entries ask for."""
        for operation in to_send(session, entries):
            if isinstance(operation.action, actions.Run):
                call_id, seq = session.record.call_id, operation.seq
                keeps = _says_nothing if operation.action.secret else session.secrecy.values.held_by
                effect = SideEffect(call_id, seq, operation.action.name, partial(_call, session, seq), keeps)
                self._due.append(effect)
                self._effects.start(effect)

    def results(self) -> Iterator[Entry]:
        """Run them, one after the other; each counts as running until the next result is asked for."""
        while self._due:
            yield self._effects.run(self._due[0])
            self._effects.stop(self._due.popleft())


def _says_nothing(text: str) -> bool:
    """Of a secret side effect the log has no text."""
    return True


def _call(session: Session, seq: int) -> Any:
    return session.function(seq)()
