"""Which telephones that an operation has called are on the line: deterministic, like all of replay."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from shared.calls import actions
from shared.calls.actions import Action
from shared.calls.operation import Operation
from shared.errors import TimedOut


def telephones(action: Action) -> tuple[str, ...]:
    """The keys of the telephones that an action calls."""
    match action:
        case actions.CreateCall(targets=targets):
            called = targets
        case actions.AddParticipant(target=target) | actions.Transfer(target=target):
            called = (target,)
        case _:
            called = ()
    return tuple(who.key for who in called if who.phone_number is not None)


@dataclass(slots=True)
class _Seen:
    here: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)


class Presence:
    """What lists of participants and transfers tell of the telephones that a call has on the line.

    Attributes:
        transferred_at: when everybody else was transferred, Unix time in milliseconds; 0: they were not.
        transfers: when a transfer was accepted, by its position.
        is_over: an event has told that the conversation is over, for those, too, who were transferred.
    """

    def __init__(self) -> None:
        self.transferred_at = 0
        self.transfers: dict[int, int] = {}
        self.is_over = False
        self._seen: dict[int, _Seen] = {}
        self._people: dict[str, int] = {}

    def update(self, operations: Iterable[Operation[object]], listed: Collection[str], *, whole: bool) -> None:
        """The participants are these.

        Args:
            listed: their keys.
            whole: everybody is in the list, and none is newer.
        """
        if self.transferred_at:
            return  # nobody leaves any more because they are not listed here
        for operation in operations:
            called = telephones(operation.action)
            if not called or not may_be_here(operation):
                continue
            seen = self._seen.setdefault(operation.seq, _Seen())
            for key in called:
                if key in listed:
                    seen.here.add(key)
                elif whole and key in seen.here and key not in self._people:
                    seen.left.add(key)

    def accept(self, operation: Operation[object], at: int) -> None:
        """A transfer was accepted."""
        action = operation.action
        if not isinstance(action, actions.Transfer):
            return
        self.transfers.setdefault(operation.seq, at)
        if action.transferee is None:
            self.transferred_at = self.transferred_at or at
        else:
            self._people.setdefault(action.transferee.key, at)

    def on_the_line(self, operation: Operation[object]) -> list[str]:
        """The keys of those whom an operation has called and who have not left; of one that was given up, those who
        were listed all the same."""
        seen = self._seen.get(operation.seq, _Seen())
        called = seen.here if operation.error is not None else telephones(operation.action)
        return [key for key in called if key not in seen.left]

    def taken_away_at(self, key: str) -> int:
        """When somebody was transferred by name; 0: they were not."""
        return self._people.get(key, 0)


def may_be_here(operation: Operation[object]) -> bool:
    """Whether somebody whom it has called may be on the line: they may, too, where no event told it in time."""
    given_up = isinstance(operation.error, TimedOut) and isinstance(operation.action, actions.AddParticipant)
    return operation.error is None or given_up
