"""What actions give back to a flow."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.calls.actions import Tone
from shared.events import RecognizeCompleted


class Recording(BaseModel):
    """What came of `call.record`.

    Attributes:
        state: `recording`: it records. Everything else means that it does not. `declined`: the caller did not say yes,
            or said nothing. `listed`: somebody on the call is on the do-not-record list, and nobody was told or asked
            anything. `off`: the flow does not record. `unheard`: the announcement or the question was not played to
            its end. `refused`: the service does not record the call, or the do-not-record list could not be read.
        recording_id: the service's id of the recording; empty while nothing is recorded.
        reason: why it does not record, for the log; empty where the state says all.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    state: Literal["recording", "declined", "listed", "off", "unheard", "refused"]
    recording_id: str = ""
    reason: str = ""

    @property
    def on(self) -> bool:
        """True if the call is recorded from here on."""
        return self.state == "recording"


class Recognized(BaseModel):
    """What a recognize heard.

    Attributes:
        by: how the answer came: by keys, by speech, or as one of the choices.
        choice: the label of the choice, None unless choices were offered.
        phrase: the words that made the choice; None when it was made by key.
        tones: the keys, in order, in the service's words.
        digits: the same keys as they stand on a phone (`98#`).
        speech: the words of free speech.
        sub_code: the service's reason to stop: 8531 all digits, 8514 stop tone, 8532 time-out between keys, …
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    by: Literal["dtmf", "speech", "choices"]
    choice: str | None = None
    phrase: str | None = None
    tones: tuple[Tone, ...] = ()
    digits: str = ""
    speech: str | None = None
    sub_code: int = 0

    @classmethod
    def of(cls, event: RecognizeCompleted) -> Recognized:
        """Read the service's event."""
        by: Literal["dtmf", "speech", "choices"] = (
            "choices" if event.choice is not None else "speech" if event.speech is not None else "dtmf"
        )
        return cls(
            by=by,
            choice=event.choice,
            phrase=event.choice_result.recognized_phrase if event.choice_result else None,
            tones=event.tones,
            digits=event.digits,
            speech=event.speech,
            sub_code=event.result.sub_code if event.result else 0,
        )
