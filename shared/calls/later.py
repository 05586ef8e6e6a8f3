"""Work that may wait until the answer is out: done soon by one background thread, or else by the watchdog."""

from __future__ import annotations

import atexit
import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger("switchboard.calls")


class Later:
    """Runs jobs after a delay, one at a time. A job for the same key replaces the one that waits.

    Nothing may depend on it: a frozen or killed instance loses its jobs, and the watchdog does them.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._queue: list[tuple[float, int, str]] = []
        self._jobs: dict[str, tuple[int, Callable[[], None]]] = {}
        self._order = itertools.count()
        self._thread: threading.Thread | None = None

    def soon(self, key: str, job: Callable[[], None], delay: float = 0.0) -> None:
        """Run `job` after `delay` seconds."""
        with self._condition:
            number = next(self._order)
            self._jobs[key] = (number, job)
            heapq.heappush(self._queue, (time.monotonic() + delay, number, key))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="switchboard-later", daemon=True)
                self._thread.start()
                atexit.register(self.flush)
            self._condition.notify()

    def forget(self, key: str) -> None:
        """Drop the job that waits under this key."""
        with self._condition:
            self._jobs.pop(key, None)

    def flush(self) -> None:
        """Run everything that waits, now, in this thread."""
        with self._condition:
            jobs = [job for _, job in sorted(self._jobs.values(), key=lambda pair: pair[0])]
            self._jobs.clear()
            self._queue.clear()
        for job in jobs:
            _run(job)

    def _work(self) -> None:
        while True:
            job: Callable[[], None] | None = None
            with self._condition:
                while not self._queue or self._queue[0][0] > time.monotonic():
                    self._condition.wait(self._queue[0][0] - time.monotonic() if self._queue else None)
                _, number, key = heapq.heappop(self._queue)
                if key in self._jobs and self._jobs[key][0] == number:
                    job = self._jobs.pop(key)[1]
            if job is not None:
                _run(job)


def _run(job: Callable[[], None]) -> None:
    try:
        job()
    except Exception:
        log.exception("background work failed; the watchdog will do it")
