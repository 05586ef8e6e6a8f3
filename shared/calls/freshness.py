"""Whether a call that this instance holds in memory is likely to be the newest state of it.

Callbacks have no affinity. On one instance every call in memory is the newest; on several, most are not, because
another instance took the event before. Building on an old one costs three storage round trips (a commit that loses,
a load, a commit), loading first costs two, building on the newest costs one. So an instance learns what it meets, and
what an event says about the call decides before that.
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.calls.replay import Session
from shared.events import CallEvent

WEIGHT = 0.5
"""How much the newest experience counts; at a half one stale call is enough for caution, one fresh call for trust
(our choice)."""


class Freshness:
    """Learns how often the calls in memory turned out to be old.

    Threads share it without a lock: a lost update costs a round trip, never correctness.
    """

    def __init__(self) -> None:
        self._stale = 0.0

    def learn(self, *, fresh: bool) -> None:
        """A call in memory was, or was not, the newest."""
        self._stale += ((0.0 if fresh else 1.0) - self._stale) * WEIGHT

    def trusts(self, session: Session, events: Iterable[CallEvent | None]) -> bool:
        """Whether to build on a call in memory; False: load it first."""
        for event in events:
            foreseen = session.foresees(event) if event is not None else None
            if foreseen is not None:
                return foreseen
        return self._stale < 0.5
