"""From a finished call to everybody who should learn of it.

Each target has a message of its own, so that one that fails has nothing sent to the other again. A message may come
twice, and so may an event: its id, which is the call's, tells. What no target took for a day is a dead letter, until
somebody replays it.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from shared.calls.record import CallRecord
from shared.calls.store.base import CallStore, day_of
from shared.errors import StoreError
from shared.logs import logger
from shared.notifications.base import DeadLetter, DeadLetters, NotificationQueue, Target
from shared.notifications.errors import NotDelivered, UnknownDeadLetter
from shared.notifications.event import Event
from shared.notifications.message import Message

log = logger("switchboard.notifications")

DEADLINE = 24 * 3600 * 1000
"""Milliseconds from the close of the call, or from a replay, in which an event is tried."""
FIRST_WAIT, LONGEST_WAIT = 5.0, 900.0
"""Seconds before the second attempt, twice as long before each further one, and at most."""
LONGEST_RETRY_AFTER = 3600.0
"""Seconds of a target's own Retry-After that are heeded."""
SPREAD = 0.2
"""How far a wait may be off, as a share of it: what failed together does not come back together."""
FULL_WAIT = (1.0, 3.0)
"""Seconds, from and to, before an instance that is full looks again (our choice)."""
STORAGE_WAIT = (30.0, 60.0)
"""Seconds, from and to, before it is tried again after the storage failed (our choice)."""
CLOSING_SECONDS = 1.0
"""Seconds before the first attempt: so long the close of the call usually takes, which comes after its message."""
AT_ONCE = 4
"""Deliveries of one instance at the same time: their threads are those that answer calls (our choice)."""
KEPT_DAYS = 30
"""Days after its call started in which a dead letter is kept."""
_MOST_DOUBLINGS = 32
FAULT = "the app failed on it; its log says how"


class Notifier:
    """Delivers the events of finished calls. Safe to share between threads.

    Args:
        targets: by name; those that the settings name.
        event_of: what is said of a call.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        *,
        targets: Mapping[str, Target],
        store: CallStore,
        queue: NotificationQueue,
        letters: DeadLetters,
        event_of: Callable[[CallRecord], Event],
        clock: Callable[[], float] = time.time,
        at_once: int = AT_ONCE,
    ) -> None:
        self._targets = targets
        self._store = store
        self._queue = queue
        self._letters = letters
        self._event_of = event_of
        self._clock = clock
        self._room = threading.BoundedSemaphore(at_once)

    def announce(self, record: CallRecord) -> None:
        """A call is about to be closed: queue its event. StoreUnavailable, then it must not be closed yet."""
        for target in self._targets:
            self._queue.send(Message(record.call_id, target, self._now()), delay=CLOSING_SECONDS)

    def work(self, message: Message) -> str:
        """Deliver what a message asks for; the outcome in one word. UnknownCall if the call is gone."""
        target = self._targets.get(message.target)
        if target is None:
            return "no_target"  # the setting was taken away meanwhile
        # Never wait here: the thread is one of those that answer calls.
        if not self._room.acquire(blocking=False):
            self._queue.send(message, delay=random.uniform(*FULL_WAIT))  # noqa: S311
            return "queued"
        try:
            return self._attempt(message, target)
        except StoreError as error:
            # The storage fails, not the target: the message must not end in the poison queue.
            log.warning("the storage failed call=%s target=%s: %s", message.call_id, message.target, error)
            self._queue.send(message, delay=random.uniform(*STORAGE_WAIT))  # noqa: S311
            return "retried"
        finally:
            self._room.release()

    def mark_poisoned(self, message: Message) -> None:
        """The app itself failed on this, again and again: make it a dead letter."""
        self._give_up(message, self._store.peek(message.call_id), FAULT)

    def replay(self, call_id: str) -> list[str]:
        """Try again what was given up of a call, for another day; the targets. UnknownCall, UnknownDeadLetter."""
        found = self._letters.of(day_of(self._store.peek(call_id).started_at), call_id)
        if not found:
            raise UnknownDeadLetter(call_id)
        for letter, version in found:
            # In this order: a crash in between leaves a letter too many, not an event too few.
            self._queue.send(Message(call_id, letter.target, self._now()))
            self._letters.remove(letter, version)
        return [letter.target for letter, _ in found]

    def forget(self, day: str, call_id: str) -> int:
        """Remove the dead letters of a call that started on this day; how many there were."""
        found = self._letters.of(day, call_id)
        for letter, version in found:
            self._letters.remove(letter, version)
        return len(found)

    def remove_expired(self) -> int:
        """Remove the dead letters whose time is over; how many there were."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        return self._letters.remove_older(f"{now - timedelta(days=KEPT_DAYS):%Y-%m-%d}")

    def _attempt(self, message: Message, target: Target) -> str:
        record = self._store.peek(message.call_id)
        try:
            target.deliver(self._event_of(record))
        except NotDelivered as error:
            return self._later(message.again(), record, error)
        return "delivered"

    def _later(self, message: Message, record: CallRecord, error: NotDelivered) -> str:
        left = (message.since + DEADLINE - self._now()) / 1000
        if error.lasting or left <= 0:
            self._give_up(message, record, str(error))
            return "given_up"
        wait = min(left, wait_before(message.attempts, error.retry_after))
        log.warning(
            "not delivered call=%s target=%s attempt=%d wait=%d: %s",
            message.call_id,
            message.target,
            message.attempts,
            wait,
            error,
        )
        self._queue.send(message, delay=wait)
        return "retried"

    def _give_up(self, message: Message, record: CallRecord, reason: str) -> None:
        letter = DeadLetter(
            day=day_of(record.started_at),
            call_id=message.call_id,
            target=message.target,
            reason=reason,
            attempts=message.attempts,
            since=message.since,
            at=self._now(),
        )
        self._letters.put(letter)
        log.error(
            "given up call=%s target=%s attempts=%d: %s", message.call_id, message.target, message.attempts, reason
        )

    def _now(self) -> int:
        return round(self._clock() * 1000)


def wait_before(attempts: int, retry_after: float | None, spread: Callable[[], float] = random.random) -> float:
    """Seconds before the next attempt.

    Args:
        attempts: that failed so far, at least one.
        retry_after: what the target asks for.
        spread: gives a random number from 0 to 1.
    """
    doubled = FIRST_WAIT * 2.0 ** min(attempts - 1, _MOST_DOUBLINGS)
    own = min(LONGEST_WAIT, doubled) * (1 - SPREAD + 2 * SPREAD * spread())
    return own if retry_after is None else max(own, min(retry_after, LONGEST_RETRY_AFTER))
