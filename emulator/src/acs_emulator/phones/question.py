"""What the app waits for while it asks somebody: told to the phone, so that a person can be shown it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Option:
    """One of the choices: its label, the key that is it (empty: none), the phrases that are it."""

    label: str
    key: str
    phrases: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """``input_type`` is the recognizeInputType of the request: dtmf, speech, speechOrDtmf or choices."""

    input_type: str
    options: tuple[Option, ...] = ()
    #: Most keys that are collected; None: no limit was given.
    most_keys: int | None = None

    @property
    def phrases(self) -> tuple[str, ...]:
        """Every phrase that counts."""
        return tuple(phrase for option in self.options for phrase in option.phrases)

    def wire(self) -> dict[str, Any]:
        options = [{"label": one.label, "key": one.key, "phrases": list(one.phrases)} for one in self.options]
        return {"inputType": self.input_type, "options": options, "mostKeys": self.most_keys}
