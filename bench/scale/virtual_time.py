"""Tasks by virtual time: each is plain code in a thread that sleeps by this clock, and one alone runs at a time.

So what would take minutes takes as long as the code itself, every race between two tasks is decided by the times at
which their requests arrive, and the same seed gives the same run.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self, TypeVar

T = TypeVar("T")
R = TypeVar("R")

START = 1_800_000_000.0
"""Unix time at which every simulation begins."""


class VirtualTime:
    """The clock and its tasks. `run` is called by one thread; everything else by that one or by its tasks."""

    def __init__(self) -> None:
        self.now = START
        self._due: list[tuple[float, int, _Worker | Callable[[], None]]] = []
        self._order = itertools.count()
        self._idle: list[_Worker] = []
        self._running: _Worker | None = None
        self.turn_over = threading.Semaphore(0)

    def milliseconds(self) -> int:
        """Unix time, as the conductor's clock has it."""
        return round(self.now * 1000)

    def after(self, seconds: float, work: Callable[[], None]) -> None:
        """Begin a task then."""
        heapq.heappush(self._due, (self.now + seconds, next(self._order), work))

    def sleep(self, seconds: float) -> None:
        """Let this task go on later."""
        worker = self._running
        assert worker is not None, "only a task can sleep"
        if seconds <= 0:
            return
        heapq.heappush(self._due, (self.now + seconds, next(self._order), worker))
        self.turn_over.release()
        worker.turn.acquire()

    def park(self) -> Callable[[], None]:
        """Let this task wait until what this gives is called, by another task: `rest` then."""
        worker = self._running
        assert worker is not None, "only a task can wait"
        return lambda: heapq.heappush(self._due, (self.now, next(self._order), worker))

    def rest(self) -> None:
        """Wait to be woken."""
        worker = self._running
        assert worker is not None, "only a task can wait"
        self.turn_over.release()
        worker.turn.acquire()

    def run(self) -> None:
        """Until no task is left. What a task raises is raised here."""
        try:
            while self._due:
                self.now, _, item = heapq.heappop(self._due)
                worker = item if isinstance(item, _Worker) else self._worker(item)
                self._running = worker
                worker.turn.release()
                self.turn_over.acquire()
                self._running = None
                if worker.error is not None:
                    raise worker.error
                if worker.work is None:
                    self._idle.append(worker)
        finally:
            for worker in self._idle:
                worker.end()
            self._idle.clear()

    def _worker(self, work: Callable[[], None]) -> _Worker:
        worker = self._idle.pop() if self._idle else _Worker(self)
        worker.work = work
        return worker


class _Worker:
    """A thread that runs one task after the other, each when it is its turn."""

    def __init__(self, time: VirtualTime) -> None:
        self.turn = threading.Semaphore(0)
        self.work: Callable[[], None] | None = None
        self.error: BaseException | None = None
        self._time = time
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Its last turn is over."""
        self.turn.release()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self.turn.acquire()
            if self.work is None:
                return
            try:
                self.work()
            except BaseException as error:  # raised again by `run`
                self.error = error
            self.work = None
            self._time.turn_over.release()


class Lock:
    """`threading.Lock` by virtual time: first come, first served."""

    def __init__(self, time: VirtualTime) -> None:
        self._time = time
        self._held = False
        self._waiting: deque[Callable[[], None]] = deque()

    def acquire(self, blocking: bool = True) -> bool:
        if self._held and not blocking:
            return False
        if self._held:
            self._waiting.append(self._time.park())
            self._time.rest()  # whoever releases it hands it over
        self._held = True
        return True

    def release(self) -> None:
        if self._waiting:
            self._waiting.popleft()()
        else:
            self._held = False

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class Pool:
    """`ThreadPoolExecutor` by virtual time, as far as it maps."""

    def __init__(self, time: VirtualTime, most: int) -> None:
        self._time = time
        self._most = most

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        waiting = deque(enumerate(items))
        results: list[Any] = [None] * len(waiting)
        if not waiting:
            return iter(())
        left, wake = min(self._most, len(waiting)), self._time.park()

        def work() -> None:
            nonlocal left
            while waiting:
                number, item = waiting.popleft()
                results[number] = function(item)
            left -= 1
            if not left:
                wake()

        for _ in range(left):
            self._time.after(0, work)
        self._time.rest()
        return iter(results)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing runs any more."""
