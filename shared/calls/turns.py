"""The turns of a call: load → append → replay → commit → dispatch, again until nothing new is issued.

A commit puts the new entries of the journal, events and issued actions together, and the columns of the record into
the store at once, or not at all; what it writes is told in `shared/azure/call_store.py`. Rows of the index follow later
(`shared.calls.afterwards`).

The commit comes before the dispatch, so that whatever another instance or a later delivery sees, no action is
out that the journal does not hold. What the guarantees (docs/architecture.md) rest on:

    two deliveries of one event     the journal knows its id: the second changes nothing
    two deliveries at once          one commit wins; the loser loads again and finds what is left to do
    a crash before the commit       nothing happened: the redelivery does it
    a crash after the commit        the head calls the operation unconfirmed: a redelivery after the grace
                                    period, or the watchdog, sends it again under the same repeatability id,
                                    or (play, recognize) as a new attempt; the first outcome of either counts
    a write whose response is lost  the head has the writer's mark: it goes on as after a response
    a request whose response is lost  the operation stays unconfirmed until an event shows that it was carried out
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from shared.calls.afterwards import MAX_RACES, Afterwards
from shared.calls.call_cache import CachedCall, StoredHead
from shared.calls.dispatcher import Dispatcher
from shared.calls.journal import Entry, Issued, LifecycleEvent, RefusedEntry, Resent, Responded, Started
from shared.calls.loading import Calls
from shared.calls.loglines import log_failures
from shared.calls.lost import Found, calls_somebody, lost_operations
from shared.calls.outcome import Outcome
from shared.calls.record import CallRecord
from shared.calls.replay import Session
from shared.calls.sealing import Sealing
from shared.calls.side_effects import DueEffects, SideEffects
from shared.calls.store.base import CallStore
from shared.errors import ActionFailed, AlreadyClaimed, LostRace
from shared.events import CallDisconnected, CallEvent

Input = tuple[Entry, CallEvent | None]
"""What a call is fed: an entry, and the event in it where that was read already."""
Inputs = Sequence[Input]

UNNUMBERED = -1
"""The position of an action from outside, until the session gives it one."""


class Turns:
    """Takes calls from one wait of their flow to the next. Safe to share between threads.

    Args:
        clock: Unix time in milliseconds.
        grace: seconds that an issued action may stay unconfirmed before it is sent again.
        log_errors_in_full: the log says what a flow raised, which may name the caller.
    """

    def __init__(
        self,
        store: CallStore,
        calls: Calls,
        dispatcher: Dispatcher,
        afterwards: Afterwards,
        sealing: Sealing,
        clock: Callable[[], int],
        grace: float,
        *,
        log_errors_in_full: bool,
    ) -> None:
        self._store = store
        self._calls = calls
        self._cache, self.freshness = calls.cache, calls.freshness
        self._dispatcher = dispatcher
        self.afterwards = afterwards
        self._sealing = sealing
        self._clock = clock
        self._grace = int(grace * 1000)
        self._log_errors_in_full = log_errors_in_full
        self.may_place: Callable[[CallRecord], bool] = lambda record: True
        """Asked before somebody is called by a request that may never have left, perhaps long after it was meant to."""
        self._side_effects = SideEffects(afterwards, clock, grace)

    def now(self) -> int:
        """Unix time in milliseconds."""
        return self._clock()

    def begin(self, call_id: str, started: Started, *, ring: str = "", ring_id: str = "") -> Session | None:
        """Claim a call and open it; the call that somebody else made of it, if somebody has."""
        due = DueEffects(self._side_effects)
        with self._cache.locked(call_id):
            session = self._calls.session(call_id, started.flow)
            session.record.ring, session.record.ring_id = ring, ring_id
            session.feed(started)
            entries = [started, *session.take()]
            began, mark, head = self._clock(), session.record.mark(), StoredHead.of(session.record)
            try:
                version = self._store.claim(session.record, self._sealing.texts(session, entries))
                session.record.written_at = self._clock()
                held = CachedCall(session, version, head)
                if self._clock() - began > self._grace:
                    held = self._calls.load(call_id, held)  # meanwhile another instance may have sent these actions
            except AlreadyClaimed:
                held = self._calls.load(call_id)
                if not held.session.record.holds(mark):
                    self._cache.put(call_id, held)
                    return held.session
            results = self._send(held, entries, due)
            self.afterwards.keep_or_close(call_id, held)
        # The call's first events need not wait for this. What came back at once is kept whatever it does.
        try:
            self.afterwards.write_index(held.session.record)
        finally:
            if results or due:
                with self.at_work(call_id, due):
                    if results:
                        self.advance_here(call_id, results, due)
        return None

    def advance(self, call_id: str, inputs: Inputs, *, rung: int | None = None) -> Outcome:
        """Feed a call, and send again what was lost; no inputs: only the latter.

        Args:
            rung: when a delivery of the call's IncomingCall came in, which is what this is about.
        """
        with self.at_work(call_id, DueEffects(self._side_effects)) as due:
            return self.advance_here(call_id, inputs, due, rung)

    @contextmanager
    def at_work(self, call_id: str, due: DueEffects) -> Iterator[DueEffects]:
        """Be the one thread that works on a call; then run the side effects that this brought up, whatever else went
        wrong, while others may work on it. What each gives is a commit of its own."""
        with due:
            try:
                with self._cache.locked(call_id):
                    yield due
            except Exception:
                self._run(call_id, due)
                raise
            self._run(call_id, due)

    def _run(self, call_id: str, due: DueEffects) -> None:
        for result in due.results():
            with self._cache.locked(call_id):
                self.advance_here(call_id, [(result, None)], due)

    def advance_here(self, call_id: str, inputs: Inputs, due: DueEffects, rung: int | None = None) -> Outcome:
        outcome = Outcome.DUPLICATE
        pending = list(inputs)
        held: CachedCall | None = None
        for race in range(MAX_RACES):
            trusted = False
            if held is None:
                held, trusted = self._calls.newest(call_id, [event for _, event in pending])
            session = held.session
            if session.finished and outcome is Outcome.DUPLICATE and not takes_after_the_end(session, pending):
                self._dispatcher.hang_up_late_connections(session, [event for _, event in pending])
                self.afterwards.later_close(call_id)
                return Outcome.LATE
            fresh = [(entry, event) for entry, event in pending if not session.knows(entry)]
            # After an event, what may be overdue is looked at when the call is idle again.
            lost = [] if fresh else self._lost(session, rung)
            if not fresh and not lost:
                if trusted and all(event is None for _, event in pending):
                    # Memory may be old, and whoever asks without an event (a timer, the watchdog) is the last who does.
                    newest = self._calls.load(call_id, held)
                    if newest is not held:
                        self.freshness.learn(fresh=False)
                        held = newest
                        continue
                # Of an event that came before, the hang-up may have been refused.
                self._dispatcher.hang_up_late_connections(session, [event for _, event in pending])
                self.afterwards.keep_or_close(call_id, held)
                return outcome
            began = self._clock()
            entries = feed(session, fresh, lost)
            other_sendings, failed = session.take_other_sendings(), session.take_failed()
            mark, head = session.record.mark(), StoredHead.of(session.record)
            try:
                texts = self._sealing.texts(session, entries)
                version = self._store.commit(session.record, texts, held.version)
                held.wrote(version, head, self._clock())
                if trusted:
                    self.freshness.learn(fresh=True)
                if self._clock() - began > self._grace:
                    held = self._calls.load(call_id)  # meanwhile another instance may have sent these actions
            except LostRace:
                held = self._calls.load(call_id)
                held.session.record.fill_in(session.record)
                if not held.session.record.holds(mark):
                    if trusted:
                        self.freshness.learn(fresh=False)
                    time.sleep(min(0.002 * race, 0.05))
                    continue
            self._dispatcher.hang_up_late_connections(held.session, [event for _, event in fresh])
            self._dispatcher.cancel_other_sendings(held.session, other_sendings)
            pending = self._send(held, entries, due, failed)
            self.afterwards.later_index(held)
            if outcome is not Outcome.RESENT:  # what came back at once of what was sent again does not change that
                outcome = Outcome.RESENT if lost else Outcome.ADVANCED
            if not pending:
                self.afterwards.keep_or_close(call_id, held)
                return outcome
            self.afterwards.remember_sent(call_id, held)
        raise LostRace(call_id)

    def _lost(self, session: Session, rung: int | None) -> list[Found]:
        running = self._side_effects.running(session.record.call_id)
        found = lost_operations(session, self._clock(), self._grace, rung=rung, running=running)
        if not any(calls_somebody(session, one) for one in found) or self.may_place(session.record):
            return found
        return [one for one in found if not calls_somebody(session, one)]

    def _send(
        self, held: CachedCall, entries: list[Entry], due: DueEffects, failed: Sequence[ActionFailed] = ()
    ) -> list[Input]:
        """Send what was committed, but for side effects, which are due then; what came back at once."""
        log_failures(held.session, entries, failed, in_full=self._log_errors_in_full)
        due.take(held.session, entries)
        with self.afterwards.kept_alive(held, entries):
            return [(result, None) for result in self._dispatcher.dispatch(held.session, entries)]


def feed(session: Session, fresh: Inputs, lost: Sequence[Found]) -> list[Entry]:
    """Feed a call; the entries to commit: what came in, and what its flow asks for then.

    Args:
        lost: what is to be sent again, is given up, or is known to have been carried out.
    """
    entries: list[Entry] = []
    for again in lost:
        session.feed(again)
        entries += [again, *(() if isinstance(again, Resent) else session.take())]
    for entry, event in fresh:
        if session.knows(entry):
            continue  # the same event twice in one delivery
        if isinstance(entry, Issued) and entry.seq == UNNUMBERED:
            entry = entry.model_copy(update={"seq": session.next_command()})
            session.record.unconfirmed.append(entry.seq)
        session.feed(entry, event)
        entries += [entry, *session.take()]
    return entries


def takes_after_the_end(session: Session, inputs: Inputs) -> bool:
    """Whether any of this belongs into the journal of a call that is over: lifecycle events, what a side effect gave,
    and the end itself if it was only inferred."""
    return any(
        isinstance(entry, LifecycleEvent)
        or (isinstance(entry, Responded | RefusedEntry) and not session.knows(entry))
        or (isinstance(event, CallDisconnected) and not session.disconnected and not session.knows(entry))
        for entry, event in inputs
    )
