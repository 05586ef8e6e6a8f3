"""Where a call is: waiting to be placed, under way, ended; and what that makes of its operations.

Deterministic and without I/O, like all of replay.
"""

from __future__ import annotations

from typing import Any, TypeVar

from shared.calls import actions
from shared.calls.attempts import Attempts
from shared.calls.capture import Capture
from shared.calls.journal import Entry
from shared.calls.operation import Operation, Pending, Scheduler
from shared.calls.record import CallRecord
from shared.calls.secrecy import Secrecy
from shared.calls.waiting import Waiting
from shared.errors import ActionRefused, CallEnded, CallError, InvalidInput
from shared.events import Participant

T = TypeVar("T")

UNHEARD = "never heard to be connected\n"
"""The key of the action by which the watchdog ends a call that the service knows and that never said it was up. No
request has such a key: no HTTP header holds a line break."""
FIRST_COMMAND = 1_000_000
"""The position of the first action from the HTTP API."""


class Lifecycle:
    """Where a call is.

    Attributes:
        record: what is known of the call, for its head row.
        now: time of the newest input, Unix time in milliseconds.
        transferred: the service takes the app out of the call.
        disconnected: the service has reported the end of the call; without that, its end is only inferred.
        secrecy: what of the call is secret.
        placed_by_flow: the flow places the call, when it wants to; an attempt that fails is not the end of the call.
    """

    def __init__(self, call_id: str) -> None:
        self.record = CallRecord(call_id=call_id)
        self.now = 0
        self.participants: tuple[Participant, ...] = ()
        self.transferred = False
        self.disconnected = False
        self.placed_by_flow = False
        self._attempts = Attempts()
        self._unsuccessful: tuple[CallError, CallEnded, str] | None = None
        self._scheduler = Scheduler()
        self._waiting = Waiting(self._scheduler)
        self.capture = Capture(self._scheduler)
        self.secrecy = Secrecy()
        self._end = self._waiting.end
        self._operations: dict[int, Operation[Any]] = {}
        self._participants_sequence = 0

    def hides(self, entry: Entry) -> bool:
        """Whether an entry of this call holds something secret."""
        return self.secrecy.hides(entry, self.record.call_id, self._operations)

    def operation(self, seq: int) -> Operation[Any]:
        """The operation with this position."""
        return self._operations[seq]

    @property
    def open_operations(self) -> list[Operation[Any]]:
        """Issued and without an outcome."""
        return [operation for operation in self._operations.values() if not operation.done]

    @property
    def opens_first(self) -> bool:
        """Whether the call is being opened, and for the first time: it has had no other connection."""
        openings = [o for o in self._operations.values() if isinstance(o.action, actions.Opening)]
        return len(openings) == 1 and not openings[0].done

    @property
    def operations(self) -> list[Operation[Any]]:
        """Everything that was asked for on this call."""
        return list(self._operations.values())

    def confirm(self, seq: int) -> None:
        """Something shows that this operation left the app."""
        if seq in self.record.unconfirmed:
            self.record.unconfirmed.remove(seq)

    def outcome(self, word: str) -> None:
        """How the call ended, in one word; the first one counts."""
        if not self.record.outcome:
            self.record.outcome = word

    # The end

    def _fail_action(self, operation: Operation[Any], error: CallError, end: CallEnded, outcome: str) -> None:
        """An action failed. A call that could not be opened is over, unless its flow may place it again."""
        if operation is self._attempt_under_way():
            if self._leaving():
                self.end(end, "" if self._leaving(FIRST_COMMAND) else outcome)
            else:
                self._fail(operation, error)
                self._wait_again(error, end, outcome)
            return
        self._fail(operation, error)
        if isinstance(operation.action, actions.Opening) and self.record.status != "connected":
            self.end(end, outcome)

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
        elif self._leaving(FIRST_COMMAND):
            self.outcome("hung_up")
        self._waiting.give_end(end)
        self.capture.close(end)
        for operation in list(self._operations.values()):
            if operation.done or operation.action.kind == "run":
                continue
            self.confirm(operation.seq)
            if operation.action.spec.closes:
                self._succeed(operation, None)
            else:
                self._fail(operation, end)

    def _leaving(self, first: int = 0) -> bool:
        """Whether somebody is hanging up, by an operation from this position on."""
        return any(o.action.spec.closes and o.seq >= first and not o.done for o in self._operations.values())

    def _amend_end(self, end: CallEnded) -> None:
        """What the service says of the end of a call that was taken for over before."""
        if not self._end.done:
            return
        self.record.code, self.record.sub_code = end.code, end.sub_code
        if self.record.outcome == "settled":
            self.record.outcome = "caller_left"

    # A call that its flow places

    def _note_who_is_called(self, operation: Operation[Any]) -> None:
        """Who is on a call that its flow places by itself is known from here on."""
        action, record = operation.action, self.record
        callee = action.targets[0].raw_id if isinstance(action, actions.CreateCall) else record.callee
        if self.placed_by_flow and action.spec.places:
            self._attempts.begin(operation.seq)
            record.place(operation.issued_at, callee)
        if isinstance(action, actions.CreateCall):
            record.caller = action.caller_id.raw_id if action.caller_id else ""
            record.callee = callee
        record.meet(*action.concerned)

    def _withdraw(self, operation: Operation[Any]) -> None:
        """An operation that the flow asked for is dropped: it never went into the journal."""
        del self._operations[operation.seq]
        if operation.seq == self._attempts.current:
            self._attempts.withdraw(operation.seq)
            self.record.status, self.record.attempts = "waiting", self.record.attempts - 1

    def _attempt_under_way(self) -> Operation[Any] | None:
        """What places the call now."""
        current = self._attempts.current
        return None if current is None or self._operations[current].done else self._operations[current]

    def _wait_again(self, error: CallError, end: CallEnded, outcome: str) -> None:
        """An attempt came to nothing: what was asked for on its connection did, too."""
        self.record.status = "waiting"
        self._attempts.fail()
        self._unsuccessful = (error, end, outcome)
        for operation in self.open_operations:
            if operation.action.spec.in_service:
                self.confirm(operation.seq)
                self._fail(operation, _not_placed(operation))
        self._participants_sequence = 0
        if self.participants:
            self.participants = ()
            self._waiting.give_participants(())

    def end_unplaced(self, error: BaseException | None = None) -> bool:
        """End a call that waits to be placed, with what came of its last attempt.

        Args:
            error: what the flow raised; only that attempt's own failure ends the call so.

        Returns:
            False if the call goes on.
        """
        last = self._unsuccessful
        if self.record.status != "waiting" or (error is not None and (last is None or error is not last[0])):
            return False
        self.end(last[1] if last else CallEnded(200, 0, "the call was never placed"), last[2] if last else "completed")
        return True

    def _refuse_unplaced(self, operation: Operation[Any]) -> bool:
        """Whether an action that the flow asks for is not for the service, because there is no call for it.

        A hang-up ends a call that waits. InvalidInput for what needs a call that is up, and for a second placing.
        """
        action = operation.action
        if not self.placed_by_flow or not action.spec.in_service:
            return False
        if action.spec.places and self.record.status != "waiting":
            raise InvalidInput(
                action.kind, "is asked for while the call is placed already.", "Await what came of it first."
            )
        if action.spec.places or self.record.status != "waiting":
            return False
        if not action.spec.closes:
            raise InvalidInput(
                action.kind, "needs a call that is up, and this one is not placed.", "Await create_call first."
            )
        operation.succeed(None)
        return self.end_unplaced()

    def _command_unplaced(self, operation: Operation[Any]) -> None:
        """An action from the HTTP API on a call that waits: a hang-up cancels it, nothing else can be done."""
        if operation.action.spec.closes:
            self.end(CallEnded(200, 0, "the call was cancelled before it was placed"))
        else:
            self.confirm(operation.seq)
            self._fail(operation, _not_placed(operation))

    # Outcomes

    def _succeed(self, pending: Pending[T], value: T) -> None:
        pending.succeed(value)
        self._scheduler.settle(pending)

    def _fail(self, pending: Pending[Any], error: BaseException) -> None:
        pending.fail(error)
        self._scheduler.settle(pending)


def _not_placed(operation: Operation[Any]) -> ActionRefused:
    return ActionRefused(operation.action.kind, 0, "not_placed", "the call is not placed")
