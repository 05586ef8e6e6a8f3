"""Media actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.calls.actions.base import Action, EndsWith, Tone
from shared.calls.prompts import Prompt
from shared.identifiers import Identifier

PROMPT_SECONDS = 900.0
"""The longest that a prompt from a file may take before its outcome counts as lost (our choice)."""

SECONDS_PER_CHARACTER = 0.2
"""Slow speech, to bound how long a text prompt can take (our choice)."""

MAX_TONES = 18
"""Tones of one send DTMF (docs: control-mid-call-media-actions)."""


class Play(Action):
    """Play prompts to everybody, or to the named participants."""

    kind: Literal["play"] = "play"
    prompts: tuple[Prompt, ...] = Field(min_length=1)
    to: tuple[Identifier, ...] = ()
    loop: bool = False
    interrupt: bool = False
    secret: bool = Field(False, description="what is said is journaled encrypted")

    @property
    def family(self) -> str | None:
        return "play" if self.to else "play-to-all"

    @property
    def timeout(self) -> float | None:
        return None if self.loop else 30.0 + _longest(self.prompts)


class Choice(BaseModel):
    """One answer that a recognize takes: said by one of its phrases, or pressed by its tone."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    label: str = Field(min_length=1)
    phrases: tuple[str, ...] = Field((), min_length=1, description="without phrases the label itself is the phrase")
    tone: Tone | None = None

    if TYPE_CHECKING:

        def __init__(self, label: str, *, phrases: tuple[str, ...] | None = None, tone: Tone | None = None) -> None: ...

    else:

        def __init__(self, *label, **fields):
            # Validation comes this way too, so a field that is missing or unknown must be pydantic's to report.
            super().__init__(**dict(zip(("label",), label, strict=True)) if label else {}, **fields)

    @model_validator(mode="before")
    @classmethod
    def _label_is_the_phrase(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("phrases") is None and "label" in value:
            return {**value, "phrases": (value["label"],)}
        return value


class Recognize(Action):
    """Listen to one participant, after prompts if there are any."""

    kind: Literal["recognize"] = "recognize"
    calls_back: ClassVar[bool] = True
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
    speech_model_endpoint_id: str | None = None
    secret: bool = Field(False, description="what is keyed or said is journaled encrypted")

    @property
    def timeout(self) -> float | None:
        return 120.0 + _longest(self.prompts) + (self.initial_silence or 5)


class CancelAllMedia(Action):
    """Stop what plays, what listens and what is queued."""

    kind: Literal["cancel_all_media"] = "cancel_all_media"
    idempotent: ClassVar[bool] = True
    ends_with: ClassVar[EndsWith] = "answer"


class StartContinuousDtmf(Action):
    """Report every key of a participant, beside whatever else goes on."""

    kind: Literal["start_continuous_dtmf"] = "start_continuous_dtmf"
    calls_back: ClassVar[bool] = True
    ends_with: ClassVar[EndsWith] = "answer"
    participant: Identifier
    secret: bool = Field(False, description="keys are journaled encrypted")


class StopContinuousDtmf(Action):
    """Stop reporting keys."""

    kind: Literal["stop_continuous_dtmf"] = "stop_continuous_dtmf"
    calls_back: ClassVar[bool] = True
    participant: Identifier


class SendDtmf(Action):
    """Press keys towards a phone."""

    kind: Literal["send_dtmf"] = "send_dtmf"
    calls_back: ClassVar[bool] = True
    repeatable: ClassVar[bool] = True
    tones: tuple[Tone, ...] = Field(min_length=1, max_length=MAX_TONES)
    participant: Identifier
    secret: bool = Field(False, description="the keys are journaled encrypted")


class Hold(Action):
    """Put a participant on hold, with audio if given. The service reports nothing but HoldFailed."""

    kind: Literal["hold"] = "hold"
    calls_back: ClassVar[bool] = True
    ends_with: ClassVar[EndsWith] = "answer"
    participant: Identifier
    audio: Prompt | None = None


class Unhold(Action):
    """Take a participant off hold."""

    kind: Literal["unhold"] = "unhold"
    calls_back: ClassVar[bool] = True
    ends_with: ClassVar[EndsWith] = "answer"
    participant: Identifier


def _longest(prompts: tuple[Prompt, ...]) -> float:
    return sum(PROMPT_SECONDS if p.kind == "file" else _spoken(p) for p in prompts)


def _spoken(prompt: Prompt) -> float:
    words = prompt.text if prompt.kind == "text" else prompt.ssml if prompt.kind == "ssml" else ""
    return len(words) * SECONDS_PER_CHARACTER
