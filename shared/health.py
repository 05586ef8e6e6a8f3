"""How the app is, in one word: all that somebody without a key may learn.

Anybody may ask, so a question costs next to nothing: the outcome is kept for seconds, one thread looks at a time,
and the others wait for it no longer than a moment.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from shared.composition import switchboard
from shared.errors import Misconfigured
from shared.logs import logger

log = logger("switchboard.health")

Health = Literal["ok", "degraded", "misconfigured"]
"""`degraded`: the storage does not answer now. `misconfigured`: settings, routing or flows are wrong."""

KEPT_SECONDS = 5.0
"""How long an outcome stands. Load balancers ask every 5 seconds or less often (our choice)."""

USABLE_SECONDS = 30.0
"""How long the last outcome is used while a thread checks again; after that requests wait for it."""

WAIT_SECONDS = 2.0
"""The longest wait for a thread that looks. What takes longer is not well."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    health: Health
    at: float


class HealthCheck:
    """Looks, and keeps what it found. Safe to share between threads.

    Args:
        look: finds out; raises nothing.
        clock: seconds, never put back.
    """

    def __init__(self, look: Callable[[], Health], clock: Callable[[], float] = time.monotonic) -> None:
        self._look = look
        self._clock = clock
        self._looking = threading.Lock()
        self._last: _Outcome | None = None

    def __call__(self) -> Health:
        """How the app is, as of the last few seconds."""
        if (kept := self._younger_than(KEPT_SECONDS)) is not None:
            return kept
        usable = self._younger_than(USABLE_SECONDS)
        if not self._looking.acquire(timeout=WAIT_SECONDS if usable is None else 0):
            return usable or "degraded"
        try:
            if (kept := self._younger_than(KEPT_SECONDS)) is not None:  # found while this thread waited
                return kept
            health = self._look()
            if self._last is None or self._last.health != health:
                log.log(logging.INFO if health == "ok" else logging.WARNING, "health is %s", health)
            self._last = _Outcome(health, self._clock())
            return health
        finally:
            self._looking.release()

    def forget(self) -> None:
        """Check again at the next request; for tests."""
        self._last = None

    def _younger_than(self, seconds: float) -> Health | None:
        last = self._last
        return last.health if last is not None and self._clock() - last.at < seconds else None


def _look() -> Health:
    try:
        board = switchboard()
    except Misconfigured:
        return "misconfigured"  # the log has said what is wrong, once
    except Exception:
        # The log alone says what is wrong, and where.
        log.exception("the app cannot work as it is set up")
        return "misconfigured"
    try:
        board.store.healthy()
    except Exception as error:
        # The class alone: the SDK's text may hold the address of the storage, with what it is signed with.
        log.warning("the storage is not well: %s", type(error).__name__)
        return "degraded"
    return "ok"


health = HealthCheck(_look)
"""The process's own."""
