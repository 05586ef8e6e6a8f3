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
from typing import TYPE_CHECKING, Any, TypeVar

from shared.calls.prompts import MAX_TEXT, TextPrompt, text
from shared.errors import InvalidInput, TextsError
from shared.languages import LANGUAGE_TAG, main_language
from shared.yaml_nodes import Nodes, Stop
from shared.yaml_text import NotYaml, compose, did_you_mean, gathered, text_of

if TYPE_CHECKING:
    from yaml.nodes import Node

T = TypeVar("T")

FALLBACK = "fallback"
"""The text that a caller hears when the flow fails."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_LANGUAGE_OF_FILE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*")


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """The texts of a flow in one language.

    Attributes:
        name: as in the name of its file: `en`.
        tag: what the service is told: `en-US`.
        voice: what speaks the texts: `en-US-JennyNeural`.
        texts: by name; `{placeholder}` stands for what the flow puts in.
        placeholders: those of each text.
        choices: the phrases of each choice, by its label.
    """

    name: str
    tag: str
    voice: str
    texts: Mapping[str, str]
    placeholders: Mapping[str, frozenset[str]]
    choices: Mapping[str, tuple[str, ...]]

    def prompt(self, name: str, values: Mapping[str, object]) -> TextPrompt:
        """A text with these values in it, spoken by the voice of the language. InvalidInput."""
        template = _named(self.texts, "text", name)
        expected = self.placeholders[name]
        if values.keys() != expected:
            raise InvalidInput(f"text {name!r}", _misfit(values.keys() - expected, expected - values.keys()), _WRITE)
        return text(template.format_map(values), voice_name=self.voice)

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
                raise InvalidInput(field, f"{language!r} is no language.", "Give a tag with its region, as de-DE.")
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
    files = {
        language: path
        for path in sorted(folder.glob(f"{flow}.*.yaml"))
        if _LANGUAGE_OF_FILE.fullmatch(language := path.name.removeprefix(f"{flow}.").removesuffix(".yaml"))
    }
    if not files:
        return NO_TEXTS
    readers = [_Reader(path.name, language) for language, path in files.items()]
    languages = tuple(reader.read(path) for reader, path in zip(readers, files.values(), strict=True))
    _raise(readers)
    read = dict(zip(readers, languages, strict=True))
    for reader, one in read.items():
        reader.compare(one, read)
    _raise(readers)
    return Texts(languages)


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
            raise TextsError(path.name, f"{language!r} is no language.", f"Write {owner}.en.yaml.")


def _raise(readers: Sequence[_Reader]) -> None:
    """Pass if none of them has noted anything. TextsError."""
    if problems := [problem for reader in readers for problem in reader.problems]:
        raise gathered(problems, TextsError)


class _Reader(Nodes):
    """Reads the texts of one language."""

    def __init__(self, file: str, language: str) -> None:
        super().__init__(file, "texts", TextsError)
        self._language = language
        self._lines: dict[str, int] = {}

    def read(self, path: Path) -> Language:
        tag = voice = ""
        texts: dict[str, str] = {}
        placeholders: dict[str, frozenset[str]] = {}
        choices: dict[str, tuple[str, ...]] = {}
        try:
            root = self._root(path)
            entries = self._mapping(root, "", ("language", "voice", "texts", "choices"))
            for key, remedy in (("language", "en-US"), ("voice", "en-US-JennyNeural"), ("texts", "{welcome: Hello.}")):
                if key not in entries:
                    self._note_at(root, key, "is missing.", f"Write {key}: {remedy}.")
            tag = self._part(entries, "language", self._tag) or ""
            voice = self._part(entries, "voice", self._text) or ""
            for name, node in (self._part(entries, "texts", self._names) or {}).items():
                self._lines[f"texts.{name}"] = node.start_mark.line + 1
                texts[name] = self._part({name: node}, name, self._template, "texts.") or ""
                placeholders[name] = frozenset(self._placeholders(node, f"texts.{name}", texts[name]))
            for label, node in (self._part(entries, "choices", self._names) or {}).items():
                self._lines[f"choices.{label}"] = node.start_mark.line + 1
                choices[label] = self._part({label: node}, label, self._phrases, "choices.") or ()
        except Stop:
            pass
        return Language(self._language, tag, voice, texts, placeholders, choices)

    def _root(self, path: Path) -> Node:
        try:
            if root := compose(text_of(path)):
                return root
            self._note(1, "texts", "the file is empty.", "Give language, voice and texts.")
        except NotYaml as error:
            self._note(error.line, "texts", error.problem)
        raise Stop

    def compare(self, mine: Language, all_of_them: Mapping[_Reader, Language]) -> None:
        """Note what another language has and this one has not, and placeholders that differ."""
        noted: set[str] = set()
        for reader, other in all_of_them.items():
            for kind, lacking in (
                ("texts", other.texts.keys() - mine.texts.keys()),
                ("choices", other.choices.keys() - mine.choices.keys()),
            ):
                for name in sorted(lacking):
                    if (path := f"{kind}.{name}") not in noted:
                        self._note(1, kind, f"there is no {name!r}.", reader.has(path))
                        noted.add(path)
            for name, placeholders in mine.placeholders.items():
                unlike = other.placeholders.get(name, placeholders) - placeholders
                if unlike and (path := f"texts.{name}") not in noted:
                    braced = ", ".join(f"{{{one}}}" for one in sorted(unlike))
                    self._note(self._lines[path], path, f"there is no placeholder {braced}.", reader.has(path))
                    noted.add(path)

    def has(self, path: str) -> str:
        """The remedy for a language that lacks what this one has."""
        return f"{self._file}:{self._lines[path]} has it: every language needs the same."

    @property
    def problems(self) -> Sequence[tuple[str, str, str]]:
        """What was noted."""
        return self._problems

    def _part(self, entries: Mapping[str, Node], key: str, read: Any, within: str = "") -> Any:
        try:
            return read(entries[key], within + key) if key in entries else None
        except Stop:
            return None

    def _tag(self, node: Node, path: str) -> str:
        tag = self._text(node, path)
        if not LANGUAGE_TAG.fullmatch(tag):
            self._wrong(node, path, f"{tag!r} is no language.", "Write a tag with its region, such as en-US.")
        if main_language(tag) != main_language(self._language):
            self._wrong(node, path, f"is {tag}, but the file is called …{self._language}.yaml.", "Change one of them.")
        return tag

    def _names(self, node: Node, path: str) -> dict[str, Node]:
        entries = self._mapping(node, path, None)
        for name, value in entries.items():
            if not _NAME.fullmatch(name):
                self._note_at(value, f"{path}.{name}", "is no name.", "Use letters, digits, _ and -, at most 64.")
        if not entries:
            self._wrong(node, path, "is empty.")
        return entries

    def _template(self, node: Node, path: str) -> str:
        words = self._text(node, path)
        if len(words) > MAX_TEXT:
            self._wrong(node, path, f"has {len(words)} characters, more than {MAX_TEXT}.", "Make two texts of it.")
        return words

    def _placeholders(self, node: Node, path: str, words: str) -> Sequence[str]:
        names: list[str] = []
        try:
            for _, name, form, conversion in string.Formatter().parse(words):
                if name is None:
                    continue
                if not name.isidentifier() or form or conversion:
                    raise ValueError
                names.append(name)
        except ValueError:
            self._note_at(node, path, "has a { or } that is no placeholder.", "Write {name}; {{ and }} for the signs.")
        if names and path == f"texts.{FALLBACK}":
            self._note_at(node, path, "has a placeholder.", "Nothing is put in: the flow has failed by then.")
        return names

    def _phrases(self, node: Node, path: str) -> tuple[str, ...]:
        return tuple(self._text(item, item_path) for item, item_path in self._one_or_more(node, path))
