"""Reading `lines.yaml`: the app's own numbers, and who the company is. docs/lines.md describes the file."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Protocol, Self, cast
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationInfo, model_validator

from shared.errors import LinesError
from shared.languages import LANGUAGE_TAG
from shared.lines.times import zone_of
from shared.yaml_text import Where, Wrong, YamlFile, did_you_mean, each, gathered, scalar

DEFAULT_FILE = "lines.yaml"
"""The file that need not be there."""
CONCURRENT_OUT = 2
"""Outbound calls of a number at once unless support has raised it (docs: service-limits)."""
MOST_CONCURRENT = 400
"""What a number can have at most here (our choice): its leases are one row of the storage."""
TRANSFERRED_MINUTES = 60
"""How long a transferred leg holds its slot if no event tells its end (our choice)."""

_APP_FOLDER = Path(__file__).parent.parent.parent
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_COUNTRY = re.compile(r"[A-Z]{2}")


class AnswerableFlow(Protocol):
    """What a line needs to know of a flow."""

    @property
    def needed_input(self) -> Collection[str]:
        """The fields without which it cannot take a call that comes in."""


@dataclass(frozen=True, slots=True)
class Line:
    """One of the app's numbers.

    Attributes:
        number: in E.164 form.
        country: two letters (ISO 3166); empty: not said.
        concurrent_out: telephones that it may have on the line at once.
        reserve: slots that campaigns leave free.
        uses: who may use it; empty: everybody.
        called_back: the flow that somebody hears who calls it, where no routing rule says otherwise; empty: none.
        transferred_minutes: how long a transferred leg holds its slot if no event tells its end.
    """

    number: str
    label: str
    country: str = ""
    concurrent_out: int = CONCURRENT_OUT
    reserve: int = 1
    uses: frozenset[str] = frozenset()
    called_back: str = ""
    transferred_minutes: int = TRANSFERRED_MINUTES


@dataclass(frozen=True, slots=True)
class Lines:
    """The app's numbers, and who the company is.

    Attributes:
        zone: of the company; None: not said.
        languages: that it speaks, the first is the usual one.
        numbers: by number.
    """

    company: str = ""
    country: str = ""
    zone: ZoneInfo | None = None
    languages: tuple[str, ...] = ()
    numbers: Mapping[str, Line] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Known:
    flows: Mapping[str, AnswerableFlow]
    uses: Collection[str]


def load_lines(source: Path | str, flows: Mapping[str, AnswerableFlow], uses: Collection[str]) -> Lines:
    """Read and check the file of the app's numbers.

    Args:
        source: the file, as a Path or as its name in the app's folder (the setting LINES_FILE); or its text. A str
            that holds a line break is text. Without the file of the default name there are no numbers.
        flows: the flows that there are.
        uses: what flows may be for.

    Raises:
        LinesError: naming file and line of all that is wrong, one to a line.
    """
    path = _APP_FOLDER / source if isinstance(source, str) else source
    is_text = isinstance(source, str) and "\n" in source
    if source == DEFAULT_FILE and not path.exists():
        return Lines()
    try:
        name, text = (DEFAULT_FILE, source) if is_text else (path.name, path)
        file = YamlFile(name, "numbers", text, "Give at least one number, or remove the file.")
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise LinesError(str(path), f"{reason}.", "The setting LINES_FILE names the file.") from None
    found = file.read(_File, _remedy, _Known(flows, uses))
    if found is not None:
        _check_once(file, found)
    if file.problems or found is None:
        raise gathered(file.problems, LinesError)
    return found.lines


# Values


def _number(value: object) -> str:
    text = scalar(value)
    if not _E164.fullmatch(text):
        raise Wrong(f"{text!r} is not a number.", "Write it as +18005550199, without spaces.")
    return text


def _country(value: object) -> str:
    text = scalar(value)
    if not _COUNTRY.fullmatch(text):
        raise Wrong(f"{text!r} is not a country.", "Write its two letters, such as US or DE.")
    return text


def _language(text: str) -> str:
    if not LANGUAGE_TAG.fullmatch(text):
        raise Wrong(f"{text!r} is not a language.", "Write a tag with its region, such as de-DE.")
    return text


def _uses(value: object, info: ValidationInfo) -> frozenset[str]:
    known = cast(_Known, info.context).uses

    def use(text: str) -> str:
        if text not in known:
            raise Wrong(f"{text!r} is not a use.", did_you_mean(text, known) or f"Known are {', '.join(known)}.")
        return text

    return frozenset(each(use)(value))


def _flow(value: object, info: ValidationInfo) -> str:
    text, flows = scalar(value), cast(_Known, info.context).flows
    if text not in flows:
        raise Wrong(f"there is no flow {text!r}.", did_you_mean(text, flows))
    if needed := flows[text].needed_input:
        problem = f"the flow {text!r} needs input ({', '.join(needed)}), which no incoming call has."
        raise Wrong(problem, "Give these fields of its model a default.")
    return text


# The file

Text = Annotated[str, PlainValidator(scalar)]


class NumberInFile(BaseModel):
    """A number, as it is written."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    number: Annotated[str, PlainValidator(_number)]
    label: Text
    country: Annotated[str, PlainValidator(_country)] = ""
    concurrent_out: int = Field(CONCURRENT_OUT, ge=1, le=MOST_CONCURRENT)
    reserve: int | None = Field(None, ge=0)
    uses: Annotated[frozenset[str], PlainValidator(_uses)] = frozenset()
    called_back: Annotated[str, PlainValidator(_flow)] = ""
    transferred_minutes: int = Field(TRANSFERRED_MINUTES, ge=1, le=1440)

    @model_validator(mode="after")
    def _leaves_some(self) -> Self:
        if self.reserve is not None and self.reserve > self.concurrent_out:
            problem = f"is {self.reserve}, and there are {self.concurrent_out} slots."
            raise Wrong(problem, "Leave as many free as there are at most.", "reserve")
        return self

    def line(self, country: str) -> Line:
        """The same, with the company's country where it has none."""
        return Line(
            self.number,
            self.label,
            self.country or country,
            self.concurrent_out,
            min(1, self.concurrent_out - 1) if self.reserve is None else self.reserve,
            self.uses,
            self.called_back,
            self.transferred_minutes,
        )


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, defer_build=True)

    company: Text = ""
    country: Annotated[str, PlainValidator(_country)] = ""
    zone: Annotated[ZoneInfo | None, PlainValidator(zone_of)] = None
    languages: Annotated[tuple[str, ...], PlainValidator(each(_language))] = ()
    numbers: tuple[NumberInFile, ...] = Field(min_length=1)

    @property
    def lines(self) -> Lines:
        numbers = {one.number: one.line(self.country) for one in self.numbers}
        return Lines(self.company, self.country, self.zone, self.languages, numbers)


def _remedy(kind: str, where: Where) -> str:
    if kind == "missing":
        return "Give at least one number." if where[-1] == "numbers" else f"Write {where[-1]}: …"
    model: type[BaseModel] = NumberInFile if len(where) > 1 else _File
    known = tuple(model.model_fields)
    return did_you_mean(str(where[-1]), known) or f"Known are {', '.join(known)}."


def _check_once(file: YamlFile, found: _File) -> None:
    """Note numbers and labels that stand there twice."""
    for key in ("number", "label"):
        seen: dict[str, int] = {}
        for at, one in enumerate(found.numbers):
            value = getattr(one, key)
            if value in seen:
                file.note(("numbers", at, key), f"numbers[{seen[value]}] has {value!r} too.", "Name each once.")
            seen.setdefault(value, at)
