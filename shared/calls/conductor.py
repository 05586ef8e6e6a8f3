"""The conductor: load → append → replay → commit → dispatch, again until nothing new is issued.

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

import hashlib
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from shared.calls import actions, journal
from shared.calls.actions import Action
from shared.calls.after_the_end import takes_after_the_end
from shared.calls.afterwards import MAX_RACES, Afterwards
from shared.calls.background import Background
from shared.calls.beginning import begin_with
from shared.calls.brakes import Brakes
from shared.calls.dispatcher import Dispatcher
from shared.calls.feeding import UNNUMBERED, Input, Inputs, feed
from shared.calls.finding import calls_of_conversation
from shared.calls.flow import Flow
from shared.calls.gateway.base import Gateway
from shared.calls.held import Held, StoredHead
from shared.calls.journal import Entry, Issued, Started
from shared.calls.json_values import json_value
from shared.calls.lifecycle import CLOSING
from shared.calls.loading import Calls
from shared.calls.loglines import log_failures
from shared.calls.lost import lost_operations
from shared.calls.operation import Operation
from shared.calls.outcome import Outcome
from shared.calls.prompts import Prompt
from shared.calls.replay import Session
from shared.calls.ring import Ring
from shared.calls.sealing import DESTROYED, Sealing, shown
from shared.calls.secrecy import is_secret, without_texts
from shared.calls.side_effects import DueEffects, SideEffects
from shared.calls.store.base import CallStore, DoNotRecord
from shared.calls.timers import Timers
from shared.calls.watchdog import Watchdog
from shared.errors import ActionFailed, AlreadyClaimed, InvalidInput, KeyReused, LostRace, NotConnected, UnknownCall
from shared.events import CallEvent, Participant
from shared.identifiers import Identifier
from shared.logs import logger
from shared.secret_keys import SecretKeys

log = logger("switchboard.calls")

Acted = tuple[Outcome, Operation[Any] | None]
"""What became of an action from outside, and its operation; None: the call is over."""

NO_FLOW = "-"
"""The flow of a call that is only rejected or redirected."""

_NAMESPACE = uuid.UUID("0b3b6f56-32a5-5c0c-8a6f-6d1c3f1f7e55")


class Conductor:
    """Drives every call of this instance. Safe to share between threads; holds no state that matters.

    Args:
        callback_url, stream_url, do_not_record, brakes: as for the Dispatcher.
        clock: Unix time in milliseconds.
        grace: seconds that an issued action may stay unconfirmed before it is sent again.
        ring_time: seconds from which an incoming call is stale.
        quiet: seconds without news after which the watchdog asks the service about a call.
        check_flows: watch flows for mistakes, and load each call anew at every event, so that one that differs from
            run to run is noticed at once.
        apology, transfer_to: what a caller hears when a flow fails, and who takes them then; a flow may say otherwise.
        language: in which a flow with texts begins unless it is told.
        secrets: wraps the data keys of calls; None: no flow may ask for a secret.
    """

    def __init__(
        self,
        *,
        store: CallStore,
        gateway: Gateway,
        timers: Timers,
        flows: Mapping[str, Flow],
        callback_url: Callable[[str, str], str],
        stream_url: Callable[[str, str], str] = lambda call_id, kind: "",
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        cached_calls: int = 2000,
        grace: float = 7.0,
        ring_time: float = 30.0,
        quiet: float = 60.0,
        apology: tuple[Prompt, ...] = (),
        transfer_to: Identifier | None = None,
        language: str = "",
        later: Background | None = None,
        check_flows: bool = False,
        do_not_record: DoNotRecord | None = None,
        brakes: Brakes | None = None,
        secrets: SecretKeys | None = None,
    ) -> None:
        self._store = store
        self._timers = timers
        self._check_flows, self.flows = check_flows, flows
        self._clock, self._language = clock, language
        cached = 0 if check_flows else cached_calls
        self._sealing = Sealing(secrets)
        self._calls = Calls(store, flows, apology, transfer_to, cached, self._sealing, watched=check_flows)
        self._held = self._calls.held
        self.freshness = self._calls.freshness
        self.afterwards = Afterwards(store, self._calls, later or Background(), clock, grace)
        self._grace = int(grace * 1000)
        self._ring_time = int(ring_time * 1000)
        self._side_effects = SideEffects(self.afterwards, clock, grace)
        self._dispatcher = Dispatcher(gateway, timers, callback_url, stream_url, clock, do_not_record, brakes)
        self._watchdog = Watchdog(self, store, gateway, clock, self._grace, int(quiet * 1000), brakes)

    @property
    def later(self) -> Background:
        """What runs the work that may wait."""
        return self.afterwards.later

    # What comes in

    def ring(self, ring: Ring, opening: Action | None, flow: str = NO_FLOW) -> tuple[Outcome, str]:
        """Claim an incoming call and open it; a duplicate of one that is claimed changes nothing.

        Args:
            opening: answer, reject or redirect; None: the flow opens the call itself.
        """
        begin = begin_with(self.flows.get(flow), ring.language, self._language)
        now = self._clock()
        first_id = uuid.uuid5(_NAMESPACE, f"{ring.correlation_id}|{ring.callee.key}").hex
        if now - ring.at > self._ring_time:
            self._make_good(first_id)
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
                on_behalf_of=ring.on_behalf_of,
                teams=ring.teams,
                input=begin.input,
                language=begin.language,
                opening=opening,
                source_event=ring.source_event,
            )
            found = self._begin(call_id, started, ring=ring.incoming_call_context, ring_id=ring_id)
            if found is None:
                return Outcome.CLAIMED, call_id
            earlier = found.record
            if earlier.status != "ended" or earlier.ring_id == ring_id:
                # Claimed by the delivery of which this is the duplicate; it may have died on the way.
                self.afterwards.write_index(earlier)
                return self.advance(call_id, [], rung=now), call_id
            if earlier.outcome == "redirected" and isinstance(opening, actions.Redirect):
                log.warning("redirect loop broken call=%s", call_id)
                opening, flow = actions.Reject(reason="busy"), NO_FLOW
            count += 1
            call_id = f"{first_id}{count:02d}"

    def _make_good(self, call_id: str) -> None:
        """What whoever claimed a call may have died before, though it is too late to open it now."""
        try:
            record = self._store.peek(call_id)
        except UnknownCall:
            return
        if record.status != "ended" and not self._store.indexed(record):
            self.afterwards.index(call_id)  # so that the watchdog sees it

    def place(
        self,
        flow: str,
        opening: actions.CreateCall | actions.Connect | None,
        *,
        data: Any = None,
        key: str | None = None,
    ) -> tuple[Outcome, str]:
        """Start an outbound call; the same key starts it once. InvalidInput for what its flow does not take.

        Args:
            opening: the call to place, or to connect to; None: the flow does so itself, when it wants to.
            data: what the flow finds in `call.input`.

        Returns:
            CLAIMED, or DUPLICATE if it had been placed; and the call's id. KeyReused if it had been placed otherwise.
        """
        if flow not in self.flows:
            raise InvalidInput("flow", f"{flow!r} is not a flow.", f"Known: {', '.join(sorted(self.flows))}.")
        begin = begin_with(self.flows[flow], "", self._language, placed=True, data=data)
        call_id = uuid.uuid5(_NAMESPACE, f"place|{key}").hex if key else uuid.uuid4().hex
        started = Started(
            at=self._clock(),
            flow=flow,
            direction="outbound",
            caller=opening.caller_id if isinstance(opening, actions.CreateCall) else None,
            callee=opening.targets[0] if isinstance(opening, actions.CreateCall) else None,
            input=begin.input,
            language=begin.language,
            opening=opening,
            placed_by_flow=True if opening is None else None,
        )
        earlier = self._begin(call_id, started)
        if earlier is None:
            return Outcome.CLAIMED, call_id
        if not begin.is_repeated(started, earlier.started):
            raise KeyReused
        # Whoever placed it may have died on the way.
        self.afterwards.write_index(earlier.record)
        self.advance(call_id, [])
        return Outcome.DUPLICATE, call_id

    def deliver(self, call_id: str, events: Sequence[CallEvent]) -> Outcome:
        """Take events of a call. UnknownCall if it is not in the store."""
        at = self._clock()
        inputs = [(journal.EventReceived(at=at, event=event.raw), event) for event in events]
        return self.advance(call_id, inputs)

    def signal(self, call_id: str, name: str, data: Any = None, *, signal_id: str | None = None) -> Outcome:
        """Give the flow something from outside; the same signal id counts once. InvalidInput if it is not JSON."""
        return self.signals(call_id, [(signal_id or uuid.uuid4().hex, name, data)])

    def signals(self, call_id: str, given: Iterable[tuple[str, str, Any]]) -> Outcome:
        """Give the flow several things, each with id, name and data, in this order and in one commit."""
        now = self._clock()
        return self.advance(
            call_id,
            [
                (journal.Signalled(at=now, id=signal_id, name=name, data=json_value("data", data)), None)
                for signal_id, name, data in given
            ],
        )

    def wake(self, call_id: str, seq: int, due: int) -> Outcome:
        """A timer's message came; before its time it is sent round again."""
        now = self._clock()
        if due - now > 1000:
            self._timers.schedule(call_id, seq, due)
            return Outcome.EARLY
        return self.advance(call_id, [(journal.TimerFired(at=now, seq=seq), None)])

    def wake_overdue(self, call_id: str, now: int) -> Outcome:
        """Wake the sleeps that should be over: their message was lost, or somebody took it and died."""
        entries: list[Input] = [
            (journal.TimerFired(at=now, seq=operation.seq), None)
            for operation in self.open_operations(call_id)
            if isinstance(operation.action, actions.Sleep) and now > operation.action.over_at(operation.issued_at)
        ]
        return self.advance(call_id, entries) if entries else Outcome.UNCHANGED

    def notice(
        self, server_call_id: str, event_id: str, event: Mapping[str, Any], *, correlation_id: str = ""
    ) -> Outcome:
        """Journal an Event Grid event about a conversation in each call that is part of it. UnknownCall if none is."""
        entry, outcomes = journal.Noticed(at=self._clock(), id=event_id, event=event), []
        for call_id in calls_of_conversation(self._store, server_call_id, correlation_id):
            with suppress(UnknownCall):  # its rows are gone, and the index still has it
                outcomes.append(self.advance(call_id, [(entry, None)]))
        if not outcomes:
            raise UnknownCall(server_call_id[:16])
        return Outcome.ADVANCED if Outcome.ADVANCED in outcomes else outcomes[0]

    def act(self, call_id: str, action: Action, key: str | None = None) -> Acted:
        """Do something on a call from outside; the same key does it once.

        Returns:
            what became of it, and its operation: done, where the service's response is the outcome. LATE and None
            once the call is over. KeyReused if the key stands for something else; NotConnected while nothing can be
            done yet: a call that waits to be placed can be hung up.
        """
        key = key or uuid.uuid4().hex
        with self._at_work(call_id, DueEffects(self._side_effects)) as due:
            outcome, operation = self._act_here(call_id, action, key, due)
        if operation is not None and operation.action != action and operation.action != without_texts(action):
            raise KeyReused  # the second is what is left of one with secrets on a call that is over
        return outcome, operation

    def _act_here(self, call_id: str, action: Action, key: str, due: DueEffects) -> Acted:
        session = self._calls.look(call_id).session
        if not session.record.call_connection_id or session.record.status == "waiting":
            session = self._calls.look(call_id, newest=True).session  # another instance may have heard more
        known, outcome = session.command(key), Outcome.DUPLICATE
        if known is None:
            if session.record.status == "ended":
                return Outcome.LATE, None
            if is_secret(action):
                session.secrecy.ask(action.kind)
            action.check(session.started.caller)
            if not session.record.call_connection_id and session.opens_first:
                self.afterwards.learn_connection(session.record)
            waits = session.record.status == "waiting"
            if action.kind not in CLOSING if waits else not session.record.call_connection_id:
                raise NotConnected(call_id, waits=waits)
            command = Issued(at=self._clock(), seq=UNNUMBERED, action=action, command=key)
            outcome = self._advance_here(call_id, [(command, None)], due)
        elif session.record.status != "ended":
            self._advance_here(call_id, [], due)  # whoever sent it may have died on the way
        operation = self._calls.look(call_id).session.command(key)
        if operation is None:
            return Outcome.LATE, None
        # Late: an old memory did not know that it was done, and that the call is over since.
        return Outcome.DUPLICATE if outcome is Outcome.LATE else outcome, operation

    def watch(self) -> dict[str, Outcome]:
        """Settle the calls that stopped hearing anything; what was done, by call id."""
        return self._watchdog.watch()

    # How it is done

    def _begin(self, call_id: str, started: Started, *, ring: str = "", ring_id: str = "") -> Session | None:
        """Claim a call and open it; the call that somebody else made of it, if somebody has."""
        due = DueEffects(self._side_effects)
        with self._held.only_here(call_id):
            session = self._calls.session(call_id, started.flow)
            session.record.ring, session.record.ring_id = ring, ring_id
            session.feed(started)
            entries = [started, *session.take()]
            began, mark, head = self._clock(), session.record.mark(), StoredHead.of(session.record)
            try:
                version = self._store.claim(session.record, self._sealing.texts(session, entries))
                session.record.written_at = self._clock()
                held = Held(session, version, head)
                if self._clock() - began > self._grace:
                    held = self._calls.load(call_id, held)  # meanwhile another instance may have sent these actions
            except AlreadyClaimed:
                held = self._calls.load(call_id)
                if not held.session.record.holds(mark):
                    self._held.put(call_id, held)
                    return held.session
            results = self._send(held, entries, due)
            self.afterwards.keep_or_close(call_id, held)
        # The call's first events need not wait for this. What came back at once is kept whatever it does.
        try:
            self.afterwards.write_index(held.session.record)
        finally:
            if results or due:
                with self._at_work(call_id, due):
                    if results:
                        self._advance_here(call_id, results, due)
        return None

    def advance(self, call_id: str, inputs: Inputs, *, rung: int | None = None) -> Outcome:
        """Feed a call, and send again what was lost; no inputs: only the latter.

        Args:
            rung: when a delivery of the call's IncomingCall came in, which is what this is about.
        """
        with self._at_work(call_id, DueEffects(self._side_effects)) as due:
            return self._advance_here(call_id, inputs, due, rung)

    @contextmanager
    def _at_work(self, call_id: str, due: DueEffects) -> Iterator[DueEffects]:
        """Be the one thread that works on a call; then run the side effects that this brought up, whatever else went
        wrong, while others may work on it. What each gives is a commit of its own."""
        with due:
            try:
                with self._held.only_here(call_id):
                    yield due
            except Exception:
                self._run(call_id, due)
                raise
            self._run(call_id, due)

    def _run(self, call_id: str, due: DueEffects) -> None:
        for result in due.results():
            with self._held.only_here(call_id):
                self._advance_here(call_id, [(result, None)], due)

    def _advance_here(self, call_id: str, inputs: Inputs, due: DueEffects, rung: int | None = None) -> Outcome:
        outcome = Outcome.DUPLICATE
        pending = list(inputs)
        held: Held | None = None
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
            # An event is news of the call: what may be overdue is looked at when it stays quiet after it.
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
            if session.record.secrets == DESTROYED:
                held.session = session  # the only one that can still be run: its secrets are in no journal any more
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

    def _lost(self, session: Session, rung: int | None) -> list[journal.Resent | journal.RefusedEntry]:
        running = self._side_effects.running(session.record.call_id)
        return lost_operations(session, self._clock(), self._grace, rung=rung, running=running)

    def _send(
        self, held: Held, entries: list[Entry], due: DueEffects, failed: Sequence[ActionFailed] = ()
    ) -> list[Input]:
        """Send what was committed, but for side effects, which are due then; what came back at once."""
        log_failures(held.session, entries, failed, in_full=self._check_flows)
        due.take(held.session, entries)
        with self.afterwards.kept_alive(held, entries):
            return [(result, None) for result in self._dispatcher.dispatch(held.session, entries)]

    # Looking at calls

    def entries(self, call_id: str) -> list[dict[str, Any]]:
        """The journal of a call, oldest entry first, without what is secret."""
        return [shown(entry) for entry in self._store.load(call_id).journal]

    def participants(self, call_id: str) -> tuple[Participant, ...]:
        """Who takes part in a call, as of the newest ParticipantsUpdated, whichever instance heard it."""
        return self._calls.load(call_id).session.participants

    def open_operations(self, call_id: str) -> list[Operation[Any]]:
        """What a call waits for, whichever instance has asked for it."""
        with self._held.only_here(call_id):
            return self._calls.look(call_id, newest=True).session.open_operations
