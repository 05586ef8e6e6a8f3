"""The conductor: load → append → replay → commit → dispatch, again until nothing new is issued.

The commit comes before the dispatch, so that whatever another instance or a later delivery sees, no action is
out that the journal does not hold. What the four guarantees rest on:

    two deliveries of one event     the journal knows its id: the second changes nothing
    two deliveries at once          one commit wins; the loser loads again and finds what is left to do
    a crash before the commit       nothing happened: the redelivery does it
    a crash after the commit        the head calls the operation unconfirmed: a redelivery after the grace
                                    period, or the watchdog, sends it again under the same repeatability id,
                                    or (play, recognize) as a new attempt, which makes outcomes of the old stale
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from shared.calls import actions, journal
from shared.calls.actions import Action
from shared.calls.flow import Flow
from shared.calls.held import Held, HeldCalls
from shared.calls.journal import Entry, Issued, Started
from shared.calls.later import Later
from shared.calls.operation import Operation
from shared.calls.prompts import Prompt
from shared.calls.record import CallRecord
from shared.calls.replay import OPENING, Session, operation_context
from shared.calls.timers import Timers
from shared.errors import ActionRefused, AlreadyClaimed, FlowChanged, InvalidInput, LostRace
from shared.events import CallEvent
from shared.gateway.base import Gateway, Request
from shared.store.base import CallStore

log = logging.getLogger("switchboard.calls")

MAX_RACES = 40
"""Lost commits in a row after which a delivery is handed back to be redelivered."""
CONFIRM_AFTER = 3.0
"""Seconds after which a sent action that no event has confirmed is confirmed by a write of its own."""
NEVER_CONNECTED = 150.0
"""Seconds without a connection after which a call counts as never established (set-up takes up to 115 s)."""
NO_FLOW = "-"
"""The flow of a call that is only rejected or redirected."""

_NAMESPACE = uuid.UUID("0b3b6f56-32a5-5c0c-8a6f-6d1c3f1f7e55")


class Outcome(StrEnum):
    """What became of a delivery. Every delivery has exactly one, and it is logged."""

    CLAIMED = "claimed"
    ADVANCED = "advanced"
    DUPLICATE = "duplicate"
    RESENT = "resent"
    STALE = "stale"
    LATE = "late"
    EARLY = "early"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Ring:
    """An incoming call, as the conductor needs it."""

    correlation_id: str
    server_call_id: str
    caller: Any
    callee: Any
    incoming_call_context: str
    at: int
    display_name: str = ""
    context: Mapping[str, str] | None = None
    source_event: str = ""


class Conductor:
    """Drives every call of this instance. Safe to share between threads; holds no state that matters.

    Args:
        callback_url: gives the URL for the events of a call, and of one action family of it.
        clock: Unix time in milliseconds.
        grace: seconds that an issued action may stay unconfirmed before it is sent again.
        ring_time: seconds from which an incoming call is stale.
        quiet: seconds without news after which the watchdog asks the service about a call.
        apology: what a caller hears when a flow fails.
    """

    def __init__(
        self,
        *,
        store: CallStore,
        gateway: Gateway,
        timers: Timers,
        flows: Mapping[str, Flow],
        callback_url: Callable[[str, str], str],
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        cached_calls: int = 2000,
        grace: float = 20.0,
        ring_time: float = 30.0,
        quiet: float = 60.0,
        apology: tuple[Prompt, ...] = (),
        later: Later | None = None,
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._timers = timers
        self.flows = flows
        self._callback_url = callback_url
        self._clock = clock
        self._held = HeldCalls(cached_calls)
        self._grace = int(grace * 1000)
        self._ring_time = int(ring_time * 1000)
        self._quiet = int(quiet * 1000)
        self._apology = apology
        self.later = later or Later()

    # What comes in

    def ring(self, ring: Ring, opening: Action | None, flow: str = NO_FLOW) -> tuple[Outcome, str]:
        """Claim an incoming call and open it; a duplicate of one that is claimed changes nothing.

        Args:
            opening: answer, reject or redirect; None: the flow opens the call itself.
        """
        now = self._clock()
        first_id = uuid.uuid5(_NAMESPACE, f"{ring.correlation_id}|{ring.callee.raw_id}").hex
        if now - ring.at > self._ring_time:
            return Outcome.STALE, first_id
        ring_id = hashlib.sha256(ring.incoming_call_context.encode()).hexdigest()[:16]
        call_id, count = first_id, 1
        while True:
            started = Started(
                at=now,
                flow=flow,
                direction="inbound",
                caller=ring.caller,
                callee=ring.callee,
                correlation_id=ring.correlation_id,
                server_call_id=ring.server_call_id,
                display_name=ring.display_name,
                context=ring.context or {},
                opening=opening,
                source_event=ring.source_event,
            )
            try:
                self._begin(call_id, started, ring=ring.incoming_call_context, ring_id=ring_id)
                return Outcome.CLAIMED, call_id
            except AlreadyClaimed:
                earlier = self._store.peek(call_id)
            if earlier.status != "ended" or earlier.ring_id == ring_id:
                # Claimed by the delivery of which this is the duplicate; it may have died on the way.
                self._store.index(earlier)
                return self._advance(call_id, []), call_id
            if earlier.outcome == "redirected" and isinstance(opening, actions.Redirect):
                log.warning("redirect loop broken call=%s", call_id)
                opening, flow = actions.Reject(reason="busy"), NO_FLOW
            count += 1
            call_id = f"{first_id}{count:02d}"

    def place(
        self, flow: str, opening: actions.CreateCall | None, *, data: Any = None, key: str | None = None
    ) -> tuple[Outcome, str]:
        """Start an outbound call; the same key starts it once.

        Args:
            opening: the call to place; None: the flow places it itself.
            data: what the flow finds in `call.input`.
        """
        if flow not in self.flows:
            raise InvalidInput("flow", f"{flow!r} is not a flow.", f"Known: {', '.join(sorted(self.flows))}.")
        call_id = uuid.uuid5(_NAMESPACE, f"place|{key}").hex if key else uuid.uuid4().hex
        started = Started(
            at=self._clock(),
            flow=flow,
            direction="outbound",
            caller=opening.caller_id if opening else None,
            callee=opening.target if opening else None,
            input=data,
            opening=opening,
        )
        try:
            self._begin(call_id, started)
        except AlreadyClaimed:
            return self._advance(call_id, []), call_id
        return Outcome.CLAIMED, call_id

    def deliver(self, call_id: str, events: Sequence[CallEvent]) -> Outcome:
        """Take events of a call. UnknownCall if it is not in the store."""
        at = self._clock()
        inputs = [(journal.EventReceived(at=at, event=event.raw), event) for event in events]
        return self._advance(call_id, inputs)

    def signal(self, call_id: str, name: str, data: Any = None, *, signal_id: str | None = None) -> Outcome:
        """Give the flow something from outside; the same signal id counts once."""
        entry = journal.Signalled(at=self._clock(), id=signal_id or uuid.uuid4().hex, name=name, data=data)
        return self._advance(call_id, [(entry, None)])

    def wake(self, call_id: str, seq: int, due: int) -> Outcome:
        """A timer's message came; before its time it is sent round again."""
        now = self._clock()
        if due - now > 1000:
            self._timers.schedule(call_id, seq, due)
            return Outcome.EARLY
        return self._advance(call_id, [(journal.TimerFired(at=now, seq=seq), None)])

    # The watchdog

    def watch(self) -> dict[str, Outcome]:
        """Settle the calls that stopped hearing anything; what was done, by call id."""
        done: dict[str, Outcome] = {}
        for call_id in self._store.open_calls():
            try:
                outcome = self._watch_one(call_id)
            except Exception:  # one call that cannot be settled must not keep it from the others
                log.exception("the watchdog could not settle call=%s; it tries again", call_id)
                continue
            if outcome is not Outcome.UNCHANGED:
                done[call_id] = outcome
        return done

    def _watch_one(self, call_id: str) -> Outcome:
        record = self._store.peek(call_id)
        silent = self._clock() - record.updated_at
        if record.unconfirmed and silent > self._grace:
            if self._advance(call_id, []) is Outcome.RESENT:
                return Outcome.RESENT
            self._confirm(call_id)  # this instance knows that they left
        if record.status == "ended":
            if silent > self._grace:
                self._close(call_id)
                return Outcome.ADVANCED
            return Outcome.UNCHANGED
        if silent <= self._quiet:
            return Outcome.UNCHANGED
        now = self._clock()
        if not record.call_connection_id:
            if now - record.started_at <= NEVER_CONNECTED * 1000:
                return Outcome.UNCHANGED
            entry = journal.Settled(at=now, reason="the call was never connected")
            return self._advance(call_id, [(entry, None)])
        if self._gateway.connection_state(record.call_connection_id) is None:
            entry = journal.Settled(at=now, reason="the service no longer knows the call")
            return self._advance(call_id, [(entry, None)])
        overdue = self._overdue(call_id, now)
        return self._advance(call_id, overdue) if overdue else Outcome.UNCHANGED

    def _overdue(self, call_id: str, now: int) -> list[tuple[Entry, None]]:
        """Entries for the operations whose outcome can no longer be expected."""
        with self._held.only_here(call_id):
            held = self._held.take(call_id) or self._load(call_id)
            operations = held.session.open_operations
            self._held.put(call_id, held)
        found: list[tuple[Entry, None]] = []
        for operation in operations:
            waited = (now - operation.issued_at) / 1000
            action = operation.action
            if isinstance(action, actions.Sleep):
                if waited > action.seconds + self._quiet / 1000:
                    found.append((journal.TimerFired(at=now, seq=operation.seq), None))
            elif action.patience is not None and waited > action.patience:
                found.append((journal.GaveUp(at=now, seq=operation.seq), None))
        return found

    # The heart of it

    def _begin(self, call_id: str, started: Started, *, ring: str = "", ring_id: str = "") -> None:
        with self._held.only_here(call_id):
            session = self._session(call_id, started.flow)
            session.record.ring, session.record.ring_id = ring, ring_id
            session.feed(started)
            entries = [started, *session.take()]
            version = self._store.claim(session.record, [journal.encode(entry) for entry in entries])
            held = Held(session, version, tuple(session.record.unconfirmed))
            _log_failures(session.record, entries)
            results = self._dispatch(held, entries)
            self._store.index(session.record)
            self._settle_down(call_id, held)
            self._advance_here(call_id, [(result, None) for result in results])

    def _advance(self, call_id: str, inputs: Sequence[tuple[Entry, CallEvent | None]]) -> Outcome:
        with self._held.only_here(call_id):
            return self._advance_here(call_id, inputs)

    def _advance_here(self, call_id: str, inputs: Sequence[tuple[Entry, CallEvent | None]]) -> Outcome:
        outcome = Outcome.DUPLICATE
        pending = list(inputs)
        for race in range(MAX_RACES):
            held = self._held.take(call_id) or self._load(call_id)
            session = held.session
            if session.finished and outcome is Outcome.DUPLICATE:
                self._later_close(call_id)
                return Outcome.LATE
            fresh = [(entry, event) for entry, event in pending if not session.knows(entry)]
            lost = self._lost(session)
            if not fresh and not lost:
                self._settle_down(call_id, held)
                return outcome
            try:
                pending = self._step(held, fresh, lost)
            except LostRace:
                time.sleep(min(0.002 * race, 0.05))
                continue
            outcome = Outcome.RESENT if lost and not fresh else Outcome.ADVANCED
            self._settle_down(call_id, held)
            if not pending:
                return outcome
        raise LostRace(call_id)

    def _step(
        self, held: Held, fresh: Sequence[tuple[Entry, CallEvent | None]], lost: Sequence[journal.Resent]
    ) -> list[tuple[Entry, CallEvent | None]]:
        """Feed, commit, dispatch; what came back at once is the next input."""
        session = held.session
        entries: list[Entry] = []
        for again in lost:
            session.feed(again)
            entries.append(again)
        for entry, event in fresh:
            if session.knows(entry):
                continue  # the same event twice in one delivery
            session.feed(entry, event)
            entries += [entry, *session.take()]
        held.version = self._store.commit(session.record, [journal.encode(entry) for entry in entries], held.version)
        held.unconfirmed = tuple(session.record.unconfirmed)
        _log_failures(session.record, entries)
        return [(result, None) for result in self._dispatch(held, entries)]

    def _lost(self, session: Session) -> list[journal.Resent]:
        """Operations that were issued, of which nothing shows that they left, and that nobody can be sending."""
        now = self._clock()
        resent = []
        for seq in session.record.unconfirmed:
            operation = session.operation(seq)
            if not operation.done and now - max(operation.issued_at, operation.resent_at) > self._grace:
                again = 0 if operation.action.repeatable else 1
                resent.append(journal.Resent(at=now, seq=seq, attempt=operation.attempt + again))
        return resent

    def _load(self, call_id: str) -> Held:
        stored = self._store.load(call_id)
        session = self._session(call_id, stored.record.flow)
        for entry in journal.decode_all(stored.journal):
            session.feed(entry)
        session.adopt(stored.record)
        return Held(session, stored.version, tuple(stored.record.unconfirmed))

    def _session(self, call_id: str, flow: str) -> Session:
        return Session(self.flows.get(flow) or _missing(flow), call_id, apology=self._apology)

    # What goes out

    def _dispatch(self, held: Held, entries: Iterable[Entry]) -> list[Entry]:
        results: list[Entry] = []
        for entry in entries:
            if isinstance(entry, Issued | journal.Resent):
                operation = held.session.operation(entry.seq)
                result = self._send(held.session, operation)
                if result is not None:
                    results.append(result)
                held.session.confirm(entry.seq)
        return results

    def _send(self, session: Session, operation: Operation[Any]) -> Entry | None:
        """Send one operation; an entry if its outcome is known at once. Never raises: the flow must learn it."""
        action, seq = operation.action, operation.seq
        try:
            if isinstance(action, actions.Sleep):
                due = operation.issued_at + int(action.seconds * 1000)
                self._timers.schedule(session.record.call_id, seq, due)
                return None
            if isinstance(action, actions.Run):
                value = json.loads(json.dumps(session.function(seq)()))
                return journal.Answered(at=self._clock(), seq=seq, value=value)
            answer = self._gateway.perform(self._request(session, operation))
        except ActionRefused as refusal:
            log.warning("refused %s call=%s %s", action.kind, session.record.call_id, refusal)
            return journal.RefusedEntry(
                at=self._clock(),
                seq=seq,
                status=refusal.status,
                code=refusal.code,
                message=refusal.message,
                transient=refusal.transient,
            )
        except Exception as error:
            log.exception("could not send %s call=%s", action.kind, session.record.call_id)
            return journal.RefusedEntry(
                at=self._clock(), seq=seq, status=0, code=type(error).__name__, message=str(error)
            )
        if action.kind in OPENING:
            session.record.call_connection_id = str(answer.get("callConnectionId") or "")
            session.record.server_call_id = str(answer.get("serverCallId") or session.record.server_call_id)
        if action.ends_with == "answer":
            return journal.Answered(at=self._clock(), seq=seq, value=dict(answer))
        return None

    def _request(self, session: Session, operation: Operation[Any]) -> Request:
        record = session.record
        family = operation.action.family
        return Request(
            call_id=record.call_id,
            seq=operation.seq,
            attempt=operation.attempt,
            action=operation.action,
            operation_context=operation_context(record.call_id, operation),
            callback_url=self._callback_url(record.call_id, "call"),
            operation_callback_url=self._callback_url(record.call_id, family) if family else None,
            first_sent=operation.issued_at,
            connection_id=record.call_connection_id,
            incoming_call_context=record.ring,
        )

    # After the answer

    def _settle_down(self, call_id: str, held: Held) -> None:
        """Keep the call for its next event, and leave to later what may wait."""
        if held.session.finished:
            self._later_close(call_id)
            return
        self._held.put(call_id, held)
        if held.unconfirmed != tuple(held.session.record.unconfirmed):
            self.later.soon(call_id, lambda: self._confirm(call_id), CONFIRM_AFTER)

    def _confirm(self, call_id: str) -> None:
        """Write down that the actions left, if no event has done so by now."""
        with self._held.only_here(call_id):
            held = self._held.take(call_id)
            if held is None or held.unconfirmed == tuple(held.session.record.unconfirmed):
                if held is not None:
                    self._held.put(call_id, held)
                return
            try:
                held.version = self._store.commit(held.session.record, [], held.version)
            except LostRace:
                return  # somebody else has the call now; what they load is newer than what is held here
            held.unconfirmed = tuple(held.session.record.unconfirmed)
            self._held.put(call_id, held)

    def _later_close(self, call_id: str) -> None:
        self.later.soon(call_id, lambda: self._close(call_id))

    def _close(self, call_id: str) -> None:
        """Archive a finished call and take it off the open ones."""
        stored = self._store.load(call_id)
        document = {
            **asdict(stored.record),
            "journal": [json.loads(entry) for entry in stored.journal],
        }
        self._store.close(stored.record, document)
        log.info("closed call=%s outcome=%s entries=%d", call_id, stored.record.outcome, stored.record.entries)


def _log_failures(record: CallRecord, entries: Iterable[Entry]) -> None:
    for entry in entries:
        if isinstance(entry, journal.Failed):
            # What the error says may name the caller: that stays in the journal.
            log.error("flow %s failed call=%s: %s", record.flow, record.call_id, entry.error.partition(":")[0])


def _missing(name: str) -> Flow:
    """Stands in for a flow that the app does not have: NO_FLOW, or one that was removed under its calls."""

    async def absent(call: object) -> None:
        raise FlowChanged(f"the app has no flow {name!r} any more")

    return Flow(name, absent)
