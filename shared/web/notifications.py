"""Dead letters in the HTTP API: models, and the service that fills them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from shared.notifications.base import CAMPAIGN, DeadLetters
from shared.notifications.notifier import Notifier
from shared.web.queries import limit, only, page, position
from shared.web.times import iso_of


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DeadLetterView(_Model):
    """An event that was not delivered to a target."""

    call_id: str = Field(description="of the call, and the event's id; of a finished campaign `campaign-` and its id")
    target: str = Field(description="`topic` or `hook`")
    reason: str = Field(description="why the last attempt failed")
    attempts: int
    since: int = Field(description="from when it was tried, Unix time in milliseconds")
    since_iso: ClassVar[Any] = iso_of("since")
    at: int = Field(description="when it was given up, Unix time in milliseconds")
    at_iso: ClassVar[Any] = iso_of("at")


class DeadLetterList(_Model):
    """A page of the dead letters, those of the oldest calls first."""

    dead_letters: tuple[DeadLetterView, ...]
    next: str | None = Field(description="`after` of the next page; null: this is the last")


class Replayed(_Model):
    """An event that is delivered again."""

    call_id: str
    targets: tuple[str, ...] = Field(description="the targets that get it")


class DeadLetterService:
    """Dead letters, as operators see them.

    Args:
        campaigns: tries again what was given up of a campaign; the targets. NotFound, UnknownDeadLetter.
    """

    def __init__(self, notifier: Notifier, letters: DeadLetters, campaigns: Callable[[str], list[str]]) -> None:
        self._notifier = notifier
        self._letters = letters
        self._campaigns = campaigns

    def listed(self, query: Mapping[str, str]) -> DeadLetterList:
        """A page of them."""
        only(query, ("limit", "after"))
        found, more = page(self._letters.listed(after=position(query.get("after"))), limit(query.get("limit")))
        views = (
            DeadLetterView(**{name: getattr(letter, name) for name in DeadLetterView.model_fields}) for letter in found
        )
        return DeadLetterList(dead_letters=tuple(views), next=found[-1].position if more else None)

    def replay(self, call_id: str) -> Replayed:
        """Try again. UnknownCall, NotFound, UnknownDeadLetter."""
        of = call_id.removeprefix(CAMPAIGN)
        targets = self._notifier.replay(call_id) if of == call_id else self._campaigns(of)
        return Replayed(call_id=call_id, targets=tuple(targets))
