"""Actions on the call itself."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from shared.calls.actions.base import Action, EndsWith, Value
from shared.calls.actions.streaming import MediaStreaming, Transcription
from shared.identifiers import Identifier


class _Opening(Action):
    repeatable: ClassVar[bool] = True
    media_streaming: MediaStreaming | None = None
    transcription: Transcription | None = None


class Answer(_Opening):
    """Answer the ringing call."""

    kind: Literal["answer"] = "answer"


class CreateCall(_Opening):
    """Place a call to one endpoint or, as a group call, to several at once.

    As soon as one target is a phone number a caller id is needed, a number that the resource owns.
    """

    kind: Literal["create_call"] = "create_call"
    targets: tuple[Identifier, ...] = Field(min_length=1)
    caller_id: Identifier | None = None
    display_name: str | None = None

    @property
    def timeout(self) -> float | None:
        return 150.0  # set-up to a phone may take 115 s (docs: service-limits)


class CallLocator(Value):
    """A call that goes on already: by its server call id, its group id or its room."""

    kind: Literal["server_call", "group_call", "room"]
    id: str = Field(min_length=1)


class Connect(_Opening):
    """Join a call that goes on already."""

    kind: Literal["connect"] = "connect"
    locator: CallLocator


class Reject(Action):
    """Refuse the ringing call."""

    kind: Literal["reject"] = "reject"
    repeatable: ClassVar[bool] = True
    ends_with: ClassVar[EndsWith] = "answer"
    reason: Literal["none", "busy", "forbidden"] = "none"


class Redirect(Action):
    """Send the ringing call to somebody else; the app loses control of it."""

    kind: Literal["redirect"] = "redirect"
    repeatable: ClassVar[bool] = True
    ends_with: ClassVar[EndsWith] = "answer"
    target: Identifier


class HangUp(Action):
    """Leave the call; in a call of two this ends it."""

    kind: Literal["hang_up"] = "hang_up"


class Terminate(Action):
    """End the call for everybody."""

    kind: Literal["terminate"] = "terminate"
    repeatable: ClassVar[bool] = True


class GetCall(Action):
    """Ask the service for the state of the call."""

    kind: Literal["get_call"] = "get_call"
    reads: ClassVar[bool] = True
    ends_with: ClassVar[EndsWith] = "answer"


class Sleep(Action):
    """Wait; a queue message wakes the flow."""

    kind: Literal["sleep"] = "sleep"
    in_service: ClassVar[bool] = False
    seconds: float = Field(ge=0, allow_inf_nan=False)

    def over_at(self, issued_at: int) -> int:
        """When it is over, if it was issued then; both Unix time in milliseconds."""
        return issued_at + int(self.seconds * 1000)

    @property
    def timeout(self) -> float | None:
        return None


class Run(Action):
    """Call a function of the app once; its result is journaled."""

    kind: Literal["run"] = "run"
    in_service: ClassVar[bool] = False
    ends_with: ClassVar[EndsWith] = "answer"
    name: str
    secret: bool = Field(False, description="its result is journaled encrypted")
