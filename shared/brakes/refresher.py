"""Reads what all instances share, in the background and only while there is traffic."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from shared.errors import SwitchboardError
from shared.logs import logger

log = logger("switchboard.brakes")

EVERY = 2.0
"""Seconds between two readings (our choice): with the reading itself, well below the 5 within which a switch acts."""
OLD = 5.0
"""Seconds after which what was read is too old to go by: on an instance that has just started, or was frozen."""
WAIT = 0.25
"""The longest wait for a reading on such an instance, in seconds (our choice): a reading takes some ten milliseconds. A
caller waits for no other."""
IDLE = 600.0
"""Seconds without any use after which nothing is read any more, until the next (our choice)."""


class Refresher:
    """Calls `read` every two seconds in a thread of its own, which begins with the first use and ends when idle.

    Args:
        read: raises a SwitchboardError where it cannot; then what was read before goes on to count.
        clock: seconds, never put back.
        pause: waits so many seconds, or less if the event is set.
    """

    def __init__(
        self,
        read: Callable[[], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[threading.Event, float], object] = threading.Event.wait,
    ) -> None:
        self._read = read
        self._clock = clock
        self._pause = pause
        self._condition = threading.Condition()
        self._wanted = threading.Event()
        self._running = False
        self._failing = False
        self._used_at = clock()
        self._read_at: float | None = None

    def use(self) -> None:
        """Somebody goes by what was read: see to it that it is read on. Waits a moment if it is too old, and not while
        the storage does not respond."""
        now = self._clock()
        self._used_at = now
        if self._is_fresh(now) and self._running:
            return
        with self._condition:
            if not self._running:
                self._running = True
                threading.Thread(target=self.run, name="switchboard-brakes", daemon=True).start()
            else:
                self._wanted.set()
            if self._is_fresh(now):
                return
            if not self._failing:
                self._condition.wait_for(lambda: self._failing or self._is_fresh(self._clock()), WAIT)

    def run(self) -> None:
        """Read until nobody uses it for long: what the thread does."""
        while True:
            self._wanted.clear()
            self._read_once()
            self._pause(self._wanted, EVERY)
            with self._condition:
                if self._clock() - self._used_at > IDLE:
                    self._running = False
                    return

    def _read_once(self) -> None:
        began, failing = self._clock(), False
        try:
            self._read()
        except SwitchboardError as error:
            failing = True
            if not self._failing:
                log.warning("switches and figures of the brakes cannot be read; the last ones count: %s", error)
        except Exception:
            failing = True
            log.exception("switches and figures of the brakes cannot be read; the last ones count")
        with self._condition:
            self._failing = failing
            if not failing:
                self._read_at = began
            self._condition.notify_all()

    def _is_fresh(self, now: float) -> bool:
        return self._read_at is not None and now - self._read_at <= OLD
