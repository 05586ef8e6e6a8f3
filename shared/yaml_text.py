"""YAML files that people write, as mappings, lists and text; what is wrong with one is named by its line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from shared.errors import InvalidInput

# PyYAML is imported where a text is read: it costs more than the modules that read one.
if TYPE_CHECKING:
    from pydantic_core import ErrorDetails
    from yaml.nodes import Node

_E = TypeVar("_E", bound=InvalidInput)
_M = TypeVar("_M", bound=BaseModel)
_T = TypeVar("_T")

Where = tuple[str | int, ...]
"""The way to a value: `("rules", 0, "to")`."""
Problem = tuple[str, str, str]
"""`file:line: path`, a sentence, and the remedy."""

MAX_FILE_BYTES = 256 * 1024
MAX_DEPTH = 16
"""A file nested deeper than this is none of ours."""


class NotYaml(Exception):
    """The text cannot be read at all.

    Attributes:
        line: from 1.
        problem: a sentence that ends with a full stop.
    """

    def __init__(self, line: int, problem: str) -> None:
        self.line = line
        self.problem = problem
        super().__init__(f"{line}: {problem}")


class Wrong(ValueError):
    """What a validator has against a value.

    Attributes:
        at: the way from the value to the part of it that is wrong.
    """

    def __init__(self, problem: str, remedy: str = "", *at: str | int) -> None:
        self.problem, self.remedy, self.at = problem, remedy, at
        super().__init__(f"{problem} {remedy}")


class YamlFile:
    """What a file holds, and what is wrong with it.

    Nothing in the file is constructed: scalars stay the text that they are (`+18005551212`, `09:00` and `yes`, too),
    and null is None. OSError if there is no such file.

    Args:
        name: of the file, for messages.
        top: what stands at the top of such a file, for messages about the whole of it.
        text: the text, or the file that has it.
        remedy: for an empty file.
    """

    def __init__(self, name: str, top: str, text: str | Path, remedy: str) -> None:
        self.name, self._top = name, top
        self.problems: list[Problem] = []
        self._lines: dict[Where, int] = {}
        self._data: Any = None
        try:
            root = compose(text_of(text) if isinstance(text, Path) else text)
        except NotYaml as error:
            self._lines[()] = error.line
            self.note((), error.problem)
            return
        self._lines[()] = root.start_mark.line + 1 if root else 1
        if root is None:
            self.note((), "the file is empty.", remedy)
        else:
            self._data = self._plain(root, ())

    def line(self, where: Where) -> int:
        """The line of a value, or of what would hold it."""
        return self._lines[where] if where in self._lines else self.line(where[:-1])

    def note(self, where: Where, problem: str, remedy: str = "") -> None:
        """Note what is wrong with a value."""
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).removeprefix(".")
        self.problems.append((f"{self.name}:{self.line(where)}: {path or self._top}", problem, remedy))

    def read(self, model: type[_M], remedy: Callable[[str, Where], str], context: object = None) -> _M | None:
        """The file as a model; None, and noted why, if it is none. A problem may be noted beside a model as well.

        Args:
            remedy: for a key that is `missing`, or `extra_forbidden`, and where it is.
            context: what the model's validators are given.
        """
        if self.problems and self._data is None:
            return None
        try:
            return model.model_validate(self._data, context=context)
        except ValidationError as error:
            for one in error.errors(include_url=False):
                # A list whose items are wrong is reported as empty too.
                if one["type"] != "too_short" or not one["input"]:
                    self._note_error(one, remedy)
            return None

    def _note_error(self, error: ErrorDetails, remedy: Callable[[str, Where], str]) -> None:
        kind, where = error["type"], tuple(part for part in error["loc"] if part != "[key]")
        wrong = error.get("ctx", {}).get("error")
        if isinstance(wrong, Wrong):
            self.note((*where, *wrong.at), wrong.problem, wrong.remedy)
        elif wrong is not None:
            problem, _, told = str(wrong).partition(". ")
            self.note(where, f"{problem.rstrip('.')}.", told)
        elif kind in _SAID:
            self.note(where, _SAID[kind], remedy(kind, where) if kind in ("missing", "extra_forbidden") else "")
        elif error["input"] is None:
            self.note(where, "is empty.")
        else:
            self.note(where, f"{error['msg'].replace('Input should', 'must').replace('valid tuple', 'list')}.")

    def _plain(self, node: Node, where: Where) -> Any:
        import yaml

        self._lines.setdefault(where, node.start_mark.line + 1)
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(item, (*where, at)) for at, item in enumerate(node.value)]
        if not isinstance(node, yaml.MappingNode):
            return None if node.tag == "tag:yaml.org,2002:null" else node.value
        entries: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self.note(where, "a key must be a word.")
                continue
            at = (*where, key.value)
            self._lines[at] = line
            if key.value in entries:
                self.note(at, "is given twice.", "Remove one of them.")
            entries[key.value] = self._plain(value, at)
        return entries


_SAID = {
    "missing": "is missing.",
    "extra_forbidden": "is not a known key.",
    "too_short": "is empty.",
    "tuple_type": "must be a list.",
    "model_type": "must be a mapping (key: value).",
    "dict_type": "must be a mapping (key: value).",
}
"""What is said of pydantic's errors."""


def scalar(value: object) -> str:
    """A value that is one, without the space around it. Wrong."""
    if isinstance(value, list | dict):
        raise Wrong("must be one value.")
    if value is None or not str(value).strip():
        raise Wrong("is empty.")
    return str(value).strip()


def each(read: Callable[[str], _T]) -> Callable[[object], tuple[_T, ...]]:
    """Reads one value, or a list of them; what reads each of them may raise Wrong."""

    def items(value: object) -> tuple[_T, ...]:
        if not isinstance(value, list):
            return (read(scalar(value)),)
        if not value:
            raise Wrong("is empty.")
        found = []
        for at, item in enumerate(value):
            try:
                found.append(read(scalar(item)))
            except Wrong as wrong:
                raise Wrong(wrong.problem, wrong.remedy, at) from None
        return tuple(found)

    return items


def text_of(path: Path) -> str:
    """The text of a file. NotYaml if it is too long or not UTF-8, OSError if it cannot be read."""
    if path.stat().st_size > MAX_FILE_BYTES:
        raise _too_long()
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise NotYaml(line, "the file is not UTF-8.") from None


def compose(text: str) -> Node | None:
    """The root node of a text; None if there is nothing in it. NotYaml."""
    import yaml

    class Loader(yaml.SafeLoader):
        """Composes nodes, with neither aliases (a few bytes can stand for gigabytes) nor deep nesting."""

        depth = 0

        def compose_node(self, parent: Node | None, index: int) -> Node | None:
            if self.check_event(yaml.AliasEvent):
                mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
                raise yaml.MarkedYAMLError(problem="aliases are not used here", problem_mark=mark)
            if self.depth >= MAX_DEPTH:
                mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
                raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=mark)
            self.depth += 1
            try:
                return super().compose_node(parent, index)
            finally:
                self.depth -= 1

    if len(text) > MAX_FILE_BYTES:
        raise _too_long()
    try:
        loader = Loader(text)
        try:
            return loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotYaml(mark.line + 1 if mark else 1, f"not YAML: {error.problem or error.context}.") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise NotYaml(line, "not YAML: a character that is not allowed.") from None


def gathered(problems: Sequence[tuple[str, str, str]], error: type[_E]) -> _E:
    """One error for all that is wrong: each with its `file:line: path`, the problem and the remedy."""
    (field, problem, remedy), *others = problems
    lines = [remedy, *(f"{path}: {text} {hint}".rstrip() for path, text, hint in others)]
    return error(field, problem, "\n".join(lines) if others else remedy)


def did_you_mean(word: str, known: Collection[str]) -> str:
    """A question that names the known word closest to this one; empty if none is close."""
    from difflib import get_close_matches

    close = get_close_matches(word, sorted(known), n=1)
    return f"Did you mean {close[0]}?" if close else ""


def _too_long() -> NotYaml:
    return NotYaml(1, f"the file is longer than {MAX_FILE_BYTES // 1024} KB.")
