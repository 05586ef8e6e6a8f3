"""The conductor: what comes in for a call, from callbacks, Event Grid, the HTTP API and timers, and what the call is.

`shared.calls.turns` takes the call on from there, `shared.calls.claims` begins it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from shared.calls import actions, journal
from shared.calls.actions import Action
from shared.calls.afterwards import Afterwards, Told
from shared.calls.background import Background
from shared.calls.brakes import Brakes
from shared.calls.claims import Claims
from shared.calls.dispatcher import Dispatcher
from shared.calls.finding import calls_of_conversation
from shared.calls.flow import Flow
from shared.calls.gateway.base import Gateway
from shared.calls.journal import Issued
from shared.calls.json_values import json_value
from shared.calls.loading import Calls
from shared.calls.operation import Operation
from shared.calls.outcome import Outcome
from shared.calls.prompts import Prompt
from shared.calls.replay import Session
from shared.calls.sealing import Sealing, shown
from shared.calls.secrecy import is_secret, without_texts
from shared.calls.side_effects import DueEffects
from shared.calls.slots.ledger import SlotLedger
from shared.calls.store.base import CallStore, DoNotRecord
from shared.calls.timers import Timers
from shared.calls.turns import UNNUMBERED, Input, Turns
from shared.errors import KeyReused, NotConnected, UnknownCall
from shared.events import CallEvent, Participant
from shared.identifiers import Identifier
from shared.secret_keys import SecretKeys

T = TypeVar("T")

Acted = tuple[Outcome, Operation[Any] | None]
"""What became of an action from outside, and its operation; None: the call is over."""


class Conductor(Turns):
    """Drives every call of this instance. Safe to share between threads; holds no state that matters.

    Args:
        callback_url, stream_url, do_not_record, brakes, slots: as for the Dispatcher.
        clock: Unix time in milliseconds.
        grace: seconds that an issued action may stay unconfirmed before it is sent again.
        ring_time: seconds from which an incoming call is stale.
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
        apology: tuple[Prompt, ...] = (),
        transfer_to: Identifier | None = None,
        language: str = "",
        later: Background | None = None,
        check_flows: bool = False,
        do_not_record: DoNotRecord | None = None,
        brakes: Brakes | None = None,
        slots: SlotLedger | None = None,
        secrets: SecretKeys | None = None,
    ) -> None:
        self._timers, self.flows = timers, flows
        sealing = Sealing(secrets)
        cached = 0 if check_flows else cached_calls
        calls = Calls(store, flows, apology, transfer_to, cached, sealing, watched=check_flows)
        afterwards = Afterwards(store, calls, later or Background(), clock, grace)
        dispatcher = Dispatcher(gateway, timers, callback_url, stream_url, clock, do_not_record, brakes, slots)
        super().__init__(store, calls, dispatcher, afterwards, sealing, clock, grace, log_errors_in_full=check_flows)
        if slots is not None:
            afterwards.turned.append(lambda session: slots.turned(session, afterwards.later))
            # Not `look_at`: whoever closes a call may be the thread that works on it.
            afterwards.closing.append(
                Told(lambda record: slots.closing(record, lambda: calls.load(record.call_id).session))
            )
        claims = Claims(self, store, flows, language, ring_time)
        self.ring, self.place = claims.ring, claims.place

    @property
    def later(self) -> Background:
        """What runs the work that may wait."""
        return self.afterwards.later

    # What comes in

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

    def deliver_lifecycle_event(
        self, server_call_id: str, event_id: str, event: Mapping[str, Any], *, correlation_id: str = ""
    ) -> Outcome:
        """Journal an Event Grid event about a conversation in each call that is part of it. UnknownCall if none is."""
        entry, outcomes = journal.LifecycleEvent(at=self._clock(), id=event_id, event=event), []
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
        with self.at_work(call_id, DueEffects(self._side_effects)) as due:
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
            if not action.spec.closes if waits else not session.record.call_connection_id:
                raise NotConnected(call_id, waits=waits)
            command = Issued(at=self._clock(), seq=UNNUMBERED, action=action, command=key)
            outcome = self.advance_here(call_id, [(command, None)], due)
        elif session.record.status != "ended":
            self.advance_here(call_id, [], due)  # whoever sent it may have died on the way
        operation = self._calls.look(call_id).session.command(key)
        if operation is None:
            return Outcome.LATE, None
        # Late: an old memory did not know that it was done, and that the call is over since.
        return Outcome.DUPLICATE if outcome is Outcome.LATE else outcome, operation

    # Looking at calls

    def entries(self, call_id: str) -> list[dict[str, Any]]:
        """The journal of a call, oldest entry first, without what is secret."""
        return [shown(entry) for entry in self._store.load(call_id).journal]

    def participants(self, call_id: str) -> tuple[Participant, ...]:
        """Who takes part in a call, as of the newest ParticipantsUpdated, whichever instance heard it."""
        return self._calls.load(call_id).session.participants

    def open_operations(self, call_id: str) -> list[Operation[Any]]:
        """What a call waits for, whichever instance has asked for it."""
        return self.look_at(call_id, lambda session: session.open_operations)

    def look_at(self, call_id: str, look: Callable[[Session], T]) -> T:
        """What a function makes of a call as the store has it. UnknownCall."""
        with self._cache.locked(call_id):
            return look(self._calls.look(call_id, newest=True).session)
