"""What every action has in common."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

Tone = Literal[
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    "a", "b", "c", "d", "pound", "asterisk",
]  # fmt: skip

TONE_OF_KEY: dict[str, Tone] = {
    "0": "zero", "1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven",
    "8": "eight", "9": "nine", "A": "a", "B": "b", "C": "c", "D": "d", "#": "pound", "*": "asterisk",
}  # fmt: skip

EndsWith = Literal["event", "answer"]


class Action(BaseModel):
    """The common part of every action."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    kind: str

    repeatable: ClassVar[bool] = False
    """The operation takes a Repeatability-Request-ID, so that sending it twice runs it once."""
    ends_with: ClassVar[EndsWith] = "event"
    """What brings the outcome: a later event, or the answer to the request itself."""
    reads: ClassVar[bool] = False
    """It only asks: nothing is different in the service afterwards."""
    idempotent: ClassVar[bool] = False
    """Carried out twice it does what it does once, though the service cannot tell that it is the same request."""
    keeps_answer: ClassVar[bool] = False
    """The answer holds something that a later action needs (an invitation id), so it is journaled."""
    in_service: ClassVar[bool] = True
    """False for what the app does itself (sleep, run)."""

    calls_back: ClassVar[bool] = False
    """The operation takes a callback URI of its own, so there is a function of its own for its events."""

    def __eq__(self, other: object) -> bool:
        # A replay compares every action of a call; what pydantic looks at besides, no action has.
        return self is other or (type(self) is type(other) and self.__dict__ == other.__dict__)

    @property
    def family(self) -> str | None:
        """The last part of its callback URL; None: its events come to the call's URL."""
        return self.kind.replace("_", "-") if self.calls_back else None

    @property
    def timeout(self) -> float | None:
        """Seconds after which a missing outcome counts as lost; None: there is no such time."""
        return 60.0

    @model_serializer(mode="wrap")
    def _compact(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Only defaults are left out: 0 and False may be what was asked for.
        fields = type(self).model_fields
        given = {k: v for k, v in handler(self).items() if k in fields and getattr(self, k) != fields[k].default}
        return {"kind": self.kind, **given}


@lru_cache(maxsize=1024)
def one_of(action: Action) -> Action:
    """One object for all equal actions, so that a replay, which compares them, need not look into them."""
    return action


class Value(BaseModel):
    """A part of an action."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
