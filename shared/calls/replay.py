"""Replay: a flow and a journal in, new entries out. Deterministic: no I/O, no clock, no randomness.

A Session runs the flow's coroutine and feeds it the journal, entry by entry. What the flow asks for on the way
must be what the journal holds; what it asks for after the last entry is new. A warm instance keeps the Session
of a call between callbacks and feeds it one entry more; a cold one makes it again from the journal. Both end
in the same state, because they do the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from shared.calls import actions
from shared.calls.actions import Action
from shared.calls.brakes import TIME_LIMIT, TOO_LONG
from shared.calls.comparing import describe, difference, identity
from shared.calls.flow import Fallback, Flow
from shared.calls.flow_run import FlowRun
from shared.calls.journal import (
    Accepted,
    Entry,
    EventReceived,
    Failed,
    GaveUp,
    Issued,
    LifecycleEvent,
    Logged,
    Marked,
    RefusedEntry,
    Resent,
    Responded,
    Resulted,
    Settled,
    Signalled,
    Started,
    TimerFired,
    decode,
    encode,
    mark_in,
    read_many,
)
from shared.calls.lifecycle import FIRST_COMMAND, UNHEARD
from shared.calls.mistakes import Place, place_of
from shared.calls.operation import Operation
from shared.calls.operation_context import read_context
from shared.calls.prompts import Prompt
from shared.calls.record import CallRecord
from shared.calls.secrecy import is_key, is_secret
from shared.errors import CallEnded, FlowChanged, TimedOut
from shared.events import CallEvent, journaled_callback
from shared.identifiers import Identifier

if TYPE_CHECKING:
    from shared.calls.checks import Watch

T = TypeVar("T")


def replay(
    flow: Flow,
    call_id: str,
    journal: Iterable[Entry],
    *,
    apology: tuple[Prompt, ...] = (),
    transfer_to: Identifier | None = None,
) -> list[Entry]:
    """What the flow asks for after this journal; a pure function."""
    session = Session(flow, call_id, apology=apology, transfer_to=transfer_to)
    session.feed_stored(map(encode, journal))
    return session.take()


class Session(FlowRun):
    """A flow in the middle of its call.

    Args:
        watch: looks for what no replay can repeat, while the flow runs.
        strict: a replay compares whole actions, with their words: for code that has not changed.
        secrets: the app has a key to encrypt what is secret.

    Attributes:
        finished: the call is over and the flow has returned: nothing more will come of it.
    """

    def __init__(
        self,
        flow: Flow,
        call_id: str,
        *,
        apology: tuple[Prompt, ...] = (),
        transfer_to: Identifier | None = None,
        watch: Watch | None = None,
        strict: bool = False,
        secrets: bool = True,
    ) -> None:
        super().__init__(flow, call_id, Fallback(apology, transfer_to or ""), watch, secrets=secrets)
        self._strict = strict
        self._commands: dict[str, int] = {}
        self._seen: set[str] = set()

    # What the conductor does with it

    def feed(self, entry: Entry, event: CallEvent | None = None) -> None:
        """Take the next entry of the journal; `event` saves reading an event again."""
        if isinstance(entry, EventReceived):
            self._hear(entry.at, entry.event, event)
            return
        self._count(entry.at)
        match entry:
            case Issued():
                self._match_issued(entry)
                return
            case Failed():
                self._match_failed(entry)
                return
            case Marked() | Logged() | Resulted():
                self._take_note_of(entry)
                return
            case Accepted():
                self.confirm(entry.seq)
                self._operations[entry.seq].response = entry.value
                self._seen.add(identity(entry))
                return
            case Resent():
                operation = self._operations[entry.seq]
                operation.attempt, operation.resent_at = entry.attempt, entry.at
                return
        self._expect_no_more()
        self.now = max(self.now, entry.at)
        self._seen.add(identity(entry))
        self._refused_in_a_row = self._refused_in_a_row + 1 if isinstance(entry, RefusedEntry) else 0
        match entry:
            case Started():
                self._start(entry)
            case Responded():
                self.confirm(entry.seq)
                self.secrecy.take(entry, self._operations[entry.seq])
                self._operations[entry.seq].response = entry.value
                self._on_answer(self._operations[entry.seq], entry.value)
            case RefusedEntry():
                self.confirm(entry.seq)
                operation = self._operations[entry.seq]
                self._on_refusal(operation, entry)
            case Signalled():
                self.secrecy.take(entry)
                self._waiting.give_signal(entry.name, entry.data)
            case LifecycleEvent():
                self._on_lifecycle(entry.event)
            case TimerFired():
                self.confirm(entry.seq)
                self._succeed(self._operations[entry.seq], None)
            case GaveUp():
                self.confirm(entry.seq)
                operation = self._operations[entry.seq]
                end = CallEnded(408, 0, "the call was never established")
                self._fail_action(operation, TimedOut(operation.action.kind), end, "settled")
            case Settled() if not self.placed_by_flow or self.record.connected_at:
                self.end(CallEnded(404, 8522, entry.reason), outcome="settled")
        self._run()

    def feed_stored(self, journal: Iterable[str]) -> None:
        """Take a stored journal: what `feed` makes of each of its entries, without a model for most of them.

        What the flow notes on the way (`call.log`, `call.result`, `call.version`) stands in the journal already.
        """
        journal = list(journal)
        self.remember_marks(journal)
        self._replaying = True
        try:
            self._feed_texts(journal)
        finally:
            self._replaying = False

    def take_up_ended(self, journal: Iterable[str], record: CallRecord) -> None:
        """Take a stored journal of a call that is over and whose secrets nobody can read any more, without its flow,
        which would do something else without them. What came of the call stands in its record."""
        self.secrecy.unattended = True
        self.feed_stored(journal)
        self.record = record

    def remember_marks(self, journal: Iterable[str]) -> None:
        """Learn which inserted steps a stored journal holds, before it is fed."""
        self._versions |= {entry.name: True for entry in map(mark_in, journal) if entry is not None}

    def _feed_texts(self, journal: Iterable[str]) -> None:
        for text in journal:
            many = read_many(text)
            if many is None:
                self.feed(decode(text))
            elif (action := many[3]) is None:
                self._hear(many[0], many[1], None)
            elif self._changed is None and self._is_expected(many[0], many[2], action):
                self._count(many[0])
            else:
                self.feed(decode(text))

    def take(self) -> list[Entry]:
        """What is new since the journal's end: the actions that the flow asks for, its notes and failures, in order."""
        if self._changed is not None:
            changed, self._changed = self._changed, None
            self.report(changed)
            self._run()
        new: list[Entry] = [
            Issued(at=asked.issued_at, seq=asked.seq, action=asked.action) if isinstance(asked, Operation) else asked
            for asked in self._outbox
        ]
        self._outbox.clear()
        self.record.wake_at = self._next_wake_up()
        self.record.entries += len(new)
        self.record.unconfirmed += [entry.seq for entry in new if isinstance(entry, Issued)]
        return new

    def adopt(self, stored: CallRecord) -> None:
        """Take from the stored head what does not follow from the journal."""
        record = self.record
        record.unconfirmed = list(stored.unconfirmed)
        record.ring, record.ring_id = stored.ring, stored.ring_id
        record.marks, record.secrets = list(stored.marks), stored.secrets
        record.written_at = stored.written_at
        self._other_sendings.clear()
        record.call_connection_id = stored.call_connection_id or record.call_connection_id
        record.server_call_id = stored.server_call_id or record.server_call_id
        record.correlation_id = stored.correlation_id or record.correlation_id
        record.indexed, record.earlier = stored.indexed, stored.earlier

    def knows(self, entry: Entry) -> bool:
        """True for what the journal holds already: the same event, signal, timer or response."""
        if identity(entry) in self._seen:
            return True
        if isinstance(entry, TimerFired | Accepted | Responded | RefusedEntry | GaveUp):
            operation = self._operations.get(entry.seq)
            return operation is None or operation.done
        # Nor does anything go out once the call is over, whoever asks.
        return isinstance(entry, Settled | Issued) and self._end.done

    def command(self, key: str) -> Operation[Any] | None:
        """The operation that came over the HTTP API under this idempotency key."""
        return self._operations[self._commands[key]] if key in self._commands else None

    def next_command(self) -> int:
        """The position for the next action from the HTTP API: far from the flow's, so that neither moves the other."""
        return FIRST_COMMAND + len(self._commands)

    @property
    def changed(self) -> FlowChanged | None:
        """What the flow does otherwise than its stored journal has it; None: nothing. Until the next `take`."""
        return self._changed

    def function(self, seq: int) -> Callable[[], Any]:
        """The side effect of a `run` operation."""
        return self._functions[seq]

    @property
    def finished(self) -> bool:
        return self.record.status == "ended" and self._main is not None and self._main.done

    # Entries that the flow itself made

    def _match_issued(self, entry: Issued) -> None:
        if entry.command is not None:
            self._take_up(entry)
            self._commands[entry.command] = entry.seq
            if entry.command.startswith(TIME_LIMIT):
                self.outcome(TOO_LONG)
            elif entry.command == UNHEARD:
                self.outcome("settled")
            self._seen.add(identity(entry))
            if self.record.status == "waiting":
                self._expect_no_more()
                self.now = max(self.now, entry.at)
                self._command_unplaced(self._operations[entry.seq])
                self._run()
            return
        if self._changed is None and not self.secrecy.unattended:
            if self._is_expected(entry.at, entry.seq, entry.action):
                return
            self._change_at(entry)
        self._take_up(entry)
        self._next = entry.seq + 1

    def _is_expected(self, at: int, seq: int, action: Action) -> bool:
        """True if this is what the flow asks for next, which is then settled."""
        expected = self._outbox[0] if self._outbox else None
        if not isinstance(expected, Operation) or expected.seq != seq or not self._same(expected.action, action):
            return False
        self._outbox.popleft()
        expected.action = action  # as it was sent: words of x since
        expected.issued_at = at
        return True

    def _same(self, asked: Action, issued: Action) -> bool:
        """Whether a flow that asks for one, replayed, can be the flow that asked for the other."""
        if self._strict:
            return asked == issued
        if isinstance(asked, actions.Run):
            return isinstance(issued, actions.Run) and asked.name == issued.name
        return asked.kind == issued.kind

    def _take_up(self, entry: Issued) -> None:
        """Take up an operation that this session's flow did not ask for."""
        adopted: Operation[Any] = Operation(entry.seq, entry.action, self._scheduler)
        adopted.issued_at = entry.at
        self._operations[entry.seq] = adopted
        self._note_who_is_called(adopted)
        self.secrecy.asked |= is_secret(entry.action)
        if isinstance(entry.action, actions.StartContinuousDtmf):
            self._waiting.tones_start()

    def _match_failed(self, entry: Failed) -> None:
        if self.secrecy.unattended:
            return
        if self._changed is None and self._outbox and isinstance(self._outbox[0], Failed):
            self._outbox.popleft()
            return
        if self._changed is None:
            self._change("the journal says that the flow failed here")
        self._changed = None
        self._take_over(entry)
        self._run()

    def _change_at(self, entry: Issued) -> None:
        """The journal holds an action that the flow does not ask for."""
        now = self._outbox[0] if self._outbox else None
        if not isinstance(now, Failed):
            self._change(difference(entry, now))
        elif now.error.startswith(f"{FlowChanged.__name__}: "):  # the flow that stands in for one that is gone
            self._change(now.error.partition(": ")[2], remedy=now.remedy or "")
        else:
            self._change(difference(entry, now), Place(now.where or "", now.line or ""))

    def _change(self, reason: str, place: Place | None = None, remedy: str = "") -> None:
        """Drop the flow: its code no longer does what its journal says."""
        if place is None:
            place = place_of(self._main.coroutine) if self._main is not None else Place()
        self._changed = FlowChanged(reason, remedy, where=place.where, line=place.line)
        self._stop_tasks()
        for asked in self._outbox:
            if isinstance(asked, Operation):
                self._withdraw(asked)
                self._next = min(self._next, asked.seq)
            elif isinstance(asked, Failed):
                self._failures -= 1  # no caller has heard of it
        self._outbox.clear()

    # Entries from outside

    def _count(self, at: int) -> None:
        self.record.entries += 1
        self.record.updated_at = at

    def _expect_no_more(self) -> None:
        """Something else comes, so that what the flow still asks for is not in its journal."""
        if self._outbox and self._changed is None:
            self._change(f"the flow now asks for {describe(self._outbox[0])}, where this call asked for nothing")

    def _hear(self, at: int, raw: Mapping[str, Any], event: CallEvent | None) -> None:
        self._count(at)
        self._expect_no_more()
        self.now = max(self.now, at)
        self._refused_in_a_row = 0
        self._seen.add(f"event {raw.get('id')}")
        if not self.secrecy.unattended or not is_key(raw):
            self._on_event(event or journaled_callback(raw))
        self._run()

    def foresees(self, event: CallEvent) -> bool | None:
        """Whether an event continues what this session knows: False where something came between that it does not
        know, True where nothing seems to have, None where the event does not tell."""
        if event.operation_context is None:
            return None
        call_id, position, _ = read_context(event.operation_context)
        if call_id != self.record.call_id or position < 0:
            return None
        operation = self._operations.get(position)
        if operation is None:
            return False
        first = operation.action.spec.events.get(event.name) == "progress"
        return True if position == self._next - 1 and operation.started != first else None
