"""Media actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.calls.actions.base import QUEUED, Action, Spec, Tone
from shared.calls.free_text import SECRET, FreeText, Name
from shared.calls.prompts import Prompt
from shared.errors import InvalidInput
from shared.identifiers import Identifier

PROMPT_SECONDS = 900.0
"""The longest that a prompt from a file may take before its outcome counts as lost (our choice)."""

SECONDS_PER_CHARACTER = 0.2
"""Slow speech, to bound how long a text prompt can take (our choice)."""

MAX_TONES = 18
"""Tones of one send DTMF (docs: control-mid-call-media-actions)."""

MAX_CHOICE_SILENCE = 20
"""Seconds of initial silence that choices and speech may wait; DTMF may wait 300 (docs: recognize-action)."""


class Play(Action):
    """Play prompts to everybody, or to the named participants."""

    kind: Literal["play"] = "play"
    spec = Spec(
        events={
            "PlayStarted": "progress",
            "PlayCompleted": "succeeded",
            "PlayFailed": "failed",
            "PlayCanceled": "canceled",
        },
        families=("play", "play-to-all"),
        media="prompt",
        example={"prompts": [{"kind": "text", "text": "One moment, please."}], "interrupt": True},
    )
    prompts: tuple[Prompt, ...] = Field(min_length=1)
    to: tuple[Identifier, ...] = ()
    loop: bool = False
    interrupt: bool = False
    secret: bool = Field(False, description="what is said is journaled encrypted")

    @property
    def family(self) -> str | None:
        return self.spec.families[0 if self.to else 1]

    @property
    def timeout(self) -> float | None:
        return None if self.loop else 30.0 + _longest(self.prompts)

    def check(self, caller: Identifier | None) -> None:
        """A play to participants cannot interrupt: of a play with targets the service takes no
        `interruptCallMediaOperation` (the SDK's play_media sends false)."""
        if self.to and self.interrupt:
            raise InvalidInput(
                "play.interrupt", "is for a play to everybody.", "Leave out `to`, or cancel_all_media first."
            )


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
    spec = Spec(
        events={
            "PlayStarted": "progress",  # of its prompt
            "RecognizeCompleted": "succeeded",
            "RecognizeFailed": "failed",
            "RecognizeCanceled": "canceled",
        },
        families=("recognize",),
        media="listening",
        secret_comes_back=True,
        example={
            "input": "choices",
            "prompts": [{"kind": "text", "text": "Press 1 for sales, or 2 for support."}],
            "choices": [
                {"label": "sales", "phrases": ["sales"], "tone": "one"},
                {"label": "support", "phrases": ["support", "help"], "tone": "two"},
            ],
        },
    )
    input: Literal["dtmf", "speech", "speechOrDtmf", "choices"]
    participant: Identifier
    prompts: tuple[Prompt, ...] = ()
    interrupt_prompt: bool = True
    interrupt: bool = False
    initial_silence: int | None = Field(None, ge=0, le=300, description="seconds")
    choices: tuple[Annotated[Choice, FreeText({"label": SECRET})], ...] = ()
    max_tones: int | None = Field(None, ge=1)
    inter_tone: int | None = Field(None, ge=1, le=60, description="seconds")
    stop_tones: tuple[Tone, ...] = ()
    end_silence: float | None = Field(None, gt=0, description="seconds")
    language: Name | None = None
    speech_model_endpoint_id: Name | None = None
    secret: bool = Field(False, description="what is keyed or said is journaled encrypted")

    @property
    def timeout(self) -> float | None:
        return 120.0 + _longest(self.prompts) + (self.initial_silence or 5)

    def check(self, caller: Identifier | None) -> None:
        choices = self.choices
        if (self.input == "choices") != bool(choices):
            raise InvalidInput("recognize.choices", "go with input choices, and with no other.", "Give one of them.")
        if self.input == "dtmf" and self.max_tones is None and not self.stop_tones:
            raise InvalidInput(
                "recognize.max_tones", "is missing: nothing would end the input.", "Give it, or stop_tones."
            )
        if 0 < sum(choice.tone is not None for choice in choices) < len(choices):
            raise InvalidInput("recognize.choices", "have tones only in part.", "Give every choice a tone, or none.")
        for name, values in (("label", [c.label for c in choices]), ("tone", [c.tone for c in choices if c.tone])):
            if len(set(values)) < len(values):
                raise InvalidInput(f"recognize.choices.{name}", "is given twice.", f"Give each choice its own {name}.")
        if self.initial_silence is not None and self.input != "dtmf" and self.initial_silence > MAX_CHOICE_SILENCE:
            raise InvalidInput(
                "recognize.initial_silence", f"is {self.initial_silence}.", f"Give 0 to {MAX_CHOICE_SILENCE} seconds."
            )


class CancelAllMedia(Action):
    """Stop what plays, what listens and what is queued."""

    kind: Literal["cancel_all_media"] = "cancel_all_media"
    spec = Spec(idempotent=True, ends_media=QUEUED)


class StartContinuousDtmf(Action):
    """Report every key of a participant, beside whatever else goes on."""

    kind: Literal["start_continuous_dtmf"] = "start_continuous_dtmf"
    spec = Spec(
        events={
            "ContinuousDtmfRecognitionToneReceived": "progress",
            "ContinuousDtmfRecognitionToneFailed": "failed",
        },
        families=("start-continuous-dtmf",),
        secret_comes_back=True,
    )
    participant: Identifier
    secret: bool = Field(False, description="keys are journaled encrypted")


class StopContinuousDtmf(Action):
    """Stop reporting keys."""

    kind: Literal["stop_continuous_dtmf"] = "stop_continuous_dtmf"
    spec = Spec(events={"ContinuousDtmfRecognitionStopped": "succeeded"}, families=("stop-continuous-dtmf",))
    participant: Identifier


class SendDtmf(Action):
    """Press keys towards a phone."""

    kind: Literal["send_dtmf"] = "send_dtmf"
    spec = Spec(
        events={"SendDtmfTonesCompleted": "succeeded", "SendDtmfTonesFailed": "failed"},
        families=("send-dtmf",),
        repeatable=True,
        example={"tones": ["one", "two", "pound"]},
    )
    tones: tuple[Annotated[Tone, FreeText("asterisk")], ...] = Field(min_length=1, max_length=MAX_TONES)
    participant: Identifier
    secret: bool = Field(False, description="the keys are journaled encrypted")

    def check(self, caller: Identifier | None) -> None:
        if self.participant.phone_number is None:
            raise InvalidInput("send_dtmf.participant", "is not a phone.", "The service sends tones to phones only.")


class Hold(Action):
    """Put a participant on hold, with audio if given.

    Microsoft documents HoldFailed alone; HoldAudioStarted and HoldAudioCompleted were recorded in 2025, and come only
    if there is audio. So the response is the outcome.
    """

    kind: Literal["hold"] = "hold"
    spec = Spec(
        events={
            "HoldAudioStarted": "progress",
            "HoldAudioCompleted": "progress",
            "PlayStarted": "progress",  # documented, not recorded
            "HoldFailed": "failed",
            "ParticipantsUpdated": "state",
        },
        families=("hold",),
        media="hold",
    )
    participant: Identifier
    audio: Prompt | None = None


class Unhold(Action):
    """Take a participant off hold."""

    kind: Literal["unhold"] = "unhold"
    spec = Spec(events={"ParticipantsUpdated": "state"}, families=("unhold",), ends_media=("hold",))
    participant: Identifier


def _longest(prompts: tuple[Prompt, ...]) -> float:
    return sum(PROMPT_SECONDS if p.kind == "file" else _spoken(p) for p in prompts)


def _spoken(prompt: Prompt) -> float:
    words = prompt.text if prompt.kind == "text" else prompt.ssml if prompt.kind == "ssml" else ""
    return len(words) * SECONDS_PER_CHARACTER
