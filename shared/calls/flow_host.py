"""What a flow asks of its session: actions, notes, helpers, and what it waits for. The methods of a call go here.

Deterministic and without I/O, like all of replay.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from shared.calls import actions
from shared.calls.actions import Action
from shared.calls.journal import Failed, Marked, Note, Resulted, Started
from shared.calls.mistakes import Place, calling_place
from shared.calls.operation import Operation, Pending, Task
from shared.calls.secrecy import is_secret
from shared.calls.state import CallState
from shared.calls.texts import Texts
from shared.errors import CallEnded, ForgottenAwait
from shared.identifiers import Identifier

if TYPE_CHECKING:
    from shared.calls.checks import Watch

T = TypeVar("T")


class FlowHost(CallState):
    """Takes what a flow asks for and keeps it until the journal has it.

    Args:
        watch: looks for what no replay can repeat, while the flow runs.

    Attributes:
        texts: what the flow says, in each of its languages.
        language: the one that the call is in; empty: whatever the settings say.
        input_model: the model of what the flow takes; None: whatever it is given.
    """

    started: Started
    texts: Texts
    language: str
    input_model: type[BaseModel] | None

    def __init__(self, call_id: str, watch: Watch | None = None) -> None:
        super().__init__(call_id)
        self._scheduler.watch = watch
        self._outbox: deque[Operation[Any] | Failed | Note] = deque()
        self._next = 0
        self._functions: dict[int, Callable[[], Any]] = {}
        self._tasks: list[Task[Any]] = []
        self._sleeps: list[Operation[Any]] = []
        self._places: dict[int, Place] = {}
        self._versions: dict[str, bool] = {}
        self._silenced = False
        self._replaying = False

    def issue(self, action: Action, function: Callable[[], Any] | None = None) -> Operation[Any]:
        """Ask for an action: it goes into the journal, and then out. InvalidInput if the service would refuse it."""
        self._scheduler.ask()
        if is_secret(action) and self._scheduler.live:
            self.secrecy.ask(action.kind)
        action.check(self.started.caller)
        operation: Operation[Any] = Operation(self._next, action, self._scheduler)
        over = self._silenced or not self._scheduler.live or (self._end.done and action.kind != "run")
        if over:
            operation.fail(self._end.result() if self._end.done else CallEnded())
            return operation
        if self._refuse_unplaced(operation):
            return operation
        operation.issued_at = self.now
        self._operations[operation.seq] = operation
        if action.kind == "start_continuous_dtmf":
            self._waiting.tones_start()
        if isinstance(action, actions.Sleep):
            self._sleeps.append(operation)
        if self._scheduler.watch is not None:
            self._places[operation.seq] = calling_place()
        self._next += 1
        if function is not None:
            self._functions[operation.seq] = function
        self._note_who_is_called(operation)
        self._outbox.append(operation)
        return operation

    def count(self) -> None:
        """One more thing that the flow did; it ends here if it never waits."""
        if self._scheduler.live:
            self._scheduler.count()

    def note(self, note: Note) -> None:
        """Journal what the flow says of itself, once: not when it is replayed."""
        self._scheduler.count()
        if not self._replaying and not self._silenced and self._scheduler.live:
            self._outbox.append(note)
            self._take_note_of(note)

    def version(self, name: str) -> bool:
        """Whether the call came to this place with code that has it: the first answer counts for all of the call."""
        if name not in self._versions:
            self._versions[name] = not self._replaying
            self.note(Marked(at=self.now, name=name))
        return self._versions[name]

    def spawn(self, label: str, coroutine: Coroutine[Any, Any, T]) -> Task[T]:
        """Run a coroutine beside the flow."""
        task = self._scheduler.start(label, coroutine)
        self._tasks.append(task)
        return task

    def wait_signal(self, name: str, *, secret: bool = False) -> Pending[Any]:
        """The next signal of this name."""
        self._scheduler.count()
        if secret and self._scheduler.live:
            self.secrecy.ask_signal(name)
        return self._waiting.signal(name)

    def wait_tone(self) -> Pending[str]:
        """The next key of continuous DTMF, in the order of the keys."""
        self._scheduler.count()
        return self._waiting.tone()

    def wait_arrival(self, who: Identifier) -> Pending[None]:
        """The moment when this participant is in the call; of a phone number, one more connection than now."""
        self._scheduler.count()
        return self._waiting.arrival(who)

    def wait_departure(self, who: Identifier) -> Pending[None]:
        """The moment when this participant is not in the call."""
        self._scheduler.count()
        return self._waiting.departure(who)

    def wait_end(self) -> Pending[CallEnded]:
        """The end of the call."""
        self._scheduler.count()
        return self._end

    def check_end(self) -> None:
        """Where flows are watched: ForgottenAwait if the end of this one cuts off what it asked for."""
        if self._scheduler.watch is None or self._end.done:
            return
        for operation in self.open_operations:
            action = operation.action
            endless = action.timeout is None
            if action.spec.queued and not endless and not operation.awaited and operation.seq in self._places:
                place = self._places[operation.seq]
                raise ForgottenAwait(
                    f"the flow ends while its {action.kind} goes on: nobody would hear the end of it",
                    f"Write: await {place.line}",
                    where=place.where,
                    line=place.line,
                )

    def _next_wake_up(self) -> int:
        self._sleeps = [sleep for sleep in self._sleeps if not sleep.done]
        dues = (s.action.over_at(s.issued_at) for s in self._sleeps if isinstance(s.action, actions.Sleep))
        return min(dues, default=0)

    def _take_note_of(self, note: Note) -> None:
        match note:
            case Marked():
                self._versions[note.name] = True
            case Resulted():
                self.record.result, self.record.details = note.result, note.details
