"""What a scorecard file holds. docs/scorecards.md describes it."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.functional_validators import AfterValidator

from shared.quality.catalogue import CATALOGUE
from shared.quality.transcripts.phrases import Where, words_of
from shared.yaml_text import did_you_mean


class Part(BaseModel):
    """A mapping in the file. Its validators' messages are a problem and a remedy, as sentences."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, str_strip_whitespace=True)


def _has_words(phrase: str) -> str:
    if not words_of(phrase):
        raise ValueError("has no words.")
    return phrase


def _is_name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", name):
        raise ValueError(
            f"{name!r} is not a valid name. Write a lower-case letter, then lower-case letters, digits, - and _."
        )
    return name


def _is_metric(name: str) -> str:
    if name not in CATALOGUE:
        hint = did_you_mean(name, CATALOGUE) or "docs/quality.md lists them."
        raise ValueError(f"there is no metric {name!r}. {hint}")
    return name


Name = Annotated[str, AfterValidator(_is_name)]
Text = Annotated[str, Field(min_length=1, max_length=500)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Phrases = Annotated[tuple[Annotated[Text, AfterValidator(_has_words)], ...], Field(min_length=1)]

_T = TypeVar("_T")

LIMITS = ("at_least", "at_most", "above", "below")


class Limit(Part):
    """What a value has to be; where two limits stand, both hold."""

    at_least: Number | None = None
    at_most: Number | None = None
    above: Number | None = None
    below: Number | None = None

    @property
    def limits(self) -> list[tuple[str, float]]:
        """Those that are given, by name."""
        return [(name, limit) for name in LIMITS if (limit := getattr(self, name)) is not None]

    def holds(self, value: float) -> bool:
        return (
            (self.at_least is None or value >= self.at_least)
            and (self.at_most is None or value <= self.at_most)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )


class Level(Limit):
    """A limit that earns a share of the weight."""

    share: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _limited(self) -> Self:
        return _given(self, self.limits, LIMITS)


class MetricLimit(Limit):
    """A limit of a metric: of the whole conversation, or of the participants."""

    name: Annotated[str, AfterValidator(_is_metric)]
    by: Literal["customer", "agent", "everybody"] | None = None
    channel: int | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _whose(self) -> Self:
        given = [key for key in ("by", "channel") if getattr(self, key) is not None]
        if CATALOGUE[self.name].scope == "channel" and len(given) != 1:
            raise ValueError(f"{self.name} is a participant's. Give exactly one of by, channel.")
        if CATALOGUE[self.name].scope == "conversation" and given:
            raise ValueError(f"{self.name} belongs to the whole conversation. Leave out {given[0]}.")
        return self

    @model_validator(mode="after")
    def _limited(self) -> Self:
        return _given(self, self.limits, LIMITS)


class MetricRule(MetricLimit):
    """A metric that answers a question, all or nothing by its limits, or by levels."""

    levels: tuple[Level, ...] = ()

    @model_validator(mode="after")
    def _limited(self) -> Self:
        if self.levels and self.limits:
            raise ValueError("has both limits and levels. Give one of them.")
        return self if self.levels else _given(self, self.limits, (*LIMITS, "levels"))


class PhraseRule(Part):
    """Phrases that have to be said, or must not be."""

    any_of: Phrases | None = None
    all_of: Phrases | None = None
    expect: Literal["required", "forbidden"] = "required"
    by: Literal["customer", "agent", "anybody"] = "anybody"
    where: Where = "anywhere"
    seconds: float | None = Field(None, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.any_of is None) == (self.all_of is None):
            raise ValueError("needs exactly one of any_of, all_of.")
        if self.expect == "forbidden" and self.all_of is not None:
            raise ValueError("forbids all_of. Give any_of: each of its phrases is forbidden.")
        if self.where == "anywhere" and self.seconds is not None:
            raise ValueError("has seconds, and where: anywhere. Give where: start, end or within.")
        if self.where != "anywhere" and self.seconds is None:
            raise ValueError(f"has where: {self.where}, and no seconds. Say how many.")
        return self

    @property
    def phrases(self) -> tuple[str, ...]:
        return self.any_of or self.all_of or ()


class OutcomeRule(Part):
    """How the call has to end, or what its flow has to say of it."""

    one_of: tuple[Name, ...] = Field(min_length=1)


class Condition(Part):
    """Something that is so, or is not."""

    metric: MetricLimit | None = None
    phrases: PhraseRule | None = None
    outcome: OutcomeRule | None = None
    result: OutcomeRule | None = None
    no_transcript: Literal[True] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        return _exactly_one(self, ("metric", "phrases", "outcome", "result", "no_transcript"))


class Question(Part):
    """One question, and what answers it."""

    id: Name
    text: Text
    weight: float = Field(1.0, gt=0, le=1000)
    auto_fail: bool = False
    metric: MetricRule | None = None
    phrases: PhraseRule | None = None
    outcome: OutcomeRule | None = None
    result: OutcomeRule | None = None
    not_applicable_when: tuple[Condition, ...] = ()

    @model_validator(mode="after")
    def _one(self) -> Self:
        return _exactly_one(self, ("metric", "phrases", "outcome", "result"))


class Scorecard(Part):
    """One file."""

    name: Name
    title: Text
    flows: tuple[Text, ...] = ()
    direction: Literal["inbound", "outbound"] | None = None
    pass_at: float = Field(80.0, ge=0, le=100)
    min_answered: float = Field(0.5, ge=0, le=1)
    questions: tuple[Question, ...] = Field(min_length=1, max_length=200)
    topics: dict[Text, Phrases] = {}

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        ids = [question.id for question in self.questions]
        for at, name in enumerate(ids):
            if name in ids[:at]:
                raise ValueError(f"two questions have the id {name!r}. Give each its own.")
        return self


def _given(part: _T, limits: list[tuple[str, float]], names: tuple[str, ...]) -> _T:
    if not limits:
        raise ValueError(f"has no limit. Give {', '.join(names[:-1])} or {names[-1]}.")
    return part


def _exactly_one(part: _T, names: tuple[str, ...]) -> _T:
    given = [name for name in names if getattr(part, name) is not None]
    if len(given) != 1:
        found = f"has {' and '.join(given)}." if given else "has no condition."
        raise ValueError(f"{found} Give exactly one of {', '.join(names)}.")
    return part
