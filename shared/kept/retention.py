"""What time removes: calls that have expired, and hashes under keys of before."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import islice

from shared.calls.store.base import Found
from shared.kept.calls import MOST_DAYS, KeptCalls
from shared.logs import logger

log = logger("switchboard.kept")

AT_ONCE = 8
"""Calls that are removed side by side (our choice)."""
SECONDS = 180.0
"""How long one run works at most (our choice): well below the five minutes that a function has in the smallest plan.
The next run goes on."""


class Retention:
    """Removes calls once they are so many days old. Open calls are never touched.

    Args:
        days: after which calls expire; 0: never.
        recording_days: the same of recordings, after which the hashes go that find those of removed calls.
        use_cases: removes what they have kept for long enough, and says how many things.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        calls: KeptCalls,
        *,
        days: int,
        recording_days: int,
        use_cases: Callable[[], int] = lambda: 0,
        clock: Callable[[], float] = time.time,
        seconds: float = SECONDS,
    ) -> None:
        self._calls = calls
        self._days = days
        self._recording_days = recording_days
        self._use_cases = use_cases
        self._clock = clock
        self._seconds = seconds

    def sweep(self) -> dict[str, int]:
        """Remove what has expired, for a while; how many calls, and how many could not be."""
        done: Counter[str] = Counter()
        until = self._clock() + self._seconds
        store = self._calls.store
        with ThreadPoolExecutor(AT_ONCE, "switchboard-retention") as threads:
            if self._days:
                for batch in _batches(store.older(self._day(self._days))):
                    done.update(threads.map(self._expire, batch))
                    if self._clock() >= until:
                        break
                store.drop_figures(self._day(self._days))
            if self._recording_days:
                # A recording may be as many days younger than its call as one is looked for.
                for batch in _batches(store.forgettable(self._day(self._recording_days + MOST_DAYS))):
                    done.update(threads.map(self._forget, batch))
                    if self._clock() >= until:
                        break
        if self._clock() < until:
            done["rehashed"] = store.rehash()
            done["use_cases"] = self._use_cases()
        told = ("expired", "forgotten", "rehashed", "failed", *(["use_cases"] if done["use_cases"] else []))
        return {what: done[what] for what in told}

    def _expire(self, found: Found) -> str:
        return self._safely(found, "expired", lambda: self._calls.remove(found, with_recordings=False).removed)

    def _forget(self, found: Found) -> str:
        return self._safely(found, "forgotten", lambda: self._calls.store.remove(found))

    def _safely(self, found: Found, done: str, step: Callable[[], bool]) -> str:
        """Do a step; what it counts as. One that fails does not keep the others from theirs."""
        try:
            return done if step() else "open"
        except Exception as error:
            log.error("not removed call=%s: %s", found.call_id, type(error).__name__)
            return "failed"

    def _day(self, days: int) -> str:
        """The first day that is kept."""
        return f"{datetime.fromtimestamp(self._clock(), UTC) - timedelta(days=days):%Y-%m-%d}"


def _batches(found: Iterable[Found]) -> Iterator[list[Found]]:
    left = iter(found)
    while batch := list(islice(left, AT_ONCE)):
        yield batch
