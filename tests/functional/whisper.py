"""An operation that the service does not have, with events of its own: all that the app needs to have one more.

A plugin of pytest (`-p tests.functional.whisper`), so that it is declared before anything is derived.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from shared.azure.call_automation.sending import Sender, repeatable, reported, send
from shared.calls import Call, Operation
from shared.calls.actions import Action, Spec
from shared.calls.actions.validate import build
from shared.calls.gateway.base import Request
from shared.errors import InvalidInput
from shared.events import CallEvent
from shared.identifiers import Identifier

# The action


class Whisper(Action):
    """Call somebody in, who hears some words that the others do not hear."""

    kind: Literal["whisper"] = "whisper"
    spec = Spec(
        events={"WhisperStarted": "progress", "WhisperCompleted": "succeeded", "WhisperFailed": "failed"},
        families=("whisper",),
        repeatable=True,
        media="prompt",
        timeout=20.0,
        example={"target": "+14255550177", "words": "He is a new customer."},
    )
    target: Identifier
    words: str = Field(min_length=1)
    secret: bool = False

    def check(self, caller: Identifier | None) -> None:
        if self.target == caller:
            raise InvalidInput("whisper.target", "is the caller.", "Name who is to hear it.")

    def event_data(self) -> list[dict[str, Any]]:
        return [{"participant": {"rawId": self.target.raw_id}}]


# Its method; one of the app's own stands in a class of shared/calls/methods


def whisper(call: Call, target: str, words: str, *, secret: bool = False) -> Operation[CallEvent]:
    """Call somebody in, who hears some words that the others do not hear; gives the WhisperCompleted event."""
    return call._host.issue(build(Whisper, target=Identifier.parse(target), words=words, secret=secret))


# Its SDK call


@send.register
def _(action: Whisper, request: Request, sender: Sender) -> None:
    whispering: Any = sender.connection(request)
    whispering.whisper(action.target.raw_id, action.words, headers=repeatable(request), **reported(request))
