"""What events, responses and refusals make of a call: its record, its operations, who waits for what.

Deterministic and without I/O, like all of replay; the flow itself is the business of `shared.calls.flow_run`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.calls import actions
from shared.calls.actions import Action, Opening
from shared.calls.failures import end_of, failure, refusal
from shared.calls.journal import RefusedEntry
from shared.calls.lifecycle import FIRST_COMMAND, Lifecycle
from shared.calls.mistakes import place_at
from shared.calls.operation import Operation
from shared.calls.operation_context import attempt_of, read_context
from shared.calls.results import Recognized
from shared.calls.slots.presence import Presence
from shared.errors import ActionCanceled, ActionFailed, ActionRefused, CallEnded, ForgottenAwait
from shared.events import (
    DIGIT_BY_TONE,
    CallDisconnected,
    CallEvent,
    CancelAddParticipantSucceeded,
    ContinuousDtmfRecognitionToneFailed,
    ContinuousDtmfRecognitionToneReceived,
    MoveParticipantSucceeded,
    ParticipantsUpdated,
    RecognizeCompleted,
    RecordingStateChanged,
    StartRecordingFailed,
    explain,
)

TRANSFERRED = 7015
"""Sub-code of the end of a call that was transferred (recorded; the event of the transfer may come after it)."""
STATE_EVENTS = frozenset(
    {
        ParticipantsUpdated,
        ContinuousDtmfRecognitionToneReceived,
        ContinuousDtmfRecognitionToneFailed,
        RecordingStateChanged,
        StartRecordingFailed,
        CancelAddParticipantSucceeded,
    }
)


class CallState(Lifecycle):
    """A call as far as its journal tells it.

    Attributes:
        presence: what it tells of the telephones that the app has called.
    """

    def __init__(self, call_id: str) -> None:
        super().__init__(call_id)
        self.presence = Presence()
        self._arrived: dict[int, set[str]] = {}
        self._failed: list[ActionFailed] = []
        self._other_sendings: list[Operation[Any]] = []

    # What is known of it

    @property
    def own_media(self) -> list[Operation[Any]]:
        """What the flow plays and asks now, without what came over the HTTP API."""
        return [o for o in self._operations.values() if o.action.spec.queued and not o.done and o.seq < FIRST_COMMAND]

    @property
    def people(self) -> set[str]:
        """Raw ids of everybody who is known to be on the call, and of everybody whom the app has called into it."""
        found = {raw_id for raw_id in (self.record.caller, self.record.callee) if raw_id}
        found |= {participant.identifier.raw_id for participant in self.participants}
        for operation in self._operations.values():
            if operation.error is None and operation.action.spec.targets != "sent to":
                found |= {target.raw_id for target in operation.action.concerned}
        return found

    def resolved(self, action: Action) -> Action:
        """The action with the ids that earlier responses gave; ActionRefused if they are not known."""
        if isinstance(action, actions.CancelAddParticipant) and action.invitation_id is None:
            adding = self._operations.get(-1 if action.adding is None else action.adding)
            invitation = (adding.response or {}).get("invitationId") if adding else None
            if not invitation:
                raise ActionRefused(action.kind, 0, "no_invitation", "the invitation has no id yet, or does not exist")
            return action.model_copy(update={"invitation_id": invitation})
        if isinstance(action, actions.OnRecording) and action.recording_id is None:
            started = [o for o in self._operations.values() if o.action.kind == "start_recording" and o.response]
            if not started:
                raise ActionRefused(action.kind, 0, "no_recording", "no recording was started on this call")
            return action.model_copy(update={"recording_id": started[-1].response.get("recordingId")})
        return action

    def take_failed(self) -> list[ActionFailed]:
        """The actions that failed since the last time this was asked, for the log."""
        failed, self._failed = self._failed, []
        return failed

    def take_other_sendings(self) -> list[Operation[Any]]:
        """The operations that were sent twice and of which one sending has just come to its end: the other one may
        still play or listen."""
        other_sendings, self._other_sendings = self._other_sendings, []
        return other_sendings

    def late_connection(self, event: CallEvent) -> Operation[Any] | None:
        """The opening whose connection comes up with this event, though the call, or this attempt to place it, is
        over; None for other events."""
        operation = self._operation_of(event) if event.name == "CallConnected" else None
        if operation is None or not isinstance(operation.action, Opening):
            return None
        if not self._end.done:
            return operation if self._attempts.is_late(event, operation.seq) else None
        known = self.disconnected or self.record.connected_at
        if known and event.call_connection_id == self.record.call_connection_id:
            return None  # its event came twice, or late
        return operation

    # Events

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
        name = event.name
        if kind is CallDisconnected:
            self._on_disconnected(event)
        elif name == "CallConnected" and not self._end.done:
            record.status, record.connected_at, record.ring = "connected", self.now, ""
            self._attempts.connected = True
        if kind in STATE_EVENTS:
            self._take_state(event)
        operation = self._operation_of(event)
        role = operation.action.spec.events.get(name) if operation else None
        self.capture.hear(event, self._operations.values())
        if self.secrecy.asked:
            self.secrecy.hear(event, operation)
        if operation is None or role is None:
            return
        operation.started = True
        if role != "progress" or operation.action.spec.completes_on == "event":
            self.confirm(operation.seq)  # otherwise it is known to be carried out, and still waits for its response
        if operation.attempt and not operation.done:
            if role == "succeeded":
                self._note_other_sending(operation)
            elif attempt_of(event) not in (None, operation.attempt):
                return  # the sending after it decides
        if type(event) is MoveParticipantSucceeded:
            self._moved(operation, event)
        elif role == "succeeded":
            self.presence.accept(operation, self.now)
            if isinstance(operation.action, actions.Transfer) and operation.action.transferee is None:
                self.transferred = True
            self._succeed(operation, Recognized.of(event) if type(event) is RecognizeCompleted else event)
        elif role == "failed":
            self._report_failed(operation, event)
        elif role == "canceled":
            self._fail(operation, ActionCanceled(operation.action.kind))

    def _on_lifecycle(self, event: Mapping[str, Any]) -> None:
        """Event Grid tells something of the conversation; that it is over counts for those who were transferred."""
        if str(event.get("eventType") or event.get("type")).endswith(".CallEnded") and self._end.done:
            self.presence.is_over = True

    def _on_disconnected(self, event: CallEvent) -> None:
        """The service reports the end of the call, or of an attempt to place it."""
        end = end_of(event)
        attempt = self._attempt_under_way()
        if attempt is not None and end.code >= 300:  # below, somebody took it and has left already
            self.confirm(attempt.seq)
            self._report_failed(attempt, event)
            self.disconnected = self._end.done  # somebody had hung up: then it is the end
            return
        self.disconnected = True
        self._amend_end(end)
        # The event that says why a call never connected may come after this one, or not at all.
        failed = not self.record.connected_at and end.code >= 300
        if end.sub_code == TRANSFERRED and self._transferring:
            self.transferred = True
        self.end(end, explain(end.code, end.sub_code).outcome if failed else "")

    def _take_state(self, event: CallEvent) -> None:
        """How things stand, which some events tell beside an operation's outcome, or instead of one."""
        record = self.record
        if isinstance(event, ParticipantsUpdated):
            identifiers = [one.identifier for one in event.participants]
            # Not users: the app itself is one of them, and those that it brings in are known.
            record.meet(*(one for one in identifiers if one.kind == "phoneNumber"))
            earlier = event.sequence_number < self._participants_sequence
            whole = not earlier and not event.hidden
            self.presence.update(self._operations.values(), {one.key for one in identifiers}, whole=whole)
            if earlier:
                self._waiting.give_earlier_participants(identifiers)
            else:
                self._participants_sequence, self.participants = event.sequence_number, event.participants
                self._waiting.give_participants(identifiers, event.hidden)
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
            # An action that was sent again may complete by its first sending.
            known = operation is not None and 0 <= attempt <= operation.attempt
            return operation if known and call_id == self.record.call_id else None
        # The service need not echo the context of what opened the call.
        unfinished = (o for o in self._operations.values() if not o.done and isinstance(o.action, Opening))
        return next((o for o in unfinished if event.name in o.action.spec.events), None)

    def _of_another_connection(self, event: CallEvent) -> bool:
        """Whether an event came to this call's URL that speaks of another call.

        The connection is known from the response to the opening action, or from the event that names this action.
        """
        named = self._operation_of(event) if event.operation_context is not None else None
        if self.placed_by_flow:
            return not self._attempts.concerns_current(event, named.seq if named is not None else None)
        known = self.record.call_connection_id
        if not known or event.call_connection_id == known:
            return False
        return named is None or named.done or not isinstance(named.action, Opening)

    def _note_other_sending(self, operation: Operation[Any]) -> None:
        if not operation.action.spec.queued:
            return
        if not any(o.action.spec.queued and not o.done for o in self._operations.values() if o is not operation):
            self._other_sendings.append(operation)  # nothing else plays or listens that a cancel would take with it

    def _moved(self, operation: Operation[Any], event: MoveParticipantSucceeded) -> None:
        """One of those to be moved is here: each is reported by an event of its own, the last one ends the move."""
        arrived = self._arrived.setdefault(operation.seq, set())
        arrived.add(event.participant.raw_id if event.participant else event.id)
        if isinstance(operation.action, actions.MoveParticipants) and len(arrived) >= len(operation.action.targets):
            self._succeed(operation, event)

    def _cancel_invitation(self, invitation_id: str) -> None:
        for operation in self._operations.values():
            invited = operation.response if operation.action.kind == "add_participant" else None
            if invited and invited.get("invitationId") == invitation_id:
                self._fail(operation, ActionCanceled("add_participant"))

    # What comes back at once, and the end

    def _on_answer(self, operation: Operation[Any], value: Any) -> None:
        self._succeed(operation, value)
        if operation.action.kind == "start_recording":
            self.record.recorded_as((value or {}).get("recordingId"))
        if operation.action.kind in ("reject", "redirect"):
            word = "rejected" if operation.action.kind == "reject" else "redirected"
            self.end(CallEnded(200, 0, f"the call was {word}"), outcome=word)

    def _on_refusal(self, operation: Operation[Any], entry: RefusedEntry) -> None:
        if operation.action.spec.closes and entry.status == 404:
            self.end(CallEnded(404, 8522, "the service no longer knew the call"))
        error = refusal(operation.action, entry)
        end = CallEnded(entry.status, 0, entry.message, plain=error.plain)
        self._fail_action(operation, error, end, "refused")
        if operation.action.kind == "start_recording":
            self.record.recording = "refused"

    def _report_failed(self, operation: Operation[Any], event: CallEvent) -> None:
        """The service says that an action failed."""
        error = failure(operation.action.kind, event, operation.action)
        self._failed.append(error)
        self._fail_action(operation, error, end_of(event), error.outcome)

    @property
    def _transferring(self) -> bool:
        actions_asked = (operation.action for operation in self._operations.values())
        return any(isinstance(action, actions.Transfer) and action.transferee is None for action in actions_asked)

    def drop(self, sleep: Operation[None]) -> None:
        """Wait for a sleep no more: the message that ends it will change nothing, and nobody wakes up for it."""
        self._fail(sleep, ActionCanceled("sleep"))

    def forgotten(self, method: str, filename: str, number: int) -> None:
        """A block was made at this line and never entered: where flows are watched, that is a mistake."""
        watch = self._scheduler.watch
        if watch is not None and self._scheduler.live:
            place = place_at(filename, number)
            problem, remedy = f"call.{method}() was called and never entered", f"Write: async with call.{method}(…):"
            watch.found.append(ForgottenAwait(problem, remedy, where=place.where, line=place.line))
