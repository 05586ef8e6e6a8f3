"""Work that may wait until the response is out: done soon by a few background threads, or else by the watchdog."""

from __future__ import annotations

import atexit
import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger("switchboard.calls")

WORKERS = 8
"""Jobs at once (our choice): closing a call waits for the storage four times, and must keep pace with ending calls."""


class Background:
    """Runs jobs after a delay: those of one key one after the other, a newer one in place of one that waits.

    Nothing may depend on it: a frozen or killed instance loses its jobs, and the watchdog does them.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._queue: list[tuple[float, int, str]] = []
        self._jobs: dict[str, tuple[int, Callable[[], None]]] = {}
        self._running: set[str] = set()
        self._due_while_running: set[str] = set()
        self._order = itertools.count()
        self._threads = 0

    def soon(self, key: str, job: Callable[[], None], delay: float = 0.0) -> None:
        """Run `job` after `delay` seconds."""
        with self._condition:
            number = next(self._order)
            self._jobs[key] = (number, job)
            heapq.heappush(self._queue, (time.monotonic() + delay, number, key))
            if not self._threads:
                atexit.register(self.flush)
            if self._threads < min(WORKERS, len(self._jobs) + len(self._running)):
                self._threads += 1
                threading.Thread(target=self._work, name="switchboard-later", daemon=True).start()
            self._condition.notify()

    def flush(self) -> None:
        """Run everything that waits, now, in this thread."""
        with self._condition:
            jobs = [job for _, job in sorted(self._jobs.values(), key=lambda pair: pair[0])]
            self._jobs.clear()
            self._queue.clear()
            self._due_while_running.clear()
        for job in jobs:
            _run(job)

    def _work(self) -> None:
        while True:
            key, job = self._next()
            try:
                _run(job)
            finally:
                with self._condition:
                    self._running.discard(key)
                    if key in self._due_while_running:
                        self._due_while_running.discard(key)
                        heapq.heappush(self._queue, (time.monotonic(), self._jobs[key][0], key))
                        self._condition.notify()

    def _next(self) -> tuple[str, Callable[[], None]]:
        """Wait for a job whose time has come."""
        with self._condition:
            while True:
                if not self._queue or self._queue[0][0] > time.monotonic():
                    self._condition.wait(self._queue[0][0] - time.monotonic() if self._queue else None)
                    continue
                _, number, key = heapq.heappop(self._queue)
                if key not in self._jobs or self._jobs[key][0] != number:
                    continue  # a newer job has taken its place
                if key in self._running:
                    self._due_while_running.add(key)
                    continue
                self._running.add(key)
                return key, self._jobs.pop(key)[1]


def _run(job: Callable[[], None]) -> None:
    try:
        job()
    except Exception:
        log.exception("background work failed; the watchdog will do it")
