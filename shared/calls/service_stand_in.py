"""Stands in for the service in rehearsals: what it makes of keys and words, and which events it sends.

Sub-codes and rules as docs/events.md and the local service have them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.calls.actions import TONE_OF_KEY, Action, Recognize, Role
from shared.errors import InvalidInput
from shared.identifiers import Identifier

CONFIDENCE = 0.9
RECORDING_STATES = {
    "start_recording": "active", "resume_recording": "active", "pause_recording": "inactive",
    "stop_recording": "inactive",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Heard:
    """The event that ends a recognize: `RecognizeCompleted` or `RecognizeFailed`, and what it carries."""

    name: str
    code: int
    sub_code: int
    data: dict[str, Any] = field(default_factory=dict)


SILENCE = Heard("RecognizeFailed", 400, 8510)


def pressed(question: Recognize, keys: str) -> Heard:
    """Keys, one after the other, then none for a while. Keys after the last one that is collected are lost.

    AssertionError if nobody listens for keys; InvalidInput for what is not a key.
    """
    tones = [_tone(key) for key in keys]
    if question.input == "speech" or not tones:
        raise AssertionError(f"the flow listens for {_wanted(question)}, and was given the keys {keys!r}")
    if question.input == "choices":
        for choice in question.choices:
            if choice.tone == tones[0]:
                result = {"label": choice.label, "recognizedPhrase": None}
                return _completed(8533, "choices", choiceResult=result)
        return Heard("RecognizeFailed", 400, 8534)
    collected: list[str] = []
    for tone in tones:
        if tone in question.stop_tones:
            return _completed(8514, "dtmf", dtmfResult={"tones": collected})
        collected.append(tone)
        if question.max_tones is not None and len(collected) >= question.max_tones:
            return _completed(8531, "dtmf", dtmfResult={"tones": collected})
    return _completed(8532, "dtmf", code=400, dtmfResult={"tones": collected})


def said(question: Recognize, words: str) -> Heard:
    """An utterance. AssertionError if nobody listens for speech."""
    if question.input == "dtmf":
        raise AssertionError(f"the flow listens for {_wanted(question)}, and was told {words!r}: nothing would happen")
    if not _plain(words):
        return Heard("RecognizeFailed", 400, 8563)
    if question.input != "choices":
        return _completed(8569, "speech", speechResult={"speech": words, "confidence": CONFIDENCE})
    utterance = f" {_plain(words)} "
    for choice in question.choices:
        for phrase in choice.phrases:
            if _plain(phrase) and f" {_plain(phrase)} " in utterance:
                result = {"label": choice.label, "recognizedPhrase": phrase, "confidence": CONFIDENCE}
                return _completed(8545, "choices", choiceResult=result)
    return Heard("RecognizeFailed", 400, 8547)


def chosen(question: Recognize, label: str) -> Heard:
    """One of the choices, by its first phrase. AssertionError if it is not offered."""
    phrase = next((choice.phrases[0] for choice in question.choices if choice.label == label), None)
    if phrase is None:
        raise AssertionError(f"the flow does not offer {label!r}: it listens for {_wanted(question)}")
    return said(question, phrase)


def _completed(sub_code: int, by: str, *, code: int = 200, **data: Any) -> Heard:
    return Heard("RecognizeCompleted", code, sub_code, {"recognitionType": by, **data})


def _wanted(question: Recognize) -> str:
    labels: Sequence[str] = [choice.label for choice in question.choices]
    kinds = {"dtmf": "keys", "speech": "speech", "speechOrDtmf": "keys or speech"}
    return f"the choices {', '.join(labels)}" if labels else kinds.get(question.input, question.input)


def _tone(key: str) -> str:
    try:
        return TONE_OF_KEY[key]
    except KeyError:
        raise InvalidInput("press", f"{key!r} is not a key.", "Use 0 to 9, A to D, * and #.") from None


def _plain(words: str) -> str:
    """Words as they are compared: lower case, without punctuation."""
    return " ".join(re.findall(r"\w+", words.lower()))


# Events


def event_of(action: Action, role: Role) -> str:
    """The event that says this of such an action; AssertionError if the service has none."""
    for name, says in action.spec.events.items():
        if says == role:
            return name
    raise AssertionError(f"the service has no event that says {role} of {action.kind}")


def wire(who: Identifier | str) -> dict[str, str]:
    """Somebody, as the service names them."""
    return {"rawId": Identifier.parse(who).raw_id}
