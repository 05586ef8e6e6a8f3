"""Actions on the call itself."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.calls.actions.base import Action, Spec, Value
from shared.calls.actions.streaming import MediaStreaming, Transcription
from shared.calls.free_text import Name
from shared.errors import InvalidInput
from shared.identifiers import Identifier

RejectReason = Literal["none", "busy", "forbidden"]
"""CallRejectReason of the service (OpenAPI 2026-03-12)."""


def check_caller_id(action: str, caller_id: Identifier | None, targets: tuple[Identifier, ...]) -> None:
    """Pass if who is called can be shown this number; InvalidInput for a phone without one, and for what is none."""
    if caller_id is None and any(target.phone_number is not None for target in targets):
        raise InvalidInput(f"{action}.caller_id", "is missing.", "A phone target needs a number of yours to show.")
    if caller_id is not None and caller_id.phone_number is None:
        raise InvalidInput(f"{action}.caller_id", f"{caller_id.raw_id!r} is not a phone number.", "Give +E.164.")


class Opening(Action):
    """An action after which the call is up."""

    media_streaming: MediaStreaming | None = None
    transcription: Transcription | None = None


class Answer(Opening):
    """Answer the ringing call."""

    kind: Literal["answer"] = "answer"
    spec = Spec(events={"CallConnected": "succeeded", "AnswerFailed": "failed"}, repeatable=True, on_live_call=False)


class CreateCall(Opening):
    """Place a call to one endpoint or, as a group call, to several at once.

    As soon as one target is a phone number a caller id is needed, a number that the resource owns.
    """

    kind: Literal["create_call"] = "create_call"
    spec = Spec(
        events={"CallConnected": "succeeded", "CreateCallFailed": "failed"},
        repeatable=True,
        on_live_call=False,
        places=True,
        timeout=150.0,  # set-up to a phone may take 115 s (docs: service-limits)
        example={"targets": ["+14255550123"], "caller_id": "+18005550199"},
    )
    targets: tuple[Identifier, ...] = Field(min_length=1)
    caller_id: Identifier | None = None
    display_name: str | None = None

    def check(self, caller: Identifier | None) -> None:
        check_caller_id("create_call", self.caller_id, self.targets)


class CallLocator(Value):
    """A call that goes on already: by its server call id, its group id or its room."""

    kind: Literal["server_call", "group_call", "room"]
    id: Name = Field(min_length=1)


class Connect(Opening):
    """Join a call that goes on already."""

    kind: Literal["connect"] = "connect"
    spec = Spec(
        events={"CallConnected": "succeeded", "ConnectFailed": "failed"},
        repeatable=True,
        on_live_call=False,
        places=True,
        example={"locator": {"kind": "room", "id": "99445276259151407"}},
    )
    locator: CallLocator


class Reject(Action):
    """Refuse the ringing call."""

    kind: Literal["reject"] = "reject"
    spec = Spec(repeatable=True, on_live_call=False)
    reason: RejectReason = "none"


class Redirect(Action):
    """Send the ringing call to somebody else; the app loses control of it."""

    kind: Literal["redirect"] = "redirect"
    spec = Spec(repeatable=True, on_live_call=False, targets="sent to", example={"target": "+14255550177"})
    target: Identifier

    def check(self, caller: Identifier | None) -> None:
        if caller is not None and self.target.phone_number is not None and caller.phone_number is None:
            raise InvalidInput(
                "redirect.target",
                "is a phone number and the caller is not on a phone; the service does not support that.",
                "Answer the call and transfer it, or redirect it to a user.",
            )


class HangUp(Action):
    """Leave the call; in a call of two this ends it."""

    kind: Literal["hang_up"] = "hang_up"
    # The event comes however the call ends: it settles a hang-up, and ends everything else.
    spec = Spec(events={"CallDisconnected": "succeeded"})


class Terminate(Action):
    """End the call for everybody."""

    kind: Literal["terminate"] = "terminate"
    spec = Spec(events={"CallDisconnected": "succeeded"}, repeatable=True)


class GetCall(Action):
    """Ask the service for the state of the call."""

    kind: Literal["get_call"] = "get_call"
    spec = Spec(reads=True)


class Sleep(Action):
    """Wait; a queue message wakes the flow."""

    kind: Literal["sleep"] = "sleep"
    spec = Spec(in_service=False, timeout=None)
    seconds: float = Field(ge=0, allow_inf_nan=False)

    def over_at(self, issued_at: int) -> int:
        """When it is over, if it was issued then; both Unix time in milliseconds."""
        return issued_at + int(self.seconds * 1000)


class Run(Action):
    """Call a function of the app once; its result is journaled."""

    kind: Literal["run"] = "run"
    spec = Spec(in_service=False, secret_comes_back=True)
    name: Name
    secret: bool = Field(False, description="its result is journaled encrypted")
