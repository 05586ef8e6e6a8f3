"""The texts of a flow, in each of its languages.

They stand in YAML files beside the flow, one for each language: `flows/reception.en.yaml`. They are read when the
flow is registered, each by itself and all of them against each other.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, ValidationInfo, field_validator

from shared.calls.prompts import MAX_TEXT, SsmlPrompt, TextPrompt, ssml, text
from shared.errors import InvalidInput, TextsError
from shared.languages import LANGUAGE_TAG, main_language
from shared.yaml_text import Where, Wrong, YamlFile, did_you_mean, each, gathered, scalar

T = TypeVar("T")

FALLBACK = "fallback"
"""The text that a caller hears when the flow fails."""

SAY_AS: Mapping[str, str] = {
    "date": 'interpret-as="date" format="ymd"',
    "time": 'interpret-as="time" format="hms24"',
    "digits": 'interpret-as="digits"',
}
"""How a placeholder may say that it is read: `{day:date}` (2026-11-30), `{at:time}` (15:30), `{number:digits}`; with
the attributes of SSML's say-as (docs: speech-synthesis-markup-pronunciation)."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_LANGUAGE_OF_FILE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*")


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """The texts of a flow in one language.

    Attributes:
        name: as in the name of its file: `en`.
        tag: what the service is told: `en-US`.
        voice: what speaks the texts: `en-US-JennyNeural`.
        texts: by name; `{placeholder}` stands for what the flow puts in, `{placeholder:date}` for what is read so.
        placeholders: those of each text.
        choices: the phrases of each choice, by its label.
    """

    name: str
    tag: str
    voice: str
    texts: Mapping[str, str]
    placeholders: Mapping[str, frozenset[str]]
    choices: Mapping[str, tuple[str, ...]]

    def prompt(self, name: str, values: Mapping[str, object]) -> TextPrompt | SsmlPrompt:
        """A text with these values in it, spoken by the voice of the language. InvalidInput."""
        template = _named(self.texts, "text", name)
        expected = self.placeholders[name]
        if values.keys() != expected:
            raise InvalidInput(f"text {name!r}", _misfit(values.keys() - expected, expected - values.keys()), _WRITE)
        pieces = _pieces(template)
        if not any(piece.read_as for piece in pieces):
            return text(template.format_map(values), voice_name=self.voice)
        words = "".join(_escaped(piece.words) + _marked(piece, values) for piece in pieces)
        speak = f'<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="{self.tag}">'
        return ssml(f'{speak}<voice name="{_escaped(self.voice)}">{words}</voice></speak>')

    def phrases(self, label: str) -> tuple[str, ...]:
        """What a caller may say for a choice. InvalidInput."""
        return _named(self.choices, "choice", label)


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """The languages of a flow, in the order of their names; none: the flow has no texts."""

    languages: tuple[Language, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(language.name for language in self.languages)

    def find(self, language: str) -> Language | None:
        """The texts in this language: of its name or tag, or else in another variety of it; None if there are none."""
        asked = language.lower()
        for fits in (
            lambda one: asked in (one.name.lower(), one.tag.lower()),
            lambda one: main_language(asked) == one.name,
            lambda one: main_language(asked) == main_language(one.tag),
        ):
            for one in self.languages:
                if fits(one):
                    return one
        return None

    def opening(self, language: str) -> str:
        """The name of a language that a call was started in, or of the first if its texts are gone since."""
        if not language or not self.languages:
            return language
        return (self.find(language) or self.languages[0]).name

    def called(self, language: str, field: str) -> str:
        """The name of a language, which must be one of these; a flow without texts may speak any. InvalidInput.

        Args:
            field: where the language was given, for the message.
        """
        if not self.languages:
            if not LANGUAGE_TAG.fullmatch(language):
                raise InvalidInput(field, f"{language!r} is not a language.", "Give a tag with its region, as de-DE.")
            return language
        found = self.find(language)
        if found is None:
            raise InvalidInput(field, f"there are no texts in {language!r}.", f"There are: {', '.join(self.names)}.")
        return found.name

    def first(self, given: str, data: Any, default: str) -> str:
        """The language that a call begins in; empty: whatever the settings say. InvalidInput.

        Args:
            given: by the routing.
            data: the input of the call. Its `language` counts where the flow has texts.
            default: by the settings; the first language if the flow has no texts in it.
        """
        if given:
            return self.called(given, "language")
        if not self.languages:
            return ""
        asked = data.get("language") if isinstance(data, Mapping) else None
        if asked:
            return self.called(str(asked), "input.language")
        return (self.find(default) or self.languages[0]).name


NO_TEXTS = Texts()

_WRITE = 'Write call.text("name", placeholder=value) with each placeholder that the text has.'


def _misfit(unknown: AbstractSet[str], missing: AbstractSet[str]) -> str:
    parts = [f"has no placeholder {{{name}}}" for name in sorted(unknown)]
    parts += [f"needs a value for {{{name}}}" for name in sorted(missing)]
    return " and ".join(parts) + "."


def _named(entries: Mapping[str, T], kind: str, name: str) -> T:
    try:
        return entries[name]
    except KeyError:
        hint = did_you_mean(name, entries) or f"There are: {', '.join(sorted(entries)) or 'none'}."
        raise InvalidInput(f"{kind} {name!r}", "is not among the flow's texts.", hint) from None


# Reading them


def read_texts(folder: Path, flow: str) -> Texts:
    """The texts of a flow in the files `<flow>.<language>.yaml` of a folder. TextsError names all that is wrong."""
    names = {
        path: name
        for path in sorted(folder.glob(f"{flow}.*.yaml"))
        if _LANGUAGE_OF_FILE.fullmatch(name := path.name.removeprefix(f"{flow}.").removesuffix(".yaml"))
    }
    files = [YamlFile(path.name, "texts", path, "Give language, voice and texts.") for path in names]
    found = [file.read(_File, _remedy, name) for file, name in zip(files, names.values(), strict=True)]
    _raise(files)
    languages = [one.read(name) for one, name in zip(found, names.values(), strict=True) if one]
    for file, language in zip(files, languages, strict=True):
        _compare(file, language, files, languages)
    _raise(files)
    return Texts(tuple(languages))


def check_folder(folder: Path, flows: Sequence[str]) -> None:
    """Pass if every file of texts in a folder is one of a flow's. TextsError."""
    for path in sorted((*folder.glob("*.yaml"), *folder.glob("*.yml"))):
        if path.suffix == ".yml":
            raise TextsError(path.name, "is not read.", f"Call it {path.stem}.yaml.")
        owner, _, language = path.stem.rpartition(".")
        if owner not in flows:
            hint = did_you_mean(owner, flows) or f"There are: {', '.join(sorted(flows))}."
            raise TextsError(path.name, f"there is no flow {owner!r}.", f"Write <flow>.<language>.yaml. {hint}")
        if not _LANGUAGE_OF_FILE.fullmatch(language):
            raise TextsError(path.name, f"{language!r} is not a language.", f"Write {owner}.en.yaml.")


def _raise(files: Sequence[YamlFile]) -> None:
    """Pass if nothing is wrong with any of them. TextsError."""
    if problems := [problem for file in files for problem in file.problems]:
        raise gathered(problems, TextsError)


def _tag(value: object, info: ValidationInfo) -> str:
    tag = scalar(value)
    if not LANGUAGE_TAG.fullmatch(tag):
        raise Wrong(f"{tag!r} is not a language.", "Write a tag with its region, such as en-US.")
    if main_language(tag) != main_language(name := str(info.context)):
        raise Wrong(f"is {tag}, but the file is called …{name}.yaml.", "Change one of them.")
    return tag


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Wrong("is not a valid name.", "Use letters, digits, _ and -, at most 64.")
    return name


def _template(value: object) -> str:
    words = scalar(value)
    if len(words) > MAX_TEXT:
        raise Wrong(f"has {len(words)} characters, more than {MAX_TEXT}.", "Make two texts of it.")
    _placeholders(words)
    return words


class _Piece(NamedTuple):
    """Words of a text, and the placeholder after them; empty: there is none."""

    words: str
    name: str = ""
    read_as: str = ""


def _pieces(words: str) -> list[_Piece]:
    """A text in pieces. Wrong."""
    try:
        found = list(string.Formatter().parse(words))
    except ValueError:
        found = [("", "", None, None)]
    for _, name, read_as, conversion in found:
        if name is not None and (not name.isidentifier() or conversion):
            raise Wrong("has a { or } that is not a placeholder.", "Write {name}; {{ and }} for the signs.")
        if read_as and read_as not in SAY_AS:
            hint = did_you_mean(read_as, SAY_AS) or f"Known are {', '.join(SAY_AS)}."
            raise Wrong(f"{{{name}:{read_as}}} does not say how it is read.", hint)
    return [_Piece(before, name or "", read_as or "") for before, name, read_as, _ in found]


def _placeholders(words: str) -> frozenset[str]:
    """The names in braces. Wrong."""
    return frozenset(piece.name for piece in _pieces(words) if piece.name)


def _escaped(words: str) -> str:
    """Words as they stand in XML."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _marked(piece: _Piece, values: Mapping[str, object]) -> str:
    """What stands for a placeholder in SSML."""
    if not piece.name:
        return ""
    value = _escaped(str(values[piece.name]))
    return f"<say-as {SAY_AS[piece.read_as]}>{value}</say-as>" if piece.read_as else value


Name = Annotated[str, AfterValidator(_name)]


class _File(BaseModel):
    """The texts of one language, as they are written."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    language: Annotated[str, PlainValidator(_tag)]
    voice: Annotated[str, PlainValidator(scalar)]
    texts: dict[Name, Annotated[str, PlainValidator(_template)]] = Field(min_length=1)
    choices: dict[Name, Annotated[tuple[str, ...], PlainValidator(each(str))]] = Field({}, min_length=1)

    @field_validator("texts")
    @classmethod
    def _fallback_stands_alone(cls, texts: dict[str, str]) -> dict[str, str]:
        if _placeholders(texts.get(FALLBACK, "")):
            raise Wrong("has a placeholder.", "Nothing is put in: the flow has failed by then.", FALLBACK)
        return texts

    def read(self, name: str) -> Language:
        """The texts, under the name that their file gives the language."""
        placeholders = {key: _placeholders(words) for key, words in self.texts.items()}
        return Language(name, self.language, self.voice, self.texts, placeholders, self.choices)


_REMEDIES = {"language": "en-US", "voice": "en-US-JennyNeural", "texts": "{welcome: Hello.}"}


def _remedy(kind: str, where: Where) -> str:
    key = str(where[-1])
    if kind == "missing":
        return f"Write {key}: {_REMEDIES[key]}."
    return did_you_mean(key, _File.model_fields) or f"Known are {', '.join(_File.model_fields)}."


def _compare(file: YamlFile, mine: Language, files: Sequence[YamlFile], languages: Sequence[Language]) -> None:
    """Note what another language has and this one has not, and placeholders that differ, each once."""
    noted: set[Where] = set()

    def note(where: Where, problem: str, at: Where, other: YamlFile) -> None:
        if where not in noted:
            file.note(at, problem, f"{other.name}:{other.line(where)} has it: every language needs the same.")
            noted.add(where)

    for another, other in zip(files, languages, strict=True):
        for kind, lacking in (
            ("texts", other.texts.keys() - mine.texts.keys()),
            ("choices", other.choices.keys() - mine.choices.keys()),
        ):
            for name in sorted(lacking):
                note((kind, name), f"there is no {name!r}.", (kind,), another)
        for name, placeholders in mine.placeholders.items():
            if unlike := other.placeholders.get(name, placeholders) - placeholders:
                braced = ", ".join(f"{{{one}}}" for one in sorted(unlike))
                note(("texts", name), f"there is no placeholder {braced}.", ("texts", name), another)
