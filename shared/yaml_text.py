"""YAML files that people write: composed into nodes that know their lines, never into objects."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from shared.errors import InvalidInput

# PyYAML is imported where a text is read: it costs more than the modules that read one.
if TYPE_CHECKING:
    from yaml.nodes import Node

_E = TypeVar("_E", bound=InvalidInput)

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
