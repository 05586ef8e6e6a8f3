"""The actions that a flow can ask for, one frozen model for each Call Automation operation.

An action is a value: it names what is wanted in the service's terms and nothing else. Where it goes, under
which operation context and with which callback, the conductor adds when it is dispatched.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from shared.calls.prompts import Prompt
from shared.identifiers import Identifier

Tone = Literal[
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    "a", "b", "c", "d", "pound", "asterisk",
]  # fmt: skip

TONE_OF_KEY: dict[str, Tone] = {
    "0": "zero", "1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven",
    "8": "eight", "9": "nine", "A": "a", "B": "b", "C": "c", "D": "d", "#": "pound", "*": "asterisk",
}  # fmt: skip

PROMPT_SECONDS = 900.0
"""The longest that a prompt from a file may take before its outcome counts as lost; ours."""

SECONDS_PER_CHARACTER = 0.2
"""Slow speech, to bound how long a text prompt can take; ours."""


class Action(BaseModel):
    """The common part of every action."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    kind: str

    repeatable: ClassVar[bool] = False
    """The operation takes a Repeatability-Request-ID, so that sending it twice runs it once."""
    family: ClassVar[str | None] = None
    """Name of the function that takes its callbacks; None: it has no callback URI of its own."""
    ends_with: ClassVar[Literal["event", "answer"]] = "event"
    """What brings the outcome: a later event, or the answer to the request itself."""
    in_service: ClassVar[bool] = True
    """False for what the app does itself (sleep, run)."""

    @property
    def patience(self) -> float | None:
        """Seconds after which a missing outcome counts as lost; None: there is no such time."""
        return 60.0

    @model_serializer(mode="wrap")
    def _compact(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {
            "kind": self.kind,
            **{k: v for k, v in handler(self).items() if v not in (None, (), [], False)},
        }


class Answer(Action):
    """Answer the ringing call."""

    kind: Literal["answer"] = "answer"
    repeatable: ClassVar[bool] = True


class Reject(Action):
    """Refuse the ringing call."""

    kind: Literal["reject"] = "reject"
    repeatable: ClassVar[bool] = True
    ends_with: ClassVar[Literal["event", "answer"]] = "answer"
    reason: Literal["none", "busy", "forbidden"] = "none"


class Redirect(Action):
    """Send the ringing call to somebody else; the app loses control of it."""

    kind: Literal["redirect"] = "redirect"
    repeatable: ClassVar[bool] = True
    ends_with: ClassVar[Literal["event", "answer"]] = "answer"
    target: Identifier


class CreateCall(Action):
    """Place a call to one endpoint. A phone number needs a caller id, a number that the resource owns."""

    kind: Literal["create_call"] = "create_call"
    repeatable: ClassVar[bool] = True
    target: Identifier
    caller_id: Identifier | None = None
    display_name: str | None = None

    @property
    def patience(self) -> float | None:
        return 150.0  # set-up to a phone may take 115 s (docs: service-limits)


class Play(Action):
    """Play prompts to everybody, or to the named participants."""

    kind: Literal["play"] = "play"
    family: ClassVar[str | None] = "play"
    sources: tuple[Prompt, ...] = Field(min_length=1)
    to: tuple[Identifier, ...] = ()
    loop: bool = False
    interrupt: bool = False

    @property
    def patience(self) -> float | None:
        return None if self.loop else 30.0 + _longest(self.sources)


class Choice(BaseModel):
    """One answer that a recognize takes: said by one of its phrases, or pressed by its tone."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    label: str = Field(min_length=1)
    phrases: tuple[str, ...] = Field(min_length=1)
    tone: Tone | None = None

    def __init__(self, label: str, *, phrases: tuple[str, ...] | None = None, tone: Tone | None = None) -> None:
        """Without phrases the label itself is the phrase."""
        super().__init__(label=label, phrases=(label,) if phrases is None else phrases, tone=tone)


class Recognize(Action):
    """Listen to one participant, after prompts if there are any."""

    kind: Literal["recognize"] = "recognize"
    family: ClassVar[str | None] = "recognize"
    input: Literal["dtmf", "speech", "speechOrDtmf", "choices"]
    participant: Identifier
    prompts: tuple[Prompt, ...] = ()
    interrupt_prompt: bool = True
    interrupt: bool = False
    initial_silence: int | None = Field(None, ge=0, le=300, description="seconds")
    choices: tuple[Choice, ...] = ()
    max_tones: int | None = Field(None, ge=1)
    inter_tone: int | None = Field(None, ge=1, le=60, description="seconds")
    stop_tones: tuple[Tone, ...] = ()
    end_silence: float | None = Field(None, gt=0, description="seconds")
    language: str | None = None

    @property
    def patience(self) -> float | None:
        return 60.0 + _longest(self.prompts) + (self.initial_silence or 5) + 60.0


class CancelAllMedia(Action):
    """Stop what plays, what listens and what is queued."""

    kind: Literal["cancel_all_media"] = "cancel_all_media"
    ends_with: ClassVar[Literal["event", "answer"]] = "answer"


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
    ends_with: ClassVar[Literal["event", "answer"]] = "answer"


class Sleep(Action):
    """Wait; a queue message wakes the flow."""

    kind: Literal["sleep"] = "sleep"
    in_service: ClassVar[bool] = False
    seconds: float = Field(ge=0)

    @property
    def patience(self) -> float | None:
        return None


class Run(Action):
    """Call a function of the app once; its result is journaled."""

    kind: Literal["run"] = "run"
    in_service: ClassVar[bool] = False
    ends_with: ClassVar[Literal["event", "answer"]] = "answer"
    name: str


AnyAction = Annotated[
    Answer
    | Reject
    | Redirect
    | CreateCall
    | Play
    | Recognize
    | CancelAllMedia
    | HangUp
    | Terminate
    | GetCall
    | Sleep
    | Run,
    Field(discriminator="kind"),
]


def _longest(prompts: tuple[Prompt, ...]) -> float:
    return sum(PROMPT_SECONDS if p.kind == "file" else _spoken(p) for p in prompts)


def _spoken(prompt: Prompt) -> float:
    words = prompt.text if prompt.kind == "text" else prompt.ssml if prompt.kind == "ssml" else ""
    return len(words) * SECONDS_PER_CHARACTER
