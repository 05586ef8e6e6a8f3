"""What every group of methods needs."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar

from shared.calls.actions import Action
from shared.calls.journal import Note, Started
from shared.calls.operation import Operation, Pending, Task
from shared.calls.prompts import Prompt
from shared.calls.record import CallRecord
from shared.calls.rules import check
from shared.errors import CallEnded, InvalidInput
from shared.events import Participant
from shared.identifiers import Identifier

T = TypeVar("T")
A = TypeVar("A", bound=Action)

Somebody = Identifier | str
"""A participant: an Identifier, a raw id or an E.164 number."""


class Host(Protocol):
    """What a call needs of the session that runs it."""

    record: CallRecord
    started: Started
    now: int
    participants: tuple[Participant, ...]

    def issue(self, action: Action, function: Callable[[], Any] | None = None) -> Operation[Any]:
        """Ask for an action."""

    def note(self, note: Note) -> None:
        """Journal what the flow says of itself, once: not when it is replayed."""

    def version(self, name: str) -> bool:
        """Whether the call came to this place with code that has it."""

    def spawn(self, label: str, coroutine: Coroutine[Any, Any, T]) -> Task[T]:
        """Run a coroutine beside the flow."""

    def wait_signal(self, name: str) -> Pending[Any]:
        """The next signal of this name."""

    def wait_tone(self) -> Pending[str]:
        """The next key of continuous DTMF, in the order of the keys."""

    def wait_arrival(self, who: Identifier) -> Pending[None]:
        """The moment when this participant is in the call; of a phone number, one more connection than now."""

    def wait_departure(self, who: Identifier) -> Pending[None]:
        """The moment when this participant is not in the call."""

    def wait_end(self) -> Pending[CallEnded]:
        """The end of the call."""


class Methods:
    """The common part of the groups of methods."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def _checked(self, action: A) -> A:
        """An action that a helper coroutine will issue, checked already now, where the flow asks for it."""
        check(action, self._host.started.caller)
        return action

    def _side(self, participant: Somebody | None) -> Identifier:
        """The participant that is meant: the other side of the call unless named."""
        if participant is not None:
            return Identifier.parse(participant)
        started = self._host.started
        side = started.caller if started.direction == "inbound" else started.callee
        if side is None and started.direction == "outbound" and self._host.record.callee:
            return Identifier(raw_id=self._host.record.callee)  # whom the flow has called
        if side is None:
            raise InvalidInput("participant", "is not known for this call.", "Name the participant.")
        return side


def several(prompts: Prompt | Sequence[Prompt]) -> tuple[Prompt, ...]:
    """One prompt or several, as several."""
    return tuple(prompts) if isinstance(prompts, Sequence) else (prompts,)
