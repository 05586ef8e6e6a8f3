"""What every group of methods needs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TypeVar

from shared.calls.actions import Action
from shared.calls.flow_host import FlowHost
from shared.calls.operation import Operation, Pending
from shared.calls.prompts import Prompt, Words, prompts
from shared.errors import InvalidInput
from shared.identifiers import Identifier

T = TypeVar("T")
A = TypeVar("A", bound=Action)

AnyIdentifier = Identifier | str
"""A participant: an Identifier, a raw id or an E.164 number."""


class Block:
    """What `async with` takes of a call. One that is made and never entered does nothing, which its author must see."""

    _entered = True

    def __init__(self, host: FlowHost, method: str) -> None:
        self._host = host
        self._method = method
        author = sys._getframe(3)  # over the block's own class and the method of the call
        self._made_at = author.f_code.co_filename, author.f_lineno
        self._entered = False

    def __del__(self) -> None:
        if not self._entered:
            self._host.forgotten(self._method, *self._made_at)


class Methods:
    """The common part of the groups of methods."""

    def __init__(self, host: FlowHost) -> None:
        self._host = host

    def _checked(self, action: A) -> A:
        """An action that a helper coroutine will issue, checked already now, where the flow asks for it."""
        action.check(self._host.started.caller)
        return action

    def _played(self, field: str, given: Words | Sequence[Words]) -> tuple[Prompt, ...]:
        """Prompts; strings are spoken by the voice of the call's language."""
        self._host.count()
        return prompts(field, given, self._voice)

    @property
    def _voice(self) -> str | None:
        """Who speaks in the language of the call; None: the setting VOICE_NAME."""
        spoken = self._host.texts.find(self._host.language) if self._host.language else None
        return spoken.voice if spoken else None

    @property
    def _heard_language(self) -> str | None:
        """What recognize listens for unless told; None: the setting SPEECH_LANGUAGE."""
        spoken = self._host.texts.find(self._host.language) if self._host.language else None
        return spoken.tag if spoken else self._host.language or None

    def _side(self, participant: AnyIdentifier | None) -> Identifier:
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

    def _drop(self, sleep: Operation[None]) -> Pending[None]:
        """Wait for a sleep no more; gives something that is done."""
        self._host.drop(sleep)
        dropped: Pending[None] = Pending("cancel sleep", sleep.scheduler)
        dropped.succeed(None)
        return dropped
