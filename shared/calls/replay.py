"""Replay: a flow and a journal in, new entries out. No I/O, no clock, no chance.

A Session runs the flow's coroutine and feeds it the journal, entry by entry. What the flow asks for on the way
must be what the journal holds; what it asks for after the last entry is new. A warm instance keeps the Session
of a call between callbacks and feeds it one entry more; a cold one makes it again from the journal. Both end
in the same state, because they do the same.
"""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, TypeVar

from shared.calls import actions
from shared.calls.actions import Action
from shared.calls.driver import OPENING, apologise, drive
from shared.calls.flow import Flow
from shared.calls.journal import (
    Accepted,
    Answered,
    Entry,
    EventReceived,
    Failed,
    GaveUp,
    Issued,
    RefusedEntry,
    Resent,
    Settled,
    Signalled,
    Started,
    TimerFired,
    decode,
    read_many,
)
from shared.calls.operation import Operation, Pending, Scheduler, Task
from shared.calls.prompts import Prompt
from shared.calls.reading import attempt_of, end_of, failure, identity, read_context, refusal, what
from shared.calls.record import CallRecord
from shared.calls.results import Recognized
from shared.calls.rules import rule_of
from shared.calls.waiting import Waiting
from shared.errors import (
    ActionCanceled,
    ActionFailed,
    ActionRefused,
    CallEnded,
    FlowChanged,
    TimedOut,
)
from shared.events import (
    DIGIT_BY_TONE,
    ROLES,
    CallDisconnected,
    CallEvent,
    CancelAddParticipantSucceeded,
    ContinuousDtmfRecognitionToneFailed,
    ContinuousDtmfRecognitionToneReceived,
    MoveParticipantSucceeded,
    Participant,
    ParticipantsUpdated,
    RecognizeCompleted,
    RecordingStateChanged,
    StartRecordingFailed,
    explain,
    journaled_callback,
)
from shared.identifiers import Identifier

T = TypeVar("T")


CLOSING = ("hang_up", "terminate")
MEDIA = ("play", "recognize")
"""What the service may do a second time when it is sent again."""
TRANSFERRED = 7015
"""Sub-code of the end of a call that was transferred (recorded; the event of the transfer may come after it)."""
MAX_TRACE = 4000
TELLING = frozenset(
    {
        ParticipantsUpdated,
        ContinuousDtmfRecognitionToneReceived,
        ContinuousDtmfRecognitionToneFailed,
        RecordingStateChanged,
        StartRecordingFailed,
        CancelAddParticipantSucceeded,
    }
)
FIRST_COMMAND = 1_000_000
"""The position of the first action from the HTTP API."""


def operation_context(call_id: str, operation: Operation[Any]) -> str:
    """What the service echoes in an operation's events: which call, which operation, which attempt.

    A repeatable operation stays at attempt 0: the service responds to every sending of it as to the first one.
    """
    return f"{call_id}:{operation.seq}:{operation.attempt}"


def replay(flow: Flow, call_id: str, journal: Iterable[Entry], *, apology: tuple[Prompt, ...] = ()) -> list[Entry]:
    """What the flow asks for after this journal; a pure function."""
    session = Session(flow, call_id, apology=apology)
    for entry in journal:
        session.feed(entry)
    return session.take()


class Session:
    """A flow in the middle of its call.

    Attributes:
        record: what is known of the call, for its head row.
        now: time of the newest input, Unix time in milliseconds.
        transferred: the service takes the app out of the call.
        disconnected: the service has reported the end of the call; without that, its end is only inferred.
        finished: the call is over and the flow has returned: nothing more will come of it.
    """

    def __init__(self, flow: Flow, call_id: str, *, apology: tuple[Prompt, ...] = ()) -> None:
        self.record = CallRecord(call_id=call_id)
        self.started: Started
        self.now = 0
        self.participants: tuple[Participant, ...] = ()
        self._flow = flow
        self._apology = apology
        self._scheduler = Scheduler()
        self._main: Task[None] | None = None
        self._tasks: list[Task[Any]] = []
        self._operations: dict[int, Operation[Any]] = {}
        self._next = 0
        self._commands: dict[str, int] = {}
        self._arrived: dict[int, set[str]] = {}
        self._functions: dict[int, Callable[[], Any]] = {}
        self._outbox: deque[Operation[Any] | Failed] = deque()
        self._seen: set[str] = set()
        self._sleeps: list[Operation[Any]] = []
        self._waiting = Waiting(self._scheduler)
        self._end = self._waiting.end
        self._roster = 0
        self.transferred = False
        self._failures = 0
        self._failed: list[ActionFailed] = []
        self._silenced = False
        self._changed: FlowChanged | None = None
        self.disconnected = False
        self._leftovers: list[Operation[Any]] = []

    # What the conductor does with it

    def feed(self, entry: Entry, event: CallEvent | None = None) -> None:
        """Take the next entry of the journal; `event` saves reading an event again."""
        if isinstance(entry, EventReceived):
            self._hear(entry.at, entry.event, event)
            return
        self._count(entry.at)
        match entry:
            case Issued():
                self._recognise_issued(entry)
                return
            case Failed():
                self._recognise_failed()
                return
            case Accepted():
                self.confirm(entry.seq)
                self._operations[entry.seq].answer = entry.value
                self._seen.add(identity(entry))
                return
            case Resent():
                operation = self._operations[entry.seq]
                operation.attempt, operation.resent_at = entry.attempt, entry.at
                return
        self._expect_no_more()
        self.now = entry.at
        self._seen.add(identity(entry))
        match entry:
            case Started():
                self._start(entry)
            case Answered():
                self.confirm(entry.seq)
                self._operations[entry.seq].answer = entry.value
                self._on_answer(self._operations[entry.seq], entry.value)
            case RefusedEntry():
                self.confirm(entry.seq)
                operation = self._operations[entry.seq]
                if operation.action.kind in CLOSING and entry.status == 404:
                    self.end(CallEnded(404, 8522, "the service no longer knew the call"))
                self._fail(operation, refusal(operation.action, entry))
                self._if_opening(operation, CallEnded(entry.status, 0, entry.message), "refused")
                self._on_refusal(operation, entry)
            case Signalled():
                self._waiting.give_signal(entry.name, entry.data)
            case TimerFired():
                self.confirm(entry.seq)
                self._succeed(self._operations[entry.seq], None)
            case GaveUp():
                self.confirm(entry.seq)
                operation = self._operations[entry.seq]
                self._fail(operation, TimedOut(operation.action.kind))
                self._if_opening(operation, CallEnded(408, 0, "the call was never established"), "settled")
            case Settled():
                self.end(CallEnded(404, 8522, entry.reason), outcome="settled")
        self._scheduler.run()

    def feed_stored(self, journal: Iterable[str]) -> None:
        """Take a stored journal: what `feed` makes of each of its entries, without a model for most of them."""
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
        """What is new since the journal's end: the flow's wishes and failures, in order."""
        if self._changed is not None:
            changed, self._changed = self._changed, None
            self.report(changed)
            self._scheduler.run()
        new: list[Entry] = [
            Issued(at=wish.issued_at, seq=wish.seq, action=wish.action) if isinstance(wish, Operation) else wish
            for wish in self._outbox
        ]
        self._outbox.clear()
        self.record.wake_at = self._next_wake_up()
        self.record.entries += len(new)
        self.record.unconfirmed += [entry.seq for entry in new if isinstance(entry, Issued)]
        return new

    def _next_wake_up(self) -> int:
        self._sleeps = [sleep for sleep in self._sleeps if not sleep.done]
        dues = (s.issued_at + int(s.action.seconds * 1000) for s in self._sleeps if isinstance(s.action, actions.Sleep))
        return min(dues, default=0)

    def take_failed(self) -> list[ActionFailed]:
        """The actions that failed since the last time this was asked, for the log."""
        failed, self._failed = self._failed, []
        return failed

    def adopt(self, stored: CallRecord) -> None:
        """Take from the stored head what does not follow from the journal."""
        record = self.record
        record.unconfirmed = list(stored.unconfirmed)
        record.ring, record.ring_id = stored.ring, stored.ring_id
        record.marks = list(stored.marks)
        record.written_at = stored.written_at
        self._leftovers.clear()
        record.call_connection_id = stored.call_connection_id or record.call_connection_id
        record.server_call_id = stored.server_call_id or record.server_call_id
        record.correlation_id = stored.correlation_id or record.correlation_id
        record.indexed = stored.indexed

    def knows(self, entry: Entry) -> bool:
        """True for what the journal holds already: the same event, signal, timer or answer."""
        if identity(entry) in self._seen:
            return True
        if isinstance(entry, TimerFired | Accepted | Answered | RefusedEntry | GaveUp):
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

    def resolved(self, action: Action) -> Action:
        """The action with the ids that earlier answers gave; ActionRefused if they are not known."""
        if isinstance(action, actions.CancelAddParticipant) and action.invitation_id is None:
            adding = self._operations.get(-1 if action.adding is None else action.adding)
            invitation = (adding.answer or {}).get("invitationId") if adding else None
            if not invitation:
                raise ActionRefused(action.kind, 0, "no_invitation", "the invitation has no id yet, or is none")
            return action.model_copy(update={"invitation_id": invitation})
        if isinstance(action, actions.OnRecording) and action.recording_id is None:
            started = [o for o in self._operations.values() if o.action.kind == "start_recording" and o.answer]
            if not started:
                raise ActionRefused(action.kind, 0, "no_recording", "no recording was started on this call")
            return action.model_copy(update={"recording_id": started[-1].answer.get("recordingId")})
        return action

    def confirm(self, seq: int) -> None:
        """Something shows that this operation left the app."""
        if seq in self.record.unconfirmed:
            self.record.unconfirmed.remove(seq)

    def operation(self, seq: int) -> Operation[Any]:
        """The operation with this position."""
        return self._operations[seq]

    def function(self, seq: int) -> Callable[[], Any]:
        """The side effect of a `run` operation."""
        return self._functions[seq]

    @property
    def open_operations(self) -> list[Operation[Any]]:
        """Issued and without an outcome."""
        return [operation for operation in self._operations.values() if not operation.done]

    @property
    def finished(self) -> bool:
        return self.record.status == "ended" and self._main is not None and self._main.done

    # What a call asks of it (shared.calls.call.Host)

    def issue(self, action: Action, function: Callable[[], Any] | None = None) -> Operation[Any]:
        """Ask for an action: it goes into the journal, and then out. InvalidInput if the service would refuse it."""
        rule_of(type(action))(action, self.started.caller)
        operation: Operation[Any] = Operation(self._next, action, self._scheduler)
        over = self._silenced or not self._scheduler.live or (self._end.done and action.kind != "run")
        if over:
            operation.fail(self._end.result() if self._end.done else CallEnded())
            return operation
        operation.issued_at = self.now
        self._operations[operation.seq] = operation
        if action.kind == "start_continuous_dtmf":
            self._waiting.tones_start()
        if isinstance(action, actions.Sleep):
            self._sleeps.append(operation)
        self._next += 1
        if function is not None:
            self._functions[operation.seq] = function
        self._dial(action)
        self._outbox.append(operation)
        return operation

    def spawn(self, label: str, coroutine: Coroutine[Any, Any, T]) -> Task[T]:
        """Run a coroutine beside the flow."""
        task = self._scheduler.start(label, coroutine)
        self._tasks.append(task)
        return task

    def wait_signal(self, name: str) -> Pending[Any]:
        """The next signal of this name."""
        return self._waiting.signal(name)

    def wait_tone(self) -> Pending[str]:
        """The next key of continuous DTMF, in the order of the keys."""
        return self._waiting.tone()

    def wait_arrival(self, who: Identifier) -> Pending[None]:
        """The moment when this participant is in the call; of a phone number, one more connection than now."""
        return self._waiting.arrival(who)

    def wait_departure(self, who: Identifier) -> Pending[None]:
        """The moment when this participant is not in the call."""
        return self._waiting.departure(who)

    def wait_end(self) -> Pending[CallEnded]:
        """The end of the call."""
        return self._end

    # The flow's life

    def _start(self, entry: Started) -> None:
        self.started = entry
        record = self.record
        record.flow, record.direction = entry.flow, entry.direction
        record.caller = entry.caller.raw_id if entry.caller else ""
        record.callee = entry.callee.raw_id if entry.callee else ""
        record.correlation_id, record.server_call_id = entry.correlation_id, entry.server_call_id
        record.started_at = entry.at
        record.status = "ringing" if entry.direction == "inbound" else "connecting"
        self._main = self.spawn("flow", drive(self, self._flow, entry.opening))

    def report(self, error: Exception) -> None:
        """Journal that the flow failed, and take over."""
        trace = "".join(traceback.format_exception(error))[-MAX_TRACE:]
        self._outbox.append(Failed(at=self.now, error=f"{type(error).__name__}: {error}", trace=trace))
        self._take_over()

    def _stop_tasks(self) -> None:
        """Stop what the flow left running; what its `finally` blocks ask for is not issued."""
        self._silenced = True
        for task in self._tasks:
            task.abandon()
        self._tasks.clear()
        self._silenced = False

    def _take_over(self) -> None:
        self._stop_tasks()
        self._failures += 1
        self.record.outcome = "failed"
        self._main = self.spawn("fallback", apologise(self, self._apology if self._failures == 1 else ()))

    def _dial(self, action: Action) -> None:
        """Who is on a call that its flow places by itself is known from here on."""
        if isinstance(action, actions.CreateCall):
            self.record.caller = action.caller_id.raw_id if action.caller_id else ""
            self.record.callee = action.targets[0].raw_id

    def outcome(self, word: str) -> None:
        """How the call ended, in one word; the first one counts."""
        if not self.record.outcome:
            self.record.outcome = word

    # Entries that the flow itself made

    def _recognise_issued(self, entry: Issued) -> None:
        if entry.command is not None:
            self._adopt(entry)
            self._commands[entry.command] = entry.seq
            self._seen.add(identity(entry))
            return
        if self._changed is None:
            if self._is_expected(entry.at, entry.seq, entry.action):
                return
            wish = what(self._outbox[0]) if self._outbox else "nothing"
            self._change(f"the journal holds {what(entry)} where the flow asks for {wish}")
        self._adopt(entry)
        self._next = entry.seq + 1

    def _is_expected(self, at: int, seq: int, action: Action) -> bool:
        """True if this is what the flow asks for next, which is then settled."""
        expected = self._outbox[0] if self._outbox else None
        if not isinstance(expected, Operation) or expected.seq != seq or expected.action != action:
            return False
        self._outbox.popleft()
        expected.issued_at = at
        return True

    def _adopt(self, entry: Issued) -> None:
        """Take up an operation that this session's flow did not ask for."""
        adopted: Operation[Any] = Operation(entry.seq, entry.action, self._scheduler)
        adopted.issued_at = entry.at
        self._operations[entry.seq] = adopted
        self._dial(entry.action)
        if isinstance(entry.action, actions.StartContinuousDtmf):
            self._waiting.tones_start()

    def _recognise_failed(self) -> None:
        if self._changed is None and self._outbox and isinstance(self._outbox[0], Failed):
            self._outbox.popleft()
            return
        if self._changed is None:
            self._change("the journal says that the flow failed here")
        self._changed = None
        self._take_over()
        self._scheduler.run()

    def _change(self, reason: str) -> None:
        """Drop the flow: its code no longer does what its journal says."""
        self._changed = FlowChanged(reason)
        self._stop_tasks()
        for wish in self._outbox:
            if isinstance(wish, Operation):
                del self._operations[wish.seq]
                self._next = min(self._next, wish.seq)
        self._outbox.clear()

    # Entries from outside

    def _count(self, at: int) -> None:
        self.record.entries += 1
        self.record.updated_at = at

    def _expect_no_more(self) -> None:
        """Something else comes, so that what the flow still asks for is not in its journal."""
        if self._outbox and self._changed is None:
            self._change(f"the flow asks for {what(self._outbox[0])}, which its journal does not hold")

    def _hear(self, at: int, raw: Mapping[str, Any], event: CallEvent | None) -> None:
        self._count(at)
        self._expect_no_more()
        self.now = at
        self._seen.add(f"event {raw.get('id')}")
        self._on_event(event or journaled_callback(raw))
        self._scheduler.run()

    def _on_event(self, event: CallEvent) -> None:
        record = self.record
        kind = type(event)
        if kind is not RecordingStateChanged and kind is not StartRecordingFailed:
            # A recording that was located by server call id speaks under the recorder's own connection.
            if self._of_another_connection(event):
                return
            if event.name == "CallConnected" or not record.call_connection_id:
                record.call_connection_id = event.call_connection_id
        record.server_call_id = record.server_call_id or event.server_call_id
        record.correlation_id = record.correlation_id or event.correlation_id
        if kind is CallDisconnected:
            self.disconnected = True
            end = end_of(event)
            self._amend_end(end)
            # The event that says why a call never connected may come after this one, or not at all.
            failed = not record.connected_at and end.code >= 300
            self.transferred = self.transferred or (end.sub_code == TRANSFERRED and self._transferring)
            self.end(end, explain(end.code, end.sub_code).outcome if failed else "")
            return
        name = event.name
        if name == "CallConnected" and not self._end.done:
            record.status, record.connected_at, record.ring = "connected", self.now, ""
        if kind in TELLING:
            self._take_note(event)
        role = ROLES.get(name)
        operation = self._operation_of(event)
        if role is None or operation is None or operation.action.kind not in role.action_kinds:
            return
        operation.started = True
        self.confirm(operation.seq)
        if operation.attempt and not operation.done:
            if role.role == "succeeded":
                self._leave_over(operation)
            elif attempt_of(event) not in (None, operation.attempt):
                return  # the sending after it decides
        if type(event) is MoveParticipantSucceeded:
            self._moved(operation, event)
        elif role.role == "succeeded":
            if name == "CallTransferAccepted" and isinstance(operation.action, actions.Transfer):
                self.transferred = self.transferred or operation.action.transferee is None
            self._succeed(operation, Recognized.of(event) if type(event) is RecognizeCompleted else event)
        elif role.role == "failed":
            error = failure(operation.action.kind, event, operation.action)
            self._failed.append(error)
            self._fail(operation, error)
            self._if_opening(operation, end_of(event), error.outcome)
        elif role.role == "canceled":
            self._fail(operation, ActionCanceled(operation.action.kind))

    def _take_note(self, event: CallEvent) -> None:
        """How things stand, which some events tell beside an operation's outcome, or instead of one."""
        record = self.record
        if isinstance(event, ParticipantsUpdated):
            identifiers = [one.identifier for one in event.participants]
            if event.sequence_number < self._roster:
                self._waiting.give_earlier_roster(identifiers)
            else:
                self._roster, self.participants = event.sequence_number, event.participants
                self._waiting.give_roster(identifiers, event.hidden)
        if isinstance(event, ContinuousDtmfRecognitionToneReceived):
            self._waiting.give_tone(event.sequence_id, DIGIT_BY_TONE.get(event.tone, event.tone))
        if isinstance(event, ContinuousDtmfRecognitionToneFailed):
            self._waiting.give_no_tones(failure("start_continuous_dtmf", event))
        if isinstance(event, RecordingStateChanged):
            record.recording = event.state
            record.recorded_as(event.recording_id)
        if isinstance(event, StartRecordingFailed):
            record.recording = "refused"
        if isinstance(event, CancelAddParticipantSucceeded):
            self._cancel_invitation(event.invitation_id)

    def _operation_of(self, event: CallEvent) -> Operation[Any] | None:
        """The operation that an event speaks of; None if it is stale, foreign or about no operation."""
        if event.operation_context is not None:
            call_id, position, attempt = read_context(event.operation_context)
            operation = self._operations.get(position)
            # An action that was sent again may be answered by what its first sending asked.
            known = operation is not None and 0 <= attempt <= operation.attempt
            return operation if known and call_id == self.record.call_id else None
        if event.name in ("CallConnected", "AnswerFailed", "CreateCallFailed", "ConnectFailed"):
            return next((o for o in self._operations.values() if o.action.kind in OPENING and not o.done), None)
        return None

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
        role = ROLES.get(event.name)
        first = role is not None and role.role == "progress"
        return True if position == self._next - 1 and operation.started != first else None

    def latecomer(self, event: CallEvent) -> Operation[Any] | None:
        """The operation whose connection comes up, by this event, for a call that is over and never had it."""
        if event.name != "CallConnected" or not self._end.done or event.operation_context is None:
            return None
        known = self.disconnected or self.record.connected_at > 0
        if known and event.call_connection_id == self.record.call_connection_id:
            return None  # its event came twice, or late
        operation = self._operation_of(event)
        return operation if operation is not None and operation.action.kind in OPENING else None

    @property
    def _transferring(self) -> bool:
        actions_asked = (operation.action for operation in self._operations.values())
        return any(isinstance(action, actions.Transfer) and action.transferee is None for action in actions_asked)

    def take_leftovers(self) -> list[Operation[Any]]:
        """The operations that were sent twice and of which one sending has just come to its end: the other one may
        still play or listen."""
        leftovers, self._leftovers = self._leftovers, []
        return leftovers

    def _leave_over(self, operation: Operation[Any]) -> None:
        if operation.action.kind not in MEDIA:
            return
        if not any(o.action.kind in MEDIA and not o.done for o in self._operations.values() if o is not operation):
            self._leftovers.append(operation)  # nothing else plays or listens that a cancel would take with it

    def _of_another_connection(self, event: CallEvent) -> bool:
        """Whether an event came to this call's URL that speaks of another call.

        The connection is known from the response to the opening action, or from the event that names this action.
        """
        ours = self.record.call_connection_id
        if not ours or not event.call_connection_id or event.call_connection_id == ours:
            return False
        opening = self._operation_of(event) if event.operation_context is not None else None
        return opening is None or opening.done or opening.action.kind not in OPENING

    def _amend_end(self, end: CallEnded) -> None:
        """What the service says of the end of a call that was taken for over before."""
        if not self._end.done:
            return
        self.record.code, self.record.sub_code = end.code, end.sub_code
        if self.record.outcome == "settled":
            self.record.outcome = "caller_left"

    def _on_answer(self, operation: Operation[Any], value: Any) -> None:
        self._succeed(operation, value)
        if operation.action.kind == "start_recording":
            self.record.recorded_as((value or {}).get("recordingId"))
        if operation.action.kind in ("reject", "redirect"):
            word = "rejected" if operation.action.kind == "reject" else "redirected"
            self.end(CallEnded(200, 0, f"the call was {word}"), outcome=word)

    def _on_refusal(self, operation: Operation[Any], entry: RefusedEntry) -> None:
        if operation.action.kind == "start_recording":
            self.record.recording = "refused"

    def _moved(self, operation: Operation[Any], event: MoveParticipantSucceeded) -> None:
        """One of those to be moved is here: each is reported by an event of its own, the last one ends the move."""
        arrived = self._arrived.setdefault(operation.seq, set())
        arrived.add(event.participant.raw_id if event.participant else event.id)
        if isinstance(operation.action, actions.MoveParticipants) and len(arrived) >= len(operation.action.targets):
            self._succeed(operation, event)

    def _cancel_invitation(self, invitation_id: str) -> None:
        for operation in self._operations.values():
            invited = operation.answer if operation.action.kind == "add_participant" else None
            if invited and invited.get("invitationId") == invitation_id:
                self._fail(operation, ActionCanceled("add_participant"))

    def end(self, end: CallEnded, outcome: str = "") -> None:
        """The call is over: closing operations are done, everything else that waits learns it."""
        if self._end.done:
            return
        record = self.record
        record.status, record.ended_at, record.ring = "ended", self.now, ""
        record.code, record.sub_code = end.code, end.sub_code
        if outcome:
            self.outcome(outcome)
        elif self.transferred:
            self.outcome("transferred")
        elif any(o.action.kind in CLOSING and o.seq >= FIRST_COMMAND and not o.done for o in self._operations.values()):
            self.outcome("hung_up")
        self._waiting.give_end(end)
        for operation in list(self._operations.values()):
            if operation.done or operation.action.kind == "run":
                continue
            self.confirm(operation.seq)
            if operation.action.kind in CLOSING:
                self._succeed(operation, None)
            else:
                self._fail(operation, end)

    def _if_opening(self, operation: Operation[Any], end: CallEnded, outcome: str) -> None:
        """A call that could not be opened is over."""
        if operation.action.kind in OPENING and self.record.status != "connected":
            self.end(end, outcome)

    def _succeed(self, pending: Pending[T], value: T) -> None:
        pending.succeed(value)
        self._scheduler.settle(pending)

    def _fail(self, pending: Pending[Any], error: BaseException) -> None:
        pending.fail(error)
        self._scheduler.settle(pending)
